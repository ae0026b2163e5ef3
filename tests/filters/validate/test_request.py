"""Requests that say what they have to, before a server sees anything of them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revproxy import Pipeline, Response, Severity
from revproxy.body import EMPTY, Body, StreamBody
from revproxy.client_body import _ReceivedBody
from revproxy.errors import (
    BadRequest,
    BodyTooLarge,
    BudgetSpent,
    ClientDisconnected,
    Overloaded,
    ProxyError,
    UnprocessableContent,
    UnsupportedMediaType,
)
from revproxy.exchange import Exchange
from revproxy.filters import JsonLimits, Retry, Schema, ValidateRequest
from revproxy.handler import running
from revproxy.limiters import BodyBudget
from revproxy.testing import FakeClock, exchange

SECRET = "hunter2hunter2"
ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}},
        },
        "note": {"type": "string", "maxLength": 20, "pattern": "^[a-z ]*$"},
    },
    "additionalProperties": False,
}
PAGES: dict[str, Any] = {"properties": {"page": {"type": "integer", "minimum": 1}}, "additionalProperties": False}
JSON = {"Content-Type": "application/json"}


async def chunks(*parts: bytes, failure: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if failure is not None:
        raise failure


class Bench:
    """A filter, and what came through it."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.subject = ValidateRequest(clock=self.clock, **options)
        self.passed: list[bytes] = []
        self.bodies: list[Body] = []

    async def answer(self, exchange: Exchange) -> Response:
        body = exchange.request.body
        self.bodies.append(body)
        self.passed.append(b"".join([chunk async for chunk in body]))
        return Response(200)

    async def ask(
        self, body: bytes | Body = b"", headers: Any = None, target: str = "/", method: str = "POST"
    ) -> ProxyError | None:
        """What is refused, and with what; ``None``: it has passed."""
        asked = exchange(method, target, headers=JSON if headers is None else headers, body=body)
        try:
            response = await self.subject(asked, self.answer)
        except ProxyError as error:
            return error
        finally:
            asked.finish()
        assert response.status == 200
        return None


def said(error: ProxyError | None) -> Any:
    assert error is not None
    return error.members["errors"]


# Content types.


@pytest.mark.parametrize(
    ("content_type", "passes"),
    [
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/json ; charset=x", True),
        ("application/json\t", True),
        ('application/json; charset="utf-8"', True),
        ("image/png", True),
        ("text/plain", False),
        ("application/json charset=x", False),
        ("application/json, text/plain", False),
        ("application/json; a=1; a=2", False),
        ("", False),
    ],
)
async def test_content_types(content_type: str, passes: bool) -> None:
    """S-44: one reading of the media type; what is none, or none of those that are wanted, is 415, and it is said which
    are."""
    bench = Bench(content_types=["application/json", "image/*"])
    error = await bench.ask(b"anything", {"Content-Type": content_type})
    if passes:
        assert (error, bench.passed) == (None, [b"anything"])
    else:
        assert isinstance(error, UnsupportedMediaType)
        assert (error.fields, bench.passed) == ({"Accept": "application/json, image/*"}, [])
        assert said(error) == [{"in": "header", "name": "Content-Type"}]


async def test_how_many_content_types() -> None:
    """S-44: a body with no type, or with two, is 415; without a body nobody asks."""
    bench = Bench(content_types=["application/json"])
    two = [("Content-Type", "application/json"), ("content-type", "application/json")]
    assert isinstance(await bench.ask(b"{}", {}), UnsupportedMediaType)
    assert isinstance(await bench.ask(b"{}", two), UnsupportedMediaType)
    assert isinstance(await bench.ask(StreamBody(chunks(b"{}")), {}), UnsupportedMediaType)
    assert await bench.ask(b"", {}) is None
    assert await bench.ask(EMPTY, {"Content-Type": "text/plain"}) is None


async def test_the_draft_is_looked_at() -> None:
    """S-44: what goes upstream counts, as filters outside have edited it, its query included."""
    bench = Bench(content_types=["application/json"], query=PAGES)
    asked = exchange("POST", headers=JSON, body=b"{}")
    asked.request.headers["Content-Type"] = "text/plain"
    with pytest.raises(UnsupportedMediaType):
        await bench.subject(asked, bench.answer)
    asked = exchange("POST", headers=JSON, body=b"{}")
    asked.request.target = "/?page=x"
    with pytest.raises(UnprocessableContent):
        await bench.subject(asked, bench.answer)


