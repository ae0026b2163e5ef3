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

    __slots__ = ("backlog", "came", "count", "since", "tenants")

    def __init__(self) -> None:
        self.tenants: OrderedDict[Hashable, OrderedDict[T, None]] = OrderedDict()
        self.count: int = 0
        self.backlog: int = 0
        """How many would wait, had nobody given up."""
        self.since: float = 0.0
        """When the backlog began. Means nothing without one."""
        self.came: float = float("-inf")
        """When the last one came."""


class Queue(Generic[T]):
    """At most ``size`` that wait, for a short time: whoever would wait for long is better told so at once.

    It is the queue of Maurer, "Fail at Scale" (ACM Queue 13, 2015): controlled delay after Nichols and Jacobson,
    "Controlling Queue Delay" (ACM Queue 10, 2012), with adaptive LIFO. As long as the queue of a class is empty every
    now and then, a burst is waited for: ``interval`` seconds, first come, first served. If it was not empty for
    ``interval``, it stands, and a queue that stands only adds its length to everybody's time: who comes then waits
    for ``target`` seconds at most, and the last one to come is served first, since its client is still there. Other
    than there, a queue is not empty for all having given up: what counts is whether it would be, had nobody.

    Of the classes of priority, 0 to 7, what waits in the more important one is served first; within a class one of each
    tenant in turn. A tenant that has less than its share of a queue that stands has not made it stand: for its
    requests it is as if it did not.

    Where the queue is full, what would be served last has to go: of the least important class, of the tenant that has
    most in it (as in FQ-CoDel, RFC 8290 section 4.1), the oldest if it stands, or else the newest.

    No clock and no event loop: whoever uses it says what time it is, in monotonic seconds, and takes out by ``expire``
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
        self.is_behind: bool = False
        """Whether it has to be told, by ``pop``, of those that need not wait. Else nobody waits."""

    def __len__(self) -> int:
        return len(self._places)

    def patience(self, priority: int, now: float, *, tenant: Hashable = None) -> float:
        """Seconds that one of this ``priority`` and ``tenant`` may wait that comes at ``now``."""
        return self._target if self._stands(self._classes[priority], tenant, now) else self._interval

    def _stands(self, of: _Class[T], tenant: Hashable, now: float) -> bool:
        if not of.backlog or now - of.since <= self._interval or now - of.came > self._interval:
            return False
        tenants = of.tenants
        own = tenants.get(tenant)
        return len(own or ()) * (len(tenants) + (own is None)) >= of.count

    def push(self, item: T, now: float, *, priority: int = 0, tenant: Hashable = None) -> T | None:
        """``item`` comes. Returns who has to go for it: ``None``, nobody; or ``item`` itself, which is not let in."""
        of = self._classes[priority]
        gone: T | None = None
        if len(self._places) >= self.size:
            gone = self._last(priority, tenant, now)
        if now - of.came > self._interval:
            of.backlog = of.count
        if not of.backlog:
            of.since = now
        of.backlog = min(of.backlog + 1, self.size)
        self.is_behind = True
        of.came = now
        if len(self._places) >= self.size:
            if gone is None:
                return item
            self.expire(gone)
        of.tenants.setdefault(tenant, OrderedDict())[item] = None
        of.count += 1
        self._places[item] = of, tenant
        return gone

    def _last(self, priority: int, tenant: Hashable, now: float) -> T | None:
        """Who would be served last, if that is not one of this ``priority`` and ``tenant`` that comes now."""
        for rank in range(CLASSES - 1, priority - 1, -1):
            of = self._classes[rank]
            if of.count:
                largest = max(of.tenants, key=lambda each: len(of.tenants[each]))
                items = of.tenants[largest]
                stands = self._stands(of, largest, now)
                if rank == priority and not stands and len(items) <= len(of.tenants.get(tenant, ())):
                    return None
                return next(iter(items) if stands else reversed(items))
        return None

    def pop(self, now: float) -> T | None:
        """Take out who is next. To be called, too, for one who comes and need not wait: that is how a queue comes to
        know that it keeps up."""
        if not self.is_behind:
            return None
        for of in self._classes:
            of.backlog = max(of.backlog - 1, of.count - 1, 0)
            if of.count:
                tenant, items = next(iter(of.tenants.items()))
                item = next(reversed(items) if self._stands(of, tenant, now) else iter(items))
                of.tenants.move_to_end(tenant)
                self._take(item)
                return item
        self.is_behind = any(of.backlog for of in self._classes)
        return None

    def expire(self, item: T) -> bool:
        """Take out ``item``, which has waited for too long; whether it was there."""
        return self._take(item) is not None

    def remove(self, item: T) -> bool:
        """Take out ``item``, which does not want to be served any more; whether it was there."""
        of = self._take(item)
        if of is not None:
            of.backlog = max(of.backlog - 1, of.count)
        return of is not None

    def _take(self, item: T) -> _Class[T] | None:
        place = self._places.pop(item, None)
        if place is None:
            return None
        of, tenant = place
        items = of.tenants[tenant]
        del items[item]
        if not items:
            del of.tenants[tenant]
        of.count -= 1
        return of

    def __repr__(self) -> str:
        waiting = ", ".join(f"{of.count} of priority {rank}" for rank, of in enumerate(self._classes) if of.count)
        return f"<Queue {len(self)} of {self.size}{f': {waiting}' if waiting else ''}>"
