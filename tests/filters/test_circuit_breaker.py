"""A handler that fails is not asked for a while, then a little, then as before."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, Pipeline, Response, Rule, Rules, Upstream, when
from revproxy.balancers import P2C
from revproxy.errors import (
    BadRequest,
    CircuitOpen,
    ConnectFailed,
    ConnectionLost,
    Interrupted,
    Overloaded,
    ProxyError,
    Truncated,
)
from revproxy.events import Event
from revproxy.filters import CircuitBreaker
from revproxy.handler import Handler, running
from revproxy.health import CircuitClosed, CircuitOpened, CircuitState, CircuitTried, Trip
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, reset, respond, truncate
from revproxy.testing.simulate import REFUSED, Server, Site, constant, failing, simulate

from ..e2e.wire import GET, serving

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class Scene:
    """A breaker before a handler that does as it is told."""

    def __init__(self, **options: object) -> None:
        options.setdefault("jitter", 0.0)
        self.clock = FakeClock()
        self.subject = CircuitBreaker(
            Trip(**options),  # type: ignore[arg-type]
            name="api",
            clock=self.clock,
            rng=Random(1),
        )
        self.answer: int | Exception = 200
        self.takes = 0.0
        self.asked = 0

    async def handler(self, exchange: Exchange) -> Response:
        self.asked += 1
        self.clock.advance(self.takes)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Response(self.answer)

    async def ask(self, count: int = 1) -> list[int | type[Exception]]:
        """What so many clients are told."""
        told: list[int | type[Exception]] = []
        for number in range(count):
            asked = exchange(client=f"10.0.{number >> 8}.{number & 255}")
            try:
                told.append((await self.subject(asked, self.handler)).status)
            except Exception as error:
                told.append(type(error))
            asked.finish()
        return told


@pytest.mark.parametrize("answer", [500, 503, ConnectFailed("refused"), OSError("a handler of one's own")])
async def test_it_opens(answer: int | Exception) -> None:
    """Row 15: after as many failures as it takes the handler is not asked; the client is told so at once, and when to
    come again."""
    scene = Scene(seconds=4.2)
    scene.answer = answer
    told = await scene.ask(30)
    assert told[20:] == [CircuitOpen] * 10
    assert (scene.asked, scene.subject.refused, scene.subject.state) == (20, 10, OPEN)
    scene.clock.advance(1)
    with pytest.raises(CircuitOpen, match="api: the circuit is open") as raised:
        await scene.subject(exchange(), scene.handler)
    assert (raised.value.status, raised.value.fields, raised.value.retryable) == (503, {"Retry-After": "4"}, False)
    assert repr(scene.subject).startswith("<CircuitBreaker api <Circuit open:")


async def test_it_closes() -> None:
    """First one, then more by time, then all; operators are told each step."""
    scene = Scene(seconds=5, ramp=10, trials=5)
    events: list[Event] = []
    async with running(Pipeline(scene.subject, handler=scene.handler), [events.append]):
        scene.answer = 503
        await scene.ask(30)
        scene.answer = 200
        scene.clock.advance(5)
        shares = []
        for _ in range(12):
            shares.append((await scene.ask(100)).count(200))
            scene.clock.advance(1)
    assert shares[0] == 1
    assert 40 <= shares[5] <= 60
    assert shares[-1] == 100
    assert [type(event) for event in events] == [CircuitOpened, CircuitTried, CircuitClosed]
    assert [str(event) for event in events[:2]] == [
        "api: the circuit is open for 5 s: 20 of 20 calls failed",
        "api: the circuit is half open",
    ]
    assert str(events[2]).startswith("api: the circuit is closed again after 15 s:")
    assert scene.clock.waiting == 0


async def test_it_opens_again() -> None:
    """The first that fails is the last for twice as long."""
    scene = Scene(seconds=5)
    scene.answer = 503
    await scene.ask(20)
    scene.clock.advance(5)
    assert await scene.ask(3) == [503, CircuitOpen, CircuitOpen]
    scene.clock.advance(9)
    assert await scene.ask(1) == [CircuitOpen]
    scene.clock.advance(1)
    assert await scene.ask(1) == [503]


@pytest.mark.parametrize(("slow", "state"), [(0.0, CLOSED), (0.5, OPEN)])
async def test_slow_answers(slow: float, state: CircuitState) -> None:
    """Answers that are good, but late, open it if they shall."""
    scene = Scene(slow=slow, slow_after=0.5, window=60)
    scene.takes = 0.6
    await scene.ask(20)
    assert scene.subject.state is state


@pytest.mark.parametrize(
    "answer", [404, 499, BadRequest("nonsense"), Interrupted(), Overloaded("full")], ids=lambda each: str(each)[:8]
)
async def test_what_does_not_count(answer: int | ProxyError) -> None:
    """S-57: what the client did, what ended with the application, and what a policy further in refused."""
    scene = Scene()
    scene.answer = answer
    await scene.ask(200)
    assert scene.subject.state is CLOSED


async def test_other_failures() -> None:
    """Which statuses are one is for the user to say."""
    subject = CircuitBreaker(Trip(least=1), is_failure=lambda status: status == 429, clock=FakeClock())

    async def answer(exchange: Exchange) -> Response:
        return Response(429)

    await subject(exchange(), answer)
    assert subject.state is OPEN


async def test_one_client() -> None:
    """S-57: one who provokes errors closes the door for himself, not for others: it does not open for him alone."""
    scene = Scene()
    await scene.ask(50)
    scene.answer = 500
    for _ in range(500):
        assert (await scene.subject(exchange(client="192.0.2.66"), scene.handler)).status == 500
    assert scene.subject.state is CLOSED


async def test_clients_that_leave() -> None:
    """S-57: a call that is cancelled is neither, closed or half open; in the trial its place is free again."""
    scene = Scene(ramp=0, trials=1, least=5)
    started = 0

    async def hang(exchange: Exchange) -> Response:
        nonlocal started
        started += 1
        await asyncio.Event().wait()
        raise AssertionError

    async def leave(count: int) -> None:
        tasks = [asyncio.create_task(scene.subject(exchange(), hang)) for _ in range(count)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    await leave(100)
    assert (scene.subject.state, started) == (CLOSED, 100)
    scene.answer = 503
    await scene.ask(5)
    scene.clock.advance(5)
    for _ in range(10):
        await leave(3)
    assert (scene.subject.state, started) == (HALF_OPEN, 110)
    scene.answer = 200
    assert await scene.ask(1) == [200]
    assert scene.subject.state is CLOSED


@given(st.lists(st.tuples(st.sampled_from(["ask", "answer", "fail", "leave"]), st.floats(0, 2)), max_size=50))
def test_no_place_is_lost(steps: list[tuple[str, float]]) -> None:
    """Row 15: whatever comes, goes and fails in whatever order, when all is well again all are let through."""

    async def run() -> None:
        scene = Scene(least=2, seconds=1, most=4, ramp=1, trials=2)
        waiting: list[tuple[asyncio.Task[Response], asyncio.Future[Response]]] = []

        def ask() -> None:
            answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

            async def handler(exchange: Exchange) -> Response:
                return await answer

            waiting.append((asyncio.create_task(scene.subject(exchange(), handler)), answer))

        for what, seconds in steps:
            scene.clock.advance(seconds)
            if what == "ask":
                ask()
            elif waiting:
                task, answer = waiting.pop(0)
                if what == "leave":
                    task.cancel()
                elif what == "answer":
                    answer.set_result(Response(200))
                else:
                    answer.set_exception(ConnectionLost("x"))
                await asyncio.gather(task, return_exceptions=True)
                if answer.done() and not answer.cancelled():
                    answer.exception()
            await asyncio.sleep(0)
        for _ in range(20):  # those that still wait never end meanwhile
            scene.clock.advance(1)
            await scene.ask(3)
        assert await scene.ask(10) == [200] * 10
        assert scene.subject.state is CLOSED
        for task, _ in waiting:
            task.cancel()
        await asyncio.gather(*(task for task, _ in waiting), return_exceptions=True)

    asyncio.run(run())


async def test_an_answer_that_breaks_off() -> None:
    """Its head was good; that its body was not counts when the exchange is over, unless the circuit has changed."""
    clock = FakeClock()
    subject = CircuitBreaker(Trip(failures=0.9, least=4), clock=clock)
    upstream = Upstream("http://a.test", transport=FakeTransport(), clock=clock)

    async def ask() -> Exchange:
        asked = exchange()
        await subject(asked, upstream)
        asked.attempts[-1].error = Truncated("x")
        return asked

    late, *others = [await ask() for _ in range(5)]
    for asked in others:
        assert subject.state is CLOSED
        asked.finish()
    assert subject.state is CLOSED
    (await ask()).finish()
    (await ask()).finish()
    for _ in range(4):
        if subject.state is CLOSED:
            (await ask()).finish()
    assert subject.state is OPEN
    clock.advance(10)
    assert subject.state is HALF_OPEN
    late.finish()
    assert subject.state is HALF_OPEN


async def test_per_rule() -> None:
    """Each route has its own: one that fails does not take the others with it."""
    answers = {"/a": 503, "/b": 200}
    upstream = Upstream("http://a.test", transport=FakeTransport(lambda each: Response(answers[each.request.target])))
    rules = Rules(
        Rule(when.path("/a"), Pipeline(CircuitBreaker(Trip(least=5), name="a"), handler=upstream)),
        Rule(when.path("/b"), Pipeline(CircuitBreaker(Trip(least=5), name="b"), handler=upstream)),
    )
    for _ in range(5):
        await rules(exchange(target="/a"))
    with pytest.raises(CircuitOpen):
        await rules(exchange(target="/a"))
    assert (await rules(exchange(target="/b"))).status == 200


async def test_over_real_connections() -> None:
    """The client reads 503, ``Retry-After`` and no word about the inside; the server is left alone meanwhile."""
    clock = FakeClock()
    async with FakeUpstream() as server:
        server.always(reset())
        upstream = Upstream(server.url)
        breaker = CircuitBreaker(Trip(least=5, seconds=7, ramp=0, trials=1, jitter=0), clock=clock)
        async with serving(Pipeline(breaker, handler=upstream)) as site:
            answers = [await site.ask(GET) for _ in range(10)]
            assert [each.status for each in answers] == [502] * 5 + [503] * 5
            assert answers[-1].getall(b"retry-after") == [b"7"]
            assert b"circuit" not in answers[-1].body
            assert len(server.requests) == 5
            server.always(respond(200))
            clock.advance(7)
            assert [(await site.ask(GET)).status for _ in range(5)] == [200] * 5


async def test_truncated_over_real_connections() -> None:
    """A server that breaks off all of its answers is not asked either."""
    async with FakeUpstream() as server:
        server.always(truncate(10, 100))
        breaker = CircuitBreaker(Trip(least=4, failures=0.9), clock=FakeClock())
        async with serving(Pipeline(breaker, handler=Upstream(server.url))) as site:
            for _ in range(4):
                async with site.connect() as client:
                    await client.send(GET)
                    await client.rest()
            assert (await site.ask(GET)).status == 503


def test_a_server_that_is_down_for_a_while() -> None:
    """Simulated: while it is down few requests reach it, and within the open time and the ramp after it is back all
    are answered."""

    def compose(site: Site) -> Handler:
        breaker = CircuitBreaker(Trip(window=2, seconds=1, most=4, ramp=2), clock=site.clock, rng=site.rng)
        return Pipeline(breaker, handler=site.upstream())

    server = Server(service=constant(0.01), workers=100, fails=failing(REFUSED, start=5, end=25))
    run = simulate(
        lambda clock, rng: P2C(rng=rng),
        [server],
        rate=100,
        seconds=45,
        compose=compose,
    )
    during = run.between(7, 25)
    assert during.attempts < 30
    assert run.between(33, 45).failures == 0
    assert run.between(0, 5).failures == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [({"trip": 5}, "trip: 5 is not a Trip object"), ({"is_failure": 500}, "is_failure: 500 is no function")],
)
def test_nonsense(options: dict[str, object], says: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(TypeError, match=says):
        CircuitBreaker(**options)  # type: ignore[arg-type]
