"""Responses that are what they have to be."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Exchange, Response
from revproxy.body import EMPTY, Body, StreamBody
from revproxy.errors import BadContent, BudgetSpent, Overloaded, ProxyError, ResponseRefused
from revproxy.filters import HeaderRules, JsonLimits, Schema, ValidateResponse
from revproxy.filters.content import Handling
from revproxy.handler import running
from revproxy.limiters import BodyBudget
from revproxy.testing import FakeClock, exchange

from ...codings.test_codings import CODINGS, coded

SECRET = "hunter2hunter2"
ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "price": {"type": "number", "minimum": 0}},
    "additionalProperties": False,
}
JSON = [("Content-Type", "application/json")]
FINE = b'{"id": 1, "price": 2.5}'


async def pieces(data: bytes, step: int, failure: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]
    if failure is not None:
        raise failure


class Cut:
    """A tunnel that says whether it was cut."""

    protocol = "websocket"
    closed = False

    def close(self) -> None:
        self.closed = True


class Bench:
    """A filter, and what it makes of responses."""

    def __init__(self, **options: Any) -> None:
        self.subject = ValidateResponse(clock=FakeClock(), **options)
        self.closed = 0

    async def get(
        self, data: bytes | Body = b"", headers: Any = (), *, status: int = 200, step: int = 0, method: str = "GET"
    ) -> tuple[bytes, ProxyError | None]:
        """What a client gets, and the error behind which nothing more comes."""
        bench = self

        class Source(StreamBody):
            def close(self) -> None:
                bench.closed += 1

        body = data if isinstance(data, Body) else Source(pieces(data, step)) if step else Body(data)
        self.exchange = asked = exchange(method)

        async def answer(exchange: Exchange) -> Response:
            return Response(status, list(headers), body)

        got = b""
        try:
            self.response = await self.subject(asked, answer)
            async for chunk in self.response.body:
                got += chunk
        except ProxyError as error:
            asked.finish()
            return got, error
        asked.finish()
        return got, None

    async def why(self, *given: Any, **options: Any) -> str | None:
        """What is wrong; ``None``: it went on as it came."""
        got, error = await self.get(*given, **options)
        if error is None:
            return None
        assert got == b""
        assert type(error) is ResponseRefused
        assert error.status == 502
        return str(error).removeprefix("validate response: ")


# The head.


async def test_statuses() -> None:
    """What is not in the list is refused, whatever else it says; an upgrade is a 101, and its tunnel is cut."""
    bench = Bench(statuses=[200, "4xx"])
    for status, wrong in ((200, None), (404, None), (201, "status 201"), (500, "status 500"), (304, "status 304")):
        assert await bench.why(b"", status=status) == wrong
    tunnel: Any = Cut()

    async def upgraded(exchange: Exchange) -> Response:
        return Response(101, tunnel=tunnel)

    with pytest.raises(ResponseRefused, match="status 101"):
        await bench.subject(exchange(), upgraded)
    assert tunnel.closed
    assert (await ValidateResponse(statuses=[101])(exchange(), upgraded)).tunnel is tunnel


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        (JSON, None),
        ([("content-type", "Application/Problem+JSON; charset=utf-8")], None),
        ([("Content-Type", "image/png")], None),
        ([("Content-Type", "text/html")], "Content-Type: not one that may be: text/html"),
        ([("Content-Type", "js\xe9" + "n" * 99)], "Content-Type: not one that may be: js\\xe9" + "n" * 61 + "..."),
        (JSON * 2, "Content-Type: not one that may be: application/json, application/json"),
        ([], "Content-Type: not one that may be: there is none"),
    ],
)
async def test_content_types(headers: Any, wrong: str | None) -> None:
    """A content must be of one of the types; what is none, or two, is refused. Without content there need be none."""
    bench = Bench(content_types=["application/json", "application/*+json", "image/*"])
    assert await bench.why(b"{}", headers) == wrong
    for status, method in ((204, "GET"), (304, "GET")):
        assert await bench.why(EMPTY, headers, status=status, method=method) is None
    if not headers:
        assert await bench.why(EMPTY, headers, method="HEAD") is None
        assert await bench.why(b"", headers) is None
    else:
        assert await bench.why(EMPTY, headers, method="HEAD") == wrong


async def test_headers_and_head() -> None:
    """Fields follow their rules, on every response; a head may be too large."""
    bench = Bench(headers=HeaderRules(forbidden=["X-Debug"]), max_head=100)
    assert await bench.why(b"x", [("X-Debug", SECRET)]) == "header: X-Debug is there"
    assert await bench.why(b"", [("X-Debug", SECRET)], status=304) == "header: X-Debug is there"
    assert await bench.why(b"x", [("X", "y" * 100)]) == "head: more than 100 bytes"
    assert await bench.why(b"x", [("X", "y" * 90)]) is None


# Sizes.


@pytest.mark.parametrize("step", [0, 1, 3])
async def test_known_size(step: int) -> None:
    """A length that is known is judged before anything is read; what may be goes on untouched."""
    bench = Bench(max_size=10)
    assert await bench.why(b"x" * 11) == "body: more than 10 bytes"
    assert await bench.why(StreamBody(pieces(b"x" * 11, 3), length=11)) == "body: more than 10 bytes"
    body = StreamBody(pieces(b"x" * 10, 3), length=10)
    assert (await bench.get(body))[0] == b"x" * 10
    assert bench.response.body is body
    assert await bench.why(b"", [("Content-Length", "11")], method="HEAD") is None


@pytest.mark.parametrize("coding", ["", *CODINGS])
@pytest.mark.parametrize("step", [1, 5, 1000])
async def test_counted_size(coding: str, step: int) -> None:
    """S-51: else it is counted without its coding, and refused as long as the head has not gone out."""
    bench = Bench(max_size=1000)
    for size, wrong in ((1000, None), (1001, "body: more than 1000 bytes")):
        data = bytes(range(250)) * 4 + b"x" * (size - 1000)
        said = coded(coding, data) if coding else data
        assert await bench.why(said, [("Content-Encoding", coding)] if coding else [], step=step) == wrong


async def test_size_beyond_what_is_held() -> None:
    """Later it is a cut, and no more than the limit has gone out."""
    bench = Bench(max_size=1000, hold=100)
    got, error = await bench.get(b"x" * 2000, step=50)
    assert type(error) is ResponseRefused
    assert 100 < len(got) <= 1000
    assert bench.subject.refused == 1


async def test_bombs() -> None:
    """S-51: a bomb is none of the policy's: it is broken."""
    bomb = gzip.compress(bytes(32 << 20))
    _, error = await Bench(max_size=1 << 30).get(bomb, [("Content-Encoding", "gzip")], step=500)
    assert type(error) is BadContent
    _, error = await Bench(body=ORDER).get(bomb, [*JSON, ("Content-Encoding", "gzip")], step=500)
    assert type(error) in (BadContent, ResponseRefused)
    _, error = await Bench(body=ORDER).get(gzip.compress(FINE)[:-9], [*JSON, ("Content-Encoding", "gzip")], step=5)
    assert type(error) is BadContent


