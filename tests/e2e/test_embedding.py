"""Every place in an aiohttp application that a proxy can have: below paths and domains, in sub-applications, behind
handlers and middlewares of one's own, beside others, without an application."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase, RawTestServer, TestClient, TestServer
from pytest_aiohttp.plugin import AiohttpClient, AiohttpRawServer, AiohttpServer

from revproxy import Component, Exchange, Handler, Pipeline, ProxyHandler, Response, Upstream, respond
from revproxy.handler import running
from revproxy.testing import FakeTransport, FakeUpstream, hold, raw, stall
from revproxy.testing import respond as responds

from .wire import GET, TIMEOUT, Site, serving


def ask(target: str = "/", *lines: bytes, method: str = "GET", host: str = "a.test") -> bytes:
    return b"\r\n".join([f"{method} {target} HTTP/1.1".encode(), f"Host: {host}".encode(), *lines, b"", b""])


async def own(request: web.Request) -> web.Response:
    return web.Response(text="own")


async def sent(site: Site, server: FakeUpstream, target: str) -> str:
    """What a request for ``target`` goes upstream as; ``""`` if it does not."""
    before = len(server.requests)
    answer = await site.ask(ask(target))
    if len(server.requests) == before:
        return ""
    assert (answer.status, answer.body) == (200, b"ok")
    return server.requests[-1].target


# Sub-applications and domains.


@pytest.mark.parametrize(
    ("strip", "forwarded"),
    [
        (False, ["/shop/v1/cart/x?a=%2F", "/shop/v1/cart", ""]),
        (True, ["/x?a=%2F", "/", ""]),
    ],
)
async def test_in_a_subapplication_of_a_subapplication(strip: bool, forwarded: list[str]) -> None:
    """F-05: a proxy in a sub-application of a sub-application serves below all their prefixes together. ``strip`` takes
    them all off; without it the target stays whole."""
    async with FakeUpstream() as server:
        root, middle, inner = web.Application(), web.Application(), web.Application()
        ProxyHandler(Upstream(server.url)).mount(inner, "/cart", strip=strip)
        middle.add_subapp("/v1", inner)
        root.add_subapp("/shop", middle)
        async with serving(root) as site:
            targets = ("/shop/v1/cart/x?a=%2F", "/shop/v1/cart", "/shop/v1/cartx")
            assert [await sent(site, server, target) for target in targets] == forwarded


async def test_a_subapplication_beside_a_mount() -> None:
    """Below the prefix of a sub-application its 404 and 405 are the answer, also where a proxy takes all that is
    left."""
    async with FakeUpstream() as server:
        app, inner = web.Application(), web.Application()
        inner.router.add_get("/health", own)
        ProxyHandler(Upstream(server.url)).mount(app)
        app.add_subapp("/internal", inner)
        async with serving(app) as site:
            requests = [ask("/internal/health"), ask("/internal/x"), ask("/internal/health", method="POST")]
            assert [(await site.ask(each)).status for each in requests] == [200, 404, 405]
            assert server.requests == []
            assert await sent(site, server, "/internalx") == "/internalx"


async def test_mounting_is_over_when_a_subapplication_is_added() -> None:
    """An application that was added to another, or was started, takes no more routes: that is a ``RuntimeError``."""
    root, inner = web.Application(), web.Application()
    root.add_subapp("/sub", inner)
    with pytest.raises(RuntimeError, match="frozen"):
        ProxyHandler(respond(200)).mount(inner)
    async with serving(root):
        with pytest.raises(RuntimeError, match="frozen"):
            ProxyHandler(respond(200)).mount(root)


async def test_below_a_domain() -> None:
    """``add_domain`` gives a proxy the requests for a host, before everything else, and all of them; ``strip`` takes
    the mount point off."""
    async with FakeUpstream() as shop, FakeUpstream() as rest:
        app, shops, all_of_it = web.Application(), web.Application(), web.Application()
        ProxyHandler(Upstream(shop.url)).mount(shops, "/v1", strip=True)
        ProxyHandler(Upstream(rest.url)).mount(all_of_it)
        app.add_domain("shop.test", shops)
        app.add_domain("*.wild.test:8080", all_of_it)
        app.router.add_get("/own", own)
        async with serving(app) as site:
            hosts = ["shop.test", "SHOP.test:80", "xshop.test", "a.b.wild.test:8080", "a.wild.test", "wild.test:8080"]
            statuses = [(await site.ask(ask("/v1/own", host=host))).status for host in hosts]
            assert statuses == [200, 200, 404, 200, 404, 404]
            assert (await site.ask(ask("/own"))).body == b"own"
            assert (await site.ask(ask("/own", host="shop.test"))).status == 404
            assert (await site.ask(ask("/own", host="x.wild.test:8080"))).body == b"ok"
        assert [request.target for request in shop.requests] == ["/own", "/own"]
        assert [request.target for request in rest.requests] == ["/v1/own", "/own"]


# Beside routes of the application's own.


async def test_a_catch_all_and_the_applications_405() -> None:
    """A mount at ``/`` leaves the application no 404 and no 405 of its own: what no route answers goes to the proxy,
    another method of a path with a route too. A class-based view keeps its 405, and so does a route for any method."""

    class View(web.View):
        async def get(self) -> web.Response:
            return web.Response(text="own")

    async def not_allowed(request: web.Request) -> web.Response:
        raise web.HTTPMethodNotAllowed(request.method, ["GET"])

    def routes(app: web.Application) -> web.Application:
        app.router.add_get("/plain", own)
        app.router.add_view("/view", View)
        app.router.add_get("/both", own)
        app.router.add_route("*", "/both", not_allowed)
        return app

    requests = [ask(target, method=method) for target in ("/plain", "/view", "/both") for method in ("GET", "POST")]
    requests.append(ask("/nowhere"))
    async with serving(routes(web.Application())) as site:
        answers = [await site.ask(request) for request in requests]
        assert [answer.status for answer in answers] == [200, 405, 200, 405, 200, 405, 404]
    async with FakeUpstream() as server:
        app = routes(web.Application())
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            answers = [await site.ask(request) for request in requests]
            assert [answer.status for answer in answers] == [200, 200, 200, 405, 200, 405, 200]
            assert [answer.getall(b"Allow") for answer in answers if answer.status == 405] == [[b"GET"], [b"GET"]]
        assert [(each.method, each.target) for each in server.requests] == [("POST", "/plain"), ("GET", "/nowhere")]


async def test_a_mount_below_a_path_leaves_the_405() -> None:
    """A mount at a path changes nothing outside of it: 404 and 405 stay the application's."""
    async with FakeUpstream() as server:
        app = web.Application()
        app.router.add_get("/health", own)
        ProxyHandler(Upstream(server.url)).mount(app, "/shop")
        async with serving(app) as site:
            requests = [ask("/health", method="POST"), ask("/x"), ask("/shop/x", method="POST")]
            assert [(await site.ask(request)).status for request in requests] == [405, 404, 200]


