"""Groups of endpoints, of which the first get everything as long as enough of them are well."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order

__all__ = ["Make", "Tiers", "tier_loads"]

Make = Callable[[], Balancer]
"""Makes a balancer: a class (``P2C``), or a function, as every group needs one of its own."""


def tier_loads(tiers: Sequence[tuple[int, int]], overprovisioning: int = 140) -> list[int]:
    """The share of each tier in per cent, for tiers of (well, all) endpoints, the most wanted first; all 0 where none
    is well.

    Envoy's rule (architecture overview, "Priority levels"): a tier counts as fully well while ``overprovisioning`` per
    cent of its well endpoints are as many as it has; what it does not take goes to the next. Whole numbers, as there.
    """
    health = [min(100, overprovisioning * well // of) if of else 0 for well, of in tiers]
    total = min(100, sum(health))
    if not total:
        return [0] * len(health)
    left, loads = 100, []
    for each in health:
        load = min(left, each * 100 // total)
        left -= load
        loads.append(load)
    loads[next(at for at, each in enumerate(health) if each)] += left  # what rounding has left over
    return loads


class Tiers:
    """The groups of one snapshot, each with a balancer of its own, and how well they are.

    That is looked at once in ``interval`` seconds at most, since it means looking at every endpoint.
    """

    def __init__(
        self, groups: Mapping[Hashable, tuple[Endpoint, ...]], orders: Mapping[Hashable, Order], *, interval: float
    ) -> None:
        self._groups = groups
        self._orders = orders
        self._interval = interval
        self._until = float("-inf")
        self._well: dict[Hashable, tuple[int, int]] = {}
        self._totals: dict[tuple[Hashable, ...], list[int]] = {}

    def walk(
        self, exchange: Exchange, ranked: tuple[Hashable, ...], now: float, rng: Random, overprovisioning: int
    ) -> Iterator[Endpoint]:
        """The endpoints for ``exchange``: first those of the group that is drawn by the loads of ``ranked``, then those
        of the others, in that order."""
        if now >= self._until:
            self._look(now)
        totals = self._totals.get(ranked)
        if totals is None:
            totals = list(accumulate(tier_loads([self._well[each] for each in ranked], overprovisioning)))
            if len(self._totals) < _BOUND:
                self._totals[ranked] = totals
        first = 0
        if totals[-1] and totals[0] < 100:
            at = rng.random() * 100
            first = next(number for number, total in enumerate(totals) if at < total)
        yield from self._orders[ranked[first]](exchange)
        for number, group in enumerate(ranked):
            if number != first:
                yield from self._orders[group](exchange)

    def _look(self, now: float) -> None:
        self._until = now + self._interval
        self._totals.clear()
        for group, members in self._groups.items():
            self._well[group] = sum(each.accepts(now) for each in members), len(members)


_BOUND = 1024
"""Rankings at most whose loads are kept; there are as many as places of clients."""
