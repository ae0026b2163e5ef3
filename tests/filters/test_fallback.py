"""Another handler answers: when, with what, and what becomes of the answer that is passed over."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest
from multidict import CIMultiDict

from revproxy import Body, Exchange, Handler, Pipeline, Response, Rule, Rules, Upstream, block, respond, when
from revproxy.body import StreamBody
from revproxy.errors import (
    BadRequest,
    CircuitOpen,
    ConnectFailed,
    ConnectionLost,
    Drop,
    InternalError,
    NoEndpoint,
    NoRoute,
    Overloaded,
    ProxyError,
    ResponseTimeout,
    Truncated,
)
from revproxy.exchange import Attempt
from revproxy.filters import INSTEAD_OF, CircuitBreaker, Deadline, Fallback, Retry
from revproxy.handler import walk
from revproxy.health import CircuitState, Trip
from revproxy.routing import Failover
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, reset

from ..e2e.wire import GET, serving


def saying(answer: int | ProxyError, *, sent: bool = True) -> Upstream:
    def say(attempt: Attempt) -> Response | ProxyError:
        attempt.sent = sent
        return answer if isinstance(answer, ProxyError) else Response(answer, body=Body(b"said"))

    return Upstream("http://a.test", transport=FakeTransport(say))


def static(status: int = 200) -> Handler:
    return respond(status, "instead")


@pytest.mark.parametrize(
    "error",
    [
        NoEndpoint("x"),
        ConnectFailed("x"),
        ConnectionLost("x"),
        ResponseTimeout("x"),
        CircuitOpen("x"),
        Overloaded("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_left_without_an_answer(error: ProxyError) -> None:
    """Row 15: the fallback answers, whatever the method, and knows what for; attempts stay on record."""
    seen: list[object] = []

    async def fallback(exchange: Exchange) -> Response:
        seen.append(exchange[INSTEAD_OF])
        return Response(200)

    asked = exchange("POST", body=b"x")
    subject = Fallback(fallback)
    assert (await subject(asked, saying(error))).status == 200
    assert (seen, len(asked.attempts), subject.answered) == ([error], 1, 1)


@pytest.mark.parametrize(
    "error", [BadRequest("x"), Drop("x"), NoRoute("x"), InternalError("x"), Truncated("x"), OSError("x")]
)
async def test_what_stands(error: Exception) -> None:
    """What the client did, what a rule decided, and what is a bug of the program, are not papered over."""

    async def fail(exchange: Exchange) -> Response:
        raise error

    with pytest.raises(type(error)):
        await Fallback(static())(exchange(), fail)


@pytest.mark.parametrize("status", [200, 404, 500, 503])
async def test_answers_stand(status: int) -> None:
    """What a server says is its answer, by default."""
    subject = Fallback(static())
    asked = exchange()
    assert (await subject(asked, saying(status))).status == status
    assert INSTEAD_OF not in asked
    assert subject.answered == 0


class Closable(StreamBody):
    """A body that streams, and knows that it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


