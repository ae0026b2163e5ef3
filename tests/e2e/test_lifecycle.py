"""From the start of an application to its end: what is started and stopped, what becomes of requests, what is left."""

from __future__ import annotations

import asyncio
import gc
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import trustme
from aiohttp import web

from revproxy import Component, Exchange, Handler, Limits, ProxyHandler, Response, Tls, Upstream
from revproxy.testing import FakeUpstream, hold, raw, stall
from revproxy.testing import respond as responds
from revproxy.wire.connection import Connection
from revproxy.wire.pool import Pool

from ..conftest import LoopFactory
from .seen import Seen
from .wire import GET, TIMEOUT, Answer, Client, Site, serving
from .wire import _left as left


def ask(target: str = "/", *lines: bytes, method: str = "GET") -> bytes:
    return b"\r\n".join([f"{method} {target} HTTP/1.1".encode(), b"Host: a.test", *lines, b"", b""])


class Part(Component):
    """A filter that keeps a diary of its life."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    async def start(self) -> None:
        self.diary.append("start")

    async def stop(self) -> None:
        self.diary.append("stop")

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


def application(proxy: ProxyHandler) -> web.Application:
    app = web.Application()
    proxy.mount(app)
    return app


async def started(app: web.Application, **options: Any) -> tuple[web.AppRunner, Site]:
    """``app`` on a free port; the test ends it."""
    runner = web.AppRunner(app, **options)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, Site(runner)


# Starting.


async def connect_to_database() -> None:
    raise LookupError("no database")


async def broken(app: web.Application) -> AsyncIterator[None]:
    """A clean-up context of somebody else's that cannot start."""
    await connect_to_database()
    yield


@pytest.mark.parametrize("order", ["before", "after"])
async def test_another_context_that_cannot_start(order: str) -> None:
    """If another part of the application cannot start, what the proxy has started is stopped; if that comes first, the
    proxy is not started at all."""
    diary: list[str] = []
    app = web.Application()
    if order == "before":
        app.cleanup_ctx.append(broken)
    ProxyHandler(Upstream("http://127.0.0.1:1"), filters=[Part(diary)]).mount(app)
    if order == "after":
        app.cleanup_ctx.append(broken)
    runner = web.AppRunner(app)
    with pytest.raises(LookupError, match="no database"):
        await runner.setup()
    await runner.cleanup()
    assert diary == (["start", "stop"] if order == "after" else [])


async def test_run_app_that_cannot_start(loop_factory: LoopFactory) -> None:
    """``run_app`` does not clean up after a start that failed; what the proxy has started is stopped all the same."""
    diary: list[str] = []
    app = application(ProxyHandler(Upstream("http://127.0.0.1:1"), filters=[Part(diary)]))
    app.cleanup_ctx.append(broken)

    def run() -> None:
        loop = loop_factory()
        try:
            web.run_app(app, handle_signals=False, print=None, loop=loop)
        finally:
            asyncio.set_event_loop(None)

    with pytest.raises(LookupError, match="no database"):
        await asyncio.to_thread(run)
    assert diary == ["start", "stop"]


async def test_started_again() -> None:
    """The same application, and the same runner, can be started again after their end: connections are new, and nothing
    is started or stopped twice."""
    diary: list[str] = []
    async with FakeUpstream() as server:
        app = application(ProxyHandler(Upstream(server.url), filters=[Part(diary)]))
        runner = web.AppRunner(app)
        for count in (1, 2):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            assert (await Site(runner).ask(GET)).body == b"ok"
            await runner.cleanup()
            await server.gone(count)
        other, site = await started(app)
        assert (await site.ask(GET)).body == b"ok"
        await other.cleanup()
        await server.gone(3)
    assert diary == ["start", "stop"] * 3


