"""How long servers take."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeAlias

__all__ = ["Times", "constant", "exponential", "pareto", "slow"]

Times: TypeAlias = Callable[[Random, float], float]
"""Seconds that a request takes, drawn with the generator at a time of the simulation."""


def constant(seconds: float) -> Times:
    """Always so long."""
    _check("seconds", seconds)
    return lambda rng, now: seconds


def exponential(mean: float) -> Times:
    """Exponentially distributed about ``mean`` seconds."""
    _check("mean", mean)
    return lambda rng, now: rng.expovariate(1 / mean)


def pareto(mean: float, alpha: float = 2.0) -> Times:
    """A long tail: Pareto's distribution with the exponent ``alpha``, above 1, about ``mean`` seconds."""
    _check("mean", mean)
    if not 1 < alpha < float("inf"):
        raise ValueError(f"alpha must be above 1 and finite, got {alpha}")
    least = mean * (alpha - 1) / alpha
    return lambda rng, now: least * rng.paretovariate(alpha)


def slow(times: Times, *, by: float, start: float, end: float = float("inf")) -> Times:
    """``times``, and ``by`` times as long from ``start`` to ``end``, in seconds of the simulation."""
    _check("by", by)
    if not start < end:
        raise ValueError(f"start must be before end, got {start} and {end}")
    return lambda rng, now: times(rng, now) * (by if start <= now < end else 1.0)


def _check(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be above 0 and finite, got {value}")
