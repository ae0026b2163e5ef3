"""An event loop on virtual time: nobody waits, the next timer is due at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from selectors import SelectorKey, SelectSelector

from ...clock import Timer

__all__ = ["VirtualClock", "VirtualLoop"]

_EPOCH = 1_700_000_000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, with everything that belongs to it (tasks, time-outs, locks), on a time that begins at 0 and
    jumps to the next timer as soon as nothing else is left to do.

    It has no input and no output: what waits for a socket, a thread or another process waits in vain. Where nothing is
    due any more and something still waits, running it raises ``RuntimeError``.
    """

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now

    def __repr__(self) -> str:
        return f"<VirtualLoop at {self._jumps.now}>"


class _Jumps(SelectSelector):
    """Instead of waiting for files for so long, lets so long have passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError(f"the simulation stands still at {self.now:g} s: somebody waits for what never comes")
        if timeout > 0:
            self.now += timeout
        return []


class VirtualClock:
    """The ``Clock`` of such a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.now: Callable[[], float] = loop.time

    def wall(self) -> float:
        return _EPOCH + self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(seconds, callback)

    def __repr__(self) -> str:
        return f"<VirtualClock at {self._loop.time()}>"
