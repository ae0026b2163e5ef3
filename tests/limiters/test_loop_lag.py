"""How far the event loop is behind, measured by how late a timer is."""

from __future__ import annotations

import asyncio
import time
from math import exp

import pytest

from revproxy.handler import running
from revproxy.limiters import LoopLag
from revproxy.limiters.loop_lag import Lag
from revproxy.testing import FakeClock


def test_the_average() -> None:
    """It forgets with its time constant, and a long pause weighs by its length."""
    lag = Lag(0.5)
    lag.happened(0.0, 0.05)
    lag.happened(0.05, 0.05)
    assert lag.average == 0
    lag.happened(0.2, 0.05)  # 100 ms late
    expected = 0.1 * (1 - exp(-0.15 / 0.5))
    assert lag.average == pytest.approx(expected)
    lag.happened(0.25, 0.05)
    assert lag.average == pytest.approx(expected * exp(-0.05 / 0.5))
    assert lag.worst == pytest.approx(0.1)


def test_what_is_overdue_counts_already() -> None:
    """Whoever asks while the timer waits for its turn is told so; asking changes nothing."""
    lag = Lag(0.5)
    lag.happened(0.0, 0.05)
    assert lag.at(0.04) == 0
    assert lag.at(1.05) == lag.at(1.05) == pytest.approx(1 - exp(-2))
    assert lag.average == 0
    assert lag.at(0.05) == 0


def test_it_converges() -> None:
    """A loop that is always 80 ms behind is said to be."""
    lag, now = Lag(0.5), 0.0
    lag.happened(now, 0.05)
    for _ in range(100):
        now += 0.13
        lag.happened(now, 0.05)
    assert lag.average == pytest.approx(0.08, rel=0.01)


async def test_it_runs_as_a_component() -> None:
    """One timer while it runs, none after; what was learnt is forgotten."""
    clock = FakeClock()
    lag = LoopLag(clock=clock)
    assert lag.seconds == 0
    assert "not running" in repr(lag)
    async with running(lag):
        assert clock.waiting == 1
        clock.advance(10)
        assert clock.waiting == 1
        assert lag.seconds == 0
        assert repr(lag) == "<LoopLag 0 ms>"
    assert clock.waiting == 0
    assert lag.seconds == 0


async def test_a_loop_that_is_blocked() -> None:
    """S-58: what blocks the event loop is seen, before the timer itself has had its turn."""
    lag = LoopLag(interval=0.001, window=0.05)
    async with running(lag):
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - it is what is to be found out
        assert lag.seconds > 0.1
        async with asyncio.timeout(5):
            while lag.worst < 0.1:  # noqa: ASYNC110 - it is the loop itself that is waited for
                await asyncio.sleep(0)
        assert lag.seconds > 0.05


@pytest.mark.parametrize("name", ["interval", "window"])
@pytest.mark.parametrize("wrong", [0, -1, float("inf"), float("nan")])
def test_nonsense(name: str, wrong: float) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=f"{name} must be .* got {wrong}"):
        LoopLag(**{name: wrong})  # type: ignore[arg-type]
