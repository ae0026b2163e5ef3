"""Sets from a program's own iterators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from revproxy.discovery import Stream


async def watch() -> AsyncIterator[list[str]]:
    yield ["http://10.0.0.1"]
    yield ["http://10.0.0.2"]


async def sets(source: Stream) -> list[list[Any]]:
    return [list(found) async for found in source.snapshots()]


async def test_a_function() -> None:
    """It is called each time."""
    source = Stream(watch)
    for _ in range(2):
        assert await sets(source) == [["http://10.0.0.1"], ["http://10.0.0.2"]]
    assert source.reopens
    assert (source.name, repr(source)) == ("watch", "Stream(watch)")


async def test_an_iterator() -> None:
    """It is begun once; who begins it again is told."""
    source = Stream(watch(), name="api")
    assert await sets(source) == [["http://10.0.0.1"], ["http://10.0.0.2"]]
    assert not source.reopens
    assert source.name == "api"
    with pytest.raises(ValueError, match="begun already"):
        source.snapshots()


@pytest.mark.parametrize("bad", [None, ["http://10.0.0.1"], "http://10.0.0.1"])
def test_bad_sources(bad: Any) -> None:
    """What gives no sets is refused."""
    with pytest.raises(TypeError, match="source"):
        Stream(bad)