# Contents with a schema.


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (FINE, None),
        (b'{"id": 1, "price": -1}', "body: minimum at #/price"),
        (b'{"id": "hunter2hunter2"}', "body: type at #/id"),
        (b'{"id": 1, "hunter2hunter2": "x"}', "body: additionalProperties at #"),
        (b"{}", "body: required at #/id"),
        (b"", "body: there is none"),
        (b"hunter2hunter2", "body: syntax at byte 0"),
        (b'{"id": 1, "id": 2}', "body: duplicate"),
        (b"\xff", "body: encoding at byte 0"),
        ('{"id": 1}'.encode("utf-16"), "body: encoding at byte 0"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "body: depth"),
        (b"[" + b"1," * 200_000 + b"1]", "body: values"),
        (b'{"id": 1e999}', "body: number"),
        (b" " * (1 << 20) + FINE, "body: more than 1048576 bytes"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value),
)
@pytest.mark.parametrize("step", [0, 1, 50_000])
async def test_schema(data: bytes, wrong: str | None, step: int) -> None:
    """S-62: what does not fit is refused as a whole: no byte of it has gone out, and the log names places alone."""
    if step == 1 and len(data) > 1000:
        step = 4096
    bench = Bench(body=ORDER)
    why = await bench.why(data, JSON, step=step)
    if data == b"" and step:  # that there is none is known only at its end
        assert why is not None
        return
    assert why == wrong
    assert SECRET not in str(why)


