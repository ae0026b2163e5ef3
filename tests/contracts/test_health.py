"""What every health policy promises. A new one is one line in ``POLICIES``."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint, ProxyError, Upstream
from revproxy.balancers import First
from revproxy.errors import BadRequest, ClientDisconnected, ConnectFailed, ConnectionLost, ResponseTimeout
from revproxy.exchange import Attempt
from revproxy.handler import running
from revproxy.health import ActiveHealth, EndpointBreaker, HealthPolicy, OutlierDetection, TcpProbe, Trip, Verdict
from revproxy.limiters import EndpointLimits
from revproxy.testing import FakeClock, FakeTransport, exchange

Make = Callable[[FakeClock], HealthPolicy]

POLICIES: dict[str, Make] = {
    "OutlierDetection": lambda clock: OutlierDetection(clock=clock, rng=Random(1)),
    "OutlierDetection, strict": lambda clock: OutlierDetection(
        consecutive_5xx=1, consecutive_local=1, requests=2, hosts=2, latency=1.5, clock=clock, rng=Random(1)
    ),
    "EndpointBreaker": lambda clock: EndpointBreaker(clock=clock, rng=Random(1)),
    "EndpointBreaker, strict": lambda clock: EndpointBreaker(
        Trip(least=1, slow=0.5), max_ejected=0.5, clock=clock, rng=Random(1)
    ),
    "ActiveHealth": lambda clock: ActiveHealth(TcpProbe(), clock=clock, rng=Random(1)),
    "EndpointLimits": lambda clock: EndpointLimits(clock=clock),
}

pytestmark = pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)

ANSWERS: list[int | ProxyError | None] = [200, 404, 500, 503, None, ConnectFailed("x"), ConnectionLost("x")]


class Place:
    """A policy among the members of an upstream that is never asked: attempts are settled by hand."""

    def __init__(self, make: Make, count: int = 5) -> None:
        self.clock = FakeClock()
        self.policy = make(self.clock)
        self.upstream = Upstream(
            *[f"http://{number}.test" for number in range(count)],
            name="site",
            health=[self.policy],
            panic=0,
            balancer=First(),
            transport=FakeTransport(),
            clock=self.clock,
        )
        self._clients = 0

    @property
    def held(self) -> int:
        return sum(each.held for each in self.upstream.endpoints)

    def settle(self, endpoint: Endpoint, answer: int | ProxyError | None, *, seconds: float = 0.0) -> None:
        self._clients += 1
        asked = exchange(client=f"10.0.{self._clients >> 8 & 255}.{self._clients & 255}")
        attempt = Attempt(endpoint, asked, asked.request, 1, self.clock.now())
        self.clock.advance(seconds)
        attempt.ended = self.clock.now()
        if isinstance(answer, ProxyError):
            attempt.error = answer
        elif answer is not None:
            attempt.status, attempt.first_byte = answer, self.clock.now()
        self.upstream.settle(attempt)


def test_all_is_well(make: Make) -> None:
    """Nobody is ejected who answers, whatever the status below 500."""
    place = Place(make)
    for number in range(500):
        for endpoint in place.upstream.endpoints:
            place.settle(endpoint, (200, 204, 301, 404, 429, 499)[number % 6])
    place.clock.advance(100)
    assert place.held == 0


@pytest.mark.parametrize("error", [None, BadRequest("x"), ClientDisconnected("x")])
def test_what_clients_do(make: Make, error: ProxyError | None) -> None:
    """S-57: however many clients go away, or do wrong, nobody is ejected for it."""
    place = Place(make)
    for _ in range(500):
        place.settle(place.upstream.endpoints[0], error)
    place.clock.advance(100)
    assert place.held == 0


def test_who_fails_alone(make: Make) -> None:
    """Of those that fail at most as many as ``max_ejected`` says are ejected, and in time all are tried again."""
    place = Place(make)
    for _ in range(100):
        for endpoint in place.upstream.endpoints:
            place.settle(endpoint, ResponseTimeout("x"))
    assert place.held <= max(1, place.policy.max_ejected * len(place.upstream.endpoints))
    if not isinstance(place.policy, ActiveHealth | EndpointLimits):
        assert place.held
    place.clock.advance(1000)
    assert place.held == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(ANSWERS), st.sampled_from([0.0, 0.01, 3.0, 40.0])), max_size=60
    )
)
def test_whatever_comes(make: Make, steps: list[tuple[int, int | ProxyError | None, float]]) -> None:
    """Attempts that end in any order, with any result, at members and others: nothing is raised, the bound holds, and
    in time everybody is tried again."""
    place = Place(make)
    endpoints = place.upstream.endpoints
    for number, answer, seconds in steps:
        place.settle(endpoints[number], answer, seconds=seconds)
        assert place.held <= max(1, place.policy.max_ejected * len(endpoints))
        if seconds == 40.0:
            place.upstream.replace(*(endpoints[number:] or endpoints))
    place.clock.advance(1000)
    assert place.held == 0


def test_members_are_forgotten(make: Make) -> None:
    """S-54: however many members come and go, nothing is kept of those that have gone: what they were, they may be
    again."""
    place = Place(make)
    kept = place.upstream.endpoints
    first, *_ = added = place.upstream.add(*(f"http://new-{number}.test" for number in range(5)))
    for _ in range(50):
        place.settle(first, ConnectFailed("x"))
    place.upstream.replace(*kept)
    assert not first.held
    place.settle(first, ConnectFailed("x"))  # it began before
    assert not first.held
    place.upstream.add(*added)
    assert not first.held


async def test_stopped(make: Make) -> None:
    """When it is stopped nobody is held any more, no timer is left, and it can be started again."""
    place = Place(make)
    async with running(place.upstream):
        for _ in range(50):
            place.settle(place.upstream.endpoints[0], ConnectFailed("x"))
    assert place.held == 0
    assert place.clock.waiting == 0
    async with running(place.upstream):
        place.settle(place.upstream.endpoints[0], 200)
    assert place.clock.waiting == 0


def test_it_says_nothing_else(make: Make) -> None:
    """What an attempt at no member of its upstream was like is nobody's business."""
    clock = FakeClock()
    policy = make(clock)
    said: list[Verdict] = []
    say = said.append
    policy.bind((Endpoint("http://a.test"), Endpoint("http://b.test")), say)
    asked = exchange()
    stranger = Attempt(Endpoint("http://c.test"), asked, asked.request, 1, clock.now())
    stranger.error = ConnectFailed("x")
    assert [policy.settled(stranger) for _ in range(50)] == [None] * 50
    assert said == []
    policy.bind((), say)


def test_printed(make: Make) -> None:
    """It prints itself by its name: that is who ejects, in the log."""
    policy = make(FakeClock())
    assert type(policy).__name__ in repr(policy)
