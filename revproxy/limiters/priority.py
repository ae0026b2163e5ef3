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
    """The class of ``exchange``, from 0 to 7. Without a ``priority`` all are of class 0. Raises ``TypeError`` where it
    returns what is no integer."""
    if priority is None:
        return 0
    said: object = priority(exchange)
    if not isinstance(said, int):
        raise TypeError(f"priority returned {said!r}, which is no integer from 0 to {CLASSES - 1}")
    return min(max(said, 0), CLASSES - 1)
