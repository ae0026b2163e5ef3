"""Telling that requests are refused: once when it begins, and once when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from logging import WARNING
from typing import ClassVar

from ..clock import Clock, Timer
from ..events import Event

__all__ = ["Shedding", "SheddingBegan", "SheddingEnded"]


@dataclass(frozen=True, slots=True)
class SheddingBegan(Event):
    """The first request was refused by what ``source`` is called; ``why``. ``shadow``: it would have been."""

    level: ClassVar[int] = WARNING

    why: str
    shadow: bool = False

    def __str__(self) -> str:
        return f"{self.source}: requests {'would be' if self.shadow else 'are'} refused: {self.why}"


@dataclass(frozen=True, slots=True)
class SheddingEnded(Event):
    """None was refused for a while; ``count`` were before, in ``seconds``. ``shadow``: they would have been."""

    count: int
    seconds: float
    shadow: bool = False

    def __str__(self) -> str:
        is_, were = ("would be", "would have been") if self.shadow else ("is", "were")
        return f"{self.source}: no request {is_} refused any more; {self.count} {were}, in {self.seconds:.3g} s"


class Shedding:
    """Counts what is refused, and tells when that begins, and when none was refused for ``quiet`` seconds. ``shadow``:
    it would be, and is not."""

    def __init__(
        self,
        name: str,
        *,
        tell: Callable[[Event], None],
        clock: Clock,
        quiet: float = 10.0,
        shadow: bool = False,
    ) -> None:
        self.count: int = 0
        """How many were refused, ever."""
        self._name = name
        self._tell = tell
        self._clock = clock
        self._quiet = quiet
        self._shadow = shadow
        self._began = 0.0
        self._last = 0.0
        self._before = 0
        self._timer: Timer | None = None

    def shed(self, why: str) -> None:
        """One is refused, for ``why``."""
        self._last = self._clock.now()
        if self._timer is None:
            self._began, self._before = self._last, self.count
            self._timer = self._clock.call_later(self._quiet, self._look)
            self._tell(SheddingBegan(self._name, why, self._shadow))
        self.count += 1

    def _look(self) -> None:
        left = self._last + self._quiet - self._clock.now()
        if left > 0:
            self._timer = self._clock.call_later(left, self._look)
        else:
            self._timer = None
            count, seconds = self.count - self._before, self._last - self._began
            self._tell(SheddingEnded(self._name, count, seconds, self._shadow))

    def stop(self) -> None:
        """Tell nothing more until the next one is refused."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __repr__(self) -> str:
        return f"<Shedding of {self._name}: {self.count}{'' if self._timer is None else ', going on'}>"
