"""Bodies that are bounded, or looked into, on their way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Body, StreamBody
from revproxy.errors import BodyTooLarge
from revproxy.filters.validate.measured import AtMost, Peeked


async def pieces(chunks: list[bytes], failure: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


@given(st.lists(st.binary(max_size=5), max_size=8), st.integers(0, 12))
def test_at_most(chunks: list[bytes], limit: int) -> None:
    """Any split: no more than ``limit`` bytes pass before it is called, and it is called once."""
    calls: list[int] = []
    passed = 0

    def over() -> None:
        calls.append(passed)

    transform = AtMost(limit, over)
    for chunk in chunks:
        passed += len(transform.feed(chunk))
    assert transform.finish() == b""
    total = sum(map(len, chunks))
    assert passed == total
    assert len(calls) == (total > limit)
    assert all(each <= limit for each in calls)


def test_what_it_raises_ends_the_body() -> None:
    """The chunk that is too much does not pass."""

    def over() -> None:
        raise BodyTooLarge("more")

    with pytest.raises(BodyTooLarge):
        Body(b"abc").through(AtMost(2, over))


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
