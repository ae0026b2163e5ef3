"""No proxy: bytes go both ways, and nobody looks at them. No proxy in Python costs less than this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from .serve import listen, told


class Side(asyncio.Protocol):
    """One of the two connections: what it receives goes to the other one."""

    __slots__ = ("other", "transport")

    transport: asyncio.Transport
    other: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of sockets, all are

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def pause_writing(self) -> None:
        self.other.pause_reading()

    def resume_writing(self) -> None:
        self.other.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self.other.close()


class Front(Side):
    """The client's side. What comes before the back end has been reached is held; a client waits for its answer."""

    __slots__ = ("_early", "_host", "_port", "_reaching")

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = self.transport  # until there is another one
        self._reaching: asyncio.Task[None] | None = asyncio.create_task(self._reach())

    def data_received(self, data: bytes) -> None:
        if self._reaching is None:
            self.other.write(data)
        else:
            self._early += data

    async def _reach(self) -> None:
        back = Side()
        back.other = self.transport
        try:
            await asyncio.get_running_loop().create_connection(lambda: back, self._host, self._port)
        except OSError:
            self.transport.close()
            return
        self.other = back.transport
        self.other.write(self._early)
        self._early, self._reaching = b"", None
        if self.transport.is_closing():
            self.other.close()


def fronts(backend: str) -> Callable[[], Front]:
    parts = urlsplit(backend)
    assert parts.hostname is not None
    assert parts.port is not None
    host, port = parts.hostname, parts.port
    return lambda: Front(host, port)


if __name__ == "__main__":
    arguments = told()
    listen(fronts(arguments.backend), arguments.port, arguments.loop)