def test_in_one_event_loop_after_another(loop_factory: LoopFactory, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Proxies that are made when a module is loaded serve in one event loop after another, as under pytest: nothing of
    an earlier one is used."""
    diary: list[str] = []
    path = tmp_path_factory.mktemp("s") / "s"
    upstream = Upstream(f"unix:{path}", limits=Limits(connections=1))
    proxies = [ProxyHandler(upstream, filters=[Part(diary)]) for _ in range(2)]

    async def serve() -> None:
        async with FakeUpstream(path=path), AsyncExitStack() as stack:
            runners = [web.AppRunner(application(proxy)) for proxy in proxies]
            await asyncio.gather(*(runner.setup() for runner in runners))
            sites = []
            for runner in runners:
                stack.push_async_callback(runner.cleanup)
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                sites.append(Site(runner))
            answers = await asyncio.gather(*(site.ask(GET) for site in sites for _ in range(3)))
            assert [answer.body for answer in answers] == [b"ok"] * 6

    for _ in range(2):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(serve())
    assert diary == ["start", "start", "stop", "stop"] * 2


# Ending.


async def test_the_order_of_an_end() -> None:
    """An application that ends refuses connections and closes idle ones, then tells ``on_shutdown``, then waits for
    requests, and only then stops the proxy: those in flight and those that wait for a connection get their answers, and
    their own connections are closed after them."""
    diary: list[str] = []
    go, shut = asyncio.Event(), asyncio.Event()
    async with FakeUpstream() as server, AsyncExitStack() as stack:
        server.on("/idle", responds())
        server.always(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart"), hold(go), raw(b"ial!"))
        seen = Seen()
        upstream = Upstream(server.url, limits=Limits(connections=1))
        app = application(ProxyHandler(upstream, filters=[Part(diary)], observers=[seen]))

        async def on_shutdown(app: web.Application) -> None:
            diary.append("shutdown")
            shut.set()

        async def on_cleanup(app: web.Application) -> None:
            diary.append("cleanup")

        app.on_shutdown.append(on_shutdown)
        app.on_cleanup.append(on_cleanup)
        runner, site = await started(app, shutdown_timeout=TIMEOUT)
        idle, streaming, queued = [await stack.enter_async_context(site.connect()) for _ in range(3)]
        await idle.send(ask("/idle"))
        await idle.response()
        await streaming.send(ask("/1"))
        await streaming.until(b"part")
        await queued.send(ask("/2"))
        await seen.tried(3)
        ending = asyncio.create_task(runner.cleanup())
        async with asyncio.timeout(TIMEOUT):
            await shut.wait()
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*site.address)
        assert (diary, ending.done()) == (["start", "shutdown"], False)
        go.set()
        await streaming.gets(b"ial!")
        assert (await queued.response()).body == b"partial!"
        for client in (streaming, queued):
            assert await client.rest() == b""
            assert not client.was_reset
        await ending
        await server.gone()
    assert diary == ["start", "shutdown", "stop", "cleanup"]


async def test_what_is_pipelined_behind_the_last_answer() -> None:
    """A request that was sent behind the one that an ending application finishes is not served: the connection ends
    after the answer."""
    go, shut = asyncio.Event(), asyncio.Event()
    async with FakeUpstream() as server:
        server.always(hold(go), responds(body=b"late"))
        app = application(ProxyHandler(Upstream(server.url)))

        async def on_shutdown(app: web.Application) -> None:
            shut.set()

        app.on_shutdown.append(on_shutdown)
        runner, site = await started(app, shutdown_timeout=TIMEOUT)
        async with site.connect() as client:
            await client.send(ask("/1") + ask("/2"))
            await server.wait_requests()
            ending = asyncio.create_task(runner.cleanup())
            async with asyncio.timeout(TIMEOUT):
                await shut.wait()
            go.set()
            assert (await client.response()).body == b"late"
            assert await client.rest() == b""
            await ending
        assert [each.target for each in server.requests] == ["/1"]


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
async def test_what_does_not_end_in_time_is_cut(framing: bytes) -> None:
    """After ``shutdown_timeout`` what is left is cut: a client that got a part sees a reset, one that got nothing an
    end; the upstream's connections are closed, and the end is reached after that time, not later."""
    part = b"part" if framing.startswith(b"C") else b"4\r\npart\r\n"
    async with FakeUpstream() as server:
        server.on("/silent", stall())
        server.on("/part", raw(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (framing, part)), stall())
        upstream = Upstream(server.url)
        runner, site = await started(application(ProxyHandler(upstream)), shutdown_timeout=0.1)
        async with site.connect() as silent, site.connect() as partial, site.connect() as upload:
            await silent.send(ask("/silent"))
            await partial.send(ask("/part"))
            await partial.until(part)
            await upload.send(ask("/up", b"Content-Length: 5", method="POST") + b"he")
            await server.wait_requests(3)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await runner.cleanup()
            assert loop.time() - began >= 0.1
            assert (await silent.rest(), await partial.rest(), await upload.rest()) == (b"", b"", b"")
            assert (silent.was_reset, partial.was_reset) == (False, True)
        await server.gone(3)
        assert upstream.endpoints[0].in_flight == 0
        assert not server.requests[2].complete


# Leaving.


async def test_a_server_that_cancels_its_handlers(caplog: pytest.LogCaptureFixture) -> None:
    """F-79: with ``handler_cancellation=True`` all is as without: a client that leaves is one failure, of its own."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.on("/silent", stall())
        server.on("/part", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), stall())
        upstream = Upstream(server.url)
        app = application(ProxyHandler(upstream, observers=[seen]))
        runner, site = await started(app, handler_cancellation=True)
        for number, target in enumerate(("/silent", "/part"), 1):
            async with site.connect() as client:
                await client.send(ask(target))
                await server.wait_requests(number)
                if target == "/part":
                    await client.until(b"part")
            await server.gone(number)
            await seen.over(number)
        await runner.cleanup()
        assert upstream.endpoints[0].in_flight == 0
    assert [type(error).__name__ for error in seen.errors] == ["ClientDisconnected"] * 2
    assert seen.statuses == [None, 200]
    assert [attempt.error for attempt in seen.settlements] == [None, None]
    assert caplog.records == []


def sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            pass  # that of the listing itself
    return {each for each in found if each.startswith("socket:")}


def connections() -> set[object]:
    """The library's connections and pools that anything in this process refers to."""
    gc.collect()
    return {each for each in gc.get_objects() if isinstance(each, Connection | Pool)}


@asynccontextmanager
async def servers(folder: Any) -> AsyncIterator[list[FakeUpstream]]:
    """One with TCP, one with TLS, one on a Unix socket."""
    context, ca = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), trustme.CA()
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    async with FakeUpstream() as tcp, FakeUpstream(ssl=context) as tls, FakeUpstream(path=folder / "s") as unix:
        yield [tcp, tls, unix]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
