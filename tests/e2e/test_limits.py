"""What cannot be done from inside an aiohttp handler, and what happens instead: docs/limits.md, claim by claim.

Some of these tests hold aiohttp to what the page says of it. One that fails after an update may be good news.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import inspect
import os
import socket
import ssl
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from aiohttp.web_protocol import RequestHandler

from revproxy import ProxyHandler, Tls, Upstream
from revproxy.errors import BadRequest, ClientDisconnected, ProtocolError, Truncated
from revproxy.testing import FakeUpstream, close, hold, ignore_body, raw, reset, respond, stall

from ..wire import turns
from .seen import Seen
from .wire import GET, Answer, Site, serving

POST = b"POST /up HTTP/1.1\r\nHost: a.test\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OLD_GET = b"GET / HTTP/1.0\r\n\r\n"


def get(target: bytes = b"/", *lines: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a.test\r\n%b\r\n" % (target, b"".join(line + b"\r\n" for line in lines))


def is_of_the_server(answer: Answer) -> bool:
    """Whether the answer is the server's own, not the proxy's."""
    return any(b"aiohttp" in value for value in answer.getall(b"Server"))


# Trailers.


async def test_request_trailers_end_here() -> None:
    """F-65, S-09: trailers of a request do not reach the upstream, neither as trailers nor as fields, and nothing
    promises them."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        head = CHUNKED.replace(b"\r\n\r\n", b"\r\nTrailer: X-Sum\r\n\r\n")
        await site.ask(head + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Type: a/b\r\n\r\n")
        (request,) = server.requests
        assert (request.body, request.trailers) == (b"hello", [])
        assert (b"Trailer" in request.raw, b"X-Sum" in request.raw, b"a/b" in request.raw) == (False, False, False)


async def test_response_trailers_end_here() -> None:
    """F-23, F-65: trailers of a response do not reach the client, also one that takes them, and the upstream is not
    told that it may send some."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(respond(headers={"Trailer": "X-Sum"}, body=b"hello", chunked=True, trailers={"X-Sum": "1"}))
        answer = await site.ask(get(b"/", b"TE: trailers", b"Connection: TE"))
        assert (answer.body, answer.raw_body[-5:]) == (b"hello", b"0\r\n\r\n")
        assert answer.getall(b"Trailer") + answer.getall(b"X-Sum") == []
        assert server.requests[0].getall("TE") == []


async def test_why_a_chunked_request_is_the_last() -> None:
    """F-65: aiohttp takes the last trailer of a chunked request for a field of the next one. (If this fails, a chunked
    request need not end its connection any more.)"""
    seen: list[dict[str, str]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        seen.append(dict(request.headers))
        return web.Response()

    async with serving(web.Server(handler)) as site, site.connect() as client:
        await client.send(CHUNKED + b"0\r\nX-User: admin\r\n\r\n")
        assert (await client.response()).status == 200
        await client.send(GET)
        assert (await client.response()).status == 200
    assert [fields.get("X-User") for fields in seen] == [None, "admin"]


async def test_a_chunked_request_is_the_last() -> None:
    """F-65: the answer to a chunked request says that the connection ends, and it does; what follows is not served. The
    upstream's connection is kept."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        async with site.connect() as client:
            await client.send(CHUNKED + b"5\r\nhello\r\n0\r\nX-User: admin\r\n\r\n" + GET)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
            assert await client.rest() == b""
        await site.ask(GET)
        assert [(request.method, request.connection) for request in server.requests] == [("POST", 1), ("GET", 1)]


# Heads that are too large.

TOO_LARGE = {
    "target": get(b"/" + b"a" * 8190),
    "line": get(b"/", b"X-A: " + b"a" * 8191),
    "number": get(b"/", *(b"X-%d: 1" % n for n in range(128))),
}


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_a_head_beyond_the_servers_limits(what: str) -> None:
    """F-17, S-28: a target, a field or a number of fields beyond the server's limits is its own 400, neither 414 nor
    431; the proxy and its observers hear nothing of it."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        answer = await site.ask(TOO_LARGE[what])
        assert (answer.status, is_of_the_server(answer)) == (400, True)
        assert (server.requests, seen.exchanges) == ([], [])


async def test_a_head_just_below_the_servers_limits() -> None:
    """F-17, S-28: a target of 8190 bytes, a field of that and 128 fields pass."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        target, value = b"/" + b"a" * 8189, b"a" * 8187
        assert (await site.ask(get(target))).status == 200
        assert (await site.ask(get(b"/", b"X-A: " + value))).status == 200
        assert (await site.ask(get(b"/", *(b"X-%d: 1" % n for n in range(127))))).status == 200
        assert server.requests[0].target == target.decode()
        assert server.requests[1].getall("X-A") == [value.decode()]


@pytest.mark.parametrize("what", TOO_LARGE)
async def test_the_servers_limits_can_be_raised(what: str) -> None:
    """F-17, S-28: with the server's own options larger heads pass."""
    larger: dict[str, Any] = {"max_line_size": 16384, "max_field_size": 16384, "max_headers": 256}
    async with FakeUpstream() as server, serving(Upstream(server.url), **larger) as site:
        assert (await site.ask(TOO_LARGE[what])).status == 200


async def test_64_kib_of_fields() -> None:
    """F-17, S-28: over 64 KiB of fields in all are the proxy's 431, whatever the server lets in."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        answer = await site.ask(get(b"/", *(b"X-%d: %b" % (n, b"a" * 8000) for n in range(9))))
        assert (answer.status, is_of_the_server(answer)) == (431, False)
        assert (server.requests, len(seen.errors)) == ([], 1)


async def test_the_parsers_own_page() -> None:
    """S-74, F-83: what the server cannot parse it answers by itself: in HTTP/1.0, with its name and version and a part
    of the line that it stumbled over, as plain text, and closes. No signal, middleware or observer is asked."""
    asked: list[str] = []

    @web.middleware
    async def middleware(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        asked.append("middleware")
        return await handler(request)

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        asked.append("signal")

    seen = Seen()
    async with FakeUpstream() as server:
        app = web.Application(middlewares=[middleware])
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(Upstream(server.url), observers=[seen]).mount(app)
        async with serving(app) as site, site.connect() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX-Token: secret\x01\r\n\r\n" + GET)
            answer = await client.head()
            assert (answer.version, answer.status, is_of_the_server(answer)) == (b"HTTP/1.0", 400, True)
            assert answer.getall(b"Content-Type") == [b"text/plain; charset=utf-8"]
            assert b"secret" in await client.rest()  # and the second request is not served
        assert (asked, seen.exchanges, server.requests) == ([], [], [])


@pytest.mark.parametrize(
    "line", [b"\r\n\n\rGET / HTTP/1.1", b"GET   /  HTTP/1.1", b"GET / RTSP/1.1", b"SOURCE / ICE/1.1"]
)
async def test_odd_request_lines(line: bytes) -> None:
    """F-01, S-01: what aiohttp's parser reads with goodwill goes upstream as one clean request."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(line + b"\r\nHost: a.test\r\n\r\n")).status == 200
        (request,) = server.requests
        assert request.raw_head.startswith(b"%b / HTTP/1.1\r\nHost: 127.0.0.1:" % line.split()[0])


@pytest.mark.parametrize("last", [get(b"/", b"Connection: close"), OLD_GET])
async def test_what_stands_behind_the_last_request(last: bytes) -> None:
    """F-47, S-10: behind a request that ends the connection nothing is a request; in the same read it spoils it."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(last + GET)
        answer = await client.head()
        assert (answer.status, is_of_the_server(answer), server.requests) == (400, True, [])


# CONNECT and OPTIONS *.

CONNECT = b"CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n"
INNER = get(b"/inner")
INNER_LENGTH = b"Content-Length: %d\r\n" % len(INNER)


@pytest.mark.parametrize("length", [b"", INNER_LENGTH])
async def test_what_follows_a_connect_under_mount(length: bytes) -> None:
    """F-09, S-13: under ``mount`` a CONNECT is the application's 404, on a connection that goes on: what follows is
    read as requests, also where it was declared to be a body."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(CONNECT + length + b"\r\n" + INNER)
        refusal = await client.response()
        assert (refusal.status, is_of_the_server(refusal)) == (404, True)
        assert (await client.response()).status == 200
        assert [(request.method, request.target) for request in server.requests] == [("GET", "/inner")]


async def test_a_middleware_that_ends_a_connect() -> None:
    """F-09, S-13: an application's middleware sees the CONNECT, and with ``force_close`` nothing after it is served."""

    @web.middleware
    async def no_connect(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        if request.method != "CONNECT":
            return await handler(request)
        response = web.Response(status=405)
        response.force_close()
        return response

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[no_connect])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site, site.connect() as client:
            await client.send(CONNECT + b"\r\n" + INNER)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (405, [b"close"])
            assert await client.rest() == b""
        assert server.requests == []


@pytest.mark.parametrize(("length", "status"), [(b"", 405), (INNER_LENGTH, 405)])
async def test_connect_without_a_router(length: bytes, status: int) -> None:
    """F-09, S-12, S-13: where no router stands before the proxy, it refuses the CONNECT itself, with a body as well as
    without, and ends the connection."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        async with serving(web.Server(proxy.handle)) as site, site.connect() as client:
            await client.send(CONNECT + length + b"\r\n" + INNER)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (status, [b"close"])
            assert await client.rest() == b""
        assert server.requests == []


@pytest.mark.parametrize(("where", "status"), [("/", 200), ("/shop", 404), ("route", 404)])
async def test_options_asterisk(where: str, status: int) -> None:
    """F-10: ``OPTIONS *`` is forwarded by a proxy that is mounted at ``/``. It is below no other path, and a pattern
    does not match it: the application's 404."""
    async with FakeUpstream() as server:
        proxy, app = ProxyHandler(Upstream(server.url)), web.Application()
        if where == "route":
            app.router.add_route("*", "/{path:.*}", proxy.handle)
            app.cleanup_ctx.append(proxy.lifespan)
        else:
            proxy.mount(app, where)
        async with serving(app) as site:
            answer = await site.ask(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert (answer.status, is_of_the_server(answer)) == (status, status == 404)
        assert [request.target for request in server.requests] == ["*"] * (status == 200)


# Bodies whose end nobody declares.


@pytest.mark.parametrize("request_head", [GET, OLD_GET], ids=["1.1", "1.0"])
async def test_a_close_delimited_body_that_breaks_off(request_head: bytes) -> None:
    """F-54, F-58: of a response that ends with its connection, an orderly end is the end, also where the back end meant
    to send more; it looks whole to the client. A reset is no end: the client is cut, too."""
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.once(raw(head + b"hal"), close())
        answer = await site.ask(request_head)
        assert (answer.body, seen.errors) == (b"hal", [])
        go = asyncio.Event()
        server.once(raw(head + b"hal"), hold(go), reset())
        async with site.connect() as client:
            await client.send(request_head)
            assert (await client.head()).status == 200
            await client.until(b"hal")
            go.set()
            assert not (await client.rest()).endswith(b"0\r\n\r\n")
            assert client.was_reset
    assert [type(error) for error in seen.errors] == [Truncated]


FRAMED = {
    "length": (b"Content-Length: 9\r\n\r\nhal", False),
    "chunked": (b"Transfer-Encoding: chunked\r\n\r\n3\r\nhal\r\n", False),
    "close-delimited": (b"\r\nhal", True),
}


@pytest.mark.parametrize("framing", FRAMED)
async def test_tls_that_ends_without_close_notify(framing: str) -> None:
    """F-54: over TLS, too, a body with a length or in chunks that ends early is an error; of one that ends with the
    connection, anybody on the way can make the end, since a missing close_notify is not seen."""
    answer, whole = FRAMED[framing]
    authority = trustme.CA()
    serves, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serves)
    authority.configure_trust(trusts)
    seen, go, over = Seen(), asyncio.Event(), asyncio.Event()

    async def end_without_notice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + answer)
        await go.wait()
        below = writer.get_extra_info("socket")
        with socket.socket(fileno=os.dup(below.fileno())) as sock:
            sock.shutdown(socket.SHUT_WR)  # a FIN of TCP, and nothing of TLS
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(end_without_notice, "127.0.0.1", 0, ssl=serves)
    async with server:
        upstream = Upstream(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", tls=Tls(context=trusts))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            await client.until(b"hal")
            go.set()
            if whole:
                await client.gets(b"\r\n0\r\n\r\n")
            else:
                await client.rest()
                assert client.was_reset
            over.set()
    assert [type(error) for error in seen.errors] == ([] if whole else [Truncated])


# A client that half-closes.


async def half_closing(site: Site, asked: bytes) -> bytes:
    """What comes for a request that ends with a FIN."""
    async with site.connect() as client:
        await client.send(asked)
        client.end()
        return await client.rest()


@pytest.mark.parametrize("asked", [GET, OLD_GET, POST + b"Content-Length: 5\r\n\r\nhello"], ids=["1.1", "1.0", "POST"])
async def test_a_client_that_half_closes_at_once(asked: bytes) -> None:
    """F-79: a client that ends its side together with its request has left: no answer, and no word why."""
    seen, go = Seen(), asyncio.Event()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(hold(go))
        assert await half_closing(site, asked) == b""
    assert {type(error) for error in seen.errors} <= {ClientDisconnected}


async def test_a_client_that_half_closes_while_it_waits() -> None:
    """F-79: the same later: the upstream's connection is closed, and it is the client's doing."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(stall())
        async with site.connect() as client:
            await client.send(GET)
            await server.wait_requests(1)
            client.end()
            assert await client.rest() == b""
        await server.gone()
        await seen.over()
    assert [type(error) for error in seen.errors] == [ClientDisconnected]
    assert seen.statuses == [None]


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_client_that_half_closes_amid_the_answer(framing: str) -> None:
    """F-54, F-79: what was sent stays a part, for whoever looks at the framing."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(raw(b"HTTP/1.1 200 OK\r\n" + FRAMED[framing][0]), stall())
        async with site.connect() as client:
            await client.send(GET)
            await client.until(b"hal")
            client.end()
            assert await client.rest() in (b"", b"\r\n")
        await server.gone()
        await seen.over()
    assert [type(error) for error in seen.errors] == [ClientDisconnected]


# Upgrades.


@pytest.mark.parametrize("token", [b"h2c", b"TLS/1.0", b"tcp", b"chat/2"])
async def test_no_other_protocol(token: bytes) -> None:
    """F-22, F-91, S-11: what asks for another protocol is an ordinary request to the upstream, and the last one on its
    connection; nothing behind it is served."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(
            get(b"/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + token, b"HTTP2-Settings: A") + GET
        )
        answer = await client.response()
        assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
        assert await client.rest() == b""
        (request,) = server.requests
        assert request.getall("Upgrade") + request.getall("Connection") + request.getall("HTTP2-Settings") == []


async def test_a_101_that_nobody_asked_for() -> None:
    """S-11: an upstream that switches protocols unasked has sent an invalid response: 502."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.once(raw(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello"))
        async with site.connect() as client:
            await client.send(GET)
            assert (await client.response()).status == 502
    assert [type(error) for error in seen.errors] == [ProtocolError]


