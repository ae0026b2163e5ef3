"""What the guard has done to clients: counted one by one, told as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from logging import WARNING
from typing import ClassVar

from ..clock import Clock, Timer
from ..events import Event
from ..handler import Component

__all__ = ["REASONS", "GuardActs", "GuardRests", "Ledger"]

REASONS: Mapping[str, str] = {
    "idle": "nothing came on a new connection",
    "head": "a request head took too long",
    "body": "a request body came too slowly",
    "write": "a client read nothing",
    "malformed": "what came was no request",
    "connections": "too many connections in all",
    "rate": "connections came too fast",
    "prefix connections": "too many connections of one network",
    "prefix rate": "connections of one network came too fast",
}
"""Why a connection is ended or refused: the names that counters go by, and what they mean."""

_USUAL = frozenset({"idle", "malformed"})
"""What happens on every day, without an attack: browsers connect ahead of need, scanners speak other protocols."""

_MANY = 100
"""How often in a while that is not usual any more."""


@dataclass(frozen=True, slots=True)
class GuardActs(Event):
    """The first connection for a while was ended, or not let in, for ``why``: one of ``REASONS``. ``peer``: where it
    came from. ``idle`` and ``malformed`` are told from the hundredth within ten seconds on: browsers and scanners cause
    some on every day."""

    level: ClassVar[int] = WARNING

    why: str
    peer: str

    def __str__(self) -> str:
        return f"{self.source}: connections are ended, or not let in: {REASONS[self.why]} (from {self.peer})"


@dataclass(frozen=True, slots=True)
class GuardRests(Event):
    """None was for a while; ``counts``, by reason, were in ``seconds``."""

    counts: Mapping[str, int] = field(hash=False)
    seconds: float

    def __str__(self) -> str:
        each = ", ".join(f"{why} {count}" for why, count in sorted(self.counts.items()))
        return f"{self.source}: no connection is ended or refused any more; in {self.seconds:.3g} s were: {each}"


class Ledger(Component):
    """Counts by reason, and tells when it begins, and when nothing has happened for ``quiet`` seconds."""

    def __init__(self, name: str, *, clock: Clock, quiet: float = 10.0) -> None:
        self.counts: Counter[str] = Counter()
        self._name = name
        self._clock = clock
        self._quiet = quiet
        self._began = 0.0
        self._last = 0.0
        self._before: Counter[str] = Counter()
        self._usual = (0, 0.0)  # how many, since when
        self._timer: Timer | None = None

    def acted(self, why: str, peer: object) -> None:
        """It happened to one of ``peer``, for ``why``."""
        now = self._clock.now()
        if self._timer is not None:
            self._last = now
        elif why not in _USUAL or self._are_many(now):
            self._began, self._last, self._before = now, now, self.counts.copy()
            self._timer = self._clock.call_later(self._quiet, self._look)
            self.tell(GuardActs(self._name, why, _host(peer)))
        self.counts[why] += 1

    def _are_many(self, now: float) -> bool:
        count, since = self._usual
        if now - since > self._quiet:
            count, since = 0, now
        self._usual = (count + 1, since) if count + 1 < _MANY else (0, now)
        return count + 1 >= _MANY

    def _look(self) -> None:
        left = self._last + self._quiet - self._clock.now()
        if left > 0:
            self._timer = self._clock.call_later(left, self._look)
        else:
            self._rest()

    def _rest(self) -> None:
        self._timer = None
        self.tell(GuardRests(self._name, dict(self.counts - self._before), self._last - self._began))

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._rest()

    def __repr__(self) -> str:
        return f"<Ledger of {self._name}: {sum(self.counts.values())}{'' if self._timer is None else ', going on'}>"


def _host(peer: object) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else "a Unix socket"
