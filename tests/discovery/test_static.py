"""Endpoints that do not change."""

from __future__ import annotations

import pytest

from revproxy import Endpoint
from revproxy.discovery import Static


async def test_static() -> None:
    """One set, and no more."""
    source = Static("http://10.0.0.1", Endpoint("http://10.0.0.2", name="two", weight=3))
    (only,) = [list(found) async for found in source.snapshots()]
    assert [each.weight for each in only if isinstance(each, Endpoint)] == [1, 3]
    assert source.name == "http://10.0.0.1"
    assert repr(source) == "Static('http://10.0.0.1', 'two')"


@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        ((), ValueError, "endpoints"),
        ((["http://a"],), TypeError, "endpoints"),
        (("ftp://a",), ValueError, "url"),
    ],
)
def test_bad_static(bad: tuple[str, ...], error: type[Exception], said: str) -> None:
    """What is no endpoint is refused when it is made."""
    with pytest.raises(error, match=said):
        Static(*bad)
