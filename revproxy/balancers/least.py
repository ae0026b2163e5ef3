"""The least loaded of all."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Order, Snapshot
from .load import Load
from .loaded import Loaded

__all__ = ["Least"]


class Least(Loaded):
    """The endpoint of least ``load`` of all, by default the one with the fewest requests in flight per weight. With
    ``ResponseTime()`` it is what is called *least response time*.

    Ties are broken by chance, in proportion to the weights. A choice looks at every endpoint, and several proxies that
    do so run to the same one: of more than a few endpoints or proxies ``P2C`` is nearly as good, and cheaper.

    ``rng`` makes it repeatable.
    """

    def __init__(self, load: Load | None = None, *, rng: Random | None = None) -> None:
        super().__init__(load)
        self._rng = rng or Random()

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints, cost, random = snapshot.endpoints, self.load.bind(snapshot), self._rng.random
        if len(endpoints) == 1:
            return lambda exchange: endpoints
        # The less, the earlier among equals: a draw in proportion to the weights (Efraimidis and Spirakis, 2006).
        exponents = [1 / endpoint.weight for endpoint in endpoints]

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            costs = [
                (cost(endpoint), -(random() ** exponent), number)
                for number, (endpoint, exponent) in enumerate(zip(endpoints, exponents, strict=True))
            ]
            heapify(costs)
            while costs:
                yield endpoints[heappop(costs)[2]]

        return order
