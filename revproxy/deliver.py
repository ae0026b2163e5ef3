"""Writing a response to the client: the head, then the body at the client's pace."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.web_response import REASON_PHRASES
from multidict import CIMultiDict, istr

from ._aiohttp import (
    RawResponse,
    drain,
    has_signals,
    may_persist,
    on_writable,
    run_signals,
    writing_paused,
)
from .body import Body
from .clock import Clock, Timer
from .errors import ClientDisconnected, InternalError
from .exchange import Exchange
from .headers import encode_fields, has_control
from .message import Response
from .wire.chunks import chunked as in_chunks

__all__ = ["cut", "deliver", "relay", "switching"]

_EXPECT = istr("Expect")


async def deliver(
    request: web.BaseRequest,
    exchange: Exchange,
    response: Response,
    write_timeout: float,
    clock: Clock,
    *,
    last: bool = False,
) -> web.StreamResponse:
    """Send ``response`` as the answer to ``request``; ``last``: no other may follow on the connection.

    The framing is worked out from the body and the client's version, never copied (RFC 9112 section 6). Raises the
    ``ProxyError`` of a body that fails, after the client's connection was cut: a part must not look like the whole.
    """
    inbound = exchange.inbound
    status, body = response.status, response.body
    modern = inbound.version is HttpVersion11 or inbound.version >= (1, 1)
    keep_alive = not last and may_persist(request)
    chunked = False
    data: bytes | None
    if inbound.method == "HEAD" or status in (204, 304):
        data = b""
        body.close()
        length = None if status == 204 else response.declared
        if length is None and inbound.method == "HEAD":
            length = body.length or None
    else:
        data = body.data
        length = body.length
        if length is None:
            chunked = modern
            keep_alive = keep_alive and modern

    try:
        if has_signals(request):
            response, out = await _signalled(request, response, keep_alive)
        else:
            out = RawResponse(request, response, keep_alive)
        start = _STATUS_LINES[status, response.reason]
        lines = response.lines
        if lines is not None and response.came_dated and response.came_declared == length:
            head = start + lines
        else:
            date = b"" if response.dated else b"Date: " + _date(clock) + b"\r\n"
            head = start + response.field_lines(length) + date
    except ValueError as error:
        body.close()
        raise InternalError(f"response head: {error}") from error
    if not keep_alive:
        head += b"Connection: close\r\n"
    elif not modern:
        head += b"Connection: keep-alive\r\n"
    if chunked:
        head += b"Transfer-Encoding: chunked\r\n"
    head += b"\r\n"

    if data is not None:
        if chunked:
            data = in_chunks(data)
        transport = request.transport
        if transport is not None:
            head += data
            transport.write(head)
            out.sent(len(head))
            if transport.get_write_buffer_size():
                await _drain(request, exchange, out, write_timeout, clock)
    else:
        await _pump(request, exchange, out, head, body, chunked=chunked, timeout=write_timeout, clock=clock)
    out.ends()
    return out


async def switching(request: web.BaseRequest, response: Response) -> tuple[RawResponse, bytes]:
    """The head of a 101 that ``response`` is, without the fields that say what it switches to, nor its end."""
    out = RawResponse(request, response, False)
    if has_signals(request):
        response, out = await _signalled(request, response, False)
    try:
        return out, _STATUS_LINES[101, response.reason] + response.field_lines(None)
    except ValueError as error:
        raise InternalError(f"response head: {error}") from error


async def _signalled(request: web.BaseRequest, response: Response, keep_alive: bool) -> tuple[Response, RawResponse]:
    """A copy of ``response`` that the applications' signals have seen, and may have edited."""
    response = Response(response.status, response.headers.copy(), response.body, response.reason)
    out = RawResponse(request, response, keep_alive)
    await run_signals(request, out)
    response.reason = out.reason
    return response, out


def relay(request: web.BaseRequest, status: int, headers: CIMultiDict[str]) -> None:
    """Pass an interim response on to the client (RFC 9110 section 15.2), unless it speaks HTTP/1.0, has its answer
    already, or waits for a 100 that is not the upstream's to give."""
    transport = request.transport
    if transport is None or transport.is_closing() or request.writer.output_size or request.version < HttpVersion11:
        return
    if status == 100 and _EXPECT in request.headers:
        return
    start = f"HTTP/1.1 {status} {REASON_PHRASES.get(status, '')}\r\n".encode("ascii")
    transport.write(start + encode_fields(headers) + b"\r\n")


class _StatusLines(dict[tuple[int, str | None], bytes]):
    """Status lines as they are sent; no reason is the standard phrase. The reason is the upstream's word: what is kept
    is bounded in number and size."""

    def __missing__(self, key: tuple[int, str | None]) -> bytes:
        status, reason = key
        if not 200 <= status <= 599 and status != 101:
            raise ValueError(f"{status} is not the status of a final response")
        if reason is None:
            reason = REASON_PHRASES.get(status, "")
        line = f"HTTP/1.1 {int(status)} {reason}".encode("utf-8", "surrogateescape")
        if has_control(line):
            raise ValueError(f"control character in the reason {reason!r}")
        line += b"\r\n"
        if len(self) < 256 and len(line) <= 128 and type(status) is int:  # 404.0 would be its own key
            self[key] = line
        return line


