"""A connection that has left HTTP: bytes both ways, at the pace of whoever is slower."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..clock import Clock, Timer
from ..errors import BadFrame, ClientDisconnected, Interrupted, Phase, ProxyError, TunnelIdle, TunnelLost
from .tunnel_end import End, nowhere

__all__ = ["WireTunnel"]

_LINGER = 10.0
"""Seconds without progress that an end has to take what is still to be sent, once its tunnel is over."""

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
            if self._done is None:
                here.send_close(code)  # nobody was there to say it
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
            end.forward = nowhere
            if not end.lost:
                end.transport.abort()

    def finish(self, error: ProxyError | None = None) -> None:
        if self._over:
            return
        self._over = True
        self.error = self.error or error
        self._client.shut()
        self._upstream.shut()
        self._seen = self._state()
        self._watch(_LINGER)

    # Told by the ends.

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