@settings(max_examples=40)
@given(cuts=st.integers(1, 60), coding=st.sampled_from(["", *CODINGS]), fits=st.booleans())
async def test_any_split(cuts: int, coding: str, fits: bool) -> None:
    """S-65: however it comes, in whatever coding, the verdict is the same, and what passes is the same bytes."""
    data = FINE if fits else b'{"id": 1, "price": -1}'
    said = coded(coding, data) if coding else data
    got, error = await Bench(body=SCHEMA).get(
        said, [*JSON, *([("Content-Encoding", coding)] if coding else [])], step=cuts
    )
    assert (got, error is None) == ((said, True) if fits else (b"", False))


SCHEMA = Schema(ORDER)


async def test_by_status() -> None:
    """One schema is for all 2xx; several are for theirs, and a status counts more than its class."""
    one = Bench(body=ORDER)
    assert await one.why(b"{}", JSON, status=201) == "body: required at #/id"
    assert await one.why(b"<p>", [("Content-Type", "text/html")], status=404) is None
    several = Bench(body={200: SCHEMA, "4xx": {"required": ["title"]}, 404: True})
    assert await several.why(b"{}", JSON) == "body: required at #/id"
    assert await several.why(b"{}", JSON, status=400) == "body: required at #/title"
    assert await several.why(b"{}", JSON, status=404) is None
    assert await several.why(b"{}", JSON, status=201) is None


@pytest.mark.parametrize(
    "kind", ["text/html", "application/json; charset=latin-1", "text/plain", "json", "application/json-seq"]
)
async def test_it_has_to_be_json(kind: str) -> None:
    """What has a schema is JSON by its type, in UTF-8."""
    assert await Bench(body=ORDER).why(FINE, [("Content-Type", kind)]) == f"Content-Type: not JSON: {kind}"
    assert await Bench(body=ORDER).why(FINE, []) == "Content-Type: not JSON: there is none"
    assert (
        await Bench(body=ORDER).why(EMPTY, [("Content-Type", kind)], method="HEAD") == f"Content-Type: not JSON: {kind}"
    )
    assert await Bench(body=ORDER).why(EMPTY, JSON, method="HEAD") is None


async def test_large_ones_are_judged_in_a_thread() -> None:
    """More than 64 KiB do not stop the loop, and are judged alike."""
    bench = Bench(body={"items": {"type": "integer"}}, max_size=4 << 20, limits=JsonLimits(values=1 << 20))
    data = json.dumps([*range(30_000)]).encode()
    assert (await bench.get(data, JSON, step=10_000)) == (data, None)
    assert await bench.why(data[:-1] + b', "x"]', JSON, step=10_000) == "body: type at #/30000"
    zipped = gzip.compress(data)
    assert (await bench.get(zipped, [*JSON, ("Content-Encoding", "gzip")], step=1000)) == (zipped, None)


async def test_source_is_closed() -> None:
    """What is refused is given up where it comes from."""
    for headers, options in (
        ([("Content-Type", "text/html")], {"content_types": ["image/png"]}),
        (JSON, {"body": ORDER, "max_size": 3}),
        (JSON, {"max_size": 3, "hold": 100}),
    ):
        bench = Bench(**options)
        _, error = await bench.get(b'{"id": "x"}', headers, step=2)
        assert error is not None
        assert bench.closed >= 1


