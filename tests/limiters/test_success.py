"""The share of requests that succeed, by time, and what follows from it."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters.success import SuccessRate


def rate(
    *, window: float = 30.0, threshold: float = 0.95, aggression: float = 1.0, most: float = 0.8, least: int = 1
) -> SuccessRate:
    return SuccessRate(window=window, threshold=threshold, aggression=aggression, most=most, least=least)


def told(subject: SuccessRate, good: int, bad: int, now: float = 0.0) -> SuccessRate:
    for number in range(good + bad):
        subject.add(now, success=number < good)
    return subject


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (100, 0, 0.0),
        (95, 5, 0.0),
        (90, 10, (100 - 90 / 0.95) / 101),
        (50, 50, (100 - 50 / 0.95) / 101),
        (0, 100, 0.8),
        (0, 2, 2 / 3),
    ],
)
def test_the_formula(good: int, bad: int, expected: float) -> None:
    """``((n - s / threshold) / (n + 1)) ** (1 / aggression)``, not below 0, and 0.8 at most."""
    assert told(rate(), good, bad).rejection(0.0) == pytest.approx(expected)


def test_aggression() -> None:
    """More of it refuses more where little has failed."""
    assert told(rate(aggression=2.0), 90, 10).rejection(0.0) == pytest.approx(((100 - 90 / 0.95) / 101) ** 0.5)


def test_few_say_nothing() -> None:
    """Below ``least`` none is refused."""
    subject = told(rate(least=20), 0, 19)
    assert subject.rejection(0.0) == 0
    subject.add(0.0, success=False)
    assert subject.rejection(0.0) == 0.8
    assert repr(subject) == "<SuccessRate 0 of 20>"


def test_it_forgets() -> None:
    """What is older than the window does not count, even if nothing has come meanwhile."""
    subject = told(rate(), 0, 100, now=1000.0)
    assert subject.rejection(1028.9) == 0.8
    assert subject.rejection(1030.1) == 0
    assert subject.asked == 0


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=200))
def test_against_a_log(steps: list[tuple[float, bool]]) -> None:
    """The buckets count what a log of all requests would, with the edge of the window rounded to a thirtieth of it."""
    subject = rate()
    log: deque[tuple[int, bool]] = deque()
    now = 5.0
    for passed, success in steps:
        now += passed
        subject.add(now, success=success)
        log.append((int(now), success))
        while log[0][0] <= int(now) - 30:
            log.popleft()
        assert (subject.asked, subject.succeeded) == (len(log), sum(good for _, good in log))
        assert 0 <= subject.rejection(now) <= 0.8
