"""One connection to an endpoint: one request at a time, its answer handed up as a value."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from ..body import EMPTY, Body
from ..clock import Clock
from ..errors import (
    ClientTimeout,
    ConnectionLost,
    InternalError,
    Origin,
    ProtocolError,
    ProxyError,
    ResponseTimeout,
    SendTimeout,
    StreamTimeout,
    Truncated,
)
from ..exchange import Attempt
from ..message import Response
from .body import WireBody
from .chunks import chunked
from .deadline import NEVER, Deadline
from .delimited import BodyReader, body_reader
from .framing import NO_BODY, Framing
from .handshake import check_switch
from .reader import HeadReader
from .settings import Limits, Timeouts
from .tunnel import WireTunnel
from .upload import Upload

__all__ = ["Connection"]

_EXPIRED: dict[Callable[[str], ProxyError], str] = {
    ClientTimeout: "the client stopped sending its request body",
    ResponseTimeout: "no response head in time",
    SendTimeout: "the upstream stopped reading the request",
    StreamTimeout: "the upstream fell silent in the middle of the body",
}


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection to an endpoint.

    At any moment it is *idle*, *waiting* for a response head, *reading* a body, or *closed*. One lazily re-armed timer
    serves all its deadlines. ``on_free`` is called with the connection when it can take the next request, ``on_lost``
    when it is closed; each at most once an exchange.
    """

    __slots__ = (
        "_attempt",
        "_body",
        "_body_reader",
        "_clock",
        "_closed",
        "_deadline",
        "_expiry",
        "_head_deadline",
        "_limits",
        "_loop",
        "_on_free",
        "_persistent",
        "_read_paused",
        "_reader",
        "_timeouts",
        "_transport",
        "_unsent",
        "_upload",
        "_waiter",
        "born",
        "free_since",
        "on_lost",
        "used",
        "write_paused",
    )

    def __init__(
        self,
        *,
        timeouts: Timeouts,
        limits: Limits,
        clock: Clock,
        on_free: Callable[[Connection], None],
    ) -> None:
        self._timeouts = timeouts
        self._limits = limits
        self._clock = clock
        self._on_free = on_free
        self.on_lost: Callable[[Connection], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport = cast(asyncio.Transport, None)
        self._closed = False
        self.born: float = clock.now()
        self.free_since: float = self.born
        """When it was opened, and when its last response had ended (monotonic seconds)."""
        self.used: int = 0
        """Exchanges begun."""
        self.write_paused: bool = False
        self._deadline = Deadline(clock, self._expire)
        self._expiry: Callable[[str], ProxyError] = ResponseTimeout
        self._unsent = 0
        self._read_paused = False
        # Of the exchange that is under way:
        self._attempt: Attempt | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._head_deadline = NEVER
        self._reader = HeadReader(limits)
        self._body: WireBody | None = None
        self._body_reader: BodyReader | None = None
        self._persistent = False
        self._upload: Upload | None = None

    # The exchange.

    async def exchange(self, attempt: Attempt, head: bytes, now: float, deadline: float = NEVER) -> Response:
        """Send the attempt's request, whose head is ``head``, and return the response as soon as its head is there.
        For a connection that is idle and not ``closed``, which the pool looks after.

        ``now``: the time, which costs a system call; ``deadline``: when the head must be there. Raises the
        ``ProxyError`` that says what went wrong. The connection is then closed; so it is on cancellation.
        """
        if self._closed:
            raise ConnectionLost("connection closed before it was used")
        self._attempt = attempt
        self._waiter = waiter = self._loop.create_future()
        self.used += 1
        timeouts = self._timeouts
        self._head_deadline = deadline
        attempt.sent = True
        body = attempt.request.body
        if body.data is None:
            self._upload = Upload(self, body, head)
        else:
            if body is not EMPTY:
                head += chunked(body.data) if body.length is None else body.data
            self._transport.write(head)
            if self.write_paused:
                self.watch(timeouts.idle, SendTimeout, now)
            else:
                self._expiry = ResponseTimeout
                ends = now + timeouts.head
                self._deadline.set(ends if ends < deadline else deadline)
        try:
            response: Response = await waiter
            return response
        except BaseException:
            if self._attempt is attempt:  # else the answer was there already, and the connection is another's by now
                self.abort()
            raise

    def _finish(self, *, reusable: bool) -> None:
        """The response has ended."""
        attempt = self._attempt
        assert attempt is not None
        self._attempt = None
        self._deadline.at = NEVER
        if self._body is not None:  # else it ended with its head
            self._body = self._body_reader = None
            self.free_since = self._clock.now()
        attempt.ended = self.free_since
        upload = self._upload
        if upload is not None:
            self._upload = None
            reusable = upload.finished and reusable
            upload.cancel()
        if self._transport.get_write_buffer_size():
            reusable = False  # answered before it was read: the rest would stand before the next request
        if not reusable:
            self.abort()
        elif not self._closed:
            if self._read_paused:
                # Its last piece filled whoever took the body. The next exchange starts afresh.
                self._read_paused = False
                self._transport.resume_reading()
            self._on_free(self)

    def _fail(self, error: ProxyError) -> None:
        """The exchange cannot go on: tell whoever waits, and close."""
        waiter, body, attempt = self._waiter, self._body, self._attempt
        self._waiter = self._body = self._attempt = None
        if attempt is not None and attempt.error is None and error.origin is not Origin.CLIENT:
            attempt.error = error
        if waiter is not None:
            if not waiter.done():
                waiter.set_exception(error)
        elif body is not None:
            body.fail(error)
        self.abort()

    def upload_failed(self, error: ProxyError) -> None:
        """The request body could not be sent to its end. It matters only while there is no response yet."""
        if self._waiter is not None:
            self._fail(error)

    def uploaded(self) -> None:
        """The request body was sent to its end; from now on it is the response that is waited for."""
        if self._waiter is not None:
            self.watch(self._timeouts.head, ResponseTimeout)
        elif self._read_paused:
            self._deadline.at = NEVER  # whoever takes the response is waited for, which is not ours to bound
        elif self._body is not None:
            self.watch(self._timeouts.idle, StreamTimeout)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self._closed:
            return
        self._closed = True
        self._deadline.cancel()
        if self._upload is not None:
            self._upload.cancel()
            self._upload = None
        self._transport.abort()
        if self.on_lost is not None:
            self.on_lost(self)

    def close(self) -> None:
        """Close an idle connection the polite way."""
        if not self._closed:
            self._closed = True
            self._deadline.cancel()
            self._transport.close()
            if self.on_lost is not None:
                self.on_lost(self)

    # Reading. Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._body is not None:
            self._body_received(data)
            return
        waiter, attempt = self._waiter, self._attempt
        if waiter is None or attempt is None:
            self.abort()  # nobody asked
            return
        try:
            received = self._reader.feed(data, attempt.request.method)
        except ProtocolError as error:
            self._fail(error)
            return
        if received is None:
            return
        response, framing, persistent, rest = received
        if response.status < 200:
            self._interim_received(response, rest)
            return
        self._waiter = None
        attempt.status = response.status
        attempt.first_byte = self.free_since = self._clock.now()
        if rest and framing == len(rest):
            response.body = Body(rest)
            self._finish(reusable=persistent)
        elif framing is NO_BODY or framing == 0:
            self._finish(reusable=persistent and not rest)
        else:
            response.body = body = self._stream(attempt, framing, persistent, rest)
            if isinstance(body, WireBody) and body.error is not None:
                if not waiter.done():
                    waiter.set_exception(body.error)
                return
        if not waiter.done():
            waiter.set_result(response)

    def _interim_received(self, response: Response, rest: bytes) -> None:
        attempt = self._attempt
        assert attempt is not None
        if response.status == 101:
            self._switch(attempt, response, rest)
            return
        awaited = response.status == 100 and self._upload is not None and self._upload.go_on()
        exchange = attempt.exchange
        interim = exchange.interim
        if interim is not None and not awaited:  # else the client is told when its body is asked for
            try:
                if exchange.hide is not None:
                    exchange.hide(attempt, response)
                interim(response.status, response.headers)
            except Exception as error:
                failure = InternalError(f"exchange.interim: {error!r}")
                failure.__cause__ = error
                self._fail(failure)
                return
        if rest:
            self.data_received(rest)

    def _switch(self, attempt: Attempt, response: Response, rest: bytes) -> None:
        """The upstream speaks another protocol from here on. If it is the one that was asked for, the transport is a
        tunnel's, and this connection is none any more."""
        try:
            check_switch(attempt.request, response, self._reader.protocol)
        except ProtocolError as error:
            self._fail(error)
            return
        waiter, transport = self._waiter, self._transport
        assert waiter is not None
        self._waiter = self._attempt = None
        attempt.status = 101
        attempt.first_byte = self.free_since = self._clock.now()
        response.tunnel = tunnel = WireTunnel(
            self._reader.protocol,
            transport,
            rest,
            idle=self._timeouts.tunnel,
            clock=self._clock,
            blocked=self.write_paused,
        )
        attempt.exchange.defer(tunnel.close)
        self._closed = True
        self._deadline.cancel()
        if self.on_lost is not None:
            self.on_lost(self)
        if waiter.done():  # nobody waits any more
            tunnel.close()
        else:
            waiter.set_result(response)

    def _stream(self, attempt: Attempt, framing: Framing, persistent: bool, rest: bytes) -> Body:
        """The body of a response that did not come with its head in one piece, or with more than itself."""
        length = framing if isinstance(framing, int) else None
        self._persistent = persistent
        self._body_reader = body_reader(framing, self._limits.head_bytes)
        self._body = body = WireBody(self, length, self._limits.read_buffer)
        # An upload that goes on beside the response keeps its own deadline until it is done.
        if self._upload is None or self._upload.finished:
            self.watch(self._timeouts.idle, StreamTimeout)
        if rest:
            self._body_received(rest)
        if body.ended:
            return body.in_memory()
        attempt.exchange.defer(body.close)
        return body

    def _body_received(self, data: bytes) -> None:
        body, reader = self._body, self._body_reader
        assert body is not None
        assert reader is not None
        # Before the body takes it: a body that pauses suspends the deadline.
        self._deadline.at = self._clock.now() + self._timeouts.idle
        try:
            content = reader.feed(data)
        except Truncated as error:
            self._fail(error)
            return
        body.feed(content)
        if reader.complete:
            self._finish(reusable=self._persistent and not reader.excess)
            body.end()

    def eof_received(self) -> None:
        # Else the transport would first send what is still to be sent, to somebody who may read no more.
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closed:
            return
        why = "closed" if exc is None else f"lost: {exc}"
        if self._waiter is not None:
            if self._reader.begun:
                self._fail(ProtocolError(f"connection {why} in the middle of a response head"))
            else:
                again = " that had been used before" if self.used > 1 else ""
                self._fail(ConnectionLost(f"connection{again} {why} before a response"))
        elif self._body is not None:
            assert self._body_reader is not None
            if exc is None and self._body_reader.open_ended:
                body = self._body
                self._finish(reusable=False)
                body.end()
            else:
                self._fail(Truncated(f"connection {why} in the middle of a response body"))
        else:
            self.abort()

    # Backpressure.

    def pause_reading(self) -> None:
        """Stop reading: whoever takes the body cannot take more now. No deadline runs meanwhile."""
        self._deadline.at = NEVER
        if not self.closed:
            self._read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        if not self.closed:
            if self._upload is None or self._upload.finished:
                self.watch(self._timeouts.idle, StreamTimeout)
            else:
                # Whose turn it is has not changed: an upload that goes on beside the response is still waited for.
                self.watch(self._timeouts.idle, SendTimeout if self.write_paused else ClientTimeout)
            self._read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._upload is not None:
            self._upload.resume()
        elif self._waiter is not None:
            self.watch(self._timeouts.head, ResponseTimeout)

    def write(self, data: bytes) -> None:
        """Send ``data``; what has been lost takes no more."""
        if not self._closed:
            self._transport.write(data)

    # Deadlines.

    def watch(self, seconds: float, expiry: Callable[[str], ProxyError], now: float | None = None) -> None:
        """From ``now`` on, after ``seconds`` without another call the exchange fails with ``expiry``; where there is no
        response head by then, at its deadline. Who waits for the client then does not blame the upstream."""
        deadline = (self._clock.now() if now is None else now) + seconds
        if self._waiter is not None and self._head_deadline < deadline:
            deadline = self._head_deadline
            if expiry is not ClientTimeout:
                expiry = ResponseTimeout
        self._expiry = expiry
        if expiry is SendTimeout:
            self._unsent = self._transport.get_write_buffer_size()
        self._deadline.set(deadline)

    def _expire(self) -> None:
        if self._closed:
            return
        if self._expiry is SendTimeout and self._transport.get_write_buffer_size() < self._unsent:
            self.watch(self._timeouts.idle, SendTimeout)  # slow, but it moves
        else:
            self._fail(self._expiry(_EXPIRED[self._expiry]))

    # State.

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def timeouts(self) -> Timeouts:
        return self._timeouts

    @property
    def connected(self) -> bool:
        """Whether there is a transport, which there may be before the handshake is done."""
        return self._transport is not None

    @property
    def tls(self) -> ssl.SSLObject | None:
        """What TLS knows of the peer; ``None``: there is none."""
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    @property
    def closed(self) -> bool:
        """Whether the connection is of no more use."""
        return self._closed or self._transport.is_closing()

    def __repr__(self) -> str:
        state = (
            "closed"
            if self._closed
            else "waiting"
            if self._waiter is not None
            else "reading"
            if self._body is not None
            else "idle"
        )
        return f"<Connection {state} used={self.used}>"
