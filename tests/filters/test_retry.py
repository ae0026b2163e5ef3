"""What is asked again, when, how often, and with what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import Body, Exchange, Handler, Pipeline, Response, Rule, Rules, Upstream, block, when
from revproxy.balancers import P2C, First, RoundRobin
from revproxy.body import StreamBody
from revproxy.errors import (
    BadRequest,
    CircuitOpen,
    ClientDisconnected,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    InternalError,
    NoEndpoint,
    Overloaded,
    ProtocolError,
    ProxyError,
    QueueFull,
    QueueTimeout,
    ResponseTimeout,
)
from revproxy.events import Event
from revproxy.exchange import Attempt
from revproxy.filters import ConcurrencyLimit, Deadline, Retry, RetryBudgetSpent
from revproxy.handler import running, walk
from revproxy.limiters import BodyBudget, RetryBudget
from revproxy.routing import Failover, Mirror
from revproxy.testing import FakeClock, FakeTransport, exchange
from revproxy.testing.simulate import LOST, Server, Site, constant, failing, simulate

Said = int | ProxyError | Response


class Bench:
    """Two servers that say one thing after the other, a retry before them, and time that nobody waits for."""

    def __init__(self, *says: Said, sent: bool = True, endpoints: int = 2, **options: object) -> None:
        self.says = list(says)
        self.sent = sent
        self.slept: list[float] = []
        self.clock = Hurried(self.slept)
        self.transport = FakeTransport(self.say)
        self.upstream = Upstream(
            *(f"http://{number}.test" for number in range(endpoints)),
            balancer=First(),
            transport=self.transport,
            clock=self.clock,
        )
        self.retry = Retry(clock=self.clock, rng=Random(1), **options)  # type: ignore[arg-type]

    def say(self, attempt: Attempt) -> Response | ProxyError:
        attempt.sent = self.sent
        said = self.says.pop(0) if self.says else 200
        return Response(said) if isinstance(said, int) else said

    async def ask(self, asked: Exchange, *inner: Callable[..., object]) -> int | type[ProxyError]:
        """The status, or the error."""
        try:
            return (await Pipeline(self.retry, *inner, handler=self.upstream)(asked)).status  # type: ignore[arg-type]
        except ProxyError as error:
            return type(error)

    @property
    def in_flight(self) -> int:
        return sum(each.in_flight for each in self.upstream.endpoints)


class Hurried(FakeClock):
    """Who sleeps wakes at once, when it is so late."""

    def __init__(self, slept: list[float]) -> None:
        super().__init__()
        self._slept = slept

    async def sleep(self, seconds: float) -> None:
        self._slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


def kind(error: object) -> str:
    return type(error).__name__


# After what.


@pytest.mark.parametrize(
    "error",
    [ConnectFailed("x"), ConnectionLost("x"), ResponseTimeout("x"), QueueFull("x"), QueueTimeout("x")],
    ids=kind,
)
async def test_errors_that_may_pass(error: ProxyError) -> None:
    """F-86: what another attempt may mend is asked again, of another endpoint; all attempts are on record, each with
    what has become of it, and none is load any more but the last."""
    bench, asked = Bench(error), exchange()
    assert await bench.ask(asked) == 200
    assert [each.endpoint.host for each in asked.attempts] == ["0.test", "1.test"]
    assert [(each.number, each.error, each.status) for each in asked.attempts] == [(1, error, None), (2, None, 200)]
    assert bench.in_flight == 1
    assert (bench.retry.retried, bench.retry.refused) == (1, 0)
    asked.finish()
    assert bench.in_flight == 0


@pytest.mark.parametrize(
    "error",
    [
        NoEndpoint("x"),
        ProtocolError("x"),
        InternalError("x"),
        Overloaded("x"),
        CircuitOpen("x"),
        DeadlineExceeded("x"),
        BadRequest("x"),
        ClientDisconnected("x"),
    ],
    ids=kind,
)
async def test_errors_that_stand(error: ProxyError) -> None:
    """By default what says nothing of another attempt, and what a policy or the client did, is the client's to hear."""
    bench = Bench(error)
    assert await bench.ask(exchange()) is type(error)
    assert len(bench.transport.attempts) == 1


async def test_errors_by_kind() -> None:
    """``on`` names other errors, and those that come of them; no others count then."""
    bench = Bench(ProtocolError("x"), on=[ProtocolError])
    assert await bench.ask(exchange()) == 200
    bench.says = [ConnectFailed("x")]
    assert await bench.ask(exchange()) is ConnectFailed