async def test_a_source_that_breaks() -> None:
    """F-55: an error on the way in is told as it is, and nothing goes out."""
    body = StreamBody(pieces(FINE, 3, BadContent("gone")))
    got, error = await Bench(body=ORDER).get(body, JSON)
    assert (got, type(error)) == (b"", BadContent)


# Several documents in one.

LINES = [("Content-Type", "application/x-ndjson")]
EVENTS = [("Content-Type", "text/event-stream")]


@pytest.mark.parametrize(
    ("headers", "one", "bad"),
    [(LINES, FINE + b"\n", b'{"id": "x"}\n'), (EVENTS, b"data: " + FINE + b"\n\n", b"data: {}\n\n")],
    ids=["lines", "events"],
)
@pytest.mark.parametrize("coding", ["", "gzip", "zstd"])
async def test_streams(headers: Any, one: bytes, bad: bytes, coding: str) -> None:
    """F-71, S-62: each line or event goes out when it was judged; one that does not fit cuts all from itself on."""
    bench = Bench(body=ORDER)
    fields = [*headers, ("Content-Encoding", coding)] if coding else headers
    said = one * 4
    data = coded(coding, said) if coding else said
    assert await bench.get(data, fields, step=len(one)) == (data, None)
    data = coded(coding, said + bad + one, 1) if coding else said + bad + one
    got, error = await bench.get(data, fields, step=1)
    assert type(error) is ResponseRefused
    assert bad not in got
    if not coding:
        assert got == said


async def test_lines_of_any_number() -> None:
    """There is no limit for all of them but one that is given; a single one of 10 MB is refused."""
    bench = Bench(body=ORDER)
    many = (FINE + b"\n") * 60_000
    assert len(many) > 1 << 20
    got, error = await bench.get(many, LINES, step=65536)
    assert (got == many, error) == (True, None)
    got, error = await bench.get(b'"' + b"x" * 10_000_000, LINES, step=65536)
    assert got == b""
    assert str(error) == "validate response: body: a document of more than 65536 bytes"
    got, error = await Bench(body=ORDER, max_size=100).get(many, LINES, step=30)
    assert len(got) <= 100
    assert str(error) == "validate response: body: more than 100 bytes"


# What cannot be read, or held.


async def test_unreadable() -> None:
    """S-66: a coding that nobody can undo is refused where the content matters, and by default only there."""
    odd = [*JSON, ("Content-Encoding", "compress")]
    assert await Bench(body=ORDER).why(FINE, odd) == "a content coding, or characters, that cannot be read"
    assert await Bench(max_size=1000).why(FINE, odd) == "a content coding, or characters, that cannot be read"
    assert await Bench(content_types=["application/json"]).why(FINE, odd) is None
    lenient = Bench(body=ORDER, handling=Handling(unreadable="pass"))
    assert await lenient.why(FINE, odd) is None


async def test_ranges() -> None:
    """F-109: parts are asked for where nobody has to see the whole."""
    for options, kept in (({"body": ORDER}, False), ({"max_size": 10}, True)):
        asked = exchange(headers={"Range": "bytes=0-1"})
        await ValidateResponse(**options)(asked, _nothing)
        assert ("Range" in asked.request.headers) is kept
    assert (await Bench(body=ORDER).get(FINE, JSON, status=206))[1] is not None
    assert await Bench(max_size=100).why(FINE, JSON, status=206) is None


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({"body": ORDER}, "gzip"),
        ({"max_size": 10}, "gzip"),
        ({"statuses": ["2xx"]}, "dcb, gzip"),
        ({"body": ORDER, "shadow": True}, "dcb, gzip"),
    ],
    ids=["body", "size", "status", "shadow"],
)
async def test_codings(options: dict[str, Any], accepted: str) -> None:
    """What a client accepts is cut down only where the content is read, and may be refused."""
    asked = exchange(headers={"Accept-Encoding": "dcb, gzip"})
    await ValidateResponse(**options)(asked, _nothing)
    assert asked.request.headers["Accept-Encoding"] == accepted


