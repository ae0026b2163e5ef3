"""Bodies of requests: how they are framed anew, and what becomes of those that never end.

``late`` tells the two ways of a body apart: one that has come with the head is in memory when it is forwarded, a later
one streams.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import logging
import re
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from revproxy import Body, Exchange, Handler, Pipeline, ProxyHandler, Response, Timeouts, Upstream
from revproxy.body import StreamBody
from revproxy.errors import ClientDisconnected, ClientTimeout, Origin
from revproxy.testing import (
    FakeClock,
    FakeUpstream,
    ignore_body,
    pattern,
    read_body,
    respond,
    stall,
    stop_reading,
)

from .seen import Seen
from .wire import TIMEOUT, Answer, Client, Site, serving

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def head(*lines: bytes, method: bytes = b"POST") -> bytes:
    return b"\r\n".join([method + b" /up HTTP/1.1", b"Host: a.test", *lines, b"", b""])


def length(size: int) -> bytes:
    return b"Content-Length: %d" % size


CHUNKED = b"Transfer-Encoding: chunked"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST = chunk(b"")


async def ask(site: Site, server: FakeUpstream, start: bytes, body: bytes, *, late: bool = False) -> Answer:
    """The answer to a request; ``late``: its body is sent when its head has reached the upstream."""
    async with site.connect() as client:
        if late:
            await client.send(start)
            await server.wait_requests(len(server.requests) + 1)
            await client.send(body)
        else:
            await client.send(start + body)
        return await client.response(to=start.split(b" ")[0].decode())


async def until(ready: Callable[[], bool]) -> None:
    """Return when ``ready()`` holds, asked again at every turn of the event loop."""
    async with asyncio.timeout(TIMEOUT):
        while not ready():  # noqa: ASYNC110 - what has come of a body is no event of the fake upstream's
            await asyncio.sleep(0)


def framing(server: FakeUpstream) -> dict[str, list[str]]:
    """What the last request says of its body."""
    request = server.requests[-1]
    said = {name: request.getall(name) for name in ("Content-Length", "Transfer-Encoding")}
    return {name: values for name, values in said.items() if values}


@pytest.fixture(params=[False, True], ids=["at once", "late"])
def late(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


METHODS = [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"PROPFIND"]

# Framing.


@pytest.mark.parametrize("method", METHODS)
async def test_none_stays_none(method: bytes) -> None:
    """F-45: a request without a body goes upstream without one, and without a word about it, whatever its method."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, head(method=method), b"")).status == 200
        assert (framing(server), server.requests[0].body) == ({}, b"")


@pytest.mark.parametrize("method", METHODS)
async def test_length_stays_that_length(method: bytes, late: bool) -> None:
    """F-45, F-46: a body of a declared length goes upstream whole, with that length and no other framing."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, head(length(5), method=method), b"hello", late=late)).status == 200
        assert (framing(server), server.requests[0].body) == ({"Content-Length": ["5"]}, b"hello")
        assert server.requests[0].method == method.decode()


@pytest.mark.parametrize("method", METHODS)
async def test_chunked_stays_chunked(method: bytes, late: bool) -> None:
    """F-45, F-46: a chunked body goes upstream whole and chunked, whether or not all of it was there at once."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        body = chunk(b"hel") + chunk(b"lo") + LAST
        assert (await ask(site, server, head(CHUNKED, method=method), body, late=late)).status == 200
        assert (framing(server), server.requests[0].body) == ({"Transfer-Encoding": ["chunked"]}, b"hello")


@pytest.mark.parametrize("method", METHODS)
async def test_length_zero_is_kept(method: bytes) -> None:
    """F-45: a body that is declared to be empty is not the same as none: ``Content-Length: 0`` is kept."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, head(length(0), method=method), b"")).status == 200
        assert (framing(server), server.requests[0].body) == ({"Content-Length": ["0"]}, b"")


async def test_empty_chunked_body(late: bool) -> None:
    """F-45: a chunked body of nothing stays a chunked body of nothing."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, head(CHUNKED), LAST, late=late)).status == 200
        assert (framing(server), server.requests[0].body) == ({"Transfer-Encoding": ["chunked"]}, b"")


async def test_chunks_are_framed_anew(late: bool) -> None:
    """F-64, F-65: extensions of chunks and trailers end at the proxy; the content passes."""
    body = b'5;ext="x"\r\nhello\r\n1;a\r\n!\r\n000;last\r\nX-Trailer: 1\r\n\r\n'
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, head(CHUNKED, b"Trailer: X-Trailer"), body, late=late)).status == 200
        (request,) = server.requests
        assert (request.body, request.trailers, request.getall("Trailer")) == (b"hello!", [], [])
        assert b"ext" not in request.raw
        assert b"X-Trailer" not in request.raw


