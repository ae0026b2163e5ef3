"""Responses of which only those members of JSON leave that may."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from revproxy import Exchange, Pipeline, Response, Upstream
from revproxy.body import EMPTY, Body, StreamBody
from revproxy.errors import ResponseRefused
from revproxy.filters import Handling, JsonFields
from revproxy.testing import FakeClock, exchange

from ...e2e.wire import serving

JSON = "application/json"
SECRET = b'{"id":1,"password":"x","items":[{"id":2,"price":3}]}'
ALLOWED = b'{"id":1,"items":[{"id":2}]}'


def fields(**options: Any) -> JsonFields:
    return JsonFields(only=["id", "items[*].id"], **options)


async def through(
    subject: JsonFields,
    body: Body | bytes | Iterable[bytes],
    kind: str | None = JSON,
    *,
    status: int = 200,
    method: str = "GET",
    headers: dict[str, str] | None = None,
) -> Response:
    async def handler(exchange: Exchange) -> Response:
        content = body if isinstance(body, Body) else StreamBody(chunks([body] if isinstance(body, bytes) else body))
        fields = {} if kind is None else {"Content-Type": kind}
        return Response(status, {**fields, **(headers or {})}, content)

    return await Pipeline(subject, handler=handler)(exchange(method))


async def chunks(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def left(*args: Any, **options: Any) -> bytes:
    return await (await through(*args, **options)).body.read(1 << 24)


@pytest.mark.parametrize("kind", [JSON, "Application/JSON; charset=utf-8", "text/json", "application/problem+json"])
@pytest.mark.parametrize("status", [200, 201, 404, 500])
async def test_documents(kind: str, status: int) -> None:
    """Only what may leave does (S-65), of whatever type of JSON and status."""
    subject = fields()
    assert await left(subject, SECRET, kind, status=status) == ALLOWED
    assert await left(subject, [bytes([byte]) for byte in SECRET], kind, status=status) == ALLOWED
    assert subject.edited == 2
    assert repr(subject) == "<JsonFields 'json fields': only id, items[*].id; 2 edited, 0 refused>"


async def test_in_memory() -> None:
    """A body that is in memory has its length again; one with nothing to remove is not counted."""
    subject = fields()
    response = await through(subject, Body(SECRET), headers={"ETag": '"a"', "Content-Length": str(len(SECRET))})
    assert response.body.length == len(ALLOWED)
    assert response.headers["ETag"] == 'W/"a"'
    assert await left(subject, Body(ALLOWED)) == ALLOWED
    assert subject.edited == 1


async def test_codings() -> None:
    """A coding is undone, and put on again (F-110)."""
    response = await through(fields(), gzip.compress(SECRET), headers={"Content-Encoding": "gzip"})
    assert gzip.decompress(await response.body.read(1 << 20)) == ALLOWED


async def test_lines_sequences_events() -> None:
    """Each line, text of a sequence and event's data is a document."""
    subject = fields()
    assert await left(subject, SECRET + b"\n" + SECRET + b"\n", "application/x-ndjson") == (ALLOWED + b"\n") * 2
    assert await left(subject, b"\x1e" + SECRET + b"\n", "application/json-seq") == b"\x1e" + ALLOWED + b"\n"
    events = b"id: 1\ndata: %s\n\ndata: [DONE]\n\n"
    assert await left(subject, events % SECRET, "text/event-stream") == events % ALLOWED


@pytest.mark.parametrize("data", [b"hello", b'{"id":1', b"{'id':1}", b"[DONE] ", b"<html>"])
async def test_events_that_are_no_json(data: bytes) -> None:
    """Data of events that are no JSON are refused, but for the words that were declared; with ``pass`` only those that
    begin like an object, an array or a string."""
    event = b"data: " + data + b"\n\n"
    with pytest.raises(ResponseRefused):
        await left(fields(), event, "text/event-stream")
    if data[:1] in b'{["':
        with pytest.raises(ResponseRefused):
            await left(fields(otherwise="pass"), event, "text/event-stream")
    else:
        assert await left(fields(otherwise="pass"), event, "text/event-stream") == event
    assert await left(fields(words=[data.decode()]), event, "text/event-stream") == event


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/jsonp", None])
async def test_other_types(kind: str | None) -> None:
    """What does not say that it is JSON is refused, with a proper answer, unless it is to pass (S-66). It may be JSON
    for whoever does not look at types."""
    subject = fields()
    for body in (SECRET, Body(SECRET)):
        with pytest.raises(ResponseRefused, match="json fields: Content-Type: not JSON: "):
            await through(subject, body, kind)
    assert subject.refused == 2
    assert await left(fields(otherwise="pass"), SECRET, kind) == SECRET


