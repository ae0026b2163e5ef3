"""The share of requests that succeed, over the last seconds."""

from __future__ import annotations

__all__ = ["SuccessRate"]

_BUCKETS = 30


class SuccessRate:
    """Counts what has come of requests in the last ``window`` seconds, in 30 buckets of time, and says with which
    probability the next one should be refused: ::

        ((n - s / threshold) / (n + 1)) ** (1 / aggression)

    for ``n`` requests of which ``s`` succeeded, 0 if that is negative, and ``most`` if it is more. With the threshold
    of 0.5 that is client-side throttling of "Site Reliability Engineering", chapter 21, "Handling Overload", 2016, with
    a ``K`` of 2, but that ``n`` here are those that were asked; the form is that of Envoy's admission control.

    No clock: ``now`` is monotonic seconds.
    """

    __slots__ = (
        "_aggression",
        "_all",
        "_good",
        "_least",
        "_most",
        "_now",
        "_threshold",
        "_width",
        "asked",
        "succeeded",
    )

    def __init__(self, *, window: float, threshold: float, aggression: float, most: float, least: int) -> None:
        self._threshold = threshold
        self._aggression = aggression
        self._most = most
        self._least = least
        self._width = window / _BUCKETS
        self._now: int | None = None
        self._all = [0] * _BUCKETS
        self._good = [0] * _BUCKETS
        self.asked: int = 0
        """Requests of the window."""
        self.succeeded: int = 0
        """Those of them that succeeded."""

    def add(self, now: float, *, success: bool) -> None:
        """A request has ended."""
        bucket = self._turn(now)
        self._all[bucket] += 1
        self.asked += 1
        if success:
            self._good[bucket] += 1
            self.succeeded += 1

    def rejection(self, now: float) -> float:
        """The probability with which to refuse a request that comes at ``now``. 0 with fewer than ``least``."""
        self._turn(now)
        asked = self.asked
        if asked < self._least:
            return 0.0
        excess = (asked - self.succeeded / self._threshold) / (asked + 1)
        if excess <= 0:
            return 0.0
        probability: float = excess ** (1 / self._aggression)
        return min(probability, self._most)

    def _turn(self, now: float) -> int:
        """The bucket of ``now``, with all that are over forgotten."""
        current = int(now / self._width)
        last = self._now
        if last is None or current > last:
            first = current - _BUCKETS + 1 if last is None else max(last + 1, current - _BUCKETS + 1)
            for each in range(first, current + 1):
                bucket = each % _BUCKETS
                self.asked -= self._all[bucket]
                self.succeeded -= self._good[bucket]
                self._all[bucket] = self._good[bucket] = 0
            self._now = last = current
        return last % _BUCKETS

    def __repr__(self) -> str:
        return f"<SuccessRate {self.succeeded} of {self.asked}>"
