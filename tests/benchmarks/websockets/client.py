"""A browser's end of a WebSocket: the load is made of these."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..load import LoadFailed
from .cases import PIECE
from .frames import BINARY, MASK, TEXT, Frame, ask, encode, refusal
from .peer import Peer

_PIECE = encode(BINARY, PIECE, MASK)


class Client(Peer):
    """One WebSocket. Whatever it waits for ends with ``LoadFailed`` if the connection does."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__()
        self._ask = ask(path, port)
        self._take: Callable[[Frame], bool] = _nothing
        self._done = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, port: int, path: str) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(port, path), "127.0.0.1", port)
        await client._done
        return client

    async def until(self, take: Callable[[Frame], bool]) -> None:
        """Give it every frame, until it says that this was the last."""
        if self.transport.is_closing():
            raise LoadFailed("the WebSocket was closed")
        self._take, self._done = take, asyncio.get_running_loop().create_future()
        await self._done

    async def echo(self, message: bytes) -> None:
        """Send one, and compare what comes back."""
        self.transport.write(encode(BINARY, message, MASK))

        def take(frame: Frame) -> bool:
            compare(frame, message)
            return True

        await self.until(take)

    async def send(self, size: int) -> None:
        """So many bytes to ``/sink``."""
        self.transport.write(encode(TEXT, b"%d" % size, MASK))
        self.gush(_PIECE, size // len(PIECE))

        def take(frame: Frame) -> bool:
            compare(frame, b"taken")
            return True

        await self.until(take)

    async def fetch(self, size: int) -> None:
        """So many bytes from ``/source``."""
        self.transport.write(encode(TEXT, b"%d" % size, MASK))
        left = size

        def take(frame: Frame) -> bool:
            nonlocal left
            compare(frame, PIECE)
            left -= len(PIECE)
            return left == 0

        await self.until(take)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(self._ask)

    def shaken(self, head: bytes) -> None:
        if wrong := refusal(head):
            self._fail(wrong)
        else:
            self._done.set_result(None)

    def received(self, frame: Frame) -> None:
        try:
            if self._take(frame):
                self._take = _nothing
                self._done.set_result(None)
        except LoadFailed as error:
            self._fail(str(error))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("the WebSocket was closed")

    def _fail(self, words: str) -> None:
        self.transport.abort()
        if not self._done.done():
            self._done.set_exception(LoadFailed(words))


def _nothing(frame: Frame) -> bool:
    raise LoadFailed(f"a frame that nobody asked for: {frame.unmasked()[:40]!r}")


def compare(frame: Frame, message: bytes) -> None:
    if frame.mask or frame.payload.tobytes() != message:
        raise LoadFailed(f"{len(frame.payload)} bytes, not those that were sent")
