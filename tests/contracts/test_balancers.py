"""What every balancer promises. A new one is one line in ``BALANCERS``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Attempt, Endpoint, Exchange, Upstream
from revproxy.balancers import (
    P2C,
    Balancer,
    Bounded,
    First,
    Least,
    Maglev,
    Order,
    PeakEwma,
    PowerOfD,
    Rendezvous,
    ResponseTime,
    Ring,
    RoundRobin,
    Snapshot,
    WeightedRandom,
)
from revproxy.endpoint import EndpointState
from revproxy.errors import NoEndpoint
from revproxy.testing import FakeTransport, exchange


def nobody(exchange: Exchange) -> None:
    """No key, as of clients that cannot be told apart: then the draw is by weight."""


BALANCERS: list[Callable[[], Balancer]] = [
    RoundRobin,
    lambda: P2C(rng=Random(1)),
    lambda: P2C(PeakEwma(), rng=Random(1)),
    lambda: P2C(ResponseTime(), rng=Random(1)),
    lambda: PowerOfD(3, rng=Random(1)),
    lambda: PowerOfD(3, PeakEwma(), rng=Random(1)),
    lambda: Least(rng=Random(1)),
    lambda: Least(ResponseTime(), rng=Random(1)),
    lambda: WeightedRandom(rng=Random(1)),
    lambda: Rendezvous(nobody, rng=Random(1)),
    lambda: Ring(nobody, rng=Random(1)),
    lambda: Maglev(nobody, size=1009, rng=Random(1)),
    lambda: Bounded(Maglev(nobody, size=1009, rng=Random(1)), factor=2),
    lambda: First(),
]

pytestmark = pytest.mark.parametrize("make", BALANCERS, ids=lambda make: repr(make()))

Make = Callable[[], Balancer]
WEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def endpoints(*weights: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(f"http://{number}.test", weight=weight) for number, weight in enumerate(weights))


def bind(balancer: Balancer, members: tuple[Endpoint, ...]) -> Order:
    return balancer.bind(Snapshot(members))


def first(order: Order) -> Endpoint:
    return next(iter(order(exchange())))


@given(weights=WEIGHTS, loads=st.lists(st.integers(0, 9), min_size=8, max_size=8), draws=st.integers(1, 20))
def test_every_endpoint_once(make: Make, weights: list[int], loads: list[int], draws: int) -> None:
    """An order, walked to its end, has every endpoint exactly once, whatever weights and loads, each time anew."""
    members = endpoints(*weights)
    for member, load in zip(members, loads, strict=False):
        member.in_flight = load
    order = bind(make(), members)
    for _ in range(draws):
        walked = list(order(exchange()))
        assert len(walked) == len(members)
        assert set(walked) == set(members)


@given(weights=WEIGHTS, taken=st.lists(st.integers(0, 8), max_size=10))
def test_walks_do_not_disturb_each_other(make: Make, weights: list[int], taken: list[int]) -> None:
    """Walks that were broken off anywhere, and walks that go on at once, leave every other one whole."""
    members = endpoints(*weights)
    order = bind(make(), members)
    others = [iter(order(exchange())) for _ in taken]
    for other, count in zip(others, taken, strict=True):
        for _ in range(min(count, len(members))):
            next(other)
    assert set(order(exchange())) == set(members)
    for other, count in zip(others, taken, strict=True):
        assert len(list(other)) == max(len(members) - count, 0)


def test_one_endpoint(make: Make) -> None:
    """A single endpoint is all there is, however often it is asked for."""
    (only,) = members = endpoints(7)
    order = bind(make(), members)
    assert [list(order(exchange())) for _ in range(5)] == [[only]] * 5


def test_loads_are_read_only(make: Make) -> None:
    """A balancer counts nothing in an endpoint's name: in flight is the upstream's to write."""
    members = endpoints(1, 2, 3)
    order = bind(make(), members)
    for _ in range(10):
        list(order(exchange()))
    assert [member.in_flight for member in members] == [0, 0, 0]


def test_acceptance_is_the_upstreams(make: Make) -> None:
    """Law 3: endpoints that are full or drain stay in the order; who walks it passes over them."""
    full, draining, fine = members = endpoints(1, 1, 1)
    full.limit, full.in_flight, draining.state = 1, 1, EndpointState.DRAINING
    order = bind(make(), members)
    for _ in range(10):
        assert set(order(exchange())) == {full, draining, fine}


async def test_through_an_upstream(make: Make) -> None:
    """Every place of every endpoint is found, whoever is asked first; then there is none."""
    members = tuple(Endpoint(f"http://{number}.test", weight=number, limit=number) for number in (1, 2, 3, 4))
    transport = FakeTransport()
    upstream = Upstream(*members, balancer=make(), transport=transport)
    subjects = [exchange() for _ in range(10)]
    for subject in subjects:
        await upstream(subject)
    assert Counter(attempt.endpoint for attempt in transport.attempts) == {each: each.limit for each in members}
    with pytest.raises(NoEndpoint):
        await upstream(exchange())
    for subject in subjects:
        subject.finish()
    assert [member.in_flight for member in members] == [0, 0, 0, 0]


SHARES = [(1, 1), (1, 3), (1, 1, 1, 1), (1, 2, 3, 4), (5, 1, 1), (10, 1, 1, 1)]


@pytest.mark.parametrize("weights", SHARES)
@pytest.mark.parametrize("held", [False, True], ids=["idle", "held"])
def test_weights_are_shares(make: Make, weights: tuple[int, ...], held: bool) -> None:
    """Over many draws every endpoint gets its weight's share, within a tenth of all: where requests are over before the
    next comes as well as where they stay in flight. But for ``First``, to which weights mean nothing."""
    if isinstance(make(), First):
        assert first(bind(make(), members := endpoints(*weights))) is members[0]
        return
    members = endpoints(*weights)
    order = bind(make(), members)
    draws = 2000
    drawn: Counter[Endpoint] = Counter()
    for _ in range(draws):
        member = first(order)
        drawn[member] += 1
        member.in_flight += held
    for member in members:
        assert drawn[member] / draws == pytest.approx(member.weight / sum(weights), abs=0.1), drawn


@pytest.mark.parametrize("weights", [(1, 2, 3, 4), (10, 1, 1, 1)])
def test_weight_error(make: Make, weights: tuple[int, ...]) -> None:
    """Over 100,000 draws every share is right within one per cent of all; by the ring, whose shares are as even as its
    points are many, within four."""
    balancer, members, draws = make(), endpoints(*weights), 100_000
    if isinstance(balancer, First):
        return
    order, asked = bind(balancer, members), exchange()
    drawn = Counter(next(iter(order(asked))) for _ in range(draws))
    error = 0.04 if isinstance(balancer, Ring) else 0.01
    for member in members:
        assert drawn[member] / draws == pytest.approx(member.weight / sum(weights), abs=error), drawn


def test_bound_again(make: Make) -> None:
    """After a change of membership the order has the new members; one that was handed out before still works."""
    balancer = make()
    before, after = endpoints(1, 2), endpoints(3, 1, 1)
    old = bind(balancer, before)
    list(old(exchange()))
    new = bind(balancer, after)
    assert set(new(exchange())) == set(after)
    assert set(old(exchange())) == set(before)


def test_learning_is_optional(make: Make) -> None:
    """``settled`` may be called with any attempt, one that failed included."""
    balancer = make()
    members = endpoints(1, 1)
    order = bind(balancer, members)
    subject = exchange()
    attempt = Attempt(first(order), subject, subject.request, 1, 1000.0)
    balancer.settled(attempt)
    assert set(order(subject)) == set(members)


def test_printed(make: Make) -> None:
    """It prints itself by its name."""
    assert repr(make()).startswith(type(make()).__name__)
