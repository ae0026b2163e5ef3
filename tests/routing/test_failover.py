"""A handler that asks one handler after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from multidict import CIMultiDict

from revproxy import (
    Body,
    Exchange,
    Handler,
    Pipeline,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    block,
    respond,
    when,
)
from revproxy.body import EMPTY, StreamBody
from revproxy.errors import BadRequest, ConnectFailed, ConnectionLost, NoEndpoint, NoRoute, ProxyError, ResponseTimeout
from revproxy.filters import Deadline
from revproxy.handler import walk
from revproxy.routing import Failover
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, head, raw, stall

from ..e2e.wire import GET, serving


def answering(status: int) -> Handler:
    async def answer(exchange: Exchange) -> Response:
        return Response(status)

    return answer


def failing(error: ProxyError, *, sent: bool = False) -> Upstream:
    def fail(attempt: object) -> ProxyError:
        attempt.sent = sent  # type: ignore[attr-defined]
        return error

    return Upstream("http://a.test", transport=FakeTransport(fail))


@pytest.mark.parametrize("error", [ConnectFailed("x"), NoEndpoint("x")])
async def test_the_next_is_asked(error: ProxyError) -> None:
    """What has not reached a server goes to the next, whatever the method and the body; all attempts are there."""
    asked = exchange("POST", body=b"once")
    spare = Upstream("http://b.test", transport=FakeTransport(Response(201)))
    assert (await Failover(failing(error), failing(error), spare)(asked)).status == 201
    assert len(asked.attempts) == 3


async def test_the_last_error_stands() -> None:
    """Where all fail it is the last one's error."""
    with pytest.raises(NoEndpoint):
        await Failover(failing(ConnectFailed("x")), failing(NoEndpoint("y")))(exchange())


@pytest.mark.parametrize("error", [ConnectionLost("x"), ResponseTimeout("x"), BadRequest("x")])
async def test_other_errors_stand(error: ProxyError) -> None:
    """By default everything else is the client's to hear."""
    with pytest.raises(type(error)):
        await Failover(failing(error, sent=True), answering(200))(exchange())


@pytest.mark.parametrize(
    ("method", "body", "goes_on"),
    [
        ("GET", b"", True),
        ("PUT", b"in memory", True),
        ("POST", b"", False),
        ("PATCH", b"x", False),
    ],
)
async def test_what_may_be_asked_twice(method: str, body: bytes, goes_on: bool) -> None:
    """What may have reached a server is asked again where the method allows it."""
    handler = Failover(failing(ConnectionLost("x"), sent=True), answering(200), on=(ConnectionLost,))
    if goes_on:
        assert (await handler(exchange(method, body=body))).status == 200
    else:
        with pytest.raises(ConnectionLost):
            await handler(exchange(method, body=body))


async def test_a_stream_is_sent_once() -> None:
    """A body that streams is gone when it was sent, and goes on where nothing was."""

    async def pieces() -> object:
        yield b"x"

    def asked() -> Exchange:
        made = exchange("PUT")
        made.request.body = StreamBody(pieces())  # type: ignore[arg-type]
        return made

    on = (ConnectionLost, ConnectFailed)
    with pytest.raises(ConnectionLost):
        await Failover(failing(ConnectionLost("x"), sent=True), answering(200), on=on)(asked())
    assert (await Failover(failing(ConnectFailed("x")), answering(200), on=on)(asked())).status == 200