async def test_a_catch_all_and_redirects_to_another_slash() -> None:
    """``normalize_path_middleware`` acts where nothing answers. With a catch-all there is no such path any more: the
    path without the slash goes upstream. With a mount below a path it works outside of that."""
    for path, status in (("/", 200), ("/shop", 308)):
        async with FakeUpstream() as server:
            app = web.Application(middlewares=[web.normalize_path_middleware()])
            app.router.add_get("/own/", own)
            ProxyHandler(Upstream(server.url)).mount(app, path)
            async with serving(app) as site:
                assert (await site.ask(ask("/own"))).status == status
                assert (await site.ask(ask("/own/"))).body == b"own"
                assert (await site.ask(ask("/shop/x"))).body == b"ok"
            assert [each.target for each in server.requests] == (["/own"] if status == 200 else []) + ["/shop/x"]


@pytest.mark.parametrize("path", ["/{tail:.*}", "/reports{tail:(/.*)?}"])
async def test_as_the_handler_of_a_route(path: str) -> None:
    """``proxy.handle`` is a handler of aiohttp's as it stands, and so is a partial of it, for the methods of the
    route."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.add_routes([web.post(path, proxy.handle), web.get(path, partial(proxy.handle, strip="/reports"))])
        async with serving(app) as site:
            assert (await site.ask(ask("/reports/x?y"))).body == b"ok"
            assert (await site.ask(ask("/reports/x?y", method="POST"))).body == b"ok"
            assert (await site.ask(ask("/reports/x?y", method="PUT"))).status == 405
        assert [each.target for each in server.requests] == ["/x?y", "/reports/x?y"]


# From handlers of one's own.


async def test_from_a_class_based_view() -> None:
    """A class-based view forwards what it does not answer by itself."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))

        class Reports(web.View):
            async def get(self) -> web.StreamResponse:
                return await own(self.request)

            async def post(self) -> web.StreamResponse:
                return await proxy.handle(self.request)

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_view("/reports", Reports)
        async with serving(app) as site:
            assert (await site.ask(ask("/reports"))).body == b"own"
            answer = await site.ask(ask("/reports", b"Content-Length: 5", method="POST") + b"hello")
            assert (answer.body, server.requests[0].body) == (b"ok", b"hello")


