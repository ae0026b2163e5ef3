"""What the tests of the wire share: an exchange with its attempt, what stands for the pool, a transport by hand."""

from __future__ import annotations

import asyncio
import math
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import pytest_asyncio

from revproxy.body import Body
from revproxy.clock import SYSTEM_CLOCK, Clock
from revproxy.endpoint import Endpoint
from revproxy.errors import ProxyError
from revproxy.exchange import Attempt
from revproxy.message import Response
from revproxy.testing import FakeClock, exchange
from revproxy.wire.connection import Connection
from revproxy.wire.dial import dial
from revproxy.wire.head import request_head
from revproxy.wire.settings import Limits, Timeouts, Tls

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds after which a test that waits in vain fails."""


async def soon(awaitable: Awaitable[T]) -> T:
    """What ``awaitable`` gives. Every wait in these tests has this bound."""
    async with asyncio.timeout(PATIENCE):
        return await awaitable


async def turns(count: int = 20) -> None:
    """Let the event loop run, so that all that is ready goes on. Nothing that takes time is waited for with it."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(ready: Callable[[], bool]) -> None:
    """Until something is so of which nobody tells."""
    async with asyncio.timeout(PATIENCE):
        while not ready():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)


def open_sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for each in os.listdir("/dev/fd"):
        try:
            count += stat.S_ISSOCK(os.fstat(int(each)).st_mode)
        except OSError:  # that of the listing itself
            pass
    return count


@pytest_asyncio.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """A test leaves no task behind."""
    yield
    await turns(5)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"left behind: {left}"


class Call:
    """One exchange with one attempt at ``endpoint`` in it, as an ``Upstream`` makes it."""

    def __init__(
        self,
        endpoint: Endpoint | str = "http://up.test",
        method: str = "GET",
        target: str = "/",
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        body: bytes | Body = b"",
        clock: Clock | None = None,
    ) -> None:
        self.endpoint = Endpoint(endpoint) if isinstance(endpoint, str) else endpoint
        self.exchange = exchange(method, target, headers=headers, body=body)
        started = self.exchange.started if clock is None else clock.now()
        self.attempt = Attempt(self.endpoint, self.exchange, self.exchange.request, 1, started)
        self.head = request_head(self.exchange.request, self.endpoint)

    def over(self) -> None:
        """What the edge does at the end."""
        self.exchange.finish()


class Owner:
    """Stands for the pool: makes connections, and counts what they tell it."""

    def __init__(
        self, *, timeouts: Timeouts | None = None, limits: Limits | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.limits = limits or Limits()
        self.clock = clock
        self.made = 0
        self.freed = 0
        self.lost = 0

    def connection(self) -> Connection:
        self.made += 1
        connection = Connection(timeouts=self.timeouts, limits=self.limits, clock=self.clock, on_free=self._free)
        connection.on_lost = self._lose
        return connection

    async def dial(self, endpoint: Endpoint | str, *, tls: Tls | None = None) -> Connection:
        """A real connection."""
        if isinstance(endpoint, str):
            endpoint = Endpoint(endpoint)
        return await dial(endpoint, self.connection, tls=tls, timeout=self.timeouts.connect)

    async def send(self, connection: Connection, call: Call, *, deadline: float = math.inf) -> Response:
        """One exchange over ``connection``."""
        return await connection.exchange(call.attempt, call.head, self.clock.now(), deadline)

    def _free(self, connection: Connection) -> None:
        self.freed += 1

    def _lose(self, connection: Connection) -> None:
        self.lost += 1


class Line(asyncio.Transport):
    """A connection on a transport that is no socket: what it writes is kept, what it reads is given by hand.

    It keeps a transport's promises: nothing comes while reading is paused or after the end, and an end is told once.
    """

    def __init__(
        self, *, timeouts: Timeouts | None = None, limits: Limits | None = None, clock: FakeClock | None = None
    ) -> None:
        super().__init__()
        self.clock = clock or FakeClock()
        self.owner = Owner(timeouts=timeouts, limits=limits, clock=self.clock)
        self.connection = self.owner.connection()
        self.sent = b""
        self.reading = True
        self.pauses = 0
        self.unsent = 0
        self.end = ""
        """How this side ended: ``closed``, ``aborted``, or ``""``."""
        self._wrote = asyncio.Event()
        self._told = False
        self.connection.connection_made(self)

    async def ask(self, call: Call, *, deadline: float = math.inf) -> asyncio.Task[Response]:
        """Begin an exchange; its request has been written when this returns."""
        self._wrote.clear()
        task = asyncio.create_task(self.owner.send(self.connection, call, deadline=deadline))
        await self.wrote()
        return task

    async def wrote(self) -> None:
        """Until something more is written."""
        await soon(self._wrote.wait())
        self._wrote.clear()

    def gets(self, *pieces: bytes) -> None:
        """What the upstream sends, read by read."""
        for piece in pieces:
            assert self.reading, f"{piece!r} would not be read: reading is paused"
            assert not self.end, f"{piece!r} would not be read: {self.end}"
            self.connection.data_received(piece)

    def loses(self, error: Exception | None = None) -> None:
        """The upstream ends the connection: by FIN, or as ``error`` says."""
        assert not self.end
        assert self.reading or error is not None, "an end is not seen while reading is paused"
        self._told = True
        protocol: asyncio.Protocol = self.connection
        if error is not None or not protocol.eof_received():
            if not self.is_closing():
                self.end = "closed"
            protocol.connection_lost(error)

    def full(self, unsent: int = 100_000) -> None:
        """The upstream does not read: the write buffer is over its limit."""
        self.unsent = unsent
        self.connection.pause_writing()

    def drained(self, unsent: int = 0) -> None:
        """The write buffer is below its limit again."""
        self.unsent = unsent
        self.connection.resume_writing()

    # What a transport does.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.end, f"written after the end: {bytes(data)!r}"
        self.sent += bytes(data)
        self._wrote.set()

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.pauses += self.reading
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.end != ""

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def _end(self, how: str) -> None:
        if not self.end:
            self.end = how
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)


class Sink:
    """Takes ``room`` writes, then wants no more until ``open`` or ``drain``."""

    def __init__(self, room: int = 1) -> None:
        self.data = b""
        self.writes = 0
        self.paused = False
        self._room = self._left = room
        self._resumed: list[Callable[[], None]] = []
        self._drained = asyncio.Event()

    def write(self, data: bytes) -> None:
        assert data, "an empty write"
        assert not self.paused, "written to while paused"
        self.data += data
        self.writes += 1
        self._left -= 1
        self.paused = self._left <= 0

    def on_resume(self, callback: Callable[[], None]) -> None:
        assert self.paused, "on_resume without need"
        self._resumed.append(callback)

    async def drain(self) -> None:
        while self.paused:
            self._drained.clear()
            await soon(self._drained.wait())

    def open(self) -> None:
        """Take more."""
        self.paused, self._left = False, self._room
        resumed, self._resumed = self._resumed, []
        for callback in resumed:
            callback()
        self._drained.set()


async def collect(body: Body) -> bytes:
    """All of a body, by iteration."""
    return b"".join([chunk async for chunk in body])


async def failure(awaitable: Awaitable[object]) -> ProxyError:
    """The error that it ends with."""
    try:
        result = await soon(awaitable)
    except ProxyError as error:
        return error
    raise AssertionError(f"no failure but {result!r}")
