"""How much may be had in a time, by key: what a rate limit asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

__all__ = ["Limiter", "LimiterKey", "Verdict"]

LimiterKey: TypeAlias = str | bytes
"""Whom a limit is for. ``"a"`` and ``b"a"`` are two."""


@dataclass(slots=True)
class Verdict:
    """What a ``Limiter`` says of one request.

    ``allowed``
        Whether it may pass; what it costs has been taken then, else nothing.
    ``remaining``
        Units that are left after it; 0 for who owes some.
    ``retry_after``
        Seconds until as much is allowed once more; 0: now. Infinite for what costs more than there ever is.
    ``reset``
        Seconds until all is there again.
    """

    allowed: bool
    remaining: float
    retry_after: float
    reset: float


class Limiter(Protocol):
    """Gives each key ``rate`` units a second, and ``burst`` at once to who has not asked for a while. Local: it answers
    at once. Times are monotonic seconds; where they stand still or go back nobody gets more by it than the burst, and
    the rate of the time between the earliest and the latest.

    Its methods raise ``TypeError`` for a key that is none, and ``ValueError`` for a cost that is none.
    """

    @property
    def rate(self) -> float:
        """Units a second."""
        ...

    @property
    def burst(self) -> float:
        """Units at once, at most."""
        ...

    def hit(self, key: LimiterKey, now: float, cost: float = 1.0) -> Verdict:
        """Take ``cost`` units, of 0 or more, if they are there; all or none."""
        ...

    def peek(self, key: LimiterKey, now: float, cost: float = 1.0) -> Verdict:
        """What ``hit`` would say. Takes nothing."""
        ...

    def settle(self, key: LimiterKey, now: float, cost: float) -> None:
        """Take ``cost`` units whether or not they are there: what a request has cost is known only now. A cost below 0
        gives back, at most all that is owed."""
        ...