async def with_timeout(waits: Awaitable[web.StreamResponse], seconds: float) -> web.StreamResponse:
    async with asyncio.timeout(seconds):
        return await waits


async def with_wait_for(waits: Awaitable[web.StreamResponse], seconds: float) -> web.StreamResponse:
    return await asyncio.wait_for(waits, seconds)


@pytest.mark.parametrize("way", [with_timeout, with_wait_for])
async def test_under_a_timeout_of_ones_own(
    way: Callable[[Awaitable[web.StreamResponse], float], Awaitable[web.StreamResponse]],
) -> None:
    """F-79: a handler may give up. The upstream's connection is closed at once; what the handler answers instead is the
    answer, on a connection that goes on, as long as nothing was sent. After that the client is cut."""
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        proxy = ProxyHandler(upstream)
        server.on("/silent", stall())
        server.on("/part", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), stall())

        async def impatient(request: web.Request) -> web.StreamResponse:
            try:
                return await way(proxy.handle(request), 0.05)
            except TimeoutError:
                return web.Response(status=504, text="too slow")

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_get("/{tail:.*}", impatient)
        async with serving(app) as site, site.connect() as client:
            for number in (1, 2):
                await client.send(ask("/silent"))
                answer = await client.response()
                assert (answer.status, answer.body) == (504, b"too slow")
                await server.gone(number)
            await client.send(ask("/fast"))
            assert (await client.response()).body == b"ok"
            await client.send(ask("/part"))
            assert (await client.rest()).endswith(b"\r\n\r\npart")
            assert client.was_reset
            await server.gone(3)
        assert upstream.endpoints[0].in_flight == 0


async def test_in_a_task_of_its_own() -> None:
    """F-79: ``handle`` may run in another task than the request's: the client gets its answer, and when it leaves, the
    upstream's connection is closed."""
    async with FakeUpstream() as server:
        server.on("/silent", stall())
        proxy = ProxyHandler(Upstream(server.url))

        async def handler(request: web.Request) -> web.StreamResponse:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(proxy.handle(request))
            return task.result()

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_get("/{tail:.*}", handler)
        async with serving(app) as site, site.connect() as client:
            await client.send(ask("/fast"))
            assert (await client.response()).body == b"ok"
            await client.send(ask("/silent"))
            await server.wait_requests(2)
            client.close()
            await server.gone()


