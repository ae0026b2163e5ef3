"""Endpoints by priority."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from ..endpoint import Endpoint
from .grouped import Grouped, Ranking

__all__ = ["Priorities"]


class Priorities(Grouped):
    """The endpoints of priority 0, by a balancer of their own; those of 1 get what 0 is not well enough for, and so on
    (Envoy's priority levels, with its factor of 1.4)::

        Upstream(Endpoint("http://a"), Endpoint("http://b", priority=1), balancer=Priorities(P2C))
    """

    def group_of(self, endpoint: Endpoint) -> Hashable:
        return endpoint.priority

    def ranking(self, groups: Mapping[Hashable, tuple[Endpoint, ...]]) -> Ranking:
        ranked = tuple(sorted(groups, key=lambda priority: groups[priority][0].priority))
        return lambda exchange: ranked

    def __repr__(self) -> str:
        return f"Priorities({self.of!r})"
