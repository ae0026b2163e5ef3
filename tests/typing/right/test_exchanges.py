"""The exchange, the messages on it, and the values that filters share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, assert_type

from multidict import CIMultiDict, CIMultiDictProxy, MultiDictProxy

from revproxy import Attempt, Body, Endpoint, Exchange, Inbound, Key, ProxyError, Request, Response, Rule, Upstream
from revproxy.body import EMPTY, StreamBody, Transform
from revproxy.errors import Drop, Origin, Phase
from revproxy.facts import ClientAddress, IPAddress
from revproxy.testing import FakeTransport, exchange

COUNTRY: Key[str] = Key("country")
TRIES = Key[int]("tries")
LABELS: Key[dict[str, str]] = Key("labels")
OWNER: Key[str | None] = Key("owner")


def test_a_key_says_what_is_behind_it() -> None:
    """``exchange[KEY]`` has the key's type; ``get`` may find nothing, unless it is told what to say then."""
    asked = exchange()
    asked[COUNTRY] = "CH"
    asked[TRIES] = 1
    asked[TRIES] += 1
    asked[LABELS] = {}
    asked[LABELS]["zone"] = "edge"
    asked[OWNER] = None
    assert_type(asked[COUNTRY], str)
    assert_type(asked[TRIES], int)
    assert_type(asked[LABELS], dict[str, str])
    assert_type(asked[OWNER], str | None)
    assert_type(asked.get(COUNTRY), str | None)
    assert_type(asked.get(COUNTRY, ""), str)
    assert_type(asked.get(TRIES, default=0), int)
    assert_type(asked.get(TRIES, None), int | None)
    assert_type(asked.get(COUNTRY, False), str | bool)
    assert_type(COUNTRY in asked, bool)
    assert_type(COUNTRY.name, str)
    if (country := asked.get(COUNTRY)) is not None:
        assert_type(country, str)


def test_an_exchange_is_a_record() -> None:
    """What was sent, what goes upstream, and what was decided."""
    asked = exchange("POST", "/a?b=c", body=b"hello")
    assert_type(asked, Exchange)
    assert_type(asked.inbound, Inbound)
    assert_type(asked.request, Request)
    assert_type(asked.attempts, list[Attempt])
    assert_type(asked.rule, Rule | None)
    assert_type(asked.error, ProxyError | None)
    assert_type(asked.started, float)
    assert_type(asked.deadline, float | None)
    assert_type(asked.id, str)
    asked.id = "7"
    asked.deadline = 1005
    asked.defer(lambda: None)
    asked.defer(asked.attempts.clear)


def test_what_the_client_sent() -> None:
    """``inbound``: text and multidicts."""
    inbound = exchange().inbound
    assert_type(inbound.method, str)
    assert_type(inbound.target, str)
    assert_type(inbound.path, str)
    assert_type(inbound.query_string, str | None)
    assert_type(inbound.version, tuple[int, int])
    assert_type(inbound.scheme, str)
    assert_type(inbound.host, str)
    assert_type(inbound.headers, CIMultiDictProxy[str])
    assert_type(inbound.headers.get("X-A"), str | None)
    assert_type(inbound.headers.getall("X-A", []), list[str])
    assert_type(inbound.query, MultiDictProxy[str])
    assert_type(inbound.cookies, MultiDictProxy[str])
    assert_type(inbound.client, ClientAddress)
    assert_type(inbound.client.ip, IPAddress | None)
    assert_type(inbound.client.port, int | None)


def test_the_draft_and_the_answer() -> None:
    """Both have fields to edit and a body; fields are given as a mapping, pairs or a multidict."""
    request = Request("GET", "/", {"X-A": "1"})
    assert_type(request.method, str)
    assert_type(request.target, str)
    assert_type(request.headers, CIMultiDict[str])
    assert_type(request.body, Body)
    request.headers = CIMultiDict(request.headers)
    request.body = Body(b"hello")
    response = Response(200, [("X-A", "1"), ("X-A", "2")], Body(b"hello"), "Fine")
    assert_type(response.status, int)
    assert_type(response.reason, str | None)
    assert_type(response.headers, CIMultiDict[str])
    assert_type(response.headers.getall("X-A"), list[str])
    assert_type(response.body, Body)
    assert_type(response.declared, int | None)
    assert_type(response.dated, bool)
    assert_type(Response(204), Response)
    assert_type(Response(200, CIMultiDict({"X-A": "1"}), EMPTY), Response)


class Upper:
    """A transform: no base class, just its two methods."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b""


async def chunks() -> AsyncIterator[bytes]:
    yield b"hello"


async def test_bodies_are_bytes() -> None:
    """Read whole or in chunks, edited or not, a body is one of bytes."""
    body = Body(b"hello")
    assert_type(body.data, bytes | None)
    assert_type(body.length, int | None)
    assert_type(body.replayable, bool)
    assert_type(await body.read(100), bytes)
    assert_type(await body.read(limit=100), bytes)
    assert_type(body.through(Upper()), Body)
    transform: Transform = Upper()
    assert_type(await body.through(transform).through(Upper()).read(100), bytes)
    async for chunk in StreamBody(chunks(), length=5):
        assert_type(chunk, bytes)
    streamed: Body = StreamBody(chunks())
    assert_type([chunk async for chunk in streamed.through(Upper())], list[bytes])
    assert_type(Body.unsized(b"hello"), Body)


class Refused(ProxyError):
    """A failure of a filter of one's own."""

    origin = Origin.POLICY
    phase = Phase.REQUEST
    status: ClassVar[int | None] = 451
    title = "Not here"


async def test_an_attempt_says_how_it_went() -> None:
    """An attempt knows its endpoint, its exchange and its end; failures have a name and an origin."""
    asked = exchange()
    await Upstream("http://10.0.0.1:8080", transport=FakeTransport())(asked)
    attempt = asked.attempts[0]
    assert_type(attempt, Attempt)
    assert_type(attempt.endpoint, Endpoint)
    assert_type(attempt.exchange, Exchange)
    assert_type(attempt.request, Request)
    assert_type(attempt.number, int)
    assert_type(attempt.first_byte, float | None)
    assert_type(attempt.ended, float | None)
    assert_type(attempt.status, int | None)
    assert_type(attempt.error, ProxyError | None)
    assert_type(attempt.sent, bool)
    for error in (Refused("by a filter"), Drop()):
        assert_type(error.status, int | None)
        assert_type(error.origin, Origin)
        assert_type(error.title, str)


def test_tls_is_whatever_asyncio_has() -> None:
    """``inbound.tls`` is of no type of the library's: an ``ssl.SSLObject``, or uvloop's."""
    assert_type(exchange().inbound.tls, Any)