async def test_nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> None:
    """When an application has ended, however its requests have, nothing of its proxy is left: no task, no socket,
    no connection or pool that a timer would hold."""
    folder = tmp_path_factory.mktemp("s")
    async with servers(folder) as fakes:
        for fake in fakes:
            fake.on("/part", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), stall())
            fake.on("/silent", stall())
        before, known = sockets(), connections()

        async def serve() -> None:
            app = web.Application()
            for number, fake in enumerate(fakes):
                tls = Tls(ca=folder / "ca.pem") if fake is fakes[1] else None
                upstream = Upstream(fake.url, tls=tls, limits=Limits(idle=3600.0))
                ProxyHandler(upstream).mount(app, f"/{number}", strip=True)
            runner, site = await started(app, shutdown_timeout=0.1)
            async with AsyncExitStack() as stack:
                for number in range(3):
                    clients: list[Client] = [await stack.enter_async_context(site.connect()) for _ in range(5)]
                    kept, leaving, resetting, silent, part = clients
                    for client, target in ((leaving, "part"), (resetting, "part"), (silent, "silent"), (part, "part")):
                        await client.send(ask(f"/{number}/{target}"))
                        if target == "part":
                            await client.until(b"part")
                    leaving.close()
                    resetting.reset()
                    for _ in range(2):
                        await kept.send(ask(f"/{number}/x"))
                        assert (await kept.response()).body == b"ok"
                    await fakes[number].wait_requests(6)
                await runner.cleanup()
                assert await left() == []

        await serve()
        for fake in fakes:
            await fake.wait_closed_connections(fake.connections)
            assert fake.left == fake.connections
        async with asyncio.timeout(TIMEOUT):
            # Nobody tells when the kernel has closed the last one, or the loop has forgotten it.
            while sockets() != before or connections() != known:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_draining_is_told() -> None:
    """While it drains a proxy serves, and each answer ends its connection; a route of the application sees it. It is
    set at the end of the last application, and reset at a start."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        async with serving(proxy) as site, site.connect() as client:
            await client.send(ask())
            assert b"Connection" not in {name for name, _ in _fields(await client.response())}
            proxy.draining = True
            await client.send(ask())
            answer = await client.response()
            assert answer.status == 200
            assert answer.getall(b"Connection") == [b"close"]
            assert await client.rest() == b""
            assert (await site.ask(GET)).status == 200
        one, other = application(proxy), application(proxy)
        first, second = web.AppRunner(one), web.AppRunner(other)
        await first.setup()
        assert not proxy.draining
        await second.setup()
        await first.cleanup()
        assert not proxy.draining
        await second.cleanup()
        assert proxy.draining


def _fields(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [(line.partition(b":")[0], line) for line in answer.lines]
