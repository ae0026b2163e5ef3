"""A 101 to the client, and the tunnel that its connection then is one end of."""

from __future__ import annotations

import asyncio
from functools import partial
from weakref import WeakSet

from aiohttp import web
from multidict import istr

from ._aiohttp import is_continued, take_over, unwatch_client, writing_paused
from .clock import Clock, Timer
from .deliver import switching
from .errors import ClientDisconnected, InternalError, NoEndpoint, Origin, ProxyError
from .exchange import Exchange
from .message import Response
from .tunnel import Tunnel

__all__ = ["Tunnels"]

_EXPECT = istr("Expect")


class Tunnels:
    """The tunnels that a proxy has open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[Tunnel, web.BaseRequest] = {}
        self._ending: WeakSet[web.Application] = WeakSet()
        self._waiting: set[asyncio.Event] = set()

    async def switch(
        self, request: web.BaseRequest, exchange: Exchange, response: Response
    ) -> tuple[web.StreamResponse, ProxyError | None]:
        """Answer ``request`` with ``response``, a 101, then pass bytes on until there are no more. The second result is
        how that broke, if it did.

        Raises a ``ProxyError`` while the client can still be told.
        """
        tunnel = response.tunnel
        if tunnel is None:
            raise InternalError("a 101 without a tunnel")
        self._check_apps(request)
        out, head = await switching(request, response)
        self._check_apps(request)  # once more: signals may have taken their time
        head += b"Connection: Upgrade\r\nUpgrade: %b\r\n\r\n" % tunnel.protocol.encode("ascii")
        if _EXPECT in exchange.inbound.headers and not is_continued(request):
            head = b"HTTP/1.1 100 Continue\r\n\r\n" + head  # RFC 9110 section 7.8
        taken = take_over(request)
        if taken is None:
            raise ClientDisconnected("the client went away before its connection was switched")
        transport, early, lost = taken
        unwatch_client(request)  # from here on its leaving is an end like the other's
        transport.write(head)
        out.sent(len(head))
        exchange.tunnel = tunnel
        _ = exchange.inbound.tls  # which remembers it: a connection that is lost does not
        self._open[tunnel] = request
        try:
            error = await tunnel.join(transport, early, lost, blocked=writing_paused(request))
        finally:
            out.sent(tunnel.received)
            out.ends()
            del self._open[tunnel]
            for event in self._waiting:
                event.set()
        if error is not None and error.origin is Origin.UPSTREAM and exchange.attempts:
            exchange.attempts[-1].error = error
        return out, error

    def _check_apps(self, request: web.BaseRequest) -> None:
        if any(app in self._ending for app in _apps(request)):
            raise NoEndpoint("no tunnel is opened any more: the application shuts down")

    def started(self, app: web.Application) -> None:
        """``app`` starts, perhaps once more."""
        self._ending.discard(app)

    async def drain(self, app: web.Application | None, code: int, grace: float, spread: float) -> None:
        """Have the tunnels end of requests to ``app``, or all, one after the other within ``spread`` seconds; what is
        left ``grace`` seconds after the last was told is cut."""
        if app is not None:
            self._ending.add(app)
        mine = {tunnel for tunnel, request in self._open.items() if app is None or app in _apps(request)}
        timers: list[Timer] = []
        for number, tunnel in enumerate(mine):
            if number and spread:
                timers.append(self._clock.call_later(spread * number / len(mine), partial(tunnel.drain, code)))
            else:
                tunnel.drain(code)
        changed = asyncio.Event()
        ends = self._clock.now() + spread + grace
        timers.append(self._clock.call_later(spread + grace, changed.set))
        self._waiting.add(changed)
        try:
            while not mine.isdisjoint(self._open) and self._clock.now() < ends:
                changed.clear()
                await changed.wait()
        finally:
            self._waiting.discard(changed)
            for timer in timers:
                timer.cancel()
            for tunnel in mine.intersection(self._open):
                tunnel.close()


def _apps(request: web.BaseRequest) -> tuple[web.Application, ...]:
    return request.match_info.apps if isinstance(request, web.Request) else ()
