"""A second attempt beside one that takes long: of what, when, and how often."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest

from revproxy import Exchange, Handler, Pipeline, Response, Rule, Rules, Upstream, block, when
from revproxy.balancers import P2C, First
from revproxy.body import StreamBody
from revproxy.errors import ConnectFailed, ConnectionLost
from revproxy.exchange import Attempt
from revproxy.filters import Hedge, Retry
from revproxy.limiters import RetryBudget
from revproxy.testing import FakeClock, FakeTransport, exchange
from revproxy.testing.simulate import Server, Simulation, Site, simulate


class Bench:
    """Two servers that take as long as the test says, and a hedge before them."""

    def __init__(self, **options: object) -> None:
        self.clock = FakeClock()
        self.seconds: dict[str, float] = {"0.test": 0.0, "1.test": 0.0}
        self.status = 200
        self.transport = FakeTransport(self.serve)
        self.upstream = Upstream(
            "http://0.test", "http://1.test", balancer=First(), transport=self.transport, clock=self.clock
        )
        self.hedge = Hedge(clock=self.clock, **options)  # type: ignore[arg-type]

    async def serve(self, attempt: Attempt) -> Response:
        await self.clock.sleep(self.seconds[attempt.endpoint.host])
        return Response(self.status)

    async def ask(self, asked: Exchange | None = None, *inner: Callable[..., object]) -> tuple[float, Exchange]:
        """How long it took, in virtual time."""
        asked, started = asked or exchange(), self.clock.now()
        asked.started = started
        handler = Pipeline(self.hedge, *inner, handler=self.upstream)  # type: ignore[arg-type]
        task = asyncio.create_task(handler(asked))
        for _ in range(2000):
            await self.clock.advance_async(0)
            if task.done():
                break
            await self.clock.advance_async(0.01)
        await task
        took = self.clock.now() - started
        asked.finish()
        assert [each.in_flight for each in self.upstream.endpoints] == [0, 0]
        return took, asked

    async def learn(self, *seconds: float) -> None:
        for each in seconds:
            self.seconds["0.test"] = each
            await self.ask()


async def test_not_before_it_is_known() -> None:
    """Until enough good answers were seen there is no second attempt, or one after a declared time."""
    bench = Bench(least=5, budget=RetryBudget(1))
    await bench.learn(0.1, 0.1, 5, 0.1)
    assert (bench.hedge.delay, bench.hedge.hedged) == (None, 0)
    declared = Bench(least=5, after=1.0, budget=RetryBudget(1))
    declared.seconds["0.test"] = 5
    took, asked = await declared.ask()
    assert took == pytest.approx(1.0, abs=0.03)
    assert len(asked.attempts) == 2


async def test_after_the_quantile() -> None:
    """The second attempt is made when an answer takes longer than the quantile of the last ones, at another endpoint,
    and its answer is taken."""
    bench = Bench(quantile=0.9, least=10, budget=RetryBudget(1))
    await bench.learn(*[0.1] * 9, 0.5)
    assert bench.hedge.delay == pytest.approx(0.5, abs=0.02)
    bench.seconds["0.test"] = 0.4
    assert len((await bench.ask())[1].attempts) == 1
    bench.seconds["0.test"] = 8
    took, asked = await bench.ask()
    assert took == pytest.approx(bench.hedge.delay, abs=0.03)
    assert [(each.endpoint.host, each.status) for each in asked.attempts] == [("0.test", None), ("1.test", 200)]
    assert bench.hedge.hedged == 1


async def test_what_it_learns_from() -> None:
    """Good answers alone: failures that are fast say nothing of how long an answer takes."""
    bench = Bench(quantile=0.5, least=4, budget=RetryBudget(1))
    await bench.learn(*[0.2] * 4)
    assert bench.hedge.delay == pytest.approx(0.2, abs=0.02)
    bench.status = 503
    await bench.learn(*[0] * 30)
    assert bench.hedge.delay == pytest.approx(0.2, abs=0.02)


async def test_the_quantile_does_not_come_down_by_itself() -> None:
    """What a second attempt answers counts with the time that the client has waited, which is beyond the quantile: the
    share of second attempts does not grow by its own success."""
    bench = Bench(quantile=0.9, least=20, budget=RetryBudget(1))
    slow = [0.1] * 9 + [2.0]
    await bench.learn(*slow * 5)
    before = bench.hedge.delay
    await bench.learn(*slow * 20)
    assert before is not None
    assert bench.hedge.delay == pytest.approx(before, abs=0.05)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get"])
async def test_methods(method: str) -> None:
    """Only GET and HEAD are asked twice, unless the user says so."""
    bench = Bench(after=0.1, budget=RetryBudget(1))
    bench.seconds["0.test"] = 1
    assert len((await bench.ask(exchange(method)))[1].attempts) == 1
    assert len((await bench.ask(exchange("HEAD")))[1].attempts) == 2
    other = Bench(after=0.1, methods=[method], budget=RetryBudget(1))
    other.seconds["0.test"] = 1
    assert len((await other.ask(exchange(method)))[1].attempts) == 2


async def test_bodies_and_upgrades() -> None:
    """F-87: what cannot be sent twice is not, and nor is an upgrade."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    bench = Bench(after=0.1, budget=RetryBudget(1))
    bench.seconds["0.test"] = 1
    streaming = exchange()
    streaming.request.body = StreamBody(pieces())
    assert len((await bench.ask(streaming))[1].attempts) == 1
    assert len((await bench.ask(exchange(upgrade="websocket")))[1].attempts) == 1
    _, asked = await bench.ask(exchange(body=b"memory"))
    assert [each.request.body.data for each in asked.attempts] == [b"memory"] * 2


