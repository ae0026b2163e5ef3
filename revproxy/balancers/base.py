"""What every balancer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange

__all__ = ["Balancer", "Order", "Snapshot"]

Order: TypeAlias = Callable[[Exchange], Iterable[Endpoint]]
"""The endpoints for an exchange, lazily, most wanted first. Every endpoint once at most."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The members of an upstream between two changes of membership. Never empty when it is bound."""

    endpoints: tuple[Endpoint, ...]


class Balancer(ABC):
    """Orders endpoints by preference. It knows nothing of health, limits or retries: the upstream walks the order and
    takes the first endpoint that accepts.

    One balancer serves one upstream: its state is that of the last snapshot bound.
    """

    serves: str = ""
    """The name of that upstream, once there is one."""

    @abstractmethod
    def bind(self, snapshot: Snapshot) -> Order:
        """The order for ``snapshot``. Called once per change of membership: build tables here."""

    @property
    def learns(self) -> bool:
        """Whether ``settled`` does anything."""
        return type(self).settled is not Balancer.settled

    def settled(self, attempt: Attempt) -> None:
        """Learn how an attempt went. Called once an attempt, when its body has ended."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
