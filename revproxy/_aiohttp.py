"""All that is needed of aiohttp's private parts, each with a test that fails loudly when aiohttp changes."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy
from aiohttp.streams import EmptyStreamReader, StreamReader
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo
from aiohttp.web_response import REASON_PHRASES

from .errors import BadRequest, NoEndpoint
from .message import Response

__all__ = [
    "RawResponse",
    "already_read",
    "arrived",
    "defer_continue",
    "drain",
    "has_body",
    "has_signals",
    "is_continued",
    "is_decompressed",
    "is_drained",
    "is_touched",
    "is_untouched",
    "linger",
    "may_persist",
    "more_chunks",
    "on_unix",
    "on_writable",
    "parses_natively",
    "run_signals",
    "take_over",
    "unwatch_client",
    "watch_body",
    "watch_client",
    "writing_paused",
]


def parses_natively() -> bool:
    """Whether aiohttp reads requests with its C parser (llhttp), which this library is tested with."""
    return HttpRequestParser is not HttpRequestParserPy


def arrived(request: web.BaseRequest) -> tuple[Any, object, bool]:
    """The parsed request head (``method``, ``path`` (raw), ``version``, ``headers``, ``raw_headers``, ``chunked``), the
    client connection's peer, and whether it speaks TLS to this server. uvloop asks for the peer as late as here: of a
    client that has reset the connection it is ``None``."""
    return request._message, request._transport_peername, request._transport_sslcontext is not None


def on_unix(request: web.BaseRequest) -> bool:
    """Whether the client's connection is, or was, one on a Unix socket."""
    sock = None if request.transport is None else request.transport.get_extra_info("socket")
    return sock is not None and sock.family == getattr(socket, "AF_UNIX", None)


def may_persist(request: web.BaseRequest) -> bool:
    """Whether another request may follow on the connection, as far as this one has a say in it."""
    head = request._message
    if head.version is not HttpVersion11 and "close" in _connection_options(head):
        return False  # which wins (RFC 9112 section 9.3); for HTTP/1.0 aiohttp would have "keep-alive" win
    # A body that is still on its way cannot be followed by another request. A client that asked for another protocol
    # (Upgrade, CONNECT) did not get it: aiohttp's parser has ended. And after a chunked body it may file the last
    # trailer under the next request's fields.
    return request._payload.is_eof() and not (head.should_close or head.upgrade or head.chunked)


def _connection_options(head: Any) -> set[str]:
    listed = ",".join(head.headers.getall("Connection", ()))
    return {option.strip(" \t").lower() for option in listed.split(",")}


def watch_client(request: web.BaseRequest) -> None:
    """Have the task that serves ``request`` cancelled at once when the client's connection is lost.

    aiohttp tells the request that is being handled by its ``_cancel``; that is another one where ``request`` is a
    clone, which a handler or a middleware has made. Raises ``RuntimeError`` for a request that was answered already, if
    only in part.
    """
    if request._payload_writer.output_size:
        raise RuntimeError("the request was answered already, if only in part")
    # Not by attribute: in development mode aiohttp warns of those that it does not know.
    (request._protocol._current_request or request).__dict__["_cancel"] = partial(_gone, request)


def _gone(request: web.BaseRequest, error: BaseException) -> None:
    unwatch_client(request)
    request._cancel(error)
    request._task.cancel()


def unwatch_client(request: web.BaseRequest) -> None:
    """Undo ``watch_client``."""
    (request._protocol._current_request or request).__dict__.pop("_cancel", None)


class _Queue(deque[Any]):
    """The queue of parsed requests of a connection, which passes on what aiohttp only queues: the body that is being
    read is malformed. Its reader would wait for ever."""

    payload: StreamReader

    def append(self, item: Any) -> None:
        super().append(item)
        if isinstance(item[0], _ErrInfo) and not self.payload.is_eof():
            self.payload.set_exception(RequestPayloadError(item[0].message))


def watch_body(request: web.BaseRequest) -> None:
    """Have the reader of a body that turns out malformed told so at once."""
    protocol = request._protocol
    queue = _Queue(protocol._messages)
    queue.payload = request._payload
    protocol._messages = queue


async def linger(request: web.BaseRequest, *, read: bool = True) -> None:
    """Read and drop what is left of a request body, as long as aiohttp would, then have the connection closed. Without
    ``read`` it is closed at once, unless the body has begun: the client was never told to send it.

    aiohttp does so itself after the handler, but would not notice that the client has left, and would log a traceback
    for a broken body.
    """
    payload, protocol = request._payload, request._protocol
    if not read and is_untouched(request):
        protocol.force_close()
        return
    try:
        async with asyncio.timeout(protocol._lingering_time):
            while not payload.is_eof():
                await payload.readany()
    except Exception:
        protocol.force_close()


def is_drained(request: web.BaseRequest) -> bool:
    """Whether nothing of the request is still to come, so that another may follow on the connection."""
    return request._payload.is_eof()


# The request body.


def has_body(request: web.BaseRequest) -> bool:
    """Whether the request came with a body of at least one byte, read or not."""
    return type(request._payload) is not EmptyStreamReader


def already_read(request: web.BaseRequest) -> bytes | None:
    """The whole body, if ``await request.read()`` was called before."""
    return request._read_bytes


def is_touched(content: StreamReader) -> bool:
    """Whether something of the body was taken from the stream before."""
    return content._cursor > 0


def is_decompressed(content: StreamReader) -> bool:
    """Whether the server undoes the ``Content-Encoding`` of this body."""
    return content.total_compressed_bytes is not None


