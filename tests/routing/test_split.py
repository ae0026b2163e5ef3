"""A handler that sends each client down one of several lanes."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from revproxy import Exchange, Handler, Response, Upstream
from revproxy.balancers import keys
from revproxy.handler import walk
from revproxy.routing import LANE, Lane, Split
from revproxy.testing import exchange


def answering(status: int) -> Handler:
    async def answer(exchange: Exchange) -> Response:
        return Response(status)

    return answer


def of(number: int) -> Exchange:
    return exchange(headers={"X-User": str(number)})


def split(**weights: int) -> Split:
    lanes = [Lane(name, answering(200 + number), weight) for number, (name, weight) in enumerate(weights.items())]
    return Split(*lanes, key=keys.header("X-User"), rng=Random(1))


async def test_a_client_stays_in_his_lane() -> None:
    """The same key goes down the same lane, in each process; its name is on the exchange."""
    one, other = split(stable=90, canary=10), split(stable=90, canary=10)
    for number in range(50):
        asked = of(number)
        status = (await one(asked)).status
        assert status == {"stable": 200, "canary": 201}[asked[LANE]]
        assert one.lane_of(of(number)) == other.lane_of(of(number)) == asked[LANE]


@pytest.mark.parametrize("weights", [{"a": 95, "b": 5}, {"a": 1, "b": 1}, {"a": 70, "b": 20, "c": 10}])
def test_shares(weights: dict[str, int]) -> None:
    """Of 100,000 clients every lane has its share within half a per cent; without a key it is by chance."""
    subject = split(**weights)
    counts = Counter(subject.lane_of(of(number)) for number in range(100_000))
    for name, weight in weights.items():
        assert counts[name] / 100_000 == pytest.approx(weight / sum(weights.values()), abs=0.005)
    chance = Counter(subject.lane_of(exchange()) for _ in range(5_000))
    assert chance["a"] / 5_000 == pytest.approx(weights["a"] / sum(weights.values()), abs=0.03)


def test_as_few_as_need_be_move() -> None:
    """When a canary grows nobody leaves it, and nobody else moves."""
    subject = split(stable=95, canary=5, other=10)
    before = {number: subject.lane_of(of(number)) for number in range(5_000)}
    subject.weigh({"canary": 20})
    for number, lane in before.items():
        assert subject.lane_of(of(number)) in (lane, "canary")
    subject.weigh({"canary": 5})
    assert {number: subject.lane_of(of(number)) for number in before} == before
    subject.weigh({"canary": 0})
    assert "canary" not in {subject.lane_of(of(number)) for number in before}
    assert dict(subject.weights) == {"stable": 95, "canary": 0, "other": 10}


@pytest.mark.parametrize(
    "weights", [{"nobody": 1}, {"stable": -1}, {"stable": 1.5}, {"stable": True}, {"stable": 0, "canary": 0}]
)
def test_weights_that_are_none(weights: dict[str, int]) -> None:
    """They are refused, and change nothing."""
    subject = split(stable=95, canary=5)
    with pytest.raises(ValueError, match="weights"):
        subject.weigh(weights)
    assert dict(subject.weights) == {"stable": 95, "canary": 5}


def test_compositions_that_are_none() -> None:
    """One lane, and two of one name, are refused."""
    ok = answering(200)
    for lanes in ([Lane("a", ok)], [Lane("a", ok), Lane("a", ok)]):
        with pytest.raises(ValueError, match="lanes"):
            Split(*lanes)


def test_what_it_holds_is_found() -> None:
    """Upstreams in lanes are started and stopped with the proxy."""
    one, two = Upstream("http://a"), Upstream("http://b")
    assert {one, two} <= set(walk(Split(Lane("a", one), Lane("b", two))))
    assert repr(split(a=2, b=1)) == "<Split a: 2, b: 1>"
