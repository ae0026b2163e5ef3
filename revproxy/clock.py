"""Time as a constructor parameter, so that tests own it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "Timer"]


class Timer(Protocol):
    """A callback that is due later; ``cancel`` makes it never happen."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What the library knows of time. All values are seconds as ``float``."""

    def now(self) -> float:
        """Monotonic time, for durations and deadlines; its zero means nothing."""
        ...

    def wall(self) -> float:
        """Seconds since the Unix epoch, for what people or other machines read."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` after ``seconds`` unless the returned timer is cancelled before."""
        ...


class _SystemClock:
    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)

    def __repr__(self) -> str:
        return "SYSTEM_CLOCK"


SYSTEM_CLOCK: Clock = _SystemClock()
