"""How many requests may be in flight at once."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Limit"]


class Limit(ABC):
    """How many requests may be in flight at once: always the same number, or one that follows from how long answers
    take. It only says so; who waits and who is refused is the business of what it is given to.

    Times are monotonic seconds. One limit serves one filter or one endpoint.
    """

    serves: str = ""
    """What it was given to."""

    learns: bool = True
    """Whether it wants to be told of answers."""

    @abstractmethod
    def allowed(self, now: float) -> int:
        """How many at most, at ``now``. At least 1."""

    def answered(self, started: float, now: float, in_flight: int) -> None:
        """A request that began at ``started`` was answered at ``now``, or has failed for it took too long;
        ``in_flight`` counts it, too. Failures that come fast say nothing of how long answers take: it is not told of
        them."""
