"""Failures that outlive their cause: Bronson, Aghayev, Charapko and Zhu, "Metastable Failures in Distributed Systems",
HotOS 2021. A load that servers can carry, a short trigger, and retries that keep them too busy ever to recover."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from revproxy import Filter, Handler, Pipeline
from revproxy.balancers import P2C
from revproxy.filters import CircuitBreaker, ConcurrencyLimit, Deadline, Retry
from revproxy.health import EndpointBreaker, Trip
from revproxy.limiters import Gradient, RetryBudget
from revproxy.testing.simulate import Arrivals, Server, Simulation, Site, Times, exponential, poisson, simulate, slow

from .figures import amplification, goodput

pytestmark = pytest.mark.soak

SERVERS, WORKERS, SERVICE = 4, 5, 0.1
CAPACITY = SERVERS * WORKERS / SERVICE
RATE = 0.7 * CAPACITY
BEGIN, END = 10.0, 13.0
"""Of the trigger."""
LAST = END + 12
"""Those that come later see the load end."""
PATIENCE = 1.0
"""Seconds that an attempt waits for its answer, as clients do."""

STEADY = poisson(RATE)
BURST = poisson(lambda now: 3 * CAPACITY if BEGIN <= now < END else RATE, peak=3 * CAPACITY)
HEALTHY = exponential(SERVICE)
SLOWED = slow(HEALTHY, by=10, start=BEGIN, end=END)
TRIGGERS = pytest.mark.parametrize(
    ("arrivals", "times"), [(STEADY, SLOWED), (BURST, HEALTHY)], ids=["ten times slower", "three times the capacity"]
)


def unbounded(site: Site, attempts: int = 3) -> Retry:
    budget = RetryBudget(10, reserve=1e6)
    return Retry(attempts, per_try=PATIENCE, budget=budget, clock=site.clock, rng=site.rng)


def bounded(site: Site) -> Retry:
    return Retry(3, per_try=PATIENCE, clock=site.clock, rng=site.rng)


def limited(site: Site) -> Filter:
    return ConcurrencyLimit(Gradient(rng=site.rng), clock=site.clock)


def simulated(arrivals: Arrivals, times: Times, compose: Callable[[Site], Handler], seed: int = 1) -> Simulation:
    """Until a quarter of a minute after the trigger."""
    servers = [Server(service=times, workers=WORKERS) for _ in range(SERVERS)]
    return simulate(
        lambda clock, rng: P2C(rng=rng),
        servers,
        arrivals=arrivals,
        seconds=END + 15,
        keys=range(200),
        compose=compose,
        seed=seed,
    )


@TRIGGERS
def test_unprotected(arrivals: Arrivals, times: Times) -> None:
    """What the others are measured by: with three attempts and nothing that bounds them, three seconds of trouble are
    the end of a site that carries its load with ease. Long after the trigger most requests fail, though the servers are
    well and asked for 70 % of what they can do; for each attempt that is not waited for any more makes another. Without
    retries the same site recovers at once, so it is they that hold it down."""
    run = simulated(arrivals, times, lambda site: Pipeline(unbounded(site), handler=site.upstream()))
    assert goodput(run, 0, BEGIN) > 0.99
    assert goodput(run, END + 5, LAST) < 0.5
    assert amplification(run, END + 5, LAST) > 2
    once = simulated(arrivals, times, lambda site: Pipeline(unbounded(site, 1), handler=site.upstream()))
    assert goodput(once, END + 5, END + 15) > 0.99


def with_budget(site: Site) -> Handler:
    return Pipeline(bounded(site), handler=site.upstream())


def with_limit(site: Site) -> Handler:
    """Around each attempt."""
    return Pipeline(unbounded(site), limited(site), handler=site.upstream())


def with_breaker(site: Site) -> Handler:
    breaker = CircuitBreaker(Trip(window=2, seconds=2, ramp=2), clock=site.clock, rng=site.rng)
    return Pipeline(breaker, unbounded(site), handler=site.upstream())


def with_all(site: Site) -> Handler:
    """With a breaker for each server, too, which takes no more of them out than the others can stand in for."""
    breaker = EndpointBreaker(max_ejected=0.25, clock=site.clock, rng=site.rng)
    return Pipeline(
        Deadline(2 * PATIENCE, clock=site.clock),
        bounded(site),
        limited(site),
        handler=site.upstream(health=[breaker]),
    )


@pytest.mark.parametrize("compose", [with_budget, with_limit, with_breaker, with_all])
@TRIGGERS
def test_protected(arrivals: Arrivals, times: Times, compose: Callable[[Site], Handler]) -> None:
    """The same site, with a retry budget, with a limit that adapts, with a circuit breaker around the retries, or with
    all that the library has against it: from five seconds after the trigger on at least 95 % of the requests are
    answered again, and as soon as before."""
    run = simulated(arrivals, times, compose)
    before, after = run.between(6, BEGIN), run.between(END + 5, END + 15)
    assert goodput(run, 6, BEGIN) > 0.95, "an adaptive limit begins with little, and finds out in five seconds"
    assert goodput(run, END + 5, END + 15) >= 0.95
    assert after.percentile(99) < 1.5 * before.percentile(99)
