"""Cookies that are not passed on."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from revproxy.filters.auth.cookies import without_cookie


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["id=x"], []),
        (["a=1; id=x; b=2"], ["a=1; b=2"]),
        (["a=1;id=x;id=y"], ["a=1"]),
        (["id = x; a=1"], ["a=1"]),
        (["a=1", "id=x", "b=2"], ["a=1", "b=2"]),
        (["ID=x; id2=y; xid=z; a=id"], ["ID=x; id2=y; xid=z; a=id"]),
        ([], []),
    ],
)
def test_without_cookie(lines: list[str], left: list[str]) -> None:
    """All of that name are gone, in every line; others stay as they are."""
    headers = CIMultiDict([("Cookie", line) for line in lines] + [("X-A", "1")])
    without_cookie(headers, "id")
    assert headers.getall("Cookie", []) == left
    assert headers["X-A"] == "1"
