"""How requests go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from ...errors import ConnectFailed, ConnectionLost, ProxyError

__all__ = ["LOST", "REFUSED", "SILENT", "Fails", "Fault", "failing"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way: by an ``error`` at once; by an answer with ``status`` at once; with neither, without any answer, until
    whoever asked has waited long enough. None of them takes a worker.

    Raises ``ValueError`` for a status that is none, and for both.
    """

    error: type[ProxyError] | None = None
    status: int | None = None

    def __post_init__(self) -> None:
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError(f"status must be 200 to 599, got {self.status}")
        if self.error is not None and self.status is not None:
            raise ValueError(f"status: there is none with an error, got {self.status} and {self.error.__name__}")


REFUSED = Fault(error=ConnectFailed)
"""No connection, so nothing was sent."""

LOST = Fault(error=ConnectionLost)
"""The connection ends without an answer."""

SILENT = Fault()
"""There is no answer: ``simulate`` must have a ``timeout``, or a filter of yours one."""

Fails: TypeAlias = Callable[[Random, float], Fault | bool | None]
"""Whether a request that arrives at a time of the simulation goes wrong, and how; ``True`` is ``LOST``."""


def failing(fault: Fault, *, share: float = 1.0, start: float = 0.0, end: float = float("inf")) -> Fails:
    """This ``share`` of the requests, of 1, from ``start`` to ``end``. Raises ``ValueError`` for what is none."""
    if not 0 <= share <= 1:
        raise ValueError(f"share must be 0 to 1, got {share}")
    if not start < end:
        raise ValueError(f"start must be before end, got {start} and {end}")
    return lambda rng, now: fault if start <= now < end and rng.random() < share else None