async def test_the_last_error_stands() -> None:
    """After ``attempts`` it is the last one's error."""
    bench, asked = Bench(ConnectFailed("x"), ConnectionLost("x"), ResponseTimeout("x"), attempts=3), exchange()
    assert await bench.ask(asked) is ResponseTimeout
    assert [type(each.error) for each in asked.attempts] == [ConnectFailed, ConnectionLost, ResponseTimeout]


async def test_one_attempt() -> None:
    """With ``attempts=1`` nothing is tried again."""
    bench = Bench(ConnectFailed("x"), attempts=1)
    assert await bench.ask(exchange()) is ConnectFailed


# Which requests.


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST", "PATCH", "LOCK", "get"])
async def test_methods(method: str, sent: bool) -> None:
    """F-84, F-85: where something may have reached a server only idempotent methods are asked again, to the letter;
    where nothing was sent, any."""
    bench = Bench(ConnectionLost("x"), sent=sent)
    again = not sent or method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE")
    assert await bench.ask(exchange(method, body=b"x")) == (200 if again else ConnectionLost)


async def test_other_methods() -> None:
    """F-84: the user may say that others can be asked twice, too."""
    assert await Bench(ConnectionLost("x"), methods=["POST"]).ask(exchange("POST")) == 200
    assert await Bench(ConnectionLost("x"), methods=["POST"]).ask(exchange("GET")) is ConnectionLost


