"""A response body on its way from a connection: pulled by iteration or pumped into a sink."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ..body import Body, Sink
from ..errors import ProxyError, Truncated

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["WireBody"]


class WireBody(Body):
    """What a connection reads of a response body.

    Nobody asks: up to ``bound`` bytes are held, then the connection stops reading. Iterated: the same. Pumped: what
    arrives goes straight into the sink, and reading pauses while the sink does.
    """

    __slots__ = ("_bound", "_chunks", "_connection", "_paused", "_sink", "_size", "_taken", "_waiter", "ended", "error")

    def __init__(self, connection: Connection, length: int | None, bound: int) -> None:
        self.data: bytes | None = None
        self.length = length
        self._connection: Connection | None = connection
        self._bound = bound
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._sink: Sink | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.error: ProxyError | None = None
        """Why there will be no more."""
        self._paused = False
        self._taken = False
        self.ended: bool = False
        """All of it has arrived."""

    # Fed by the connection.

    def feed(self, data: bytes) -> None:
        """A piece has arrived."""
        if not data:
            return
        sink = self._sink
        if sink is not None:
            sink.write(data)
            if sink.paused and not self._paused:
                self._pause()
                sink.on_resume(self._resume)
            return
        self._chunks.append(data)
        self._size += len(data)
        self._wake()
        if self._size >= self._bound and not self._paused:
            self._pause()

    def end(self) -> None:
        """The body is complete."""
        self.ended = True
        self._connection = None
        self._wake()

    def fail(self, error: ProxyError) -> None:
        """The body will never be complete."""
        self.error = error
        self._connection = None
        self._wake()

    def in_memory(self) -> Body:
        """A body that has ended before anybody asked for it, as one in memory."""
        data = b"".join(self._chunks)
        return Body.unsized(data) if self.length is None else Body(data)

    # Taken by whoever has the response.

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._take()
        chunks = self._chunks
        try:
            while True:
                while chunks:
                    chunk = chunks.popleft()
                    self._size -= len(chunk)
                    if self._paused and self._size < self._bound:
                        self._resume()
                    yield chunk
                if self.ended:
                    return
                if self.error is not None:
                    raise self.error
                await self._wait()
        finally:
            self.close()

    async def pump(self, sink: Sink) -> None:
        self._take()
        try:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._size -= len(chunk)
                sink.write(chunk)
                if sink.paused:
                    await sink.drain()
            # From here on the connection writes into the sink itself.
            self._sink = sink
            if self._paused:
                self._resume()
            while not self.ended and self.error is None:
                await self._wait()
            if self.error is not None:
                raise self.error
        finally:
            self.close()

    def close(self) -> None:
        connection = self._connection
        if connection is not None:
            self._connection = None
            self._chunks.clear()
            self._size = 0
            self.error = Truncated("the body was closed before its end")
            self._wake()
            connection.abort()

    def _take(self) -> None:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause(self) -> None:
        if self._connection is not None:
            self._paused = True
            self._connection.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        if self._connection is not None:
            self._connection.resume_reading()

    def __repr__(self) -> str:
        state = "complete" if self.ended else "failed" if self.error is not None else "streaming"
        return f"{super().__repr__()[:-1]}, {state}, {self._size} held>"
