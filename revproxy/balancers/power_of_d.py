"""Power of d choices."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Order, Snapshot
from .load import Load
from .loaded import Loaded
from .random import drawer

__all__ = ["PowerOfD"]


class PowerOfD(Loaded):
    """Of ``d`` endpoints drawn at random, in proportion to their weights, the one with least ``load``; then the others
    that were drawn, then the rest from a random place on.

    More choices are nearer to the least loaded of all, and nearer to the herd as well, where what is known of loads is
    old or there are many proxies. ``P2C`` is the same with two, and faster.
    """

    def __init__(self, d: int, load: Load | None = None, *, rng: Random | None = None) -> None:
        super().__init__(load)
        if d < 1:
            raise ValueError(f"d must be at least 1, got {d}")
        self._d = d
        self._rng = rng or Random()

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints, cost = snapshot.endpoints, self.load.bind(snapshot)
        count = len(endpoints)
        random = self._rng.random
        draw = drawer([endpoint.weight for endpoint in endpoints], random)
        times = range(self._d)

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            drawn = dict.fromkeys(draw() for _ in times)  # in their order, which decides between equals
            yield from sorted([endpoints[index] for index in drawn], key=cost)
            start = int(random() * count)
            for step in range(count):
                index = (start + step) % count
                if index not in drawn:
                    yield endpoints[index]

        return order

    def __repr__(self) -> str:
        return f"PowerOfD({self._d}, {self.load!r})"
