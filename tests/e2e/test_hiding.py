"""Nothing of what stands behind the proxy reaches a client, over raw sockets: a back end that leaks everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from multidict import CIMultiDict

from revproxy import (
    Endpoint,
    Exchange,
    Handler,
    HideUpstream,
    Pipeline,
    ProxyHandler,
    PublicOrigin,
    Response,
    Rule,
    Rules,
    Upstream,
    redirect,
    respond,
    when,
)
from revproxy.affinity import CookieAffinity
from revproxy.balancers import First
from revproxy.exchange import Attempt
from revproxy.filters import Fallback, Hedge, SetHost, StripPrefix
from revproxy.hiding import Cookies
from revproxy.limiters import RetryBudget
from revproxy.routing import Answer as Compared
from revproxy.routing import Failover, Mirror
from revproxy.testing import FakeTransport, FakeUpstream, Recorded, Turn, close, raw, switch
from revproxy.testing import respond as answer

from .wire import serving

DATE = b"Date: Mon, 06 May 2024 07:08:09 GMT\r\n"


def get(target: str, *lines: str, host: str = "shop.example") -> bytes:
    return "".join(f"{line}\r\n" for line in (f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "")).encode()


def leaked(request: Recorded) -> bytes:
    """A response in which a back end tells all there is to tell of itself."""
    (host,) = request.getall("Host")
    return (
        (
            "HTTP/1.1 302 Moved\r\n"
            "Server: Apache/2.4.1 (Debian) PHP/5.6.40\r\n"
            "X-Powered-By: PHP/5.6.40\r\n"
            "Via: 1.1 varnish-3.internal (Varnish/7.1)\r\n"
            "X-AspNet-Version: 4.0.30319\r\n"
            "X-Backend-Server: app-7.internal\r\n"
            "X-Debug-Token-Link: http://app-7.internal/_profiler/5\r\n"
            "X-Runtime: 0.0123\r\n"
            f"Location: http://{host}/login?next=%2F\r\n"
            f"Content-Location: //{host}/index.html\r\n"
            "X-Kept: caf\xe9\r\n"
            f'Link: <http://{host}/a.css>; rel=preload; as=style, </next>; rel="next"; title="<b>, c"\r\n'
            f"Refresh: 5; url='http://{host}/again'\r\n"
            f"Set-Cookie: session=5; Path=/; Domain={host.partition(':')[0]}; HttpOnly\r\n"
            "Set-Cookie: __Host-csrf=6; Path=/; Secure\r\n"
            "Set-Cookie: theme=7, 8; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n"
        ).encode("latin-1")
        + DATE
        + b"Content-Length: 5\r\n\r\nhello"
    )


async def leaks(turn: Turn) -> None:
    await turn.write(leaked(turn.request))


async def test_by_default_below_a_prefix() -> None:
    """F-105, F-106, F-107, S-42: names, machines and addresses are gone; URLs, Links and cookies are those of the
    prefix that the client asks below; all else comes as it came, to the byte."""
    app = web.Application()
    async with FakeUpstream() as server:
        server.always(leaks)
        ProxyHandler(Upstream(server.url), via=None).mount(app, "/shop", strip=True)
        async with serving(app) as site:
            found = await site.ask(get("/shop/x"))
    assert found.raw_head == (
        b"HTTP/1.1 302 Moved\r\n"
        b"Location: /shop/login?next=%2F\r\n"
        b"Content-Location: /shop/index.html\r\n"
        b"X-Kept: caf\xe9\r\n"
        b'Link: </shop/a.css>; rel=preload; as=style, </shop/next>; rel="next"; title="<b>, c"\r\n'
        b"Refresh: 5; url='/shop/again'\r\n"
        b"Set-Cookie: session=5; Path=/shop; HttpOnly\r\n"
        b"Set-Cookie: __Host-csrf=6; Path=/; Secure\r\n"
        b"Set-Cookie: theme=7, 8; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n" + DATE + b"Content-Length: 5\r\n\r\n"
    )
    assert found.body == b"hello"


async def test_by_a_public_origin() -> None:
    """F-105, S-25: with a public origin URLs are of that, whatever host the client claims to have asked."""
    hide = HideUpstream(origin=PublicOrigin("https://shop.example"), cookies=Cookies(secure="always", same_site="Lax"))
    async with FakeUpstream() as server:
        server.always(leaks)
        proxy = ProxyHandler(Upstream(server.url), filters=[SetHost("inner.internal:81")], via=None, hide=hide)
        async with serving(proxy) as site:
            found = await site.ask(get("/x", "X-Forwarded-Host: evil.example", host="evil.example"))
    assert not any(word in found.raw_head for word in (b"evil", b"internal", b"127.0.0.1"))
    assert found.getall(b"Location") == [b"https://shop.example/login?next=%2F"]
    assert found.getall(b"Content-Location") == [b"https://shop.example/index.html"]
    assert found.getall(b"Set-Cookie")[0] == b"session=5; Path=/; HttpOnly; Secure; SameSite=Lax"


async def test_host_attacks() -> None:
    """S-25: where the upstream builds URLs of the client's Host, by which mails and caches are poisoned, nothing of it
    is left in a redirect."""
    async with FakeUpstream() as server:
        server.always(leaks)
        async with serving(Upstream(server.url, host="client")) as site:
            found = await site.ask(get("/x", host="evil.example"))
    assert found.getall(b"Location") == [b"/login?next=%2F"]
    assert [line for line in found.lines if b"evil" in line and not line.startswith(b"Set-Cookie")] == []


async def test_switched_off() -> None:
    """``hide=None`` passes everything as it came."""
    async with FakeUpstream() as server:
        server.always(leaks)
        async with serving(ProxyHandler(Upstream(server.url), via=None, hide=None)) as site:
            found = await site.ask(get("/x"))
        (request,) = server.requests
    assert found.raw_head + found.body == leaked(request)


async def test_interim_responses() -> None:
    """F-77, F-107: interim responses are told of as little, and their links are the client's."""
    app = web.Application()
    async with FakeUpstream() as server:

        async def hints(turn: Turn) -> None:
            link = f"</a.css>; rel=preload, <{server.url}/b.js>; rel=preload"
            await turn.write(f"HTTP/1.1 103 Early Hints\r\nServer: x\r\nLink: {link}\r\nX-A: 1\r\n\r\n".encode())

        server.always(hints, answer(body=b"ok"))
        ProxyHandler(Upstream(server.url), via=None).mount(app, "/shop", strip=True)
        async with serving(app) as site, site.connect() as client:
            await client.send(get("/shop/"))
            assert (await client.head()).lines == [
                b"Link: </shop/a.css>; rel=preload, </shop/b.js>; rel=preload",
                b"X-A: 1",
            ]
            assert (await client.response()).body == b"ok"