# Sizes.


@pytest.mark.parametrize("options", [{"max_size": 5}, {"max_size": 5, "body": True}])
async def test_max_size(options: dict[str, Any]) -> None:
    """What is declared, there at once, or found while it passes: more than that is 413."""
    for size, passes in ((2, True), (5, True), (6, False)):
        data = b"1" * size
        for body in (
            data,
            _ReceivedBody(data, sized=False),
            StreamBody(chunks(data[:2], data[2:]), length=size),
            StreamBody(chunks(data[:2], data[2:])),
        ):
            bench = Bench(**options)
            error = await bench.ask(body)
            assert (error is None) is passes
            assert isinstance(error, BodyTooLarge | None)
            assert bench.passed == ([data] if passes else [])


async def test_what_is_not_asked_for_is_not_held() -> None:
    """Without a schema a body streams on; one of a declared length as it is."""
    bench = Bench(max_size=100)
    sized = StreamBody(chunks(b"a"), length=1)
    assert await bench.ask(sized) is None
    assert bench.bodies[0] is sized
    assert await bench.ask(StreamBody(chunks(b"a", b"b"))) is None
    assert (bench.bodies[1].data, bench.bodies[1].length) == (None, None)


async def test_nothing_more_is_read_of_what_is_too_large() -> None:
    """One that is too long is not read to its end."""
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield b"0123456789"

    for options in ({"max_size": 100}, {"max_size": 100, "body": True}):
        read.clear()
        assert isinstance(await Bench(**options).ask(StreamBody(endless())), BodyTooLarge)
        assert len(read) == 11


async def test_a_schema_has_a_limit() -> None:
    """With a schema there is a limit without one being named: 1 MiB."""
    bench = Bench(body=True)
    assert bench.subject.max_size == 1 << 20
    assert await bench.ask(b'"%b"' % (b"x" * ((1 << 20) - 2))) is None
    assert isinstance(await bench.ask(b'"%b"' % (b"x" * ((1 << 20) - 1))), BodyTooLarge)


# Bodies.


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"items":[{},{"price":-1}]}', {"pointer": "#/items/1/price", "keyword": "minimum"}),
        (b"{}", {"pointer": "#/items", "keyword": "required"}),
        (b"[]", {"pointer": "#", "keyword": "type"}),
        (b'{"items":[],"note":"%b"}' % (b"x" * 21), {"pointer": "#/note", "keyword": "maxLength"}),
        (b'{"items":[],"hunter2":1}', {"pointer": "#", "keyword": "additionalProperties"}),
    ],
)
async def test_what_does_not_fit(body: bytes, expected: dict[str, str]) -> None:
    """RFC 9457: 422 says where, and by which keyword."""
    bench = Bench(body=ORDER)
    error = await bench.ask(body)
    assert isinstance(error, UnprocessableContent)
    assert said(error) == [{"in": "body", **expected}]
    assert bench.passed == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", {"reason": "syntax", "offset": 1}),
        (b'{"items":[],"items":[]}', {"reason": "duplicate"}),
        (b"[1e999]", {"reason": "number"}),
        (b"NaN", {"reason": "number"}),
        (b'"\\ud800"', {"reason": "string", "offset": 0}),
        (b'"\xff"', {"reason": "encoding", "offset": 1}),
        (b"\xef\xbb\xbf{}", {"reason": "syntax", "offset": 0}),
        (b"[" * 65 + b"]" * 65, {"reason": "depth"}),
        (b"[" * 1_000_000, {"reason": "depth"}),
        (b"", {"reason": "missing"}),
    ],
)
async def test_what_has_no_reading(body: bytes, expected: dict[str, object]) -> None:
    """400 says why."""
    bench = Bench(body=ORDER)
    error = await bench.ask(body)
    assert isinstance(error, BadRequest)
    assert said(error) == [{"in": "body", **expected}]
    assert bench.passed == []


