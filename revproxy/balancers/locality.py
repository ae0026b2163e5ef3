"""Endpoints by place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from random import Random
from typing import Literal

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange
from .grouped import Grouped, Ranking
from .places import PlaceCost
from .tiers import Make

__all__ = ["Locality"]


class Locality(Grouped):
    """The endpoints of the place that costs an exchange least, by a balancer of their own; what they are not well
    enough for goes to the next place, little by little.

    ``cost``
        Of a place for an exchange: ``InOrder``, ``ByClient`` or ``Nearest``, or one of your own.
    ``by``
        What a place is: the endpoints' ``zone`` or ``region``. Those without one are a place of their own.

    Of places that cost the same the one whose endpoints were named first is first.
    """

    def __init__(
        self,
        make: Make,
        cost: PlaceCost,
        *,
        by: Literal["zone", "region"] = "zone",
        overprovisioning: int = 140,
        interval: float = 0.1,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        super().__init__(make, overprovisioning=overprovisioning, interval=interval, clock=clock, rng=rng)
        if by not in ("zone", "region"):
            raise ValueError(f"by must be 'zone' or 'region', got {by!r}")
        if not isinstance(cost, PlaceCost):
            raise TypeError(f"cost: {cost!r} is not a PlaceCost object")
        self._cost = cost
        self._by = by

    def group_of(self, endpoint: Endpoint) -> Hashable:
        return endpoint.zone if self._by == "zone" else endpoint.region

    def ranking(self, groups: Mapping[Hashable, tuple[Endpoint, ...]]) -> Ranking:
        places: dict[Hashable, str] = {group: "" if group is None else str(group) for group in groups}
        cost = self._cost.bind({places[group]: members for group, members in groups.items()})
        if len(groups) == 1:
            only = tuple(groups)
            return lambda exchange: only

        def rank(exchange: Exchange) -> tuple[Hashable, ...]:
            of = cost(exchange)
            return tuple(sorted(groups, key=lambda group: of(places[group])))

        return rank

    @property
    def learns(self) -> bool:
        return super().learns or self._cost.learns

    def settled(self, attempt: Attempt) -> None:
        super().settled(attempt)
        self._cost.settled(attempt)

    def __repr__(self) -> str:
        return f"Locality({self.of!r}, {self._cost!r})"
