"""Time that stands still until the test moves it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from ..clock import Timer

__all__ = ["FakeClock"]

_TURNS = 20
"""Turns of the event loop after each timer of ``advance_async``: as deep a chain of awaits can wake up."""


class FakeClock:
    """A ``Clock`` for tests. ``now`` and ``wall``: where monotonic time and time since the epoch start, in seconds.

        clock = FakeClock()
        clock.call_later(5, expire)
        clock.advance(5)        # runs expire()

    ``advance`` runs what is due, in order of time and, at one time, in the order it was asked for, each at its own
    time. A coroutine in ``sleep`` goes on when the event loop next runs; for one that sleeps again within the same
    stretch of time, ``await clock.advance_async(...)``.
    """

    def __init__(self, now: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._now = now
        self._offset = wall - now
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = count()

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now + self._offset

    @property
    def waiting(self) -> int:
        """How many timers and sleepers there are: for a test to wait for, or to find left over."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _Timer(callback)
        heapq.heappush(self._timers, (self._now + max(seconds, 0.0), next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. What a timer raises ends it there, at the timer's time."""
        end = self._end(seconds)
        while self._run_next(end):
            pass
        self._now = end

    async def advance_async(self, seconds: float) -> None:
        """Let ``seconds`` pass, and after each timer let the event loop run, so that what was woken can go on."""
        end = self._end(seconds)
        await _settle()
        while self._run_next(end):
            await _settle()
        self._now = end

    def _end(self, seconds: float) -> float:
        if not seconds >= 0:
            raise ValueError(f"seconds must be at least 0, got {seconds}")
        return self._now + seconds

    def _run_next(self, end: float) -> bool:
        """Run the next timer that is due by ``end``. False: there is none."""
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                self._now = max(self._now, due)
                callback()
                return True
        return False

    def __repr__(self) -> str:
        return f"<FakeClock at {self._now} waiting={self.waiting}>"


class _Timer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


async def _settle() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