async def test_with_a_clone_of_the_request() -> None:
    """What a handler replaces with ``request.clone`` goes upstream: method, target and fields. What it says of where
    the request comes from does not: that is for ``trusted`` to say."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), via=None)

        async def handler(request: web.Request) -> web.StreamResponse:
            headers = request.headers.copy()
            headers["X-User"] = "ada"
            return await proxy.handle(
                request.clone(
                    method="PUT",
                    rel_url="/new%2Fpath?a=%20",
                    headers=headers,
                    scheme="https",
                    host="other.test",
                    remote="192.0.2.1",
                )
            )

        app = web.Application()
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_route("*", "/{tail:.*}", handler)
        async with serving(app) as site:
            answer = await site.ask(ask("/old", b"X-User: root", b"Content-Length: 5", method="POST") + b"hello")
            assert answer.body == b"ok"
        assert server.requests[0].raw_head == (
            b"PUT /new%%2Fpath?a=%%20 HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"X-User: ada\r\n"
            b"Content-Length: 5\r\n"
            b"X-Forwarded-For: 127.0.0.1\r\n"
            b"X-Forwarded-Host: a.test\r\n"
            b"X-Forwarded-Proto: http\r\n"
            b"\r\n" % server.port
        )
        assert server.requests[0].body == b"hello"


# Several of them.


class Counting(Component):
    """A filter that counts how often it was started and stopped."""

    def __init__(self) -> None:
        self.diary: list[str] = []

    async def start(self) -> None:
        self.diary.append("start")

    async def stop(self) -> None:
        self.diary.append("stop")

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


async def test_several_proxies_in_one_application() -> None:
    """Proxies of one application have names, filters and upstreams of their own: two upstreams of one name are no error
    in two proxies, and their connections are their own."""
    async with FakeUpstream() as left, FakeUpstream() as right:
        app = web.Application()
        for path, server in (("/left", left), ("/right", right), ("/right/inner", left)):

            async def mark(exchange: Exchange, handler: Handler, path: str = path) -> Response:
                exchange.request.headers["X-Mark"] = path
                return await handler(exchange)

            ProxyHandler(Upstream(server.url, name="site"), filters=[mark]).mount(app, path)
        async with serving(app) as site:
            for target in ("/left/x", "/right/x", "/right/inner/x"):
                assert (await site.ask(ask(target))).status == 200
            assert (left.connections, right.connections) == (2, 1)
        await left.gone(2)
        await right.gone(1)
    assert [each.getall("X-Mark") for each in left.requests] == [["/left"], ["/right/inner"]]
    assert [each.getall("X-Mark") for each in right.requests] == [["/right"]]


async def test_one_upstream_in_several_proxies(caplog: pytest.LogCaptureFixture) -> None:
    """F-88: an upstream may serve several proxies of an application: it is started once and stopped once, and its pool
    and its limits are the same for all."""
    part = Counting()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        site_of = Pipeline(part, handler=upstream)
        app = web.Application()
        ProxyHandler(site_of).mount(app, "/a")
        ProxyHandler(upstream, filters=[part]).mount(app, "/b", strip=True)
        async with serving(app) as site:
            assert part.diary == ["start"]
            for target in ("/a/x", "/b/x", "/a/y"):
                assert (await site.ask(ask(target))).status == 200
            assert server.connections == 1
        await server.gone()
    assert part.diary == ["start", "stop"]
    assert [each.target for each in server.requests] == ["/a/x", "/x", "/a/y"]
    assert caplog.records == []


@pytest.mark.parametrize("first_ends_first", [True, False])
async def test_one_upstream_in_two_applications(first_ends_first: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Two applications with proxies of their own may share an upstream: the first starts it and the last stops it.
    What one of them stops, the other one's requests do not notice, not even one under way."""
    go = asyncio.Event()
    async with FakeUpstream() as server:
        server.on("/held", hold(go), responds(body=b"late"))
        upstream, part = Upstream(server.url), Counting()
        runners = []
        for _ in range(2):
            app = web.Application()
            ProxyHandler(upstream, filters=[part]).mount(app)
            runners.append(web.AppRunner(app, shutdown_timeout=TIMEOUT))
            await runners[-1].setup()
            await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
            assert (await Site(runners[-1]).ask(GET)).status == 200
        assert (part.diary, server.connections) == (["start"], 1)
        ends, stays = runners if first_ends_first else reversed(runners)
        async with Site(stays).connect() as client:
            await client.send(ask("/held"))
            await server.wait_requests(3)
            await ends.cleanup()
            go.set()
            assert (await client.response()).body == b"late"
            await client.send(GET)
            assert (await client.response()).body == b"ok"
            assert (part.diary, server.connections, server.left) == (["start"], 1, 0)
        await stays.cleanup()
        await server.gone()
    assert part.diary == ["start", "stop"]
    assert caplog.records == []


