"""What balancers have in common that put other balancers to groups of endpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from random import Random
from typing import TypeAlias

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange
from .base import Balancer, Order, Snapshot
from .tiers import Make, Tiers

__all__ = ["Grouped", "Ranking"]

Ranking: TypeAlias = Callable[[Exchange], tuple[Hashable, ...]]


class Grouped(Balancer):
    """Every group of endpoints has a balancer of its own, which ``make`` makes, for as long as there is the group. The
    first group gets all requests while it is well, and less the fewer of its endpoints accept; what it does not get
    goes to the next, never all at once.

    ``overprovisioning``: per cent; at 140 a group gets all of its requests until fewer than 72 % of it are well.
    ``interval``: how often, in seconds, that is looked at.
    """

    def __init__(
        self,
        make: Make,
        *,
        overprovisioning: int = 140,
        interval: float = 0.1,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if overprovisioning < 100:
            raise ValueError(f"overprovisioning must be at least 100 per cent, got {overprovisioning}")
        if not interval >= 0:
            raise ValueError(f"interval must be at least 0, got {interval}")
        self._make = make
        self._overprovisioning = overprovisioning
        self._interval = interval
        self._clock = clock
        self._rng = rng or Random()
        self._balancers: dict[Hashable, Balancer] = {}
        self._owners: dict[Endpoint, Balancer] = {}
        self.of: Balancer = make()
        """One like those that the groups have, which serves nobody."""

    @abstractmethod
    def group_of(self, endpoint: Endpoint) -> Hashable:
        """The group of ``endpoint``."""

    @abstractmethod
    def ranking(self, groups: Mapping[Hashable, tuple[Endpoint, ...]]) -> Ranking:
        """What ranks ``groups`` for an exchange, all of them, the most wanted first."""

    @property
    def learns(self) -> bool:
        return self.of.learns

    def bind(self, snapshot: Snapshot) -> Order:
        members: dict[Hashable, list[Endpoint]] = {}
        for endpoint in snapshot.endpoints:
            members.setdefault(self.group_of(endpoint), []).append(endpoint)
        groups = {group: tuple(each) for group, each in members.items()}
        self._balancers = {group: self._balancers.get(group) or self._make() for group in groups}
        orders = {group: self._balancers[group].bind(Snapshot(each)) for group, each in groups.items()}
        self._owners = {each: self._balancers[group] for group, those in groups.items() for each in those}
        tiers = Tiers(groups, orders, interval=self._interval)
        rank, clock, rng, factor = self.ranking(groups), self._clock.now, self._rng, self._overprovisioning

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            return tiers.walk(exchange, rank(exchange), clock(), rng, factor)

        return order

    def settled(self, attempt: Attempt) -> None:
        owner = self._owners.get(attempt.endpoint)
        if owner is not None:
            owner.settled(attempt)
