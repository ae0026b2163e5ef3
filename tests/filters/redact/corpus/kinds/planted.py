"""A secret, and what it takes to know it for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

__all__ = ["Kind", "Planted"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret, and what it takes to know it for one.

    ``before``, ``after``
        What stands around it in the same text: the rest of a connection string, the frame of a key.
    ``names``
        Names of which one must stand before it; empty: it speaks for itself.
    """

    value: str
    before: str = ""
    after: str = ""
    names: tuple[str, ...] = ()


Kind: TypeAlias = Callable[[Random], Planted]
