"""A deadline that moves often and is missed seldom."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock, Timer

__all__ = ["NEVER", "Deadline"]

NEVER = float("inf")


class Deadline:
    """Calls ``missed`` when the deadline has passed. To move it costs a comparison: the one timer behind it is left
    alone, looks at the deadline when it fires, and is set anew if that is still to come."""

    __slots__ = ("_clock", "_fires", "_missed", "_timer", "at")

    def __init__(self, clock: Clock, missed: Callable[[], None]) -> None:
        self._clock = clock
        self._missed = missed
        self._timer: Timer | None = None
        self._fires = NEVER
        self.at: float = NEVER
        """Monotonic seconds. Set it directly only to a later time than before, or to ``NEVER``."""

    def set(self, at: float) -> None:
        """Move the deadline to ``at``, monotonic seconds, earlier or later."""
        self.at = at
        if self._timer is None:
            self._start(at)
        elif at < self._fires:
            self._timer.cancel()
            self._start(at)

    def cancel(self) -> None:
        """There is no deadline any more, and no timer."""
        self.at = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, at: float) -> None:
        self._fires = at
        self._timer = self._clock.call_later(max(0.0, at - self._clock.now()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self.at == NEVER:
            return
        if self._clock.now() < self.at:
            self._start(self.at)
        else:
            self._missed()
