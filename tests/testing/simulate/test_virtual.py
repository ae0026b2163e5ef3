"""Virtual time: the loop's own timers, tasks and time-outs, and nobody waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from revproxy.testing.simulate.virtual import VirtualClock, VirtualLoop


def played(main: object) -> object:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)  # type: ignore[arg-type]


def test_hours_pass_at_once() -> None:
    """What sleeps, waits with a time-out or is called later does so in order and at its time; the clock says the same,
    and in the real world next to nothing has passed."""
    seen: list[tuple[str, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = VirtualClock(loop)
        since = clock.wall()
        loop.call_at(7200, lambda: seen.append(("at", clock.now())))
        clock.call_later(1, lambda: seen.append(("later", clock.now())))
        clock.call_later(2, lambda: seen.append(("never", clock.now()))).cancel()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await loop.create_future()
        seen.append(("timeout", clock.now()))
        await clock.sleep(86_400 * 30)  # the longest that a loop waits at once is a day
        seen.append(("slept", clock.now()))
        assert clock.wall() - since == clock.now()
        assert repr(clock) == "<VirtualClock at 2595600.0>"
        assert repr(loop) == "<VirtualLoop at 2595600.0>"

    began = time.monotonic()
    played(main())
    assert seen == [("later", 1.0), ("timeout", 3600.0), ("at", 7200.0), ("slept", 2_595_600.0)]
    assert time.monotonic() - began < 5


def test_what_never_comes() -> None:
    """Where nothing is due any more and somebody waits, the loop says so instead of hanging."""

    async def main() -> None:
        await asyncio.sleep(5)
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="stands still at 5 s"):
        played(main())