@pytest.mark.parametrize("trailer", [b"X-User: admin", b"Host: evil.test"])
async def test_trailers_never_become_fields(trailer: bytes, late: bool) -> None:
    """F-65: a trailer does not become a field of the next request on the connection, which may be another user's if the
    client is a proxy: that is served without it, or not at all."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(head(CHUNKED) + chunk(b"hello") + b"0\r\n" + trailer + b"\r\n\r\n")
        if late:
            assert (await client.response()).status == 200
        with contextlib.suppress(ConnectionError):  # it may be closed by now
            await client.send(head(b"X-Two: 2", b"Connection: close", method=b"GET"))
        await client.rest()
        assert all(trailer not in request.raw_head for request in server.requests)
        assert all(b"evil" not in request.raw_head for request in server.requests)
        assert [request.body for request in server.requests] in ([], [b"hello"], [b"hello", b""])


async def test_bodies_end_where_they_end() -> None:
    """F-46: pipelined requests with and without bodies are told apart to the byte."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        inner = head(method=b"GET").replace(b"/up", b"/inner")
        await client.send(
            head(length(len(inner)), method=b"GET")
            + inner
            + head(method=b"DELETE")
            + head(length(0), method=b"OPTIONS")
            + head(method=b"GET")
            + head(CHUNKED, method=b"DELETE")
            + chunk(inner)
            + LAST
        )
        assert [(await client.response()).status for _ in range(5)] == [200] * 5
        assert [(request.method, request.target, request.body) for request in server.requests] == [
            ("GET", "/up", inner),
            ("DELETE", "/up", b""),
            ("OPTIONS", "/up", b""),
            ("GET", "/up", b""),
            ("DELETE", "/up", inner),
        ]


@pytest.mark.parametrize(
    "lines",
    [
        [length(5), CHUNKED],
        [CHUNKED, length(5)],
        [length(5), length(6)],
        [b"Content-Length: 5, 6"],
        [b"Content-Length: +5"],
        [b"Content-Length: -5"],
        [b"Content-Length: 0x5"],
        [b"Content-Length: 5 5"],
        [b"Content-Length: "],
        [b"Content-Length: 99999999999999999999"],
        [b"Transfer-Encoding: chunked, identity"],
        [CHUNKED, CHUNKED],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: chunked\x0b"],
    ],
)
async def test_ambiguous_framing_is_refused(lines: list[bytes]) -> None:
    """F-46, RFC 9112 section 6.3: what two servers could read differently is answered 400; nothing goes upstream."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(head(*lines) + b"5\r\nhello\r\n0\r\n\r\n")
        assert (await client.response()).status in (400, 501)
        await client.rest()
        assert server.requests == []


# Big ones.


@pytest.mark.parametrize("size", [1 << 20, 32 << 20], ids=["1 MiB", "32 MiB"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_big_uploads(size: int, chunked: bool) -> None:
    """F-45, F-46: a big upload arrives whole: its length, its digest, its framing."""
    body = pattern(size)
    async with FakeUpstream(record_limit=0) as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(head(CHUNKED if chunked else length(size)))
        for piece in body:
            await client.send(chunk(piece) if chunked else piece)
        if chunked:
            await client.send(LAST)
        assert (await client.response()).status == 200
        request = server.requests[0]
        assert (request.body_length, request.sha256, request.complete) == (size, body.sha256, True)
        assert framing(server) == ({"Transfer-Encoding": ["chunked"]} if chunked else {"Content-Length": [str(size)]})


async def test_upload_is_not_held() -> None:
    """F-45: what has come of a body is passed on although the rest has not."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(head(length(10)) + b"hello")
        (request,) = await server.wait_requests()
        await until(lambda: request.body == b"hello")
        await client.send(b"world")
        assert (await client.response()).status == 200
        assert (request.body, request.complete) == (b"helloworld", True)