async def test_the_deadline() -> None:
    """What would begin after it does not."""
    bench = Bench(after=2.0, budget=RetryBudget(1))
    bench.seconds["0.test"] = 1.5
    asked = exchange()
    asked.deadline = bench.clock.now() + 1.9
    await bench.ask(asked)
    assert bench.hedge.hedged == 0


async def test_the_budget() -> None:
    """S-56: five second attempts for a hundred requests, however slow all are; what others take out is not there."""
    bench = Bench(after=0.0)
    bench.seconds = {"0.test": 0.05, "1.test": 0.05}
    for _ in range(100):
        await bench.ask()
    assert bench.hedge.hedged == 5
    assert len(bench.transport.attempts) == 105
    shared = RetryBudget(0, reserve=0.1, ttl=10)
    assert shared.withdraw(bench.clock.now())
    other = Bench(after=0.0, budget=shared)
    other.seconds["0.test"] = 0.05
    await other.ask()
    assert other.hedge.hedged == 0


async def test_a_retry_inside_of_it() -> None:
    """Each go has a retry of its own: what one does is nothing to the other."""
    bench = Bench(after=1.0, budget=RetryBudget(1))
    bench.seconds["0.test"] = 5.0
    failed: list[str] = []

    async def serve(attempt: Attempt) -> Response | ConnectionLost:
        attempt.sent = True
        if attempt.endpoint.host == "1.test" and not failed:
            failed.append("once")
            return ConnectionLost("x")
        return await bench.serve(attempt)

    bench.upstream = Upstream(
        *(f"http://{number}.test" for number in range(3)),
        balancer=First(),
        transport=FakeTransport(serve),
        clock=bench.clock,
    )
    bench.seconds["2.test"] = 0.0
    retry = Retry(clock=bench.clock, rng=Random(1))
    task = asyncio.create_task(Pipeline(bench.hedge, retry, handler=bench.upstream)(asked := exchange()))
    for _ in range(200):
        await bench.clock.advance_async(0.01)
    assert (await task).status == 200
    asked.finish()
    assert [each.endpoint.host for each in asked.attempts] == ["0.test", "1.test", "2.test"]
    assert retry.retried == 1
    assert [each.in_flight for each in bench.upstream.endpoints] == [0, 0, 0]


async def test_a_retry_outside_of_it() -> None:
    """Where both goes fail the retry sees the attempts of both, and asks again."""
    clock = FakeClock()
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(attempt: Attempt) -> Response | ConnectionLost:
        attempt.sent = True
        if attempt.number == 1:
            await first
        elif attempt.number == 2:
            first.set_result(None)
        return Response(200) if attempt.number == 3 else ConnectionLost("x")

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(serve), clock=clock)
    hedge = Hedge(after=1.0, budget=RetryBudget(1), clock=clock)
    asked = exchange()
    task = asyncio.create_task(Pipeline(Retry(clock=clock), hedge, handler=upstream)(asked))
    await clock.advance_async(2)
    assert (await task).status == 200
    assert [each.number for each in asked.attempts] == [2, 1, 3]
    asked.finish()
    assert [each.in_flight for each in upstream.endpoints] == [0, 0]


