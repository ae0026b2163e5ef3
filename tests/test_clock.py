"""The system's clock keeps the promises of `Clock`."""

from __future__ import annotations

import asyncio
import time

import pytest

from revproxy.clock import SYSTEM_CLOCK, Clock
from revproxy.testing.clock import FakeClock


def test_now_and_wall() -> None:
    """`now` is monotonic time, `wall` seconds since the epoch."""
    before = time.monotonic()
    assert before <= SYSTEM_CLOCK.now() <= time.monotonic()
    assert abs(SYSTEM_CLOCK.wall() - time.time()) < 5


@pytest.mark.parametrize("clock", [SYSTEM_CLOCK, FakeClock()], ids=repr)
async def test_sleep_of_nothing_yields(clock: Clock) -> None:
    """To sleep for no time lets others run, and returns by itself, on any clock."""
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await clock.sleep(0)
    assert ran == ["other"]


async def test_call_later() -> None:
    """A timer fires once; a cancelled one never."""
    fired = asyncio.Event()
    late: list[int] = []
    timer = SYSTEM_CLOCK.call_later(0.0, lambda: late.append(1))
    timer.cancel()
    SYSTEM_CLOCK.call_later(0.001, fired.set)
    await asyncio.wait_for(fired.wait(), 5)
    assert late == []


def test_printed() -> None:
    """The default of many parameters prints as what it is called."""
    assert repr(SYSTEM_CLOCK) == "SYSTEM_CLOCK"
