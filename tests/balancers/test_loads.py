"""Loads, and the balancers that compare them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import exp
from random import Random

import pytest

from revproxy import Attempt, Endpoint
from revproxy.balancers import (
    P2C,
    InFlight,
    Least,
    Load,
    Order,
    PeakEwma,
    PowerOfD,
    ResponseTime,
    Snapshot,
    WeightedRandom,
)
from revproxy.balancers.base import Balancer
from revproxy.balancers.ewma import Timed
from revproxy.errors import ClientDisconnected, ConnectFailed, ProxyError
from revproxy.testing import FakeClock, exchange

SUBJECT = exchange()


def members(*weights: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(f"http://{number}.test", weight=weight) for number, weight in enumerate(weights))


def first(order: Order) -> Endpoint:
    return next(iter(order(SUBJECT)))


def took(
    load: Load | Balancer,
    endpoint: Endpoint,
    clock: FakeClock,
    seconds: float,
    error: ProxyError | None = None,
    *,
    answered: bool = True,
) -> None:
    """An attempt that has just ended, ``seconds`` after it began."""
    attempt = Attempt(endpoint, SUBJECT, SUBJECT.request, 1, clock.now() - seconds)
    attempt.ended, attempt.error = clock.now(), error
    attempt.first_byte = clock.now() if answered and error is None else None
    load.settled(attempt)


# Requests in flight.


def test_in_flight() -> None:
    """Requests in flight per weight: idle endpoints cost the same, whatever their weights."""
    light, heavy = endpoints = members(1, 4)
    cost = InFlight().bind(Snapshot(endpoints))
    assert cost(light) == cost(heavy)
    light.in_flight, heavy.in_flight = 1, 4
    assert cost(light) == cost(heavy)
    heavy.in_flight = 3
    assert cost(heavy) < cost(light)


# Averages.


def test_peak_ewma_is_finagles() -> None:
    """A response time above the average replaces it at once, one below brings it down by what time has passed, and so
    does silence; the cost is that times the requests in flight and one."""
    clock = FakeClock()
    load = PeakEwma(decay=10, clock=clock)
    (endpoint,) = members(1)
    cost = load.bind(Snapshot((endpoint,)))
    took(load, endpoint, clock, 2.0)
    assert cost(endpoint) == pytest.approx(2.0)
    clock.advance(5)
    took(load, endpoint, clock, 1.0)
    expected = 2 * exp(-0.5) + 1.0 * (1 - exp(-0.5))
    assert cost(endpoint) == pytest.approx(expected)
    clock.advance(10)
    assert cost(endpoint) == pytest.approx(expected := expected * exp(-1))
    endpoint.in_flight = 3
    assert cost(endpoint) == pytest.approx(4 * expected)
    took(load, endpoint, clock, 7.0)
    assert cost(endpoint) == pytest.approx(4 * 7.0)


def test_response_time_is_an_average() -> None:
    """Slow and fast answers count alike, by the time between them; the first one counts whole."""
    clock = FakeClock()
    load = ResponseTime(decay=10, clock=clock)
    (endpoint,) = members(1)
    cost = load.bind(Snapshot((endpoint,)))
    took(load, endpoint, clock, 1.0)
    assert cost(endpoint) == pytest.approx(1.0, abs=1e-5)
    clock.advance(10)
    took(load, endpoint, clock, 3.0)
    assert cost(endpoint) == pytest.approx(exp(-1) + 3 * (1 - exp(-1)), abs=1e-5)


def test_the_unknown() -> None:
    """What is not known yet is tried; by ``PeakEwma`` with one request alone until that is answered."""
    for load in (PeakEwma(clock=FakeClock()), ResponseTime(clock=FakeClock())):
        known, unknown = endpoints = members(1, 1)
        cost = load.bind(Snapshot(endpoints))
        took(load, known, FakeClock(), 0.1)
        assert cost(unknown) < cost(known)
        unknown.in_flight, known.in_flight = 1, 50
        assert (cost(unknown) > cost(known)) == isinstance(load, PeakEwma)


@pytest.mark.parametrize("make", [PeakEwma, ResponseTime])
def test_failures_are_not_fast(make: Callable[..., Timed]) -> None:
    """A server that refuses at once counts as slow; what the client did, or a request without an answer, as nothing."""
    clock = FakeClock()
    load = make(failure=2.0, clock=clock)
    (endpoint,) = members(1)
    cost = load.bind(Snapshot((endpoint,)))
    before = cost(endpoint)
    took(load, endpoint, clock, 0.001, ClientDisconnected())
    took(load, endpoint, clock, 0.001, answered=False)
    assert cost(endpoint) == before
    took(load, endpoint, clock, 0.001, ConnectFailed())
    assert cost(endpoint) == pytest.approx(2.0, abs=1e-5)


@pytest.mark.parametrize("make", [PeakEwma, ResponseTime])
def test_what_was_slow_is_tried_again(make: Callable[..., Timed]) -> None:
    """An endpoint that was slow becomes cheaper in silence, until it is cheaper than one that is at work."""
    clock = FakeClock()
    load = make(clock=clock)
    slow, quick = endpoints = members(1, 1)
    order = Least(load, rng=Random(1)).bind(Snapshot(endpoints))
    took(load, slow, clock, 5.0)
    took(load, quick, clock, 0.1)
    assert first(order) is quick
    for _ in range(60):
        clock.advance(1)
        took(load, quick, clock, 0.1)
    assert first(order) is slow


@pytest.mark.parametrize("make", [PeakEwma, ResponseTime])
def test_what_is_known_outlives_a_change(make: Callable[..., Timed]) -> None:
    """Bound again, a load knows what it knew of who is still there; of who is not it knows nothing."""
    clock = FakeClock()
    load = make(clock=clock)
    one, two, three = endpoints = members(1, 1, 1)
    load.bind(Snapshot(endpoints))
    took(load, one, clock, 3.0)
    took(load, two, clock, 3.0)
    cost = load.bind(Snapshot((one, three)))
    took(load, two, clock, 9.0)
    assert cost(one) == pytest.approx(3.0, abs=1e-5)
    assert cost(three) < 0.01


@pytest.mark.parametrize("bad", [{"decay": 0}, {"decay": -1}, {"failure": -1}])
@pytest.mark.parametrize("make", [PeakEwma, ResponseTime])
def test_bad_averages(make: Callable[..., Timed], bad: dict[str, float]) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=next(iter(bad))):
        make(**bad)


# Balancers.


@pytest.mark.parametrize("loads", [(3, 1, 2), (0, 0, 5), (9, 8, 7)])
def test_least_is_in_order(loads: tuple[int, ...]) -> None:
    """The walk is by load, the least first; between equals it is by chance."""
    endpoints = members(1, 1, 1)
    for endpoint, load in zip(endpoints, loads, strict=True):
        endpoint.in_flight = load
    order = Least(rng=Random(1)).bind(Snapshot(endpoints))
    walks = {tuple(endpoint.in_flight for endpoint in order(SUBJECT)) for _ in range(50)}
    assert walks == {tuple(sorted(loads))}
    assert len({first(order) for _ in range(50)}) == loads.count(min(loads))


def test_power_of_d_takes_the_least_of_those_it_draws() -> None:
    """With as many draws as it takes to see all, it is the least of all; with one, it is the draw itself."""
    endpoints = members(1, 1, 1, 1)
    for number, endpoint in enumerate(endpoints):
        endpoint.in_flight = number
    most = PowerOfD(50, rng=Random(1)).bind(Snapshot(endpoints))
    assert {first(most) for _ in range(20)} == {endpoints[0]}
    one = PowerOfD(1, rng=Random(1)).bind(Snapshot(endpoints))
    assert len({first(one) for _ in range(100)}) == 4
    with pytest.raises(ValueError, match="d must be"):
        PowerOfD(0)


def test_p2c_by_another_load() -> None:
    """Of two endpoints the one that costs less by the load, whatever is in flight."""
    clock = FakeClock()
    load = PeakEwma(clock=clock)
    slow, quick = endpoints = members(1, 1)
    order = P2C(load, rng=Random(1)).bind(Snapshot(endpoints))
    took(load, slow, clock, 1.0)
    took(load, quick, clock, 0.1)
    quick.in_flight = 3
    assert {first(order) for _ in range(20)} == {quick}
    quick.in_flight = 20
    assert {first(order) for _ in range(20)} == {slow}


@pytest.mark.parametrize("weights", [(1, 1), (1, 2, 3, 4), (7, 1, 1, 1)])
def test_draws_by_weight(weights: tuple[int, ...]) -> None:
    """Over 100,000 draws every share is right within one per cent of all."""
    endpoints = members(*weights)
    order = WeightedRandom(rng=Random(1)).bind(Snapshot(endpoints))
    counts = Counter(first(order) for _ in range(100_000))
    for endpoint in endpoints:
        assert counts[endpoint] / 100_000 == pytest.approx(endpoint.weight / sum(weights), abs=0.01)


def test_who_learns() -> None:
    """Nobody is told how attempts went that has nothing to learn from it."""
    assert [P2C().learns, Least().learns, PowerOfD(2).learns, WeightedRandom().learns] == [False] * 4
    assert [P2C(PeakEwma()).learns, Least(ResponseTime()).learns, PowerOfD(2, PeakEwma()).learns] == [True] * 3


def test_they_print_themselves() -> None:
    """With what they compare."""
    assert [repr(P2C()), repr(P2C(PeakEwma())), repr(Least(ResponseTime(decay=3))), repr(PowerOfD(3))] == [
        "P2C()",
        "P2C(PeakEwma())",
        "Least(ResponseTime(decay=3))",
        "PowerOfD(3, InFlight())",
    ]
