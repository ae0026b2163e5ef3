"""That requests are refused is told once, and once more when it is over."""

from __future__ import annotations

from revproxy.events import Event
from revproxy.limiters import SheddingBegan, SheddingEnded
from revproxy.limiters.shedding import Shedding
from revproxy.testing import FakeClock


def test_a_beginning_and_an_end() -> None:
    """However many are refused: two events; the second says how many, and when none was for a while."""
    clock = FakeClock()
    events: list[Event] = []
    shedding = Shedding("site", tell=events.append, clock=clock)
    for _ in range(50):
        shedding.shed("too many")
        clock.advance(1)
    assert events == [SheddingBegan("site", "too many")]
    assert "going on" in repr(shedding)
    clock.advance(8)
    assert len(events) == 1
    clock.advance(1)
    assert events[1:] == [SheddingEnded("site", 50, 49.0)]
    assert clock.waiting == 0
    assert [str(event) for event in events] == [
        "site: requests are refused: too many",
        "site: no request is refused any more; 50 were, in 49 s",
    ]
    shedding.shed("again")
    clock.advance(10)
    assert events[3:] == [SheddingEnded("site", 1, 0.0)]
    assert shedding.count == 51


def test_stopped() -> None:
    """It leaves no timer behind, and may begin again."""
    clock = FakeClock()
    events: list[Event] = []
    shedding = Shedding("site", tell=events.append, clock=clock)
    shedding.stop()
    shedding.shed("too many")
    shedding.stop()
    assert clock.waiting == 0
    shedding.shed("too many")
    assert [type(event) for event in events] == [SheddingBegan, SheddingBegan]


def test_in_shadow() -> None:
    """What only would be refused is told as such."""
    clock = FakeClock()
    events: list[Event] = []
    Shedding("site", tell=events.append, clock=clock, shadow=True).shed("too many")
    clock.advance(10)
    assert events == [SheddingBegan("site", "too many", shadow=True), SheddingEnded("site", 1, 0.0, shadow=True)]
    assert [str(event) for event in events] == [
        "site: requests would be refused: too many",
        "site: no request would be refused any more; 1 would have been, in 0 s",
    ]
