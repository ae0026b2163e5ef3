"""Groups of endpoints: priorities, and places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Attempt, Endpoint
from revproxy.balancers import (
    P2C,
    Balancer,
    ByClient,
    First,
    InOrder,
    Locality,
    Nearest,
    Order,
    PeakEwma,
    PlaceCost,
    Priorities,
    RoundRobin,
    Snapshot,
)
from revproxy.balancers.places import distance
from revproxy.balancers.tiers import tier_loads
from revproxy.endpoint import EndpointState
from revproxy.facts import Place
from revproxy.geography import PLACE
from revproxy.testing import FakeClock, exchange

# How much goes to which.


@pytest.mark.parametrize(
    ("first", "loads"), [(100, (100, 0)), (72, (100, 0)), (71, (99, 1)), (50, (70, 30)), (25, (35, 65)), (0, (0, 100))]
)
def test_envoys_table(first: int, loads: tuple[int, int]) -> None:
    """Envoy, "Priority levels": with the second level well, what the first gets by the share of it that is well."""
    assert tuple(tier_loads([(first, 100), (100, 100)])) == loads


@pytest.mark.parametrize(
    ("well", "loads"),
    [
        ((100, 100, 100), (100, 0, 0)),
        ((72, 72, 100), (100, 0, 0)),
        ((71, 71, 100), (99, 1, 0)),
        ((50, 60, 100), (70, 30, 0)),
        ((50, 40, 100), (70, 30, 0)),
        ((50, 20, 100), (70, 28, 2)),
        ((25, 25, 100), (35, 35, 30)),
        ((25, 25, 20), (36, 35, 28)),
        ((25, 0, 20), (56, 0, 44)),
        ((5, 0, 0), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_envoys_table_of_three(well: tuple[int, ...], loads: tuple[int, ...]) -> None:
    """The same with three levels. Where all are too few the loads are theirs to scale; what rounding leaves is the
    first's."""
    got = tier_loads([(each, 100) for each in well])
    assert sum(got) in (0, 100)
    assert all(abs(one - other) <= 1 for one, other in zip(got, loads, strict=True)), got


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=6), st.integers(100, 300))
def test_loads_are_whole(tiers: list[tuple[int, int]], factor: int) -> None:
    """Whatever is well, the loads add up to 100, or to none where nothing is; what is not well at all gets nothing."""
    tiers = [(min(well, of), of) for well, of in tiers]
    loads = tier_loads(tiers, factor)
    assert sum(loads) == (100 if any(factor * well // of for well, of in tiers if of) else 0)
    assert all(load == 0 for load, (well, _) in zip(loads, tiers, strict=True) if not well)


# Priorities.


def chosen(order: Order, count: int = 2000, **place: object) -> Counter[str]:
    names: Counter[str] = Counter()
    for _ in range(count):
        asked = exchange()
        if place:
            asked[PLACE] = Place(**place)  # type: ignore[arg-type]
        names[next(each for each in order(asked) if each.accepts(0.0)).name] += 1
    return names


def test_priorities() -> None:
    """The first level gets everything while 72 % of it are well, and then as much as is left of it."""
    clock = FakeClock()
    first = [Endpoint(f"http://a{number}", name="first") for number in range(10)]
    second = [Endpoint(f"http://b{number}", priority=5, name="second") for number in range(4)]
    order = Priorities(lambda: P2C(rng=Random(1)), clock=clock, rng=Random(1)).bind(Snapshot((*second, *first)))
    assert chosen(order) == {"first": 2000}
    for well, share in ((8, 1.0), (5, 0.7), (2, 0.28), (0, 0.0)):
        for each in first[well:]:
            each.state = EndpointState.DRAINING
        clock.advance(0.1)
        assert chosen(order)["first"] / 2000 == pytest.approx(share, abs=0.04)


def test_levels_are_looked_at_now_and_then() -> None:
    """Not for every request; whatever was seen last, what does not accept is passed over by whoever walks the order."""
    clock = FakeClock()
    one, two = Endpoint("http://a"), Endpoint("http://b", priority=1)
    order = Priorities(First, interval=5, clock=clock).bind(Snapshot((one, two)))
    assert list(order(exchange())) == [one, two]
    one.state = EndpointState.DRAINING
    assert list(order(exchange())) == [one, two]
    clock.advance(5)
    assert list(order(exchange())) == [two, one]


def test_groups_keep_what_they_know() -> None:
    """The balancer of a group outlives a change of membership, and learns of its own endpoints alone."""
    made: list[P2C] = []

    def make() -> Balancer:
        made.append(P2C(PeakEwma(clock=FakeClock())))
        return made[-1]

    balancer = Priorities(make, clock=FakeClock())
    a, b, c = Endpoint("http://a"), Endpoint("http://b", priority=1), Endpoint("http://c")
    balancer.bind(Snapshot((a, b)))
    assert balancer.learns
    asked = exchange()
    attempt = Attempt(a, asked, asked.request, 1, 1000.0)
    attempt.first_byte = 1003.0
    balancer.settled(attempt)
    balancer.bind(Snapshot((a, b, c)))
    assert len(made) == 3  # one of them serves nobody
    costs = made[1].load.bind(Snapshot((a, c)))
    assert (costs(a), costs(c)) == (3.0, 0.0)


# Places.

HERE, THERE, FAR = (
    Endpoint("http://1", name="here", zone="z1", region="eu", location=(48.1, 11.6)),
    Endpoint("http://2", name="there", zone="z2", region="eu", location=(51.5, -0.1)),
    Endpoint("http://3", name="far", zone="z3", region="us", location=(40.7, -74.0)),
)
ALL = Snapshot((FAR, THERE, HERE))


def by(cost: PlaceCost) -> Order:
    return Locality(RoundRobin, cost, clock=FakeClock(), rng=Random(1)).bind(ALL)


def walk(order: Order, place: Place | None = None) -> list[str]:
    asked = exchange()
    if place is not None:
        asked[PLACE] = place
    return [each.name for each in order(asked)]


def test_in_order() -> None:
    """The places in the order that is said, then the others."""
    assert walk(by(InOrder("z2", "z1"))) == ["there", "here", "far"]


def test_by_client() -> None:
    """A country's order, or its continent's, or everybody's."""
    order = by(ByClient({"DE": ["z1", "z2"], "EU": ["z2"], "*": ["z3"]}))
    assert walk(order, Place(country="DE", continent="EU")) == ["here", "there", "far"]
    assert walk(order, Place(country="FR", continent="EU"))[0] == "there"
    assert walk(order, Place(country="BR", continent="SA"))[0] == "far"
    assert walk(order, Place()) == walk(order) == ["far", "there", "here"]


def test_nearest() -> None:
    """By the great circle; who is nowhere gets the places as they were named."""
    order = by(Nearest())
    assert walk(order, Place(location=(52.5, 13.4))) == ["here", "there", "far"]
    assert walk(order, Place(location=(53.3, -6.3))) == ["there", "here", "far"]
    assert walk(order, Place(location=(45.5, -73.6))) == ["far", "there", "here"]
    assert walk(order, Place()) == walk(order) == ["far", "there", "here"]


def test_nearest_and_measured() -> None:
    """What was measured counts beside the distance, for its share; for who is nowhere it is all there is."""
    cost = Nearest(measured=0.5, decay=0.5)
    balancer = Locality(RoundRobin, cost, clock=FakeClock())
    assert balancer.learns
    order = balancer.bind(ALL)
    asked = exchange()
    for endpoint, seconds in ((HERE, 0.2), (HERE, 0.4), (THERE, 0.1), (FAR, 0.15)):
        attempt = Attempt(endpoint, asked, asked.request, 1, 1000.0)
        attempt.first_byte = 1000.0 + seconds
        balancer.settled(attempt)
    assert walk(order, Place(location=(48.1, 11.6))) == ["there", "far", "here"]  # 300 ms there, 100 and 9 here
    assert walk(order) == ["there", "far", "here"]
    balancer.bind(ALL)
    assert walk(order) == ["there", "far", "here"]


def test_spilling_over() -> None:
    """A place whose endpoints are full gives to the next as much as they do not take, not all at once."""
    near = [Endpoint(f"http://a{number}", name="near", zone="a", limit=1) for number in range(4)]
    other = [Endpoint(f"http://b{number}", name="other", zone="b") for number in range(4)]
    clock = FakeClock()
    order = Locality(RoundRobin, InOrder("a"), clock=clock, rng=Random(1)).bind(Snapshot((*near, *other)))
    shares = []
    for full in range(5):
        for each in near[:full]:
            each.in_flight = 1
        clock.advance(0.1)
        shares.append(chosen(order)["near"] / 2000)
    assert shares == pytest.approx([1.0, 1.0, 0.7, 0.35, 0.0], abs=0.04)


def test_regions() -> None:
    """Places may be regions, and one may be without."""
    nowhere = Endpoint("http://4", name="nowhere")
    order = Locality(RoundRobin, InOrder("us"), by="region", clock=FakeClock()).bind(Snapshot((HERE, nowhere, FAR)))
    assert walk(order) == ["far", "here", "nowhere"]


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [
        ((52.5, 13.4), (48.1, 11.6), 505),
        ((40.7, -74.0), (51.5, -0.1), 5570),
        ((0, 179), (0, -179), 222),
        ((1, 1), (1, 1), 0),
    ],
)
def test_distance(one: tuple[float, float], other: tuple[float, float], kilometres: float) -> None:
    """The great circle, across the date line too."""
    assert distance(one, other) == pytest.approx(kilometres, rel=0.01, abs=0.1)
    assert distance(one, other) == distance(other, one)


def test_what_cannot_be() -> None:
    """Bad places are refused, when they are named or when they are bound."""
    bads: list[Callable[[], object]] = [InOrder, lambda: InOrder("a", "a")]
    bads += [lambda: ByClient({}), lambda: ByClient({"de": ["a"]}), lambda: ByClient({"DE": "z1"})]
    bads += [lambda: Nearest(measured=2), lambda: Nearest(decay=0)]
    for bad in bads:
        with pytest.raises(ValueError, match=r"places|table|measured|decay"):
            bad()
    with pytest.raises(ValueError, match="'z9' is none of"):
        by(InOrder("z9"))
    with pytest.raises(ValueError, match="'z9' is none of"):
        by(ByClient({"*": ["z9"]}))
    assert walk(by(InOrder("z9", "z1", strict=False)))[0] == "here"
    with pytest.raises(TypeError, match="cost"):
        Locality(RoundRobin, lambda exchange: 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="overprovisioning"):
        Priorities(RoundRobin, overprovisioning=99)
    with pytest.raises(ValueError, match="by must be"):
        Locality(RoundRobin, Nearest(), by="planet")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="location"):
        Endpoint("http://a", location=(91, 0))
