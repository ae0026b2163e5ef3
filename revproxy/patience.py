"""By when a caller wants an answer, as he himself says."""

from __future__ import annotations

from .exchange import Exchange, Key

__all__ = ["PATIENCE", "was_hurried"]

PATIENCE: Key[float] = Key("patience")
"""The monotonic time by which a trusted peer wants the answer, where that is earlier than what the proxy itself would
wait. ``filters.Deadline`` sets it."""


def was_hurried(exchange: Exchange, deadline: float | None) -> bool:
    """Whether it was the caller's own patience that set ``deadline``: that it is over blames nobody else."""
    return deadline is not None and exchange.get(PATIENCE) == deadline
