"""`FakeClock`: time that only the test moves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.clock import Clock
from revproxy.testing.clock import FakeClock


def test_is_a_clock() -> None:
    """It is a `Clock`, and starts where it is told to."""
    clock: Clock = FakeClock()
    assert (clock.now(), clock.wall()) == (1000.0, 1_700_000_000.0)
    clock = FakeClock(now=5.0, wall=100.0)
    assert (clock.now(), clock.wall()) == (5.0, 100.0)


def test_both_times_move_together() -> None:
    """Monotonic and wall time advance by the same seconds, and never by themselves."""
    clock = FakeClock(now=0.0, wall=100.0)
    clock.advance(2.5)
    clock.advance(0)
    assert (clock.now(), clock.wall()) == (2.5, 102.5)


@pytest.mark.parametrize("seconds", [-1, float("nan")])
async def test_time_does_not_go_back(seconds: float) -> None:
    """To advance by less than nothing is a ValueError, and nothing happens."""
    clock = FakeClock()
    with pytest.raises(ValueError, match="seconds must be at least 0"):
        clock.advance(seconds)
    with pytest.raises(ValueError, match="seconds must be at least 0"):
        await clock.advance_async(seconds)
    assert clock.now() == 1000.0


@given(st.lists(st.integers(-2, 6), max_size=10), st.lists(st.integers(0, 4), max_size=5))
def test_timers_run_in_order(delays: list[int], steps: list[int]) -> None:
    """Timers run by their time and, at one time, in the order they were set, each at its own time, none early."""
    clock = FakeClock(now=0.0)
    ran: list[tuple[float, int]] = []
    for number, delay in enumerate(delays):
        clock.call_later(delay, lambda number=number: ran.append((clock.now(), number)))  # type: ignore[misc]
    for step in steps:
        clock.advance(step)
    expected = sorted((max(delay, 0), number) for number, delay in enumerate(delays))
    assert ran == [each for each in expected if each[0] <= sum(steps) and steps]
    assert clock.now() == sum(steps)
    assert clock.waiting == len(delays) - len(ran)


def test_cancel() -> None:
    """A cancelled timer never runs, also if another one cancels it at the last moment; to cancel twice does no harm."""
    clock = FakeClock()
    ran: list[str] = []
    late = clock.call_later(1, lambda: ran.append("late"))
    clock.call_later(0.5, late.cancel)
    gone = clock.call_later(1, lambda: ran.append("gone"))
    gone.cancel()
    gone.cancel()
    assert clock.waiting == 2
    clock.advance(5)
    late.cancel()
    assert ran == []
    assert clock.waiting == 0


def test_timers_set_by_timers() -> None:
    """A timer that sets the next one is seen within the same advance: a heartbeat beats."""
    clock = FakeClock(now=0.0)
    beats: list[float] = []

    def beat() -> None:
        beats.append(clock.now())
        clock.call_later(2, beat)

    clock.call_later(2, beat)
    clock.advance(7)
    assert beats == [2.0, 4.0, 6.0]
    assert clock.waiting == 1


def test_timer_that_raises() -> None:
    """What a timer raises reaches the test, at the timer's time; the timers after it are still to come."""
    clock = FakeClock(now=0.0)
    ran: list[str] = []

    def fail() -> None:
        raise LookupError("broken")

    clock.call_later(1, fail)
    clock.call_later(2, lambda: ran.append("later"))
    with pytest.raises(LookupError):
        clock.advance(5)
    assert (clock.now(), ran) == (1.0, [])
    clock.advance(1)
    assert ran == ["later"]


async def sleeps(clock: FakeClock, log: list[float], *seconds: float) -> None:
    for each in seconds:
        await clock.sleep(each)
        log.append(clock.now())


async def test_sleep() -> None:
    """A sleeper wakes when the loop next runs after its time has come, not before."""
    clock = FakeClock(now=0.0)
    log: list[float] = []
    task = asyncio.create_task(sleeps(clock, log, 3))
    await asyncio.sleep(0)
    assert clock.waiting == 1
    clock.advance(2.9)
    await asyncio.sleep(0)
    assert not task.done()
    clock.advance(0.1)
    await task
    assert log == [3.0]
    assert clock.waiting == 0


async def test_advance_async() -> None:
    """Sleepers that sleep again within the stretch each wake at their own time, and interleave."""
    clock = FakeClock(now=0.0)
    log: list[float] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(sleeps(clock, log, 1, 2, 3))
        group.create_task(sleeps(clock, log, 2.5, 1))
        await clock.advance_async(10)
    assert log == [1.0, 2.5, 3.0, 3.5, 6.0]
    assert clock.now() == 10.0


async def test_advance_async_stops_in_time() -> None:
    """What is due later stays asleep."""
    clock = FakeClock(now=0.0)
    log: list[float] = []
    task = asyncio.create_task(sleeps(clock, log, 1, 1))
    await clock.advance_async(1.5)
    assert (log, clock.now(), clock.waiting) == ([1.0], 1.5, 1)
    await clock.advance_async(0.5)
    assert log == [1.0, 2.0]
    await task


async def test_a_cancelled_sleeper_leaves_nothing() -> None:
    """A sleeper that is cancelled leaves no timer behind, also in the moment in which it would have woken."""
    clock = FakeClock()
    for advance in (0, 5):
        task = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(0)
        assert clock.waiting == 1
        clock.advance(advance)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert clock.waiting == 0
    clock.advance(10)


def test_printed() -> None:
    """A clock shows its time, and whether anything waits for it."""
    clock = FakeClock(now=1.5)
    clock.call_later(1, lambda: None)
    assert repr(clock) == "<FakeClock at 1.5 waiting=1>"
