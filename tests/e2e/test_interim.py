"""Interim responses and ``Expect: 100-continue``, over raw sockets that read like the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from revproxy import Body, Exchange, Handler, ProxyHandler, Response, Timeouts, Upstream
from revproxy.testing import FakeUpstream, ignore_body, raw, read_body, respond, stall

from ..wire import until
from .seen import Seen
from .wire import Client, Site, serving

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
UPLOAD = b"POST /up HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
REFUSAL = (ignore_body(), raw(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"))
WANTS = (raw(CONTINUE), read_body(), respond(body=b"done"))

WAYS = ["mount", "route of its own", "web.Server"]


@asynccontextmanager
async def client_of(way: str, proxy: ProxyHandler) -> AsyncIterator[Client]:
    """A client of ``proxy``, embedded in one of the ``WAYS``."""
    app: web.Application | web.Server = web.Application()
    if way == "web.Server":
        app = web.Server(proxy.handle)
    elif isinstance(app, web.Application):
        if way == "mount":
            proxy.mount(app)
        else:
            app.router.add_route("*", "/{path:.*}", proxy.handle)
            app.cleanup_ctx.append(proxy.lifespan)
    async with serving(app) as site, site.connect() as client:
        yield client
    async for _ in proxy.lifespan(web.Application()):
        pass  # what was not started is stopped


# Interim responses.


async def test_early_hints() -> None:
    """F-77: 102 and 103 are relayed in order, at once, with their end-to-end fields; the final response follows."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(
            raw(b"HTTP/1.1 102 Processing\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n"),
            raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\nX-A: caf\xe9\r\n\r\n"),
            stall(),
            respond(body=b"page"),
        )
        for _ in range(2):  # and again on the same connection
            await client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            await client.gets(b"HTTP/1.1 102 Processing\r\n\r\n")
            await client.gets(
                b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nlink: </b.js>\r\nX-A: caf\xe9\r\n\r\n"
            )
            server.release()
            answer = await client.response()
            assert (answer.status, answer.body, answer.getall(b"Link")) == (200, b"page", [])


