"""What the simulator says of the balancers: the figures of the page "Which balancer".

``docs/plots.py`` draws them and writes the table. All of it is deterministic, and needs nothing but the library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from typing import Any

from revproxy import Endpoint, SlowStart
from revproxy.balancers import (
    P2C,
    Bounded,
    Hashing,
    Least,
    Maglev,
    PeakEwma,
    PowerOfD,
    Rendezvous,
    ResponseTime,
    Ring,
    RoundRobin,
    Snapshot,
    WeightedRandom,
)
from revproxy.balancers.hashing import Walk
from revproxy.balancers.keys import hash_of
from revproxy.testing.simulate import (
    LOST,
    Make,
    Server,
    evenly,
    exponential,
    failing,
    pareto,
    simulate,
    slow,
)

BALANCERS: Mapping[str, Make] = {
    "RoundRobin()": lambda clock, rng: RoundRobin(),
    "WeightedRandom()": lambda clock, rng: WeightedRandom(rng=rng),
    "P2C()": lambda clock, rng: P2C(rng=rng),
    "P2C(PeakEwma())": lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng),
    "PowerOfD(3)": lambda clock, rng: PowerOfD(3, rng=rng),
    "Least()": lambda clock, rng: Least(rng=rng),
    "Least(ResponseTime())": lambda clock, rng: Least(ResponseTime(clock=clock), rng=rng),
    "Maglev()": lambda clock, rng: Maglev(rng=rng),
    "Bounded(Maglev())": lambda clock, rng: Bounded(Maglev(rng=rng)),
}
PERCENTS = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Scenario:
    title: str
    servers: Sequence[Server]
    rate: float
    options: Mapping[str, Any] = field(default_factory=dict)


_FAST = Server(service=exponential(0.02))
SCENARIOS = (
    Scenario("alike, busy", [Server(service=exponential(0.02), workers=2)] * 10, 700),
    Scenario("one ten times slower", [*[_FAST] * 9, Server(service=exponential(0.2))], 300),
    Scenario("long tail", [Server(service=pareto(0.02, alpha=1.5), workers=2)] * 10, 400),
)
BROKEN = Scenario(
    "one fails at once", [*[_FAST] * 9, Server(service=exponential(0.02), fails=failing(LOST))], 300, {"requests": 5000}
)
_CLIENTS = range(300)


@cache
def percentiles() -> dict[str, dict[str, list[int]]]:
    """By scenario and balancer: the percentiles of response times, in milliseconds."""
    found: dict[str, dict[str, list[int]]] = {}
    for scenario in SCENARIOS:
        found[scenario.title] = {}
        for name, make in BALANCERS.items():
            run = simulate(make, scenario.servers, rate=scenario.rate, keys=_CLIENTS, requests=10_000)
            found[scenario.title][name] = [round(1000 * run.percentile(percent)) for percent in PERCENTS]
    return found


@cache
def failures() -> dict[str, float]:
    """By balancer: the requests in per cent that fail where one of ten servers fails at once."""
    found = {}
    for name, make in BALANCERS.items():
        run = simulate(make, BROKEN.servers, rate=BROKEN.rate, keys=_CLIENTS, **BROKEN.options)
        found[name] = round(100 * run.failures / len(run.outcomes), 1)
    return found


STALL = (20, 40)
"""When one host is slow, in seconds."""
_LENGTH, _STEP = 60, 1


@cache
def slow_host() -> dict[str, dict[str, list[float]]]:
    """By balancer: the 99th percentile in milliseconds of each second's requests, and the share in per cent of those
    that went to the host that is ten times slower for a while."""
    late = slow(exponential(0.02), by=10, start=STALL[0], end=STALL[1])
    servers = [*[_FAST] * 9, Server(service=late)]
    found = {}
    for name in ("RoundRobin()", "P2C()", "P2C(PeakEwma())"):
        run = simulate(BALANCERS[name], servers, rate=600, seconds=_LENGTH)
        seconds = [run.between(at, at + _STEP) for at in range(0, _LENGTH, _STEP)]
        found[name] = {
            "p99": [float(round(1000 * each.percentile(99))) for each in seconds],
            "share": [round(100 * each.servers[9].requests / each.attempts, 1) for each in seconds],
        }
    return found


class Modulo(Hashing):
    """What one would write without thinking of change: the hash, modulo the number of endpoints."""

    def table(self, snapshot: Snapshot) -> Walk:
        endpoints = snapshot.endpoints
        count = len(endpoints)

        def walk(hashed: int) -> Iterator[Endpoint]:
            start = hashed % count
            return islice(cycle(endpoints), start, start + count)

        return walk


_HASHING: Mapping[str, Callable[[], Hashing]] = {
    "modulo": Modulo,
    "Maglev()": Maglev,
    "Ring()": Ring,
    "Rendezvous()": Rendezvous,
}
COUNTS = (3, 5, 10, 20, 50, 100)


@cache
def leaving() -> dict[str, list[float]]:
    """By hashing: the clients in per cent that go elsewhere when one of 3, 5, … 100 endpoints leaves, the third."""
    clients = [hash_of(f"client {number}") for number in range(10_000)]
    found = {}
    for name, make in _HASHING.items():
        shares = []
        for count in COUNTS:
            members = tuple(Endpoint(f"http://10.0.0.{number}") for number in range(count))
            before = make().table(Snapshot(members))
            after = make().table(Snapshot((*members[:2], *members[3:])))
            moved = sum(next(before(client)) is not next(after(client)) for client in clients)
            shares.append(round(100 * moved / len(clients), 1))
        found[name] = shares
    return found


SLOW_STARTS: Mapping[str, SlowStart | None] = {
    "without": None,
    "SlowStart(window=30)": SlowStart(window=30),
    "SlowStart(window=30, aggression=2)": SlowStart(window=30, aggression=2),
}
JOINS = 10
"""When an endpoint is added, in seconds."""


@cache
def slow_starts() -> dict[str, list[float]]:
    """The requests a second that an endpoint gets that was added, where five share 500: in steps of two seconds."""
    servers = [*[_FAST] * 4, Server(service=exponential(0.02), joins=JOINS)]
    found = {}
    for name, settings in SLOW_STARTS.items():
        run = simulate(
            BALANCERS["RoundRobin()"],
            servers,
            arrivals=evenly(500),
            seconds=60,
            compose=lambda site, settings=settings: site.upstream(slow_start=settings),
        )
        found[name] = [run.between(at, at + 2).servers[4].requests / 2 for at in range(0, 60, 2)]
    return found


def table() -> str:
    """The page's table."""
    titles = [scenario.title for scenario in SCENARIOS]
    lines = ["| | " + " | ".join(titles) + f" | {BROKEN.title} |", "|---|" + "---:|" * (len(titles) + 1)]
    for name in BALANCERS:
        cells = [str(percentiles()[title][name][-1]) for title in titles]
        lines.append(f"| `{name}` | " + " | ".join(cells) + f" | {failures()[name]} % |")
    return "\n".join(["", *lines, "", ""])


FIGURES: Mapping[str, Callable[[], object]] = {
    "percentiles": percentiles,
    "slow-host": slow_host,
    "leaving": leaving,
    "slow-start": slow_starts,
}


def digest(name: str) -> str:
    """Of one figure's numbers: the picture has it, so that one can tell whether it is out of date."""
    return hashlib.sha256(json.dumps(FIGURES[name](), sort_keys=True).encode()).hexdigest()[:16]
