"""`FakeTransport`: answers without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from revproxy import Attempt, Body, Endpoint, Response, Upstream
from revproxy.body import StreamBody
from revproxy.errors import ConnectFailed, ProtocolError, ResponseTimeout
from revproxy.testing import FakeTransport, exchange
from revproxy.transport import Transport


def new_attempt(number: int = 1) -> Attempt:
    subject = exchange()
    made = Attempt(Endpoint("http://a.test", name=f"a{number}"), subject, subject.request, number, 1234.5)
    subject.attempts.append(made)
    KEPT.append(subject)
    return made


KEPT: list[object] = []
"""Exchanges of which tests hold but the attempts."""


async def test_answers_200_by_default() -> None:
    """It is a `Transport`; with nothing said it answers 200 without a body."""
    transport: Transport = FakeTransport()
    response = await transport.send(new_attempt())
    assert (response.status, dict(response.headers), response.body.data) == (200, {}, b"")


async def test_what_it_says_of_an_attempt() -> None:
    """An attempt that is answered was sent, has its status, and its first byte at the time that it began."""
    attempt = new_attempt()
    assert (attempt.sent, attempt.status, attempt.first_byte) == (False, None, None)
    await FakeTransport(Response(503)).send(attempt)
    assert (attempt.sent, attempt.status, attempt.first_byte, attempt.error) == (True, 503, 1234.5, None)
    assert attempt.ended is None


async def test_the_same_answer_every_time() -> None:
    """Of a ``Response`` everybody gets a copy of his own: what one filter edits no other sees."""
    answer = Response(201, {"X-A": "1"}, Body(b"made"), "Made")
    transport = FakeTransport(answer)
    given = [await transport.send(new_attempt()) for _ in range(3)]
    assert [repr(each) for each in given] == [repr(answer)] * 3
    given[0].headers["X-A"] = "2"
    given[0].status = 500
    assert [(each.status, each.headers["X-A"]) for each in (answer, *given[1:])] == [(201, "1")] * 3


def test_a_body_that_is_there_once() -> None:
    """A body that can be read only once is no answer for every attempt; a function may make one each time."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    with pytest.raises(ValueError, match="not in memory"):
        FakeTransport(Response(200, body=StreamBody(chunks())))


@pytest.mark.parametrize("error", [ConnectFailed("x"), ProtocolError("y"), LookupError("z")])
async def test_an_exception_is_raised(error: Exception) -> None:
    """An exception is raised, and leaves the attempt as one of which nothing was sent."""
    transport = FakeTransport(error)
    attempt = new_attempt()
    with pytest.raises(type(error)) as caught:
        await transport.send(attempt)
    assert caught.value is error
    assert (attempt.sent, attempt.status, attempt.first_byte) == (False, None, None)
    assert transport.attempts == [attempt]


def plain(attempt: Attempt) -> Response | Exception:
    return ResponseTimeout(f"try {attempt.number}") if attempt.number == 1 else Response(200 + attempt.number)


async def waiting(attempt: Attempt) -> Response | Exception:
    await asyncio.sleep(0)
    return plain(attempt)


@pytest.mark.parametrize("answer", [plain, waiting])
async def test_a_function_answers(answer: Callable[[Attempt], Response | Awaitable[Response | Exception]]) -> None:
    """A function is asked for every attempt; what it returns is answered or raised, and may be waited for."""
    transport = FakeTransport(answer)
    with pytest.raises(ResponseTimeout, match="try 1"):
        await transport.send(new_attempt(1))
    assert [(await transport.send(new_attempt(number))).status for number in (2, 3)] == [202, 203]


async def test_a_function_may_raise() -> None:
    """What a function raises goes through as if the wire had raised it."""

    def broken(attempt: Attempt) -> Response:
        raise ConnectFailed(attempt.endpoint.name)

    with pytest.raises(ConnectFailed, match="a7"):
        await FakeTransport(broken).send(new_attempt(7))


async def test_it_remembers() -> None:
    """Every attempt is in `attempts`, in order, and the `repr` counts them."""
    transport = FakeTransport()
    attempts = [new_attempt(number) for number in range(3)]
    for attempt in attempts:
        await transport.send(attempt)
    assert transport.attempts == attempts
    assert repr(transport) == "<FakeTransport, 3 attempts>"


async def test_within_an_upstream() -> None:
    """As its docstring has it: an upstream of two, answered by who was asked."""
    transport = FakeTransport(lambda attempt: Response(200, body=Body(attempt.endpoint.name.encode())))
    upstream = Upstream("http://a", "http://b", transport=transport)
    subject = exchange("GET", "/x")
    response = await upstream(subject)
    (attempt,) = transport.attempts
    assert response.body.data in (b"http://a", b"http://b")
    assert response.body.data == attempt.endpoint.name.encode()
    assert attempt.request.target == "/x"
