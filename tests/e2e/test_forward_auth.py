"""A service that is asked about each request, over sockets: what it is sent, what the others are, and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from revproxy import (
    Attempt,
    Endpoint,
    Exchange,
    Filter,
    Limits,
    PathPolicy,
    Pipeline,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    when,
)
from revproxy.errors import AuthenticationUnavailable, ClientDisconnected
from revproxy.filters.auth import ForwardAuth
from revproxy.health import HealthPolicy
from revproxy.health.base import Verdicts
from revproxy.health.blame import has_failed
from revproxy.testing import (
    FakeUpstream,
    Step,
    close,
    delay,
    echo,
    head,
    interim,
    raw,
    reset,
    respond,
    stall,
    switch,
    truncate,
)

from .seen import Seen
from .test_websocket import ASK, HELLO, MASKED_HELLO
from .wire import GET, Client, Site, serving


class Setup:
    """A site, the service that is asked about it, the proxy between, and who watches."""

    def __init__(self, site: FakeUpstream, auth: FakeUpstream, proxy: Site, seen: Seen, subject: ForwardAuth) -> None:
        self.site, self.auth, self.proxy, self.seen, self.subject = site, auth, proxy, seen, subject


@asynccontextmanager
async def guarded(*outer: Filter, **options: Any) -> AsyncIterator[Setup]:
    proxy = options.pop("proxy", {})
    async with FakeUpstream() as site, FakeUpstream() as auth:
        auth.respond(204)
        service = Upstream(auth.url, name="auth", limits=Limits(idle=60))
        subject, seen = ForwardAuth(service, **options), Seen()
        upstream = Upstream(site.url, name="site", limits=Limits(idle=60))
        handler = ProxyHandler(upstream, filters=[*outer, subject], observers=[seen], via=None, **proxy)
        async with serving(handler) as at:
            yield Setup(site, auth, at, seen, subject)
        auth.release()
        assert [each.in_flight for each in service.endpoints] == [0]


async def test_transcript() -> None:
    """S-22, S-23, S-24: to the byte. The service is shown what is declared, and told what this proxy knows; the site is
    told what the service says, and nothing that the client has made up for it."""
    lines = [
        *(b"Authorization: Bearer x", b"Cookie: a=1", b"X-User: root", b"X_User: root", b"x-uSER: root", b"X-A: 1"),
        *(b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /public", b"X-Forwarded-Host: evil", b"X-Real-IP: 10.0.0.1"),
        b"Content-Length: 4",
    ]
    async with guarded(copy=["X-User"]) as setup:
        setup.auth.respond(200, headers={"X-User": "ada", "X-Inside": "1"}, body=b"fine")
        ask = (
            b"PUT /%61dmin?x=%2f HTTP/1.1\r\nHost: a.test\r\n"
            + b"".join(line + b"\r\n" for line in lines)
            + b"\r\nbody"
        )
        assert (await setup.proxy.ask(ask)).body == b"ok"
        (asked,), (sent,) = setup.auth.requests, setup.site.requests
        assert asked.raw.split(b"\r\n") == [
            b"GET / HTTP/1.1",
            b"Host: 127.0.0.1:%d" % setup.auth.port,
            b"Authorization: Bearer x",
            b"Cookie: a=1",
            b"X-Forwarded-For: 127.0.0.1",
            b"X-Forwarded-Host: a.test",
            b"X-Forwarded-Method: PUT",
            b"X-Forwarded-Proto: http",
            b"X-Forwarded-Uri: /admin?x=%2f",
            b"",
            b"",
        ]
        assert (sent.method, sent.target, sent.body) == ("PUT", "/%61dmin?x=%2f", b"body")
        assert sorted(name for name, _ in sent.headers) == [
            *("Authorization", "Content-Length", "Cookie", "Host", "X-A"),
            *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-User"),
        ]
        assert sent.getall("X-User") == ["ada"]
        assert [attempt.endpoint.name for attempt in setup.seen.attempts] == [setup.site.url]


async def test_one_connection() -> None:
    """The connection to the service is used again, whatever it answers and however long."""
    async with guarded() as setup, setup.proxy.connect() as client:
        setup.auth.once(respond(200, body=b"x" * 1000))
        setup.auth.once(respond(200, body=[b"a", b"b"], chunked=True))
        setup.auth.once(respond(401, headers={"WWW-Authenticate": "Basic"}, body=b"no"))
        setup.auth.once(respond(302, headers={"Location": "/login"}, body=b"go", chunked=True))
        setup.auth.once(respond(500, body=b"broken"))
        for status in (200, 200, 401, 302, 503, 200):
            await client.send(GET)
            assert (await client.response()).status == status
        assert (setup.auth.connections, len(setup.auth.requests), len(setup.site.requests)) == (1, 6, 3)


async def test_refusals() -> None:
    """S-24: as the service says them, in the declared fields, and the site is not asked; the connection goes on."""
    async with guarded() as setup, setup.proxy.connect() as client:
        fields = [
            ("Location", "https://login.test/?rd=%2F"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Server", "x"),
        ]
        setup.auth.once(respond(302, headers=fields))
        setup.auth.once(respond(403, headers={"Content-Type": "text/html"}, body=b"<p>no"))
        await client.send(GET)
        answer = await client.response()
        assert (answer.status, answer.body) == (302, b"")
        assert sorted(line for line in answer.lines if not line.startswith(b"Date")) == [
            b"Cache-Control: no-store",
            b"Content-Length: 0",
            b"Location: https://login.test/?rd=%2F",
            b"Set-Cookie: a=1",
            b"Set-Cookie: b=2",
        ]
        await client.send(b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        answer = await client.response(to="HEAD")
        assert (answer.status, answer.getall(b"Content-Length")) == (403, [b"5"])
        await client.send(GET)
        assert (await client.response()).status == 200
        assert len(setup.site.requests) == 1


@pytest.mark.parametrize(
    "steps",
    [
        [respond(500, body=b"inside")],
        [respond(404)],
        [respond(302)],
        [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), close()],
        [raw(b"nonsense\r\n\r\n"), close()],
        [close()],
        [reset()],
        [truncate(5, of=10, status=403)],
        [truncate(5, of=10, status=200, by_reset=True)],
        [head(200, headers={"Content-Length": "10"}), raw(b"x"), stall()],
        [stall()],
        [respond(401, body=b"x" * 70_000)],
        [raw(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), stall()],
    ],
    ids=lambda steps: repr(steps)[:60],
)
async def test_no_answer(steps: list[Step]) -> None:
    """S-24: it fails closed. Whatever is no answer, or none in time, is 503 to the client, without a word of the
    service's; the site is never asked, and the next request is."""
    async with guarded(timeout=0.3) as setup, setup.proxy.connect() as client:
        setup.auth.once(*steps)
        await client.send(GET)
        answer = await client.response()
        assert (answer.status, answer.getall(b"Retry-After")) == (503, [b"5"])
        assert b"inside" not in answer.body
        assert setup.site.requests == []
        assert [type(error) for error in setup.seen.errors] == [AuthenticationUnavailable]
        setup.auth.release()
        await client.send(GET)
        assert (await client.response()).status == 200
        setup.auth.errors.clear()


