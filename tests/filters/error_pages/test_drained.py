"""The rest of what nobody wants: read as far as it is short and comes soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from revproxy.body import Body, StreamBody
from revproxy.errors import Truncated
from revproxy.filters.error_pages.drained import drained
from revproxy.testing import FakeClock


class Noted(StreamBody):
    """A body that knows whether it was closed, and how much of it was read."""

    __slots__ = ("closed", "ended", "read_bytes", "waits")

    def __init__(self, *pieces: bytes | Exception | asyncio.Event, length: int | None = None) -> None:
        super().__init__(self._pieces(pieces), length=length)
        self.closed, self.ended, self.read_bytes, self.waits = 0, False, 0, asyncio.Event()

    async def _pieces(self, pieces: tuple[bytes | Exception | asyncio.Event, ...]) -> AsyncIterator[bytes]:
        for each in pieces:
            if isinstance(each, asyncio.Event):
                self.waits.set()
                await each.wait()
            elif isinstance(each, Exception):
                raise each
            else:
                self.read_bytes += len(each)
                yield each
        self.ended = True

    def close(self) -> None:
        self.closed += 1


async def test_short() -> None:
    """It is read to its end."""
    body = Noted(b"a" * 60, b"b" * 40)
    await drained(body, 100, 1.0, FakeClock())
    assert (body.ended, body.closed) == (True, 1)


@pytest.mark.parametrize("length", [None, 100_000])
async def test_long(length: int | None) -> None:
    """No more is read than the limit and a piece; where the length is known, nothing."""
    body = Noted(*[b"a" * 50] * 2000, length=length)
    await drained(body, 100, 1.0, FakeClock())
    assert (body.ended, body.closed, body.read_bytes) == (False, 1, 150 if length is None else 0)


async def test_slow() -> None:
    """When the time is over it is closed, whatever it waits for."""
    clock, never = FakeClock(), asyncio.Event()
    body = Noted(b"a", never)
    task = asyncio.ensure_future(drained(body, 100, 1.0, clock))
    await body.waits.wait()
    clock.advance(0.9)
    await asyncio.sleep(0)
    assert not task.done()
    clock.advance(0.2)
    await task
    assert (body.ended, body.closed) == (False, 1)


@pytest.mark.parametrize("error", [Truncated("x"), KeyError("x")], ids=repr)
async def test_broken(error: Exception) -> None:
    """How it fails makes no difference."""
    body = Noted(b"a", error)
    await drained(body, 100, 1.0, FakeClock())
    assert body.closed == 1


async def test_given_up() -> None:
    """A client that leaves meanwhile is told to whoever waits; nothing goes on, and the body is closed."""
    body = Noted(b"a", asyncio.Event())
    task = asyncio.ensure_future(drained(body, 100, 1.0, FakeClock()))
    await body.waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert body.closed == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_to_do() -> None:
    """In memory, or not wanted at all."""
    await drained(Body(b"a" * 1000), 1, 1.0, FakeClock())
    body = Noted(b"a")
    await drained(body, 0, 1.0, FakeClock())
    assert (body.read_bytes, body.closed) == (0, 1)
