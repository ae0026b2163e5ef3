"""A proxy behind an application's middlewares, its signals and its access log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar

import pytest
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler as AiohttpHandler

from revproxy import Exchange, Handler, ProxyHandler, Response, TrustedProxies, Upstream
from revproxy.handler import running
from revproxy.testing import FakeUpstream, hold, raw, reset, stall

from .wire import GET, TIMEOUT, Site, serving


def ask(target: str = "/", *lines: bytes, method: str = "GET") -> bytes:
    return b"\r\n".join([f"{method} {target} HTTP/1.1".encode(), b"Host: a.test", *lines, b"", b""])


# Behind middlewares.


async def test_middlewares_of_all_applications() -> None:
    """Middlewares run around a mounted proxy as around every handler: the outer application's first."""
    diary: list[str] = []

    def note(label: str) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def middleware(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
            diary.append(f"{label} in")
            response = await handler(request)
            diary.append(f"{label} out {response.status}")
            return response

        return middleware

    async with FakeUpstream() as server:
        root = web.Application(middlewares=[note("a"), note("b")])
        inner = web.Application(middlewares=[note("c")])
        ProxyHandler(Upstream(server.url)).mount(inner)
        root.add_subapp("/sub", inner)
        async with serving(root) as site:
            assert (await site.ask(ask("/sub/x"))).status == 200
    assert diary == ["a in", "b in", "c in", "c out 200", "b out 200", "a out 200"]


async def test_a_middleware_that_refuses() -> None:
    """A middleware that answers by itself, or raises an ``HTTPException``, keeps the proxy from being asked; the body
    that it did not want is none of the next request."""

    @web.middleware
    async def gate(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        if request.path == "/no":
            raise web.HTTPForbidden(text="no")
        if request.path == "/other":
            return web.Response(text="mine")
        return await handler(request)

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[gate])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site, site.connect() as client:
            for target, status, body in (("/no", 403, b"no"), ("/other", 200, b"mine"), ("/yes", 200, b"ok")):
                await client.send(ask(target, b"Content-Length: 5", method="POST") + b"hello")
                answer = await client.response()
                assert (answer.status, answer.body) == (status, body)
        assert [each.target for each in server.requests] == ["/yes"]


async def test_a_middleware_that_comes_too_late() -> None:
    """What a middleware does to a response that was sent has no effect on what was sent: fields and cookies are not
    added, a status and content cannot be set."""
    seen: list[type[BaseException]] = []

    @web.middleware
    async def late(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        response = await handler(request)
        response.headers["X-Late"] = "1"
        del response.headers["X-A"]
        response.set_cookie("late", "1")
        for change in (partial(response.set_status, 500), partial(response.write, b"more")):
            try:
                await change()  # type: ignore[misc]
            except (AssertionError, RuntimeError) as error:
                seen.append(type(error))
        return response

    async with FakeUpstream() as server:
        server.respond(headers={"X-A": "1"}, body=b"ok")
        app = web.Application(middlewares=[late])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site, site.connect() as client:
            for _ in range(2):
                await client.send(GET)
                answer = await client.response()
                assert (answer.status, answer.body) == (200, b"ok")
                assert [answer.getall(name) for name in (b"X-A", b"X-Late", b"Set-Cookie")] == [[b"1"], [], []]
    assert seen == [AssertionError, RuntimeError] * 2


async def test_a_middleware_that_raises_too_late(caplog: pytest.LogCaptureFixture) -> None:
    """An exception behind a response that was sent is logged, and ends the connection: nothing follows the response
    that could be taken for another one."""

    @web.middleware
    async def fails(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        await handler(request)
        raise LookupError("too late")

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[fails])
        ProxyHandler(Upstream(server.url)).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with Site(runner).connect() as client:
            await client.send(GET + GET)
            answer = await client.response()
            assert (answer.status, answer.body) == (200, b"ok")
            assert await client.rest() == b""
        await runner.cleanup()
    assert "too late" in caplog.text


USER: ContextVar[str] = ContextVar("user")


async def test_a_middleware_tells_a_filter() -> None:
    """What a middleware has found out reaches a filter in a ``ContextVar``: each request sees its own, however they
    overlap."""
    all_are_here = asyncio.Barrier(3)

    @web.middleware
    async def authenticate(request: web.Request, handler: AiohttpHandler) -> web.StreamResponse:
        USER.set(request.query["user"])
        return await handler(request)

    async def name(exchange: Exchange, handler: Handler) -> Response:
        await all_are_here.wait()
        exchange.request.headers["X-User"] = USER.get()
        return await handler(exchange)

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[authenticate])
        ProxyHandler(Upstream(server.url), filters=[name]).mount(app)
        async with serving(app) as site, asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as group:
            for user in "abc":
                group.create_task(site.ask(ask(f"/?user={user}", b"X-User: root")))
        users = {each.target[-1]: each.getall("X-User") for each in server.requests}
        assert users == {"a": ["a"], "b": ["b"], "c": ["c"]}


# Signals.


async def test_signals_of_all_applications() -> None:
    """``on_response_prepare`` of every application that a request came through is run, the outer one's first; the inner
    one sees what the outer one did. Those of other applications are not."""

    def mark(label: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
        async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
            response.headers["X-Mark"] = response.headers.get("X-Mark", "") + label

        return on_prepare

    async with FakeUpstream() as server:
        server.respond(headers={"X-Mark": "0"}, body=b"ok")
        proxy = ProxyHandler(Upstream(server.url))
        root, inner, other = web.Application(), web.Application(), web.Application()
        for app, label in ((root, "a"), (inner, "b"), (other, "c")):
            app.on_response_prepare.append(mark(label))
        proxy.mount(inner)
        proxy.mount(other)
        root.add_subapp("/inner", inner)
        root.add_subapp("/other", other)
        async with serving(root) as site:
            marks = [(await site.ask(ask(target))).getall(b"X-Mark") for target in ("/inner/x", "/other/x")]
    assert marks == [[b"0ab"], [b"0ac"]]


# The access log.


class Lines(AbstractAccessLogger):
    """An access logger of one's own; it notes what the application's is given, and says when there is a line."""

    lines: ClassVar[list[tuple[str, int, str | None, int]]]
    changed: ClassVar[asyncio.Event]

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self.lines.append((request.path, response.status, response.headers.get("X-A"), response.body_length))
        self.changed.set()


async def test_an_access_logger_of_ones_own() -> None:
    """An access logger of the application's is told of a stream when it has ended, with the fields that the upstream
    sent and the bytes that were written, head included; of a response that was cut with the status of the failure and
    the bytes that got out; of a client that left, nothing."""
    Lines.lines, Lines.changed = [], asyncio.Event()
    go = asyncio.Event()
    part = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 8\r\nDate: now\r\n\r\npart"
    async with FakeUpstream() as server:
        server.on("/stream", raw(part), hold(go), raw(b"ial!"))
        server.on("/cut", raw(part), reset())
        server.on("/left", raw(part), stall())
        app = web.Application()
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app, access_log_class=Lines) as site, asyncio.timeout(TIMEOUT):
            async with site.connect() as client:
                await client.send(ask("/stream"))
                await client.until(b"part")
                assert Lines.lines == []
                go.set()
                await client.gets(b"ial!")
                await Lines.changed.wait()
            async with site.connect() as client:
                await client.send(ask("/cut"))
                sent = await client.rest()
                assert (sent.endswith(b"part"), client.was_reset) == (True, True)
            async with site.connect() as client:
                await client.send(ask("/left"))
                await client.until(b"part")
            await server.gone()
    assert Lines.lines == [("/stream", 200, "1", len(part) + 4), ("/cut", 502, None, len(part))]


async def test_the_access_logs_format(caplog: pytest.LogCaptureFixture) -> None:
    """aiohttp's own format says what it says of any handler: the connection's peer, the request line, status, bytes,
    microseconds, fields of request and response. Without an application, too."""
    caplog.set_level(logging.INFO, "aiohttp.access")
    async with FakeUpstream() as server:
        server.respond(201, headers={"X-A": "up"}, body=b"x" * 70_000)
        upstream = Upstream(server.url)
        proxy = ProxyHandler(upstream, trusted=TrustedProxies("127.0.0.1"))
        app = web.Application()
        proxy.mount(app)
        sizes = []
        for what in (app, web.Server(proxy.handle, access_log_format=FORMAT)):
            options: dict[str, Any] = {"access_log_format": FORMAT} if what is app else {}
            async with running(upstream), serving(what, **options) as site, site.connect() as client:
                await client.send(ask("/x?y", b"X-Forwarded-For: 192.0.2.1", b"X-B: b", b"Connection: close"))
                sizes.append(len(await client.rest()))
    lines = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    assert len(lines) == 2
    for line, size in zip(lines, sizes, strict=True):
        match = re.fullmatch(rf"127\.0\.0\.1 GET /x\?y HTTP/1\.1 201 {size} (\d+) b up -", line)
        assert match, line
        assert int(match[1]) < TIMEOUT * 1_000_000


FORMAT = "%a %r %s %b %D %{X-B}i %{X-A}o %{X-C}o"
