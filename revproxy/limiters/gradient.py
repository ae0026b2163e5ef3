"""A number that follows from how long answers take."""

from __future__ import annotations

from math import ceil, sqrt
from random import Random

from .base import Limit

__all__ = ["Gradient"]

_LOWEST, _HIGHEST = 0.5, 2.0
_ENOUGH = 10
"""Answers that a window has to have: the slow one among fewer is chance."""
_HELD = 1000
"""Answers of a window that are looked at, at most."""
_STUCK = 5
"""Windows in a row with the least limit, after which the unloaded time is measured anew."""


class Gradient(Limit):
    """Finds out how many requests a server can have at once, by Envoy's gradient: the time that answers take now is
    compared with the time that they take where there is hardly any load. ::

        gradient = unloaded * (1 + buffer) / now     # 0.5 to 2
        limit = gradient * limit + sqrt(limit)

    so that it grows by a little while answers come in time, and shrinks as soon as requests wait in line behind the
    proxy. Times are the ``percentile`` of windows of ``window`` seconds, in each of which there are at least ten.

    ``least``, ``most``
        Bounds of the limit. It begins with the least.
    ``buffer``
        The share by which answers may be slower than without load, before the limit shrinks for it.
    ``every``, ``jitter``
        Seconds between two measurements of the unloaded time; each is drawn from ``every * (1 - jitter)`` to
        ``every * (1 + jitter)``. It is measured earlier where the limit is at its least for five windows.
    ``samples``, ``patience``
        A measurement is over after so many answers to requests that began in it, or so many seconds. Meanwhile only
        ``least`` requests may be in flight: that is what makes it unloaded.

    Other than in Envoy, nothing that is not called for is done where there is load enough to spare. The limit does not
    grow while less than half of it is used, as in Netflix' concurrency-limits, lest it is anything when it is needed;
    and a measurement that is due waits until the limit is reached: before, it would refuse requests for the sake of a
    limit that nobody feels.

    Sources: Envoy, adaptive concurrency filter, "gradient controller"; Netflix, "Performance Under Load", 2018. Raises
    ``ValueError`` that names the parameter and its value.
    """

    def __init__(
        self,
        *,
        least: int = 3,
        most: int = 1000,
        buffer: float = 0.25,
        percentile: float = 90.0,
        window: float = 0.1,
        every: float = 60.0,
        jitter: float = 0.15,
        samples: int = 50,
        patience: float = 5.0,
        rng: Random | None = None,
    ) -> None:
        if type(least) is not int or type(most) is not int or not 1 <= least <= most:
            raise ValueError(f"least and most must be integers, 1 <= least <= most, got {least!r} and {most!r}")
        if type(samples) is not int or not 1 <= samples <= _HELD:
            raise ValueError(f"samples must be an integer of 1 to {_HELD}, got {samples!r}")
        if not 0 <= buffer < float("inf"):
            raise ValueError(f"buffer must be at least 0 and finite, got {buffer}")
        if not 0 < percentile <= 100:
            raise ValueError(f"percentile must be above 0 and at most 100, got {percentile}")
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter must be at least 0 and below 1, got {jitter}")
        for name, value in (("window", window), ("every", every), ("patience", patience)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        self._least = least
        self._most = most
        self._buffer = buffer
        self._percentile = percentile
        self._window = window
        self._every = every
        self._jitter = jitter
        self._samples = samples
        self._patience = patience
        self._rng = rng or Random()
        self.limit: int = least
        """How many at most, when nothing is measured."""
        self.unloaded: float | None = None
        """Seconds that an answer takes without load; ``None``: not measured yet."""
        self._times: list[float] = []
        self._since: float | None = None  # when the window began, or the measurement
        self._busiest = 0
        self._stuck = 0
        self._due = 0.0
        self._measures = True

    @property
    def measures(self) -> bool:
        """Whether the unloaded time is measured now."""
        return self._measures

    def allowed(self, now: float) -> int:
        if self._since is None:
            self._since = now
        elif self._measures and now - self._since >= self._patience:
            self._measured(now)
        return self._least if self._measures else self.limit

    def answered(self, started: float, now: float, in_flight: int) -> None:
        since = self._since
        if since is None or (started < since and self._measures):
            return  # it began under load
        if len(self._times) < _HELD:
            self._times.append(max(now - started, 0.0))
        if self._measures:
            if len(self._times) >= self._samples:
                self._measured(now)
            return
        self._busiest = max(self._busiest, in_flight)
        is_reached = in_flight >= self.limit
        if now - since >= self._window and len(self._times) >= _ENOUGH:
            self._adjust(now)
        if is_reached and now >= self._due:
            self._measure(now)

    def _adjust(self, now: float) -> None:
        """A window is over."""
        assert self.unloaded is not None
        taken, wanted = self._taken(), self.unloaded * (1 + self._buffer)
        gradient = _HIGHEST if taken <= 0 else min(max(wanted / taken, _LOWEST), _HIGHEST)
        is_reached = self._busiest >= self.limit
        limit = min(max(int(gradient * self.limit + sqrt(self.limit)), self._least), self._most)
        if limit <= self.limit or 2 * self._busiest >= self.limit:
            self.limit = limit
        self._stuck = self._stuck + 1 if self.limit == self._least else 0
        self._begin(now)
        if self._stuck >= _STUCK and is_reached:
            self._measure(now)

    def _measure(self, now: float) -> None:
        self._measures = True
        self._begin(now)

    def _measured(self, now: float) -> None:
        """A measurement is over, by its samples or by its time."""
        if self._times and (self.unloaded is None or len(self._times) >= min(_ENOUGH, self._samples)):
            self.unloaded = self._taken()
        if self.unloaded is not None:
            self._measures = False
            self._stuck = 0
            self._due = now + self._every * (1 + self._jitter * self._rng.uniform(-1, 1))
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since = now
        self._times.clear()
        self._busiest = 0

    def _taken(self) -> float:
        """The percentile of the times, by nearest rank."""
        self._times.sort()
        return self._times[ceil(len(self._times) * self._percentile / 100) - 1]

    def __repr__(self) -> str:
        unloaded = "not measured" if self.unloaded is None else f"{1000 * self.unloaded:.3g} ms unloaded"
        return f"<Gradient {self.limit} of {self._least} to {self._most}, {unloaded}{', measures' * self._measures}>"