# Chunks.


async def test_chunk_extensions_are_not_seen() -> None:
    """F-64, S-08: aiohttp's parser drops chunk extensions of any size before the proxy could count or pass them."""
    extended = b"8;a=" + b"x" * 100_000 + b"\r\n12345678\r\n"
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(CHUNKED + extended * 10 + b"0;last\r\n\r\n")).status == 200
        (request,) = server.requests
        assert (request.body, b"xx" in request.raw) == (b"12345678" * 10, False)


async def test_tiny_chunks() -> None:
    """S-08: a body that streams in over 4096 chunks of fewer than 8 bytes on average is refused, and never looks
    complete upstream."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(ignore_body(), stall())
        async with site.connect() as client:
            await client.send(CHUNKED)
            await server.wait_requests(1, complete=False)
            await client.send(b"1\r\nx\r\n" * 5000)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (400, [b"close"])
        await server.gone()
        assert not server.requests[0].complete
    assert [type(error) for error in seen.errors] == [BadRequest]


async def test_tiny_chunks_that_are_there_at_once() -> None:
    """S-08: a small body that is there as a whole before the proxy sees it goes on as one piece, however it was cut."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(CHUNKED + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n")).status == 200
        (request,) = server.requests
        assert request.raw.endswith(b"\r\n\r\n1f4\r\n" + b"x" * 500 + b"\r\n0\r\n\r\n")


