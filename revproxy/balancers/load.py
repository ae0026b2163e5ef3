"""How busy an endpoint is, apart from the algorithm that asks: every load goes with every balancer that takes one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from ..endpoint import Endpoint
from ..exchange import Attempt
from .base import Snapshot

__all__ = ["Cost", "InFlight", "Load"]

Cost: TypeAlias = Callable[[Endpoint], float]
"""What one more request to an endpoint would cost, in any unit; the less, the better. Where two are the same, whoever
asks chooses in proportion to the weights: so what has nothing in flight costs the same whatever its weight."""


class Load(ABC):
    """Measures endpoints. One load serves one balancer: what it has learnt of the endpoints is its own.

    What it knows of an endpoint outlives a change of membership that keeps the endpoint.
    """

    @abstractmethod
    def bind(self, snapshot: Snapshot) -> Cost:
        """The cost of the endpoints of ``snapshot``. Called once per change of membership."""

    @property
    def learns(self) -> bool:
        """Whether ``settled`` does anything."""
        return type(self).settled is not Load.settled

    def settled(self, attempt: Attempt) -> None:
        """Learn how an attempt went. Called once an attempt, when its body has ended."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class InFlight(Load):
    """Requests in flight per weight."""

    def bind(self, snapshot: Snapshot) -> Cost:
        return lambda endpoint: endpoint.in_flight / endpoint.weight
