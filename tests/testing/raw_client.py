"""A client of raw bytes, for transcripts."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator

import pytest

from revproxy.testing.upstream import FakeUpstream

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
EXPECT = POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Client:
    """A raw connection; every expectation is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def gets(self, expected: bytes) -> None:
        async with asyncio.timeout(5):
            got = b""
            while len(got) < len(expected):
                data = await self.reader.read(len(expected) - len(got))
                assert data, f"ended after {got!r}"
                got += data
        assert got == expected

    async def gets_fin(self) -> None:
        async with asyncio.timeout(5):
            assert await self.reader.read() == b""

    async def gets_rst(self) -> None:
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                await self.reader.read()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def client(server: FakeUpstream, context: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    if server.url.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(server.url.removeprefix("unix:"))
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