async def test_by_status() -> None:
    """The answer that is passed over is closed, and its load is released, before the fallback is asked."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    body = Closable(pieces())
    upstream = Upstream("http://a.test", transport=FakeTransport(lambda _: Response(503, body=body)))
    released: list[str] = []

    async def inner(exchange: Exchange, handler: Handler) -> Response:
        exchange.defer(lambda: released.append("inner"))
        return await handler(exchange)

    async def fallback(exchange: Exchange) -> Response:
        assert body.closed
        assert released == ["inner"]
        assert [each.in_flight for each in upstream.endpoints] == [0]
        assert exchange[INSTEAD_OF] == 503
        return Response(200)

    asked = exchange()
    asked.defer(lambda: released.append("outer"))
    handler = Pipeline(Fallback(fallback, statuses=[502, 503]), inner, handler=upstream)
    assert (await handler(asked)).status == 200
    assert released == ["inner"]
    asked.finish()
    assert released == ["inner", "outer"]


async def test_what_is_deferred_before_an_error() -> None:
    """It is released, too: whoever has failed holds nothing while another one answers."""
    released: list[str] = []

    async def fail(exchange: Exchange) -> Response:
        exchange.defer(lambda: released.append("x"))
        raise ConnectFailed("x")

    async def fallback(exchange: Exchange) -> Response:
        assert released == ["x"]
        return Response(200)

    await Fallback(fallback)(exchange(), fail)


async def test_the_draft_is_as_it_came() -> None:
    """What filters inside have made of it is not there for the fallback, nor what that makes of it for others."""

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.target = "/edited"
        exchange.request.headers["X-Edited"] = "1"
        return await handler(exchange)

    async def fallback(exchange: Exchange) -> Response:
        assert exchange.request.target == "/came"
        assert "X-Edited" not in exchange.request.headers
        return Response(200)

    handler = Pipeline(Fallback(fallback), edit, handler=saying(ConnectFailed("x")))
    assert (await handler(exchange(target="/came"))).status == 200


@pytest.mark.parametrize(
    ("method", "answer", "sent", "again"),
    [
        ("GET", ConnectionLost("x"), True, True),
        ("PUT", ConnectionLost("x"), True, True),
        ("POST", ConnectionLost("x"), True, False),
        ("POST", NoEndpoint("x"), False, True),
        ("GET", 503, True, True),
        ("POST", 503, True, False),
    ],
)
async def test_another_upstream(method: str, answer: int | ProxyError, sent: bool, again: bool) -> None:
    """F-84: what may have reached a server is sent to another one only if its method allows it, else the error or the
    answer stands; one wrapped in filters is one, too."""
    subject = Fallback(Pipeline(CircuitBreaker(), handler=saying(201)), statuses=[503])
    asked = exchange(method, body=b"x")
    told: object
    try:
        told = (await subject(asked, saying(answer, sent=sent))).status
    except ProxyError as error:
        told = error
    assert told == (201 if again else answer)
    asked.finish()
    assert subject.answered == again


async def test_a_body_that_is_gone() -> None:
    """A request whose body was sent is not sent to another upstream without it; a static answer needs none."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    async def read(exchange: Exchange) -> Response:
        await exchange.request.body.read(10)
        raise ConnectionLost("x")

    def asked() -> Exchange:
        made = exchange("PUT")
        made.request.body = StreamBody(pieces())
        return made

    assert (await Fallback(static())(asked(), read)).status == 200
    with pytest.raises(ConnectionLost):
        await Fallback(saying(200))(asked(), read)


async def test_it_fails_itself() -> None:
    """Its error is the one that the client hears of."""
    with pytest.raises(NoEndpoint):
        await Fallback(saying(NoEndpoint("y")))(exchange(), saying(ConnectFailed("x")))


async def test_cancelled() -> None:
    """A client that leaves gets no other answer."""

    async def hang(exchange: Exchange) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    subject = Fallback(static())
    task = asyncio.create_task(subject(exchange(), hang))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert subject.answered == 0


@pytest.mark.parametrize(
    ("fallback", "refused"),
    [
        (Fallback(static()), False),
        (Fallback(static(), statuses=[500, 503]), False),
        (Fallback(static(), statuses=[403]), True),
        (Fallback(saying(200), statuses=[503]), True),
        (Fallback(static(), on=[NoRoute]), True),
        (Fallback(static(), on=[ProxyError]), True),
        (Fallback(static(), on=[Drop]), True),
        (Fallback(static(), on=[ConnectFailed]), False),
    ],
)
def test_around_rules(fallback: Fallback, refused: bool) -> None:
    """It must not answer what rules refuse: around a table of them it may stand only for what is no refusal."""
    rules = Rules(Rule(when.path("/admin/*"), block(403)))
    if refused:
        with pytest.raises(ValueError, match="must not stand around"):
            Pipeline(fallback, handler=rules)
    else:
        Pipeline(fallback, handler=rules)


def test_parts() -> None:
    """The fallback is started and stopped with what it belongs to."""
    spare = saying(200)
    assert spare in list(walk(Pipeline(Fallback(spare), handler=saying(200))))


