"""The private parts of aiohttp that the guard needs: its server's protocol, watched. See ``_aiohttp``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo
from multidict import istr

from ._aiohttp import RawResponse
from .message import Response
from .tcp_info import outgoing

__all__ = ["Admit", "WatchedHandler", "WatchedServer", "Watcher", "is_debug", "options_of", "watch_server"]

_EXPECT = istr("Expect")
_receive = RequestHandler.data_received
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 12\r\n"
    b"Connection: close\r\n"
    b"\r\n"
    b"Bad request\n"
)


class Watcher(Protocol):
    """Is told what a connection receives."""

    requests: float
    """After how many the connection ends."""

    def opened(self) -> None:
        """It is open; nothing has come."""

    def received(self, data: bytes) -> None:
        """``data`` has come, and no end of a head with it."""

    def head_ended(self) -> None:
        """A head is complete, and so is the request."""

    def body_began(self, waits: bool) -> None:
        """A head is complete, the body is not. ``waits``: perhaps the client waits to be told to send it."""

    def body_ended(self) -> None:
        """The body is complete, too."""

    def malformed(self) -> None:
        """What has come could not be parsed; the connection ends."""

    def closed(self) -> None:
        """It is lost."""


class WatchedHandler(RequestHandler):
    """A connection of aiohttp's server that tells a ``Watcher`` what comes, and is closed by it."""

    __slots__ = ("_body", "_last", "_owes", "_seen", "_watcher", "_wire")

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._watcher: Watcher | None = None
        self._wire: asyncio.Transport | None = None  # aiohttp forgets it when it closes it, not when it is closed
        self._seen = 0  # of the requests that have come, those that the watcher has heard of
        self._last: float = 0
        self._owes = True  # whether the watcher waits for something
        self._body: StreamReader | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)
        watcher = cast(WatchedServer, self._manager).admit(self, transport.get_extra_info("peername"))
        if watcher is None:
            self._force_close = True
            self._wire.abort()
            return
        self._watcher, self._last = watcher, watcher.requests
        super().connection_made(transport)
        watcher.opened()

    def connection_lost(self, exc: BaseException | None) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.closed()
        self._wire = self._body = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        _receive(self, data)
        count, messages = self._request_count, self._messages
        if count == self._seen:
            self._amid(data)
        elif count < self._last and messages and messages[-1][1] is EMPTY_PAYLOAD and not self._owes:
            self._seen = count  # a request as they mostly are: nobody has to hear of it
        else:
            self.catch_up()

    def _amid(self, data: bytes) -> None:
        watcher = self._watcher
        if watcher is None:
            return
        if data:  # nothing, where aiohttp goes on with what it has held back
            self._owes = True
            watcher.received(data)
        if self._body is not None and self._body.is_eof():
            self._body, self._owes = None, False
            watcher.body_ended()

    def catch_up(self) -> None:
        """Tell the watcher of heads that it has not heard of: aiohttp reads what stood behind an upgrade that was
        declined on its own."""
        count, watcher = self._request_count, self._watcher
        if count == self._seen or watcher is None:
            return
        self._seen = count
        if count >= self._last:
            self._end_after(int(self._last), count)
        head: Any
        if self._messages:
            head, body = self._messages[-1]
        elif self._current_request is not None:
            head, body = self._current_request._message, self._current_request._payload
        else:
            return
        if body.is_eof():
            self._body, self._owes = None, False
            watcher.head_ended()
        else:
            self._body, self._owes = body, True
            watcher.body_began(_EXPECT in head.headers)

    def _end_after(self, last: int, count: int) -> None:
        """Have the answer to the request of number ``last``, or the next one, end the connection."""
        place = max(0, len(self._messages) - (count - last) - 1)
        if place < len(self._messages):
            head, body = self._messages[place]
            if not isinstance(head, _ErrInfo):
                self._messages[place] = (head._replace(should_close=True), body)

    @property
    def waits(self) -> bool:
        """Whether the server waits for this client's next request, and has nothing of another to do."""
        return self._waiter is not None and not self._waiter.done() and not self._messages

    @property
    def is_read(self) -> bool:
        """Whether the body that is on its way is that of the request that is handled, and is taken as it comes."""
        request = self._current_request
        paused = self._reading_paused or self._buffer_paused
        return not paused and request is not None and request._payload is self._body

    @property
    def is_taken_over(self) -> bool:
        """Whether the transport serves another protocol now: a tunnel."""
        return self._wire is None or self._wire.get_protocol() is not self

    @property
    def outgoing(self) -> tuple[int, int]:
        """How much there is that the client has not taken, and a number that changes when it takes some."""
        wire = self._wire
        if wire is None:
            return 0, 0
        unsent = wire.get_write_buffer_size()
        # The kernel knows best: of what TLS or sendfile have handed to it a transport knows nothing, and a client that
        # reads slowly may need minutes until a transport sees room again.
        known = outgoing(wire.get_extra_info("socket"))
        if known is not None:
            return unsent + known[0], known[1]
        return unsent, self._written - unsent

    @property
    def _written(self) -> int:
        request = self._current_request
        return 0 if request is None else request._payload_writer.output_size

    def cut(self) -> None:
        """Close the connection at once."""
        if self._wire is not None:
            self._wire.abort()

    def refuse(self, answer: bytes) -> None:
        """Answer with ``answer`` and close; at once and without it if an answer has begun."""
        if self._wire is None or self._written or self._wire.get_write_buffer_size():
            self.cut()
            return
        self._wire.write(answer)
        self.force_close()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What cannot be parsed is answered with a page that has nothing of it, and is not logged one by one. Nor is a
        handler that fails because its client is gone."""
        if self.transport is None and isinstance(exc, ConnectionError):
            raise ConnectionError("the client has left") from exc
        if status != 400 or not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        if self._watcher is not None:
            self._watcher.malformed()
        if request.writer.output_size or self.transport is None:
            raise ConnectionError("the answer has begun, or the client has left")
        out = RawResponse(request, Response(400), False)
        self.transport.write(_BAD_REQUEST)
        out.sent(len(_BAD_REQUEST))
        out.ends()
        return out


Admit: TypeAlias = Callable[[WatchedHandler, object], Watcher | None]
"""Given a connection and its peer: who watches it, or ``None`` if it is to be closed."""


class WatchedServer(web.Server):
    """What ``base`` is, with connections that ``admit`` lets in."""

    def __init__(self, base: web.Server, admit: Admit) -> None:
        super().__init__(
            base.request_handler,
            request_factory=base.request_factory,
            handler_cancellation=base.handler_cancellation,
            loop=base._loop,
            **base._kwargs,
        )
        self.admit = admit

    def __call__(self) -> RequestHandler:
        return WatchedHandler(self, loop=self._loop, **self._kwargs)


def watch_server(runner: web.AppRunner, admit: Admit) -> None:
    """Have the server of ``runner``, which is set up and has no site yet, let in what ``admit`` does."""
    base = runner._server
    assert base is not None
    runner._server = WatchedServer(base, admit)


def options_of(runner: web.BaseRunner | None, app: web.Application | None) -> Mapping[str, Any]:
    """What the server of ``runner`` was told, or would be told by ``app``."""
    told: dict[str, Any] = dict(getattr(runner, "_kwargs", {}))
    server = getattr(runner, "_web_server", None)
    if server is not None:
        told.update(server._kwargs)
    told.update((app._handler_args if app is not None else None) or {})
    return told


def is_debug(app: web.Application) -> bool:
    """Whether ``app`` is known to be in debug mode; unless it was told so, it is not before it starts."""
    return app._debug is True
