"""A filter that breaks: closed by default, and open where it is said so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from revproxy import (
    Component,
    Exchange,
    Filter,
    Handler,
    Key,
    Pipeline,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    respond,
    when,
)
from revproxy.body import StreamBody
from revproxy.errors import NoRoute
from revproxy.events import Event
from revproxy.filters import DebugPages, FailOpen, JsonFields
from revproxy.filters.auth import ApiKey, Authorize, digest_of
from revproxy.filters.fail_open import FilterFailed
from revproxy.handler import running, walk
from revproxy.testing import FakeClock, FakeUpstream, exchange

from ..e2e.wire import GET, serving

TENANT: Key[str] = Key("tenant")
OTHER: Key[str] = Key("other")


async def breaks_before(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers["X-Half"] = "done"
    raise ZeroDivisionError("a bug")


async def breaks_after(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers["X-Half"] = "done"
    raise ZeroDivisionError("a bug")


async def answer(exchange: Exchange) -> Response:
    return Response(200, {"X-Sent": exchange.request.headers.get("X-Half", "nothing")})


async def test_closed_by_default() -> None:
    """S-49 and all others: what a filter raises is a 500, nothing is forwarded, and nothing of it is told."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Pipeline(breaks_before, handler=Upstream(server.url)))
        async with serving(proxy) as site:
            told = await site.ask(GET)
        assert told.status == 500
        assert b"bug" not in told.body
        assert server.requests == []


async def test_it_breaks_before() -> None:
    """The handler is asked with the draft as it was, and what the filter did to it is gone."""
    subject = FailOpen(breaks_before, clock=FakeClock())
    response = await subject(exchange(), answer)
    assert (response.status, response.headers["X-Sent"]) == (200, "nothing")
    assert subject.failed == 1
    assert repr(subject) == "FailOpen(breaks_before)"


async def test_what_it_has_set_is_gone() -> None:
    """Of the values that filters share only those are there that were there before: a half-known tenant is none."""

    async def half(exchange: Exchange, handler: Handler) -> Response:
        exchange[TENANT] = "acme"
        exchange[OTHER] = "changed"
        raise ZeroDivisionError("a bug")

    for known in ({}, {OTHER: "before"}):
        asked = exchange()
        for key, value in known.items():
            asked[key] = value
        assert (await FailOpen(half)(asked, answer)).status == 200
        assert asked.values == known
        assert TENANT not in asked


@pytest.mark.parametrize(
    "guard",
    [
        ApiKey({"robot": digest_of("k" * 20)}),
        Authorize(when.anything),
        Rules(Rule(when.anything, respond(200))),
        Pipeline(Authorize(when.anything), handler=respond(200)),
    ],
    ids=repr,
)
def test_what_guards_fails_closed(guard: Filter) -> None:
    """S-24: what decides who may pass, or holds what does, is not taken: whom it should refuse would pass."""
    with pytest.raises(ValueError, match=r"^filter: .* guards: what it should refuse would pass where it breaks$"):
        FailOpen(guard)


@pytest.mark.parametrize("reads", [JsonFields(without=["password"]), DebugPages()], ids=["fields", "pages"])
def test_what_reads_responses_fails_closed(reads: Filter) -> None:
    """S-24: of a response that a filter has begun to read and broke at, what it came with would leave."""
    with pytest.raises(ValueError, match=r"^filter: .* reads what responses say, which would leave"):
        FailOpen(reads)


async def test_it_breaks_afterwards() -> None:
    """The answer is the handler's, which is asked once."""
    asked: list[int] = []

    async def once(exchange: Exchange) -> Response:
        asked.append(1)
        return Response(201)

    assert (await FailOpen(breaks_after)(exchange(), once)).status == 201
    assert asked == [1]


async def test_decisions_stand() -> None:
    """What is a ``ProxyError`` was meant, and what the handler raises is its own."""

    async def refuses(exchange: Exchange, handler: Handler) -> Response:
        raise NoRoute("x")

    async def broken(exchange: Exchange) -> Response:
        raise ZeroDivisionError("the handler's")

    async def passes(exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)

    with pytest.raises(NoRoute):
        await FailOpen(refuses)(exchange(), answer)
    subject = FailOpen(passes)
    with pytest.raises(ZeroDivisionError):
        await subject(exchange(), broken)
    assert subject.failed == 0


async def test_a_body_that_is_gone() -> None:
    """What the filter has read cannot be sent: then the error stands."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"

    async def reads(exchange: Exchange, handler: Handler) -> Response:
        await exchange.request.body.read(10)
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        await FailOpen(reads)(exchange("PUT", body=StreamBody(pieces())), answer)
    assert (await FailOpen(reads)(exchange("PUT", body=b"x"), answer)).status == 200


async def test_told(caplog: pytest.LogCaptureFixture) -> None:
    """The first in ten seconds is logged with its traceback and told of; all are counted."""
    clock = FakeClock()
    subject = FailOpen(breaks_before, clock=clock)
    events: list[Event] = []
    async with running(subject, listeners=(events.append,)):
        for _ in range(5):
            await subject(exchange(), answer)
        clock.advance(10)
        await subject(exchange(), answer)
    assert events == [FilterFailed("breaks_before", "ZeroDivisionError('a bug')")] * 2
    logged = [record for record in caplog.records if record.name == "revproxy.error"]
    assert [record.exc_info is not None for record in logged] == [True] * 2
    assert subject.failed == 6


def test_what_it_does_not_provide() -> None:
    """A condition on a key that might be missing would hold, or not, by accident: it is refused."""

    class Finds(Component):
        provides = frozenset({TENANT})

        async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
            return await handler(exchange)

    finds = Finds()
    rules = Rules(Rule(when.key(TENANT, "acme"), respond(200)))
    ProxyHandler(rules, filters=[finds])
    with pytest.raises(ValueError, match="tenant"):
        ProxyHandler(rules, filters=[FailOpen(finds)])
    assert finds in list(walk(FailOpen(finds)))


def test_nonsense() -> None:
    with pytest.raises(TypeError, match="filter: 5 is no filter"):
        FailOpen(5)  # type: ignore[arg-type]
