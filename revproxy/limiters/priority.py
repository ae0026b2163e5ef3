"""How important a request is, as whoever composes the proxy says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..exchange import Exchange
from .queue import CLASSES

__all__ = ["Priority", "rank"]

Priority: TypeAlias = Callable[[Exchange], int]
"""How important a request is: 0 is the most important class, 7 the least; what is beyond counts as the nearest. It must
not take the client's word for it: what all clients would claim is no priority."""


def rank(priority: Priority | None, exchange: Exchange) -> int:
    """The class of ``exchange``, from 0 to 7. Without a ``priority`` all are of class 0."""
    return 0 if priority is None else min(max(priority(exchange), 0), CLASSES - 1)
