"""The server's side of one connection of a `FakeUpstream`."""

import asyncio
import contextlib
import re
import socket
import ssl as tls
import struct
from collections.abc import Callable

from .recorded import MalformedRequest, Recorded, length_of, parse_fields, parse_head
from .turn import PeerLeft

_LIMIT = 65536  # bytes of a head, of a chunk's size line, of all trailers; and of one read
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r\n")


class Connection:
    """The server's side of one connection; implements `Turn`."""

    request: Recorded

    def __init__(self, number: int, sock: socket.socket, released: asyncio.Event, changed: Callable[[], None]) -> None:
        self.number = number
        self.released = released
        self.gone: asyncio.Event = asyncio.Event()
        self.opened: bool = False
        self.idle: bool = False
        self.closing: bool = False  # by the script or the server
        self.left: bool = False  # by the client, before that
        self.sock = sock
        self._changed = changed
        self._reader = _Reader(self._ended)
        self._reading: asyncio.Task[None] | None = None
        self._length: int | None = 0
        self._unread = False
        self._spoke = False

    async def open(self, context: tls.SSLContext | None, patience: float) -> None:
        """Take over the accepted socket. Raises `OSError` when the TLS handshake fails."""
        loop = asyncio.get_running_loop()
        if self.sock.family != socket.AF_UNIX:  # every write a segment, and none behind when a RST follows
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = asyncio.StreamReaderProtocol(self._reader)
        tls_patience = patience if context else None
        self._transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            self.sock,
            ssl=context,
            ssl_handshake_timeout=tls_patience,
            ssl_shutdown_timeout=tls_patience,
        )
        # A step ends when its bytes have left the process. (asyncio's TLS pauses at the limit itself: 0 would hang.)
        self._transport.set_write_buffer_limits(high=1 if context else 0)
        self._writer = asyncio.StreamWriter(self._transport, protocol, self._reader, loop)
        self.opened = True

    async def next_request(self, record_limit: int) -> Recorded:
        """The head of the next request. Raises `EOFError` when there is none."""
        self.idle, self._reading, self._spoke = True, None, False
        self._changed()
        try:
            raw = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise MalformedRequest(f"request head larger than {_LIMIT} bytes") from None
        finally:
            self.idle = False
        self.request = parse_head(raw, self.number, record_limit)
        self._length = length_of(self.request)
        self._unread = True
        return self.request

    async def write(self, data: bytes) -> None:
        if self.closing:
            raise RuntimeError(f"a step writes {data[:20]!r} after the script has closed the connection")
        self._spoke = True
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, size: int = _LIMIT) -> bytes:
        return await self._reader.read(size)

    async def wait(self, event: asyncio.Event | None = None, *, seconds: float | None = None) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (self.gone, event) if each is not None]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if self.gone.is_set() and not (event and event.is_set()):
            raise PeerLeft("the client left")

    async def read_body(self) -> None:
        expected = self.request.version != "1.0" and "100-continue" in map(str.lower, self.request.getall("expect"))
        if expected and not self._spoke and self._reading is None:
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await self.finish_body()

    async def ignore_body(self) -> None:
        self._resume()
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read_body())

    async def finish_body(self) -> None:
        """What `read_body` does, without a 100."""
        await self.ignore_body()
        assert self._reading is not None
        await self._reading

    async def stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    async def close(self) -> None:
        self.closing = True
        self._resume()
        if self._unread and self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
            with contextlib.suppress(OSError, EOFError, MalformedRequest):
                await self.finish_body()
        self._transport.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.closing = True
        self._transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def abort(self) -> Exception | None:
        """Drop the connection and what runs on it; returns what the reading of a body in the background found wrong."""
        self.closing = True
        self._transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        with contextlib.suppress(OSError, EOFError):  # of the body's reader, which sees the end now
            try:
                await (self._reading or asyncio.sleep(0))
            except MalformedRequest as error:
                return error
        return None

    async def refuse(self) -> None:
        """Answer a malformed request, unless an answer has begun."""
        if not self._spoke and not self.closing:
            await self.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await self.close()

    def _resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _ended(self) -> None:
        if not self.gone.is_set():
            self.gone.set()
            self.left = not self.closing
            self._changed()

    async def _read_body(self) -> None:
        request = self.request
        if self._length is not None:
            await self._copy(self._length)
        else:
            while size := await self._chunk_size():
                await self._copy(size)
                end = await self._reader.readexactly(2)
                request.add(end)
                if end != b"\r\n":
                    raise MalformedRequest(f"chunk ends with {end!r}")
            block = b""
            while (line := await self._line()) != b"\r\n":
                block += line
                if len(block) > _LIMIT:
                    raise MalformedRequest(f"trailers larger than {_LIMIT} bytes")
            request.trailers = parse_fields(block[:-2])
        request.complete, self._unread = True, False
        self._changed()

    async def _copy(self, left: int) -> None:
        while left:
            data = await self._reader.read(min(left, _LIMIT))
            if not data:
                raise EOFError("the client left in the middle of a body")
            self.request.add(data, data)
            left -= len(data)

    async def _chunk_size(self) -> int:
        line = await self._line()
        match = _CHUNK.fullmatch(line)
        if not match:
            raise MalformedRequest(f"chunk size {line!r}")
        return int(match[1], 16)

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except asyncio.LimitOverrunError:
            raise MalformedRequest(f"line larger than {_LIMIT} bytes in a chunked body") from None
        self.request.add(line)
        return line


class _Reader(asyncio.StreamReader):
    """Tells when the client's side has ended, whether or not anyone reads."""

    def __init__(self, ended: Callable[[], None]) -> None:
        super().__init__(limit=_LIMIT)
        self._tell = ended

    def feed_eof(self) -> None:
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self._tell()