@pytest.mark.parametrize(
    "data", [b' {"items" : [ ] }\n', b'{"items":[{"price":1.10}]}', b'{"note":"a\\u0062","items":[]}']
)
async def test_byte_for_byte(data: bytes) -> None:
    """What passes is to the byte what was judged, is in memory, and is framed as it was."""
    for body in (data, StreamBody(chunks(data[:7], data[7:]), length=len(data))):
        bench = Bench(body=ORDER)
        assert await bench.ask(body) is None
        assert bench.passed == [data]
        assert (bench.bodies[0].replayable, bench.bodies[0].length) == (True, len(data))
    bench = Bench(body=ORDER)
    assert await bench.ask(StreamBody(chunks(data[:7], data[7:]))) is None
    assert (bench.passed, bench.bodies[0].replayable, bench.bodies[0].length) == ([data], True, None)


async def test_an_empty_stream_is_no_json() -> None:
    """A body in chunks that turns out to have none."""
    assert said(await Bench(body=True).ask(StreamBody(chunks()))) == [{"in": "body", "reason": "syntax", "offset": 0}]


async def test_optional() -> None:
    """Who has no body passes if he may; who has one is judged."""
    bench = Bench(body=ORDER, optional=True)
    assert await bench.ask(b"", {}, method="GET") is None
    assert isinstance(await bench.ask(b"[]"), UnprocessableContent)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, None),
        ({"Content-Type": "application/problem+json"}, None),
        ({"Content-Type": "application/json; charset=utf-8"}, None),
        ({"Content-Type": 'application/json; charset="UTF-8"'}, None),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": "application/json; charset=iso-8859-1"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
        ({**JSON, "Content-Encoding": "identity"}, None),
        ({**JSON, "Content-Encoding": "gzip"}, 415),
        ({**JSON, "Content-Encoding": "identity, gzip"}, 415),
        ({**JSON, "content-encoding": "x-unheard-of"}, 415),
    ],
)
async def test_what_cannot_be_looked_into(headers: dict[str, str], status: int | None) -> None:
    """S-44: what is not JSON in UTF-8 as it stands there nobody could judge: 415, which says what would do."""
    bench = Bench(body=ORDER)
    error = await bench.ask(b'{"items":[]}', headers)
    assert (None if error is None else error.status) == status
    if error is not None:
        encoded = any(name.lower() == "content-encoding" for name in headers)
        hint = {"Accept-Encoding": "identity"} if encoded else {"Accept": "application/json, application/*+json"}
        assert error.fields == hint
        assert said(error) == [{"in": "header", "name": "Content-Encoding" if encoded else "Content-Type"}]


async def test_two_codings() -> None:
    """Two ``Content-Encoding`` fields are read as one list."""
    headers = [("Content-Type", "application/json"), ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]
    assert isinstance(await Bench(body=True).ask(b"1", headers), UnsupportedMediaType)


async def test_limits() -> None:
    """Depth, values and duplicates are as they are set."""
    bench = Bench(body=True, limits=JsonLimits(depth=2, values=4, duplicates=True))
    assert await bench.ask(b'{"a":1,"a":2}') is None
    assert said(await bench.ask(b"[[[]]]")) == [{"in": "body", "reason": "depth"}]
    assert said(await bench.ask(b"[1,2,3,4]")) == [{"in": "body", "reason": "values"}]


# Queries.


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", None),
        ("/?", None),
        ("/?page=2", None),
        ("/?page=0", {"pointer": "#/page", "keyword": "minimum"}),
        ("/?page=x", {"pointer": "#/page", "keyword": "type"}),
        ("/?hunter2=x", {"pointer": "#", "keyword": "additionalProperties"}),
        ("/?page=1&page=2", {"reason": "duplicate"}),
        ("/?page=%FF", {"reason": "encoding"}),
        ("/?page=1;x=2", {"reason": "separator"}),
    ],
)
async def test_query(target: str, expected: dict[str, str] | None) -> None:
    """The query is an object of what its names say: 422 where it does not fit, 400 where it has two readings."""
    bench = Bench(query=PAGES)
    error = await bench.ask(target=target, method="GET", headers={})
    if expected is None:
        assert error is None
    else:
        assert said(error) == [{"in": "query", **expected}]
        assert isinstance(error, BadRequest if "reason" in expected else UnprocessableContent)


async def test_the_query_comes_first() -> None:
    """Where it is wrong nothing of the body is read."""

    body = StreamBody(chunks(b"{}"))
    error = await Bench(query=PAGES, body=ORDER).ask(body, target="/?page=x")
    assert said(error)[0]["in"] == "query"
    assert not body.taken


# What is told, and to whom.

