"""Power of two choices: the less loaded of two endpoints drawn at random."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order, Snapshot

__all__ = ["P2C"]


class P2C(Balancer):
    """Of two endpoints drawn at random, the one with fewer requests in flight per weight.

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
        random = self._rng.random
        if count == 1:
            return lambda exchange: endpoints

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            one = int(random() * count)
            two = int(random() * (count - 1))
            if two >= one:
                two += 1
            first, second = endpoints[one], endpoints[two]
            if (second.in_flight + 1) * first.weight < (first.in_flight + 1) * second.weight:
                first, second = second, first
            yield first
            yield second
            start = int(random() * count)
            for step in range(count):
                endpoint = endpoints[(start + step) % count]
                if endpoint is not first and endpoint is not second:
                    yield endpoint

        return order
