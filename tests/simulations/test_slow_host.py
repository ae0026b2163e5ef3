"""One of several servers becomes ten times slower, and well again (algorithms rows 6 and 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from revproxy.balancers import P2C, RoundRobin
from revproxy.health import EndpointBreaker, HealthPolicy, OutlierDetection, Trip
from revproxy.testing.simulate import Make, Server, Simulation, Site, exponential, simulate, slow

from .figures import ejected, ejections, share

pytestmark = pytest.mark.soak

SERVERS, SERVICE, RATE = 6, 0.02, 150.0
BEGIN, END, SECONDS = 15.0, 50.0, 100.0
"""When it becomes slow, and when it is well again."""

Policies = Callable[[Site], Sequence[HealthPolicy]]


def in_turn() -> Make:
    return lambda clock, rng: RoundRobin()


def the_less_busy() -> Make:
    return lambda clock, rng: P2C(rng=rng)


def nothing(site: Site) -> Sequence[HealthPolicy]:
    return ()


def outliers(site: Site) -> Sequence[HealthPolicy]:
    return (OutlierDetection(latency=3, clock=site.clock, rng=site.rng),)


def breaker(site: Site) -> Sequence[HealthPolicy]:
    trip = Trip(slow=0.5, slow_after=5 * SERVICE, window=3, seconds=3, most=15)
    return (EndpointBreaker(trip, max_ejected=0.34, clock=site.clock, rng=site.rng),)


def simulated(make: Make, policies: Policies, *, sick: int = 1, seconds: float = SECONDS, seed: int = 1) -> Simulation:
    """The first ``sick`` of the servers become slow."""
    healthy = exponential(SERVICE)
    slowed = slow(healthy, by=10, start=BEGIN, end=END)
    servers = [Server(service=slowed if number < sick else healthy) for number in range(SERVERS)]
    return simulate(
        make,
        servers,
        rate=RATE,
        seconds=seconds,
        keys=range(200),
        compose=lambda site: site.upstream(health=policies(site)),
        seed=seed,
    )


@pytest.mark.parametrize(
    ("make", "policies"), [(in_turn, outliers), (in_turn, breaker), (the_less_busy, outliers), (the_less_busy, breaker)]
)
def test_clients_see_no_more_of_it(make: Callable[[], Make], policies: Policies) -> None:
    """What one slow server of six does to the 99th percentile, without a policy, is undone by one that looks at times:
    from fifteen seconds after it became slow until it is well clients wait as long as they did before. When it is well,
    it has its share again."""
    run, plain = simulated(make(), policies), simulated(make(), nothing, seconds=END)
    before = run.between(0, BEGIN).percentile(99)
    assert plain.between(BEGIN + 15, END).percentile(99) > 2 * before
    assert run.between(BEGIN + 15, END).percentile(99) < 1.5 * before
    assert run.failures == 0
    assert {each.endpoint for each in ejections(run)} == {run.servers[0].endpoint.name}
    assert share(run, 0, BEGIN + 15, END) < 0.02
    assert share(run, 0, SECONDS - 15, SECONDS) > 0.8 / SERVERS


@pytest.mark.parametrize(("policies", "sick", "most"), [(outliers, 2, 1), (breaker, 4, 2)])
def test_not_too_many_are_out(policies: Policies, sick: int, most: int) -> None:
    """However many are slow: no more are ejected at any moment than the share that may be (one of six with the default
    of a tenth, two with a third), and all that may be are. Who comes after is left in, and nothing fails."""
    run = simulated(in_turn(), policies, sick=sick, seconds=END)
    assert max(map(len, ejected(run))) == most
    assert run.failures == 0