_STATUS_LINES = _StatusLines()


async def _pump(
    request: web.BaseRequest,
    exchange: Exchange,
    out: RawResponse,
    head: bytes,
    body: Body,
    *,
    chunked: bool,
    timeout: float,
    clock: Clock,
) -> None:
    sink = ClientSink(request, exchange, out, chunked=chunked, length=body.length, timeout=timeout, clock=clock)
    try:
        sink.write_raw(head)
        await body.pump(sink)
        if sink.left:
            raise InternalError(f"the response body ended {sink.left} bytes before its declared length")
        if chunked:
            sink.write_raw(b"0\r\n\r\n")
        await sink.flush()
    except BaseException:
        sink.abort()
        raise
    finally:
        body.close()
        sink.close()


async def _drain(request: web.BaseRequest, exchange: Exchange, out: RawResponse, timeout: float, clock: Clock) -> None:
    sink = ClientSink(request, exchange, out, chunked=False, length=None, timeout=timeout, clock=clock)
    try:
        await sink.flush()
    finally:
        sink.close()


_dates: tuple[int, bytes] = (0, b"")


def _date(clock: Clock) -> bytes:
    """The current time as ``Date`` has it (RFC 9110 section 5.6.7), formatted once a second."""
    global _dates
    now = int(clock.wall())
    if _dates[0] != now:
        _dates = (now, formatdate(now, usegmt=True).encode("ascii"))
    return _dates[1]


def cut(transport: asyncio.Transport) -> None:
    """Close the client's connection at once, by a reset: an orderly end could be taken for that of the body."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, ValueError):
            pass  # closed already; uvloop says so by ValueError
    try:
        transport.abort()
    except AttributeError:
        pass  # asyncio's, of a connection that was lost meanwhile: it has no loop any more


class ClientSink:
    """The client's transport as a sink: frames chunks, and cuts a client that takes nothing for ``timeout`` seconds."""

    __slots__ = (
        "_chunked",
        "_clock",
        "_exchange",
        "_flushed",
        "_out",
        "_request",
        "_size",
        "_timeout",
        "_timer",
        "_transport",
        "left",
    )

    def __init__(
        self,
        request: web.BaseRequest,
        exchange: Exchange,
        out: RawResponse,
        *,
        chunked: bool,
        length: int | None,
        timeout: float,
        clock: Clock,
    ) -> None:
        self._request = request
        self._exchange = exchange
        self._out = out
        self._transport = request.transport
        self._chunked = chunked
        self._timeout = timeout
        self._clock = clock
        self._timer: Timer | None = None
        self._flushed = 0
        self.left = length
        """Bytes of the body that are still owed, if its length is declared."""
        self._size = 0

    @property
    def paused(self) -> bool:
        return writing_paused(self._request)

    def write(self, data: bytes) -> None:
        if not data:  # as a chunk it would be the end
            return
        if self.left is not None:
            self.left -= len(data)
            if self.left < 0:
                raise InternalError("the response body exceeds its declared length")
        self.write_raw(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def write_raw(self, data: bytes) -> None:
        """Write bytes as they are. A client that has left takes nothing, silently: its leaving is told otherwise."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(data)
            self._size += len(data)
            self._out.sent(len(data))

    def on_resume(self, callback: Callable[[], None]) -> None:
        self._watch()
        on_writable(self._request, callback)

    async def drain(self) -> None:
        self._watch()
        try:
            await drain(self._request)
        except ConnectionError:
            left = self._exchange.error or ClientDisconnected("the client went away before it had its answer")
            raise left from None

    async def flush(self) -> None:
        """Return when the kernel has all of it: of what is left in the transport nobody would notice that it stays."""
        transport = self._transport
        if transport is None or transport.is_closing() or not transport.get_write_buffer_size():
            return
        low, high = transport.get_write_buffer_limits()
        transport.set_write_buffer_limits(1, 0)  # not 0: asyncio's TLS would then never resume
        try:
            if self.paused:
                await self.drain()
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits(high, low)

    def _watch(self) -> None:
        if self._transport is not None and self._timer is None:
            self._flushed = self._size - self._transport.get_write_buffer_size()
            self._timer = self._clock.call_later(self._timeout, self._check)

    def _check(self) -> None:
        self._timer = None
        transport = self._transport
        if transport is None or not self.paused:
            return
        if self._size - transport.get_write_buffer_size() == self._flushed:
            # Said here, since it is by a cancellation that the exchange then ends.
            self._exchange.error = ClientDisconnected(f"the client took nothing for {self._timeout} s")
            cut(transport)
        else:
            self._watch()

    def abort(self) -> None:
        """Cut the client's connection, so that a part is not taken for the whole."""
        if self._transport is not None:
            cut(self._transport)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
