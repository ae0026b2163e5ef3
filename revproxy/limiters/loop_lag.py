"""How far the event loop is behind."""

from __future__ import annotations

from math import exp

from ..clock import SYSTEM_CLOCK, Clock, Timer
from ..handler import Component

__all__ = ["Lag", "LoopLag"]


class Lag:
    """An average of how late something was, that forgets with a time constant of ``window`` seconds. No clock."""

    __slots__ = ("_window", "average", "due", "worst")

    def __init__(self, window: float) -> None:
        self._window = window
        self.due: float | None = None
        """When it should happen next."""
        self.average: float = 0.0
        self.worst: float = 0.0
        """The latest that it ever was."""

    def at(self, now: float) -> float:
        """The average as it would be if it happened ``now``; what is not due yet changes nothing."""
        late = 0.0 if self.due is None else now - self.due
        return self.average if late <= 0 else self._with(late, late)

    def happened(self, now: float, interval: float) -> None:
        """It has happened; it should again in ``interval`` seconds."""
        if self.due is not None:
            late = max(now - self.due, 0.0)
            self.average = self._with(late, interval + late)
            self.worst = max(self.worst, late)
        self.due = now + interval

    def _with(self, late: float, seconds: float) -> float:
        weight = exp(-seconds / self._window)
        return self.average * weight + late * (1 - weight)


class LoopLag(Component):
    """Measures how late the event loop calls a timer: how long everything waits that is ready to run. It is small as
    long as the loop has time to spare, and grows without end when it has more to do than it can, whatever it is that
    keeps it busy: too many requests, a filter that computes, an application's handler that blocks.

    ``interval``
        Seconds between two measurements.
    ``window``
        The time constant of the average, in seconds: one long pause is soon forgotten, a loop that lags is not.

    It measures while it runs; ``filters.ShedLoad`` runs the one that it has. One may serve several of them. Raises
    ``ValueError`` that names the parameter and its value.
    """

    def __init__(self, *, interval: float = 0.05, window: float = 0.5, clock: Clock = SYSTEM_CLOCK) -> None:
        for name, value in (("interval", interval), ("window", window)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        self._interval = interval
        self._window = window
        self._clock = clock
        self._lag = Lag(window)
        self._timer: Timer | None = None

    @property
    def seconds(self) -> float:
        """How far the loop is behind now, on average. A timer that is overdue while this is asked counts already. 0 if
        it does not run."""
        return self._lag.at(self._clock.now())

    @property
    def worst(self) -> float:
        """The most that it was behind since it was started."""
        return self._lag.worst

    async def start(self) -> None:
        self._lag = Lag(self._window)
        self._measure()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._lag = Lag(self._window)

    def _measure(self) -> None:
        self._lag.happened(self._clock.now(), self._interval)
        self._timer = self._clock.call_later(self._interval, self._measure)

    def __repr__(self) -> str:
        return f"<LoopLag {1000 * self.seconds:.3g} ms{'' if self._timer is not None else ', not running'}>"
