"""What balancers have in common that compare loads."""

from __future__ import annotations

from ..exchange import Attempt
from .base import Balancer
from .load import InFlight, Load

__all__ = ["Loaded"]


class Loaded(Balancer):
    """Compares endpoints by ``load``; by default by requests in flight per weight."""

    def __init__(self, load: Load | None) -> None:
        self.load: Load = InFlight() if load is None else load

    @property
    def learns(self) -> bool:
        return self.load.learns

    def settled(self, attempt: Attempt) -> None:
        self.load.settled(attempt)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.load!r})"
