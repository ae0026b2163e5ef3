"""Whole simulations: of the balancers, and of what cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random

import pytest

from revproxy import Endpoint, Exchange
from revproxy.balancers import (
    P2C,
    Balancer,
    Least,
    Locality,
    Maglev,
    Nearest,
    Order,
    PeakEwma,
    ResponseTime,
    RoundRobin,
    Snapshot,
)
from revproxy.facts import Place
from revproxy.geography import PLACE
from revproxy.testing import exchange
from revproxy.testing.simulate import Make, Server, constant, evenly, exponential, pareto, simulate, slow

ROUND_ROBIN: Make = lambda clock, rng: RoundRobin()  # noqa: E731
PEAK_EWMA: Make = lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng)  # noqa: E731
EVEN = Server(service=constant(0.1))


def test_one_slow_server() -> None:
    """With one of ten servers ten times slower, P2C by peak EWMA has a p99 that is at least three times better than
    round robin's; so has the least response time, and P2C by requests in flight is between them."""
    servers = [Server(service=exponential(0.02))] * 9 + [Server(service=exponential(0.2))]
    makes: dict[str, Make] = {
        "round robin": ROUND_ROBIN,
        "peak": PEAK_EWMA,
        "p2c": lambda clock, rng: P2C(rng=rng),
        "least": lambda clock, rng: Least(ResponseTime(clock=clock), rng=rng),
    }
    for rate in (100, 300):  # the slow one is overloaded by the second
        p99 = {name: simulate(make, servers, rate=rate, requests=8000).percentile(99) for name, make in makes.items()}
        assert p99["round robin"] / p99["peak"] > 3, p99
        assert p99["round robin"] / p99["least"] > 3, p99
        assert p99["peak"] < p99["p2c"] < p99["round robin"], p99


def test_a_server_that_fails_at_once() -> None:
    """A server that refuses everything at once does not draw the load to itself where failures count as slow."""
    broken = Server(service=constant(0.02), fails=lambda rng, now: True)
    servers = [*[Server(service=exponential(0.02))] * 4, broken]
    by_requests = simulate(lambda clock, rng: P2C(rng=rng), servers, rate=100, requests=5000)
    by_time = simulate(PEAK_EWMA, servers, rate=100, requests=5000)
    assert by_requests.failures > 1000
    assert by_time.failures < 500


def test_a_server_that_recovers() -> None:
    """What was slow for a while gets less then, and its share again afterwards."""
    servers = [Server(service=exponential(0.02), workers=64)] * 4
    servers.append(Server(service=slow(exponential(0.02), by=25, start=20, end=40), workers=64))
    run = simulate(PEAK_EWMA, servers, rate=200, seconds=120)
    loads = [run.between(start, start + 20) for start in (0, 20, 100)]
    shares = [each.servers[4].requests / each.servers[0].requests for each in loads]
    assert shares[1] < 0.3 * shares[0]
    assert shares[2] == pytest.approx(1.0, abs=0.2)


def test_by_clients() -> None:
    """Clients that stay with their server by a hash; the same seed is the same simulation."""
    servers = [Server(service=pareto(0.01))] * 5
    runs = [
        simulate(lambda clock, rng: Maglev(rng=rng), servers, rate=50, requests=3000, keys=range(100), seed=seed)
        for seed in (1, 1, 2)
    ]
    assert runs[0].times == runs[1].times != runs[2].times
    assert sum(each.requests for each in runs[0].servers) == 3000
    assert 0.5 < runs[0].fairness < 1
    assert runs[0].disruption == 0.0


def test_the_same_arrivals() -> None:
    """Balancers that are compared meet the same requests at the same times."""
    runs = [simulate(make, [EVEN] * 3, rate=10, requests=100, keys="abc") for make in (ROUND_ROBIN, PEAK_EWMA)]
    said = [[(each.at, each.client) for each in run.outcomes] for run in runs]
    assert said[0] == said[1]