async def test_upload_waits_for_the_upstream() -> None:
    """F-73: while an upstream reads nothing, its client cannot send more than buffers hold; when it reads on, all of it
    arrives."""
    body = pattern(16 << 20)
    async with (
        FakeUpstream(record_limit=0, socket_buffer=65536) as server,
        serving(Upstream(server.url)) as site,
        site.connect() as client,
    ):
        server.once(stop_reading(), stall(), read_body(), respond(204))
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sent = 0
        loop = asyncio.get_running_loop()

        async def upload() -> None:
            nonlocal sent
            for piece in body:
                await client.send(piece)
                sent += len(piece)

        await client.send(head(length(body.size)))
        task = loop.create_task(upload())
        before = -1
        while sent > before:  # nothing has gone for a while: nothing will
            before = sent
            await asyncio.wait({task}, timeout=0.2)
        assert sent < body.size
        server.release()
        await asyncio.wait_for(task, TIMEOUT)
        assert (await client.response()).status == 204
        assert server.requests[0].sha256 == body.sha256


# Bodies that do not end.


@asynccontextmanager
async def uploading(start: bytes, body: bytes) -> AsyncIterator[tuple[FakeUpstream, Client, Seen]]:
    """An upload that has reached the upstream, up to and with ``body``, which says hello, and no further."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(ignore_body(), stall())
        proxy = ProxyHandler(Upstream(server.url), observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(start)
            (request,) = await server.wait_requests()
            await client.send(body)
            await until(lambda: request.body == b"hello")
            yield server, client, seen


@pytest.mark.parametrize("leave", [Client.close, Client.reset, Client.end], ids=["FIN", "RST", "half-close"])
@pytest.mark.parametrize(("start", "body"), [(head(CHUNKED), chunk(b"hello")), (head(length(9)), b"hello")])
async def test_client_leaves_amid_its_upload(
    leave: Callable[[Client], None], start: bytes, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """F-47, F-48, F-79: when the client leaves in the middle of its upload, the upstream's connection is closed at
    once, without a last chunk; that is the client's doing, and nothing that counts against the endpoint."""
    caplog.set_level(logging.DEBUG, "revproxy")
    async with uploading(start, body) as (server, client, seen):
        leave(client)
        await server.gone()
        await server.wait_closed_connections()
        (request,) = server.requests
        assert not request.complete
        assert request.raw == request.raw_head + body
        await seen.over()
        assert [type(error) for error in seen.errors] == [ClientDisconnected]
        (attempt,) = seen.settlements
        assert attempt.error is None or attempt.error.origin is Origin.CLIENT
        assert attempt.endpoint.in_flight == 0
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)


@pytest.mark.parametrize(
    "junk", [b"x\r\n", b"-1\r\n", b"5\r\nhello!!", b"\r\n", b"fffffffffffffffff\r\n", b"1 1\r\n", b"1\nx"]
)
async def test_malformed_chunks(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """F-47: a chunked body that goes wrong in the middle is answered 400 and its connection closed; the upstream's is
    closed without a last chunk."""
    caplog.set_level(logging.DEBUG, "revproxy")
    async with uploading(head(CHUNKED), chunk(b"hello")) as (server, client, seen):
        await client.send(junk)
        async with asyncio.timeout(1):
            answer = await client.response()
        assert (answer.status, answer.getall(b"Connection")) == (400, [b"close"])
        await client.rest()
        await server.gone()
        assert not server.requests[0].complete
        assert server.requests[0].body.startswith(b"hello")
        await seen.over()
        assert [error.origin for error in seen.errors] == [Origin.CLIENT]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)


async def test_more_than_declared(late: bool) -> None:
    """F-47: of a body that is longer than it said, the upstream gets what was declared, if anything; the rest is read
    as another request, which is none (400)."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(head(length(5)))
        if late:
            await server.wait_requests()
        await client.send(b"hello, world\r\n\r\n")
        statuses = re.findall(rb"HTTP/1\.[01] (\d+) ", await client.rest())
        assert statuses in ([b"200", b"400"], [b"400"])
        assert [request.body for request in server.requests] == [b"hello"] * (len(statuses) - 1)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abc", b"def"]], ids=["too few", "too many"])
async def test_a_filters_body_of_another_length(pieces: list[bytes]) -> None:
    """F-47: a filter's body that is not as long as it said never looks whole: the upstream's connection is closed."""

    async def replace(exchange: Exchange, handler: Handler) -> Response:
        async def source() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        exchange.request.body = StreamBody(source(), length=5)
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(replace, handler=Upstream(server.url))) as site:
        assert (await site.ask(head(length(1)) + b"x")).status in (400, 500)
        await server.gone()
        (request,) = server.requests
        assert (request.getall("Content-Length"), request.complete, request.body) == (["5"], False, b"abc")


async def test_a_filters_body_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """F-48: a filter's body that raises in the middle is a 500 with its cause in the log; upstream it never ends."""

    async def replace(exchange: Exchange, handler: Handler) -> Response:
        async def source() -> AsyncIterator[bytes]:
            yield b"abc"
            raise LookupError("out of words")

        exchange.request.body = StreamBody(source())
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(replace, handler=Upstream(server.url))) as site:
        assert (await site.ask(head())).status == 500
        await server.gone()
        (request,) = server.requests
        assert (request.getall("Transfer-Encoding"), request.complete, request.body) == (["chunked"], False, b"abc")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert isinstance(record.exc_info[1], LookupError)


