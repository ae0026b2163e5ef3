"""A connection that has left HTTP: bytes both ways, at the pace of whoever is slower."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ..clock import Clock, Timer
from ..errors import BadFrame, ClientDisconnected, Interrupted, Phase, ProxyError, TunnelIdle, TunnelLost
from .frames import FrameError, Frames, close_frame

__all__ = ["WireTunnel"]

_LINGER = 10.0
"""Seconds without progress that an end has to take what is still to be sent, once its tunnel is over."""

_HIGH_WATER = 65536
"""Bytes that wait for one end before the other is not read any more."""

_GOING_AWAY, _PROTOCOL_ERROR, _BAD_GATEWAY = 1001, 1002, 1014
"""Status codes of RFC 6455 section 7.4.1 and of its registry."""


class WireTunnel:
    """See ``Tunnel``. Made of the upstream's ``transport`` by the connection that has verified the 101.

    ``early``: what came behind the 101. ``idle``: seconds after which a tunnel is cut through which nothing goes, up to
    a quarter of it later. ``blocked``: the transport would rather not be written to. ``on_end`` is called with the
    tunnel when it is over.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_cut",
        "_done",
        "_draining",
        "_early",
        "_idle",
        "_over",
        "_quiet",
        "_seen",
        "_timer",
        "_upstream",
        "error",
        "on_end",
        "protocol",
    )

    def __init__(
        self,
        protocol: str,
        transport: asyncio.Transport,
        early: bytes,
        *,
        idle: float,
        clock: Clock,
        blocked: bool = False,
    ) -> None:
        self.protocol: str = protocol
        self._clock = clock
        self._idle = idle
        self._early = early
        self._upstream = upstream = End(self, protocol, is_client=False)
        self._client = End(self, protocol, is_client=True)
        upstream.peer, self._client.peer = self._client, upstream
        self._done: asyncio.Future[None] | None = None
        self._timer: Timer | None = None
        self._seen: tuple[int, ...] = ()
        self._quiet = 0
        self._draining = self._over = self._cut = False
        self.error: ProxyError | None = None
        """How it broke."""
        self.on_end: Callable[[WireTunnel], None] | None = None
        transport.pause_reading()  # until there is somebody to read for
        upstream.attach(transport, blocked=blocked)

    @property
    def sent(self) -> int:
        return self._client.count

    @property
    def received(self) -> int:
        return self._upstream.count

    async def join(
        self,
        client: asyncio.Transport,
        early: bytes,
        lost: Callable[[Exception | None], None],
        *,
        blocked: bool = False,
    ) -> ProxyError | None:
        self._done = asyncio.get_running_loop().create_future()
        here, there = self._client, self._upstream
        here.attach(client, blocked=blocked)
        there.forward = client.write
        if not self._over:
            here.forward = there.transport.write
            if there.blocked:
                client.pause_reading()
            if not here.blocked:
                there.transport.resume_reading()  # before the rest, which may pause it
        if self._early:
            there.data_received(self._early)
            self._early = b""
        if early:
            here.data_received(early)
        if self._over:  # already, or by what was early
            here.shut()
            self._watch(_LINGER)
        else:
            self._watch(self._idle / 4)
        try:
            await self._done
        except BaseException:
            if not here.lost:
                here.on_lost = lost
                self.close()
            raise
        lost(here.failure)  # only now: it may cancel the task that runs this
        return self.error

    def drain(self, code: int) -> None:
        if self._over or self._draining:
            return
        self._draining = True
        here, there = self._client, self._upstream
        if here.frames is None or there.frames is None or self._done is None:
            self.finish()
        elif here.frames.closed or there.frames.closed:  # they are about it already
            here.forward, there.forward = here.last, there.last
            self.closed()
        else:
            here.close_at_boundary(code)
            there.close_at_boundary(code)

    def close(self) -> None:
        if self._done is not None and not self._over and self.error is None:
            self.error = Interrupted("a tunnel was cut")
            self.error.phase = Phase.TUNNEL
        self._over = self._cut = True
        for end in (self._client, self._upstream):
            end.forward = _nowhere
            if not end.lost:
                end.transport.abort()

    # Told by the ends.

    def finish(self, error: ProxyError | None = None) -> None:
        """It is over: what is still to be sent is sent, then both ends are closed."""
        if self._over:
            return
        self._over = True
        self.error = self.error or error
        self._client.shut()
        self._upstream.shut()
        self._seen = self._state()
        self._watch(_LINGER)

    def broke(self, end: End, why: str) -> None:
        """``end`` has sent what is no frame."""
        if end is self._client:
            self._say(_PROTOCOL_ERROR, _GOING_AWAY)
            self.finish(BadFrame(f"the client sent {why}"))
        else:
            self._say(_BAD_GATEWAY, _PROTOCOL_ERROR)
            self.finish(TunnelLost(f"the upstream sent {why}"))

    def lost(self, end: End, why: str | None) -> None:
        """``end`` has no transport any more, or has ended in the middle; ``why``: not as it should."""
        if why is not None and self.error is None and not self._over:
            self.error = ClientDisconnected(why) if end is self._client else TunnelLost(why)
            self.error.phase = Phase.TUNNEL
        if end.lost:
            self.finish()
            if self.has_ended:
                self._ended()

    @property
    def is_over(self) -> bool:
        return self._over

    @property
    def has_ended(self) -> bool:
        """Neither end has a connection any more."""
        return self._upstream.lost and self._client.lost

    def closed(self) -> None:
        """An end may have sent its Close, when both were told to."""
        if self._draining and all(end.is_done for end in (self._client, self._upstream)):
            self.finish()

    def _ended(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
        if self.on_end is not None:
            self.on_end(self)
            self.on_end = None
        if self._done is not None or self._cut:  # else somebody may still join
            self._client.unlink()
            self._upstream.unlink()

    def _say(self, to_client: int, to_upstream: int) -> None:
        """Send Close frames where one may stand, before both ends are closed."""
        self._upstream.send_close(to_client)
        self._client.send_close(to_upstream)

    # Time. One timer, which counts nothing that goes through, but looks whether anything did.

    def _watch(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        seen = self._state()
        self._quiet = self._quiet + 1 if seen == self._seen else 0
        self._seen = seen
        if self._over:
            if self._quiet:
                self.close()
            else:
                self._watch(_LINGER)
        elif self._quiet == 4:
            self._say(_GOING_AWAY, _GOING_AWAY)
            why = f"nothing went through for {self._idle:g} s, {sum(seen[2:])} bytes wait to be taken"
            self.finish(None if self._draining else TunnelIdle(why))
        else:
            self._watch(self._idle / 4)

    def _state(self) -> tuple[int, ...]:
        ends = (self._client, self._upstream)
        return tuple([end.count for end in ends] + [end.unsent for end in ends])

    def __repr__(self) -> str:
        state = "over" if self._over else "draining" if self._draining else "waiting" if self._done is None else "open"
        return f"<WireTunnel {self.protocol} {state} sent={self.sent} received={self.received}>"


class End(asyncio.Protocol):
    """One end of a tunnel: what it reads it writes to its ``peer``."""

    __slots__ = (
        "_close_sent",
        "_code",
        "_due",
        "_is_client",
        "_tunnel",
        "blocked",
        "count",
        "ended",
        "failure",
        "forward",
        "frames",
        "lost",
        "on_lost",
        "peer",
        "transport",
    )

    # Deleted at the end, when nobody calls any more: they are a circle that only the garbage collector would free.
    peer: End
    _tunnel: WireTunnel

    def __init__(self, tunnel: WireTunnel, protocol: str, *, is_client: bool) -> None:
        self._tunnel = tunnel
        self._is_client = is_client
        self.frames: Frames | None = Frames(masked=is_client) if protocol == "websocket" else None
        """Of what is read."""
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.forward: Callable[[bytes], object] = _nowhere
        """Takes what was read."""
        self.on_lost: Callable[[Exception | None], None] | None = None
        self.failure: Exception | None = None
        """How the connection was lost, if not by an end."""
        self.blocked: bool = False
        """The transport would rather not be written to."""
        self.count: int = 0
        """Bytes read."""
        self.ended: bool = False
        """Nothing more comes."""
        self.lost: bool = True
        """There is no connection, or none any more."""
        self._due = 0
        self._code = 0
        self._close_sent = False

    def attach(self, transport: asyncio.Transport, *, blocked: bool) -> None:
        self.transport = transport
        self.lost = False
        self.blocked = blocked  # it says so only when that changes
        transport.set_protocol(self)
        transport.set_write_buffer_limits(_HIGH_WATER)  # over TLS it is eight times as much by default

    def unlink(self) -> None:
        """It is over."""
        del self.peer, self._tunnel

    # Called by the transport.

    def data_received(self, data: bytes) -> None:
        self.count += len(data)
        frames = self.frames
        if frames is not None:
            try:
                data = frames.feed(data)
            except FrameError as error:
                self.forward(error.good)
                self._tunnel.broke(self, str(error))
                return
        self.forward(data)

    def eof_received(self) -> bool:
        """Whether the other direction goes on, which it does not over TLS."""
        tunnel, frames, peer = self._tunnel, self.frames, self.peer
        if self.ended or tunnel.is_over:
            return False
        self.ended = True
        if frames is not None:
            rest = frames.rest()
            if frames.left or rest:
                tunnel.lost(self, "a tunnel ended in the middle of a frame")
            if rest:
                self.forward(rest)
        self.forward = _nowhere
        tunnel.closed()
        if peer.ended or peer.lost or not (self.transport.can_write_eof() and peer.transport.can_write_eof()):
            tunnel.finish()
            return False
        try:
            peer.transport.write_eof()
        except OSError:
            pass  # it is lost, which is told in its turn
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended:  # what it was still sent has failed, but it had said all that it had to say
            exc = None
        self.ended = self.lost = True
        self.failure = exc
        self.forward = _nowhere
        self._tunnel.lost(self, None if exc is None else f"a tunnel was lost: {exc}")
        if self.on_lost is not None:
            self.on_lost(exc)

    def pause_writing(self) -> None:
        self.blocked = True
        if self.peer.reads:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.blocked = False
        if self.peer.reads:
            self.peer.transport.resume_reading()

    # Called by the tunnel.

    @property
    def unsent(self) -> int:
        try:
            return 0 if self.lost else self.transport.get_write_buffer_size()
        except AttributeError:  # asyncio's TLS, closed twice: the server closes its connections when it shuts down
            return 0

    @property
    def reads(self) -> bool:
        """Whether there is something to be read, and somebody to read for."""
        return not self.ended and self.forward is not _nowhere

    @property
    def is_done(self) -> bool:
        """It has nothing more to say."""
        return self.ended or (self.frames is not None and self.frames.closed and not self.frames.left)

    def shut(self) -> None:
        """Read no more, and close when all is sent."""
        self.forward = _nowhere
        if not self.lost and not self.transport.is_closing():  # a second close() breaks asyncio's TLS
            self.transport.close()

    def send_close(self, code: int) -> None:
        """A Close to the peer, as if this end had sent it, if one may stand there."""
        frames, peer = self.frames, self.peer
        if frames is not None and not (self.ended or frames.closed or frames.left or self._close_sent or peer.lost):
            self._close_sent = True
            peer.transport.write(close_frame(code, masked=self._is_client))

    def close_at_boundary(self, code: int) -> None:
        """Send a Close to the peer as soon as one may stand there, and drop what comes behind it."""
        assert self.frames is not None
        if self.ended:
            return
        self._code = code
        self._due = self.frames.left
        if self._due:
            self.forward = self._until_boundary
        else:
            self._close_behind(b"")

    def _until_boundary(self, data: bytes) -> None:
        due = self._due
        self._due = due - len(data)
        if self._due > 0:
            self.peer.transport.write(data)
        else:
            self._close_behind(data[:due])
            self._dropped(data)

    def _close_behind(self, rest: bytes) -> None:
        frame = close_frame(self._code, masked=self._is_client)
        self.peer.transport.write(rest + frame)
        self._close_sent = True
        self.forward = self._dropped

    def last(self, data: bytes) -> None:
        """Pass on what stands before a Close, or is one."""
        self.peer.transport.write(data)
        self._tunnel.closed()

    def _dropped(self, data: bytes) -> None:
        self._tunnel.closed()


def _nowhere(data: bytes) -> None:
    """Where what nobody takes any more goes."""
