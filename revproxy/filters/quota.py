"""Whom a limiter is asked for, and for how much."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor
from typing import TypeAlias

from ..balancers.keys import HashKey
from ..exchange import Exchange
from ..limiters.limiter import Limiter, Verdict
from .costs import Settled

__all__ = ["Cost", "Quota"]

Cost: TypeAlias = float | Callable[[Exchange], float] | Settled
"""What a request costs, in units of 0 or more: always the same, what a function says, or what it turns out to be."""

_LARGEST = 10**15 - 1
"""An Integer of RFC 9651 has 15 digits at most (section 3.3.1)."""


class Quota:
    """One of the limits of a ``RateLimit``, where they differ in more than the numbers. ::

        RateLimit(
            Quota(Gcra(10, 20), name="client"),
            Quota(Gcra(2000, 500), key=keys.everyone(), name="all"),
        )

    ``limiter``
        How much there is.
    ``key``
        Whom a request is counted for; by default as the ``RateLimit`` says. Who has the key ``None`` is not limited.
    ``cost``
        What it costs; by default as the ``RateLimit`` says.
    ``name``
        For the response fields, events and errors: printable ASCII. Unique within a ``RateLimit``, which has one for
        who has none.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    __slots__ = ("cost", "key", "limiter", "name", "refused")

    def __init__(
        self, limiter: Limiter, *, key: HashKey | None = None, cost: Cost | None = None, name: str = ""
    ) -> None:
        if isinstance(limiter, Quota) or not all(callable(getattr(limiter, each, None)) for each in ("hit", "settle")):
            raise TypeError(f"limiter: {limiter!r} is no Limiter")
        if key is not None and not callable(key):
            raise TypeError(f"key: {key!r} is no function of an exchange")
        if cost is not None:
            check_cost(cost, limiter)
        if not name.isascii() or not name.isprintable():
            raise ValueError(f"name must be printable ASCII, got {name!r}")
        self.limiter: Limiter = limiter
        self.key: HashKey | None = key
        self.cost: Cost | None = cost
        self.name: str = name
        self.refused: int = 0
        """How many requests were refused for it, ever; in shadow, how many would have been."""

    def __repr__(self) -> str:
        key = "" if self.key is None else f", key={getattr(self.key, '__qualname__', None) or self.key!r}"
        cost = "" if self.cost is None else f", cost={getattr(self.cost, '__qualname__', None) or self.cost!r}"
        return f"Quota({self.limiter!r}{key}{cost}, name={self.name!r})"


def check_cost(cost: Cost, limiter: Limiter) -> None:
    """Raise ``ValueError`` or ``TypeError`` for what no request can cost, or none could pay."""
    if callable(cost):
        return
    if isinstance(cost, bool) or not isinstance(cost, int | float | Settled):
        raise TypeError(f"cost: {cost!r} is neither a number, nor a function of an exchange, nor a Settled object")
    least = cost.reserve if isinstance(cost, Settled) else cost
    if not 0 <= least < float("inf"):
        raise ValueError(f"cost must be at least 0 and finite, got {cost!r}")
    if least > limiter.burst:
        raise ValueError(f"cost: {cost!r} is more than {limiter!r} ever has, so nothing would pass")


def policy(quota: Quota) -> str:
    """A member of ``RateLimit-Policy``, or nothing if its unit has no name there."""
    limiter, unit = quota.limiter, _unit(quota)
    if unit is None:
        return ""
    window = min(max(ceil(limiter.burst / limiter.rate), 1), _LARGEST)
    return f"{_string(quota.name)};q={min(floor(limiter.burst), _LARGEST)}{unit};w={window}"


def service_limit(quota: Quota, verdict: Verdict) -> str:
    """A member of ``RateLimit``."""
    left, seconds = min(floor(verdict.remaining + 1e-6), _LARGEST), min(ceil(verdict.reset), _LARGEST)
    return f"{_string(quota.name)};r={left};t={seconds}"


def _unit(quota: Quota) -> str | None:
    if not isinstance(quota.cost, Settled):
        return ""
    return f';qu="{quota.cost.unit}"' if quota.cost.unit else None


def _string(name: str) -> str:
    """A String of RFC 9651 (section 3.3.3)."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
