"""What has come of calls in the last seconds, and which client's they were."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Counts", "Outcomes"]

_BUCKETS = 10
_CELLS = 256


@dataclass(slots=True)
class Counts:
    """Calls, those of them that failed, and those that were slow; one may be both."""

    calls: int = 0
    failed: int = 0
    slow: int = 0

    def take(self, others: Counts) -> None:
        """Take away ``others``, which are among them."""
        self.calls -= others.calls
        self.failed -= others.failed
        self.slow -= others.slow

    def __str__(self) -> str:
        return f"{self.failed} of {self.calls} failed, {self.slow} were slow"


class Outcomes:
    """Counts what has come of calls in the last ``window`` seconds, in ten buckets of time: a call is forgotten after
    nine to ten tenths of it.

    Clients are counted by the hash of who they are, in 256 cells: bounded, however many there are, at the price that
    some share a cell.

    No clock: ``now`` is monotonic seconds.
    """

    __slots__ = ("_bad", "_bucket", "_buckets", "_now", "_width", "all")

    def __init__(self, window: float) -> None:
        self._width = window / _BUCKETS
        self.clear()

    def clear(self) -> None:
        """Forget all of them."""
        self.all: Counts = Counts()
        """Of the window."""
        self._now: int | None = None
        self._bad: dict[int, int] = {}  # failures and slow answers of a cell, where there are any
        self._buckets: list[dict[int, Counts]] = [{} for _ in range(_BUCKETS)]
        self._bucket = self._buckets[0]

    def add(self, now: float, client: object, *, failed: bool, slow: bool) -> None:
        """A call of ``client`` has ended."""
        if int(now / self._width) != self._now:
            self._turn(now)
        cell = hash(client) % _CELLS
        counts = self._bucket.get(cell)
        if counts is None:
            counts = self._bucket[cell] = Counts()
        counts.calls += 1
        self.all.calls += 1
        if failed or slow:
            self._worse(cell, counts, failed=failed, slow=slow)

    def spoil(self, now: float, client: object, ended: float) -> None:
        """A call of ``client`` that ended well at ``ended`` has failed after all. It is counted where it stands, so
        that both are forgotten together; one that is forgotten already is another call."""
        self._turn(now)
        number, cell = int(ended / self._width), hash(client) % _CELLS
        is_there = self._now is not None and number > self._now - _BUCKETS
        counts = self._buckets[number % _BUCKETS].get(cell) if is_there else None
        if counts is None:
            self.add(now, client, failed=True, slow=False)
        else:
            self._worse(cell, counts, failed=True, slow=False)

    def _worse(self, cell: int, counts: Counts, *, failed: bool, slow: bool) -> None:
        """One of the calls of ``counts`` has failed or was slow, or both."""
        for each in (counts, self.all):
            each.failed += failed
            each.slow += slow
        self._bad[cell] = self._bad.get(cell, 0) + failed + slow

    def others(self) -> Counts:
        """Those of all clients but the one that has had the most failures, or slow answers."""
        others = replace(self.all)
        if self._bad:
            worst = max(self._bad, key=self._bad.__getitem__)
            for bucket in self._buckets:
                if worst in bucket:
                    others.take(bucket[worst])
        return others

    def _turn(self, now: float) -> None:
        """It is ``now``: forget those that are over."""
        current, last = int(now / self._width), self._now
        if last is None or current > last:
            first = current - _BUCKETS + 1
            for each in range(first if last is None else max(first, last + 1), current + 1):
                self._forget(each % _BUCKETS)
            self._now = current
            self._bucket = self._buckets[current % _BUCKETS]

    def _forget(self, number: int) -> None:
        for cell, counts in self._buckets[number].items():
            self.all.take(counts)
            if counts.failed or counts.slow:
                left = self._bad[cell] - counts.failed - counts.slow
                if left:
                    self._bad[cell] = left
                else:
                    del self._bad[cell]
        self._buckets[number] = {}

    def __repr__(self) -> str:
        return f"<Outcomes {self.all}>"