async def test_a_100_that_nobody_asked_for() -> None:
    """F-77: an upstream's own 100 is an interim response like others."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(raw(CONTINUE), respond(body=b"x"))
        await client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        await client.gets(CONTINUE)
        assert (await client.response()).body == b"x"


async def test_http_1_0_gets_none() -> None:
    """F-77, F-78: a client of HTTP/1.0 is sent no interim response, and its ``Expect`` means nothing."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(raw(b"HTTP/1.1 103 Early Hints\r\n\r\n"), read_body(), respond(body=b"x"))
        await client.send(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
        assert (await client.response()).status == 200
        assert (server.requests[0].body, server.requests[0].getall("Expect")) == (b"hello", [])


# Expect: 100-continue.


@pytest.mark.parametrize("way", ["mount", "web.Server"])
async def test_the_upstream_says_go_on(way: str) -> None:
    """F-78: the expectation goes upstream, and the client is told to go on when the upstream says so, once."""
    async with FakeUpstream() as server:
        server.always(stall(), *WANTS)
        async with client_of(way, ProxyHandler(Upstream(server.url))) as client:
            await client.send(UPLOAD)
            await server.wait_requests(1)
            assert server.requests[0].getall("Expect") == ["100-continue"]
            server.release()
            await client.gets(CONTINUE)
            await client.send(b"hello")
            answer = await client.response()
            assert (answer.status, answer.body, server.requests[0].body) == (200, b"done", b"hello")
            # The connections go on, both.
            await client.send(UPLOAD)
            server.release()
            await client.gets(CONTINUE)
            await client.send(b"again")
            assert (await client.response()).status == 200
        assert server.connections == 1


@pytest.mark.parametrize("way", ["mount", "web.Server"])
async def test_the_upstream_refuses(way: str) -> None:
    """F-75, F-78: a final answer comes instead of the 100: it is relayed with ``Connection: close``, the connection is
    closed at once, and of the body nothing was asked for, read or sent."""
    async with FakeUpstream() as server:
        server.always(*REFUSAL)
        async with client_of(way, ProxyHandler(Upstream(server.url))) as client:
            await client.send(UPLOAD)
            answer = await client.response()
            assert (answer.status, answer.body, answer.getall(b"Connection")) == (413, b"no", [b"close"])
            async with asyncio.timeout(2):  # it does not linger for a body that was never asked for
                assert await client.rest() == b""
        assert server.requests[0].body == b""
        await server.gone()


@pytest.mark.parametrize("way", WAYS)
async def test_an_upstream_that_does_not_know_it(way: str) -> None:
    """F-78: who says nothing for ``Timeouts.expect`` is sent the body anyway; the client is told to go on once, in
    whichever way the proxy is embedded."""
    async with FakeUpstream() as server:
        server.always(ignore_body(), stall(), respond(body=b"done"))  # it sends no 100, and answers late
        proxy = ProxyHandler(Upstream(server.url, timeouts=Timeouts(expect=0.05)))
        async with client_of(way, proxy) as client:
            await client.send(UPLOAD)
            await client.gets(CONTINUE)
            await client.send(b"hello")
            await until(lambda: any(request.body == b"hello" for request in server.requests))
            server.release()
            answer = await client.response()
            assert (answer.status, answer.body, server.requests[0].body) == (200, b"done", b"hello")
            assert (server.requests[0].getall("Expect") == []) == (way == "route of its own")


async def test_a_filter_that_reads_the_body() -> None:
    """F-78: whoever reads the body first has the client told to go on; upstream nothing is expected any more."""

    async def reads(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.body = Body(await exchange.request.body.read(100))
        return await handler(exchange)

    async with FakeUpstream() as server:
        server.always(read_body(), respond())
        async with client_of("mount", ProxyHandler(Upstream(server.url), filters=[reads])) as client:
            await client.send(UPLOAD)
            await client.gets(CONTINUE)
            await client.send(b"hello")
            assert (await client.response()).status == 200
        assert (server.requests[0].body, server.requests[0].getall("Expect")) == (b"hello", [])


async def test_a_rule_that_refuses() -> None:
    """F-78: who answers without the body never has it sent."""

    async def refuse(exchange: Exchange) -> Response:
        return Response(403)

    async with client_of("mount", ProxyHandler(refuse)) as client:
        await client.send(UPLOAD)
        answer = await client.response()
        assert (answer.status, answer.getall(b"Connection")) == (403, [b"close"])
        async with asyncio.timeout(2):
            assert await client.rest() == b""


async def test_not_before_the_applications_middlewares() -> None:
    """F-78: the application's own authentication refuses an upload before anybody was told to send it; with
    ``expect="local"`` a middleware can read the body, and the upstream is not asked."""
    async with FakeUpstream() as server:
        server.always(read_body(), respond())

        @web.middleware
        async def authenticate(request: web.Request, handler: object) -> web.StreamResponse:
            raise web.HTTPUnauthorized

        app = web.Application(middlewares=[authenticate])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site, site.connect() as client:
            await client.send(UPLOAD)
            assert (await client.response()).status == 401

        @web.middleware
        async def reads(request: web.Request, handler: object) -> web.StreamResponse:
            assert await request.read() == b"hello"
            assert callable(handler)
            response = await handler(request)
            assert isinstance(response, web.StreamResponse)
            return response

        app = web.Application(middlewares=[reads])
        ProxyHandler(Upstream(server.url)).mount(app, expect="local")
        async with serving(app) as site, site.connect() as client:
            await client.send(UPLOAD)
            await client.gets(CONTINUE)
            await client.send(b"hello")
            assert (await client.response()).status == 200
        assert (server.requests[0].body, server.requests[0].getall("Expect")) == (b"hello", [])


async def test_a_client_that_does_not_wait() -> None:
    """F-78: who sends its body at once is not told to go on, and neither is the upstream asked."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(read_body(), respond(body=b"done"))
        await client.send(UPLOAD + b"hello")
        await client.gets(b"HTTP/1.1 200 OK\r\n")
        assert (server.requests[0].body, server.requests[0].getall("Expect")) == (b"hello", [])


@pytest.mark.parametrize("value", [b"100-continue, x", b"x", b"", b"200-ok"])
async def test_other_expectations(value: bytes) -> None:
    """F-78: what the proxy does not know it cannot meet: 417, nothing is forwarded, nothing of it is said back."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: %b\r\n\r\n" % value)
        assert (answer.status, server.requests) == (417, [])


async def test_an_expectation_without_a_body(site_of_ok: Site) -> None:
    """F-78: without a body there is nothing to wait for."""
    answer = await site_of_ok.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-Continue\r\n\r\n")
    assert answer.status == 200


@pytest.fixture
async def site_of_ok() -> AsyncIterator[Site]:
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        yield site


async def test_a_client_that_leaves_instead() -> None:
    """F-79: a client that leaves before it was told to go on is the client's doing, and leaves nothing behind."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(stall())
        upstream = Upstream(server.url)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(UPLOAD)
            await server.wait_requests(1)
            client.close()
            await server.gone()
            assert upstream.endpoints[0].in_flight == 0


def test_expect_is_one_of_two() -> None:
    """A wrong ``expect`` is refused when the proxy is mounted."""
    with pytest.raises(ValueError, match="expect must be 'upstream' or 'local', got 'no'"):
        ProxyHandler(Upstream("http://a")).mount(web.Application(), expect="no")  # type: ignore[arg-type]