HOSTILE: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([SECRET, 4111111111111111, -4111111111111111.5, None]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "note", "price", SECRET, "4111111111111111"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    HOSTILE,
    st.sampled_from([b"", b"}", b',"' + SECRET.encode(), b"\xff", b"\\ud800"]),
    st.sampled_from(["", SECRET, "page="]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_secret_is_told(caplog: pytest.LogCaptureFixture, value: Any, tail: bytes, query: str) -> None:
    """Whatever a client sends, neither what it is told nor what is logged for it quotes a word of it."""
    caplog.clear()
    bench = Bench(body=ORDER, query=PAGES, fold=0)
    target = f"/?{query}{SECRET}" if query else "/"
    error = await bench.ask(json.dumps(value).encode() + tail, target=target)
    if error is not None:
        told = f"{error} {error.title} {error.fields} {error.members}"
        told += " ".join(record.__dict__["detail"] for record in caplog.records)
        for secret in (SECRET, "4111"):
            assert secret not in told
        (record,) = caplog.records
        assert record.__dict__["action"] == f"block {error.status}"


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is in the security log, with the place, at its severity; what passes is not."""
    bench = Bench(body=ORDER, name="orders", severity=Severity.CRITICAL)
    await bench.ask(b'{"items":[]}')
    await bench.ask(b'{"items":[{"price":-1},{"price":-1}]}')
    (record,) = caplog.records
    assert record.getMessage().startswith(
        'rule "orders": block 422 for "body: minimum at #/items/0/price, and 1 more", client 192.0.2.1, POST "/" '
    )
    assert (record.name, record.levelno) == ("revproxy.security", logging.CRITICAL)
    assert bench.subject.refused == 1


async def test_stop(caplog: pytest.LogCaptureFixture) -> None:
    """What was counted is told of at the end."""
    bench = Bench(max_size=0)
    async with running(bench.subject):
        for _ in range(8):
            await bench.ask(b"x")
    assert caplog.records[-1].__dict__["repeats"] == "3"


# Shadow.


@pytest.mark.parametrize(
    ("options", "data", "headers", "action"),
    [
        ({"content_types": ["image/png"]}, b"x", JSON, "shadow block 415"),
        ({"max_size": 3}, b"12345678", JSON, "shadow block 413"),
        ({"max_size": 3, "body": True}, b"12345678", JSON, "shadow block 413"),
        ({"body": ORDER}, b"[]", JSON, "shadow block 422"),
        ({"body": ORDER}, b"[", JSON, "shadow block 400"),
        ({"body": ORDER}, b"", JSON, "shadow block 400"),
        ({"body": ORDER}, b"[]", {**JSON, "Content-Encoding": "br"}, "shadow block 415"),
        ({"query": False}, b"", {}, "shadow block 422"),
        ({"body": ORDER}, b'{"items":[]}', JSON, None),
    ],
)
async def test_shadow(
    caplog: pytest.LogCaptureFixture, options: dict[str, Any], data: bytes, headers: Any, action: str | None
) -> None:
    """In shadow everything goes on as it came, whatever it is and however it comes; what would have been refused is
    noted once."""
    for body in (
        data,
        StreamBody(chunks(data[:2], data[2:]), length=len(data)),
        StreamBody(chunks(data[:2], data[2:])),
    ):
        if isinstance(body, Body) and not data:
            continue
        caplog.clear()
        bench = Bench(shadow=True, **options)
        assert await bench.ask(body, headers) is None
        assert bench.passed == [data]
        assert [record.__dict__["action"] for record in caplog.records] == ([] if action is None else [action])
        assert bench.subject.refused == (action is not None)


async def test_shadow_does_not_mend() -> None:
    """A body that breaks while it is looked into does not go on as a shorter one, in shadow neither."""
    for failure in (ClientDisconnected("gone"), BodyTooLarge("of somebody else")):
        bench = Bench(body=True, shadow=True)
        assert await bench.ask(StreamBody(chunks(b"12", failure=failure))) is failure
        assert bench.passed == []
        assert bench.subject.refused == 0


async def test_shadow_without_room() -> None:
    """In shadow what there is no room for is not looked at, and goes on."""
    budget = BodyBudget(4)
    bench = Bench(body=False, shadow=True, budget=budget)
    assert await bench.ask(StreamBody(chunks(b"12345"))) is None
    assert (bench.passed, bench.subject.refused, budget.held) == ([b"12345"], 0, 0)
    assert await bench.ask(StreamBody(chunks(b"1234"), length=4)) is None
    assert (bench.subject.refused, budget.held) == (1, 0)


# What it holds, and what it takes.


async def test_budget() -> None:
    """What is held counts, until the exchange is over; where there is no room, 503."""
    budget = BodyBudget(10)
    bench = Bench(body=True, budget=budget)
    held: list[int] = []

    async def look(exchange: Exchange) -> Response:
        held.append(budget.held)
        return Response(200)

    asked = exchange("POST", headers=JSON, body=StreamBody(chunks(b"1234"), length=4))
    await bench.subject(asked, look)
    assert held == [4]
    error = await bench.ask(StreamBody(chunks(b"1234567")))
    assert isinstance(error, BudgetSpent)
    asked.finish()
    assert budget.held == 0
    assert await bench.ask(StreamBody(chunks(b"1234567"))) is None
    assert (budget.held, bench.subject.refused) == (0, 0)


async def test_a_client_that_leaves() -> None:
    """That a client left in the middle of its body is no refusal."""
    failure = ClientDisconnected("gone")
    bench = Bench(body=True)
    assert await bench.ask(StreamBody(chunks(b"1", failure=failure))) is failure
    assert bench.subject.refused == 0


async def test_large_bodies_wait_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-50: two large bodies are judged at once, in threads; 64 may wait, and more are 503. Small ones never wait."""
    go = asyncio.Event()
    going = 0

    async def to_thread(function: Any, *arguments: Any) -> Any:
        nonlocal going
        going += 1
        await go.wait()
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    bench = Bench(body=ORDER)
    large = b'{"items":[%b]}' % (b" " * 70_000)
    tasks = [asyncio.create_task(bench.ask(large)) for _ in range(65)]
    for _ in range(3):  # each of them begins, and two threads
        await asyncio.sleep(0)
    assert going == 2
    assert await bench.ask(b'{"items":[]}') is None
    tasks[5].cancel()
    go.set()
    await asyncio.wait(tasks)
    assert [type(task.result()) for task in tasks if not task.cancelled() and task.result()] == [Overloaded]
    assert len(bench.passed) == 64
    assert bench.subject.refused == 0
    async with running(bench.subject):
        pass


async def test_clients_that_leave_free_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-50: nothing ends a thread. Who goes away while one judges his body leaves it and what it has at hand counted
    until it is done: there are never more than two."""
    go = asyncio.Event()
    going = most = 0

    async def to_thread(function: Any, *arguments: Any) -> Any:
        nonlocal going, most
        going += 1
        most = max(going, most)
        await go.wait()
        going -= 1
        return function(*arguments)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    budget = BodyBudget(10_000_000)
    bench = Bench(body=ORDER, budget=budget)
    large = b'{"items":[%b]}' % (b" " * 70_000)
    for _ in range(20):
        task = asyncio.create_task(bench.ask(large))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert (going, most) == (2, 2)
    assert budget.held == 2 * len(large)
    waiting = asyncio.create_task(bench.ask(large))
    go.set()
    assert await waiting is None
    assert (going, most, budget.held) == (0, 2, 0)


async def test_a_thread_judges_as_well(caplog: pytest.LogCaptureFixture) -> None:
    """What is judged in a thread is judged the same."""
    bench = Bench(body=ORDER)
    assert await bench.ask(b'{"items":[%b]}' % (b" " * 70_000)) is None
    error = await bench.ask(b'{"items":[{"price":-1}%b]}' % (b" " * 70_000))
    assert said(error) == [{"in": "body", "pointer": "#/items/0/price", "keyword": "minimum"}]


@pytest.mark.parametrize("shadow", [False, True])
async def test_the_deepest_that_may_be_allowed(shadow: bool) -> None:
    """The depth that is allowed at most breaks nothing behind it."""
    bench = Bench(body={"const": 1}, limits=JsonLimits(depth=255), shadow=shadow)
    error = await bench.ask(b"[" * 255 + b"]" * 255)
    assert isinstance(error, UnprocessableContent) is not shadow
    assert bench.subject.refused == 1


@pytest.mark.parametrize("schema", [{"uniqueItems": True}, {"uniqueItems": True, "items": {"type": "integer"}}])
async def test_integers_that_a_schema_compares_one_by_one(schema: Any) -> None:
    """S-50: of integers beyond 64 bits each would be compared with all the others: they are refused before."""
    numbers = b",".join(b"%d" % (10**20 + each) for each in range(2900))
    for start in (b"", b"-"):
        error = await Bench(body=schema).ask(b"[%b%b]" % (start, numbers))
        assert said(error) == [{"in": "body", "reason": "number"}]
    assert await Bench(body=schema, limits=JsonLimits(big_integers=True)).ask(b"[%d,%d]" % (10**20, 10**21)) is None


@pytest.mark.parametrize("start", [2**53, 2**62, 2**63 - 3000, -(2**63)])
async def test_integers_of_one_double(start: int) -> None:
    """S-50: of integers near 2⁶³ a thousand are the same double, and are compared one by one: a schema that compares is
    asked of 256 at most, wherever it does so; one that does not, of as many as there are."""
    nested = {"properties": {"ids": {"$ref": "#/$defs/ids"}}, "$defs": {"ids": {"uniqueItems": True}}}
    for schema, most in ((nested, 256), ({"properties": {"ids": {"type": "array"}}}, 3000)):
        bench = Bench(body=schema)
        assert await bench.ask(json.dumps({"ids": list(range(start, start + most))}).encode()) is None
        if most == 256:
            error = await bench.ask(json.dumps({"ids": list(range(start, start + most + 1))}).encode())
            assert said(error) == [{"in": "body", "reason": "number"}]
    floats = [each + 0.1234567890123456 for each in range(3000)]
    assert await Bench(body=nested).ask(json.dumps({"ids": floats}).encode()) is None
    many = Bench(body=nested, limits=JsonLimits(big_integers=True))
    assert await many.ask(json.dumps({"ids": list(range(start, start + 300))}).encode()) is None


# Composition.


def test_nothing_that_shortcuts_stands_around_it() -> None:
    """It guards: what answers without it, or asks it twice, stands inside."""
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(), ValidateRequest(max_size=1), handler=Bench(max_size=1).answer)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "one of them"),
        ({"content_types": []}, ValueError, "content_types must not be empty"),
        ({"content_types": "text/plain"}, TypeError, "content_types must be several"),
        ({"content_types": ["text"]}, ValueError, "content_types: 'text'"),
        ({"content_types": ["image/*"], "body": True}, ValueError, "must all be JSON"),
        ({"content_types": ["application/*"], "body": True}, ValueError, "must all be JSON"),
        ({"max_size": -1}, ValueError, "max_size must be .* got -1"),
        ({"max_size": True}, ValueError, "max_size"),
        ({"max_size": 1.5}, ValueError, "max_size"),
        ({"body": []}, TypeError, "body: document: "),
        ({"body": {"type": 1}}, ValueError, "body: document: "),
        ({"body": {"$ref": "https://example.test/x"}}, ValueError, "body: document: .*example.test"),
        ({"query": {"pattern": "(?=a)"}}, ValueError, "query: document: "),
        ({"query": {"properties": {"a": {"type": "object"}}}}, ValueError, "query: 'a' is of type object"),
        ({"max_size": 1, "optional": True}, ValueError, "optional"),
        ({"max_size": 1, "budget": BodyBudget(1)}, ValueError, "budget"),
        ({"body": True, "budget": 1}, TypeError, "budget: 1"),
        ({"body": True, "limits": 64}, TypeError, "limits: 64"),
        ({"max_size": 1, "severity": "high"}, TypeError, "severity: 'high'"),
        ({"max_size": 1, "name": ""}, ValueError, "name"),
        ({"max_size": 1, "fold": -1}, ValueError, "fold"),
    ],
)
def test_refused_at_start_up(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """What is wrong is named where it is given."""
    with pytest.raises(error, match=message):
        ValidateRequest(**options)


def test_repr() -> None:
    """It shows what it demands, and how many it has refused."""
    assert repr(ValidateRequest(max_size=5)) == "<ValidateRequest 'validate request': any type; 5 bytes; 0 refused>"
    subject = ValidateRequest(content_types=["text/json"], body=Schema(True), query=True, shadow=True, name="x")
    assert re.fullmatch(
        r"<ValidateRequest 'x': text/json; 1048576 bytes; body; query; shadow, 0 refused>", repr(subject)
    )
