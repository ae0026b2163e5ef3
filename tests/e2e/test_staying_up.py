"""Servers in processes of their own that crash, hang and come back, under load, behind all that keeps a proxy up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from time import perf_counter

from revproxy import Filter, Handler, Pipeline, ProxyHandler, Rule, Rules, SlowStart, Timeouts, Upstream, when
from revproxy.balancers import RoundRobin
from revproxy.clock import Clock
from revproxy.filters import CircuitBreaker, ConcurrencyLimit, Deadline, Retry
from revproxy.health import ActiveHealth, HealthPolicy, OutlierDetection, TcpProbe, Trip
from revproxy.health.circuit import CircuitState
from revproxy.limiters import Gradient

from .processes import BackEnd, Load, back_ends, nothing_left, percentile, statuses
from .wire import GET, Site, serving

PER_TRY = 0.5
CLIENTS = 12


@dataclass
class Composed:
    """All of it together, as one would put it before three servers."""

    clock: Clock
    servers: list[BackEnd]
    health: list[HealthPolicy]
    panic: float = 0.5
    timeouts: Timeouts = field(default_factory=Timeouts)
    trip: Trip = field(default_factory=Trip)

    def __post_init__(self) -> None:
        clock = self.clock
        self.retry = Retry(attempts=2, per_try=PER_TRY, base=0.001, clock=clock, rng=Random(1))
        # Room for what hangs: a limit around several servers cannot tell that one of them is slow from too much load.
        self.limit = ConcurrencyLimit(Gradient(least=2 * CLIENTS), clock=clock)
        self.breaker = CircuitBreaker(self.trip, clock=clock, rng=Random(1))
        self.upstream = Upstream(
            *(each.url for each in self.servers),
            name="site",
            balancer=RoundRobin(),
            health=self.health,
            panic=self.panic,
            slow_start=SlowStart(window=0.5),
            timeouts=self.timeouts,
            clock=clock,
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Site]:
        """It, in an application; nothing of it is held at the end."""
        filters: list[Filter] = [self.limit, self.breaker, self.retry]
        handler: Handler = Rules(Rule(when.anything, Pipeline(*filters, handler=self.upstream)))
        async with serving(ProxyHandler(handler, filters=[Deadline(5.0, clock=self.clock)])) as site:
            yield site
        assert [each.in_flight for each in self.upstream.endpoints] == [0] * len(self.servers)
        assert (self.limit.in_flight, self.limit.waiting) == (0, 0)
        assert self.breaker._circuit.in_trial == 0


def outliers(clock: Clock, most: float = 1.0) -> OutlierDetection:
    return OutlierDetection(base=0.5, most=most, jitter=0, max_ejected=0.4, per_client=100, clock=clock)


async def test_a_server_that_is_killed() -> None:
    """F-84, F-86: of three servers one is killed under load (SIGKILL), stays away and comes back: no client sees
    anything of it, the dead one gets next to nothing, and within the ramp after its ejection it has its share again."""
    async with nothing_left() as clock, back_ends("a", "b", "c") as servers:
        subject = Composed(clock, servers, [outliers(clock)])
        async with subject.serving() as site, Load.of(site, CLIENTS, pause=0.002) as load:
            before = await load.count(300)
            assert {each.body for each in before} == {b"a", b"b", b"c"}
            await servers[0].kill()
            await load.lasts(0.3)
            retried = subject.retry.retried
            away = await load.lasts(0.8)
            assert {each.body for each in away} == {b"b", b"c"}
            assert subject.retry.retried - retried <= 20  # those that try whether it is back, and no others
            await servers[0].start()
            began = perf_counter()
            await load.until(lambda answers: len(answers) >= 100 and [e.body for e in answers[-100:]].count(b"a") >= 30)
            back = perf_counter() - began
        assert statuses(load.answers) == {200: len(load.answers)}
        assert (subject.retry.refused, subject.limit.refused, subject.breaker.refused) == (0, 0, 0)
        assert back < 1.0 + 0.5 + 1.0, back  # the rest of its ejection, the ramp, and one for the machine


async def test_a_server_that_never_answers() -> None:
    """F-86: a process that is stopped (SIGSTOP) takes connections and never answers. No client is told; until it is
    ejected few wait, none for longer than two tries, and after that nobody does. When it goes on it has its share."""
    async with nothing_left() as clock, back_ends("a", "b", "c") as servers:
        subject = Composed(clock, servers, [outliers(clock, most=2.0)])
        async with subject.serving() as site, Load.of(site, CLIENTS, pause=0.002) as load:
            await load.count(300)
            servers[0].stop()
            hung = await load.lasts(1.5 * PER_TRY)
            assert max(each.seconds for each in hung) < 2 * PER_TRY
            assert percentile(hung, 99) < 2 * PER_TRY
            assert subject.upstream.endpoints[0].held
            after = await load.lasts(0.5)
            assert percentile(after, 99) < PER_TRY / 2
            assert {each.body for each in after} == {b"b", b"c"}
            servers[0].go_on()
            await load.until(lambda answers: len(answers) >= 100 and [e.body for e in answers[-100:]].count(b"a") >= 30)
        assert statuses(load.answers) == {200: len(load.answers)}


def probes(clock: Clock) -> ActiveHealth:
    return ActiveHealth(
        TcpProbe(), interval=0.2, fast_interval=0.1, jitter=0.1, timeout=0.5, rise=2, fall=2, clock=clock
    )


async def test_all_are_down_and_it_is_known() -> None:
    """Where probes have found that all are down, and panic is off, the answer is 503 at once, nothing piles up, and
    there is full service within a second after they are back."""
    async with nothing_left() as clock, back_ends("a", "b", "c") as servers:
        # The breaker may open before it is known, and knows nothing of probes: it tries again soon.
        trip = Trip(seconds=0.3, most=0.3, ramp=0.2, trials=3)
        subject = Composed(clock, servers, [probes(clock)], panic=0.0, trip=trip)
        async with subject.serving() as site, Load.of(site, CLIENTS, pause=0.002) as load:
            await subject.upstream.ready(5.0)
            await load.count(100)
            await asyncio.gather(*(each.kill() for each in servers))
            await load.until(lambda answers: all(each.held for each in subject.upstream.endpoints))
            await load.until(lambda answers: statuses(answers[-50:]) == {503: 50})
            down = await load.lasts(0.5)
            assert statuses(down) == {503: len(down)}
            assert percentile(down, 50) < 0.1
            assert sum(each.in_flight for each in subject.upstream.endpoints) == 0
            await asyncio.gather(*(each.start() for each in servers))
            began = perf_counter()
            await load.until(lambda answers: statuses(answers[-50:]) == {200: 50})
            assert perf_counter() - began < 1
            await load.until(lambda answers: {each.body for each in answers[-50:]} == {b"a", b"b", b"c"})


async def test_all_are_down_and_nobody_knows() -> None:
    """Where nothing watches, a request to servers of which none listens is a 502 long before the connect time-out, and
    there is full service with the next request after they are back."""
    async with nothing_left() as clock, back_ends("a", "b", "c") as servers:
        upstream = Upstream(*(each.url for each in servers), timeouts=Timeouts(connect=1.0), clock=clock)
        async with serving(upstream) as site, Load.of(site, CLIENTS, pause=0.002) as load:
            await load.count(100)
            await asyncio.gather(*(each.kill() for each in servers))
            await load.until(lambda answers: statuses(answers[-50:]) == {502: 50})
            down = await load.lasts(0.3)
            assert percentile(down, 99) < 1.0
            await asyncio.gather(*(each.start() for each in servers))
            began = perf_counter()
            await load.until(lambda answers: statuses(answers[-50:]) == {200: 50})
            assert perf_counter() - began < 1


async def test_nobody_takes_a_connection() -> None:
    """Servers whose kernels take no connection: 504 at the connect time-out, and never more attempts at once than there
    are clients; a breaker then says 503 at once."""
    async with nothing_left() as clock:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as fills:
            fills.connect(listener.getsockname())
            breaker = CircuitBreaker(Trip(least=CLIENTS), clock=clock)
            upstream = Upstream(
                "http://127.0.0.1:{1}".format(*listener.getsockname()), timeouts=Timeouts(connect=0.3), clock=clock
            )
            async with serving(Pipeline(breaker, handler=upstream)) as site:
                first = await asyncio.gather(*(site.ask(GET) for _ in range(CLIENTS)))
                assert {answer.status for answer in first} == {504}
                assert breaker.state is CircuitState.OPEN
                began = perf_counter()
                assert (await site.ask(GET)).status == 503
                assert perf_counter() - began < 0.2
            assert upstream.endpoints[0].in_flight == 0


async def test_all_hang() -> None:
    """All servers are stopped for a while, and nothing but requests can tell: clients are told within two tries, the
    breaker then says 503 at once, requests do not pile up, and there is full service again soon after."""
    async with nothing_left() as clock, back_ends("a", "b", "c") as servers:
        trip = Trip(window=1.0, least=10, seconds=0.3, most=0.3, jitter=0, ramp=0.2, trials=3)
        subject = Composed(clock, servers, [], trip=trip)
        async with subject.serving() as site, Load.of(site, CLIENTS, pause=0.002) as load:
            await load.count(300)
            for each in servers:
                each.stop()
            await load.until(lambda answers: statuses(answers[-100:]) == {503: 100})
            down = await load.lasts(1.0)
            assert max(each.seconds for each in load.answers) < 2 * PER_TRY + 0.5
            assert percentile(down, 50) < 0.05
            assert sum(each.in_flight for each in subject.upstream.endpoints) <= CLIENTS
            assert set(statuses(load.answers)) <= {200, 503, 504}
            for each in servers:
                each.go_on()
            began = perf_counter()
            await load.until(lambda answers: statuses(answers[-50:]) == {200: 50})
            assert perf_counter() - began < 1 + 2 * PER_TRY  # the trial that was under way has to be given up first
