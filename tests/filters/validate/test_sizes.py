"""How large a response is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from revproxy import Response
from revproxy.body import EMPTY, Body, StreamBody
from revproxy.filters.validate.sizes import size_of, size_of_head


async def nothing() -> AsyncIterator[bytes]:
    for each in [b""] * 0:
        yield each


@pytest.mark.parametrize(
    ("body", "coding", "size"),
    [
        (EMPTY, "gzip", 0),
        (Body(b"abc"), "", 3),
        (Body(b"abc"), "identity, ", 3),
        (Body(b"abc"), "gzip", None),
        (StreamBody(nothing()), "", None),
    ],
    ids=["empty", "known", "identity", "coded", "stream"],
)
def test_size_of(body: Body, coding: str, size: int | None) -> None:
    """S-51: of a content in a coding it is not known, whatever ``Content-Length`` says."""
    assert size_of(Response(200, [("Content-Encoding", coding)], body)) == size


def test_size_of_head() -> None:
    """Names, values, and what stands between and behind them."""
    assert size_of_head(Response(200, [("A", "bc"), ("D", "")])) == len("A: bc\r\nD: \r\n")
