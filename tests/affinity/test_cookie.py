"""Sessions by a cookie, as browsers see it."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Literal

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from revproxy import ProxyHandler, Response, Rule, Rules, Upstream, when
from revproxy.affinity import CookieAffinity, HeaderAffinity, TableAffinity
from revproxy.balancers import RoundRobin
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, echo, exchange, respond, switch

from ..e2e.wire import serving

KEY = bytes(range(32))


async def answered(
    affinity: CookieAffinity, scheme: Literal["http", "https"] = "http", response: Response | None = None
) -> Response:
    upstream = Upstream("http://a.test", affinity=affinity, transport=FakeTransport(response))
    return await upstream(exchange(scheme=scheme))


async def test_attributes() -> None:
    """Out of scripts' reach, for the whole host, and not sent along from other sites."""
    set_cookie = (await answered(CookieAffinity(KEY))).headers["Set-Cookie"]
    token, _, attributes = set_cookie.removeprefix("affinity=").partition(";")
    assert len(token) == 58
    assert attributes == " Path=/; HttpOnly; SameSite=Lax"


async def test_secure_where_the_request_was() -> None:
    """Over TLS the cookie is for TLS; or always, or never, as declared."""
    assert (await answered(CookieAffinity(KEY), "https")).headers["Set-Cookie"].endswith("; Secure")
    assert "Secure" not in (await answered(CookieAffinity(KEY, secure=False), "https")).headers["Set-Cookie"]
    assert "Secure" in (await answered(CookieAffinity(KEY, secure=True))).headers["Set-Cookie"]


async def test_all_attributes() -> None:
    """What is declared, as browsers read it."""
    clock = FakeClock()
    affinity = CookieAffinity(
        KEY,
        name="lane",
        max_age=3600.0,
        path="/shop",
        domain="example.test",
        secure=True,
        same_site="None",
        clock=clock,
    )
    line = (await answered(affinity)).headers["Set-Cookie"]
    (morsel,) = SimpleCookie(line).values()
    assert (morsel.key, morsel["path"], morsel["domain"]) == ("lane", "/shop", "example.test")
    assert (morsel["max-age"], morsel["samesite"]) == ("3600", "None")
    assert morsel["secure"]
    assert morsel["httponly"]
    assert morsel["expires"].endswith("GMT")


async def test_no_shared_cache_gives_it_out() -> None:
    """An answer that sets the cookie is private, whatever else it says; one that does not is left alone."""
    cacheable = Response(
        200,
        CIMultiDict({"Cache-Control": "public, max-age=60", "Set-Cookie": "own=1", "CDN-Cache-Control": "max-age=60"}),
    )
    affinity = CookieAffinity(KEY)
    upstream = Upstream("http://a.test", affinity=affinity, transport=FakeTransport(cacheable))
    first = await upstream(exchange())
    assert first.headers.getall("Cache-Control") == ["public, max-age=60", "private"]
    assert "CDN-Cache-Control" not in first.headers
    own, ours = first.headers.getall("Set-Cookie")
    assert own == "own=1"
    again = await upstream(exchange(headers={"Cookie": ours.partition(";")[0]}))
    assert again.headers == cacheable.headers


async def test_a_cookie_of_a_parent_domain_hides_nothing() -> None:
    """Of several cookies of its name the one that is good counts (cookie tossing)."""
    affinity = CookieAffinity(KEY)
    upstream = Upstream(
        "http://a.test", "http://b.test", affinity=affinity, balancer=RoundRobin(), transport=FakeTransport()
    )
    pair = (await upstream(exchange())).headers["Set-Cookie"].partition(";")[0]
    for _ in range(4):
        asked = exchange(headers={"Cookie": f"affinity=tossed; other=1; {pair}"})
        await upstream(asked)
        assert asked.attempts[0].endpoint.name == "http://a.test"


async def test_what_a_back_end_says_there_is_dropped() -> None:
    """A back end can neither take nor end a session; cookies of its own pass."""
    theirs = CIMultiDict(
        [("Set-Cookie", "affinity=x"), ("Set-Cookie", "own=1"), ("Set-Cookie", " affinity = ; Max-Age=0")]
    )
    upstream = Upstream("http://a.test", affinity=CookieAffinity(KEY), transport=FakeTransport(Response(200, theirs)))
    first = await upstream(exchange())
    own, ours = first.headers.getall("Set-Cookie")
    assert own == "own=1"
    again = await upstream(exchange(headers={"Cookie": ours.partition(";")[0]}))
    assert again.headers.getall("Set-Cookie") == ["own=1"]


