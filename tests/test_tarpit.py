"""A handler that takes its time, and is not stuck itself."""

from __future__ import annotations

import asyncio

import pytest

from revproxy import tarpit
from revproxy.testing import FakeClock, exchange


async def test_late() -> None:
    """The answer is a block's, after the time."""
    clock = FakeClock()
    subject = tarpit(10, 404, title="Not Found", clock=clock)
    task = asyncio.create_task(subject(exchange()))
    await clock.advance_async(9.9)
    assert not task.done()
    await clock.advance_async(0.2)
    assert (await task).status == 404
    assert repr(subject) == "tarpit(10, 404, at_once=100)"


async def test_bounded() -> None:
    """S-45: beyond so many at once the answer comes at once; who leaves gives his place back."""
    clock = FakeClock()
    subject = tarpit(10, at_once=2, clock=clock)
    held = [asyncio.create_task(subject(exchange())) for _ in range(2)]
    await asyncio.sleep(0)
    assert (await subject(exchange())).status == 403
    held[0].cancel()
    await asyncio.wait(held[:1])
    third = asyncio.create_task(subject(exchange()))
    await clock.advance_async(9)
    assert not third.done()
    await clock.advance_async(2)
    assert {task.result().status for task in (held[1], third)} == {403}
    assert subject.held == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": 0}, "seconds must be above 0 and at most 300, got 0"),
        ({"seconds": 3600}, "seconds must be above 0 and at most 300, got 3600"),
        ({"status": 200}, "status must be 400 to 599, got 200"),
        ({"at_once": 0}, "at_once must be an integer of at least 1, got 0"),
    ],
)
def test_nonsense(options: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tarpit(**options)  # type: ignore[arg-type]