async def test_a_chain_of_proxies() -> None:
    """A proxy may be the upstream of another one, in the same process or in the same application even: the second one
    sees what the first one said."""
    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url), via="inner")) as inner:
            app = web.Application()
            ProxyHandler(Upstream(f"http://127.0.0.1:{inner.port}"), via="outer").mount(app)
            async with serving(app) as outer:
                assert (await outer.ask(ask("/x"))).body == b"ok"
        assert server.requests[0].getall("Via") == ["1.1 outer", "1.1 inner"]


# Without an application.


async def test_a_bare_server(caplog: pytest.LogCaptureFixture) -> None:
    """A ``web.Server`` needs no application: ``running`` starts and stops what the proxy answers by, and no connection
    is left."""
    part = Counting()
    async with FakeUpstream() as server:
        handler = Pipeline(part, handler=Upstream(server.url))
        async with running(handler), serving(web.Server(ProxyHandler(handler).handle)) as site:
            assert part.diary == ["start"]
            assert (await site.ask(ask("/x"))).body == b"ok"
        assert part.diary == ["start", "stop"]
        await server.gone()
    assert not [each for each in caplog.records if each.name == "revproxy.error"]


# Test clients.


async def test_test_utils() -> None:
    """``aiohttp.test_utils`` serves an application with a proxy, or a bare ``handle``."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        app = web.Application()
        proxy.mount(app)
        async with TestClient(TestServer(app)) as client:
            response = await client.post("/x", data=b"hello")
            assert (response.status, await response.read()) == (200, b"ok")
            assert server.requests[0].body == b"hello"
        await server.gone()
        upstream = Upstream(server.url)
        bare: TestClient[web.BaseRequest, None] = TestClient(RawTestServer(ProxyHandler(upstream).handle))
        async with running(upstream), bare:
            assert await (await bare.get("/y")).text() == "ok"
        await server.gone(2)


class TestInATestCase(AioHTTPTestCase):
    """The same, as unittest has it."""

    async def get_application(self) -> web.Application:
        app = web.Application()
        self.transport = FakeTransport(Response(203))
        ProxyHandler(Upstream("http://a.test", transport=self.transport)).mount(app)
        return app

    async def test_it_answers(self) -> None:
        """An ``AioHTTPTestCase`` serves an application with a proxy."""
        for number in (1, 2):
            response = await self.client.get("/x")
            assert response.status == 203
            assert len(self.transport.attempts) == number


async def test_pytest_aiohttp(
    aiohttp_client: AiohttpClient, aiohttp_server: AiohttpServer, aiohttp_raw_server: AiohttpRawServer
) -> None:
    """So do the fixtures of pytest-aiohttp. Settings of the server's are ``aiohttp_server``'s to give."""
    async with FakeUpstream() as server:
        apps = [web.Application(), web.Application()]
        for app in apps:
            ProxyHandler(Upstream(server.url)).mount(app)
        upload, coded = {"Content-Encoding": "gzip"}, gzip.compress(b"hello")
        client = await aiohttp_client(apps[0])
        assert (await client.post("/", data=coded, headers=upload)).status == 200
        as_it_comes = await aiohttp_server(apps[1], auto_decompress=False)
        other: TestClient[web.Request, None] = await aiohttp_client(as_it_comes)
        assert (await other.post("/", data=coded, headers=upload)).status == 200
        assert [each.body for each in server.requests] == [b"hello", coded]
    bare = await aiohttp_raw_server(ProxyHandler(respond(201)).handle)
    assert (await (await aiohttp_client(bare)).get("/")).status == 201
