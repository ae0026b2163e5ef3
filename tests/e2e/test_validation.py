"""Requests that are refused before a server sees them, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from typing import Any

import pytest

from revproxy import Pipeline, ProxyHandler, Upstream
from revproxy.filters import ValidateRequest
from revproxy.guard import Guard
from revproxy.testing import FakeUpstream, Turn
from revproxy.testing.script import Action

from .wire import Answer, serving

SECRET = b"hunter2hunter2"
ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"properties": {"price": {"minimum": 0}}}}},
    "additionalProperties": False,
}


def post(body: bytes, *lines: bytes, target: bytes = b"/orders", content_type: bytes = b"application/json") -> bytes:
    head = [b"POST %b HTTP/1.1" % target, b"Host: a.test", b"Content-Type: " + content_type, *lines]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


def chunked(*parts: bytes, content_type: bytes = b"application/json") -> bytes:
    head = (
        b"POST /orders HTTP/1.1\r\nHost: a.test\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
        % content_type
    )
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def document(answer: Answer) -> Any:
    assert answer.getall(b"Content-Type") == [b"application/problem+json"]
    said = json.loads(answer.body)
    assert said["status"] == answer.status
    return said


@pytest.mark.parametrize(
    ("request_", "status", "errors"),
    [
        (post(b'{"items":[{"price":-17}]}'), 422, [{"in": "body", "pointer": "#/items/0/price", "keyword": "minimum"}]),
        (
            chunked(b'{"items":[{"pri', b'ce":-17}]}'),
            422,
            [{"in": "body", "pointer": "#/items/0/price", "keyword": "minimum"}],
        ),
        (post(b'{"%b":1}' % SECRET), 422, [{"in": "body", "pointer": "#", "keyword": "additionalProperties"}]),
        (post(b'{"items":"%b"}' % SECRET), 422, [{"in": "body", "pointer": "#/items", "keyword": "type"}]),
        (post(b'{"items":[],"items":"%b"}' % SECRET), 400, [{"in": "body", "reason": "duplicate"}]),
        (post(b'{"items":' + SECRET), 400, [{"in": "body", "reason": "syntax", "offset": 9}]),
        (chunked(b"[" * 5000), 400, [{"in": "body", "reason": "depth"}]),
        (b"GET /orders HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, [{"in": "body", "reason": "missing"}]),
        (post(b"", target=b"/orders?page=0"), 422, [{"in": "query", "pointer": "#/page", "keyword": "minimum"}]),
        (post(b"{}", target=b"/orders?page=1&page=" + SECRET), 400, [{"in": "query", "reason": "duplicate"}]),
        (post(b"{}", content_type=b"text/plain"), 415, [{"in": "header", "name": "Content-Type"}]),
        (post(b"{}", content_type=b"application/json; charset=utf-7"), 415, [{"in": "header", "name": "Content-Type"}]),
        (post(SECRET, b"Content-Encoding: br"), 415, [{"in": "header", "name": "Content-Encoding"}]),
    ],
)
async def test_refused(request_: bytes, status: int, errors: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    """S-44: the server sees nothing of a request that does not say what it has to; the client is told where, and not a
    word of what it sent; the log has one line."""
    page = {"properties": {"page": {"type": "integer", "minimum": 1}}}
    async with FakeUpstream() as server:
        subject = ValidateRequest(body=ORDER, query=page, max_size=10_000)
        proxy = ProxyHandler(Pipeline(subject, handler=Upstream(server.url)), via=None)
        async with serving(proxy, guard=Guard()) as site:  # which leaves bodies as they came
            answer = await site.ask(request_)
        assert (answer.status, document(answer)["errors"]) == (status, errors)
        assert SECRET not in answer.raw_head + answer.raw_body
        assert b"-17" not in answer.raw_body
        assert server.requests == []
        if status == 415:
            encoded = errors[0]["name"] == "Content-Encoding"
            assert answer.getall(b"Accept") == ([] if encoded else [b"application/json, application/*+json"])
            assert answer.getall(b"Accept-Encoding") == ([b"identity"] if encoded else [])
    (line,) = [record for record in caplog.records if record.name == "revproxy.security"]
    assert (line.levelno, line.__dict__["action"]) == (logging.WARNING, f"block {status}")


async def test_passed() -> None:
    """What fits arrives to the byte, framed as it was sent."""
    data = b' {"items" : [{"price": 1.50}]}\n'
    async with FakeUpstream() as server:
        async with serving(Pipeline(ValidateRequest(body=ORDER), handler=Upstream(server.url))) as site:
            assert (await site.ask(post(data, content_type=b"application/json ; charset=UTF-8"))).status == 200
            assert (await site.ask(chunked(data[:9], data[9:]))).status == 200
        sized, streamed = server.requests
        assert (sized.body, streamed.body) == (data, data)
        assert (sized.getall("Content-Length"), streamed.getall("Transfer-Encoding")) == ([str(len(data))], ["chunked"])
        assert sized.getall("Content-Type") == ["application/json ; charset=UTF-8"]


@pytest.mark.parametrize("options", [{"max_size": 1000}, {"max_size": 1000, "body": True}])
async def test_too_large(options: dict[str, Any]) -> None:
    """413 for a body that says it is too large, of which nothing need be sent, and for one in chunks that turns out to
    be. No server has a whole one."""
    async with (
        FakeUpstream() as server,
        serving(Pipeline(ValidateRequest(**options), handler=Upstream(server.url))) as site,
    ):
        async with site.connect() as client:
            head = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n"
            await client.send(head + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
            answer = await client.response()  # no interim one
            assert (answer.status, document(answer)["title"]) == (413, "The request body is too large")
        async with site.connect() as client:
            await client.send(head + b"Transfer-Encoding: chunked\r\n\r\n1f4\r\n" + b"1" * 500 + b"\r\n")
            await client.send(b"1f5\r\n" + b"1" * 501 + b"\r\n")
            assert (await client.final()).status == 413
        assert [len(request.body) for request in server.requests if request.body] in ([], [500])


async def test_a_stream_passes_as_it_comes() -> None:
    """With a size alone nothing is held back: the server has the beginning before the client has sent the end."""
    came = asyncio.Event()

    async def answer(turn: Turn) -> None:
        data = b""
        while b"hello" not in data:
            data += await turn.read()
        came.set()
        while not data.endswith(b"0\r\n\r\n"):
            data += await turn.read()
        await turn.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await turn.close()

    async with (
        FakeUpstream() as server,
        serving(Pipeline(ValidateRequest(max_size=9), handler=Upstream(server.url))) as site,
    ):
        server.always(Action("answer()", answer, governs_body=True))
        async with site.connect() as client:
            await client.send(chunked(b"hello")[:-5])
            await came.wait()
            await client.send(b"0\r\n\r\n")
            assert (await client.final()).status == 200


async def test_what_the_server_has_decoded() -> None:
    """Where aiohttp undoes a coding, what is judged, counted and sent on is what was in it; a bomb is 413."""
    async with FakeUpstream() as server:
        subject = ValidateRequest(body=ORDER, max_size=1000)
        async with serving(Pipeline(subject, handler=Upstream(server.url))) as site:
            lines = b"Content-Encoding: gzip"
            assert (await site.ask(post(gzip.compress(b'{"items":[]}'), lines))).status == 200
            assert (await site.ask(post(gzip.compress(b'{"others":[]}'), lines))).status == 422
            assert (await site.ask(post(gzip.compress(b" " * 100_000), lines))).status == 413
        (request,) = server.requests
        assert (request.body, request.getall("Content-Encoding")) == (b'{"items":[]}', [])
