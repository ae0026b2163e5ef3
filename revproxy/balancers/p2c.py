"""Power of two choices: the less loaded of two endpoints drawn at random."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable
from itertools import accumulate
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order, Snapshot

__all__ = ["P2C"]


class P2C(Balancer):
    """Of two endpoints drawn at random, in proportion to their weights, the one with fewer requests in flight per
    weight.

    Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001): close to the least loaded of all at
    the cost of two look-ups, and without the herd that runs to one endpoint. If neither accepts, the others follow
    from a random place on.

    ``rng`` makes it repeatable.
    """

    def __init__(self, *, rng: Random | None = None) -> None:
        self._rng = rng or Random()

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints = snapshot.endpoints
        count = len(endpoints)
        if count == 1:
            return lambda exchange: endpoints
        random = self._rng.random
        weights = [endpoint.weight for endpoint in endpoints]
        draw = _draw_evenly(count, random) if len(set(weights)) == 1 else _draw_by_weight(weights, random)

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            one, two = draw()
            first, second = endpoints[one], endpoints[two]
            if second.in_flight * first.weight < first.in_flight * second.weight:
                first, second = second, first
            yield first
            yield second
            start = int(random() * count)
            for step in range(count):
                endpoint = endpoints[(start + step) % count]
                if endpoint is not first and endpoint is not second:
                    yield endpoint

        return order


def _draw_evenly(count: int, random: Callable[[], float]) -> Callable[[], tuple[int, int]]:
    def draw() -> tuple[int, int]:
        one = int(random() * count)
        two = int(random() * (count - 1))
        return one, two + (two >= one)

    return draw


def _draw_by_weight(weights: list[int], random: Callable[[], float]) -> Callable[[], tuple[int, int]]:
    totals = list(accumulate(weights))
    total, last = totals[-1], len(weights) - 1

    def draw() -> tuple[int, int]:
        one = bisect(totals, random() * total)
        at = random() * (total - weights[one])  # as if the first were not there
        if at >= totals[one] - weights[one]:
            at += weights[one]
        two = min(bisect(totals, at), last)
        if two == one:  # by rounding only
            two = one - 1 if one else 1
        return one, two

    return draw