async def test_nobody_there() -> None:
    """S-24: no service, nobody passes."""
    async with guarded() as setup:
        await setup.auth.stop()
        answer = await setup.proxy.ask(GET)
        assert (answer.status, setup.site.requests) == (503, [])
        assert b"127.0.0.1" not in answer.body
        await setup.auth.start()


class Note(HealthPolicy):
    """Notes how attempts have ended."""

    def __init__(self) -> None:
        self.outcomes: list[bool | None] = []

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        pass

    def settled(self, attempt: Attempt) -> None:
        self.outcomes.append(has_failed(attempt))


@pytest.mark.parametrize(
    ("steps", "failed"),
    [
        ([respond(200)], False),
        ([respond(401)], False),
        ([respond(500)], True),
        ([stall()], True),
        ([head(401, headers={"Content-Length": "10"}), raw(b"x"), stall()], True),
        ([truncate(5, of=10, status=401)], True),
        ([close()], True),
    ],
    ids=lambda steps: repr(steps)[:40],
)
async def test_health_learns(steps: list[Step], failed: bool) -> None:
    """S-57: the endpoint of the service answers for what it does, silence included; that a client leaves is not its
    fault."""
    note = Note()
    async with FakeUpstream() as auth:
        service = Upstream(auth.url, name="auth", health=[note])
        seen = Seen()
        handler = ProxyHandler(respond_ok, filters=[ForwardAuth(service, timeout=0.2)], observers=[seen])
        async with serving(handler) as at:
            auth.once(*steps)
            await at.ask(GET)
            assert note.outcomes == [failed]
            auth.once(stall())
            async with at.connect() as client:
                await client.send(GET)
                await auth.wait_requests(2)
            await seen.over(2)
            assert note.outcomes == [failed, None]
        auth.release()