async def test_client_that_stops_sending(caplog: pytest.LogCaptureFixture) -> None:
    """A client that stops in the middle of its upload is answered 408 after ``Timeouts.idle``; the upstream's
    connection is closed, and nothing counts against the endpoint."""
    caplog.set_level(logging.DEBUG, "revproxy")
    clock, seen = FakeClock(), Seen()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, timeouts=Timeouts(idle=7), clock=clock)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(head(length(9)) + b"hello")
            (request,) = await server.wait_requests()
            await until(lambda: request.body == b"hello")
            await clock.advance_async(6.9)
            assert server.left == 0
            await clock.advance_async(0.2)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (408, [b"close"])
            await server.gone()
            assert not request.complete
            await seen.over()
        assert [type(error) for error in seen.errors] == [ClientTimeout]
        assert [attempt.error for attempt in seen.settlements] == [None]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)


async def test_client_that_sends_nothing_of_its_body() -> None:
    """The same holds for a client that stops right after its head."""
    clock = FakeClock()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, timeouts=Timeouts(idle=7), clock=clock)
        async with serving(upstream) as site, site.connect() as client:
            await client.send(head(CHUNKED))
            await server.wait_requests()
            await clock.advance_async(7.1)
            assert (await client.response()).status == 408
            await server.gone()


async def test_a_slow_client_is_not_cut() -> None:
    """An upload that goes on, however slowly, is not cut: the time counts from one piece to the next."""
    clock = FakeClock()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, timeouts=Timeouts(idle=7), clock=clock)
        async with serving(upstream) as site, site.connect() as client:
            await client.send(head(length(5)))
            (request,) = await server.wait_requests()
            for size in range(1, 6):
                await clock.advance_async(6)
                await client.send(b"x")
                await until(lambda size=size: request.body_length == size)  # type: ignore[misc]
            assert (await client.response()).status == 200


async def test_nothing_waits_for_a_client_that_has_left() -> None:
    """F-75, F-79: a client that leaves after an answer to a body that it has not sent is not waited for: the server has
    no task left, whatever its ``lingering_time``, and an application that ends meanwhile is not held up."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), max_body=0)
        async with serving(proxy, lingering_time=60) as site:
            before = asyncio.all_tasks()
            async with site.connect() as client:
                await client.send(head(length(9)))
                assert (await client.response()).status == 413
            async with asyncio.timeout(1):
                await until(lambda: asyncio.all_tasks() == before)


# Limits.


@pytest.mark.parametrize("body", [b"", b"hello"], ids=["before", "with"])
@pytest.mark.parametrize("limit", [0, 5])
async def test_max_body_by_declared_length(limit: int, body: bytes) -> None:
    """F-68: a body that is declared longer than ``max_body`` is answered 413 at once; nothing goes upstream."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), max_body=limit)) as site:
        async with site.connect() as client:
            await client.send(head(length(limit + 1)) + body[:limit])
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (413, [b"close"])
        assert server.connections == 0


@pytest.mark.parametrize("framed", ["length", "chunked"])
async def test_max_body_is_inclusive(framed: str, late: bool) -> None:
    """F-68: a body of exactly ``max_body`` bytes passes."""
    start, body = (head(length(5)), b"hello") if framed == "length" else (head(CHUNKED), chunk(b"hello") + LAST)
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), max_body=5)) as site:
        assert (await ask(site, server, start, body, late=late)).status == 200
        assert server.requests[0].body == b"hello"


async def test_no_body_passes_any_limit() -> None:
    """F-68: ``max_body=0`` is for a proxy that takes no bodies; requests without one pass."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), max_body=0)) as site:
        assert (await site.ask(head(method=b"GET"))).status == 200
        assert (await site.ask(head(length(0)))).status == 200
        assert (await site.ask(head(CHUNKED) + LAST)).status == 200


async def test_max_body_overrun_at_once() -> None:
    """F-68: a chunked body that has come whole and is too long is answered 413; nothing goes upstream."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), max_body=5)) as site:
        assert (await site.ask(head(CHUNKED) + chunk(b"hello!") + LAST)).status == 413
        assert server.connections == 0


