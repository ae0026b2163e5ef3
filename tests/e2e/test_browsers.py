"""What browsers are told, and what is refused for their users' sake, as it stands on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from revproxy import Filter, ProxyHandler, Rule, Rules, Upstream, block, when
from revproxy.filters import AllowedHosts, AllowedOrigins, Cors, Csrf, RateLimit, SecurityHeaders
from revproxy.limiters import Gcra
from revproxy.testing import FakeUpstream, close, echo, interim, respond, switch
from revproxy.trust import TrustedProxies

from .test_websocket import HANDSHAKE, HELLO, MASKED_HELLO
from .wire import Answer, Site, serving

APP, EVIL = b"https://app.test", b"https://evil.test"


@asynccontextmanager
async def behind(*filters: Filter, trusted: TrustedProxies | None = None) -> AsyncIterator[tuple[Site, FakeUpstream]]:
    async with FakeUpstream() as server:
        handler = ProxyHandler(Upstream(server.url), filters=filters, via=None, trusted=trusted)
        async with serving(handler) as site:
            yield site, server


def ask(method: bytes, *lines: bytes, target: bytes = b"/", host: bytes = b"api.test") -> bytes:
    start = method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n"
    length = [b"Content-Length: 0"] if method in (b"POST", b"PUT") else []
    return start + b"".join(line + b"\r\n" for line in (*lines, *length)) + b"\r\n"


def cross(answer: Answer) -> dict[bytes, bytes]:
    """What an answer says of who may read it."""
    pairs = [line.split(b": ", 1) for line in answer.lines]
    return {name: value for name, value in pairs if name.lower().startswith(b"access-control") or name == b"Vary"}


# CORS.


async def test_preflights() -> None:
    """S-70: answered here, to the byte, and not passed on; others get 403, and with it ``Vary``."""
    async with behind(Cors(APP.decode(), methods=["PUT"], headers=["Content-Type"], credentials=True)) as (
        site,
        server,
    ):
        asked = [b"Access-Control-Request-Method: PUT", b"Access-Control-Request-Headers: content-type"]
        answer = await site.ask(ask(b"OPTIONS", b"Origin: " + APP, *asked))
        assert answer.status == 204
        assert [line for line in answer.lines if not line.startswith(b"Date")] == [
            b"Access-Control-Allow-Origin: https://app.test",
            b"Access-Control-Allow-Credentials: true",
            b"Access-Control-Allow-Methods: PUT",
            b"Access-Control-Allow-Headers: Content-Type",
            b"Access-Control-Max-Age: 600",
            b"Vary: Origin",
        ]
        for origin in (EVIL, b"null", b"https://app.test.evil.test", b"http://app.test"):
            answer = await site.ask(ask(b"OPTIONS", b"Origin: " + origin, *asked))
            assert (answer.status, cross(answer)) == (403, {b"Vary": b"Origin"})
        assert server.requests == []


async def test_one_voice() -> None:
    """S-70: what the upstream says to everybody is said to nobody but those who are meant, and caches are told."""
    lies = {"Access-Control-Allow-Origin": "*", "access-control-allow-credentials": "true", "Vary": "Accept"}
    async with behind(Cors(APP.decode())) as (site, server):
        server.respond(200, headers=lies, body=b"secret")
        for lines, allowed in (
            ([b"Origin: " + APP], {b"Access-Control-Allow-Origin": APP}),
            ([b"Origin: " + EVIL], {}),
            ([b"Origin: null"], {}),
            ([b"Origin: " + APP, b"Origin: " + EVIL], {}),
            ([], {}),
        ):
            assert cross(await site.ask(ask(b"GET", *lines))) == {b"Vary": b"Accept, Origin", **allowed}
        assert server.requests[0].getall("Origin") == ["https://app.test"]


async def test_errors_can_be_read() -> None:
    """A page is told why it is refused, by a filter, by the proxy, and where the upstream breaks."""
    async with behind(Cors(APP.decode()), RateLimit(Gcra(0.001, 2))) as (site, server):
        server.once(close())
        for status in (502, 200, 429):
            answer = await site.ask(ask(b"POST", b"Origin: " + APP))
            assert (answer.status, answer.getall(b"Access-Control-Allow-Origin")) == (status, [APP])
            assert answer.getall(b"Vary") == [b"Origin"]


# CSRF.


async def test_csrf() -> None:
    """S-70: what a page of another origin has a browser send is refused before anybody reads it, unless it is safe."""
    async with behind(Csrf("https://login.test")) as (site, server):
        own = b"Origin: http://api.test"
        for lines, status in (
            ([own], 200),
            ([b"Origin: http://api.test:80"], 200),
            ([], 200),
            ([b"Sec-Fetch-Site: same-origin"], 200),
            ([b"Sec-Fetch-Site: cross-site", b"Origin: https://login.test"], 200),
            ([b"Origin: " + EVIL], 403),
            ([b"Origin: https://api.test"], 403),
            ([b"Origin: http://api.test:8080"], 403),
            ([b"Origin: null"], 403),
            ([own, own], 403),
            ([b"Sec-Fetch-Site: cross-site"], 403),
            ([b"Sec-Fetch-Site: same-site", own], 403),
        ):
            before = len(server.requests)
            assert (await site.ask(ask(b"POST", *lines))).status == status, lines
            assert len(server.requests) == before + (status == 200)
        assert (await site.ask(ask(b"GET", b"Origin: " + EVIL, b"Sec-Fetch-Site: cross-site"))).status == 200
        # What a client says of its method goes no further (S-22), so that a safe one stays safe.
        await site.ask(ask(b"GET", b"Origin: " + EVIL, b"X-HTTP-Method-Override: DELETE"))
        assert server.requests[-1].getall("X-HTTP-Method-Override") == []


async def test_behind_tls() -> None:
    """S-25: the scheme and the host that the browser sees are those that a trusted proxy says; nobody else's word."""
    seen = [b"X-Forwarded-Proto: https", b"X-Forwarded-Host: shop.test", b"Origin: https://shop.test"]
    async with behind(Csrf(), trusted=TrustedProxies("127.0.0.1")) as (site, _):
        assert (await site.ask(ask(b"POST", *seen))).status == 200
    async with behind(Csrf()) as (site, _):
        assert (await site.ask(ask(b"POST", *seen))).status == 403


