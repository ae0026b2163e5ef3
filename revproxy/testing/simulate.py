"""A balancer in front of servers that are not there, on virtual time: who waits how long, and who gets how much."""

from __future__ import annotations

import heapq
from bisect import insort
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from ..balancers import Balancer, Snapshot
from ..clock import Clock
from ..endpoint import Endpoint
from ..errors import ConnectionLost
from ..exchange import Attempt, Exchange
from .clock import FakeClock
from .exchange import exchange

__all__ = ["Make", "Served", "Server", "Simulation", "Times", "constant", "exponential", "moved", "pareto", "simulate"]

Times: TypeAlias = Callable[[Random, float], float]
"""Seconds that a request takes, drawn with the generator at a time of the simulation."""

Make: TypeAlias = Callable[[Clock, Random], Balancer]
"""Makes the balancer, with the simulation's time and chance:
``lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng)``."""


def constant(seconds: float) -> Times:
    """Always so long."""
    return lambda rng, now: seconds


def exponential(mean: float) -> Times:
    """Exponentially distributed about ``mean`` seconds."""
    return lambda rng, now: rng.expovariate(1 / mean)


def pareto(mean: float, alpha: float = 2.0) -> Times:
    """A long tail: Pareto's distribution with the exponent ``alpha``, above 1, about ``mean`` seconds."""
    if not alpha > 1:
        raise ValueError(f"alpha must be above 1, got {alpha}")
    least = mean * (alpha - 1) / alpha
    return lambda rng, now: least * rng.paretovariate(alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of a simulation: ``workers`` requests at a time, the others wait in line.

    ``service``: how long a request takes once it has its turn. ``fails``: whether one fails, at once, at a time.
    """

    service: Times
    workers: int = 8
    weight: int = 1
    fails: Callable[[Random, float], bool] | None = None


@dataclass(slots=True)
class Served:
    """What one server did."""

    endpoint: Endpoint
    requests: int = 0
    failures: int = 0
    most: int = 0
    """Requests in flight at most, those that waited included."""


@dataclass(slots=True)
class Simulation:
    """How it went."""

    servers: list[Served]
    seconds: float = 0.0
    """Of virtual time."""
    times: list[float] = field(default_factory=list)
    """How long each request took, in line and served, sorted; failures are not in it."""

    def percentile(self, percent: float) -> float:
        """The time that ``percent`` per cent of the requests took at most (nearest rank)."""
        if not self.times:
            raise ValueError("no request succeeded")
        return self.times[min(int(len(self.times) * percent / 100), len(self.times) - 1)]

    @property
    def fairness(self) -> float:
        """Jain's index of the requests per weight: 1 where all got their share, 1/n where one got everything."""
        loads = [each.requests / each.endpoint.weight for each in self.servers]
        squares = sum(load * load for load in loads)
        return sum(loads) ** 2 / (len(loads) * squares) if squares else 1.0

    @property
    def failures(self) -> int:
        return sum(each.failures for each in self.servers)

    def __str__(self) -> str:
        figures = ", ".join(f"p{percent:g} {1000 * self.percentile(percent):.1f} ms" for percent in (50, 90, 99, 99.9))
        return f"{len(self.times)} requests: {figures}; fairness {self.fairness:.3f}; {self.failures} failures"


def simulate(
    make: Make,
    servers: Sequence[Server],
    *,
    rate: float,
    requests: int = 20_000,
    keys: Sequence[Hashable] | None = None,
    seed: int = 1,
) -> Simulation:
    """Send ``requests`` to ``servers`` by the balancer that ``make`` makes, ``rate`` a second on average, at times that
    know nothing of each other (a Poisson process).

    ``keys``: who asks, evenly at random, for balancers that choose by the client: each is an address of its own. The
    same ``seed`` gives the same simulation. Raises ``ValueError`` for what cannot be simulated.
    """
    if not servers or requests < 1 or not rate > 0:
        raise ValueError("simulate: there must be servers, requests, and a rate above 0")
    clock, rng = FakeClock(), Random(seed)
    run = _Run(make(clock, Random(seed + 1)), servers, clock, rng)
    subjects = [exchange()] if keys is None else [_from(number) for number in range(len(keys))]
    at = 0.0
    for _ in range(requests):
        at += rng.expovariate(rate)
        run.advance(at)
        run.arrive(rng.choice(subjects) if keys is not None else subjects[0], at)
    run.advance(float("inf"))
    return run.result


def moved(make: Make, before: Sequence[Endpoint], after: Sequence[Endpoint], *, keys: int = 10_000) -> float:
    """The share of ``keys`` clients that go elsewhere when the members change from ``before`` to ``after``."""
    balancer = make(FakeClock(), Random(1))
    subjects = [_from(number) for number in range(keys)]
    old = balancer.bind(Snapshot(tuple(before)))
    chosen = [next(iter(old(subject))) for subject in subjects]
    new = balancer.bind(Snapshot(tuple(after)))
    return sum(next(iter(new(each))) is not was for each, was in zip(subjects, chosen, strict=True)) / keys


def _from(number: int) -> Exchange:
    return exchange(client=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")


class _Run:
    def __init__(self, balancer: Balancer, servers: Sequence[Server], clock: FakeClock, rng: Random) -> None:
        self.endpoints = tuple(Endpoint(f"http://{n}.test", weight=each.weight) for n, each in enumerate(servers))
        self.result = Simulation([Served(endpoint) for endpoint in self.endpoints])
        self._began = clock.now()
        self._servers = dict(zip(self.endpoints, zip(servers, self.result.servers, strict=True), strict=True))
        self._lines: dict[Endpoint, deque[tuple[Attempt, float]]] = {each: deque() for each in self.endpoints}
        self._busy = dict.fromkeys(self.endpoints, 0)
        self._balancer = balancer
        self._order = balancer.bind(Snapshot(self.endpoints))
        self._clock = clock
        self._rng = rng
        self._events: list[tuple[float, int, Attempt, float, bool]] = []
        self._count = 0

    def arrive(self, subject: Exchange, at: float) -> None:
        now = self._clock.now()
        endpoint = next(each for each in self._order(subject) if each.accepts(now))
        endpoint.in_flight += 1
        server, served = self._servers[endpoint]
        served.requests += 1
        served.most = max(served.most, endpoint.in_flight)
        attempt = Attempt(endpoint, subject, subject.request, 1, now)
        attempt.sent = True
        if server.fails is not None and server.fails(self._rng, at):
            self._push(at, attempt, at, failed=True)
        elif self._busy[endpoint] < server.workers:
            self._serve(attempt, at, at)
        else:
            self._lines[endpoint].append((attempt, at))

    def advance(self, until: float) -> None:
        """Let everything happen that happens before ``until``."""
        while self._events and self._events[0][0] <= until:
            at, _, attempt, arrived, failed = heapq.heappop(self._events)
            self._to(at)
            self._end(attempt, at, arrived, failed=failed)
        if until != float("inf"):
            self._to(until)

    def _to(self, at: float) -> None:
        self._clock.advance(max(self._began + at - self._clock.now(), 0.0))
        self.result.seconds = at

    def _serve(self, attempt: Attempt, arrived: float, at: float) -> None:
        endpoint = attempt.endpoint
        self._busy[endpoint] += 1
        self._push(at + self._servers[endpoint][0].service(self._rng, at), attempt, arrived, failed=False)

    def _push(self, at: float, attempt: Attempt, arrived: float, *, failed: bool) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, attempt, arrived, failed))

    def _end(self, attempt: Attempt, at: float, arrived: float, *, failed: bool) -> None:
        endpoint, now = attempt.endpoint, self._clock.now()
        endpoint.in_flight -= 1
        attempt.ended = now
        attempt.released = True
        if failed:
            attempt.error = ConnectionLost("simulated")
            self._servers[endpoint][1].failures += 1
        else:
            attempt.status, attempt.first_byte = 200, now
            insort(self.result.times, at - arrived)
            self._busy[endpoint] -= 1
            if self._lines[endpoint]:
                waiting, since = self._lines[endpoint].popleft()
                self._serve(waiting, since, at)
        self._balancer.settled(attempt)