async def test_max_body_overrun_on_the_way() -> None:
    """F-68: a chunked body that grows too long on its way is answered 413 there; upstream it never ends."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), max_body=8)
        async with serving(proxy) as site, site.connect() as client:
            await client.send(head(CHUNKED) + chunk(b"hello"))
            (request,) = await server.wait_requests()
            await until(lambda: request.body == b"hello")
            await client.send(chunk(b"hello"))
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (413, [b"close"])
            await server.gone()
            assert not request.complete
            assert request.body == b"hello"


# What the application has done to the body before.


def application(
    server: FakeUpstream, before: Callable[[web.Request], Awaitable[object]], **options: int
) -> web.Application:
    """An application whose middleware does something to the request before the proxy gets it."""

    @web.middleware
    async def middleware(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        await before(request)
        return await handler(request)

    app = web.Application(middlewares=[middleware])
    ProxyHandler(Upstream(server.url), **options).mount(app)  # type: ignore[arg-type]
    return app


@pytest.mark.parametrize("read", [web.Request.read, web.Request.text, web.Request.post], ids=["read", "text", "post"])
@pytest.mark.parametrize("size", [5, 300_000])
async def test_body_that_was_read_before(read: Callable[[web.Request], Awaitable[object]], size: int) -> None:
    """F-49: a body that a middleware has read goes upstream whole all the same."""
    body = b"".join(pattern(size))
    form = b"Content-Type: application/x-www-form-urlencoded"
    async with FakeUpstream() as server, serving(application(server, read)) as site:
        assert (await site.ask(head(length(size), form) + body)).status == 200
        assert (framing(server), server.requests[-1].body) == ({"Content-Length": [str(size)]}, body)
        assert (await site.ask(head(CHUNKED, form) + chunk(body) + LAST)).status == 200
        assert (server.requests[-1].body, server.requests[-1].complete) == (body, True)
        assert (await site.ask(head(length(0), form))).status == 200
        assert framing(server) == {"Content-Length": ["0"]}
        assert (await site.ask(head(method=b"GET"))).status == 200
        assert framing(server) == {}


async def test_body_that_was_read_before_has_the_limit() -> None:
    """F-49, F-68: ``max_body`` holds for a body that was read before as for any other."""
    async with FakeUpstream() as server, serving(application(server, web.Request.read, max_body=4)) as site:
        assert (await site.ask(head(CHUNKED) + chunk(b"hello") + LAST)).status == 413
        assert (await site.ask(head(length(5)) + b"hello")).status == 413
        assert (await site.ask(head(length(4)) + b"hell")).status == 200
        assert [request.body for request in server.requests] == [b"hell"]


async def _take_two(request: web.Request) -> object:
    return await request.content.read(2)


async def _take_all(request: web.Request) -> object:
    return await request.content.read()


async def _take_lines(request: web.Request) -> object:
    return [line async for line in request.content]


@pytest.mark.parametrize("take", [_take_two, _take_all, _take_lines])
@pytest.mark.parametrize(("start", "body"), [(head(length(5)), b"hello"), (head(CHUNKED), chunk(b"hello") + LAST)])
async def test_body_that_was_partly_taken(
    take: Callable[[web.Request], Awaitable[object]], start: bytes, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """F-49: a body that a middleware has taken something of cannot be forwarded: 500, logged as an error. A part, or
    nothing, is not sent in its stead."""
    async with FakeUpstream() as server, serving(application(server, take)) as site:
        assert (await site.ask(start + body)).status == 500
        assert server.connections == 0
    (record,) = [record for record in caplog.records if record.name.startswith("revproxy")]
    assert record.levelno == logging.ERROR
    assert "body" in record.getMessage()


async def test_body_that_a_filter_reads() -> None:
    """A filter may read the body, within a limit, and put it back: as one in memory, with its length."""

    async def inspect(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.body = Body(await exchange.request.body.read(1000))
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(inspect, handler=Upstream(server.url))) as site:
        for start, body in ((head(length(5)), b"hello"), (head(CHUNKED), chunk(b"hel") + chunk(b"lo") + LAST)):
            assert (await site.ask(start + body)).status == 200
            assert (framing(server), server.requests[-1].body) == ({"Content-Length": ["5"]}, b"hello")
        async with site.connect() as client:
            await client.send(head(CHUNKED) + chunk(b"x" * 600))
            await client.send(chunk(b"x" * 600))
            assert (await client.response()).status == 413
        assert (await site.ask(head(length(1001)) + b"x" * 1001)).status == 413
        assert len(server.requests) == 2


# Content-Encoding.

PLAIN = b"".join(pattern(5000))
CODED = [(b"gzip", gzip.compress(PLAIN)), (b"GZIP", gzip.compress(PLAIN)), (b"deflate", zlib.compress(PLAIN))]


@pytest.mark.parametrize(("coding", "data"), CODED)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_coding_that_the_server_undoes(coding: bytes, data: bytes, chunked: bool, late: bool) -> None:
    """F-50: where aiohttp decompresses, what it gives is forwarded: the content itself, ``Content-Encoding`` gone, and
    framed anew, never with the length of what it was."""
    line = b"Content-Encoding: " + coding
    start, body = (head(CHUNKED, line), chunk(data) + LAST) if chunked else (head(length(len(data)), line), data)
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await ask(site, server, start, body, late=late)).status == 200
        (request,) = server.requests
        assert (request.getall("Content-Encoding"), request.body) == ([], PLAIN)
        assert framing(server) in ({"Transfer-Encoding": ["chunked"]}, {"Content-Length": [str(len(PLAIN))]})


@pytest.mark.parametrize(("coding", "data"), CODED)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_coding_that_the_server_leaves(coding: bytes, data: bytes, chunked: bool, late: bool) -> None:
    """F-50: with ``auto_decompress=False`` a coded body goes upstream as it came, ``Content-Encoding`` and all."""
    line = b"Content-Encoding: " + coding
    start, body = (head(CHUNKED, line), chunk(data) + LAST) if chunked else (head(length(len(data)), line), data)
    async with FakeUpstream() as server, serving(Upstream(server.url), auto_decompress=False) as site:
        assert (await ask(site, server, start, body, late=late)).status == 200
        (request,) = server.requests
        assert (request.getall("Content-Encoding"), request.body) == ([coding.decode()], data)
        assert framing(server) == (
            {"Transfer-Encoding": ["chunked"]} if chunked else {"Content-Length": [str(len(data))]}
        )


async def test_identity_is_no_coding(late: bool) -> None:
    """F-50: a coding that there is nothing to undo of passes as it came, with the length that was declared."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        await ask(site, server, head(length(5), b"Content-Encoding: identity"), b"hello", late=late)
        assert (server.requests[0].getall("Content-Encoding"), server.requests[0].body) == (["identity"], b"hello")
        assert framing(server) == {"Content-Length": ["5"]}


