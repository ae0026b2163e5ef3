"""Limits of single endpoints: caps that move, and what an upstream makes of them."""

from __future__ import annotations

import pytest

from revproxy import Endpoint, Response, Upstream
from revproxy.errors import ConnectionLost, NoEndpoint, ResponseTimeout
from revproxy.exchange import Attempt
from revproxy.handler import running
from revproxy.limiters import EndpointLimits, Fixed, Gradient, Limit
from revproxy.testing import FakeClock, FakeTransport, exchange


class Seen(Limit):
    """Notes what it is told."""

    def __init__(self, limit: int = 5) -> None:
        self.limit = limit
        self.told: list[tuple[float, int]] = []

    def allowed(self, now: float) -> int:
        return self.limit

    def answered(self, started: float, now: float, in_flight: int) -> None:
        self.told.append((now - started, in_flight))


def upstream(limits: EndpointLimits, transport: FakeTransport, clock: FakeClock, *endpoints: Endpoint) -> Upstream:
    return Upstream(*endpoints, health=[limits], transport=transport, clock=clock)


async def test_an_endpoint_at_its_cap_gets_nothing() -> None:
    """The lower one of the declared limit and of the cap counts; where all are full there is nobody."""
    clock = FakeClock()
    few, many = Endpoint("http://few", limit=1), Endpoint("http://many", limit=10)
    subject = upstream(EndpointLimits(lambda: Fixed(3), clock=clock), FakeTransport(), clock, few, many)
    asked = [exchange() for _ in range(4)]
    for each in asked:
        await subject(each)
    assert (few.in_flight, many.in_flight) == (1, 3)
    assert (few.cap, many.cap, few.limit, many.limit) == (3, 3, 1, 10)
    assert "in_flight=3/3" in repr(many)
    with pytest.raises(NoEndpoint):
        await subject(exchange())
    asked[0].finish()
    await subject(exchange())


async def test_each_learns_from_its_own_answers() -> None:
    """Of an answer's head, not of its body's end, with the number in flight; of a time-out, too; nothing of failures
    that come fast."""
    clock = FakeClock()
    made: list[Seen] = []

    def make() -> Limit:
        made.append(Seen())
        return made[-1]

    failures: list[Response | Exception] = []

    def answers(attempt: Attempt) -> Response | Exception:
        clock.advance(0.5)
        return failures.pop() if failures else Response(200)

    transport = FakeTransport(answers)
    endpoint = Endpoint("http://a")
    subject = upstream(EndpointLimits(make, clock=clock), transport, clock, endpoint)
    first, second = exchange(), exchange()
    await subject(first)
    await subject(second)
    for attempt in transport.attempts:
        attempt.first_byte = attempt.started + 0.5
    clock.advance(100)
    first.finish()
    second.finish()
    assert made[0].told == [(0.5, 2), (0.5, 1)]

    made[0].told.clear()
    failures += [ResponseTimeout("slow"), ConnectionLost("gone"), Response(500), Response(429)]
    while failures:
        asked = exchange()
        try:
            await subject(asked)
        except (ResponseTimeout, ConnectionLost):
            pass
        asked.finish()
    assert made[0].told == [(0.5, 1)]


async def test_members_that_come_and_go() -> None:
    """A new one has a limit of its own, one that stays keeps it, and one that has left has no cap any more."""
    clock = FakeClock()
    limits = EndpointLimits(Seen, clock=clock)
    a, b, c = (Endpoint(f"http://{name}") for name in "abc")
    subject = upstream(limits, FakeTransport(), clock, a, b)
    before = dict(limits._limits)
    subject.add(c)
    subject.remove(a)
    assert (a.cap, b.cap, c.cap) == (None, 5, 5)
    assert limits._limits[b] is before[b]
    assert set(limits._limits) == {b, c}


async def test_one_upstream_after_the_other() -> None:
    """One that serves an upstream serves no other; when that is stopped it may."""
    clock, limits = FakeClock(), EndpointLimits(lambda: Fixed(3))
    first, second = Endpoint("http://a"), Endpoint("http://b")
    async with running(upstream(limits, FakeTransport(), clock, first)):
        with pytest.raises(ValueError, match="serves another upstream already"):
            upstream(limits, FakeTransport(), clock, second)
    async with running(upstream(limits, FakeTransport(), clock, second)):
        assert (first.cap, second.cap) == (None, 3)


async def test_time_moves_caps_too() -> None:
    """A measurement that nobody answers to ends by its patience, while nothing else happens."""
    clock = FakeClock()
    endpoint = Endpoint("http://a")
    limit = Gradient(patience=2)
    limit.limit, limit.unloaded = 20, 0.1
    subject = upstream(EndpointLimits(lambda: limit, clock=clock), FakeTransport(), clock, endpoint)
    async with running(subject):
        assert endpoint.cap == 3
        clock.advance(1.9)
        assert endpoint.cap == 3
        clock.advance(0.3)
        assert endpoint.cap == 20
    assert clock.waiting == 0


def test_nonsense() -> None:
    """What makes no limits, and a second upstream, are refused."""
    with pytest.raises(TypeError, match="make: 3 is no function"):
        EndpointLimits(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="made 3, which is no Limit"):
        Upstream("http://a", health=[EndpointLimits(lambda: 3)])  # type: ignore[arg-type, return-value]
    limits = EndpointLimits()
    Upstream("http://a", health=[limits])
    with pytest.raises(ValueError, match="serves another upstream already"):
        Upstream("http://a", health=[limits])
    assert repr(limits) == "EndpointLimits(http://a: 3)"
