"""How many requests may be sent on top of those that clients have sent."""

from __future__ import annotations

__all__ = ["RetryBudget"]

_SLICES = 10


class RetryBudget:
    """Lets further attempts be made as long as they are few beside the requests. ::

        budget = RetryBudget(ratio=0.1)
        Pipeline(Retry(budget=budget), handler=orders)
        Pipeline(Retry(budget=budget), handler=invoices)

    Each request pays in ``ratio``, each further attempt takes out 1, and both are forgotten after ``ttl``; ``reserve``
    a second are there in any case, for those who send few requests. It is the budget of Finagle (a token bucket over a
    window). When everything fails, there are at most 1 + ``ratio`` attempts for a request, and ``reserve`` a second on
    top, whatever each filter would do: a retry does not make an outage worse.

    Whatever shares the object shares the budget: give one to all that ask the same servers.

    ``ratio``
        Further attempts for each request, from 0 to 10.
    ``reserve``
        Further attempts a second that need no requests to be paid for. All of those of a ``ttl`` may be made at once.
    ``ttl``
        Seconds after which what was paid in or taken out does not count any more.

    Raises ``ValueError`` that names the parameter and its value.
    """

    __slots__ = ("_paid", "_paid_in", "_slice", "_slices", "_taken", "_taken_out", "ratio", "reserve", "ttl")

    def __init__(self, ratio: float = 0.2, *, reserve: float = 10.0, ttl: float = 10.0) -> None:
        if not 0 <= ratio <= 10:
            raise ValueError(f"ratio must be 0 to 10, got {ratio}")
        if not 0 <= reserve < float("inf"):
            raise ValueError(f"reserve must be at least 0 and finite, got {reserve}")
        if not 0 < ttl < float("inf"):
            raise ValueError(f"ttl must be above 0 and finite, got {ttl}")
        self.ratio: float = ratio
        self.reserve: float = reserve
        self.ttl: float = ttl
        # One slice more than the time-to-live has: nothing is forgotten before its time, only a little after it.
        self._slices = _SLICES + 1
        self._paid = [0] * self._slices
        self._taken = [0] * self._slices
        self._paid_in = self._taken_out = 0
        self._slice: int | None = None

    def deposit(self, now: float) -> None:
        """A request has come, at the monotonic time ``now``."""
        self._paid[self._at(now)] += 1
        self._paid_in += 1

    def withdraw(self, now: float) -> bool:
        """Whether there may be a further attempt, which then counts."""
        at = self._at(now)
        if self._balance < 1 - 1e-9:
            return False
        self._taken[at] += 1
        self._taken_out += 1
        return True

    def balance(self, now: float) -> float:
        """How many further attempts there may be at the monotonic time ``now``."""
        self._at(now)
        return max(self._balance, 0.0)

    @property
    def _balance(self) -> float:
        return self.ratio * self._paid_in + self.reserve * self.ttl - self._taken_out

    def _at(self, now: float) -> int:
        """Which slice the time is in. Those that are over are forgotten."""
        current, count = int(now * _SLICES / self.ttl), self._slices
        last = self._slice
        if current == last:
            return current % count
        if last is None or current > last:
            for passed in range(min(current - last, count) if last is not None else 0):
                at = (current - passed) % count
                self._paid_in -= self._paid[at]
                self._taken_out -= self._taken[at]
                self._paid[at] = self._taken[at] = 0
            self._slice = last = current
        return last % count

    def __repr__(self) -> str:
        return (
            f"<RetryBudget {self.ratio:g} + {self.reserve:g}/s: {self._taken_out} for {self._paid_in} requests"
            f" in the last {self.ttl:g} s>"
        )
