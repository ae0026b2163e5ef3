"""A request is answered once, whoever else would answer it; what is cut has a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from aiohttp.typedefs import Middleware

from revproxy import ProxyHandler, Upstream
from revproxy.errors import Interrupted
from revproxy.testing import FakeUpstream, raw, stall

from .seen import Seen
from .wire import GET, Site


@asynccontextmanager
async def complaining(app: web.Application) -> AsyncIterator[Site]:
    """``app`` on a free loopback port. Unlike ``serving`` it lets the server log errors: here they are wanted."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Site(runner)
    finally:
        await runner.cleanup()


@web.middleware
async def another(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
    await handler(request)
    return web.Response(text="another")


@web.middleware
async def error_page(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
    await handler(request)
    raise web.HTTPNotFound(text="another")


@web.middleware
async def stream(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
    await handler(request)
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"another")
    return response


@web.middleware
async def file(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
    await handler(request)
    return web.FileResponse(__file__)


@pytest.mark.parametrize("middleware", [another, error_page, stream, file])
async def test_a_middleware_that_answers_again(middleware: Middleware, caplog: pytest.LogCaptureFixture) -> None:
    """F-90: a response behind the proxy's, which a middleware returns or raises, is not sent: it would be taken for the
    answer to the next request. It is an error in the log, and the end of the connection."""
    async with FakeUpstream() as server:
        app = web.Application(middlewares=[middleware])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with complaining(app) as site, site.connect() as client:
            await client.send(GET + GET)
            assert (await client.response()).body == b"ok"
            assert await client.rest() == b""
    assert "the response was sent already" in caplog.text


async def test_handled_twice(caplog: pytest.LogCaptureFixture) -> None:
    """F-90: a request is answered once: ``handle`` behind an answer is an error in the log."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))

        async def twice(request: web.Request) -> web.StreamResponse:
            await proxy.handle(request)
            return await proxy.handle(request)

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_get("/", twice)
        async with complaining(app) as site, site.connect() as client:
            await client.send(GET + GET)
            assert (await client.response()).body == b"ok"
            assert await client.rest() == b""
        assert len(server.requests) == 1
    assert "answered already" in caplog.text


async def test_a_client_of_a_clone_leaves() -> None:
    """F-79: that a client leaves is noticed also where a handler or a middleware passes on a clone of the request."""
    async with FakeUpstream() as server:
        server.always(stall())
        proxy = ProxyHandler(Upstream(server.url))

        async def handler(request: web.Request) -> web.StreamResponse:
            return await proxy.handle(request.clone(rel_url="/other"))

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_get("/", handler)
        async with complaining(app) as site:
            async with site.connect() as client:
                await client.send(GET)
                await server.wait_requests()
            await server.gone()


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"])
async def test_what_a_shutdown_cuts_is_told(part: bytes) -> None:
    """Law 10: an exchange that is cut by ``shutdown_timeout`` is a failure with a name, to observers and to the log."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(*([raw(part)] if part else []), stall())
        app = web.Application()
        ProxyHandler(Upstream(server.url), observers=[seen]).mount(app)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Site(runner).connect() as client:
            await client.send(GET)
            await server.wait_requests()
            if part:
                await client.until(b"part")
            await runner.cleanup()
    assert [type(error) for error in seen.errors] == [Interrupted]
