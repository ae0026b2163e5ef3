"""By chance."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable
from itertools import accumulate
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order, Snapshot

__all__ = ["WeightedRandom"]


class WeightedRandom(Balancer):
    """Any endpoint, in proportion to the weights; if that does not accept, another one, likewise drawn.

    Without a memory, so proxies that know nothing of each other add up to an even load. ``rng`` makes it repeatable.
    """

    def __init__(self, *, rng: Random | None = None) -> None:
        self._rng = rng or Random()

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints = snapshot.endpoints
        draw = drawer([endpoint.weight for endpoint in endpoints], self._rng.random)
        shuffled = self._rng.random

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            first = endpoints[draw()]
            yield first
            # Only now is the rest of interest. The key of Efraimidis and Spirakis (2006): a draw without putting back.
            rest = [(shuffled() ** (1 / each.weight), number) for number, each in enumerate(endpoints)]
            rest.sort(reverse=True)
            for _, number in rest:
                if endpoints[number] is not first:
                    yield endpoints[number]

        return order


def drawer(weights: list[int], random: Callable[[], float]) -> Callable[[], int]:
    """What draws an index in proportion to ``weights``."""
    count = len(weights)
    if len(set(weights)) == 1:
        return lambda: int(random() * count)
    totals = list(accumulate(weights))
    total, last = totals[-1], count - 1
    return lambda: bisect(totals, random() * total, 0, last)