@pytest.mark.parametrize("step", [0, 3])
async def test_nothing_to_judge(step: int) -> None:
    """A stream without documents is one, whether its length is known or not; a 205 has no content."""
    assert await Bench(body=ORDER).why(b"", [("Content-Type", "application/x-ndjson")], step=step) is None
    assert await Bench(body=ORDER).why(b"", [("Content-Type", "text/event-stream")], step=step) is None
    assert await Bench(body=ORDER).why(b"", status=205) is None
    assert await Bench(body=ORDER).why(b"", JSON, step=step) is not None


async def _nothing(exchange: Exchange) -> Response:
    return Response(204)


async def test_budget() -> None:
    """What is held counts until the exchange is over; without room it is 503."""
    budget = BodyBudget(70_000)
    bench = Bench(body=True, budget=budget)
    assert (await bench.get(FINE, JSON, step=5))[1] is None
    assert budget.held == 0
    _, error = await bench.get(json.dumps("x" * 100_000).encode(), JSON, step=5000)
    assert type(error) is BudgetSpent
    assert budget.held == 0


async def test_overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many large ones wait it is 503; in shadow it goes on."""
    for shadow in (False, True):
        bench = Bench(body=ORDER, shadow=shadow)
        judge = bench.subject._judges[200]
        monkeypatch.setattr(judge, "_waiting", 64)
        data = json.dumps({"id": 1, "price": 1, "x": "y" * 70_000}).encode()
        got, error = await bench.get(data, JSON, step=5000)
        assert (type(error), got) == ((type(None), data) if shadow else (Overloaded, b""))


# Shadow, the log.


@pytest.mark.parametrize("step", [0, 7, 4096])
async def test_shadow(caplog: pytest.LogCaptureFixture, step: int) -> None:
    """In shadow everything goes on byte for byte, and each response is told of once."""
    caplog.set_level(logging.INFO, "revproxy.security")
    bench = Bench(
        statuses=["2xx"],
        content_types=["application/json", "application/x-ndjson"],
        headers=HeaderRules(required=["X-A"]),
        body=ORDER,
        max_size=5000,
        shadow=True,
        fold=0.0,
    )
    fields = [*JSON, ("X-A", "1")]
    zipped = gzip.compress(b'{"id": "x"}')
    for data, headers, status in (
        (b"{}", JSON, 500),
        (b"{}", JSON, 200),
        (b"{}", fields, 200),
        (b"x" * 6000, fields, 200),
        (b'{"id": "x"}\n' * 10, [*LINES, ("X-A", "1")], 200),
        (b'{"id": "x"}\n' * 1000, [*LINES, ("X-A", "1")], 200),
        (b'"' + b"x" * 70_000, [*LINES, ("X-A", "1")], 200),
        (zipped, [*fields, ("Content-Encoding", "gzip")], 200),
        (gzip.compress(b"x" * 100_000), [*fields, ("Content-Encoding", "gzip")], 200),
    ):
        before = bench.subject.refused
        assert await bench.get(data, headers, status=status, step=step) == (data, None)
        assert bench.subject.refused == before + 1
    for headers in ([*fields, ("Content-Encoding", "compress")],):
        assert await bench.get(b"odd", headers, step=step) == (b"odd", None)
    assert await bench.get(b"part", fields, status=206) == (b"part", None)
    assert [each.action for each in caplog.records] == ["shadow block 502"] * 9  # type: ignore[attr-defined]


async def test_shadow_holds_little() -> None:
    """In shadow what is too much to look at goes on as it comes."""
    came: list[int] = []

    async def source() -> AsyncIterator[bytes]:
        for number in range(1000):
            came.append(number)
            yield b"x" * 1000

    async def answer(exchange: Exchange) -> Response:
        return Response(200, JSON, StreamBody(source()))

    subject = ValidateResponse(body=ORDER, max_size=5000, shadow=True, hold=0)
    response = await subject(exchange(), answer)
    assert len(came) < 30
    assert sum([len(chunk) async for chunk in response.body]) == 1_000_000


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: a line each, which names the place and never the value."""
    caplog.set_level(logging.INFO, "revproxy.security")
    bench = Bench(body=ORDER, name="orders")
    async with running(bench.subject):
        for _ in range(8):
            await bench.get(b'{"id": "hunter2hunter2"}', JSON)
    assert len(caplog.records) == 6
    assert 'rule "orders": block 502 for "body: type at #/id"' in caplog.records[0].getMessage()
    assert "3 more like it" in caplog.records[-1].getMessage()
    assert SECRET not in caplog.text
    assert bench.subject.refused == 8


