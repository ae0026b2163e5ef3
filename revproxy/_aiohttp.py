"""All that is needed of aiohttp's private parts, each with a test that fails loudly when aiohttp changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.streams import EmptyStreamReader, StreamReader
from aiohttp.web_response import REASON_PHRASES

from .message import Response

__all__ = [
    "RawResponse",
    "already_read",
    "drain",
    "has_body",
    "has_signals",
    "is_decompressed",
    "is_drained",
    "is_touched",
    "message",
    "on_writable",
    "peername",
    "run_signals",
    "secure",
    "unwatch_client",
    "watch_client",
    "writing_paused",
]


def message(request: web.BaseRequest) -> Any:
    """The parsed request head: ``method``, ``path`` (raw), ``version``, ``headers``, ``raw_headers``."""
    return request._message


def peername(request: web.BaseRequest) -> object:
    """The client connection's peer, cached per connection."""
    return request._transport_peername


def secure(request: web.BaseRequest) -> bool:
    """Whether the client speaks TLS to this server."""
    return request._transport_sslcontext is not None


def watch_client(request: web.BaseRequest) -> None:
    """Have the task that serves ``request`` cancelled at once when the client's connection is lost.

    aiohttp tells the request that is being handled by its ``_cancel``.
    """
    cancel = request._cancel
    task = request._task

    def gone(error: BaseException) -> None:
        cancel(error)
        task.cancel()

    # Not by attribute: in development mode aiohttp warns of those that it does not know.
    request.__dict__["_cancel"] = gone


def unwatch_client(request: web.BaseRequest) -> None:
    """Undo ``watch_client``."""
    request.__dict__.pop("_cancel", None)


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


class RawResponse(web.StreamResponse):
    """A response whose bytes the library writes to the transport itself.

    To the application it is a ``StreamResponse`` like any other: signals see its headers before they are sent, the
    access log its status and size. Nothing is added to it, and nothing of it is written by aiohttp.
    """

    def __init__(self, request: web.BaseRequest, response: Response, *, keep_alive: bool) -> None:
        # Not the base's: that builds what is built already.
        self._state = {}
        self._status = response.status
        self._reason = REASON_PHRASES.get(response.status, "") if response.reason is None else response.reason
        self._keep_alive = keep_alive
        self._response = response
        # From now on it counts as prepared.
        self._req = request
        self._payload_writer = request._payload_writer

    def __getattr__(self, name: str) -> Any:
        # The headers are decoded when somebody asks for them.
        if name == "_headers":
            headers = self._headers = self._response.headers
            return headers
        raise AttributeError(name)

    def sent(self, size: int) -> None:
        """``size`` bytes were written, head included."""
        self._body_length += size
        writer = self._payload_writer
        if writer is not None:
            writer.output_size += size

    def end(self) -> None:
        """All is written that will be."""
        self._eof_sent = True
        self._req = None
        self._payload_writer = None


async def run_signals(request: web.BaseRequest, response: RawResponse) -> None:
    """Run the applications' ``on_response_prepare``."""
    await request._prepare_hook(response)


def has_signals(request: web.BaseRequest) -> bool:
    """Whether an application wants to see the response before it is sent."""
    match_info = getattr(request, "_match_info", None)
    if match_info is None:
        return type(request)._prepare_hook is not web.BaseRequest._prepare_hook
    return any(app._on_response_prepare for app in match_info._apps)
