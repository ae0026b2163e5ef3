"""How many requests are in flight at once, who waits, who is refused; and what comes of it under too much load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Pipeline, ProxyHandler, Response, Upstream
from revproxy.balancers import P2C, keys
from revproxy.body import StreamBody
from revproxy.errors import ConnectFailed, DeadlineExceeded, Overloaded, ProxyError, ResponseTimeout
from revproxy.events import Event
from revproxy.exchange import Exchange
from revproxy.filters import ConcurrencyLimit
from revproxy.handler import Handler, running
from revproxy.limiters import EndpointLimits, Fixed, Gradient, Limit, SheddingBegan, SheddingEnded
from revproxy.testing import FakeClock, FakeUpstream, exchange, stall
from revproxy.testing.simulate import (
    Arrivals,
    Asks,
    Server,
    Simulation,
    Site,
    Times,
    constant,
    exponential,
    poisson,
    simulate,
)

from ..e2e.wire import GET, serving
from ..wire import turns, until


class Held:
    """A handler that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Exchange] = []
        self.go = asyncio.Event()
        self.answer: Response | BaseException = Response(200)

    async def __call__(self, exchange: Exchange) -> Response:
        self.asked.append(exchange)
        await self.go.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Scene:
    """A filter around a handler that holds what it is asked, and those who ask."""

    def __init__(self, limit: int | Limit = 1, **options: object) -> None:
        self.clock = FakeClock()
        self.subject = ConcurrencyLimit(limit, clock=self.clock, **options)  # type: ignore[arg-type]
        self.handler = Held()

    def ask(self, **options: object) -> tuple[Exchange, asyncio.Task[Response]]:
        asked = exchange(**options)  # type: ignore[arg-type]
        return asked, asyncio.create_task(self.subject(asked, self.handler))

    async def asks(self, count: int) -> list[tuple[Exchange, asyncio.Task[Response]]]:
        asked = [self.ask() for _ in range(count)]
        await turns()
        return asked


async def test_a_slot_is_held_until_the_body_has_ended() -> None:
    """S-50: not only until the head: a request is in flight as long as its exchange is."""
    scene = Scene(2)
    scene.handler.go.set()
    (first, one), (second, two) = await scene.asks(2)
    assert (one.done(), two.done(), scene.subject.in_flight) == (True, True, 2)
    third, three = scene.ask()
    await turns()
    assert scene.subject.waiting == 1
    first.finish()
    await turns()
    assert (await three).status == 200
    assert scene.subject.in_flight == 2
    second.finish()
    third.finish()
    third.finish()
    assert (scene.subject.in_flight, scene.clock.waiting) == (0, 0)


async def test_waiting_in_vain() -> None:
    """503 with ``Retry-After``, at the time that it was to wait, and the handler is not asked."""
    scene = Scene(1, retry_after=2.5, name="reports")
    await scene.asks(1)
    _, waits = scene.ask()
    await scene.clock.advance_async(0.09)
    assert not waits.done()
    await scene.clock.advance_async(0.02)
    with pytest.raises(Overloaded, match="reports: 1 in flight") as raised:
        await waits
    assert (raised.value.status, raised.value.fields) == (503, {"Retry-After": "3"})
    assert not raised.value.retryable
    assert (len(scene.handler.asked), scene.subject.waiting, scene.subject.refused) == (1, 0, 1)
    scene.handler.go.set()
    await turns()


async def test_a_full_queue() -> None:
    """It does not grow: the next one is refused at once. S-50."""
    scene = Scene(1, queue=2)
    tasks = [task for _, task in await scene.asks(4)]
    assert [task.done() for task in tasks] == [False, False, False, True]
    assert isinstance(tasks[3].exception(), Overloaded)
    assert repr(scene.subject) == "<ConcurrencyLimit Fixed(1) in_flight=1 waiting=2>"
    for task in tasks[:3]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (scene.subject.in_flight, scene.subject.waiting, scene.clock.waiting - 1) == (0, 0, 0)  # that of the events


async def test_without_a_queue() -> None:
    """Nobody waits."""
    scene = Scene(1, queue=0)
    tasks = [task for _, task in await scene.asks(2)]
    assert isinstance(tasks[1].exception(), Overloaded)
    scene.handler.go.set()
    await tasks[0]


