"""What one side of a WebSocket may send, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

__all__ = ["MessageLimits", "Pace"]

_SLACK: Final = 1e-6
"""Of a message: what rounding may take, so that ``burst`` at once are never one less."""


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """What one side of one WebSocket may send. Beyond, both sides are closed.

    ``size``
        Bytes of a message, all of its fragments together, not compressed. Close 1009 to who sent more.
    ``rate``, ``burst``
        Messages a second, and how many at once; ``None``: as many as come. A ``burst`` of ``None`` is that of one
        second, and at least 1. Close 1008.
    ``control_rate``, ``control_burst``
        The same of pings and pongs together.

    A message may have 1,024 fragments, and one more for every 64 bytes: an endless one that says nothing is no way by
    them. Close 1008.
    Raises ``ValueError`` that names the parameter and its value.
    """

    size: int = 1 << 20
    rate: float | None = None
    burst: float | None = None
    control_rate: float = 20.0
    control_burst: float = 100.0

    def __post_init__(self) -> None:
        if type(self.size) is not int or self.size < 1:
            raise ValueError(f"size must be an integer of at least 1, got {self.size!r}")
        if self.rate is None and self.burst is not None:
            raise ValueError(f"burst: {self.burst!r} means nothing without a rate")
        for name, value, least in (
            ("rate", self.rate, 0.0),
            ("burst", self.burst, 1.0),
            ("control_rate", self.control_rate, 0.0),
            ("control_burst", self.control_burst, 1.0),
        ):
            if value is not None and not (isfinite(value) and value >= least and value > 0):
                raise ValueError(f"{name} must be {f'at least {least:g}' if least else 'above 0'}, got {value!r}")

    @property
    def at_once(self) -> float:
        """How many messages may come at once: ``burst``, or its default."""
        return self.burst if self.burst is not None else max(1.0, self.rate or 1.0)


class Pace:
    """Lets ``burst`` through at once, and ``rate`` a second: the generic cell rate algorithm (see ``limiters.Gcra``) of
    one key."""

    __slots__ = ("_burst", "_due", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._due = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may pass at ``now``. If not, nothing is taken."""
        at = now * self._rate
        due = max(self._due, at) + 1
        if due - at > self._burst + _SLACK:
            return False
        self._due = due
        return True

    def __repr__(self) -> str:
        return f"Pace({self._rate:g}/s, {self._burst:g} at once)"