async def test_a_websocket() -> None:
    """F-93, F-107: the 101 of a WebSocket says as little, and still is one."""
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    ask = get("/chat", *lines, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    fields = {"Server": "x", "X-Served-By": "app-7", "X-A": "1", "Set-Cookie": "a=b; Domain=127.0.0.1"}
    for hide in (HideUpstream(), HideUpstream(only=["X-A", "Set-Cookie"])):
        async with FakeUpstream() as server:
            server.always(switch(headers=fields), close())
            proxy = ProxyHandler(Upstream(server.url), hide=hide)
            async with serving(proxy) as site, site.connect() as client:
                await client.send(ask)
                head = await client.head()
                assert head.status == 101
                assert sorted(line.partition(b":")[0].lower() for line in head.lines if b"Date" not in line) == [
                    *(b"connection", b"sec-websocket-accept", b"set-cookie", b"upgrade", b"x-a")
                ]
                assert head.getall(b"Set-Cookie") == [b"a=b"]
                client.end()
                await client.rest()


async def signed(exchange: Exchange, handler: Handler) -> Response:
    """A filter of the application's that says who it is."""
    response = await handler(exchange)
    response.headers["Server"] = "shop"
    return response


def leaky(status: int = 200) -> FakeTransport:
    fields = {"Server": "x", "Location": "http://app.internal/a", "Set-Cookie": "a=b; Path=/"}
    return FakeTransport(lambda attempt: Response(status, fields))


OURS = [("Location", "/login"), ("Server", "shop"), ("Set-Cookie", "c=d; Path=/"), ("Via", "1.1 shop")]


@pytest.mark.parametrize(
    "make",
    [
        lambda: respond(302, headers=dict(OURS)),
        lambda: Pipeline(
            Fallback(respond(302, headers=dict(OURS)), statuses=[503]),
            handler=Upstream("http://a", transport=leaky(503)),
        ),
        lambda: Failover(Upstream("http://a", transport=leaky(503)), respond(302, headers=dict(OURS)), statuses=[503]),
    ],
    ids=["alone", "fallback", "failover"],
)
async def test_answers_of_ones_own(make: Callable[[], Handler]) -> None:
    """What the application answers itself is its own to say, whether or not an upstream was asked before."""
    app = web.Application()
    ProxyHandler(make(), via=None).mount(app, "/shop", strip=True)
    async with serving(app) as site:
        found = await site.ask(get("/shop/x"))
    for name, value in OURS:
        assert found.getall(name.encode()) == [value.encode()]


async def test_filters_see_what_is_left() -> None:
    """Filters are given what the client may know, and what they add is not taken away again."""
    seen: list[CIMultiDict[str]] = []

    async def look(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        seen.append(response.headers.copy())
        return response

    proxy = ProxyHandler(Upstream("http://app.internal", transport=leaky()), filters=[signed, look])
    async with serving(proxy) as site:
        found = await site.ask(get("/x"))
    assert found.getall(b"Server") == [b"shop"]
    assert seen == [{"Location": "/a", "Set-Cookie": "a=b; Path=/"}]


async def test_cookies_of_the_proxys_own() -> None:
    """The cookie that binds a session is as the application has declared it."""
    affinity = CookieAffinity(b"k" * 32, path="/")
    upstream = Upstream("http://app.internal", transport=leaky(), affinity=affinity)
    app = web.Application()
    ProxyHandler(upstream).mount(app, "/shop", strip=True)
    async with serving(app) as site:
        theirs, ours = (await site.ask(get("/shop/x"))).getall(b"Set-Cookie")
    assert theirs == b"a=b; Path=/shop"
    assert b"; Path=/;" in ours


async def test_a_shadow_is_compared_by_what_is_left() -> None:
    """Primary and shadow are hidden alike, so that their answers can be compared."""
    compared: asyncio.Future[tuple[CIMultiDict[str], CIMultiDict[str]]] = asyncio.get_running_loop().create_future()

    def compare(primary: Compared, shadow: Compared) -> str | None:
        compared.set_result((primary.headers, shadow.headers))
        return None

    primary = Upstream("http://app.internal", transport=leaky())
    shadow = Upstream("http://app.internal", name="shadow", transport=leaky())
    async with serving(Pipeline(Mirror(shadow, compare=compare), handler=primary)) as site:
        await site.ask(get("/x"))
        first, second = await compared
    assert first == second == {"Location": "/a", "Set-Cookie": "a=b; Path=/"}


async def test_the_second_go_of_a_hedge() -> None:
    """Whichever server answers, it is that whose name is hidden."""

    async def answered(attempt: Attempt) -> Response:
        if attempt.endpoint.host == "one.internal":
            await asyncio.get_running_loop().create_future()
        return Response(302, {"Location": f"http://{attempt.endpoint.host}/a", "Server": "x"})

    one = Endpoint("http://one.internal", limit=1)
    upstream = Upstream(one, "http://two.internal", transport=FakeTransport(answered), balancer=First())
    async with serving(Pipeline(Hedge(after=0.001, budget=RetryBudget(1.0)), handler=upstream)) as site:
        found = await site.ask(get("/x"))
    assert (found.getall(b"Location"), found.getall(b"Server")) == ([b"/a"], [])


async def test_redirects_are_followed_home() -> None:
    """F-105: what a client is sent to below a prefix is what it finds there, whichever form the back end uses."""
    forms = {"/absolute": "http://{host}/end", "/network": "//{host}/end", "/path": "/end", "/relative": "end"}
    app = web.Application()

    async def moved(turn: Turn) -> None:
        path = turn.request.target
        if path == "/end":
            await answer(body=b"here")(turn)
        else:
            to = forms[path].format(host=turn.request.getall("Host")[0])
            await answer(302, headers={"Location": to})(turn)

    async with FakeUpstream() as server:
        server.always(moved)
        stripped = Pipeline(StripPrefix("/app"), handler=Upstream(server.url))
        routed = Rules(Rule(when.path("/old/*"), redirect("/never")), Rule(when.anything, stripped))
        ProxyHandler(routed).mount(app)
        async with serving(app) as site:
            for form in forms:
                found = await site.ask(get(f"/app{form}"))
                location = found.getall(b"Location")[0].decode()
                assert location == ("end" if form == "/relative" else "/app/end")
                there = location if location.startswith("/") else f"/app/{location}"
                assert (await site.ask(get(there))).body == b"here"


def test_bad_parameters() -> None:
    """What is no ``HideUpstream`` is named."""
    with pytest.raises(TypeError, match="hide must be a HideUpstream object or None, got True"):
        ProxyHandler(respond(200), hide=True)  # type: ignore[arg-type]


async def test_a_bug_closes() -> None:
    """What cannot be hidden is not sent: 500."""

    class Broken(HideUpstream):
        def edit(self, attempt: Attempt, response: Response) -> None:
            raise RuntimeError("a bug")

    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 200 OK\r\nServer: secret\r\nContent-Length: 5\r\n\r\nhello"))
        async with serving(ProxyHandler(Upstream(server.url), hide=Broken())) as site:
            found = await site.ask(get("/x"))
    assert found.status == 500
    assert b"secret" not in found.raw_head