# Coded uploads.


def coded(coding: bytes, body: bytes) -> bytes:
    return POST + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)) + body


async def test_the_server_undoes_a_coding() -> None:
    """F-50, S-51: by default aiohttp's server decodes an upload: the content goes upstream, in chunks. With
    ``auto_decompress=False`` it passes as it came."""
    body = gzip.compress(b"much the same " * 100)
    async with FakeUpstream() as server:
        async with serving(Upstream(server.url)) as site:
            assert (await site.ask(coded(b"gzip", body))).status == 200
        async with serving(Upstream(server.url), auto_decompress=False) as site:
            assert (await site.ask(coded(b"gzip", body))).status == 200
        decoded, passed = server.requests
        assert (decoded.body, decoded.getall("Content-Encoding")) == (b"much the same " * 100, [])
        assert (decoded.getall("Transfer-Encoding"), decoded.getall("Content-Length")) == (["chunked"], [])
        assert (passed.body, passed.getall("Content-Encoding")) == (body, ["gzip"])
        assert passed.getall("Content-Length") == [str(len(body))]


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is not None for name in ("brotli", "brotlicffi")),
    reason="Brotli is installed",
)
async def test_a_coding_that_the_server_cannot_undo() -> None:
    """F-50: a coding for which aiohttp lacks a package is its own 400; with ``auto_decompress=False`` it passes."""
    async with FakeUpstream() as server:
        async with serving(Upstream(server.url)) as site:
            answer = await site.ask(coded(b"br", b"hello"))
            assert (answer.status, is_of_the_server(answer), server.requests) == (400, True, [])
        async with serving(Upstream(server.url), auto_decompress=False) as site:
            assert (await site.ask(coded(b"br", b"hello"))).status == 200
        assert (server.requests[0].body, server.requests[0].getall("Content-Encoding")) == (b"hello", ["br"])