async def respond_ok(exchange: Exchange) -> Response:
    return Response(200)


# The client goes away.


def leave(client: Client, by_reset: bool) -> None:
    if by_reset:
        client.reset()
    else:
        client.close()


POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000


@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize(
    "steps",
    [[stall()], [head(401, headers={"Content-Length": "10"}), raw(b"x"), stall()], [interim(103), stall()]],
    ids=["head", "body", "interim"],
)
@pytest.mark.parametrize("ask", [GET, POST, ASK], ids=["GET", "POST", "WebSocket"])
async def test_the_client_goes_away(ask: bytes, steps: list[Step], by_reset: bool) -> None:
    """F-79, F-80: in the middle of the question. It ends at once, its connection is closed, nothing of it is in flight,
    no timer or task is left (``serving`` looks), the site was not asked, and the client alone is to blame."""
    async with guarded(timeout=60.0) as setup:
        setup.auth.once(*steps)
        async with setup.proxy.connect() as client:
            await client.send(ask)
            await setup.auth.wait_requests(1)
            leave(client, by_reset)
        await setup.auth.gone(1)
        await setup.seen.over()
        (exchange,) = setup.seen.exchanges
        assert type(exchange.error) is ClientDisconnected
        assert (exchange.attempts, setup.site.requests, setup.subject.failed) == ([], [], 0)
        service = setup.subject._service
        assert isinstance(service, Upstream)
        assert [each.in_flight for each in service.endpoints] == [0]
        assert (await setup.proxy.ask(GET)).status == 200


async def test_many_go_away() -> None:
    """F-79: of many at once, too, whenever it is; nothing is left of any."""
    async with guarded(timeout=60.0) as setup:
        setup.auth.always(delay(0.01), respond(200))

        async def hurried(number: int) -> None:
            async with setup.proxy.connect() as client:
                await client.send(GET)
                await setup.seen.until(lambda seen: len(seen.exchanges) > number)  # each leaves at another moment
                leave(client, bool(number % 2))

        await asyncio.gather(*(hurried(number) for number in range(30)))
        await setup.seen.over(30)
        setup.auth.respond(204)
        assert (await setup.proxy.ask(GET)).status == 200


# Interim answers, bodies, WebSockets.


async def test_interim_answers() -> None:
    """F-77: those of the service are not the client's; those of the site are."""
    async with guarded() as setup, setup.proxy.connect() as client:
        setup.auth.always(interim(103, {"Link": "</inside>"}), interim(102), respond(200))
        setup.site.always(interim(103, {"Link": "</a>"}), respond(200))
        await client.send(GET)
        assert (await client.response()).lines == [b"Link: </a>"]
        assert (await client.response()).status == 200


async def test_the_body_waits() -> None:
    """F-78: a client that waits to be told to go on is told by the site, after the service has agreed, and its body
    goes there alone; where the service refuses it is not told at all."""
    ask = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    async with guarded() as setup:
        async with setup.proxy.connect() as client:
            await client.send(ask)
            assert (await client.response()).status == 100
            await client.send(b"hello")
            assert (await client.response()).status == 200
        assert [request.body for request in (*setup.auth.requests, *setup.site.requests)] == [b"", b"hello"]
        setup.auth.respond(401, body=b"no")
        async with setup.proxy.connect() as client:
            await client.send(ask)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (401, [b"close"])


async def test_websockets() -> None:
    """A handshake is asked about as any request; the question is none. What is refused is not switched."""
    async with guarded() as setup:
        setup.site.always(switch(), echo())
        async with setup.proxy.connect() as client:
            await client.send(ASK)
            assert (await client.head()).status == 101
            await client.send(MASKED_HELLO)
            await client.gets(HELLO)
        (asked,) = setup.auth.requests
        assert not asked.getall("Upgrade") + asked.getall("Connection") + asked.getall("Sec-WebSocket-Key")
        assert asked.getall("X-Forwarded-Uri") == ["/chat"]
        setup.auth.respond(401, headers={"WWW-Authenticate": "Basic"})
        async with setup.proxy.connect() as client:
            await client.send(ASK)
            answer = await client.response()
            assert (answer.status, answer.getall(b"WWW-Authenticate")) == (401, [b"Basic"])
        assert len(setup.site.requests) == 1


