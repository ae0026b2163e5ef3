"""Bodies: pulled, pumped, edited, bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import EMPTY, Body, StreamBody
from revproxy.errors import BodyTooLarge, ProxyError, ResponseBodyTooLarge

chunks = st.lists(st.binary(max_size=6), max_size=8)


class Source:
    """Yields chunks, and knows how many were asked for."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.asked = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.asked += 1
            yield part


class Collector:
    """A sink that is full after every ``room`` writes, and fails a writer that does not wait."""

    def __init__(self, room: int = 1) -> None:
        self.data = b""
        self.writes: list[bytes] = []
        self.drained = 0
        self._room = self._left = room

    @property
    def paused(self) -> bool:
        return self._left == 0

    def write(self, data: bytes) -> None:
        assert not self.paused, "written to while paused"
        assert data, "an empty write"
        self.writes.append(data)
        self.data += data
        self._left -= 1

    def on_resume(self, callback: Callable[[], None]) -> None:
        raise AssertionError("not for a pump by iteration")

    async def drain(self) -> None:
        self.drained += 1
        self._left = self._room


class Rot13:
    """Edits byte by byte, holds the last byte back, and signs off."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, chunk: bytes) -> bytes:
        data = self.held + chunk
        self.held = data[-1:]
        return data[:-1].swapcase()

    def finish(self) -> bytes:
        return self.held.swapcase() + b"."


async def all_of(body: Body) -> list[bytes]:
    return [chunk async for chunk in body]


@given(chunks)
async def test_iteration(parts: list[bytes]) -> None:
    """Any split of a body gives the same bytes, in memory or streamed, in chunks that are never empty."""
    whole = b"".join(parts)
    for body in (Body(whole), StreamBody(Source(*parts)), StreamBody(Source(*parts), length=len(whole))):
        got = await all_of(body)
        assert b"".join(got) == whole
        assert b"" not in got


@given(chunks, st.integers(1, 3))
async def test_pump_is_iteration(parts: list[bytes], room: int) -> None:
    """Law 1: `pump` delivers the bytes of iteration, never an empty write, never while the sink is paused."""
    whole = b"".join(parts)
    for body in (Body(whole), StreamBody(Source(*parts)), StreamBody(Source(*parts)).through(Rot13())):
        sink = Collector(room)
        await body.pump(sink)
        assert sink.data == (whole if not type(body).__name__.startswith("_") else whole.swapcase() + b".")


async def test_pump_asks_for_no_more_than_the_sink_takes() -> None:
    """Backpressure: while the sink is paused, nothing more is taken from the source."""
    source = Source(b"a", b"b", b"c")

    class Stuck(Collector):
        async def drain(self) -> None:
            assert source.asked == len(self.writes)
            await super().drain()

    sink = Stuck()
    await StreamBody(source).pump(sink)
    assert (sink.data, sink.drained) == (b"abc", 3)


@given(chunks)
async def test_through(parts: list[bytes]) -> None:
    """Any split of a body gives the same result through a transform, which is finished exactly once."""
    whole = b"".join(parts)
    expected = whole.swapcase() + b"."
    for body in (Body(whole), StreamBody(Source(*parts)), StreamBody(Source(*parts), length=len(whole))):
        edited = body.through(Rot13())
        assert edited.length == (len(expected) if body.data is not None else None)
        assert edited.replayable == body.replayable
        assert b"".join(await all_of(edited)) == expected


async def test_taken() -> None:
    """What can be read once says whether it was begun, also behind a transform; what is in memory is never gone."""
    stream, held = StreamBody(Source(b"a")), Body(b"a")
    edited = stream.through(Rot13())
    assert [body.taken for body in (stream, edited, held)] == [False, False, False]
    await all_of(edited)
    await all_of(held)
    assert [body.taken for body in (stream, edited, held)] == [True, True, False]


async def test_through_is_lazy_and_chains() -> None:
    """A streaming body is edited as it is read, through any number of transforms, and nothing is read ahead."""
    source = Source(b"ab", b"cd")
    edited = StreamBody(source).through(Rot13()).through(Rot13())
    assert source.asked == 0
    assert b"".join(await all_of(edited)) == b"abcd.."


async def test_through_of_no_body() -> None:
    """F-47: a request without a body has none after a body filter that adds nothing; one that adds makes a body."""

    class Nothing:
        def feed(self, chunk: bytes) -> bytes:
            return chunk

        def finish(self) -> bytes:
            return b""

    assert EMPTY.through(Nothing()) is EMPTY
    assert EMPTY.through(Rot13()).data == b"."
    assert Body().through(Nothing()) is not EMPTY


class FromClient(StreamBody):
    """A body whose length is the client's fault."""

    @property
    def overflow(self) -> type[ProxyError]:
        return BodyTooLarge