async def test_a_stream_that_a_filter_has_read() -> None:
    """A body that a filter of one handler has read is not there for the next: the error stands. What only edits it as
    it is read has taken nothing while no connection was made; what reads outside of all has read it for all."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    async def read(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.body = Body(await exchange.request.body.read(10))
        return await handler(exchange)

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.body = exchange.request.body.through(Upper())
        return await handler(exchange)

    async def last(exchange: Exchange) -> Response:
        return Response(200, body=Body(await exchange.request.body.read(10)))

    def asked() -> Exchange:
        made = exchange("PUT")
        made.request.body = StreamBody(pieces())
        return made

    down = failing(ConnectFailed("x"))
    with pytest.raises(ConnectFailed):
        await Failover(Pipeline(read, handler=down), last)(asked())
    assert (await Failover(Pipeline(edit, handler=down), last)(asked())).body.data == b"x"
    assert (await Pipeline(read, handler=Failover(Pipeline(edit, handler=down), last))(asked())).body.data == b"x"


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b""


async def test_a_method_that_a_filter_has_set() -> None:
    """Whether it may be asked again is decided by what was sent."""

    async def post(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.method = "POST"
        return await handler(exchange)

    handler = Failover(Pipeline(post, handler=saying(503)), saying(200, "b"), statuses=[503])
    assert (await handler(exchange("GET"))).status == 503


# By status.


def saying(status: int, name: str = "a", body: Callable[[], Body] = lambda: EMPTY) -> Upstream:
    transport = FakeTransport(lambda attempt: Response(status, body=body()))
    return Upstream(f"http://{name}.test", transport=transport)


class Closable(StreamBody):
    """A body that streams, and knows that it was closed."""

    def __init__(self) -> None:
        super().__init__(self._pieces())
        self.is_closed = False

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"never read"

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_statuses_that_go_on(status: int) -> None:
    """An answer with one of the statuses is passed over; any other stands, and so does every one by default."""
    spare = saying(200, "b")
    handler = Failover(saying(status), spare, statuses=(502, 503, 504))
    assert (await handler(exchange())).status == 200
    assert (await Failover(saying(500), spare, statuses=(502, 503, 504))(exchange())).status == 500
    assert (await Failover(saying(status), spare)(exchange())).status == status


async def test_an_answer_passed_over_is_no_load() -> None:
    """Law 8: its body is closed, its endpoint is free and what its handlers deferred is released before the next
    handler is asked; what was deferred before it stays until the end."""
    body, told = Closable(), []
    first = saying(503, body=lambda: body)

    async def limited(exchange: Exchange) -> Response:
        exchange.defer(lambda: told.append("released"))
        return await first(exchange)

    async def second(exchange: Exchange) -> Response:
        told.append(f"{first.endpoints[0].in_flight} in flight, closed: {body.is_closed}")
        return Response(200)

    asked = exchange()
    asked.defer(lambda: told.append("the end"))
    assert (await Failover(limited, second, statuses=[503])(asked)).status == 200
    assert told == ["released", "0 in flight, closed: True"]
    assert asked.attempts[0].ended is not None
    asked.finish()
    assert told[-1] == "the end"
    assert first.endpoints[0].in_flight == 0


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [("GET", b"", 200), ("PUT", b"x", 200), ("POST", b"x", 503), ("PATCH", b"", 503)],
)
async def test_what_was_answered_was_sent(method: str, body: bytes, status: int) -> None:
    """A server that has answered may have done what was asked: another is asked only where the method allows it. So may
    a handler that is no upstream, of which nobody knows what it has done."""
    spare = saying(200, "b")
    assert (await Failover(saying(503), spare, statuses=[503])(exchange(method, body=body))).status == status
    assert (await Failover(respond(503), spare, statuses=[503])(exchange(method, body=body))).status == status


async def test_the_last_answer_stands() -> None:
    """If all answer so, it is the last answer that the client gets."""
    handler = Failover(saying(503), saying(502, "b"), saying(504, "c"), statuses=[502, 503, 504])
    asked = exchange()
    assert (await handler(asked)).status == 504
    assert [attempt.status for attempt in asked.attempts] == [503, 502, 504]


@pytest.mark.parametrize("statuses", [[200], [399], [600], ["503"], [True]])
def test_statuses_that_are_none(statuses: list[int]) -> None:
    """Only those of errors can be passed over."""
    with pytest.raises(ValueError, match="statuses"):
        Failover(respond(503), respond(503), statuses=statuses)


async def test_over_sockets() -> None:
    """The connection of an answer that is passed over in the middle of its body is closed, and the client gets the
    whole of the other."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(head(503, headers={"Content-Length": "100000"}), raw(b"x" * 1000), stall())
        good.respond(200, body=b"fine")
        handler = Failover(Upstream(bad.url, name="bad"), Upstream(good.url, name="good"), statuses=[503])
        async with serving(ProxyHandler(handler)) as site, site.connect() as client:
            for number in (1, 2):
                await client.send(GET)
                answer = await client.response()
                assert (answer.status, answer.body) == (200, b"fine")
                await bad.wait_closed_connections(number)
        bad.release()