async def test_other_routes() -> None:
    """S-24: what the service is believed in, clients cannot say on a route that does not ask it either; what they show
    to it goes on there."""
    async with FakeUpstream() as site, FakeUpstream() as auth:
        auth.respond(200, headers={"X-User": "ada", "Authorization": "Bearer inner"})
        subject = ForwardAuth(Upstream(auth.url, name="auth"), copy=["X-User", "Authorization"])
        upstream = Upstream(site.url, name="site")
        rules = Rules(Rule(when.path("/in/*"), Pipeline(subject, handler=upstream)), Rule(when.anything, upstream))
        async with serving(rules) as at:
            for path in (b"/in/", b"/out"):
                lines = b"X-User: evil\r\nX_User: evil\r\nAuthorization: Bearer outer\r\n"
                await at.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a.test\r\n" + lines + b"\r\n")
        assert auth.requests[0].getall("Authorization") == ["Bearer outer"]
        inner, outer = site.requests
        assert (inner.getall("X-User"), inner.getall("Authorization")) == (["ada"], ["Bearer inner"])
        assert (outer.getall("X-User"), outer.getall("Authorization")) == ([], ["Bearer outer"])
        assert not inner.getall("X_User") + outer.getall("X_User")


# Paths and loops.


@pytest.mark.parametrize("target", [b"/a%2Fb", b"//admin", b"/a//b", b"/../admin", b"/%2e%2e/admin", b"/a\\b"])
async def test_two_readings(target: bytes) -> None:
    """S-35 to S-37: the service decides by the path; what it could read in another way than the site is refused before
    it is asked."""
    async with guarded() as setup:
        answer = await setup.proxy.ask(b"GET " + target + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert (answer.status, setup.auth.requests, setup.site.requests) == (400, [], [])


async def test_one_reading() -> None:
    """S-39: unless it is declared what they mean; then both are told the same."""
    policy = PathPolicy(encoded_slash="keep", empty_segments="merge")
    async with guarded(proxy={"path_policy": policy}) as setup:
        for target in (b"/a%2fb", b"//admin"):
            answer = await setup.proxy.ask(b"GET " + target + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert answer.status == 200
        assert [request.getall("X-Forwarded-Uri") for request in setup.auth.requests] == [["/a%2Fb"], ["/admin"]]
        assert [request.target for request in setup.site.requests] == ["/a%2fb", "/admin"]


async def test_below_a_path() -> None:
    """The service is told what the client has asked for, whatever of it goes on."""
    async with FakeUpstream() as site, FakeUpstream() as auth:
        handler = ProxyHandler(Upstream(site.url), filters=[ForwardAuth(Upstream(auth.url, name="auth"))])
        app = web.Application()
        handler.mount(app, "/shop", strip=True)
        async with serving(app) as at:
            for target in (b"/shop/a?b", b"http://a.test/shop/a?b"):
                await at.ask(b"GET " + target + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert [request.getall("X-Forwarded-Uri") for request in auth.requests] == [["/shop/a?b"]] * 2
        assert [request.target for request in site.requests] == ["/a?b"] * 2


async def test_in_circles() -> None:
    """F-34: a service that is behind the very filter that asks it would be asked for ever; it is found, and refused."""
    upstream = Upstream("http://127.0.0.1:1", name="auth")
    async with FakeUpstream() as server:
        handler = ProxyHandler(Upstream(server.url, name="site"), filters=[ForwardAuth(upstream)])
        async with serving(handler) as site:
            upstream.replace(f"http://127.0.0.1:{site.port}")
            assert (await site.ask(GET)).status == 503
        assert server.requests == []


async def test_what_is_remembered() -> None:
    """With ``remember`` the service is asked once for what is alike; the site is told the same each time."""
    async with guarded(copy=["X-User"], remember=60.0) as setup, setup.proxy.connect() as client:
        setup.auth.respond(200, headers={"X-User": "ada"})
        for cookie in (b"a", b"a", b"b"):
            await client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX-User: evil\r\nCookie: s=" + cookie + b"\r\n\r\n")
            assert (await client.response()).status == 200
        assert len(setup.auth.requests) == 2
        assert [request.getall("X-User") for request in setup.site.requests] == [["ada"]] * 3