@pytest.mark.parametrize(
    "kind",
    [
        *("json", "application/json,x", "application/json;charset", "application/json; charset=utf-8; charset=utf-8"),
        *("", "multipart/byteranges; boundary=x"),
    ],
)
async def test_types_that_cannot_be_understood(kind: str) -> None:
    """What says what it is in a way that others may take for JSON never passes, nor do parts of something."""
    for subject in (fields(), fields(otherwise="pass")):
        for body in (SECRET, Body(SECRET)):
            with pytest.raises(ResponseRefused):
                await through(subject, body, kind)
        assert (await through(subject, EMPTY, kind, method="HEAD")).status == 200


@pytest.mark.parametrize("charset", ["Shift_JIS", "gb18030", "big5", "utf-7", "iso-2022-jp", "x"])
async def test_charsets(charset: str) -> None:
    """A client that believed such a charset would see other strings than there are in UTF-8: half a character can be a
    backslash there, so that a quote ends what it does not."""
    body = '{"id":"\u8868\\",\\"password\\":\\"x"}'.encode()
    for kind in (JSON, "application/x-ndjson"):
        with pytest.raises(ResponseRefused):
            await through(fields(), body, f"{kind}; charset={charset}")
        passes = fields(handling=Handling(unreadable="pass"))
        assert await left(passes, SECRET, f'{kind}; charset="{charset}"') == SECRET
    for like in ("UTF-8", "us-ascii", "ISO-8859-1", "windows-1252"):
        assert await left(fields(), SECRET, f"{JSON}; charset={like}") == ALLOWED


async def test_lines_of_events_that_are_no_field() -> None:
    """Some readers take more for data than the standard has them."""
    for line in (b"Data: ", b" data: ", b"data : ", b""):
        event = b"id: 1\n" + line + SECRET + b"\n\n"
        assert await left(fields(), event, "text/event-stream") == b"id: 1\n\n"
        assert await left(fields(shadow=True), event, "text/event-stream") == event


@pytest.mark.parametrize("body", [EMPTY, Body(), b""])
async def test_no_content(body: Body | bytes) -> None:
    """Where nothing is said, nothing leaves: redirects and the like pass without a type."""
    for kind in (None, JSON):
        assert await left(fields(), body, kind, status=302) == b""


async def test_head_and_not_modified() -> None:
    """Answers without content have the fields of those with it."""
    response = await through(fields(), EMPTY, method="HEAD", headers={"Content-Length": "52", "ETag": '"a"'})
    assert response.headers["ETag"] == 'W/"a"'
    assert "Content-Length" not in response.headers
    assert (await through(fields(), EMPTY, None, status=304)).status == 304


@pytest.mark.parametrize(
    "body", [b'{"id":1,}', b'{"id":1', b'\xef\xbb\xbf{"id":1}', '{"id":1}'.encode("utf-16"), b"[" * 10_000, b"<html>"]
)
async def test_no_json(body: bytes) -> None:
    """What says that it is JSON and is none is an answer with 502, as long as the head has not gone out; also where it
    breaks off, or is UTF-16 (S-66)."""
    subject = fields()
    for pieces in ([body], [bytes([byte]) for byte in body]):
        with pytest.raises(ResponseRefused):
            await through(subject, pieces)


async def test_cut() -> None:
    """What is found later cuts the connection: what came before has left, nothing comes after, no end is pretended."""
    begin = b'{"items":[' + b'{"id":1,"price":2},' * 10_000
    response = await through(fields(hold=1000), [begin, b'{"id":1,"password":"x"}}', b"more"])
    out = bytearray()

    async def read() -> None:
        async for chunk in response.body:
            out.extend(chunk)

    with pytest.raises(ResponseRefused, match="syntax at byte"):
        await read()
    assert out == b'{"items":[' + b'{"id":1},' * 9_999 + b'{"id":1}'


