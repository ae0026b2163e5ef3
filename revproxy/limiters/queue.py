"""Who waits, who is next, and who has waited long enough."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["CLASSES", "Queue"]

T = TypeVar("T", bound=Hashable)

CLASSES = 8
"""Classes of priority, from 0, the most important, to 7, as many as there are urgencies in RFC 9218."""


class _Class(Generic[T]):
    """Those of one priority, by tenant, the tenant whose turn is next first."""

    __slots__ = ("since", "tenants")

    def __init__(self) -> None:
        self.tenants: OrderedDict[Hashable, OrderedDict[T, None]] = OrderedDict()
        self.since: float = 0.0
        """When it was empty for the last time. Means nothing while it is empty."""


class Queue(Generic[T]):
    """At most ``size`` that wait, for a short time: whoever would wait for long is better told so at once.

    It is the queue of Maurer, "Fail at Scale" (ACM Queue 13, 2015): controlled delay after Nichols and Jacobson,
    "Controlling Queue Delay" (ACM Queue 10, 2012), with adaptive LIFO. As long as the queue of a class is empty every
    now and then, a burst is waited for: ``interval`` seconds, first come, first served. If it was not empty for
    ``interval``, it stands, and a queue that stands only adds its length to everybody's time: who comes then waits
    for ``target`` seconds at most, and the last one to come is served first, since its client is still there.

    Of the classes of priority, 0 to 7, what waits in the more important one is served first; within a class one of each
    tenant in turn. Where the queue is full, what would be served last has to go: of the least important class, of the
    tenant that has most in it (as in FQ-CoDel, RFC 8290 section 4.1), the oldest if it stands, or else the newest.

    No clock and no event loop: whoever uses it says what time it is, in monotonic seconds, and takes out by ``remove``
    what has waited for as long as ``patience`` said when it came. Raises ``ValueError`` that names the parameter.
    """

    def __init__(self, size: int, *, target: float = 0.005, interval: float = 0.1) -> None:
        if type(size) is not int or size < 0:
            raise ValueError(f"queue must be an integer of at least 0, got {size!r}")
        if not 0 < target <= interval < float("inf"):
            raise ValueError(f"target and interval must be 0 < target <= interval, got {target} and {interval}")
        self.size: int = size
        self._target = target
        self._interval = interval
        self._classes: tuple[_Class[T], ...] = tuple(_Class() for _ in range(CLASSES))
        self._places: dict[T, tuple[_Class[T], Hashable]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def patience(self, priority: int, now: float) -> float:
        """Seconds that one of this ``priority`` may wait that comes at ``now``."""
        return self._target if self._stands(self._classes[priority], now) else self._interval

    def _stands(self, of: _Class[T], now: float) -> bool:
        return bool(of.tenants) and now - of.since > self._interval

    def push(self, item: T, now: float, *, priority: int = 0, tenant: Hashable = None) -> T | None:
        """``item`` comes. Returns who has to go for it: ``None``, nobody; or ``item`` itself, which is not let in."""
        gone: T | None = None
        if len(self._places) >= self.size:
            gone = self._last(priority, tenant, now)
            if gone is None:
                return item
            self.remove(gone)
        of = self._classes[priority]
        if not of.tenants:
            of.since = now
        of.tenants.setdefault(tenant, OrderedDict())[item] = None
        self._places[item] = of, tenant
        return gone

    def _last(self, priority: int, tenant: Hashable, now: float) -> T | None:
        """Who would be served last, if that is not one of this ``priority`` and ``tenant`` that comes now."""
        for rank in range(CLASSES - 1, priority - 1, -1):
            of = self._classes[rank]
            if of.tenants:
                stands = self._stands(of, now)
                largest = max(of.tenants.values(), key=len)
                if rank == priority and not stands and len(largest) <= len(of.tenants.get(tenant, ())):
                    return None
                return next(iter(largest) if stands else reversed(largest))
        return None

    def pop(self, now: float) -> T | None:
        """Take out who is next."""
        for of in self._classes:
            if of.tenants:
                tenant, items = next(iter(of.tenants.items()))
                item, _ = items.popitem(last=self._stands(of, now))
                del self._places[item]
                if items:
                    of.tenants.move_to_end(tenant)
                else:
                    del of.tenants[tenant]
                return item
        return None

    def remove(self, item: T) -> bool:
        """Take out ``item``; whether it was there."""
        place = self._places.pop(item, None)
        if place is None:
            return False
        of, tenant = place
        items = of.tenants[tenant]
        del items[item]
        if not items:
            del of.tenants[tenant]
        return True

    def __repr__(self) -> str:
        waiting = ", ".join(
            f"{sum(map(len, of.tenants.values()))} of priority {rank}"
            for rank, of in enumerate(self._classes)
            if of.tenants
        )
        return f"<Queue {len(self)} of {self.size}{f': {waiting}' if waiting else ''}>"
