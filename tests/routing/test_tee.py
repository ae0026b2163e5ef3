"""A body that somebody else sees, too: whoever takes it cannot tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Body, StreamBody
from revproxy.errors import BodyTooLarge, ResponseBodyTooLarge, Truncated
from revproxy.routing.tee import Tee


class Notes:
    """A tap that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []

    def feed(self, chunk: bytes) -> None:
        self.told.append(chunk)

    def end(self) -> None:
        self.told.append("end")

    def broken(self) -> None:
        if "end" not in self.told and "broken" not in self.told:
            self.told.append("broken")


class Tank:
    """A sink that is full after each piece, and takes more when it is asked whether it may."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.drained = 0
        self.paused = False

    def write(self, data: bytes) -> None:
        self.got.append(data)
        self.paused = True

    def on_resume(self, callback: Callable[[], None]) -> None:
        raise AssertionError("not by a body that is iterated")

    async def drain(self) -> None:
        self.drained += 1
        self.paused = False


def stream(chunks: list[bytes], error: Exception | None = None) -> StreamBody:
    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if error is not None:
            raise error

    return StreamBody(pieces(), length=None if error else sum(map(len, chunks)))


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10), st.booleans())
def test_the_same_bytes(chunks: list[bytes], pumped: bool) -> None:
    """Iterated or pumped, it is the body that it is of, and the tap has seen the same and its end."""
    notes, tank = Notes(), Tank()

    async def take() -> list[bytes]:
        tee = Tee(stream(chunks), notes)
        assert tee.length == sum(map(len, chunks))
        assert tee.data is None
        assert not tee.replayable
        if not pumped:
            return [chunk async for chunk in tee]
        await tee.pump(tank)
        assert tank.drained == len(chunks)
        return tank.got

    with asyncio.Runner() as runner:
        assert runner.run(take()) == chunks
    assert notes.told == [*chunks, "end"]


@pytest.mark.parametrize("pumped", [False, True])
async def test_one_that_fails(pumped: bool) -> None:
    """What breaks the body passes, and the tap knows that there is no more."""
    notes = Notes()
    tee = Tee(stream([b"a"], Truncated("cut")), notes)
    with pytest.raises(Truncated):
        await (tee.pump(Tank()) if pumped else tee.read(100))
    assert notes.told == [b"a", "broken"]


async def test_one_that_is_left() -> None:
    """Who closes it, or stops to read, breaks it for the tap; after its end that means nothing."""
    notes = Notes()
    tee = Tee(stream([b"a", b"b"]), notes)
    async for _ in tee:
        break
    tee.close()
    assert notes.told == [b"a", "broken"]
    notes = Notes()
    tee = Tee(stream([b"a"]), notes)
    assert await tee.read(10) == b"a"
    tee.close()
    assert notes.told == [b"a", "end"]


def test_it_speaks_for_its_source() -> None:
    """What a body over its limit is, and whether its sender waits to be told to go on, are the source's to say."""

    class Expecting(StreamBody):
        expects = True

        @property
        def overflow(self) -> type[BodyTooLarge]:
            return BodyTooLarge

    source = stream([])
    expecting = Expecting(source)
    assert Tee(expecting, Notes()).expects
    assert Tee(expecting, Notes()).overflow is BodyTooLarge
    assert not Tee(Body(), Notes()).expects
    assert Tee(Body(), Notes()).overflow is ResponseBodyTooLarge