async def test_within_the_deadline() -> None:
    """A request waits no longer than its deadline: 504 then, and at once for one that is over already."""
    scene = Scene(1)
    await scene.asks(1)
    late, waits = scene.ask()
    late.deadline = scene.clock.now() + 0.02
    await scene.clock.advance_async(0.03)
    with pytest.raises(DeadlineExceeded, match="while it waited"):
        await waits
    late, waits = scene.ask()
    late.deadline = scene.clock.now()
    with pytest.raises(DeadlineExceeded, match="before it could wait"):
        await waits
    assert scene.subject.refused == 0
    scene.handler.go.set()
    await turns()


@pytest.mark.parametrize("error", [ConnectFailed("refused"), RuntimeError("a bug"), asyncio.CancelledError()])
async def test_a_failure_gives_the_slot_back(error: BaseException) -> None:
    """At once, and once only: whoever goes on after it may ask again."""
    scene = Scene(1)
    scene.handler.go.set()
    scene.handler.answer = error
    asked, task = scene.ask()
    await turns()
    assert task.done()
    assert scene.subject.in_flight == 0
    asked.finish()
    assert scene.subject.in_flight == 0
    await asyncio.gather(task, return_exceptions=True)


async def test_a_tunnel_is_no_request() -> None:
    """A WebSocket counts until it was switched, else a few of them would keep everybody out."""
    scene = Scene(1)
    scene.handler.go.set()
    scene.handler.answer = Response(101)
    await scene.asks(3)
    assert scene.subject.in_flight == 0


async def test_cancelled_in_the_moment_of_its_turn() -> None:
    """A client that goes away as its slot is given gives it to the next one."""
    scene = Scene(1)
    (first, one), (_, two), (_, three) = await scene.asks(3)
    scene.handler.go.set()
    await turns()
    await one
    first.finish()  # the slot is two's from here on
    two.cancel()
    await turns()
    assert two.cancelled()
    assert three.done()
    assert scene.subject.in_flight == 1


async def test_importance_comes_first() -> None:
    """The more important is served before what came earlier, and in a full queue the least important makes room."""
    scene = Scene(1, queue=2, priority=lambda exchange: int(exchange.inbound.headers["X-Class"]))
    first, one = scene.ask(headers={"X-Class": "0"})
    _, low = scene.ask(headers={"X-Class": "5"})
    _, middle = scene.ask(headers={"X-Class": "3"})
    await turns()
    _, high = scene.ask(headers={"X-Class": "0"})
    await turns()
    assert isinstance(low.exception(), Overloaded)
    scene.handler.go.set()
    await one
    first.finish()
    await turns()
    assert (high.done(), middle.done()) == (True, False)
    middle.cancel()
    await turns()


async def test_fair_between_tenants() -> None:
    """Of one class one of each tenant in turn."""
    scene = Scene(1, fair=keys.header("X-Tenant"))
    scene.handler.go.set()
    holder, _ = scene.ask()
    await turns()
    asked = [scene.ask(headers={"X-Tenant": tenant}) for tenant in "aaab"]
    await turns()
    holder.finish()
    order = []
    for _ in range(4):
        await turns()
        last = scene.handler.asked[-1]
        order.append(last.inbound.headers["X-Tenant"])
        last.finish()
    assert order == ["a", "b", "a", "a"]
    await asyncio.gather(*(task for _, task in asked))


async def test_a_function_that_fails() -> None:
    """An error in ``priority`` or ``fair`` is that request's alone: no slot is lost and nobody waits for ever."""

    def broken(exchange: Exchange) -> int:
        raise ZeroDivisionError

    for options in ({"priority": broken}, {"fair": broken}):
        scene = Scene(1, **options)
        (_, one), (_, two) = await scene.asks(2)
        assert isinstance(two.exception(), ZeroDivisionError)
        assert (scene.subject.in_flight, scene.subject.waiting) == (1, 0)
        scene.handler.go.set()
        await one


