"""Servers that fail and recover every few seconds (algorithms rows 6 and 15)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from revproxy import Handler, Pipeline
from revproxy.balancers import P2C
from revproxy.filters import Retry
from revproxy.health import EndpointBreaker, HealthPolicy, OutlierDetection, Trip
from revproxy.testing.simulate import LOST, Fails, Fault, Server, Simulation, Site, exponential, simulate

from .figures import ejected, ejections, goodput, share

pytestmark = pytest.mark.soak

SERVERS, SERVICE, RATE = 5, 0.02, 100.0
BEGIN, HALF, END = 5.0, 50.0, 95.0
"""When it begins to flap, and when it is over; what is counted is compared before and after the middle."""

Policy = Callable[[Site], HealthPolicy]


def flapping(*, end: float = END, again: float = float("inf")) -> Fails:
    """Two seconds of four, until ``end``; and two seconds ``again``."""

    def fails(rng: Random, now: float) -> Fault | None:
        return LOST if (BEGIN <= now < end and now % 4 < 2) or again <= now < again + 2 else None

    return fails


def outliers(site: Site) -> HealthPolicy:
    return OutlierDetection(interval=2, base=3, most=30, requests=20, clock=site.clock, rng=site.rng)


def breaker(site: Site) -> HealthPolicy:
    return EndpointBreaker(Trip(window=2, seconds=2, most=30, ramp=2), clock=site.clock, rng=site.rng)


def simulated(
    policy: Policy | None,
    *,
    flaps: int = 1,
    retries: bool = False,
    fails: Fails | None = None,
    panic: float = 0.5,
    seconds: float,
    seed: int = 1,
) -> Simulation:
    """The first ``flaps`` of the servers do."""

    def compose(site: Site) -> Handler:
        upstream = site.upstream(health=[] if policy is None else [policy(site)], panic=panic)
        return Pipeline(Retry(clock=site.clock, rng=site.rng), handler=upstream) if retries else upstream

    fails = fails or flapping()
    servers = [Server(service=exponential(SERVICE), fails=fails if n < flaps else None) for n in range(SERVERS)]
    return simulate(
        lambda clock, rng: P2C(rng=rng),
        servers,
        rate=RATE,
        seconds=seconds,
        keys=range(200),
        compose=compose,
        seed=seed,
    )


@pytest.mark.parametrize("policy", [outliers, breaker])
def test_it_is_out_for_longer_and_longer(policy: Policy) -> None:
    """Clients see a few requests fail each time that it comes back, and as it is out for longer each time, fewer of
    them as time goes on. Without a policy they see a tenth of all fail to the end."""
    plain, run = simulated(None, seconds=END), simulated(policy, seconds=END)
    early, late = run.between(BEGIN, HALF).failures, run.between(HALF, END).failures
    assert plain.between(HALF, END).failures > 400
    assert early < 110
    assert late < 0.8 * early
    times = [each.seconds or 0.0 for each in ejections(run)]
    assert max(times) > 4 * times[0]


@pytest.mark.parametrize("policy", [outliers, breaker])
def test_it_is_forgiven(policy: Policy) -> None:
    """When the flapping is over it comes back and has its share; and when it fails once more, long after, it is out for
    as short a time as it was first."""
    end, again = 30.0, 130.0
    run = simulated(policy, fails=flapping(end=end, again=again), seconds=again + 5)
    times = [each.seconds or 0.0 for each in ejections(run)]
    assert max(times) > 2.5 * times[0]
    assert not ejections(run.between(end, again))
    assert run.between(end, again).failures == 0
    assert share(run, 0, again - 30, again) > 0.8 / SERVERS
    (last,) = ejections(run.between(again, again + 5))
    assert last.seconds is not None
    assert last.seconds < 1.2 * times[0]


@pytest.mark.parametrize("policy", [outliers, breaker, None])
def test_with_a_retry(policy: Policy | None) -> None:
    """A single attempt more, and clients see nothing of it: another server answers."""
    run = simulated(policy, retries=True, seconds=END)
    assert run.failures == 0
    assert run.attempts < 1.15 * len(run.outcomes)


def test_all_flap_at_once() -> None:
    """What is no server's own fault does not take all of them away. ``OutlierDetection`` never ejects all; breakers
    may, but with panic on, as it is by default, all are used then: nobody is refused for want of a server, and when it
    is over, all is well. Without panic requests are refused long after."""
    seconds = END + 25
    run = simulated(outliers, flaps=SERVERS, seconds=seconds)
    assert max(map(len, ejected(run))) == 1
    assert set(run.errors) == {"ConnectionLost"}
    assert goodput(run, END, seconds) == 1
    run = simulated(breaker, flaps=SERVERS, seconds=seconds)
    assert max(map(len, ejected(run))) == SERVERS
    assert set(run.errors) == {"ConnectionLost"}
    assert goodput(run, END, seconds) == 1
    run = simulated(breaker, flaps=SERVERS, panic=0, seconds=seconds)
    assert set(run.errors) == {"ConnectionLost", "NoEndpoint"}
    assert goodput(run, END, seconds) < 0.9
