"""Power of two choices: the less loaded of two endpoints drawn at random."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable
from itertools import accumulate
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Order, Snapshot
from .load import InFlight, Load
from .loaded import Loaded

__all__ = ["P2C"]


class P2C(Loaded):
    """Of two endpoints drawn at random the one with less ``load``.

    Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001): close to the least loaded of all at
    the cost of two look-ups, and without the herd that runs to one endpoint. If neither accepts, the others follow
    from a random place on.

    ``load``: by default requests in flight per weight; ``PeakEwma()`` is for servers that differ, or that change.
    Draws are in proportion to the weights. ``rng`` makes it repeatable.
    """

    def __init__(self, load: Load | None = None, *, rng: Random | None = None) -> None:
        super().__init__(load)
        self._rng = rng or Random()

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints, cost = snapshot.endpoints, self.load.bind(snapshot)
        count = len(endpoints)
        if count == 1:
            return lambda exchange: endpoints
        random = self._rng.random
        weights = [endpoint.weight for endpoint in endpoints]
        draw = _draw_evenly(count, random) if len(set(weights)) == 1 else _draw_by_weight(weights, random)
        by_requests = type(self.load) is InFlight

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            one, two = draw()
            first, second = endpoints[one], endpoints[two]
            if by_requests:
                # What has none in flight is as good as any other: light endpoints would starve if it were one more.
                if second.in_flight * first.weight < first.in_flight * second.weight:
                    first, second = second, first
            elif cost(second) < cost(first):
                first, second = second, first
            yield first
            yield second
            start = int(random() * count)
            for step in range(count):
                endpoint = endpoints[(start + step) % count]
                if endpoint is not first and endpoint is not second:
                    yield endpoint

        return order

    def __repr__(self) -> str:
        return "P2C()" if type(self.load) is InFlight else super().__repr__()


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