async def test_a_retry_on_both_sides() -> None:
    """F-84: never a retry of a retry, not in the second go either: two rounds of two goes are four attempts."""
    clock = FakeClock()

    async def serve(attempt: Attempt) -> ConnectionLost:
        attempt.sent = True
        await clock.sleep(1.5)
        return ConnectionLost("x")

    transport = FakeTransport(serve)
    upstream = Upstream("http://0.test", "http://1.test", "http://2.test", transport=transport, clock=clock)
    hedge = Hedge(after=1.0, budget=RetryBudget(10), clock=clock)
    outer, inner = (Retry(budget=RetryBudget(10), clock=clock) for _ in range(2))
    task = asyncio.create_task(Pipeline(outer, hedge, inner, handler=upstream)(exchange()))
    await clock.advance_async(60)
    with pytest.raises(ConnectionLost):
        await task
    assert len(transport.attempts) == 4
    assert (outer.retried, inner.retried) == (1, 0)


@pytest.mark.parametrize("is_outside", [True, False])
async def test_a_budget_that_is_shared(is_outside: bool) -> None:
    """S-56: a request pays once, whoever shares the budget: 1.2 attempts for each, and no more."""
    clock = FakeClock()

    def lose(attempt: Attempt) -> ConnectionLost:
        attempt.sent = True
        return ConnectionLost("x")

    transport = FakeTransport(lose)
    upstream = Upstream("http://0.test", "http://1.test", transport=transport, clock=clock)
    budget = RetryBudget(0.2, reserve=0.0)
    hedge = Hedge(after=1.0, budget=budget, clock=clock)
    retry = Retry(5, budget=budget, base=0, cap=0, clock=clock)
    handler = Pipeline(*((hedge, retry) if is_outside else (retry, hedge)), handler=upstream)
    for _ in range(1000):
        clock.advance(0.001)
        asked = exchange()
        with pytest.raises(ConnectionLost):
            await handler(asked)
        asked.finish()
    assert len(transport.attempts) == 1200


async def test_a_hedge_of_a_hedge() -> None:
    """One inside of another does nothing: no request is sent four times."""
    bench = Bench(after=0.1, budget=RetryBudget(1))
    bench.seconds = {"0.test": 5.0, "1.test": 5.0}
    _, asked = await bench.ask(None, Hedge(after=0.1, budget=RetryBudget(1), clock=bench.clock))
    assert len(asked.attempts) == 2


async def test_one_that_fails_at_once() -> None:
    """It is not asked twice: that is for a retry."""
    upstream = Upstream("http://a.test", transport=FakeTransport(ConnectFailed("x")))
    asked = exchange()
    with pytest.raises(ConnectFailed):
        await Hedge(after=1.0)(asked, upstream)
    assert len(asked.attempts) == 1


@pytest.mark.parametrize("filter", [Retry(base=0.0), Hedge(after=0.001, budget=RetryBudget(1))], ids=["retry", "hedge"])
async def test_what_is_over_is_freed(filter: Retry | Hedge) -> None:
    """An exchange that was asked twice is gone when it is over, not when the garbage collector comes by."""

    async def serve(attempt: Attempt) -> Response | ConnectionLost:
        attempt.sent = True
        if attempt.endpoint.host != "0.test":
            return Response(200)
        if isinstance(filter, Hedge):
            await asyncio.Event().wait()
        return ConnectionLost("x")

    class Forgetful:
        async def send(self, attempt: Attempt) -> Response:
            said = await serve(attempt)
            if isinstance(said, ConnectionLost):
                raise said
            attempt.status = said.status
            return said

    upstream = Upstream("http://0.test", "http://1.test", balancer=First(), transport=Forgetful())
    asked = exchange()
    gc.disable()
    try:
        assert (await filter(asked, upstream)).status == 200
        assert len(asked.attempts) == 2
        asked.finish()
        gone = weakref.ref(asked)
        del asked
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()


def test_the_tail() -> None:
    """Simulated: of servers that are slow once in fifty times, the slowest hundredth of answers comes much sooner, for
    at most 5 % more requests."""

    def service(rng: Random, now: float) -> float:
        return 1.0 if rng.random() < 0.02 else rng.uniform(0.01, 0.02)

    def run(compose: Callable[[Site], Handler]) -> Simulation:
        servers = [Server(service=service, workers=50) for _ in range(3)]
        return simulate(lambda clock, rng: P2C(rng=rng), servers, rate=200, seconds=100, compose=compose)

    plain = run(lambda site: site.upstream())
    hedged = run(lambda site: Pipeline(Hedge(clock=site.clock), handler=site.upstream()))
    made = sum(len(each.attempts) for each in hedged.outcomes)
    assert made <= 1.05 * len(hedged.outcomes)
    late = [sum(each.seconds > 0.5 for each in of.outcomes) / len(of.outcomes) for of in (plain, hedged)]
    assert late[0] > 0.015
    assert late[1] < 0.002