def test_printed() -> None:
    """It says what it answers by and when."""
    assert repr(Fallback(static())) == "Fallback(respond(200, <7 bytes>))"
    said = repr(Fallback(static(), on=[ConnectFailed], statuses=[503, 502]))
    assert said == "Fallback(respond(200, <7 bytes>), on=[ConnectFailed], statuses=[502, 503])"


async def test_over_real_connections() -> None:
    """With a breaker: what fails at first, and what is refused then, gets the other answer; nobody hears of it."""
    async with FakeUpstream() as server:
        server.always(reset())
        breaker = CircuitBreaker(Trip(least=5))
        handler = Pipeline(Fallback(respond(200, "stale")), breaker, handler=Upstream(server.url))
        async with serving(handler) as site:
            answers = [await site.ask(GET) for _ in range(10)]
        assert {(each.status, each.body) for each in answers} == {(200, b"stale")}
        assert len(server.requests) == 5
        assert breaker.refused == 5


@pytest.mark.parametrize(
    ("options", "says", "kind"),
    [
        ({"handler": 5}, "handler: 5 is no handler", TypeError),
        ({"statuses": [200]}, "statuses must be integers from 400 to 599, got 200", ValueError),
        ({"statuses": [True]}, "statuses must be integers from 400 to 599, got True", ValueError),
        ({"statuses": 503}, "statuses must be integers from 400 to 599, in a list or the like, got 503", TypeError),
        ({"on": ConnectFailed}, "on must be kinds of ProxyError, in a list or the like", TypeError),
        ({"on": [OSError]}, "on: <class 'OSError'> is no kind of ProxyError", TypeError),
    ],
)
def test_nonsense(options: dict[str, object], says: str, kind: type[Exception]) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(kind, match=says):
        Fallback(**{"handler": static(), **options})  # type: ignore[arg-type]


async def test_a_function_that_sends() -> None:
    """F-84: what may have been acted upon is not sent again, however the handler comes to an upstream: it hears of the
    error itself. A function that sends nothing answers."""
    second = saying(201)

    async def by_hand(exchange: Exchange) -> Response:
        return await second(exchange)

    async def at_once(exchange: Exchange) -> Response:
        return Response(202)

    for method, answer, told in (
        ("POST", ConnectionLost("x"), 502),
        ("GET", ConnectionLost("x"), 201),
        ("POST", 503, 503),
    ):
        try:
            status = (await Fallback(by_hand, statuses=[503])(exchange(method), saying(answer, sent=True))).status
        except ProxyError as error:
            status = error.status or 0
        assert status == told
        assert (await Fallback(at_once, statuses=[503])(exchange(method), saying(answer, sent=True))).status == 202


async def test_a_handler_that_is_no_upstream() -> None:
    """Nobody knows what it has done: unless its error says that nothing was sent, a POST is not sent elsewhere."""

    def raising(error: ProxyError) -> Handler:
        async def handler(exchange: Exchange) -> Response:
            raise error

        return handler

    with pytest.raises(ResponseTimeout):
        await Fallback(saying(201))(exchange("POST"), raising(ResponseTimeout("x")))
    assert (await Fallback(saying(201))(exchange("POST"), raising(ConnectFailed("x")))).status == 201


async def test_a_deadline_inside() -> None:
    """It is over for what is inside: the fallback has the time that there is outside."""
    clock = FakeClock()

    async def hangs(exchange: Exchange) -> Response:
        clock.advance(5)
        raise ResponseTimeout("x")

    spare = Upstream("http://b/", transport=FakeTransport(), clock=clock)
    asked = exchange()
    assert (await Pipeline(Fallback(spare), Deadline(2.0, clock=clock), handler=hangs)(asked)).status == 200


async def test_after_a_hint() -> None:
    """A 103 that went to the client is the beginning of an answer, which cannot be replaced."""

    async def hints(exchange: Exchange) -> Response:
        assert exchange.interim is not None
        exchange.interim(103, CIMultiDict())
        raise ConnectionLost("x")

    asked = exchange()
    asked.interim = lambda status, headers: None
    with pytest.raises(ConnectionLost):
        await Fallback(static())(asked, hints)


