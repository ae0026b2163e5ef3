"""Asking for no coding that cannot be undone."""

from __future__ import annotations

import pytest

from revproxy.filters.content.accept import narrow, narrowed
from revproxy.message import Request


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
        ("gzip;q=0.8, br", "gzip;q=0.8, br"),
        ("gzip,dcb, dcz", "gzip"),
        ("compress", "identity"),
        ("*", "identity"),
        ("*;q=0.5, gzip", "gzip"),
        ("gzip, *;q=0", "gzip, *;q=0"),
        ("gzip, *; q=0.000", "gzip, *; q=0.000"),
        ("identity;q=0, compress", "identity;q=0"),
        ("GZIP", "GZIP"),
        ("", "identity"),
        ("x" * 300, "identity"),
        ("gzip, " + "x" * 300, "gzip"),
    ],
)
def test_narrowed(value: str, left: str) -> None:
    """S-66: what the upstream may choose is what can be looked into, weights and all."""
    assert narrowed(value) == left
    draft = Request("GET", "/", [("Accept-Encoding", value)])
    narrow(draft)
    assert draft.headers.getall("Accept-Encoding") == [left]


def test_several_lines() -> None:
    """They are one list; what is not there is not added."""
    draft = Request("GET", "/", [("Accept-Encoding", "gzip"), ("Accept-Encoding", "dcz")])
    narrow(draft)
    assert draft.headers.getall("Accept-Encoding") == ["gzip"]
    draft = Request("GET", "/")
    narrow(draft)
    assert not draft.headers