async def test_several() -> None:
    """Two of them, one around the other, judge each for itself."""
    inner = ValidateResponse(body=ORDER, name="inner")
    outer = ValidateResponse(body={"properties": {"id": {"const": 1}}}, name="outer")

    async def ask(data: bytes) -> Response:
        async def answer(exchange: Exchange) -> Response:
            return Response(200, JSON, StreamBody(pieces(data, 4)))

        return await outer(exchange(), lambda asked: inner(asked, answer))

    assert b"".join([chunk async for chunk in (await ask(FINE)).body]) == FINE
    with pytest.raises(ResponseRefused, match="outer: body: const at #/id"):
        await ask(b'{"id": 2}')
    with pytest.raises(ResponseRefused, match="inner: body: required at #/id"):
        await ask(b"{}")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "one of them must be given"),
        ({"statuses": [99]}, ValueError, "statuses: 99 is neither"),
        ({"statuses": 200}, TypeError, "statuses must be several"),
        ({"statuses": []}, ValueError, "statuses must not be empty"),
        ({"content_types": "a/b"}, TypeError, "content_types must be several"),
        ({"content_types": []}, ValueError, "content_types must not be empty"),
        ({"content_types": ["a"]}, ValueError, "content_types: 'a' is no media type"),
        ({"headers": {}}, TypeError, "headers: {} is not a HeaderRules object"),
        ({"max_size": -1}, ValueError, "max_size must be an integer of at least 0, got -1"),
        ({"max_head": 1.5}, ValueError, "max_head must be an integer of at least 0, got 1.5"),
        ({"max_size": 1, "hold": -1}, ValueError, "hold must be an integer of at least 0, got -1"),
        ({"body": {"type": "x"}}, ValueError, "body: "),
        ({"body": {200: {"type": "x"}}}, ValueError, r"body\[200\]: "),
        ({"body": {200: 1}}, TypeError, r"body\[200\]: "),
        ({"body": {200: True, 600: True}}, ValueError, "body: 600 is neither"),
        ({"body": 1}, TypeError, "body: "),
        ({"body": True, "limits": 1}, TypeError, "limits: 1 is not a JsonLimits object"),
        ({"body": True, "budget": 1}, TypeError, "budget: 1 is not a BodyBudget object"),
        ({"max_size": 1, "handling": 1}, TypeError, "handling: 1 is not a Handling"),
        ({"max_size": 1, "severity": 40}, TypeError, "severity: 40 is not a Severity"),
        ({"max_size": 1, "name": ""}, ValueError, "name must not be empty"),
    ],
)
def test_bad(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """What makes no sense is an error that names the parameter and its value."""
    with pytest.raises(error, match=message):
        ValidateResponse(**options)


def test_repr() -> None:
    """It shows what it demands."""
    subject = ValidateResponse(statuses=[200], content_types=["a/b"], max_size=5, max_head=6, body=True, shadow=True)
    assert repr(subject) == (
        "<ValidateResponse 'validate response': 1 statuses; a/b; 5 bytes; head of 6 bytes; body; shadow, 0 refused>"
    )
