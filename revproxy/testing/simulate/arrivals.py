"""When requests arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import TypeAlias

__all__ = ["Arrivals", "bursts", "evenly", "poisson"]

Arrivals: TypeAlias = Callable[[Random], Iterator[float]]
"""The times at which requests arrive, in seconds from 0 on and in order, drawn with the generator. Times that were
recorded are ``lambda rng: iter(times)``."""

_SPARSE = 1_000_000
"""Arrivals in a row that a rate may thin out; beyond that it is as good as 0 for ever."""


def poisson(rate: float | Callable[[float], float], *, peak: float | None = None) -> Arrivals:
    """At times that know nothing of each other, ``rate`` a second on average.

    The rate may be a function of the time; then ``peak`` must be given, which it never exceeds (thinning: Lewis and
    Shedler, "Simulation of Nonhomogeneous Poisson Processes by Thinning", 1979). Raises ``ValueError`` for a rate that
    is not above 0, and a ``peak`` that is missing, or is exceeded.
    """
    if not callable(rate):
        steady = _checked("rate", rate)
        if peak is not None:
            raise ValueError(f"peak is for a rate that is a function, got {peak}")

        def steadily(rng: Random) -> Iterator[float]:
            at = 0.0
            while True:
                at += rng.expovariate(steady)
                yield at

        return steadily
    if peak is None:
        raise ValueError("peak must be given where the rate is a function of the time")
    return _thinned(rate, _checked("peak", peak))


def _thinned(rate: Callable[[float], float], peak: float) -> Arrivals:
    def thinned(rng: Random) -> Iterator[float]:
        at, left_out = 0.0, 0
        while left_out < _SPARSE:
            at += rng.expovariate(peak)
            now = rate(at)
            if not 0 <= now <= peak:
                raise ValueError(f"rate must be 0 to the peak of {peak}, got {now} at {at:g} s")
            if rng.random() * peak < now:
                left_out = 0
                yield at
            else:
                left_out += 1
        raise ValueError(f"rate: nothing arrives any more at {at:g} s")

    return thinned


def evenly(rate: float) -> Arrivals:
    """One after the other at the same distance, ``rate`` a second. Raises ``ValueError`` if that is not above 0."""
    distance = 1 / _checked("rate", rate)
    return lambda rng: (number * distance for number in count(1))


def bursts(rate: float, size: int) -> Arrivals:
    """``size`` at once each time, at times that know nothing of each other, and ``rate`` requests a second on average.
    Raises ``ValueError`` for a rate that is not above 0, and a size below 1."""
    each = poisson(_checked("rate", rate) / size if size else 0.0) if size >= 1 else None
    if each is None:
        raise ValueError(f"size must be at least 1, got {size}")
    return lambda rng: (at for at in each(rng) for _ in range(size))


def _checked(name: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be above 0 and finite, got {value}")
    return value
