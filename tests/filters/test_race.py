"""Two goes at the same: which one is taken, and what is left of the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import Body, Exchange, Key, Response, Upstream
from revproxy.balancers import First
from revproxy.body import StreamBody
from revproxy.errors import ConnectFailed, ConnectionLost, ProxyError
from revproxy.exchange import Attempt, Hooks
from revproxy.filters.race import Race
from revproxy.testing import FakeClock, FakeTransport, exchange

WHERE: Key[str] = Key("where")


class Closable(StreamBody):
    def __init__(self, name: str) -> None:
        super().__init__(self._pieces())
        self.name = name
        self.is_closed = False

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"never read"

    def close(self) -> None:
        self.is_closed = True


class Course:
    """Two servers that answer when the test says so, and a race between them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.answers: dict[str, asyncio.Future[int | ProxyError]] = {}
        self.served = 0
        self.bodies: list[Closable] = []
        self.cancelled: list[str] = []
        self.released: list[str] = []
        self.upstream = Upstream(
            "http://0.test", "http://1.test", balancer=First(), transport=FakeTransport(self.serve), clock=self.clock
        )
        self.settled: list[Attempt] = []
        self.exchange = exchange()
        self.exchange.hooks = Hooks(settled=(self.settled.append,))
        self.allowed = True
        self.task: asyncio.Task[Response] | None = None

    async def serve(self, attempt: Attempt) -> Response | ProxyError:
        host = attempt.endpoint.host
        self.served += 1
        attempt.sent = True
        answer = self.answers[host] = asyncio.get_running_loop().create_future()
        try:
            said = await answer
        except asyncio.CancelledError:
            self.cancelled.append(host)
            raise
        if isinstance(said, ProxyError):
            return said
        self.bodies.append(Closable(host))
        return Response(said, body=self.bodies[-1])

    async def handler(self, exchange: Exchange) -> Response:
        number = len(exchange.attempts) + 1
        exchange.defer(lambda: self.released.append(str(number)))
        exchange[WHERE] = f"go {number}"
        exchange.request.target = f"/{number}"
        return await self.upstream(exchange)

    async def start(self) -> asyncio.Task[Response]:
        """Begin; the second go begins after 1 s."""
        race = Race(self.exchange, self.handler, is_good=lambda response: response.status < 500, clock=self.clock)
        self.task = asyncio.create_task(race.run(1.0, lambda: self.allowed))
        await self.turns()
        return self.task

    async def say(self, host: str, said: int | ProxyError) -> None:
        self.answers[f"{host}.test"].set_result(said)
        await self.turns()

    async def turns(self) -> None:
        await self.clock.advance_async(0)

    @property
    def in_flight(self) -> list[int]:
        return [each.in_flight for each in self.upstream.endpoints]

    def over(self, *, attempts: int = 2) -> None:
        """Nothing is left, and everybody knows of all attempts."""
        self.exchange.finish()
        assert self.in_flight == [0, 0]
        assert self.clock.waiting == 0
        assert len(self.exchange.attempts) == len(self.settled) == attempts
        assert all(each.exchange is self.exchange and each.ended is not None for each in self.exchange.attempts)
        assert sorted(self.released) == [str(number + 1) for number in range(attempts)]


async def test_the_first_in_time() -> None:
    """Where the answer is there before the delay is over nobody is asked twice."""
    course = Course()
    task = await course.start()
    await course.say("0", 200)
    assert (await task).status == 200
    assert course.in_flight == [1, 0]
    course.over(attempts=1)


async def test_the_second_wins() -> None:
    """The first go is cancelled, its endpoint free and what it deferred released; what the second found out stands."""
    course = Course()
    task = await course.start()
    course.clock.advance(1)
    await course.turns()
    assert course.in_flight == [1, 1]
    await course.say("1", 200)
    assert (await task).status == 200
    assert (course.cancelled, course.released, course.in_flight) == (["0.test"], ["1"], [0, 1])
    assert (course.exchange[WHERE], course.exchange.request.target) == ("go 2", "/2")
    assert [(each.endpoint.host, each.status) for each in course.exchange.attempts] == [
        ("0.test", None),
        ("1.test", 200),
    ]
    assert not course.bodies[0].is_closed
    course.over()


