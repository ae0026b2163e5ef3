"""An observer that a test waits for: what became of every exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from revproxy import Attempt, Exchange, Observer, ProxyError
from revproxy.clock import Timer
from revproxy.testing import FakeClock

from .wire import TIMEOUT


class Seen(Observer):
    """Keeps every exchange, and says when something has happened. Every wait is bounded."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.attempts: list[Attempt] = []
        self.settlements: list[Attempt] = []
        self.errors: list[ProxyError] = []
        self.statuses: list[int | None] = []
        """What the client was sent, an entry for every exchange that is over."""
        self._changed = asyncio.Event()

    def started(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._notify()

    def attempted(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        self._notify()

    def settled(self, attempt: Attempt) -> None:
        self.settlements.append(attempt)
        self._notify()

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        self.errors.append(error)
        self._notify()

    def finished(self, exchange: Exchange, status: int | None) -> None:
        self.statuses.append(status)
        self._notify()

    async def until(self, ready: Callable[[Seen], bool]) -> None:
        """Return when ``ready(self)`` holds; it is asked again whenever something has happened."""
        async with asyncio.timeout(TIMEOUT):
            while not ready(self):
                await self._changed.wait()

    async def over(self, n: int = 1) -> None:
        """Return when ``n`` exchanges are over."""
        await self.until(lambda seen: len(seen.statuses) >= n)

    async def tried(self, n: int = 1) -> None:
        """Return when ``n`` attempts were begun, and have gone as far as they go at once."""
        await self.until(lambda seen: len(seen.attempts) >= n)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class WatchedClock(FakeClock):
    """A ``FakeClock`` that says when somebody asks to be called."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = asyncio.Event()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = super().call_later(seconds, callback)
        self._asked.set()
        return timer

    async def asked(self) -> None:
        """Return when somebody waits for this clock."""
        async with asyncio.timeout(TIMEOUT):
            while not self.waiting:
                self._asked.clear()
                await self._asked.wait()
