"""What a simulation gives to whoever composes what is simulated."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence
from random import Random
from typing import Any

from ...balancers import Balancer
from ...clock import Clock
from ...endpoint import Endpoint
from ...errors import ConnectFailed, ResponseTimeout
from ...exchange import Attempt
from ...message import Response
from ...transport import Transport
from ...upstream import Upstream
from .server import Host, Server
from .virtual import VirtualLoop

__all__ = ["Site"]


class Site:
    """The parts of one simulation.

    ``balancer``
        The one that is simulated.
    ``clock``, ``rng``
        Its time and its chance: for everything that takes one.
    ``endpoints``
        Of all servers, in their order, those included that join later.
    ``transport``
        What sends attempts to the servers.
    """

    def __init__(
        self,
        balancer: Balancer,
        servers: Sequence[Server],
        loop: VirtualLoop,
        clock: Clock,
        *,
        chance: tuple[Random, Random],
        timeout: float | None,
    ) -> None:
        self.balancer = balancer
        self.clock = clock
        of_upstream, of_servers = chance
        self.rng: Random = of_upstream
        self.endpoints: tuple[Endpoint, ...] = tuple(each.endpoint(number) for number, each in enumerate(servers))
        self.hosts: dict[Endpoint, Host] = {
            endpoint: Host(each, endpoint, loop, of_servers)
            for each, endpoint in zip(servers, self.endpoints, strict=True)
        }
        self.transport: Transport = _Wire(self.hosts, loop, timeout)
        self._servers = servers
        self._loop = loop
        self._upstream: Upstream | None = None

    def upstream(self, **options: Any) -> Upstream:
        """The upstream of all servers, which join and leave it at their times. ``options`` are those of ``Upstream``:
        ``slow_start=SlowStart(window=10)``. There is one in a simulation: a second call is a ``ValueError``."""
        if self._upstream is not None:
            raise ValueError("upstream: the simulation has one already")
        members = [each for each, server in self._pairs() if not server.joins]
        self._upstream = upstream = Upstream(
            *members, balancer=self.balancer, transport=self.transport, clock=self.clock, rng=self.rng, **options
        )
        for endpoint, server in self._pairs():
            if server.joins:
                self._loop.call_at(server.joins, upstream.add, endpoint)
            if server.leaves < float("inf"):
                self._loop.call_at(server.leaves, upstream.remove, endpoint)
        return upstream

    def check(self) -> None:
        """Raise ``ValueError`` if servers come or go, and there is nothing that they could join or leave."""
        if self._upstream is None and any(each.joins or each.leaves < float("inf") for each in self._servers):
            raise ValueError("compose: servers join and leave what site.upstream() makes, and it was not asked for one")

    def _pairs(self) -> list[tuple[Endpoint, Server]]:
        return list(zip(self.endpoints, self._servers, strict=True))

    def __repr__(self) -> str:
        return f"<Site {self.balancer!r} of {len(self.endpoints)} servers at {self.clock.now():g} s>"


class _Wire:
    """A ``Transport`` to servers that are not there."""

    def __init__(self, hosts: dict[Endpoint, Host], loop: VirtualLoop, timeout: float | None) -> None:
        self._hosts = hosts
        self._loop = loop
        self._timeout = timeout

    async def send(self, attempt: Attempt) -> Response:
        host, loop = self._hosts[attempt.endpoint], self._loop
        host.most = max(host.most, attempt.endpoint.in_flight)
        fault = host.fault()
        if fault is not None and fault.error is not None:
            attempt.sent = not issubclass(fault.error, ConnectFailed)
            raise fault.error("simulated")
        attempt.sent = True
        if fault is not None and fault.status is not None:
            attempt.status = fault.status
        else:
            answer: Future[int] = loop.create_future()
            end = self._end(attempt)
            if fault is None:
                host.take(answer)
            elif end == float("inf"):
                raise RuntimeError("timeout must be given where a server is silent")
            attempt.status = await (answer if end == float("inf") else self._in_time(answer, end))
        attempt.first_byte = loop.time()
        return Response(attempt.status)

    def _end(self, attempt: Attempt) -> float:
        """When whoever asks has waited long enough."""
        end = float("inf") if attempt.deadline is None else attempt.deadline
        return end if self._timeout is None else min(end, attempt.started + self._timeout)

    async def _in_time(self, answer: Future[int], end: float) -> int:
        timer = self._loop.call_at(end, _give_up, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    def __repr__(self) -> str:
        return f"<Wire to {len(self._hosts)} servers>"


def _give_up(answer: Future[int]) -> None:
    if not answer.done():
        answer.set_exception(ResponseTimeout("simulated"))