def test_around_rules() -> None:
    """Law 12: it must not stand around what guards: it would ask that twice."""
    table = Rules(Rule(when.path("/admin/*"), block()), Rule(when.anything, Upstream("http://a")))
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Hedge(), handler=table)


@pytest.mark.parametrize(
    ("options", "says", "kind"),
    [
        ({"quantile": 1}, "quantile must be above 0 and below 1, got 1", ValueError),
        ({"quantile": float("nan")}, "quantile must be above 0 and below 1, got nan", ValueError),
        ({"least": 0}, "least must be an integer from 1 to 1000, got 0", ValueError),
        ({"after": -1}, "after must be at least 0 and finite, or None, got -1", ValueError),
        ({"methods": "GET"}, "methods must be methods, one string each, got 'GET'", ValueError),
        ({"budget": 0.05}, "budget: 0.05 is not a RetryBudget object", TypeError),
    ],
)
def test_nonsense(options: dict[str, object], says: str, kind: type[Exception]) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(kind, match=says):
        Hedge(**options)  # type: ignore[arg-type]


def test_printed() -> None:
    """It says after how long, and how often."""
    budget = "<RetryBudget 0.05 + 0/s: 0 for 0 requests in the last 60 s>"
    assert repr(Hedge(name="api")) == f"<Hedge api after unknown hedged=0 {budget}>"
    assert repr(Hedge(after=0.25)) == f"<Hedge hedge after 0.25 s hedged=0 {budget}>"


@pytest.mark.parametrize("is_outside", [True, False], ids=["hedge, retry", "retry, hedge"])
async def test_what_is_over_is_freed_with_a_retry(is_outside: bool) -> None:
    """Nor is anything left of two goes one of which is a twin, when it is over: neither of the one nor of the other."""
    clock = FakeClock()
    seen: list[weakref.ref[Exchange]] = []

    async def spy(exchange: Exchange, handler: Handler) -> Response:
        seen.append(weakref.ref(exchange))
        return await handler(exchange)

    async def serve(attempt: Attempt) -> Response:
        attempt.sent = True
        if attempt.endpoint.host == "0.test":
            await asyncio.Event().wait()
        return Response(200)

    upstream = Upstream("http://0.test", "http://1.test", balancer=First(), transport=FakeTransport(serve), clock=clock)
    hedge, retry = Hedge(after=1.0, budget=RetryBudget(1), clock=clock), Retry(clock=clock)
    handler = Pipeline(*((hedge, retry) if is_outside else (retry, hedge)), spy, handler=upstream)
    gc.collect()
    gc.disable()
    try:
        asked = exchange()
        asked.interim = interim = lambda status, headers: None
        task = asyncio.create_task(handler(asked))
        await clock.advance_async(2)
        assert (await task).status == 200
        assert asked.interim is interim
        assert asked.attempts[-1].endpoint.host == "1.test"
        asked.finish()
        upstream._transport.attempts.clear()  # type: ignore[attr-defined]
        del asked, task
        await asyncio.sleep(0)
        assert [each() for each in seen] == [None, None]
    finally:
        gc.enable()


async def test_each_budget_is_paid_into_once() -> None:
    """S-56: where hedge and retry have each their own, one request pays once into either, in two goes and several
    attempts."""
    clock = FakeClock()

    async def serve(attempt: Attempt) -> ConnectionLost:
        attempt.sent = True
        await clock.sleep(1.5)
        return ConnectionLost("x")

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(serve), clock=clock)
    for is_outside in (True, False):
        ours, theirs = RetryBudget(1, reserve=5, ttl=1000), RetryBudget(1, reserve=5, ttl=1000)
        hedge, retry = Hedge(after=1.0, budget=ours, clock=clock), Retry(3, budget=theirs, clock=clock)
        handler = Pipeline(*((hedge, retry) if is_outside else (retry, hedge)), handler=upstream)
        task = asyncio.create_task(handler(asked := exchange()))
        await clock.advance_async(60)
        with pytest.raises(ConnectionLost):
            await task
        assert hedge.hedged
        assert retry.retried
        assert len(asked.attempts) == 1 + hedge.hedged + retry.retried
        assert ours.balance(clock.now()) == 5000 + 1 - hedge.hedged
        assert theirs.balance(clock.now()) == 5000 + 1 - retry.retried
        asked.finish()
