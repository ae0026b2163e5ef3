"""Distributions of service times."""

from __future__ import annotations

from random import Random
from statistics import mean, median

import pytest

from revproxy.testing.simulate import Times, constant, exponential, pareto, slow

RNG = Random(1)


def drawn(times: Times, count: int = 100_000) -> list[float]:
    return [times(RNG, 0.0) for _ in range(count)]


def test_distributions() -> None:
    """Their means are what they say; exponential times have a median of ln 2, and Pareto's a least and a long tail."""
    assert drawn(constant(0.3), 3) == [0.3] * 3
    assert mean(drawn(exponential(0.2))) == pytest.approx(0.2, rel=0.02)
    assert median(drawn(exponential(0.2))) == pytest.approx(0.2 * 0.693, rel=0.02)
    tail = drawn(pareto(0.2, alpha=3))
    assert mean(tail) == pytest.approx(0.2, rel=0.03)
    assert min(tail) >= 0.2 * 2 / 3
    assert max(tail) > 2


def test_slow() -> None:
    """In the window alone, its start in and its end out."""
    times = slow(constant(0.1), by=10, start=5, end=7)
    assert [times(RNG, now) for now in (0, 4.999, 5, 6.999, 7, 100)] == [0.1, 0.1, 1.0, 1.0, 0.1, 0.1]
    assert slow(constant(0.1), by=2, start=5)(RNG, 1e9) == 0.2


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: constant(0), "seconds must be above 0"),
        (lambda: exponential(-1), "mean must be above 0"),
        (lambda: pareto(0), "mean must be"),
        (lambda: pareto(1, alpha=1), "alpha must be above 1"),
        (lambda: slow(constant(1), by=0, start=0), "by must be"),
        (lambda: slow(constant(1), by=2, start=5, end=5), "start must be before end, got 5 and 5"),
    ],
)
def test_what_is_no_distribution(make: object, why: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=why):
        make()  # type: ignore[operator]
