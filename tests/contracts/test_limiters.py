"""What every limiter promises. A new one is one line in ``LIMITERS``."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters import Gcra, Limiter

Make = Callable[[float, float], Limiter]
"""From a rate and a burst."""

LIMITERS: dict[str, Make] = {
    "Gcra": Gcra,
    "Gcra, of little room": lambda rate, burst: Gcra(rate, burst, size=2),
}

pytestmark = pytest.mark.parametrize("make", LIMITERS.values(), ids=LIMITERS)


def test_what_it_gives(make: Make) -> None:
    """It says its rate and its burst; who is new has the burst, and who has used it up the rate."""
    subject = make(2.0, 5.0)
    assert (subject.rate, subject.burst) == (2.0, 5.0)
    verdicts = [subject.hit("a", 10.0) for _ in range(6)]
    assert [each.allowed for each in verdicts] == [True] * 5 + [False]
    assert [each.remaining for each in verdicts] == [4, 3, 2, 1, 0, 0]
    assert [each.retry_after for each in verdicts] == [0, 0, 0, 0, 0.5, 0.5]
    assert [each.reset for each in verdicts] == [0.5, 1, 1.5, 2, 2.5, 2.5]
    assert [subject.hit("a", 10.0 + half / 2).allowed for half in range(1, 5)] == [True] * 4
    assert not subject.hit("a", 12.0).allowed


@given(st.floats(0.01, 1000), st.floats(1, 1000), st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), max_size=40))
def test_never_more_than_rate_and_burst(
    make: Make, rate: float, burst: float, steps: list[tuple[float, float]]
) -> None:
    """In any stretch of time a key gets what the rate gives in it, and the burst, at most. What it costs to be refused
    is nothing."""
    subject, now = make(rate, burst), 1000.0
    taken: list[tuple[float, float]] = []
    for wait, cost in steps:
        now += wait / rate
        verdict = subject.hit("a", now, cost)
        assert verdict.remaining >= 0
        assert verdict.retry_after >= 0
        assert verdict.reset >= 0
        if verdict.allowed:
            taken.append((now, cost))
        else:
            assert subject.peek("a", now, cost) == verdict
    for index, (begin, _) in enumerate(taken):
        spent = 0.0
        for when, cost in taken[index:]:
            spent += cost
            assert spent <= burst + rate * (when - begin) + 1e-3


def test_looking_takes_nothing(make: Make) -> None:
    """``peek`` says what ``hit`` would, however often."""
    subject = make(1.0, 2.0)
    for _ in range(10):
        assert subject.peek("a", 0.0, 2.0).allowed
    assert subject.peek("a", 0.0) == subject.hit("a", 0.0)
    assert not subject.peek("a", 0.0, 2.0).allowed


def test_all_or_nothing(make: Make) -> None:
    """A cost that is not there is not taken in part; one that never is there is never allowed, and waits forever."""
    subject = make(1.0, 3.0)
    subject.hit("a", 0.0, 2.0)
    refused = subject.hit("a", 0.0, 2.0)
    assert (refused.allowed, refused.remaining, refused.retry_after) == (False, 1.0, 1.0)
    assert subject.hit("a", 0.0, 1.0).allowed
    assert subject.hit("b", 0.0, 3.5).retry_after == inf


def test_settling(make: Make) -> None:
    """S-50: what is settled is owed, beyond the burst if need be; what is given back is there again, up to all."""
    subject = make(1.0, 3.0)
    subject.settle("a", 0.0, 7.0)
    assert subject.hit("a", 0.0, 0.0).retry_after == 4.0
    assert subject.hit("a", 4.0, 0.0).allowed
    subject.settle("a", 4.0, -100.0)
    assert subject.peek("a", 4.0).remaining == 2.0
    before = subject.peek("b", 4.0)
    subject.hit("b", 4.0, 3.0)
    subject.settle("b", 4.0, -3.0)
    assert subject.peek("b", 4.0) == before


def test_a_clock_that_goes_back(make: Make) -> None:
    """It gives nobody more."""
    subject = make(1.0, 2.0)
    assert [subject.hit("a", 100.0).allowed for _ in range(3)] == [True, True, False]
    assert not subject.hit("a", 90.0).allowed
    assert not subject.hit("a", 100.0).allowed
    assert subject.hit("a", 101.0).allowed


@pytest.mark.parametrize("cost", [-1.0, nan, inf, 1e16])
def test_no_cost(make: Make, cost: float) -> None:
    """What is no cost is refused with its value, and changes nothing."""
    subject = make(1.0, 2.0)
    for method in (subject.hit, subject.peek):
        with pytest.raises(ValueError, match="cost must be") as raised:
            method("a", 0.0, cost)
        assert str(raised.value).endswith(f"got {cost}")
    if cost != -1.0:
        with pytest.raises(ValueError, match="cost must be"):
            subject.settle("a", 0.0, cost)
    assert subject.peek("a", 0.0).remaining == 1.0


@pytest.mark.parametrize("key", [None, 7, ("a",), ["a"], bytearray(b"a")])
def test_no_key(make: Make, key: object) -> None:
    """What is no key is refused with its value."""
    subject = cast("Any", make(1.0, 2.0))
    for call in (subject.hit, subject.peek, lambda key, now: subject.settle(key, now, 1.0)):
        with pytest.raises(TypeError, match="key must be text or bytes, got") as raised:
            call(key, 0.0)
        assert str(raised.value).endswith(repr(key))