async def test_a_hint_and_an_answer_at_once() -> None:
    """F-84: the second answers, and in the same turn of the loop the first has a 103 for the client: then the first has
    begun, and the answer is its own."""
    course = Course()
    told: list[int] = []
    course.exchange.interim = lambda status, headers: told.append(status)
    task = await course.start()
    course.clock.advance(1)
    await course.turns()
    course.answers["1.test"].set_result(200)
    while not course.bodies:  # noqa: ASYNC110  the same turn of the loop is what it is about
        await asyncio.sleep(0)
    assert course.exchange.interim is not None
    course.exchange.interim(103, CIMultiDict())
    await course.turns()
    assert not task.done()
    await course.say("0", 200)
    assert (await task).status == 200
    assert [body.name for body in course.bodies if not body.is_closed] == ["0.test"]
    assert told == [103]


async def test_the_first_wins_after_all() -> None:
    """The second go is cancelled; the attempt whose answer stands is the last on record."""
    course = Course()
    task = await course.start()
    course.clock.advance(1)
    await course.turns()
    await course.say("0", 404)
    assert (await task).status == 404
    assert (course.cancelled, course.released, course.in_flight) == (["1.test"], ["2"], [1, 0])
    assert (course.exchange[WHERE], course.exchange.request.target) == ("go 1", "/1")
    assert [(each.number, each.status) for each in course.exchange.attempts] == [(2, None), (1, 404)]
    course.over()


@pytest.mark.parametrize("bad", [503, ConnectionLost("x")], ids=str)
@pytest.mark.parametrize(("which", "other"), [("0", "1"), ("1", "0")])
async def test_a_bad_answer_does_not_win(which: str, other: str, bad: int | ProxyError) -> None:
    """The other one is waited for; the answer that is not taken is closed."""
    course = Course()
    task = await course.start()
    course.clock.advance(1)
    await course.turns()
    await course.say(which, bad)
    assert not task.done()
    await course.say(other, 200)
    assert (await task).status == 200
    assert [body.is_closed for body in course.bodies] == ([True, False] if bad == 503 else [False])
    course.over()


async def test_neither_is_good() -> None:
    """What has become of the first go stands, be it an error or an answer."""
    for said, other in ((ConnectFailed("first"), 503), (502, ConnectFailed("second"))):
        course = Course()
        task = await course.start()
        course.clock.advance(1)
        await course.turns()
        await course.say("1", other)
        await course.say("0", said)
        if isinstance(said, ProxyError):
            with pytest.raises(ConnectFailed, match="first"):
                await task
        else:
            assert (await task).status == said
        assert course.exchange.attempts[-1].endpoint.host == "0.test"
        course.over()


async def test_a_failure_before_the_delay() -> None:
    """It stands, at once."""
    course = Course()
    task = await course.start()
    await course.say("0", ConnectFailed("x"))
    with pytest.raises(ConnectFailed):
        await task
    course.clock.advance(5)
    course.over(attempts=1)


async def test_not_allowed() -> None:
    """Where there may be no second go the first is waited for."""
    course = Course()
    course.allowed = False
    task = await course.start()
    course.clock.advance(5)
    await course.say("0", 200)
    assert (await task).status == 200
    course.over(attempts=1)


@pytest.mark.parametrize("hedged", [False, True])
async def test_an_interim_answer(hedged: bool) -> None:
    """F-84: once the client has an interim answer of the first go, the final one has to be its, too."""
    course, told = Course(), []
    course.exchange.interim = lambda status, headers: told.append(status)
    task = await course.start()
    if hedged:
        course.clock.advance(1)
        await course.turns()
    assert course.exchange.interim is not None
    course.exchange.interim(103, CIMultiDict())
    course.clock.advance(5)
    await course.turns()
    assert course.cancelled == (["1.test"] if hedged else [])
    await course.say("0", 200)
    assert (await task).status == 200
    assert told == [103]
    course.over(attempts=1 + hedged)


