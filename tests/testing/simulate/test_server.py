"""Servers: lines and workers, deaths, and what the upstream knows of them."""

from __future__ import annotations

from functools import partial

import pytest

from revproxy.balancers import First, Priorities, RoundRobin
from revproxy.testing.simulate import Make, Server, constant, evenly, exponential, failing, simulate
from revproxy.testing.simulate.faults import LOST

ROUND_ROBIN: Make = lambda clock, rng: RoundRobin()  # noqa: E731
FIRST: Make = lambda clock, rng: First()  # noqa: E731


@pytest.mark.soak
def test_one_queue() -> None:
    """One server that serves one at a time is the M/M/1 queue: at half its rate requests take twice as long as served
    alone, and exponentially distributed."""
    run = simulate(ROUND_ROBIN, [Server(service=exponential(0.05), workers=1)], rate=10, requests=50_000)
    assert sum(run.times) / len(run.times) == pytest.approx(0.1, rel=0.05)
    assert run.percentile(50) == pytest.approx(0.1 * 0.693, rel=0.05)
    assert len(run.times) == 50_000
    assert run.seconds == pytest.approx(5000, rel=0.05)


@pytest.mark.soak
def test_constant_times() -> None:
    """With constant times the wait is half of that: the M/D/1 queue (Pollaczek and Khinchine)."""
    run = simulate(ROUND_ROBIN, [Server(service=constant(0.05), workers=1)], rate=10, requests=50_000)
    assert sum(run.times) / len(run.times) == pytest.approx(0.075, rel=0.05)


@pytest.mark.soak
def test_several_workers() -> None:
    """Two workers that are half busy are the M/M/2 queue: requests take a third longer than served alone (Erlang's C
    formula)."""
    run = simulate(ROUND_ROBIN, [Server(service=exponential(0.1), workers=2)], rate=10, requests=50_000)
    assert sum(run.times) / len(run.times) == pytest.approx(0.1 * 4 / 3, rel=0.05)


def test_many_workers() -> None:
    """Where everybody has a worker at once, requests take as long as they are served."""
    run = simulate(ROUND_ROBIN, [Server(service=constant(0.1), workers=1000)] * 2, rate=100, requests=1000)
    assert run.times == pytest.approx([0.1] * 1000)
    assert [each.requests for each in run.servers] == [500, 500]
    assert run.fairness == 1.0


def test_most() -> None:
    """The requests in flight at most, with those in line."""
    run = simulate(ROUND_ROBIN, [Server(service=constant(10), workers=1)], arrivals=evenly(10), requests=20)
    assert run.servers[0].most == 20
    assert run.seconds == pytest.approx(0.1 + 20 * 10)


def test_dies_and_comes_back() -> None:
    """What is there when a server dies is lost, in line and served; what comes is refused; then it is as good as new,
    and has nothing of before to do."""
    server = Server(service=constant(1.0), workers=1, down=[(3.05, 5.05), (8.55, 9.05)])
    run = simulate(ROUND_ROBIN, [server], arrivals=evenly(2), requests=20)
    how = [type(each.error).__name__ if each.error else "answered" for each in run.outcomes]
    assert how == [
        *["answered"] * 2,  # of six until 3 s, one a second
        *["ConnectionLost"] * 4,
        *["ConnectFailed"] * 4,  # until 5 s
        *["answered"] * 3,
        *["ConnectionLost"] * 4,
        "ConnectFailed",
        *["answered"] * 2,
    ]
    lost = [each for each in run.outcomes if type(each.error).__name__ == "ConnectionLost"]
    assert {round(each.at + each.seconds, 6) for each in lost} == {3.05, 8.55}
    assert run.outcomes[10].seconds == pytest.approx(1.0)


def test_nobody_waits_any_more() -> None:
    """A request whose turn comes after its time-out is passed over; one that has its turn keeps the worker to the end,
    so a server that is slower than the time-out works in vain."""
    server = Server(service=constant(1.0), workers=1)
    run = simulate(ROUND_ROBIN, [server], arrivals=evenly(4), requests=8, timeout=0.9)
    assert [each.error is None for each in run.outcomes] == [False] * 8
    # The worker has at 0.25 the first, at 1.25 the fifth (the others gave up), at 2.25 nobody.
    assert run.seconds == pytest.approx(2.0 + 0.9)
    spared = simulate(ROUND_ROBIN, [server], arrivals=evenly(4), requests=5, timeout=1.5)
    assert [each.error is None for each in spared.outcomes] == [True, False, False, False, False]


def test_limits() -> None:
    """An endpoint's limit is the upstream's: what is over it goes to the next, and fails where there is none."""
    full = Server(service=constant(100), limit=3)
    run = simulate(FIRST, [full, full], arrivals=evenly(10), requests=8)
    assert [each.requests for each in run.servers] == [3, 3]
    assert run.errors == {"NoEndpoint": 2}
    assert [each.most for each in run.servers] == [3, 3]


def test_weights_and_priorities() -> None:
    """They are the endpoints' own, so balancers that look at them can be simulated: a spare gets what the first level
    is too full for."""
    assert [
        each.requests
        for each in simulate(
            ROUND_ROBIN, [Server(service=constant(0.1), weight=weight) for weight in (1, 3)], rate=10, requests=400
        ).servers
    ] == [100, 300]
    servers = [Server(service=constant(0.1), limit=2), Server(service=constant(0.1), priority=1)]
    make: Make = lambda clock, rng: Priorities(First, clock=clock, rng=rng)  # noqa: E731
    assert simulate(make, servers, rate=2, requests=500).servers[1].requests < 20
    assert simulate(make, servers, rate=40, requests=500).servers[1].requests > 200


def test_fails_by_chance() -> None:
    """A share of the requests fails, of which the server says so."""
    server = Server(service=constant(0.01), fails=failing(LOST, share=0.1))
    run = simulate(ROUND_ROBIN, [server], rate=100, requests=5000)
    assert run.servers[0].failures == run.failures == pytest.approx(500, rel=0.15)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"joins": -1}, "joins must be at least 0"),
        ({"joins": 5, "leaves": 5}, "joins must be at least 0 and before leaves, got 5 and 5"),
        ({"down": [(2, 1)]}, "down must be"),
        ({"down": [(1, 3), (2, 4)]}, "down must be"),
    ],
)
def test_what_is_no_server(settings: dict[str, object], why: str) -> None:
    """It says which parameter is wrong."""
    make = partial(Server, service=constant(1))
    with pytest.raises(ValueError, match=why):
        make(**settings)  # type: ignore[arg-type]


def test_a_service_time_that_is_none() -> None:
    """It ends the simulation."""
    with pytest.raises(RuntimeError, match="service must be finite seconds of at least 0, got -1"):
        simulate(ROUND_ROBIN, [Server(service=lambda rng, now: -1)], rate=1)
