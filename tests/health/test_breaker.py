"""A circuit breaker for each endpoint: who is ejected, and how it comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from revproxy import Endpoint, ProxyError, Response, Upstream
from revproxy.balancers import P2C, RoundRobin
from revproxy.errors import BadRequest, ConnectFailed, NoEndpoint, ResponseTimeout
from revproxy.events import Event
from revproxy.exchange import Attempt
from revproxy.handler import Handler, running
from revproxy.health import (
    CircuitClosed,
    CircuitState,
    EndpointBreaker,
    EndpointEjected,
    EndpointRestored,
    HealthPolicy,
    Restore,
    Trip,
    Verdicts,
)
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, reset, respond
from revproxy.testing.simulate import REFUSED, Server, Site, constant, failing, simulate

from ..e2e.wire import GET, serving

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class Bench:
    """An upstream of two endpoints, the first of which does as it is told."""

    def __init__(self, trip: Trip | None = None, *, panic: float = 0.0, max_ejected: float = 1.0) -> None:
        self.clock = FakeClock()
        self.answer: int | ProxyError = 200
        self.asked: Counter[str] = Counter()
        self.breaker = EndpointBreaker(trip or Trip(jitter=0), max_ejected=max_ejected, clock=self.clock, rng=Random(1))
        self.upstream = Upstream(
            "http://a.test",
            "http://b.test",
            name="site",
            balancer=RoundRobin(),
            health=[self.breaker],
            panic=panic,
            transport=FakeTransport(self._answer),
            clock=self.clock,
            rng=Random(1),
        )
        self.sick, self.well = self.upstream.endpoints
        self._clients = 0

    def _answer(self, attempt: Attempt) -> Response | ProxyError:
        self.asked[attempt.endpoint.host] += 1
        if attempt.endpoint is self.well:
            return Response(200)
        return self.answer if isinstance(self.answer, ProxyError) else Response(self.answer)

    async def ask(self, count: int = 1) -> Counter[int]:
        """So many requests one after the other, each of another client; what they were told."""
        told: Counter[int] = Counter()
        for _ in range(count):
            self._clients += 1
            asked = exchange(client=f"10.0.{self._clients >> 8}.{self._clients & 255}")
            try:
                told[(await self.upstream(asked)).status] += 1
            except ProxyError as error:
                told[error.status or 0] += 1
            asked.finish()
        return told


async def test_the_way_round() -> None:
    """Row 15: ejected while its circuit is open, a growing share while it is half open, all when it is closed."""
    bench = Bench(Trip(seconds=5, ramp=10, jitter=0))
    events: list[Event] = []
    async with running(bench.upstream, [events.append]):
        bench.answer = 503
        assert (await bench.ask(100))[503] == 20
        assert not bench.sick.accepts(bench.clock.now())
        assert repr(bench.breaker) == "EndpointBreaker(http://a.test: open)"
        bench.answer = 200
        bench.clock.advance(5)
        assert bench.sick.accepts(bench.clock.now())
        shares = []
        for _ in range(12):
            bench.asked.clear()
            await bench.ask(100)
            shares.append(bench.asked["a.test"])
            bench.clock.advance(1)
        assert shares[0] < 10
        assert 15 < shares[5] < 40
        assert shares[-1] == 50
        assert bench.breaker.state(bench.sick) is CLOSED
        assert bench.sick.ramp is None
    assert [type(each) for each in events] == [EndpointEjected, EndpointRestored, CircuitClosed]
    assert str(events[0]) == (
        "site: http://a.test is ejected for 5 s by EndpointBreaker(http://a.test: open): 20 of 20 calls failed"
    )
    assert str(events[2]).startswith("http://a.test: the circuit is closed again after 15")


async def test_it_fails_again() -> None:
    """The first request of a trial that fails ends it, and it is ejected for twice as long."""
    bench = Bench(Trip(seconds=5, ramp=10, jitter=0))
    async with running(bench.upstream):
        bench.answer = ConnectFailed("refused")
        await bench.ask(100)
        bench.clock.advance(5)
        bench.asked.clear()
        told = await bench.ask(200)
        assert told[502] == bench.asked["a.test"] == 1
        assert bench.breaker.state(bench.sick) is OPEN
        bench.clock.advance(9)
        assert not bench.sick.accepts(bench.clock.now())
        bench.clock.advance(1)
        assert bench.sick.accepts(bench.clock.now())


async def test_slow_ones() -> None:
    """By how long the head takes; a time-out is a failure."""
    clock = FakeClock()

    async def answer(attempt: Attempt) -> Response:
        clock.advance(2.0 if attempt.endpoint.host == "a.test" else 0.1)
        return Response(200)

    class Late(FakeTransport):
        async def send(self, attempt: Attempt) -> Response:
            response = await super().send(attempt)
            attempt.first_byte = clock.now()
            return response

    breaker = EndpointBreaker(Trip(failures=0, slow=0.5, least=5, window=60), clock=clock)
    site = Upstream(
        "http://a.test", "http://b.test", health=[breaker], balancer=RoundRobin(), transport=Late(answer), clock=clock
    )
    for _ in range(10):
        asked = exchange()
        await site(asked)
        asked.finish()
    assert [breaker.state(each) for each in site.endpoints] == [OPEN, CLOSED]


@pytest.mark.parametrize("error", [BadRequest("x"), None])
async def test_what_clients_do(error: ProxyError | None) -> None:
    """S-57: neither their errors nor their leaving counts, however many they are."""
    bench = Bench()
    asked = exchange()
    for _ in range(500):
        attempt = Attempt(bench.sick, asked, asked.request, 1, bench.clock.now())
        attempt.error = error
        bench.upstream.settle(attempt)
    assert bench.breaker.state(bench.sick) is CLOSED
    assert not bench.sick.held


async def test_one_client() -> None:
    """S-57: whose requests provoke errors has no server ejected for others."""
    bench = Bench()
    await bench.ask(60)
    for _ in range(500):
        asked = exchange(client="192.0.2.66")
        attempt = Attempt(bench.sick, asked, asked.request, 1, bench.clock.now())
        attempt.status = 500
        bench.upstream.settle(attempt)
    assert not bench.sick.held


@pytest.mark.parametrize(("share", "held"), [(1.0, 2), (0.5, 1)])
async def test_all_of_them(share: float, held: int) -> None:
    """With all circuits open requests fail at once; with a smaller share one is still tried. In time all are."""
    bench = Bench(max_ejected=share)
    members = bench.upstream.endpoints
    for number in range(40):
        for endpoint in members:
            asked = exchange(client=f"10.0.0.{number}")
            attempt = Attempt(endpoint, asked, asked.request, 1, bench.clock.now())
            attempt.error = ResponseTimeout("x")
            bench.upstream.settle(attempt)
    assert sum(each.held for each in members) == held
    assert [bench.breaker.state(each) for each in members] == [OPEN, OPEN]
    if held == 2:
        with pytest.raises(NoEndpoint):
            await bench.upstream(exchange())
    bench.clock.advance(5)
    assert [bench.breaker.state(each) for each in members] == [HALF_OPEN, HALF_OPEN]
    assert not any(each.held for each in members)


async def test_in_panic() -> None:
    """Who is let in although its circuit is open gets requests; they say nothing, and in time it is half open."""
    bench = Bench(panic=0.9)
    bench.answer = 503
    assert (await bench.ask(200))[503] == 100
    assert bench.breaker.state(bench.sick) is OPEN
    bench.clock.advance(5)
    assert bench.breaker.state(bench.sick) is HALF_OPEN


class Probed(HealthPolicy):
    """Says that everybody is well, and knows better."""

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        self.say = verdicts


async def test_probes_do_not_close_it() -> None:
    """It has shown by requests that it fails, and has to show by them that it does no more."""
    clock, probed = FakeClock(), Probed()
    breaker = EndpointBreaker(clock=clock)
    upstream = Upstream("http://a.test", health=[breaker, probed], panic=0, transport=FakeTransport(), clock=clock)
    (only,) = upstream.endpoints
    for number in range(20):
        asked = exchange(client=f"10.0.0.{number}")
        attempt = Attempt(only, asked, asked.request, 1, clock.now())
        attempt.status = 500
        upstream.settle(attempt)
    assert only.held
    probed.say(Restore(only, "it answers", overrules=True))
    assert only.held
    assert breaker.state(only) is OPEN


async def test_members_come_and_go() -> None:
    """Those that stay keep their circuits; what is no member says nothing; another upstream is refused."""
    bench = Bench(panic=0.0)
    bench.answer = 503
    await bench.ask(100)
    new = Endpoint("http://c.test")
    bench.upstream.add(new)
    assert [bench.breaker.state(each) for each in bench.upstream.endpoints] == [OPEN, CLOSED, CLOSED]
    bench.upstream.remove(bench.sick)
    with pytest.raises(KeyError):
        bench.breaker.state(bench.sick)
    asked = exchange()
    assert bench.breaker.settled(Attempt(bench.sick, asked, asked.request, 1, 0.0)) is None
    with pytest.raises(ValueError, match="serves another upstream"):
        Upstream("http://d.test", health=[bench.breaker])


async def test_over_real_connections() -> None:
    """A server that resets every connection is left alone after as many requests as it takes, and has its share again
    after it has recovered; clients see nothing of the trial but one request."""
    clock = FakeClock()
    async with FakeUpstream() as sick, FakeUpstream() as well:
        sick.always(reset())
        breaker = EndpointBreaker(Trip(least=4, seconds=5, ramp=0, trials=3), clock=clock, rng=Random(1))
        upstream = Upstream(sick.url, well.url, balancer=RoundRobin(), health=[breaker], clock=clock, rng=Random(1))
        async with serving(upstream) as site:
            statuses = [(await site.ask(GET)).status for _ in range(40)]
            assert statuses.count(502) == 4
            assert statuses[-30:] == [200] * 30
            sick.always(respond(200))
            clock.advance(6)
            statuses = [(await site.ask(GET)).status for _ in range(40)]
            assert statuses == [200] * 40
            assert breaker.state(upstream.endpoints[0]) is CLOSED


def test_a_server_that_is_down_for_a_while() -> None:
    """Simulated: of 6000 requests while one of three servers refuses, few fail; soon after it has its share again."""

    def compose(site: Site) -> Handler:
        breaker = EndpointBreaker(Trip(window=2, seconds=2, ramp=2), clock=site.clock, rng=site.rng)
        return site.upstream(health=[breaker])

    servers = [Server(service=constant(0.01), workers=50) for _ in range(2)]
    servers.append(Server(service=constant(0.01), workers=50, fails=failing(REFUSED, start=5, end=25)))
    run = simulate(lambda clock, rng: P2C(rng=rng), servers, rate=300, seconds=60, compose=compose)
    assert run.between(5, 25).failures < 130, "those of a second or so, until it opens, and one of each trial"
    assert run.between(45, 60).failures == 0


@pytest.mark.parametrize(
    ("options", "says", "kind"),
    [
        ({"max_ejected": 1.5}, "max_ejected must be 0 to 1, got 1.5", ValueError),
        ({"trip": 5}, "trip: 5 is not a Trip object", TypeError),
    ],
)
def test_nonsense(options: dict[str, object], says: str, kind: type[Exception]) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(kind, match=says):
        EndpointBreaker(**options)  # type: ignore[arg-type]