def test_compositions_that_are_none() -> None:
    """One handler, what is no handler and what is no error are refused."""
    ok = answering(200)
    with pytest.raises(ValueError, match="handlers"):
        Failover(ok)
    with pytest.raises(TypeError, match="handlers"):
        Failover(ok, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on"):
        Failover(ok, ok, on=(OSError,))  # type: ignore[arg-type]


def test_what_it_holds_is_found() -> None:
    """Upstreams in it are started and stopped with the proxy. It prints what it goes on after."""
    one, two = Upstream("http://a"), Upstream("http://b")
    assert {one, two} <= set(walk(Failover(one, two)))
    assert repr(Failover(one, two)) == f"Failover({one!r}, {two!r})"
    said = repr(Failover(one, two, on=[ConnectFailed, NoEndpoint], statuses=[503, 502]))
    assert said == f"Failover({one!r}, {two!r}, on=[ConnectFailed, NoEndpoint], statuses=[502, 503])"


async def test_a_deadline_of_one() -> None:
    """A deadline inside of a handler is that handler's: the next one has what was left outside of it."""
    clock = FakeClock()
    transport = FakeTransport(lambda _: ResponseTimeout("x"))
    first = Pipeline(Deadline(2.0, clock=clock), handler=Upstream("http://a/", transport=transport, clock=clock))

    async def late(exchange: Exchange, handler: Handler) -> Response:
        try:
            return await handler(exchange)
        finally:
            clock.advance(3.0)

    second = Upstream("http://b/", transport=FakeTransport(), clock=clock)
    asked = exchange()
    assert (await Failover(Pipeline(late, handler=first), second, on=[ResponseTimeout])(asked)).status == 200
    assert asked.deadline is None


async def test_what_failed_holds_nothing() -> None:
    """What was deferred for a handler that has failed is released before the next one is asked, and what was told the
    client by it, if only an interim answer, is the beginning of its answer."""
    released: list[int] = []

    async def fails(exchange: Exchange) -> Response:
        exchange.defer(lambda: released.append(1))
        raise ConnectFailed("x")

    async def next_one(exchange: Exchange) -> Response:
        assert released == [1]
        return Response(200)

    assert (await Failover(fails, next_one)(exchange())).status == 200

    async def hints(exchange: Exchange) -> Response:
        assert exchange.interim is not None
        exchange.interim(103, CIMultiDict())
        raise ConnectFailed("x")

    asked = exchange()
    told: list[int] = []
    asked.interim = lambda status, headers: told.append(status)
    with pytest.raises(ConnectFailed):
        await Failover(hints, next_one)(asked)
    assert told == [103]


@pytest.mark.parametrize("says", [ConnectFailed("x"), 503, 200])
async def test_what_is_as_it_was(says: ProxyError | int) -> None:
    """Whoever is further out has the interim answers again that it had; an attempt that is passed over is marked, so
    that the same endpoint comes last; and each attempt has a draft of its own."""

    def pass_on(status: int, headers: object) -> None:
        raise AssertionError

    asked = exchange()
    asked.interim = pass_on
    first = failing(says) if isinstance(says, ProxyError) else saying(says)
    assert (await Failover(first, saying(200, "b"), statuses=[503])(asked)).status == 200
    assert asked.interim is pass_on
    assert [each.passed_over for each in asked.attempts] == ([False] if says == 200 else [True, False])
    assert len({id(each.request) for each in asked.attempts}) == len(asked.attempts)


async def test_no_rule_for_it() -> None:
    """What no rule was for has reached nobody: the next table has it, whatever the method."""
    first = Rules(Rule(when.path("/a"), answering(200)))
    second = Rules(Rule(when.path("/b"), answering(201)))
    handler = Failover(first, second, on=[NoRoute])
    assert (await handler(exchange("POST", "/b", body=b"x"))).status == 201


def test_rules_that_refuse_by_an_answer() -> None:
    """What a table of rules refuses with 503 the next handler must not answer: it may only be the last one."""
    table = Rules(Rule(when.path("/admin/*"), block(503)), Rule(when.anything, answering(200)))
    with pytest.raises(ValueError, match="statuses: <Rules of 2> refuses by an answer"):
        Failover(Pipeline(handler=table), answering(200), statuses=[503])
    Failover(answering(503), table, statuses=[503])
    Failover(table, answering(200))