@pytest.mark.parametrize("switched_on", [False, True])
async def test_idempotency_keys(switched_on: bool) -> None:
    """F-84: a request with a key may be asked twice if the user says so; what counts is what the server was sent."""

    async def strip(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.headers.popall("Idempotency-Key", None)
        return await handler(exchange)

    def asked() -> Exchange:
        return exchange("POST", headers={"idempotency-key": "k"}, body=b"x")

    bench = Bench(ConnectionLost("x"), idempotency_key=switched_on)
    assert await bench.ask(asked()) == (200 if switched_on else ConnectionLost)
    bench.says = [ConnectionLost("x")]
    assert await bench.ask(asked(), strip) is ConnectionLost
    bench.says = [ConnectionLost("x")]
    assert await bench.ask(exchange("POST")) is ConnectionLost


async def test_the_method_that_was_sent() -> None:
    """F-84: a filter further in that makes a POST of it decides."""

    async def post(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.method = "POST"
        return await handler(exchange)

    assert await Bench(ConnectionLost("x")).ask(exchange(), post) is ConnectionLost


async def test_each_attempt_sees_the_draft_as_it_came() -> None:
    """What filters further in have made of one attempt is not there for the next; each attempt keeps what it sent."""

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.target += "/edited"
        exchange.request.headers.add("X-Edited", "1")
        return await handler(exchange)

    bench, asked = Bench(ConnectFailed("x"), ConnectionLost("x"), attempts=3), exchange(target="/came")
    draft = asked.request
    assert await bench.ask(asked, edit) == 200
    assert [each.request.target for each in asked.attempts] == ["/came/edited"] * 3
    assert [each.request.headers.getall("X-Edited") for each in asked.attempts] == [["1"]] * 3
    assert len({id(each.request) for each in asked.attempts}) == 3
    assert draft.target == "/came"


async def test_the_number_of_the_attempt() -> None:
    """It is told to the server only if that is switched on; a client's own opinion is not."""
    asked = exchange(headers={"X-Attempt": "7"})
    assert await Bench(ConnectFailed("x"), field="X-Attempt").ask(asked) == 200
    assert [each.request.headers.getall("X-Attempt") for each in asked.attempts] == [["1"], ["2"]]
    asked = exchange(headers={"X-Attempt": "7"})
    assert await Bench(ConnectFailed("x")).ask(asked) == 200
    assert [each.request.headers.getall("X-Attempt") for each in asked.attempts] == [["7"], ["7"]]


# Bodies.


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def streaming(*chunks: bytes, length: int | None = None, method: str = "PUT") -> Exchange:
    asked = exchange(method)
    asked.request.body = StreamBody(pieces(*chunks), length=length)
    return asked


class Reading(Bench):
    """Servers that read the body before they fail, as far as ``limit`` chunks."""

    def __init__(self, *says: Said, limit: int = 100, **options: object) -> None:
        super().__init__(*says, **options)  # type: ignore[arg-type]
        self.read: list[bytes] = []
        self.transport = FakeTransport(self.take)
        self.limit = limit
        self.upstream = Upstream("http://0.test", "http://1.test", transport=self.transport, clock=self.clock)

    async def take(self, attempt: Attempt) -> Response | ProxyError:
        left, taken = self.limit, b""
        if left:
            async for chunk in attempt.request.body:
                taken += chunk
                left -= 1
                if not left:
                    break
        self.read.append(taken)
        return self.say(attempt)


@pytest.mark.parametrize("limit", [0, 1, 2, 100])
@pytest.mark.parametrize("length", [None, 10])
async def test_a_small_stream_is_sent_again(limit: int, length: int | None) -> None:
    """F-87: it is kept as it is sent, and the next attempt sends all of it, however far the one before came."""
    bench = Reading(ConnectionLost("x"), ConnectionLost("x"), limit=limit, attempts=3)
    bench.says.append(200)
    asked = streaming(b"01234", b"56789", length=length)
    assert await bench.ask(asked) == 200
    want = b"0123456789"[: 5 * limit]
    assert bench.read == [want] * 3
    assert {each.request.body.length for each in asked.attempts} == {length}


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize(
    ("make", "fits"),
    [
        (lambda: Body(b"x" * 10), True),
        (lambda: Body(b"x" * 11), False),
        (lambda: StreamBody(pieces(b"x" * 5, b"x" * 5)), True),
        (lambda: StreamBody(pieces(b"x" * 5, b"x" * 6)), False),
        (lambda: StreamBody(pieces(b"x" * 5, b"x" * 6), length=11), False),
    ],
    ids=["memory", "memory, larger", "stream", "stream, larger", "stream, declared larger"],
)
async def test_the_declared_size(make: Callable[[], Body], fits: bool, sent: bool) -> None:
    """F-87: a larger body is sent once, whether or not it happened to be there at once. Where nothing was sent, and
    nobody has read it, size is no matter."""
    bench = Reading(ConnectionLost("x"), replay=10) if sent else Bench(ConnectFailed("x"), sent=False, replay=10)
    asked = exchange("PUT")
    asked.request.body = make()
    assert await bench.ask(asked) == (200 if fits or not sent else ConnectionLost)


async def test_a_large_stream_that_was_not_read_to_the_limit() -> None:
    """F-87: what was kept so far is enough to go on; it is found out later that it is larger, and that it is the last
    attempt then."""
    bench = Reading(ConnectionLost("x"), limit=1, replay=7, attempts=3)
    asked = streaming(b"01234", b"56789", b"abcde")
    bench.says.append(ConnectionLost("y"))
    bench.limit = 1
    original = bench.take

    async def take(attempt: Attempt) -> Response | ProxyError:
        said = await original(attempt)
        bench.limit = 100
        return said

    bench.upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(take), clock=bench.clock)
    assert await bench.ask(asked) is ConnectionLost
    assert bench.read == [b"01234", b"0123456789abcde"]


async def test_what_is_kept_has_a_budget() -> None:
    """S-52: bytes that are kept of bodies count with all others; without room the request is sent, once."""
    bodies = BodyBudget(20)
    bench = Reading(ConnectionLost("x"), bodies=bodies)
    assert await bench.ask(streaming(b"x" * 20)) == 200
    assert bodies.held == 0
    bench.says = [ConnectionLost("x")]
    assert await bench.ask(streaming(b"x" * 21)) is ConnectionLost
    assert bodies.held == 0


async def test_a_filter_that_reads_the_body() -> None:
    """A filter further in reads the body of each attempt, as if it were the first."""

    async def read(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.body = Body((await exchange.request.body.read(100)).upper())
        return await handler(exchange)

    asked = streaming(b"ab", b"cd")
    assert await Bench(ConnectionLost("x")).ask(asked, read) == 200
    assert [each.request.body.data for each in asked.attempts] == [b"ABCD"] * 2


async def test_a_client_that_leaves_in_the_middle_of_its_body() -> None:
    """It is asked nothing more: its error stands, and no endpoint is blamed."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ClientDisconnected("gone")

    bench, asked = Reading(attempts=3), exchange("PUT")
    asked.request.body = StreamBody(broken())
    assert await bench.ask(asked) is ClientDisconnected
    assert [each.error for each in asked.attempts] == [None]


# By status.


class Closable(StreamBody):
    def __init__(self) -> None:
        super().__init__(pieces(b"never read"))
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


async def test_statuses() -> None:
    """An answer with one of the statuses is passed over; any other stands, and so does every one by default."""
    assert await Bench(503, statuses=[502, 503, 504]).ask(exchange()) == 200
    assert await Bench(500, statuses=[502, 503, 504]).ask(exchange()) == 500
    assert await Bench(503).ask(exchange()) == 503
    assert await Bench(503, 502, statuses=[502, 503, 504]).ask(exchange()) == 502
    assert await Bench(503, statuses=[503]).ask(exchange("POST")) == 503


async def test_an_answer_passed_over_is_no_load() -> None:
    """Law 8: its body is closed, its endpoint is free and what was deferred further in is released before the next
    attempt, and before the wait for it; what was deferred further out stays until the end."""
    body = Closable()
    bench, told = Bench(Response(503, body=body), statuses=[503]), []

    async def inner(exchange: Exchange, handler: Handler) -> Response:
        if exchange.attempts:
            told.append(f"{bench.in_flight} in flight, closed: {body.is_closed}")
        exchange.defer(lambda: told.append("released"))
        return await handler(exchange)

    asked = exchange()
    asked.defer(lambda: told.append("the end"))
    assert await bench.ask(asked, inner) == 200
    assert told == ["released", "0 in flight, closed: True"]
    asked.finish()
    assert told[2:] == ["released", "the end"]
    assert bench.in_flight == 0


async def test_another_endpoint_whatever_the_status() -> None:
    """F-86: an endpoint whose answer was passed over is not asked again while there is another, even if the answer
    was no failure of its own."""
    bench, asked = Bench(429, 404, statuses=[429, 404], attempts=3, endpoints=3), exchange()
    assert await bench.ask(asked) == 200
    assert [each.endpoint.host for each in asked.attempts] == ["0.test", "1.test", "2.test"]


async def test_only_one_endpoint() -> None:
    """F-86: where there is no other it is the same one that is asked again."""
    bench, asked = Bench(ConnectionLost("x"), endpoints=1), exchange()
    assert await bench.ask(asked) == 200
    assert [each.endpoint.host for each in asked.attempts] == ["0.test", "0.test"]


def later(seconds: str, status: int = 503) -> Response:
    return Response(status, {"Retry-After": seconds})


@pytest.mark.parametrize(
    ("deadline", "said", "waits"),
    [
        (10, "5", 5),
        (10, "9", 9),
        (10, "10", None),
        (10, "3600", None),
        (None, "1", 1),
        (None, "2", None),
        (10, "0", 0),
        (10, "nonsense", 0),
        (10, "Tue, 14 Nov 2023 22:13:24 GMT", 4),
        (10, "Tue, 14 Nov 2023 22:14:24 GMT", None),
    ],
)
async def test_retry_after(deadline: float | None, said: str, waits: float | None) -> None:
    """F-86, S-56: how long a server wants to be left alone is waited for within the deadline, or, where there is
    none, for as long as ``patience`` says; where it is longer its answer stands, and nobody is asked."""
    bench, asked = Bench(later(said), statuses=[503]), exchange()
    asked.deadline = None if deadline is None else 1000.0 + deadline
    assert await bench.ask(asked) == (503 if waits is None else 200)
    assert len(asked.attempts) == (1 if waits is None else 2)
    if waits is not None:
        assert waits <= bench.slept[0] <= waits + 0.025


async def test_retry_after_of_an_error() -> None:
    """S-56: one that a filter further in has raised counts, too."""
    bench, asked = Bench(Overloaded("x", retry_after=3), on=[Overloaded]), exchange()
    assert await bench.ask(asked) is Overloaded
    asked = exchange()
    asked.deadline, bench.says = 1010.0, [Overloaded("x", retry_after=3)]
    assert await bench.ask(asked) == 200
    assert 3 <= bench.slept[0] <= 3.025


# When.


async def test_full_jitter() -> None:
    """Row 4: before the n-th further attempt passes a time drawn evenly from 0 to ``base * 2 ** (n - 1)``, at most
    ``cap``."""
    bench = Bench(attempts=7, base=0.1, cap=0.5, budget=RetryBudget(10))
    for _ in range(300):
        bench.says = [ConnectFailed("x")] * 6
        assert await bench.ask(exchange()) == 200
    for number, most in enumerate([0.1, 0.2, 0.4, 0.5, 0.5, 0.5]):
        drawn = sorted(bench.slept[number::6])
        assert drawn[0] >= 0
        assert drawn[-1] <= most
        for share in (0.25, 0.5, 0.75):
            assert drawn[int(share * len(drawn))] == pytest.approx(share * most, abs=0.15 * most)


async def test_nothing_beyond_the_deadline() -> None:
    """F-86: all attempts share one deadline: what would begin after it does not."""
    clock = FakeClock()

    async def slow(attempt: Attempt) -> ProxyError:
        attempt.sent = True
        assert attempt.deadline == 1005.0
        clock.advance(3)
        return ConnectionLost("x")

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(slow), clock=clock)
    asked = exchange()
    asked.deadline = 1005.0
    with pytest.raises(ConnectionLost):
        await Retry(5, base=0, clock=clock)(asked, upstream)
    assert len(asked.attempts) == 2
    assert asked.deadline == 1005.0


async def test_each_try_has_its_time() -> None:
    """``per_try`` bounds each attempt, within what is left of the deadline, which is as it was afterwards. One that a
    filter further in has set is for one attempt, too."""
    clock, deadlines = FakeClock(), list[float | None]()

    async def slow(attempt: Attempt) -> ProxyError:
        attempt.sent = True
        deadlines.append(attempt.deadline)
        clock.advance(2)
        return ResponseTimeout("x")

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(slow), clock=clock)
    asked = exchange()
    asked.deadline = 1005.0
    with pytest.raises(ResponseTimeout):
        await Retry(5, per_try=2, base=0, clock=clock)(asked, upstream)
    assert deadlines == [1002.0, 1004.0, 1005.0]
    assert asked.deadline == 1005.0
    deadlines.clear()
    asked = exchange()
    with pytest.raises(ResponseTimeout):
        await Pipeline(Retry(base=0, clock=clock), Deadline(2, clock=clock), handler=upstream)(asked)
    assert deadlines == [1008.0, 1010.0]
    assert asked.deadline is None


async def test_after_an_interim_answer() -> None:
    """F-84: once the client was sent a byte of an answer there is no other: a 103 that went on ends it."""
    told: list[int] = []

    def hint(attempt: Attempt) -> ProxyError:
        attempt.sent = True
        assert attempt.exchange.interim is not None
        attempt.exchange.interim(103, CIMultiDict())
        return ConnectionLost("x")

    def pass_on(status: int, headers: object) -> None:
        told.append(status)

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(hint))
    asked = exchange()
    asked.interim = pass_on
    with pytest.raises(ConnectionLost):
        await Retry()(asked, upstream)
    assert (told, len(asked.attempts)) == ([103], 1)
    assert asked.interim is pass_on


async def test_cancelled_while_it_waits() -> None:
    """A client that leaves between two attempts ends it at once: no other is made, nothing is held."""
    clock = FakeClock()
    transport = FakeTransport(lambda attempt: ConnectFailed("x"))
    upstream = Upstream("http://0.test", transport=transport, clock=clock)
    asked = exchange()
    task = asyncio.create_task(Retry(base=5, cap=5, clock=clock)(asked, upstream))
    await clock.advance_async(0)
    assert clock.waiting == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    asked.finish()
    assert (len(transport.attempts), clock.waiting, upstream.endpoints[0].in_flight) == (1, 0, 0)


# How many.


async def test_the_budget() -> None:
    """S-56: when the budget is spent errors and answers stand at once; that is told, once in a while."""
    events: list[Event] = []
    budget = RetryBudget(0.5, reserve=0.1, ttl=10)
    bench = Bench(budget=budget, statuses=[503], attempts=9, base=0)
    async with running(bench.retry, [events.append]):
        for number in range(40):
            bench.says = [503] * 9 if number % 2 else [ConnectFailed("x")] * 9
            assert await bench.ask(exchange()) == (503 if number % 2 else ConnectFailed)
            bench.clock.advance(0.3)
    assert len(bench.transport.attempts) <= 1.5 * 40 + 2
    assert bench.retry.retried == len(bench.transport.attempts) - 40
    assert 30 < bench.retry.refused <= 40
    assert [type(each) for each in events] == [RetryBudgetSpent] * 2
    said = str(events[0])
    assert said == "retry: the retry budget is spent; one that was not tried again: ConnectFailed('x')"


async def test_a_budget_of_several() -> None:
    """S-56: who shares the object shares the budget."""
    budget = RetryBudget(0, reserve=0.1, ttl=10)
    one, other = Bench(budget=budget), Bench(budget=budget)
    one.says, other.says = [ConnectFailed("x")] * 2, [ConnectFailed("x")]
    assert await one.ask(exchange()) is ConnectFailed
    assert await other.ask(exchange()) is ConnectFailed
    assert one.retry.budget is other.retry.budget is budget


async def test_a_retry_of_a_retry() -> None:
    """F-84: of two of them, one inside of the other, only the outer one asks again; side by side each does."""
    bench = Bench(*[ConnectFailed("x")] * 10, attempts=2)
    inner = Retry(4, base=0, clock=bench.clock)
    asked = exchange()
    assert await bench.ask(asked, inner) is ConnectFailed
    assert len(asked.attempts) == 2
    asked = exchange()
    both = Failover(Pipeline(inner, handler=bench.upstream), Pipeline(inner, handler=bench.upstream))
    with pytest.raises(ConnectFailed):
        await both(asked)
    assert len(asked.attempts) == 8
    assert inner.retried == 6


@pytest.mark.parametrize("attempts", [2, 5])
def test_amplification(attempts: int) -> None:
    """S-56, row 4: when every request to every server fails, attempts are no more than 1.2 times the requests and the
    reserve, however many each request might make."""
    retries: list[Retry] = []

    def compose(site: Site) -> Handler:
        retries.append(Retry(attempts, clock=site.clock, rng=site.rng))
        return Pipeline(retries[0], handler=site.upstream())

    servers = [Server(service=constant(0.01), fails=failing(LOST)) for _ in range(3)]
    seconds = 20
    run = simulate(lambda clock, rng: P2C(rng=rng), servers, rate=500, seconds=seconds, compose=compose)
    requests = len(run.outcomes)
    made = sum(len(each.attempts) for each in run.outcomes)
    assert run.failures == requests
    assert made <= 1.2 * requests + 10 * (seconds + 10)
    assert made >= 1.2 * requests, "what the budget allows is made use of"
    assert made == requests + retries[0].retried


def test_one_of_three_servers_fails() -> None:
    """A server that loses every request for a while: with two attempts no client sees it."""

    def compose(site: Site) -> Handler:
        retry = Retry(budget=RetryBudget(0.5), clock=site.clock, rng=site.rng)
        return Pipeline(retry, handler=site.upstream())

    servers = [Server(service=constant(0.01), workers=50) for _ in range(2)]
    servers.append(Server(service=constant(0.01), workers=50, fails=failing(LOST, start=5, end=15)))
    run = simulate(lambda clock, rng: RoundRobin(), servers, rate=300, seconds=20, compose=compose)
    assert run.failures == 0
    assert max(len(each.attempts) for each in run.outcomes) == 2


# Composition.


async def test_a_place_in_a_queue() -> None:
    """A limit further in has its slot back before the wait, and gives one to each attempt."""
    bench = Bench(ConnectFailed("x"), 503, statuses=[503], attempts=3)
    limit = ConcurrencyLimit(1, clock=bench.clock)
    asked = exchange()
    assert await bench.ask(asked, limit) == 200
    assert (limit.in_flight, len(asked.attempts)) == (1, 3)
    asked.finish()
    assert limit.in_flight == 0


def test_around_rules() -> None:
    """Law 12: it must not stand around what guards: it would ask that twice."""
    table = Rules(Rule(when.path("/admin/*"), block()), Rule(when.anything, Upstream("http://a")))
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(), handler=table)
    upstream = Upstream("http://a")
    assert upstream in set(walk(Pipeline(Retry(), handler=upstream)))


@settings(max_examples=60)
@given(
    says=st.lists(st.sampled_from(["refused", "lost", "late", 200, 404, 503, "limit"]), max_size=6),
    method=st.sampled_from(["GET", "PUT", "POST"]),
    chunks=st.lists(st.binary(min_size=1, max_size=6), max_size=4),
    attempts=st.integers(1, 4),
    replay=st.integers(0, 20),
    cancel=st.none() | st.integers(0, 30),
)
def test_whatever_happens(
    says: list[str | int], method: str, chunks: list[bytes], attempts: int, replay: int, cancel: int | None
) -> None:
    """F-84, F-87: whatever servers do, and whenever the client leaves: nothing that may not be is sent twice, a body
    arrives whole or not at all, and no load, no slot, no timer and no task is left."""
    errors: dict[object, tuple[ProxyError, bool]] = {
        "refused": (ConnectFailed("x"), False),
        "lost": (ConnectionLost("x"), True),
        "late": (ResponseTimeout("x"), True),
        "limit": (QueueFull("x"), False),
    }

    async def run() -> None:
        clock, left, bodies, bodies_sent = FakeClock(), list(says), BodyBudget(100), list[bytes]()

        async def serve(attempt: Attempt) -> Response | ProxyError:
            said = left.pop(0) if left else 200
            await asyncio.sleep(0)
            error = errors.get(said)
            attempt.sent = error is None or error[1]
            if attempt.sent:
                bodies_sent.append(b"".join([chunk async for chunk in attempt.request.body]))
            return error[0] if error is not None else Response(int(said))

        upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(serve), clock=clock)
        retry = Retry(attempts, statuses=[503], replay=replay, bodies=bodies, clock=clock, rng=Random(1))
        limit = ConcurrencyLimit(5, clock=clock)
        asked = streaming(*chunks, method=method)
        task = asyncio.create_task(Pipeline(retry, limit, handler=upstream)(asked))
        for turn in range(200):
            if turn == cancel:
                task.cancel()
            if task.done():
                break
            clock.advance(0.01)
            await asyncio.sleep(0)
        await asyncio.wait([task], timeout=5)
        asked.finish()
        await asyncio.sleep(0)
        sent = [each for each in asked.attempts if each.sent]
        assert len(asked.attempts) <= attempts
        assert len(sent) <= 1 or method != "POST"
        assert all(body == b"".join(chunks) for body in bodies_sent)
        assert (
            sum(each.in_flight for each in upstream.endpoints) == limit.in_flight == bodies.held == clock.waiting == 0
        )
        assert asyncio.all_tasks() == {asyncio.current_task()}
        if task.cancelled():
            assert cancel is not None
        else:
            task.exception()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("options", "says", "kind"),
    [
        ({"attempts": 0}, "attempts must be an integer of at least 1, got 0", ValueError),
        ({"attempts": True}, "attempts must be an integer of at least 1, got True", ValueError),
        ({"replay": -1}, "replay must be an integer of at least 0, got -1", ValueError),
        ({"on": [OSError]}, "on: <class 'OSError'> is no kind of ProxyError", TypeError),
        ({"statuses": [200]}, "statuses must be integers from 400 to 599, got 200", ValueError),
        ({"methods": "GET"}, "methods must be methods, one string each, got 'GET'", ValueError),
        ({"methods": ["G T"]}, "methods must be methods", ValueError),
        ({"bodies": 5}, "bodies: 5 is not a BodyBudget object", TypeError),
        ({"budget": 5}, "budget: 5 is not a RetryBudget object", TypeError),
        ({"per_try": 0}, "per_try must be above 0 and finite, or None, got 0", ValueError),
        ({"base": -1}, "base must be at least 0 and finite, got -1", ValueError),
        ({"cap": float("nan")}, "cap must be at least 0 and finite, got nan", ValueError),
        ({"patience": float("inf")}, "patience must be at least 0 and finite, got inf", ValueError),
        ({"field": "X A"}, "field: 'X A' is not a field name", ValueError),
    ],
)
def test_nonsense(options: dict[str, object], says: str, kind: type[Exception]) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(kind, match=says):
        Retry(**options)  # type: ignore[arg-type]


def test_printed() -> None:
    """It says how many it makes, and has made."""
    said = "<Retry api attempts=3 retried=0 <RetryBudget 0.2 + 10/s: 0 for 0 requests in the last 10 s>>"
    assert repr(Retry(3, name="api")) == said


async def test_a_handler_that_is_no_upstream() -> None:
    """F-84: nobody knows what it has done, unless it says by its error that nothing was sent."""
    asked: list[str] = []

    async def answers(exchange: Exchange) -> Response:
        asked.append(exchange.request.method)
        return Response(503)

    async def refuses(exchange: Exchange) -> Response:
        asked.append(exchange.request.method)
        raise ConnectFailed("x")

    for handler, method, times in ((answers, "GET", 2), (answers, "POST", 1), (refuses, "POST", 2)):
        asked.clear()
        try:
            await Retry(base=0, statuses=[503])(exchange(method), handler)
        except ConnectFailed:
            pass
        assert asked == [method] * times


async def test_a_try_that_waits_for_its_turn() -> None:
    """Where ``per_try`` is over before anything was sent, another try has the time that is left of all."""
    clock = FakeClock()
    limit = ConcurrencyLimit(1, target=5, interval=5, clock=clock)
    upstream = Upstream("http://a/", transport=FakeTransport(), clock=clock)
    before = exchange()
    await Pipeline(limit, handler=upstream)(before)
    task = asyncio.create_task(Pipeline(Retry(2, per_try=0.5, clock=clock), limit, handler=upstream)(exchange()))
    await clock.advance_async(0.6)
    before.finish()
    await clock.advance_async(5)
    assert (await task).status == 200


async def test_a_mirror_inside() -> None:
    """What is mirrored is mirrored once, however often it is asked."""
    clock = FakeClock()
    failures = [ConnectFailed("x")]
    upstream = Upstream(
        "http://a/", transport=FakeTransport(lambda _: failures.pop() if failures else Response(200)), clock=clock
    )
    shadows = FakeTransport()
    mirror = Mirror(Upstream("http://b/", transport=shadows, clock=clock), methods=["POST"], clock=clock)
    asked = exchange("POST", body=b"pay")
    task = asyncio.create_task(Pipeline(Retry(clock=clock), mirror, handler=upstream)(asked))
    await clock.advance_async(1)
    assert (await task).status == 200
    asked.finish()
    assert len(shadows.attempts) == 1


async def test_a_handler_of_ones_own_behind_a_server_that_is_down() -> None:
    """F-84: that the attempt before was never sent says nothing of what a handler that is no upstream has done."""
    asked: list[str] = []
    down = Upstream("http://a.test", transport=FakeTransport(ConnectFailed("x")))

    async def late(exchange: Exchange) -> Response:
        asked.append(exchange.request.method)
        raise ResponseTimeout("x")

    async def answers(exchange: Exchange) -> Response:
        asked.append(exchange.request.method)
        return Response(503)

    for method, times in (("GET", 2), ("POST", 1)):
        for own in (late, answers):
            asked.clear()
            try:
                await Retry(base=0, statuses=[503])(exchange(method), Failover(down, own))
            except ResponseTimeout:
                pass
            assert asked == [method] * times


async def test_a_deadline_inside_that_is_over_in_a_queue() -> None:
    """A ``Deadline`` further in is for one try, as ``per_try`` is: where it is over before anything was sent there is
    another. Where that of all tries is over there is none."""
    for inner, outer, status in ((0.5, None, 200), (0.5, 0.5, DeadlineExceeded)):
        clock = FakeClock()
        limit = ConcurrencyLimit(1, target=5, interval=5, clock=clock)
        upstream = Upstream("http://a/", transport=FakeTransport(), clock=clock)
        before, asked = exchange(), exchange()
        await Pipeline(limit, handler=upstream)(before)
        asked.deadline = None if outer is None else clock.now() + outer
        handler = Pipeline(Retry(2, clock=clock), Deadline(inner, clock=clock), limit, handler=upstream)
        task = asyncio.create_task(handler(asked))
        await clock.advance_async(0.6)
        before.finish()
        await clock.advance_async(5)
        await asyncio.wait([task])
        error = task.exception()
        assert (task.result().status if error is None else type(error)) == status


async def test_a_piece_that_comes_as_an_attempt_is_given_up() -> None:
    """F-87: the server answers 503 early, and in the same turn of the loop the client sends more than is kept: the next
    attempt has all of it, and is the last."""
    clock, come = FakeClock(), asyncio.Queue[bytes | None]()
    sent: list[bytes] = []

    async def source() -> AsyncIterator[bytes]:
        while (chunk := await come.get()) is not None:
            yield chunk

    async def serve(attempt: Attempt) -> Response:
        async def upload() -> bytes:
            return b"".join([chunk async for chunk in attempt.request.body])

        task = asyncio.create_task(upload())
        if attempt.number == 1:
            for _ in range(8):
                await asyncio.sleep(0)
            come.put_nowait(b"b" * 100)
            task.cancel()
            return Response(503)
        sent.append(await task)
        return Response(503)

    upstream = Upstream("http://0.test", "http://1.test", transport=FakeTransport(serve), clock=clock)
    asked = exchange("PUT", body=StreamBody(source()))
    come.put_nowait(b"a" * 10)
    retry = Retry(3, statuses=[503], replay=50, clock=clock, rng=Random(1))
    task = asyncio.create_task(Pipeline(retry, handler=upstream)(asked))
    await clock.advance_async(1)
    come.put_nowait(None)
    await clock.advance_async(1)
    assert (await task).status == 503
    assert sent == [b"a" * 10 + b"b" * 100]
    asked.finish()
