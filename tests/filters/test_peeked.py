"""A body that was looked into and goes on as it came."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import StreamBody
from revproxy.errors import BodyTooLarge
from revproxy.filters.peeked import Peeked


async def pieces(chunks: list[bytes], failure: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


@given(st.lists(st.binary(max_size=5), max_size=8), st.integers(0, 12))
async def test_peeked(chunks: list[bytes], limit: int) -> None:
    """Looked into or not, all of it goes on as it came, once."""
    whole = b"".join(chunks)
    peeked = Peeked(StreamBody(pieces(chunks)))
    data = await peeked.peek(limit)
    assert data == (whole if len(whole) <= limit else None)
    if data is None:
        was_taken = peeked.taken
        assert b"".join([chunk async for chunk in peeked]) == whole
        assert (was_taken, peeked.taken) == (False, True)
        with pytest.raises(RuntimeError):
            [chunk async for chunk in peeked]


async def test_broken_while_peeked() -> None:
    """A body that breaks while it is looked into is no shorter one afterwards: nobody can read it."""
    peeked = Peeked(StreamBody(pieces([b"ab"], BodyTooLarge("elsewhere"))))
    with pytest.raises(BodyTooLarge, match="elsewhere"):
        await peeked.peek(100)
    assert peeked.taken
    with pytest.raises(RuntimeError):
        [chunk async for chunk in peeked]
    peeked.close()


def test_it_is_what_its_source_is() -> None:
    """Length, limit and whether somebody waits are the source's."""
    source = StreamBody(pieces([]), length=5)
    peeked = Peeked(source)
    assert (peeked.length, peeked.overflow, peeked.expects, peeked.replayable) == (5, source.overflow, False, False)