async def test_hold() -> None:
    """Nothing is held of a stream; of a document no more than declared."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'{"items":['
        while True:
            read += 1
            yield b'{"id":1},'

    response = await through(fields(hold=900), StreamBody(endless()))
    assert read <= 101
    read = 0
    first = await anext(aiter(response.body))
    assert first == b'{"items":['
    response.body.close()


async def test_mask_and_case() -> None:
    """Names may stay, and case may not count."""
    assert await left(JsonFields(without=["**.password"], mask=True), SECRET) == SECRET.replace(b'"x"', b"null")
    subject = JsonFields(without=["**.PassWord"], ignore_case=True)
    assert await left(subject, SECRET) == SECRET.replace(b'"password":"x",', b"")
    assert repr(subject).startswith("<JsonFields 'json fields': without **.PassWord; ")


async def test_both() -> None:
    """What must not leave does not, though it is in what may."""
    subject = JsonFields(only=["items"], without=["items[*].price"])
    assert await left(subject, SECRET) == b'{"items":[{"id":2}]}'


async def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """In shadow all goes on, field by field, and the log says what would have gone: paths, never values (S-62)."""
    caplog.set_level(logging.INFO, "revproxy.security")
    subject = fields(shadow=True, clock=FakeClock())
    response = await through(subject, SECRET, headers={"ETag": '"a"'})
    assert await response.body.read(1000) == SECRET
    assert response.headers["ETag"] == '"a"'
    assert [record.getMessage().split(", client")[0] for record in caplog.records] == [
        'rule "json fields": shadow remove for "password, items[*].price"'
    ]
    caplog.clear()
    for body, kind, detail in (
        (b'{"id":1,}', JSON, "JSON: syntax at byte 8"),
        (b'{"id":1', JSON, "JSON: end at byte 7"),
        (b"{}", "text/html", "Content-Type: not JSON: text/html"),
    ):
        assert await left(subject, [body[:3], body[3:], b""], kind) == body
        assert f'shadow block 502 for "{detail}"' in caplog.messages[-1]
    assert (subject.edited, subject.refused) == (1, 3)
    assert "; shadow, 1 edited, 3 refused>" in repr(subject)
    await subject.stop()


async def test_shadow_of_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    """Of a stream that does not end, what is new is told as it comes, and eight paths at most."""
    caplog.set_level(logging.INFO, "revproxy.security")
    subject = fields(shadow=True, fold=0)
    lines = [b'{"a%d":1}\n' % number for number in range(12)]
    assert await left(subject, lines, "application/x-ndjson") == b"".join(lines)
    assert [message.split('"')[3] for message in caplog.messages] == [f"a{number}" for number in range(8)]


async def test_a_refusal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why, and quotes nothing of it (S-72)."""
    with pytest.raises(ResponseRefused):
        await through(fields(), b'{"id":"secret",}')
    assert 'block 502 for "JSON: syntax at byte 15"' in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "only, without: one of them must be given"),
        ({"only": []}, "only must not be empty"),
        ({"only": ["a..b"]}, "only: path 'a..b': a name, * or ** is expected at 2"),
        ({"without": ["a"], "otherwise": "drop"}, "otherwise must be 'refuse' or 'pass', got 'drop'"),
        ({"without": ["a"], "depth": 0}, "depth must be an integer of 1 to 1024, got 0"),
        ({"without": ["a"], "hold": -1}, "hold must be an integer of 0 to 1073741824, got -1"),
        ({"without": ["a"], "longest_event": True}, "longest_event must be an integer of 1 to 1073741824, got True"),
        ({"without": ["a"], "name": ""}, "name must not be empty"),
    ],
    ids=range(8),
)
def test_bad_parameters(options: dict[str, Any], message: str) -> None:
    """What makes no sense is an error that names it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        JsonFields(**options)


@pytest.mark.parametrize("options", [{"only": "a"}, {"without": [1]}, {"only": ["a"], "words": "x"}], ids=range(3))
def test_bad_types(options: dict[str, Any]) -> None:
    """So is what is of the wrong type."""
    with pytest.raises(TypeError, match=r"^(only|without|words)"):
        JsonFields(**options)


@pytest.mark.parametrize("kind", ["text/plain", None, "nonsense"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_redirects(status: int, kind: str | None) -> None:
    """The content of a redirect is nobody's reading: what is no JSON does not leave, and the redirect does."""
    more = {"Location": "/a", "Content-Length": "3", "Content-Encoding": "gzip", "ETag": '"a"'}
    for body in (b"x" * 9, Body(b"302: Found"), EMPTY):
        subject = fields()
        response = await through(subject, body, kind, status=status, headers=more)
        assert (response.status, dict(response.headers), response.body) == (status, {"Location": "/a"}, EMPTY)
        assert subject.refused == 0
    assert await left(fields(), SECRET, status=status) == ALLOWED  # of JSON there is what may leave
    assert await left(fields(shadow=True), b"x" * 9, kind, status=status) == b"x" * 9


async def test_redirects_pass() -> None:
    """With ``pass`` it keeps its content, unless it would have been refused."""
    assert await left(fields(otherwise="pass"), b"302: Found", "text/plain", status=302) == b"302: Found"
    assert await left(fields(otherwise="pass"), b"302: Found", "nonsense", status=302) == b""


async def test_a_redirect_of_aiohttp(caplog: pytest.LogCaptureFixture) -> None:
    """What ``web.HTTPFound`` says of itself is no 502, and its connection serves the next request."""
    caplog.set_level(logging.INFO, "revproxy.security")

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/b")

    app = web.Application()
    app.router.add_get("/a", moved)
    async with (
        TestServer(app) as server,
        serving(Pipeline(fields(), handler=Upstream(str(server.make_url("/"))))) as site,
    ):
        for _ in range(2):
            answer = await site.ask(b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert (answer.status, answer.getall(b"Location"), answer.body) == (302, [b"/b"], b"")
            assert (answer.getall(b"Content-Type"), answer.getall(b"Content-Length")) == ([], [b"0"])
    assert caplog.records == []