async def test_coding_undone_and_read_before() -> None:
    """F-49, F-50: a coded body that a middleware has read goes upstream decoded, and framed anew."""
    data = gzip.compress(PLAIN)
    async with FakeUpstream() as server, serving(application(server, web.Request.read)) as site:
        assert (await site.ask(head(length(len(data)), b"Content-Encoding: gzip") + data)).status == 200
        (request,) = server.requests
        assert (request.getall("Content-Encoding"), request.body) == ([], PLAIN)
        assert framing(server) in ({"Transfer-Encoding": ["chunked"]}, {"Content-Length": [str(len(PLAIN))]})


async def test_big_coded_upload() -> None:
    """F-50: an upload that is big when it is decoded streams, decoded."""
    plain = b"".join(pattern(4 << 20))
    data = gzip.compress(plain, 1)
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(head(length(len(data)), b"Content-Encoding: gzip") + data)).status == 200
        assert server.requests[0].sha256 == hashlib.sha256(plain).hexdigest()


async def test_invalid_coding(late: bool, caplog: pytest.LogCaptureFixture) -> None:
    """F-50, F-82: a body that is not coded as it says is the client's fault: 400; upstream it never looks whole."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        start, body = head(length(9), b"Content-Encoding: gzip"), b"no gzip!!"
        assert (await ask(site, server, start, body, late=late)).status == 400
        assert not any(request.complete for request in server.requests)
    assert not [record for record in caplog.records if record.name.startswith("revproxy") and record.exc_info]


async def test_max_body_counts_what_is_decoded() -> None:
    """F-50, F-68: a small body that decodes to a big one is as big as that."""
    data = gzip.compress(bytes(1 << 20))
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), max_body=100_000)) as site:
        answer = await site.ask(head(length(len(data)), b"Content-Encoding: gzip") + data)
        assert answer.status == 413
        assert not any(request.complete for request in server.requests)