async def test_inside_of_a_circuit_breaker() -> None:
    """An answer that is the fallback's is no failure of the attempt before, which is not its own."""
    breaker = CircuitBreaker(Trip(least=5))
    handler = Pipeline(breaker, Fallback(static()), handler=saying(ConnectionLost("x"), sent=True))
    for _ in range(30):
        asked = exchange()
        assert (await handler(asked)).status == 200
        asked.finish()
    assert breaker.state is CircuitState.CLOSED


async def test_spent_for_the_fallback_alone() -> None:
    """F-84: that a request must not be sent again is so for a fallback, which cannot know better: who says further out
    that this method may be has it sent again."""
    says: list[ProxyError | None] = [ConnectionLost("x")]
    first = Upstream("http://a.test", "http://b.test", transport=FakeTransport(lambda attempt: lost(attempt, says)))
    second = saying(201)

    async def by_hand(exchange: Exchange) -> Response:
        return await second(exchange)

    asked = exchange("POST", body=b"x")
    handler = Pipeline(Retry(methods=["POST"], base=0), Fallback(by_hand), handler=first)
    assert (await handler(asked)).status == 200
    assert [each.endpoint.url.host for each in asked.attempts] in (["a.test", "b.test"], ["b.test", "a.test"])
    assert asked.spent is None


def lost(attempt: Attempt, says: list[ProxyError | None]) -> Response | ProxyError:
    attempt.sent = True
    return (says.pop() if says else None) or Response(200)


async def test_an_answer_of_ones_own_and_a_function_that_sends() -> None:
    """F-84: a handler that is no upstream has answered a POST, and a function sends it: it is told that this must not
    be, in a way that does not have somebody further out take it for unsent."""
    second, third = saying(201), saying(202)

    async def own(exchange: Exchange) -> Response:
        return Response(503)

    async def by_hand(exchange: Exchange) -> Response:
        return await second(exchange)

    handler = Failover(Pipeline(Fallback(by_hand, statuses=[503]), handler=own), third)
    asked = exchange("POST", body=b"x")
    with pytest.raises(NoEndpoint, match="answered with 503 already"):
        await handler(asked)
    assert asked.attempts == []
    assert (await handler(exchange("PUT", body=b"x"))).status == 201


@pytest.mark.parametrize("fails", [True, False])
async def test_what_is_as_it_was(fails: bool) -> None:
    """Whoever is further out has the interim answers again that it had, and each attempt has a draft of its own."""

    def pass_on(status: int, headers: object) -> None:
        raise AssertionError

    asked = exchange()
    asked.interim = pass_on
    draft = asked.request
    await Fallback(saying(200))(asked, saying(ConnectFailed("x") if fails else 200))
    assert asked.interim is pass_on
    assert asked.attempts[0].passed_over is fails
    assert len({id(each.request) for each in asked.attempts} | {id(asked.request)}) == 1 + fails
    assert asked.attempts[0].request is draft


async def test_what_is_over_is_freed() -> None:
    """An exchange that a fallback has answered is gone when it is over, not when the garbage collector comes by."""

    async def fails(exchange: Exchange) -> Response:
        raise ConnectionLost("x")

    asked = exchange()
    gc.collect()
    gc.disable()
    try:
        await Fallback(static())(asked, fails)
        asked.finish()
        gone = weakref.ref(asked)
        del asked
        assert gone() is None
    finally:
        gc.enable()


async def test_when_to_come_again() -> None:
    """What the error says of it is in the answer, if that is a failure without a word of its own."""
    error = CircuitOpen("x", retry_after=6)
    for handler, after in (
        (respond(503, "later"), "6"),
        (respond(503, "later", headers={"Retry-After": "60"}), "60"),
        (respond(200, "stale"), None),
    ):
        response = await Fallback(handler)(exchange(), saying(error))
        assert response.headers.get("Retry-After") == after
