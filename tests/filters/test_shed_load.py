"""What is least important is refused first while the event loop is behind."""

from __future__ import annotations

import asyncio
import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Pipeline, ProxyHandler, Response
from revproxy.errors import Overloaded
from revproxy.events import Event
from revproxy.exchange import Exchange
from revproxy.filters import ShedLoad
from revproxy.handler import running
from revproxy.limiters import LoopLag, SheddingBegan, SheddingEnded
from revproxy.testing import FakeClock, exchange

from ..e2e.wire import GET, serving


class Behind(LoopLag):
    """Says what a test tells it to."""

    behind = 0.0

    @property
    def seconds(self) -> float:
        return self.behind


async def answer(exchange: Exchange) -> Response:
    return Response(200)


def by_target(exchange: Exchange) -> int:
    return int(exchange.inbound.path[1:])


def shedding(lag: LoopLag, **options: object) -> ShedLoad:
    return ShedLoad(lag=lag, clock=FakeClock(), rng=Random(1), **options)  # type: ignore[arg-type]


async def refused(subject: ShedLoad, priority: int, count: int = 400) -> float:
    """The share of ``count`` requests that is refused."""
    lost = 0
    for _ in range(count):
        try:
            await subject(exchange(target=f"/{priority}"), answer)
        except Overloaded:
            lost += 1
    return lost / count


@pytest.mark.parametrize(
    ("behind", "shares"),
    [
        (0.0, [0, 0, 0]),
        (0.05, [0, 0, 0]),
        (0.1, [0, 0, 0.5]),
        (0.15, [0, 0, 1]),
        (0.2, [0, 0.5, 1]),
        (0.25, [0, 1, 1]),
        (0.3, [0.5, 1, 1]),
        (0.35, [1, 1, 1]),
        (5.0, [1, 1, 1]),
    ],
)
async def test_the_least_important_first(behind: float, shares: list[float]) -> None:
    """S-58: by priority: all of a class is refused before anything of the next. A class that is not told apart counts
    as the least important."""
    lag = Behind()
    lag.behind = behind
    subject = shedding(lag, start=0.05, full=0.35, priority=by_target, classes=3)
    for priority, share in enumerate([*shares, shares[-1]]):
        assert subject.share(priority) == pytest.approx(share)
        assert await refused(subject, priority) == pytest.approx(share, abs=0.1)


async def test_without_priorities() -> None:
    """More and more of all."""
    lag = Behind()
    subject = shedding(lag)
    for behind, share in ((0.05, 0.0), (0.15, 0.5), (0.25, 1.0)):
        lag.behind = behind
        assert await refused(subject, 0) == pytest.approx(share, abs=0.1)


@given(st.floats(0, 10), st.floats(0, 10), st.integers(1, 8))
def test_more_lag_never_refuses_less(one: float, other: float, classes: int) -> None:
    """And the more important are never refused more than the less important."""
    lag = Behind()
    subject = shedding(lag, priority=by_target if classes > 1 else None, classes=classes)
    shares = []
    for lag.behind in sorted((one, other)):
        shares.append([subject.share(priority) for priority in range(classes)])
        assert shares[-1] == sorted(shares[-1])
    assert all(before <= after for before, after in zip(*shares, strict=True))


async def test_it_measures_by_itself() -> None:
    """S-58: it runs its own ``LoopLag``; a loop that is blocked again and again refuses, and one that has time again
    does not; the events tell of both."""
    events: list[Event] = []
    subject = ShedLoad(lag=LoopLag(interval=0.001, window=0.05), name="loop", start=0.01, full=0.02)
    async with running(Pipeline(subject, handler=answer), [events.append]):
        async with asyncio.timeout(10):
            while not subject.refused:
                time.sleep(0.03)  # noqa: ASYNC251 - it is what is to be found out
                try:
                    await subject(exchange(), answer)
                except Overloaded:
                    pass
                await asyncio.sleep(0)
            while subject.share(0):  # noqa: ASYNC110 - it is the loop itself that is waited for
                await asyncio.sleep(0.001)
        assert (await subject(exchange(), answer)).status == 200
        assert [type(event) for event in events] == [SheddingBegan]
    assert subject.share(0) == 0


async def test_events() -> None:
    """Once when it begins, once when it is over; no timer stays."""
    clock, lag, events = FakeClock(), Behind(), list[Event]()
    subject = ShedLoad(lag=lag, name="loop", clock=clock, rng=Random(1))
    lag.behind = 1.0
    async with running(subject, [events.append]):
        await refused(subject, 0, 3)
        clock.advance(10)
        assert events == [
            SheddingBegan("loop", "the event loop is 1000 ms behind"),
            SheddingEnded("loop", 3, 0.0),
        ]
        await refused(subject, 0, 1)
    assert clock.waiting == 0


async def test_over_a_socket() -> None:
    """The client is told 503 and when to come again, and the handler is not asked."""
    lag = Behind()
    lag.behind = 1.0
    subject = shedding(lag, retry_after=1.5)
    async with serving(ProxyHandler(answer, filters=[subject])) as site:
        told = await site.ask(GET)
        assert (told.status, told.getall(b"Retry-After")) == (503, [b"2"])
        lag.behind = 0.0
        assert (await site.ask(GET)).status == 200
    assert "refused 1" in repr(subject)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"lag": 0.1}, TypeError, "lag: 0.1 is not a LoopLag"),
        ({"start": 0}, ValueError, "start and full .* got 0 and 0.25"),
        ({"start": 0.3}, ValueError, "got 0.3 and 0.25"),
        ({"classes": 9, "priority": by_target}, ValueError, "classes must be .* got 9"),
        ({"classes": 2}, ValueError, "priority and classes: one is of no use"),
        ({"priority": by_target}, ValueError, "priority and classes: one is of no use"),
        ({"priority": 3, "classes": 2}, TypeError, "priority: 3 is no function"),
        ({"retry_after": float("nan")}, ValueError, "retry_after must be .* got nan"),
    ],
)
def test_nonsense(options: dict[str, object], error: type[Exception], said: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(error, match=said):
        ShedLoad(**options)  # type: ignore[arg-type]