async def test_a_limit_that_is_raised() -> None:
    """Those that wait are let in with the next one who comes or goes."""
    limit = Fixed(1)
    scene = Scene(limit)
    await scene.asks(3)
    limit.limit = 3
    assert scene.subject.limit == 3
    await scene.asks(1)
    assert (scene.subject.in_flight, scene.subject.waiting) == (3, 1)
    scene.handler.go.set()
    await turns()
    for each in scene.handler.asked:
        each.finish()
        await turns()


class Seen(Limit):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, int]] = []

    def allowed(self, now: float) -> int:
        return 5

    def answered(self, started: float, now: float, in_flight: int) -> None:
        self.told.append((now - started, in_flight))


async def test_what_the_limit_learns() -> None:
    """The time to the response's head, without the time in the queue; a time-out's, too. Nothing of failures that come
    fast: they would look like a server that has nothing to do."""
    limit = Seen()
    scene = Scene(limit)
    for answer, told in (
        (Response(200), True),
        (Response(404), True),
        (ResponseTimeout("slow"), True),
        (Response(503), False),
        (Response(429), False),
        (ConnectFailed("refused"), False),
        (asyncio.CancelledError(), False),
    ):
        limit.told.clear()
        scene.handler.go.clear()
        scene.handler.answer = answer
        asked, task = scene.ask()
        await turns()
        scene.clock.advance(0.25)
        scene.handler.go.set()
        await asyncio.gather(task, return_exceptions=True)
        assert limit.told == ([(0.25, 1)] if told else [])
        asked.finish()