def is_continued(request: web.BaseRequest) -> bool:
    """Whether a client that waits for ``100 Continue`` has been told by the application's router: a route does so
    before its handler and every middleware, unless it was made with ``defer_continue``."""
    match_info = getattr(request, "_match_info", None)
    return match_info is not None and match_info.route._expect_handler is not defer_continue


async def defer_continue(request: web.Request) -> None:
    """For ``expect_handler``: leave it to the proxy."""


def is_untouched(request: web.BaseRequest) -> bool:
    """Whether nothing of a request body has arrived."""
    return not request._payload._buffer and not request._payload._cursor


def more_chunks(content: StreamReader) -> bool:
    """Whether the end of another chunk of a chunked body is there to be read."""
    return bool(content._http_chunk_splits)


# Writing.


def writing_paused(request: web.BaseRequest) -> bool:
    """Whether the client's transport would rather not be written to."""
    return request._protocol._paused


def on_writable(request: web.BaseRequest, callback: Callable[[], object]) -> None:
    """Call ``callback`` once, when the client's transport takes more or is lost. Only while paused."""
    protocol = request._protocol
    waiter = protocol._drain_waiter
    if waiter is None:
        waiter = protocol._drain_waiter = asyncio.get_running_loop().create_future()

    def resumed(waiter: asyncio.Future[None]) -> None:
        if not waiter.cancelled():
            waiter.exception()  # seen: a lost connection is told otherwise
        callback()

    waiter.add_done_callback(resumed)


async def drain(request: web.BaseRequest) -> None:
    """Return when the client's transport takes more; raises ``ConnectionError`` if it is lost."""
    await request._protocol._drain_helper()


def take_over(
    request: web.BaseRequest,
) -> tuple[asyncio.Transport, bytes, Callable[[Exception | None], None]] | None:
    """The client's transport, whose protocol is about to change; what has come behind the request; and whom to tell
    when the connection is lost. ``None`` if it is lost already.

    What the server needed to read requests is given up. Raises ``BadRequest`` if it has taken what came behind for
    some, ``NoEndpoint`` if it is shutting down: then it reads no more.
    """
    protocol = request._protocol
    transport = protocol.transport
    if transport is None or transport.is_closing():
        return None
    if protocol._force_close or protocol._close:
        raise NoEndpoint("no tunnel is opened any more: the server shuts down")
    if protocol._messages:
        raise BadRequest("something was sent before the switch to another protocol, and taken for a request")
    early, protocol._message_tail = protocol._message_tail, b""
    protocol.keep_alive(False)
    protocol._parser = None
    if protocol._reading_paused or protocol._buffer_paused:
        protocol._reading_paused = protocol._buffer_paused = False
        transport.resume_reading()
    return transport, early, protocol.connection_lost


class RawResponse(web.StreamResponse):
    """A response whose bytes the library writes to the transport itself.

    To the application it is a ``StreamResponse`` like any other: signals see its headers before they are sent, the
    access log its status and size. Nothing is added to it, and nothing of it is written by aiohttp.
    """

    __http_exception__ = False  # asked for once a response, and otherwise found missing at some cost
    _eof_sent = True  # prepared and ended, as far as aiohttp goes

    def __init__(self, request: web.BaseRequest, response: Response, keep_alive: bool) -> None:
        # Not the base's: that builds what is built already.
        self._response = response
        self._keep_alive = keep_alive
        self._writer = request._payload_writer

    def __getattr__(self, name: str) -> Any:
        # What few ask for is made when they do: above all the headers, which must be decoded for it.
        response = self._response
        if name == "_status":
            self._status = response.status
            return self._status
        if name == "_reason":
            reason = response.reason
            self._reason = REASON_PHRASES.get(response.status, "") if reason is None else reason
            return self._reason
        if name == "_headers":
            headers = self._headers = response.headers
            return headers
        if name == "_state":
            self._state = {}
            return self._state
        raise AttributeError(name)

    def sent(self, size: int) -> None:
        """``size`` bytes were written, head included."""
        self._writer.output_size += size

    @property
    def body_length(self) -> int:
        """Bytes written, head included, as aiohttp counts them."""
        return self._writer.output_size

    def ends(self) -> None:
        """All of it is written. Another response, which a middleware might return or raise, would be taken for the
        answer to the next request."""
        self._writer.write_headers = _refuse  # type: ignore[method-assign, assignment]

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: all is written."""


async def _refuse(*_: object) -> None:
    raise RuntimeError("the response was sent already, and another one was returned or raised for the same request")


async def run_signals(request: web.BaseRequest, response: RawResponse) -> None:
    """Run the applications' ``on_response_prepare``. Meanwhile the response is one that has begun."""
    response._eof_sent, response._req, response._payload_writer = False, request, request._payload_writer
    try:
        await request._prepare_hook(response)
    finally:
        response._eof_sent, response._req, response._payload_writer = True, None, None
    if response._cookies:
        for cookie in response._cookies.values():
            response.headers.add("Set-Cookie", cookie.OutputString())


def has_signals(request: web.BaseRequest) -> bool:
    """Whether an application wants to see the response before it is sent."""
    try:
        apps = request._match_info._apps  # type: ignore[attr-defined]
    except AttributeError:  # without an application
        return type(request)._prepare_hook is not web.BaseRequest._prepare_hook
    for app in apps:  # noqa: SIM110 - any() costs a generator, three times as much
        if app._on_response_prepare:
            return True
    return False
