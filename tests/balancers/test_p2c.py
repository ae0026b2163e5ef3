"""Power of two choices: which two, and which of the two."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from revproxy import Endpoint
from revproxy.balancers import P2C, Order, Snapshot
from revproxy.testing import exchange


def members(*loads: int, weights: tuple[int, ...] | None = None) -> tuple[Endpoint, ...]:
    weights = weights or (1,) * len(loads)
    made = tuple(Endpoint(f"http://{number}.test", weight=weight) for number, weight in enumerate(weights))
    for member, load in zip(made, loads, strict=True):
        member.in_flight = load
    return made


def bound(endpoints: tuple[Endpoint, ...], seed: int = 1) -> Order:
    return P2C(rng=Random(seed)).bind(Snapshot(endpoints))


def first(order: Order) -> Endpoint:
    return next(iter(order(exchange())))


@pytest.mark.parametrize(("loads", "chosen"), [((0, 1), 0), ((1, 0), 1), ((7, 5), 1), ((100, 101), 0)])
def test_of_two_the_less_loaded(loads: tuple[int, ...], chosen: int) -> None:
    """Of two endpoints there is no choice of which two: the one with fewer in flight comes first, always."""
    endpoints = members(*loads)
    order = bound(endpoints)
    assert {first(order) for _ in range(50)} == {endpoints[chosen]}
    assert {tuple(order(exchange())) for _ in range(50)} == {(endpoints[chosen], endpoints[1 - chosen])}


@pytest.mark.parametrize(
    ("loads", "weights", "chosen"),
    [((3, 2), (2, 1), 0), ((10, 2), (3, 1), 1), ((30, 30), (1, 2), 1), ((9, 100), (1, 20), 1)],
)
def test_load_is_per_weight(loads: tuple[int, ...], weights: tuple[int, ...], chosen: int) -> None:
    """An endpoint of twice the weight may have twice as much in flight."""
    endpoints = members(*loads, weights=weights)
    order = bound(endpoints)
    assert {first(order) for _ in range(50)} == {endpoints[chosen]}


def test_equals_take_turns_by_chance() -> None:
    """Endpoints of equal load and weight get equal shares."""
    endpoints = members(0, 0, 0, 0)
    order = bound(endpoints)
    drawn = Counter(first(order) for _ in range(4000))
    assert set(drawn) == set(endpoints)
    assert all(900 < count < 1100 for count in drawn.values()), drawn


def test_the_most_loaded_never_comes_first() -> None:
    """Since the two are never the same one, the endpoint with most in flight is first never, and all others are."""
    endpoints = members(1, 2, 3, 9)
    order = bound(endpoints)
    assert {first(order) for _ in range(500)} == set(endpoints[:3])


def test_two_are_drawn_not_all() -> None:
    """It is not the least loaded of all that everybody runs to: who is second best comes first when the best is not
    among the two."""
    endpoints = members(0, 1, 2, 3, 4, 5)
    order = bound(endpoints)
    drawn = Counter(first(order) for _ in range(6000))
    ranked = [drawn[endpoint] for endpoint in endpoints]
    assert ranked == sorted(ranked, reverse=True)
    # Of the 15 pairs the best is in 5, the second best in 4 without it, and so on.
    for count, pairs in zip(ranked, (5, 4, 3, 2, 1, 0), strict=True):
        assert count == pytest.approx(6000 * pairs / 15, rel=0.1)


def test_the_other_of_the_two_comes_next() -> None:
    """Second is the other of the two, so the first is never the more loaded one of them."""
    endpoints = members(0, 1, 2, 3, 4)
    order = bound(endpoints)
    for _ in range(200):
        one, two, *rest = order(exchange())
        assert one.in_flight < two.in_flight
        assert len(rest) == 3


def test_load_is_spread_almost_evenly() -> None:
    """Mitzenmacher's result: 1,000 requests on 1,000 endpoints leave nobody with more than a few (at random it would be
    some 6 to 8)."""
    endpoints = members(*[0] * 1000)
    order = bound(endpoints)
    for _ in range(1000):
        first(order).in_flight += 1
    assert max(endpoint.in_flight for endpoint in endpoints) <= 4


def test_chance_is_a_parameter() -> None:
    """Law 6: the same ``rng`` makes the same choices; another one makes others."""
    endpoints = members(*[0] * 20)
    runs = [
        [first(order) for _ in range(50)] for order in (bound(endpoints, 1), bound(endpoints, 1), bound(endpoints, 2))
    ]
    assert runs[0] == runs[1] != runs[2]


def test_without_an_rng_it_is_random() -> None:
    """By default every balancer has chance of its own."""
    endpoints = members(*[0] * 20)
    orders = [P2C().bind(Snapshot(endpoints)) for _ in range(2)]
    assert [first(orders[0]) for _ in range(50)] != [first(orders[1]) for _ in range(50)]
