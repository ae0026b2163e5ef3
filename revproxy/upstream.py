"""A set of endpoints that serve the same, as one handler: acquire, send, release."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Literal

from yarl import URL

from .balancers import P2C, Balancer, Snapshot
from .clock import SYSTEM_CLOCK, Clock
from .endpoint import Endpoint, EndpointState, check_weight
from .errors import InternalError, NoEndpoint, Origin, ProxyError
from .exchange import Attempt, Exchange
from .handler import Component
from .message import Response
from .slow_start import SlowStart
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
    ``slow_start``
        How the share of an endpoint grows that was added, or has recovered. By default it has all of it at once.
    ``transport``
        What sends an attempt; default: HTTP/1.1 over pooled connections. With one of your own, ``timeouts``,
        ``limits``, ``tls`` and ``host`` are its business, and setting them here is a ``ValueError``.

    Members may change while it runs: ``add``, ``remove``, ``replace``, ``weigh``, ``drain``.

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
        slow_start: SlowStart | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        members = _members(endpoints)
        if host not in ("upstream", "client"):
            raise ValueError(f"host must be 'upstream' or 'client', got {host!r}")
        if transport is not None and (timeouts or limits or tls or host != "upstream"):
            raise ValueError("transport: timeouts, limits, tls and host belong to it when it is given")
        self.name: str = name or members[0].name
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
        self._learns = self.balancer.learns
        self._slow_start = slow_start
        self._rng = rng or Random()
        self._members: frozenset[Endpoint] = frozenset()
        self._leaving: dict[Endpoint, asyncio.Event] = {}
        self._become(members)

    # Forwarding.

    async def __call__(self, exchange: Exchange) -> Response:
        now = self._clock.now()
        cold: Endpoint | None = None
        for endpoint in self._order(exchange):
            if endpoint.accepts(now):
                if endpoint.warms is None or self._is_warm_enough(endpoint, now):
                    break
                cold = cold or endpoint
        else:
            if cold is None:
                raise NoEndpoint(f"{self.name}: none of {len(self.endpoints)} endpoints accepts")
            endpoint = cold
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
        if self._leaving and not attempt.endpoint.in_flight and attempt.endpoint in self._leaving:
            self._leaving[attempt.endpoint].set()
        for hook in exchange.hooks.settled:
            hook(attempt)

    def _is_warm_enough(self, endpoint: Endpoint, now: float) -> bool:
        """Whether a request that would go to ``endpoint``, which is new or back, may do so."""
        assert endpoint.warms is not None
        share = 1.0 if self._slow_start is None else self._slow_start.share(now - endpoint.warms)
        if share >= 1:
            endpoint.warms = None
        return self._rng.random() < share

    # Membership. What is in flight stays where it is; what comes next sees the change as a whole.

    def add(self, *endpoints: str | URL | Endpoint) -> tuple[Endpoint, ...]:
        """Add ``endpoints``, and return them. With ``slow_start`` their shares grow. Raises ``ValueError`` for one that
        is a member already."""
        members = _members((*self.endpoints, *endpoints))
        self._become(members)
        return members[-len(endpoints) :] if endpoints else ()

    def remove(self, *endpoints: Endpoint) -> None:
        """Take ``endpoints`` out: they get nothing more, and their connections are closed when what is in flight has
        ended. Raises ``ValueError`` for what is no member, and where none would be left."""
        self._check(endpoints)
        self._become(_members([each for each in self.endpoints if each not in endpoints]))

    def replace(self, *endpoints: str | URL | Endpoint) -> tuple[Endpoint, ...]:
        """Make ``endpoints`` the members, at once, and return them. A member whose URL is named again stays what it is,
        with all that is known of it; an ``Endpoint`` of that URL gives it its weight, priority and place. Raises
        ``ValueError``, and changes nothing, for none, or for one that is named twice."""
        wanted = {each.url: each for each in _members(endpoints)}
        kept = {each: each.settings for each in self.endpoints if each.url in wanted}
        by_url = {each.url: each for each in kept}
        try:
            for each in kept:
                if wanted[each.url] in endpoints:  # else its URL alone was named, which says nothing of the rest
                    each.settings = wanted[each.url].settings
            self._become(tuple(by_url.get(url, each) for url, each in wanted.items()))
        except BaseException:
            for each, settings in kept.items():
                each.settings = settings
            raise
        return self.endpoints

    def weigh(self, weights: Mapping[Endpoint, int]) -> None:
        """Change the weights of members. Raises ``ValueError``, and changes nothing, for what is no member or no
        weight."""
        self._check(weights)
        for weight in weights.values():
            check_weight(weight)
        before = {each: each.settings for each in weights}
        try:
            for each, weight in weights.items():
                each.weight = weight
            self._become(self.endpoints)
        except BaseException:
            for each, settings in before.items():
                each.settings = settings
            raise

    def drain(self, *endpoints: Endpoint) -> None:
        """Give ``endpoints`` nothing new. They stay members until they are removed; ``await drained(endpoint)`` before.
        Raises ``ValueError`` for what is no member."""
        self._check(endpoints)
        for each in endpoints:
            each.state = EndpointState.DRAINING

    async def drained(self, endpoint: Endpoint) -> None:
        """Return when nothing is in flight to ``endpoint``, WebSockets included. It may have been removed already."""
        while endpoint.in_flight:
            event = self._leaving.setdefault(endpoint, asyncio.Event())
            try:
                await event.wait()
            finally:
                self._leaving.pop(endpoint, None)

    def _check(self, endpoints: Iterable[Endpoint]) -> None:
        for each in endpoints:
            if each not in self._members:
                raise ValueError(f"endpoints: {each!r} is no member of {self.name}")

    def _become(self, members: tuple[Endpoint, ...]) -> None:
        """Have ``members`` from the next request on. Raises what the balancer does, and changes nothing then."""
        self._order = self.balancer.bind(Snapshot(members))
        before, self._members = self._members, frozenset(members)
        self.endpoints: tuple[Endpoint, ...] = members
        if self._slow_start is not None and before:
            now = self._clock.now()
            for each in self._members - before:
                each.warms = now
        if isinstance(self._transport, WireTransport):
            for each in before - self._members:
                self._transport.forget(each)

    def parts(self) -> Iterable[object]:
        return (self.balancer, self._transport)

    # Looking at it.

    def __repr__(self) -> str:
        return f"<Upstream {self.name} {self.balancer!r} {list(self.endpoints)!r}>"


def _members(wanted: Sequence[str | URL | Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints that are ``wanted``."""
    if not wanted:
        raise ValueError("endpoints: an upstream needs at least one")
    for each in wanted:
        if not isinstance(each, str | URL | Endpoint):
            raise TypeError(f"endpoints: URLs or Endpoint objects, one argument each, got {each!r}")
    members = tuple(each if isinstance(each, Endpoint) else Endpoint(each) for each in wanted)
    if len({member.url for member in members}) != len(members):
        raise ValueError(f"endpoints: one is named twice in {[str(member.url) for member in members]}")
    return members
