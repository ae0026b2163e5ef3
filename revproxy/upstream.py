"""A set of endpoints that serve the same, as one handler: acquire, send, release."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Literal

from yarl import URL

from .balancers import P2C, Balancer, Snapshot
from .clock import SYSTEM_CLOCK, Clock
from .endpoint import Endpoint
from .errors import InternalError, NoEndpoint, Origin, ProxyError
from .exchange import Attempt, Exchange
from .handler import Component
from .message import Response
from .transport import Transport, WireTransport
from .wire.settings import Limits, Timeouts, Tls

__all__ = ["Upstream"]


class Upstream(Component):
    """Forwards an exchange to one of its endpoints.

    ``endpoints``
        URLs (``http://10.0.0.1:8080``, ``https://api.internal``, ``unix:/run/app.sock``) or ``Endpoint`` objects.
    ``name``
        For logs, metrics and errors; unique within a ``ProxyHandler``. Default: the first endpoint's name.
    ``balancer``
        Which endpoint comes first; default ``P2C()``. One balancer serves one upstream.
    ``timeouts``, ``limits``, ``tls``
        See ``Timeouts``, ``Limits``, ``Tls``.
    ``host``
        What ``Host`` says: ``"upstream"``, the endpoint's own authority; or ``"client"``, what the client asked for
        (behind a trusted proxy, what that says the client asked for). A filter that sets ``Host`` has the last word.
    ``transport``
        What sends an attempt; default: HTTP/1.1 over pooled connections. With one of your own, ``timeouts``,
        ``limits``, ``tls`` and ``host`` are its business, and setting them here is a ``ValueError``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value. A call raises ``NoEndpoint`` when no
    endpoint accepts, and what the transport raises.
    """

    def __init__(
        self,
        *endpoints: str | URL | Endpoint,
        name: str = "",
        balancer: Balancer | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        tls: Tls | None = None,
        host: Literal["upstream", "client"] = "upstream",
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not endpoints:
            raise ValueError("endpoints: an upstream needs at least one")
        for each in endpoints:
            if not isinstance(each, str | URL | Endpoint):
                raise TypeError(f"endpoints: URLs or Endpoint objects, one argument each, got {each!r}")
        members = tuple(each if isinstance(each, Endpoint) else Endpoint(each) for each in endpoints)
        if len({id(member) for member in members}) != len(members) or len({str(m.url) for m in members}) != len(
            members
        ):
            raise ValueError(f"endpoints: one is named twice in {[str(member.url) for member in members]}")
        if host not in ("upstream", "client"):
            raise ValueError(f"host must be 'upstream' or 'client', got {host!r}")
        if transport is not None and (timeouts or limits or tls or host != "upstream"):
            raise ValueError("transport: timeouts, limits, tls and host belong to it when it is given")
        self.name: str = name or members[0].name
        self.endpoints = members
        self._members = frozenset(members)
        self.balancer: Balancer = P2C() if balancer is None else balancer
        if not isinstance(self.balancer, Balancer):
            raise TypeError(f"balancer: {balancer!r} is not a Balancer object")
        if self.balancer.serves:
            raise ValueError(f"balancer: {balancer!r} serves {self.balancer.serves!r} already, and has its state")
        self.balancer.serves = self.name
        self._clock = clock
        if transport is None:
            transport = WireTransport(
                tls=tls,
                timeouts=timeouts or Timeouts(),
                limits=limits or Limits(),
                clock=clock,
                keep_host=host == "client",
            )
        self._transport = transport
        self._send = transport.dispatch if isinstance(transport, WireTransport) else transport.send
        self._order = self.balancer.bind(Snapshot(members))
        self._learns = type(self.balancer).settled is not Balancer.settled

    async def __call__(self, exchange: Exchange) -> Response:
        now = self._clock.now()
        for endpoint in self._order(exchange):
            if endpoint.accepts(now):
                break
        else:
            raise NoEndpoint(f"{self.name}: none of {len(self.endpoints)} endpoints accepts")
        if endpoint not in self._members:
            raise InternalError(f"{self.name}: {self.balancer!r} chose {endpoint!r}, which is none of its endpoints")
        attempts = exchange.attempts
        attempt = Attempt(endpoint, exchange, exchange.request, len(attempts) + 1, now, exchange.deadline)
        attempts.append(attempt)
        endpoint.in_flight += 1
        exchange.defer(partial(self._release, attempt, exchange))
        for hook in exchange.hooks.attempted:
            hook(attempt)
        try:
            return await self._send(attempt)
        except ProxyError as error:
            if error.origin is not Origin.CLIENT:  # what the client did never counts against an endpoint
                attempt.error = error
            self._release(attempt, exchange)
            raise
        except ValueError as error:
            raise InternalError(f"{self.name}: {error}") from error

    def _release(self, attempt: Attempt, exchange: Exchange) -> None:
        """The attempt is over, its body included. Once an attempt, however often it is called."""
        if attempt.released:
            return
        attempt.released = True
        attempt.endpoint.in_flight -= 1
        if attempt.ended is None:
            attempt.ended = self._clock.now()
        if self._learns:
            self.balancer.settled(attempt)
        for hook in exchange.hooks.settled:
            hook(attempt)

    def parts(self) -> Iterable[object]:
        return (self.balancer, self._transport)

    def __repr__(self) -> str:
        return f"<Upstream {self.name} {self.balancer!r} {list(self.endpoints)!r}>"
