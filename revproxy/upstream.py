"""A set of endpoints that serve the same, as one handler: acquire, send, release."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from random import Random
from typing import Literal

from yarl import URL

from .addresses import AddressPolicy
from .affinity import Affinity
from .balancers import Balancer
from .clock import SYSTEM_CLOCK, Clock
from .discovery import Discovery, Source, Stream
from .discovery.feed import Feed
from .endpoint import Endpoint
from .errors import DeadlineExceeded, InternalError, Origin, ProxyError
from .exchange import Attempt, Exchange
from .group import Group
from .health import HealthPolicy
from .members import members_of
from .message import Response
from .slow_start import SlowStart
from .transport import Transport, WireTransport
from .wire.settings import Limits, Timeouts, Tls

__all__ = ["Upstream"]


class Upstream(Group):
    """Forwards an exchange to one of its endpoints.

    ``endpoints``
        URLs (``http://10.0.0.1:8080``, ``https://api.internal``, ``unix:/run/app.sock``) or ``Endpoint`` objects. With
        a ``discovery`` there may be none, or those that serve until it has found others.
    ``name``
        For logs, metrics and errors; unique within a ``ProxyHandler``. Default: the first endpoint's name, or that of
        the ``discovery``.
    ``balancer``
        Which endpoint comes first; default ``P2C()``. One balancer serves one upstream.
    ``affinity``
        How requests of one session come to the endpoint that the first of them went to; see ``affinity``. By default
        each is balanced by itself. One affinity serves one upstream.
    ``timeouts``, ``limits``, ``tls``
        See ``Timeouts``, ``Limits``, ``Tls``.
    ``host``
        What ``Host`` says: ``"upstream"``, the endpoint's own authority; or ``"client"``, what the client asked for
        (behind a trusted proxy, what that says the client asked for). A filter that sets ``Host`` has the last word.
    ``health``
        Policies that find out which endpoints should get nothing for a while: see ``health``.
    ``panic``
        Where fewer than this share of the endpoints are well, of 1, all of them are used: the few would break under the
        load of all. 0: never.
    ``slow_start``
        How the share of an endpoint grows that was added, or has recovered. By default it has all of it at once.
    ``discovery``
        Where endpoints are, as something outside of the program says it while this runs: see ``discovery``. Or a
        function that returns an async iterator of sets of endpoints, or such an iterator (``Stream``).
    ``addresses``
        Which addresses may be connected to. By default those of endpoints that the program itself has named are not
        looked at, and those that a ``discovery`` has found pass an ``AddressPolicy()``.
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
        affinity: Affinity | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        tls: Tls | None = None,
        host: Literal["upstream", "client"] = "upstream",
        health: Sequence[HealthPolicy] = (),
        panic: float = 0.5,
        slow_start: SlowStart | None = None,
        discovery: Discovery | Source | None = None,
        addresses: AddressPolicy | None = None,
        transport: Transport | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if addresses is not None and not isinstance(addresses, AddressPolicy):
            raise TypeError(f"addresses: {addresses!r} is not an AddressPolicy object")
        source = discovery if discovery is None or isinstance(discovery, Discovery) else Stream(discovery)
        members = members_of(endpoints, addresses) if endpoints or source is None else ()
        if host not in ("upstream", "client"):
            raise ValueError(f"host must be 'upstream' or 'client', got {host!r}")
        if transport is not None and (timeouts or limits or tls or host != "upstream"):
            raise ValueError("transport: timeouts, limits, tls and host belong to it when it is given")
        super().__init__(
            members,
            name=name or (members[0].name if members or source is None else source.name),
            balancer=balancer,
            affinity=affinity,
            health=health,
            panic=panic,
            slow_start=slow_start,
            addresses=addresses,
            clock=clock,
            rng=rng,
        )
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
        self.discovery: Discovery | None = source
        self._feed: Feed | None = None
        if source is not None:
            self._feed = Feed(
                source,
                name=self.name,
                policy=AddressPolicy() if addresses is None else addresses,
                take=self._take,
                members=lambda: len(self._members),
                tell=self.tell,
                clock=clock,
                rng=self._rng,
            )

    # Forwarding.

    async def __call__(self, exchange: Exchange) -> Response:
        now = self._clock.now()
        if exchange.deadline is not None and now >= exchange.deadline:
            raise DeadlineExceeded(f"{self.name}: the time was over before it was asked")
        endpoint = self.choose(exchange, now)
        attempts = exchange.attempts
        attempt = Attempt(endpoint, exchange, exchange.request, len(attempts) + 1, now, exchange.deadline)
        attempts.append(attempt)
        endpoint.in_flight += 1
        exchange.defer(partial(self._release, attempt, exchange))
        for hook in exchange.hooks.attempted:
            hook(attempt)
        try:
            response = await self._send(attempt)
            if exchange.hide is not None:
                try:
                    exchange.hide(attempt, response)
                except BaseException:
                    response.body.close()
                    raise
            if self.affinity is not None:
                self.answered(attempt, response)
            return response
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
        self.settle(attempt)
        for hook in exchange.hooks.settled:
            hook(attempt)

    def _take(self, found: tuple[Endpoint, ...]) -> None:
        """Make what a source has found the members; there may be none."""
        if found:
            self.replace(*found)
        else:
            self._become(())

    def left(self, endpoints: Collection[Endpoint]) -> None:
        if endpoints and isinstance(self._transport, WireTransport):
            for each in endpoints:
                self._transport.forget(each)

    def parts(self) -> Iterable[object]:
        return (*super().parts(), self.discovery, self._transport)

    async def start(self) -> None:
        if self._feed is not None:
            await self._feed.start()  # first, for it may fail
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        if self._feed is not None:
            await self._feed.stop()

    # Looking at it.

    def __repr__(self) -> str:
        affinity = "" if self.affinity is None else f" {self.affinity!r}"
        source = "" if self.discovery is None else f" {self.discovery!r}"
        return f"<Upstream {self.name} {self.balancer!r}{affinity}{source} {list(self.endpoints)!r}>"
