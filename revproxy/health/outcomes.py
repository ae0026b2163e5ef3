"""What has come of calls in the last seconds, and which client's they were."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Counts", "Outcomes"]

_BUCKETS = 10
_CELLS = 256


@dataclass(slots=True)
class Counts:
    """Calls, those of them that failed, and those that were slow; one may be both."""

    calls: int = 0
    failed: int = 0
    slow: int = 0

    def add(self, *, failed: bool, slow: bool, calls: int = 1) -> None:
        """One more call; with none of ``calls``, one that is there already was worse than it seemed."""
        self.calls += calls
        self.failed += failed
        self.slow += slow

    def less(self, other: Counts) -> Counts:
        """These without ``other``, which are among them."""
        return Counts(self.calls - other.calls, self.failed - other.failed, self.slow - other.slow)

    def __str__(self) -> str:
        return f"{self.failed} of {self.calls} failed, {self.slow} were slow"


class Outcomes:
    """Counts what has come of calls in the last ``window`` seconds, in ten buckets of time: a call is forgotten after
    nine to ten tenths of it.

    Clients are counted by the hash of who they are, in 256 cells: bounded, however many there are, at the price that
    some share a cell.

    No clock: ``now`` is monotonic seconds.
    """

    __slots__ = ("_buckets", "_cells", "_now", "_width", "all")

    def __init__(self, window: float) -> None:
        self._width = window / _BUCKETS
        self.clear()

    def clear(self) -> None:
        """Forget all of them."""
        self.all: Counts = Counts()
        """Of the window."""
        self._now: int | None = None
        self._cells: dict[int, Counts] = {}
        self._buckets: list[dict[int, Counts]] = [{} for _ in range(_BUCKETS)]

    def add(self, now: float, client: object, *, failed: bool, slow: bool) -> None:
        """A call of ``client`` has ended."""
        bucket = self._turn(now)
        cell = hash(client) % _CELLS
        for where in (bucket, self._cells):
            counts = where.get(cell)
            if counts is None:
                counts = where[cell] = Counts()
            counts.add(failed=failed, slow=slow)
        self.all.add(failed=failed, slow=slow)

    def spoil(self, now: float, client: object, ended: float) -> None:
        """A call of ``client`` that ended well at ``ended`` has failed after all. It is counted where it stands, so
        that both are forgotten together; one that is forgotten already is another call."""
        self._turn(now)
        number = int(ended / self._width)
        is_there = self._now is not None and number > self._now - _BUCKETS
        counts = self._buckets[number % _BUCKETS].get(hash(client) % _CELLS) if is_there else None
        if counts is None:
            self.add(now, client, failed=True, slow=False)
            return
        for each in (counts, self._cells[hash(client) % _CELLS], self.all):
            each.add(failed=True, slow=False, calls=0)

    def others(self) -> Counts:
        """Those of all clients but the one that has had the most failures, or slow answers."""
        worst = max(self._cells.values(), key=lambda counts: counts.failed + counts.slow, default=Counts())
        return self.all.less(worst)

    def _turn(self, now: float) -> dict[int, Counts]:
        """The bucket of ``now``, with all that are over forgotten."""
        current = int(now / self._width)
        last = self._now
        if last is None or current > last:
            first = current - _BUCKETS + 1
            for each in range(first if last is None else max(first, last + 1), current + 1):
                self._forget(each % _BUCKETS)
            self._now = last = current
        return self._buckets[last % _BUCKETS]

    def _forget(self, number: int) -> None:
        for cell, counts in self._buckets[number].items():
            left = self._cells[cell].less(counts)
            if left.calls:
                self._cells[cell] = left
            else:
                del self._cells[cell]
            self.all = self.all.less(counts)
        self._buckets[number] = {}

    def __repr__(self) -> str:
        return f"<Outcomes {self.all}>"