async def test_what_the_second_knows() -> None:
    """It begins where the first did, with a draft and values that filters further in have not touched, and the same
    deadline; but it knows who is asked already."""
    seen: list[tuple[object, ...]] = []
    clock = FakeClock()
    asked = exchange(body=b"x")
    asked.deadline = 1009.0
    first = asyncio.get_running_loop().create_future()

    async def handler(exchange: Exchange) -> Response:
        request = exchange.request
        where = exchange.get(WHERE)
        seen.append((request.target, request.body.data, where, exchange.deadline, exchange.id))
        exchange[WHERE], request.target, exchange.deadline = "touched", "/touched", 1001.5
        if len(seen) == 1:
            await first
        return Response(200)

    race = Race(asked, handler, is_good=lambda response: True, clock=clock)
    task = asyncio.create_task(race.run(1.0, lambda: True))
    await clock.advance_async(1)
    assert (await task).status == 200
    assert seen == [("/", b"x", None, 1009.0, asked.id)] * 2


class Stubborn:
    """Takes its time when it is cancelled."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.ended = False

    async def __call__(self, exchange: Exchange) -> Response:
        if exchange.attempts == []:
            exchange.attempts.append(Attempt(Upstream("http://a").endpoints[0], exchange, exchange.request, 1, 0.0))
            try:
                await asyncio.Event().wait()
            finally:
                await self.may_end.wait()
                self.ended = True
        return Response(200, body=Body(b"second"))


async def test_cancelled_while_the_loser_ends() -> None:
    """A client that leaves just then does not make it forget the loser: it is over when the race is."""
    clock, stubborn = FakeClock(), Stubborn()
    race = Race(exchange(), stubborn, is_good=lambda response: True, clock=clock)
    task = asyncio.create_task(race.run(1.0, lambda: True))
    await clock.advance_async(1)
    assert not task.done()
    task.cancel()
    await clock.advance_async(0)
    assert not task.done()
    stubborn.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stubborn.ended
    assert asyncio.all_tasks() == {asyncio.current_task()}


_STEPS = st.lists(
    st.sampled_from(["time", "turn", "cancel", "0 good", "1 good", "0 bad", "1 bad", "0 fails", "1 fails", "0 hints"]),
    max_size=12,
)


@settings(max_examples=300)
@given(_STEPS)
def test_any_interleaving(steps: list[str]) -> None:
    """Whatever happens in whichever order, in one turn of the loop or in several, cancellation included: there is one
    answer at most that is not closed, each attempt is settled once, and no load, release, timer or task is left."""

    async def run() -> None:
        course = Course()
        course.exchange.interim = lambda status, headers: None
        task = await course.start()
        for step in (*steps, "time", "turn"):
            host, _, says = step.partition(" ")
            answer = course.answers.get(f"{host}.test")
            if step == "time":
                course.clock.advance(1)
            elif step == "turn":
                await asyncio.sleep(0)
            elif step == "cancel":
                task.cancel()
            elif says == "hints":
                if not task.done() and course.exchange.interim is not None:
                    course.exchange.interim(103, CIMultiDict())
            elif answer is not None and not answer.done():
                answer.set_result({"good": 200, "bad": 503}.get(says) or ConnectionLost("x"))
        await course.turns()
        for answer in course.answers.values():
            if not answer.done():
                answer.set_result(200)
        await asyncio.wait([task], timeout=5)
        assert task.done()
        closed = [body.is_closed for body in course.bodies]
        if not task.cancelled() and task.exception() is None:
            assert closed.count(False) == 1
            won = next(body.name for body in course.bodies if not body.is_closed)
            assert course.exchange.attempts[-1].endpoint.host == won
        attempts = len(course.exchange.attempts)
        assert attempts == course.served
        course.over(attempts=attempts)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


async def test_a_hint_of_the_one_that_has_lost() -> None:
    """F-84: the second has won, and the first, which takes its time to end, still has a 103: the client does not get
    it, for the answer is the other's."""
    clock, told = FakeClock(), list[int]()

    async def handler(exchange: Exchange) -> Response:
        if exchange is asked:
            try:
                await asyncio.Event().wait()
            finally:
                assert exchange.interim is not None
                exchange.interim(103, CIMultiDict())
        return Response(200)

    asked = exchange()

    def pass_on(status: int, headers: object) -> None:
        told.append(status)

    asked.interim = pass_on
    race = Race(asked, handler, is_good=lambda response: True, clock=clock)
    task = asyncio.create_task(race.run(1.0, lambda: True))
    await clock.advance_async(1)
    assert (await task).status == 200
    assert told == []
    assert asked.interim is pass_on