# Expect.


@pytest.mark.parametrize("expect", ["upstream", "local"])
async def test_a_middleware_that_reads_what_was_not_asked_for(expect: str) -> None:
    """F-78: by default a middleware that reads the body and a client that waits for ``100 Continue`` wait for each
    other, until the client sends without. With ``expect="local"`` the client is told at once."""
    reading = asyncio.Event()

    @web.middleware
    async def reads(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        reading.set()
        await request.read()
        return await handler(request)

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[reads])
        ProxyHandler(Upstream(server.url)).mount(app, expect=expect)  # type: ignore[arg-type]
        async with serving(app) as site, site.connect() as client:
            await client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            await reading.wait()
            await turns()
            if expect == "local":
                await client.gets(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert server.requests == []
            await client.send(b"hello")
            assert (await client.response()).status == 200  # and no 100 before it
        assert (server.requests[0].body, server.requests[0].getall("Expect")) == (b"hello", [])


# HTTP/2 and HTTP/3.


async def test_http_2_is_not_spoken() -> None:
    """F-01, S-10: the preface of HTTP/2 is the server's 400, a request line that says so the proxy's 505."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert (answer.status, is_of_the_server(answer)) == (400, True)
        assert (await site.ask(b"GET / HTTP/2.0\r\nHost: a.test\r\n\r\n")).status == 505
        assert (await site.ask(b"GET / HTTP/3.0\r\nHost: a.test\r\n\r\n")).status == 400
        assert server.requests == []


async def test_http_2_is_not_negotiated() -> None:
    """F-01: a client that offers HTTP/2 over TLS is not offered it, and goes on in HTTP/1.1; so is an upstream."""
    authority = trustme.CA()
    serves, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serves)
    authority.configure_trust(trusts)
    offers = ssl.create_default_context()
    authority.configure_trust(offers)
    offers.set_alpn_protocols(["h2", "http/1.1"])
    prefers = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(prefers)
    prefers.set_alpn_protocols(["h2", "http/1.1"])
    async with FakeUpstream(ssl=prefers) as server:
        app = web.Application()
        ProxyHandler(Upstream(server.url, tls=Tls(context=trusts))).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serves).start()
            host, port = runner.addresses[0][:2]
            reader, writer = await asyncio.open_connection(host, port, ssl=offers)
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() is None
            writer.write(GET)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            writer.transport.abort()
        finally:
            await runner.cleanup()
        assert server.requests[0].raw_head.startswith(b"GET / HTTP/1.1\r\n")


async def test_an_upstream_that_speaks_http_2_only() -> None:
    """F-01, F-82: an upstream that answers in HTTP/2 has sent an invalid response: 502."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.once(raw(b"\0\0\x12\4\0\0\0\0\0" + b"\0" * 18), close())
        assert (await site.ask(GET)).status == 502


# Slow heads.


def test_there_is_no_deadline_for_a_head() -> None:
    """S-45: aiohttp's server has no parameter for it. (If this fails, it may have got one: use it.)"""
    parameters = inspect.signature(RequestHandler.__init__).parameters
    assert sorted(name for name in parameters if "time" in name) == [
        "keepalive_timeout",
        "lingering_time",
        "timeout_ceil_threshold",
    ]


async def test_a_slow_head() -> None:
    """S-45: a head in many pieces is waited for; nothing goes upstream before its end, and the proxy is not asked."""
    seen = Seen()
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            for byte in GET[:-1]:
                await client.send(bytes([byte]))
                await turns(2)
            assert (server.connections, seen.exchanges) == (0, [])
            await client.send(GET[-1:])
            assert (await client.response()).status == 200


# Uploads while the application ends.


@pytest.mark.parametrize("through", [True, False])
async def test_an_upload_does_not_outlive_its_application(through: bool) -> None:
    """aiohttp's server reads nothing more once it ends: an upload that has not all arrived by then is not finished, by
    the proxy or by a handler of the application's own. It is cut after ``shutdown_timeout``, and is no whole one to the
    upstream."""
    reading, shut = asyncio.Event(), asyncio.Event()

    async def own(request: web.Request) -> web.Response:
        reading.set()
        return web.Response(body=await request.read())

    async def on_shutdown(app: web.Application) -> None:
        shut.set()

    async with FakeUpstream() as server:
        app = web.Application()
        app.on_shutdown.append(on_shutdown)
        if through:
            ProxyHandler(Upstream(server.url)).mount(app)
        else:
            app.router.add_post("/up", own)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Site(runner).connect() as client:
            await client.send(POST + b"Content-Length: 5\r\n\r\nhe")
            await (server.wait_requests() if through else reading.wait())
            ending = asyncio.create_task(runner.cleanup())
            await shut.wait()
            await client.send(b"llo")
            assert await client.rest() == b""
            await ending
        if through:
            await server.gone()
            assert not server.requests[0].complete