def test_places() -> None:
    """Who asks may say where he is: each is served from the nearest place, and from the next when that is full."""
    cities = {"fra": (50.1, 8.7), "iad": (39.0, -77.5)}

    def asks(rng: Random, now: float) -> Exchange:
        asked = exchange()
        asked[PLACE] = Place(location=(48.1, 11.6) if rng.random() < 0.8 else (40.7, -74.0))
        return asked

    def shares(limit: int | None) -> list[float]:
        servers = [Server(service=constant(1), zone=zone, location=at, limit=limit) for zone, at in cities.items()]
        make: Make = lambda clock, rng: Locality(RoundRobin, Nearest(), clock=clock, rng=rng)  # noqa: E731
        run = simulate(make, servers, rate=5, requests=2000, asks=asks)
        return [each.requests / 2000 for each in run.servers]

    assert shares(None) == pytest.approx([0.8, 0.2], abs=0.03)
    assert shares(4)[0] < 0.6


def test_until_when() -> None:
    """So many requests, or those that arrive until then: whatever comes first. By default it is 20,000."""
    assert len(simulate(ROUND_ROBIN, [EVEN], arrivals=evenly(10), seconds=5).outcomes) == 49
    assert len(simulate(ROUND_ROBIN, [EVEN], arrivals=evenly(10), seconds=5, requests=7).outcomes) == 7
    assert len(simulate(ROUND_ROBIN, [EVEN], arrivals=lambda rng: iter([1.0, 1.0, 4.0])).outcomes) == 3
    assert len(simulate(ROUND_ROBIN, [EVEN] * 5, rate=10).outcomes) == 20_000
    assert simulate(ROUND_ROBIN, [EVEN], arrivals=evenly(1), seconds=0.5).outcomes == []


async def test_inside_a_loop() -> None:
    """It may be called where an event loop runs, and gives the same."""
    inside = simulate(ROUND_ROBIN, [EVEN], rate=1, requests=10)
    outside = await asyncio.to_thread(simulate, ROUND_ROBIN, [EVEN], rate=1, requests=10)
    assert inside.times == outside.times


class _Broken(Balancer):
    """Breaks with ``error`` after ten requests; without one, it chooses what is none of its endpoints."""

    def __init__(self, error: Exception | None = None) -> None:
        self._asked = 0
        self._error = error

    def bind(self, snapshot: Snapshot) -> Order:
        def order(exchange: Exchange) -> Iterable[Endpoint]:
            self._asked += 1
            if self._asked <= 10:
                return snapshot.endpoints
            if self._error is not None:
                raise self._error
            return (Endpoint("http://elsewhere"),)

        return order


def test_a_balancer_that_breaks() -> None:
    """An error of the code that is simulated is no failed request: it ends the simulation."""
    with pytest.raises(ZeroDivisionError):
        simulate(lambda clock, rng: _Broken(ZeroDivisionError()), [EVEN], rate=100)
    with pytest.raises(Exception, match="none of its endpoints"):
        simulate(lambda clock, rng: _Broken(), [EVEN], rate=100)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "rate: either it or arrivals"),
        ({"rate": 1, "arrivals": evenly(1)}, "rate: either it or arrivals"),
        ({"rate": 0}, "rate must be above 0"),
        ({"rate": 1, "requests": 0}, "requests must be at least 1, got 0"),
        ({"rate": 1, "seconds": 0}, "seconds must be above 0, got 0"),
        ({"rate": 1, "timeout": -1}, "timeout must be above 0, got -1"),
        ({"rate": 1, "keys": ()}, "keys: there must be some"),
        ({"rate": 1, "keys": "ab", "asks": lambda rng, now: exchange()}, "keys: there must be some, or asks"),
        ({"arrivals": lambda rng: iter([2.0, 1.0])}, "arrivals: times must be in order, from 0 on, got 1.0 after 2.0"),
        ({"arrivals": lambda rng: iter([-1.0])}, "arrivals: times must be in order"),
    ],
)
def test_what_cannot_be_simulated(options: dict[str, object], why: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=why):
        simulate(ROUND_ROBIN, [EVEN], **options)  # type: ignore[arg-type]


def test_without_servers() -> None:
    """Somebody must be there from the start."""
    for servers in ([], [Server(service=constant(1), joins=1)]):
        with pytest.raises(ValueError, match="servers: one must be there from the start"):
            simulate(ROUND_ROBIN, servers, rate=1)