async def test_a_name_that_was_pointed_here() -> None:
    """S-25, S-70: DNS rebinding makes a page's own host that of the server: names are for ``AllowedHosts``."""
    async with behind(AllowedHosts("api.test"), Csrf(), AllowedOrigins()) as (site, server):
        answer = await site.ask(ask(b"POST", b"Origin: http://evil.test", host=b"evil.test"))
        assert (answer.status, server.requests) == (421, [])


# Fields that protect.

DEFAULTS = {
    b"Content-Security-Policy": b"frame-ancestors 'self'",
    b"X-Frame-Options": b"SAMEORIGIN",
    b"X-Content-Type-Options": b"nosniff",
    b"Referrer-Policy": b"strict-origin-when-cross-origin",
}


async def test_every_answer() -> None:
    """Those of the upstream, of rules, of filters and of errors; each field is there once."""
    async with FakeUpstream() as server:
        rules = Rules(Rule(when.path("/blocked"), block(403)), Rule(when.path("/site/*"), Upstream(server.url)))
        filters: list[Filter] = [SecurityHeaders(), RateLimit(Gcra(0.001, 5))]
        async with serving(ProxyHandler(rules, filters=filters, via=None)) as site:
            server.once(respond(200, headers={"X-XSS-Protection": "1; mode=block"}))
            server.once(respond(304, headers={"ETag": '"1"'}))
            server.once(close())
            for target, status in (
                (b"/site/", 200),
                (b"/site/", 304),
                (b"/site/", 502),
                (b"/blocked", 403),
                (b"/nowhere", 404),
                (b"/site/", 429),
            ):
                answer = await site.ask(ask(b"POST", target=target))
                assert answer.status == status
                for name, value in DEFAULTS.items():
                    assert answer.getall(name) == [value]
                assert answer.getall(b"X-XSS-Protection") + answer.getall(b"Strict-Transport-Security") == []


async def test_over_tls() -> None:
    """RFC 6797 section 7.2: ``Strict-Transport-Security`` where the client speaks TLS, be it to a trusted proxy."""
    async with behind(SecurityHeaders(), trusted=TrustedProxies("127.0.0.1")) as (site, server):
        answer = await site.ask(ask(b"GET", b"X-Forwarded-Proto: https"))
        assert answer.getall(b"Strict-Transport-Security") == [b"max-age=31536000"]
        server.respond(200, headers={"Strict-Transport-Security": "max-age=1"})
        assert (await site.ask(ask(b"GET"))).getall(b"Strict-Transport-Security") == []


async def test_interim_answers_and_switches() -> None:
    """They are about the connection, or not the answer yet: nothing is added to them."""
    async with behind(SecurityHeaders(), Cors(APP.decode())) as (site, server):
        server.always(interim(103, {"Link": "</a>"}), respond(200))
        async with site.connect() as client:
            await client.send(ask(b"GET", b"Origin: " + APP))
            assert (await client.response()).lines == [b"Link: </a>"]
            assert (await client.response()).getall(b"X-Frame-Options") == [b"SAMEORIGIN"]
        server.always(switch(), echo())
        async with site.connect() as client:
            await client.send(b"GET /chat HTTP/1.1\r\n" + HANDSHAKE + b"Origin: " + APP + b"\r\n\r\n")
            answer = await client.head()
            assert (answer.status, cross(answer), answer.getall(b"X-Frame-Options")) == (101, {}, [])
            await client.send(MASKED_HELLO)
            await client.gets(HELLO)


# WebSockets of other pages.


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"Origin: https://app.test\r\n", 101),
        (b"Origin: http://a.test\r\n", 101),
        (b"Origin: capacitor://localhost\r\n", 101),
        (b"", 101),
        (b"Origin: https://evil.test\r\n", 403),
        (b"Origin: null\r\n", 403),
        (b"Origin: https://app.test\r\nOrigin: https://app.test\r\n", 403),
        (b"Origin: https://a.test\r\n", 403),
        (b"Origin: capacitor://localhost.evil.test\r\n", 403),
        (b"Origin:\r\n", 403),
    ],
)
async def test_websockets(origin: bytes, status: int) -> None:
    """F-103, S-70: pages of the site itself and of those that are listed, applications in a web view among them, and
    what is no page; others get 403, and the upstream is not asked."""
    async with behind(AllowedOrigins("https://app.test", "capacitor://localhost")) as (site, server):
        server.always(switch(), echo())
        async with site.connect() as client:
            await client.send(b"GET /chat HTTP/1.1\r\n" + HANDSHAKE + origin + b"\r\n")
            assert (await client.head()).status == status
        assert len(server.requests) == (status == 101)