@given(chunks, st.integers(0, 30))
async def test_read_limit(parts: list[bytes], limit: int) -> None:
    """Law 11: a body within the limit is read whole, one byte over it is refused, however it comes."""
    whole = b"".join(parts)
    bodies: list[tuple[Body, type[ProxyError]]] = [
        (Body(whole), ResponseBodyTooLarge),
        (StreamBody(Source(*parts)), ResponseBodyTooLarge),
        (StreamBody(Source(*parts), length=len(whole)), ResponseBodyTooLarge),
        (FromClient(Source(*parts)), BodyTooLarge),
        (FromClient(Source(*parts)).through(Identity()), BodyTooLarge),
    ]
    for body, error in bodies:
        if len(whole) <= limit:
            assert await body.read(limit) == whole
        else:
            with pytest.raises(error):
                await body.read(limit)


class Identity:
    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> bytes:
        return b""


async def test_read_stops_at_the_limit() -> None:
    """Over the limit nothing more is taken from the source; a declared length over it is refused unread."""
    source = Source(b"aa", b"bb", b"cc")
    with pytest.raises(ResponseBodyTooLarge, match="exceeds the limit of 3 bytes"):
        await StreamBody(source).read(3)
    assert source.asked == 2
    source = Source(b"aa")
    with pytest.raises(ResponseBodyTooLarge, match="a body of 4 bytes exceeds the limit of 3"):
        await StreamBody(source, length=4).read(3)
    assert source.asked == 0


async def test_read_closes_what_it_refuses() -> None:
    """A body that is too large is given up, so that its connection is released, through a transform as well."""

    class Closing(StreamBody):
        closed = 0

        def close(self) -> None:
            type(self).closed += 1

    for body in (Closing(Source(b"aa", b"bb")), Closing(Source(b"aa", b"bb"), length=4)):
        with pytest.raises(ResponseBodyTooLarge):
            await body.read(3)
    with pytest.raises(ResponseBodyTooLarge):
        await Closing(Source(b"aa", b"bb")).through(Identity()).read(3)
    assert Closing.closed == 3


async def test_memory_bodies_repeat_and_streams_do_not() -> None:
    """A body in memory can be sent again; a stream is read once, and a second reader is told, not given nothing."""
    body = Body(b"abc")
    assert body.replayable
    assert await all_of(body) == await all_of(body) == [b"abc"]
    stream = StreamBody(Source(b"abc"))
    assert not stream.replayable
    await all_of(stream)
    with pytest.raises(RuntimeError, match="only once"):
        await all_of(stream)
    with pytest.raises(RuntimeError, match="only once"):
        await stream.read(10)


async def test_errors_of_the_source_pass() -> None:
    """What the source raises in the middle reaches whoever reads, through transform and pump."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionResetError("gone")

    sink = Collector()
    with pytest.raises(ConnectionResetError, match="gone"):
        await StreamBody(failing()).through(Identity()).pump(sink)
    assert sink.data == b"ab"


def test_length_and_printing() -> None:
    """Bodies say what is known of them; a negative length is a ValueError."""
    assert (EMPTY.length, EMPTY.data) == (0, b"")
    assert repr(Body(b"abc")) == "<Body of 3 bytes>"
    assert repr(StreamBody(Source())) == "<StreamBody of unknown length>"
    assert repr(StreamBody(Source(), length=7)) == "<StreamBody of 7 bytes>"
    with pytest.raises(ValueError, match="length must be at least 0, got -1"):
        StreamBody(Source(), length=-1)


async def test_printing_a_taken_stream() -> None:
    """A stream that was read says so."""
    body = StreamBody(Source(b"a"))
    await all_of(body)
    assert repr(body) == "<StreamBody of unknown length, taken>"
