"""Arrivals: as many as they should be, and when."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise, takewhile
from math import pi, sin
from random import Random
from statistics import mean, pstdev

import pytest

from revproxy.testing.simulate import Arrivals, bursts, evenly, poisson


def until(arrivals: Arrivals, end: float, seed: int = 1) -> list[float]:
    return list(takewhile(lambda at: at < end, arrivals(Random(seed))))


def test_poisson() -> None:
    """The distances are exponentially distributed: their mean is their deviation. Nothing is kept between two uses."""
    arrivals = poisson(50)
    times = until(arrivals, 1000)
    distances = [after - before for before, after in pairwise(times)]
    assert len(times) == pytest.approx(50_000, rel=0.02)
    assert mean(distances) == pytest.approx(0.02, rel=0.02)
    assert pstdev(distances) == pytest.approx(0.02, rel=0.02)
    assert until(arrivals, 1000) == times != until(arrivals, 1000, seed=2)


def test_a_rate_that_changes() -> None:
    """Of a day of 100 seconds each tenth gets what the rate says, and a rate of 0 nothing."""

    def rate(now: float) -> float:
        return max(0.0, 100 * sin(2 * pi * now / 100))

    tenths = Counter(int(at % 100 // 10) for at in until(poisson(rate, peak=100), 10_000))
    for tenth in range(5):
        expected = 100 * mean(rate(10 * tenth + step / 10) for step in range(100)) * 10
        assert tenths[tenth] == pytest.approx(expected, rel=0.03)
    assert not any(tenths[tenth] for tenth in range(5, 10))


def test_evenly() -> None:
    """At the same distance, without drift."""
    times = list(islice(evenly(10)(Random(1)), 100_000))
    assert times[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert times[-1] == pytest.approx(10_000, rel=1e-12)


def test_bursts() -> None:
    """So many at once, and so many a second all the same."""
    times = until(bursts(50, 20), 2000)
    assert len(times) == pytest.approx(100_000, rel=0.05)
    assert set(Counter(times).values()) == {20}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: poisson(0), "rate must be above 0 and finite, got 0"),
        (lambda: poisson(float("inf")), "rate must be"),
        (lambda: poisson(1, peak=2), "peak is for a rate that is a function, got 2"),
        (lambda: poisson(lambda now: 1), "peak must be given"),
        (lambda: poisson(lambda now: 1, peak=0), "peak must be above 0"),
        (lambda: list(islice(poisson(lambda now: 3, peak=2)(Random(1)), 1)), "rate must be 0 to the peak of 2, got 3"),
        (lambda: list(islice(poisson(lambda now: -1, peak=2)(Random(1)), 1)), "got -1"),
        (lambda: evenly(-1), "rate must be above 0"),
        (lambda: bursts(1, 0), "size must be at least 1, got 0"),
        (lambda: bursts(0, 1), "rate must be above 0"),
    ],
)
def test_what_is_no_load(make: object, why: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=why):
        make()  # type: ignore[operator]


def test_a_rate_that_stays_0() -> None:
    """The search for the next arrival has an end."""
    with pytest.raises(ValueError, match="nothing arrives any more"):
        list(poisson(lambda now: 0.0, peak=1000)(Random(1)))
