"""What ``revproxy.testing`` gives to test a composition with."""

from __future__ import annotations

from typing import assert_type

from revproxy import Attempt, Body, Exchange, ProxyHandler, Response, Upstream
from revproxy.errors import ConnectFailed
from revproxy.testing import (
    FakeClock,
    FakeTransport,
    FakeUpstream,
    Recorded,
    Step,
    Turn,
    conform,
    delay,
    drip,
    exchange,
    head,
    pattern,
    reset,
    respond,
)
from revproxy.testing.conform import Row


def answers(attempt: Attempt) -> Response:
    return Response(200, body=Body(attempt.endpoint.name.encode()))


def fails_at_first(attempt: Attempt) -> Response | Exception:
    return ConnectFailed("refused") if attempt.number == 1 else Response(204)


async def answers_later(attempt: Attempt) -> Response:
    return Response(204)


def test_exchanges_are_made() -> None:
    """Fields as a mapping or pairs, a body as bytes or a ``Body``, a client or none."""
    assert_type(exchange(), Exchange)
    assert_type(exchange("POST", "/a", headers={"X-A": "1"}, body=b"hello", client=None, scheme="https"), Exchange)
    assert_type(exchange(headers=[("X-A", "1"), ("X-A", "2")], body=Body(b"hello"), version=(1, 0)), Exchange)


async def test_a_transport_answers_as_it_is_told() -> None:
    """With a response, with an exception, or with what a function says, now or later."""
    said: list[FakeTransport] = [
        FakeTransport(),
        FakeTransport(Response(204)),
        FakeTransport(answers),
        FakeTransport(answers_later),
        FakeTransport(lambda attempt: Response(204)),
        FakeTransport(lambda attempt: answers_later(attempt)),
    ]
    for transport in said:
        assert_type(await Upstream("http://10.0.0.1:8080", transport=transport)(exchange()), Response)
        assert_type(transport.attempts, list[Attempt])
    assert_type(FakeTransport(ConnectFailed("refused")), FakeTransport)
    assert_type(FakeTransport(fails_at_first), FakeTransport)


def test_time_stands_still() -> None:
    """``FakeClock`` counts in seconds, whole or not."""
    clock = FakeClock(now=1000)
    clock.advance(0.5)
    assert_type(clock.now(), float)
    assert_type(clock.waiting, int)


async def own_step(turn: Turn) -> None:
    assert_type(turn.request, Recorded)
    await turn.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def test_an_upstream_plays_its_script() -> None:
    """Steps are the ready ones or functions of one's own; what came is on record."""
    steps: list[Step] = [delay(0), own_step]
    async with FakeUpstream() as server:
        assert_type(server, FakeUpstream)
        assert_type(server.url, str)
        server.respond(200, headers={"X-A": "1"}, body=b"hello")
        server.on("/slow", *steps)
        server.on(lambda request: request.method == "PUT", reset())
        server.once(head(200, headers=[("Content-Length", "5")]), drip(b"hello"))
        server.always(respond(200, body=pattern(1024)))
        assert_type(server.requests, list[Recorded])


async def test_rows_are_checked() -> None:
    """``conform`` has rows, and a row takes a function that composes."""

    def compose(url: str) -> ProxyHandler:
        return ProxyHandler(Upstream(url))

    rows = conform(request_fields={"X-A": "1"}, skip={"F-13": "the client's host is kept"})
    assert_type(rows, list[Row])
    await rows[0].check(compose)