async def test_of_two_paths() -> None:
    """A cookie of the same name for another path is nobody's session here."""
    one, other = CookieAffinity(KEY, path="/a"), CookieAffinity(KEY)
    theirs = await Upstream("http://a.test", affinity=other, transport=FakeTransport())(exchange())
    subject = Upstream("http://b.test", affinity=one, transport=FakeTransport())
    asked = exchange(headers={"Cookie": theirs.headers["Set-Cookie"].partition(";")[0]})
    assert "Set-Cookie" in (await subject(asked)).headers


BAD: list[tuple[dict[str, object], str]] = [
    ({"name": "a b"}, "name: 'a b'"),
    ({"name": ""}, "name: ''"),
    ({"path": "shop"}, "path must begin"),
    ({"path": "/a; Domain=evil.test"}, "path must begin"),
    ({"path": "/a\r\nX: y"}, "path must begin"),
    ({"domain": "a.test; Secure"}, "domain: "),
    ({"domain": ""}, "domain: "),
    ({"same_site": "lax"}, "same_site must be one of"),
    ({"same_site": "None"}, "secure must be True for same_site=None"),
    ({"name": "__Host-x"}, "secure must be True for __Host-x"),
    ({"name": "__Secure-x", "secure": False}, "secure must be True for __Secure-x"),
    ({"name": "__Host-x", "secure": True, "path": "/a"}, "path must be '/', and domain None"),
    ({"name": "__Host-x", "secure": True, "domain": "a.test"}, "path must be '/', and domain None"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[str(options) for options, _ in BAD])
def test_bad_settings(options: dict[str, object], says: str) -> None:
    """What no browser would take, or what would be two attributes, is refused."""
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        CookieAffinity(KEY, **options)  # type: ignore[arg-type]


def test_prefixes() -> None:
    """Names that browsers hold to more are taken where that is given."""
    assert "__Host-x" in repr(CookieAffinity(KEY, name="__Host-x", secure=True))
    assert "__Secure-x" in repr(CookieAffinity(KEY, name="__Secure-x", secure=True, path="/a", domain="a.test"))


def test_two_upstreams_with_one_cookie() -> None:
    """They would take each other's clients, whatever the paths, so a proxy refuses them; with names of their own they
    are fine."""

    def proxy(one: object, other: object) -> ProxyHandler:
        first = Upstream("http://a.test", affinity=one, name="a")  # type: ignore[arg-type]
        second = Upstream("http://b.test", affinity=other, name="b")  # type: ignore[arg-type]
        return ProxyHandler(Rules(Rule(when.path("/a/*"), first), Rule(when.anything, second)))

    with pytest.raises(ValueError, match=r"'b' and 'a'|'a' and 'b'"):
        proxy(CookieAffinity(KEY), CookieAffinity(KEY))
    with pytest.raises(ValueError, match="the field x-affinity"):
        proxy(HeaderAffinity(KEY), HeaderAffinity(KEY, name="X-AFFINITY"))
    proxy(CookieAffinity(KEY), CookieAffinity(KEY, name="other"))
    with pytest.raises(ValueError, match="the cookie affinity"):
        proxy(CookieAffinity(KEY, path="/a"), CookieAffinity(KEY, domain="A.test"))
    proxy(TableAffinity(), TableAffinity())


async def test_a_browser() -> None:
    """Through real connections a client with a cookie jar stays, WebSockets included, and one without does not."""
    async with FakeUpstream() as one, FakeUpstream() as two:
        for number, server in enumerate((one, two)):
            server.always(respond(200, body=b"%d" % number))
            server.on("/chat", switch(), echo())
        upstream = Upstream(one.url, two.url, balancer=RoundRobin(), affinity=CookieAffinity(KEY))
        app = web.Application()
        ProxyHandler(upstream).mount(app)
        async with serving(app) as site:
            base = URL(f"http://127.0.0.1:{site.port}")
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:

                async def ask() -> str:
                    async with session.get(base) as response:
                        return await response.text()

                assert [await ask() for _ in range(4)] == ["0"] * 4
                async with session.ws_connect(base / "chat") as socket:
                    assert not socket.closed
                assert [request.target for request in two.requests] == []
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
                assert {await ask() for _ in range(4)} == {"0", "1"}


async def test_a_websocket_begins_a_session() -> None:
    """The cookie comes with the 101."""
    async with FakeUpstream() as server:
        server.always(switch(), echo())
        async with (
            serving(Upstream(server.url, affinity=CookieAffinity(KEY))) as site,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        ):
            url = URL(f"http://127.0.0.1:{site.port}")
            async with session.ws_connect(url):
                assert "affinity" in session.cookie_jar.filter_cookies(url)
