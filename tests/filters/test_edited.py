"""Fields of every answer: of those that handlers make, and of those that are made of errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import Exchange, Filter, Handler, ProxyHandler, Response, respond
from revproxy.body import Body
from revproxy.errors import Forbidden, InternalError, NoRoute, RateLimited
from revproxy.filters import Cors, SecurityHeaders
from revproxy.filters.edited import edited, vary
from revproxy.testing import exchange

from ..e2e.wire import serving


def mark(headers: CIMultiDict[str]) -> None:
    headers["X-Mark"] = "1"
    headers.popall("X-Old", None)


async def test_an_answer() -> None:
    """It is a copy that is edited: what a handler gives out again stays as it is."""
    given = Response(203, {"X-Old": "1", "X-A": "a"}, Body(b"x"), reason="Quite")

    async def handler(exchange: Exchange) -> Response:
        return given

    got = await edited(exchange(), handler, mark)
    assert (got.status, got.reason, got.body, dict(got.headers)) == (
        203,
        "Quite",
        given.body,
        {"X-A": "a", "X-Mark": "1"},
    )
    assert dict(given.headers) == {"X-Old": "1", "X-A": "a"}


async def test_an_error() -> None:
    """The fields that it has stay, and those of its class are not touched: the next one of its kind has none."""

    async def handler(exchange: Exchange) -> Response:
        raise RateLimited("x", retry_after=3)

    with pytest.raises(RateLimited) as raised:
        await edited(exchange(), handler, mark)
    assert raised.value.fields == {"Retry-After": "3", "X-Mark": "1"}

    async def nowhere(exchange: Exchange) -> Response:
        raise NoRoute("x")

    with pytest.raises(NoRoute):
        await edited(exchange(), nowhere, mark)
    assert (NoRoute.fields, Forbidden.fields) == ({}, {})


async def test_a_bug() -> None:
    """What is no ``ProxyError`` is the one that the proxy would make of it, with the fields, and its cause."""

    async def handler(exchange: Exchange) -> Response:
        raise KeyError("x")

    with pytest.raises(InternalError, match="KeyError: 'x'") as raised:
        await edited(exchange(), handler, mark)
    assert raised.value.fields == {"X-Mark": "1"}
    assert isinstance(raised.value.__cause__, KeyError)
    assert InternalError.fields == {}


async def test_a_bug_over_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    """The 500 has the fields of all that stand outside of the bug, and the log its traceback."""

    async def bug(exchange: Exchange, handler: Handler) -> Response:
        raise KeyError("x")

    filters: list[Filter] = [SecurityHeaders(), Cors("https://app.test"), bug]
    async with serving(ProxyHandler(respond(200), filters=filters)) as site:
        answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\n\r\n")
        edge = await site.ask(b"GET /%00 HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\n\r\n")
    assert (answer.status, edge.status) == (500, 400)
    assert answer.getall(b"Access-Control-Allow-Origin") == [b"https://app.test"]
    assert answer.getall(b"Content-Security-Policy") == [b"frame-ancestors 'self'"]
    assert edge.getall(b"Access-Control-Allow-Origin") == []  # as documented: no filter has seen it
    (record,) = (each for each in caplog.records if each.name == "revproxy.error")
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


async def test_a_switch() -> None:
    """A 101 is left alone."""
    switched = Response(101, {"X-Old": "1"})

    async def handler(exchange: Exchange) -> Response:
        return switched

    assert await edited(exchange(), handler, mark) is switched
    assert dict(switched.headers) == {"X-Old": "1"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], "Origin"),
        (["Accept"], "Accept, Origin"),
        (["Accept", "Accept-Language"], "Accept, Accept-Language, Origin"),
        (["origin"], "origin"),
        (["Accept,ORIGIN ,X"], "Accept,ORIGIN ,X"),
        (["X-Origin"], "X-Origin, Origin"),
        (["*"], "*"),
        (["Accept", "*"], "*"),
    ],
)
def test_vary(before: list[str], after: str) -> None:
    """It is said once, and what was said stays."""
    headers = CIMultiDict([("Vary", each) for each in before])
    vary(headers, "Origin")
    assert headers.getall("Vary")[-1] == after


@given(st.lists(st.sampled_from(["Origin", "Accept", "origin, x", "*", "X-Origin"]), max_size=4))
def test_vary_again(before: list[str]) -> None:
    """To say it twice changes nothing."""
    headers = CIMultiDict([("Vary", each) for each in before])
    vary(headers, "Origin")
    once = headers.copy()
    vary(headers, "Origin")
    assert headers == once
