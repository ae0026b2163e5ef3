"""Smooth weighted round robin: the sequence itself."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint
from revproxy.balancers import Order, RoundRobin, Snapshot
from revproxy.testing import exchange


def bound(*weights: int) -> Order:
    names = "abcdefghijklmnopqrstuvwxyz"
    members = [
        Endpoint(f"http://{name}.test", name=name, weight=weight) for name, weight in zip(names, weights, strict=False)
    ]
    return RoundRobin().bind(Snapshot(tuple(members)))


def turns(order: Order, count: int) -> str:
    """Who comes first, ``count`` times."""
    return " ".join(next(iter(order(exchange()))).name for _ in range(count))


@pytest.mark.parametrize(
    ("weights", "sequence"),
    [
        ((5, 1, 1), "a a b a c a a a a b a c a a"),
        ((1, 1, 1), "a b c a b c"),
        ((4, 4), "a b a b"),
        ((6, 4), "a b a b a a b a b a"),
        ((1, 5), "b b a b b b"),
        ((2, 3, 1), "b a b c a b"),
        ((3,), "a a a"),
    ],
)
def test_the_sequence(weights: tuple[int, ...], sequence: str) -> None:
    """As nginx has it: in proportion to the weights, and spread."""
    assert turns(bound(*weights), len(sequence.split())) == sequence


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8))
def test_against_the_algorithm_step_by_step(weights: list[int]) -> None:
    """The table that is worked out beforehand says what the algorithm says when it is run turn by turn."""
    order, total = bound(*weights), sum(weights)
    current = [0] * len(weights)
    expected = []
    for _ in range(2 * total):
        current = [have + weight for have, weight in zip(current, weights, strict=True)]
        best = current.index(max(current))
        current[best] -= total
        expected.append("abcdefgh"[best])
    assert turns(order, 2 * total) == " ".join(expected)


def test_who_comes_next() -> None:
    """Behind the first come the others in the order in which their turns will be."""
    order = bound(5, 1, 1)
    assert [[each.name for each in order(exchange())] for _ in range(4)] == [
        ["a", "b", "c"],
        ["a", "b", "c"],
        ["b", "a", "c"],
        ["a", "c", "b"],
    ]


def test_an_exchange_is_one_turn() -> None:
    """However far an order is walked, the next exchange is one turn further."""
    order = bound(1, 1, 1)
    walked = [[each.name for each in islice(order(exchange()), count)] for count in (3, 1, 2)]
    assert walked == [["a", "b", "c"], ["b"], ["c", "a"]]
    unread = iter(order(exchange()))
    assert next(unread).name == "a"


def test_weights_may_be_big() -> None:
    """What counts is the proportion: a common divisor is taken out before the sequence is worked out."""
    assert turns(bound(5_000_000, 1_000_000, 1_000_000), 7) == "a a b a c a a"
    period = 65536
    order = bound(period - 1, 1)
    assert Counter(turns(order, period).split()) == {"a": period - 1, "b": 1}


def test_weights_without_a_measure() -> None:
    """A sequence that would be too long to hold is a ``ValueError`` that says how long."""
    with pytest.raises(ValueError, match=r"^weights: the sequence of 65537 turns is longer than 65536"):
        bound(65536, 1)


def test_two_upstreams_take_turns_of_their_own() -> None:
    """Each binding has its own place in its sequence."""
    one, other = bound(1, 1), bound(1, 1)
    assert (turns(one, 1), turns(other, 2), turns(one, 2)) == ("a", "a b", "b a")