async def test_events() -> None:
    """Operators are told once that requests are refused, and once that it is over; stopped, no timer stays."""
    scene = Scene(1, queue=0, name="reports")
    events: list[Event] = []
    async with running(Pipeline(scene.subject, handler=scene.handler), [events.append]):
        tasks = [task for _, task in await scene.asks(5)]
        scene.clock.advance(10)
        assert events == [
            SheddingBegan("reports", "1 in flight, 0 waiting"),
            SheddingEnded("reports", 4, 0.0),
        ]
        await scene.asks(1)
        assert scene.clock.waiting == 1
    assert scene.clock.waiting == 0
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"limit": 0}, ValueError, "limit must be .* got 0"),
        ({"limit": "3"}, TypeError, "limit must be .* got '3'"),
        ({"limit": 1, "queue": -1}, ValueError, "queue must be .* got -1"),
        ({"limit": 1, "target": 0.2}, ValueError, "target and interval .* got 0.2"),
        ({"limit": 1, "retry_after": 0}, ValueError, "retry_after must be .* got 0"),
        ({"limit": 1, "priority": 3}, TypeError, "priority: 3 is no function"),
        ({"limit": 1, "fair": "X-Tenant"}, TypeError, "fair: 'X-Tenant' is no function"),
    ],
)
def test_nonsense(options: dict[str, object], error: type[Exception], said: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(error, match=said):
        ConcurrencyLimit(**options)  # type: ignore[arg-type]


def test_one_limit_serves_one_filter() -> None:
    """Two would each tell it of half of what is in flight."""
    limit = Gradient()
    ConcurrencyLimit(limit, name="first")
    with pytest.raises(ValueError, match="serves 'first' already"):
        ConcurrencyLimit(limit)


# Any interleaving.

Step = tuple[str, int, int]


class Interleaving:
    """Runs steps against a filter, and looks after each whether a slot was lost or given twice."""

    def __init__(self, limit: int, size: int) -> None:
        self.clock = FakeClock()
        self.limit = Fixed(limit)
        self.subject = ConcurrencyLimit(
            self.limit,
            queue=size,
            priority=lambda exchange: len(exchange.inbound.target) - 1,
            fair=lambda exchange: exchange.inbound.method,
            clock=self.clock,
        )
        self.most = limit
        self.inside = 0
        self.asked: list[tuple[Exchange, asyncio.Task[Response], asyncio.Event]] = []

    def ask(self, number: int) -> None:
        asked, go = exchange(("GET", "PUT")[number % 2], "/" + "x" * (number % 3)), asyncio.Event()
        if number % 5 == 0:
            asked.deadline = self.clock.now() + 0.05

        async def handler(exchange: Exchange) -> Response:
            self.inside += 1
            assert self.inside <= self.most
            try:
                await go.wait()
                if number % 7 == 0:
                    raise ConnectFailed("refused")
            except BaseException:
                self.left()
                raise
            exchange.defer(self.left)
            return Response(200)

        self.asked.append((asked, asyncio.create_task(self.subject(asked, handler)), go))

    def left(self) -> None:
        self.inside -= 1

    async def do(self, steps: list[Step]) -> None:
        for what, number, pauses in steps:
            if what == "ask":
                self.ask(number)
            elif what == "advance":
                self.clock.advance(number / 200)
            elif what == "limit":
                self.limit.limit = 1 + number % 4
                self.most = max(self.most, self.limit.limit)
            elif self.asked:
                asked, task, go = self.asked[number % len(self.asked)]
                if what == "answer":
                    go.set()
                elif what == "cancel":
                    task.cancel()
                elif task.done():
                    asked.finish()
            for _ in range(pauses):
                await asyncio.sleep(0)
            assert 0 <= self.subject.in_flight <= self.most
            assert self.subject.waiting <= 4
        # In the end everybody goes, and everything is as it was.
        for _ in range(50):
            for asked, task, go in self.asked:
                go.set()
                if task.done():
                    asked.finish()
            await asyncio.sleep(0)
        await self.clock.advance_async(1.0)
        for asked, task, _ in self.asked:
            await asyncio.gather(task, return_exceptions=True)
            asked.finish()
            error = None if task.cancelled() else task.exception()
            assert error is None or isinstance(error, ProxyError), error
        assert (self.subject.in_flight, self.subject.waiting, self.inside) == (0, 0, 0)
        self.clock.advance(100)
        assert self.clock.waiting == 0
        self.ask(1)
        await asyncio.sleep(0)
        assert self.subject.in_flight == 1
        self.asked[-1][1].cancel()
        await asyncio.gather(self.asked[-1][1], return_exceptions=True)
        self.asked[-1][0].finish()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "ask", "answer", "finish", "cancel", "advance", "limit"]),
            st.integers(0, 30),
            st.integers(0, 3),
        ),
        max_size=60,
    ),
    st.integers(1, 3),
    st.integers(0, 4),
)
def test_no_slot_is_lost(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], steps: list[Step], limit: int, size: int
) -> None:
    """Under any interleaving of arrivals, answers, ends, cancellations, time-outs and changes of the limit: never more
    than the limit are inside, and in the end every slot is free, nobody waits, and no timer is left."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(Interleaving(limit, size).do(steps))


# Over sockets.


async def test_over_sockets() -> None:
    """The client of a refused request is told 503, with ``Retry-After``, and nothing reaches the server; the slot of a
    client that goes away is free again."""
    limit = ConcurrencyLimit(1, queue=0, retry_after=7)
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), filters=[limit])) as site:
        server.always(stall())
        async with site.connect() as first, site.connect() as second:
            await first.send(GET)
            await server.wait_requests(1)
            await second.send(GET)
            answer = await second.response()
            assert answer.status == 503
            assert answer.getall(b"Retry-After") == [b"7"]
            assert len(server.requests) == 1
        await server.gone()
        await until(lambda: not limit.in_flight)


async def body_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_a_body_that_streams_holds_its_slot() -> None:
    """The head has been given, the body not: the slot is not free."""
    scene = Scene(1)
    scene.handler.go.set()
    scene.handler.answer = Response(200, body=StreamBody(body_of(b"a", b"b")))
    asked, task = scene.ask()
    async for _ in (await task).body:
        assert scene.subject.in_flight == 1
    asked.finish()
    assert scene.subject.in_flight == 0


# Under too much load, simulated.

WORKERS, SERVICE = 16, 0.02
CAPACITY = WORKERS / SERVICE


def simulated(
    load: float | Arrivals,
    compose: Callable[[Site], Handler],
    *,
    seconds: float,
    times: Times = exponential(SERVICE),  # noqa: B008 - a function
    asks: Asks | None = None,
) -> Simulation:
    """``load``: as a multiple of the capacity, or when requests arrive."""
    arrivals = poisson(load * CAPACITY) if isinstance(load, float | int) else load
    server = Server(service=times, workers=WORKERS)
    return simulate(
        lambda clock, rng: P2C(rng=rng), [server], arrivals=arrivals, seconds=seconds, compose=compose, asks=asks
    )


def adaptive(site: Site) -> Handler:
    return Pipeline(ConcurrencyLimit(Gradient(rng=site.rng), clock=site.clock), handler=site.upstream())


def per_endpoint(site: Site) -> Handler:
    return site.upstream(health=[EndpointLimits(lambda: Gradient(rng=site.rng), clock=site.clock)])


@pytest.mark.parametrize("times", [exponential(SERVICE), constant(SERVICE)], ids=["exponential", "constant"])
@pytest.mark.parametrize("compose", [adaptive, per_endpoint])
def test_three_times_the_capacity(compose: Callable[[Site], Handler], times: Times) -> None:
    """Algorithms row 11: with an adaptive limit at least 90 % of the capacity is served, and the 99th percentile of
    what is served is at most twice that without load; from two seconds after a cold start on."""
    alone = simulated(0.2, Site.upstream, seconds=5, times=times)
    run = simulated(3, compose, seconds=10, times=times).between(2, 10)
    assert len(run.times) / 8 >= 0.9 * CAPACITY
    assert run.percentile(99) <= 2 * alone.percentile(99)
    assert set(run.errors) <= {"Overloaded", "NoEndpoint"}


@pytest.mark.soak
def test_it_is_stable() -> None:
    """Algorithms row 11: at three times the capacity it goes on so, with measurements of the unloaded time again and
    again; and when the load is over nobody is refused any more."""
    load = poisson(lambda now: CAPACITY * (3 if now < 20 else 0.5), peak=3 * CAPACITY)

    def compose(site: Site) -> Handler:
        limit = Gradient(every=5, rng=site.rng)
        return Pipeline(ConcurrencyLimit(limit, clock=site.clock), handler=site.upstream())

    run = simulated(load, compose, seconds=30)
    seconds = [len(run.between(at, at + 1).times) / CAPACITY for at in range(2, 20)]
    assert min(seconds) > 0.5
    assert sum(seconds) / len(seconds) >= 0.9
    after = run.between(20.5, 30)
    assert after.failures < 0.001 * len(after.outcomes)


@pytest.mark.soak
def test_the_less_important_is_shed_first() -> None:
    """Algorithms row 11: at three times the capacity almost all of what is important is served, which alone would fit;
    what is not gets the rest of the capacity."""

    def asks(rng: Random, at: float) -> Exchange:
        return exchange(client="192.0.2.1" if rng.random() < 0.25 else "192.0.2.2")

    def compose(site: Site) -> Handler:
        limit = ConcurrencyLimit(
            Gradient(rng=site.rng),
            priority=lambda exchange: 0 if str(exchange.inbound.client) == "192.0.2.1" else 5,
            clock=site.clock,
        )
        return Pipeline(limit, handler=site.upstream())

    run = simulated(3, compose, seconds=10, asks=asks).between(2, 10)
    important = [each for each in run.outcomes if each.client == "192.0.2.1"]
    others = [each for each in run.outcomes if each.client == "192.0.2.2"]
    assert sum(each.failed for each in important) < 0.01 * len(important)
    assert sum(each.failed for each in others) > 0.8 * len(others)
    assert len(run.times) / 8 >= 0.9 * CAPACITY


@pytest.mark.soak
def test_one_tenant_keeps_no_other_out() -> None:
    """A tenant that asks for ten times as much as it could get does not take the share of one that asks for little."""

    def asks(rng: Random, at: float) -> Exchange:
        return exchange(client="192.0.2.1" if rng.random() < 0.1 else "192.0.2.2")

    def compose(fair: bool) -> Callable[[Site], Handler]:
        def made(site: Site) -> Handler:
            limit = ConcurrencyLimit(
                Gradient(rng=site.rng), fair=keys.client_address() if fair else None, clock=site.clock
            )
            return Pipeline(limit, handler=site.upstream())

        return made

    def served(run: Simulation) -> float:
        light = [each for each in run.outcomes if each.client == "192.0.2.1"]
        return sum(not each.failed for each in light) / len(light)

    unfair = served(simulated(3, compose(False), seconds=8, asks=asks).between(2, 8))
    fair = served(simulated(3, compose(True), seconds=8, asks=asks).between(2, 8))
    assert unfair < 0.5
    assert fair > 0.95
