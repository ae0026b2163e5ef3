"""Who the client is, behind proxies: what is believed, what is told upstream, what rules and logs see, and loops."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import pytest
from aiohttp import web

from revproxy import Exchange, Handler, Pipeline, ProxyHandler, Response, Rule, Rules, Upstream, receive, respond, when
from revproxy._aiohttp import arrived
from revproxy.errors import ClientDisconnected
from revproxy.facts import ClientAddress
from revproxy.forwarded import ForwardedField
from revproxy.rules import block
from revproxy.testing import FakeUpstream
from revproxy.trust import TrustedProxies

from .seen import Seen
from .wire import Answer, serving

HOST = b"Host: in.test\r\n"
ALL: tuple[ForwardedField, ...] = get_args(ForwardedField)
HERE = TrustedProxies("127.0.0.1")
FORWARDED = TrustedProxies("127.0.0.1", field="Forwarded")


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return start + b"\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


async def introduced(*lines: bytes, start: bytes = b"GET / HTTP/1.1", **options: Any) -> list[str]:
    """What the upstream is told of a request with these lines, from 127.0.0.1, in the fields that say whom it is from,
    and in all others that came through."""
    options.setdefault("via", None)
    options.setdefault("trusted", HERE)
    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url), **options)) as site:
            assert (await site.ask(get(*lines, start=start))).status == 200
        (request,) = server.requests
        return [f"{name}: {value}" for name, value in request.headers if name != "Host"]


async def known(*lines: bytes, trusted: TrustedProxies | None = HERE, unix: str | None = None) -> tuple[str, str, str]:
    """What filters know of such a request: client, scheme, host."""

    async def tell(exchange: Exchange) -> Response:
        inbound = exchange.inbound
        found.append((f"{inbound.client} {inbound.client.port} {inbound.client.source}", inbound.scheme, inbound.host))
        return Response(200)

    found: list[tuple[str, str, str]] = []
    async with serving(ProxyHandler(tell, trusted=trusted), unix=unix) as site:
        assert (await site.ask(get(*lines))).status == 200
    return found[0]


# Nobody is trusted.


@pytest.mark.parametrize("trusted", [None, TrustedProxies("10.0.0.0/8", "::1", "unix")])
async def test_strangers_are_not_believed(trusted: TrustedProxies | None) -> None:
    """F-36, S-21, S-22: of a peer that is not trusted nothing is believed, and nothing that it says of its origin, nor
    of what it asked for, goes on."""
    lies = [
        *(b"X-Forwarded-For: 10.0.0.1", b"x-forwarded-for: 10.0.0.2", b"X-Forwarded-Host: office.test"),
        *(b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 443", b"X-Forwarded-Prefix: //evil.test"),
        *(b"X-Forwarded-Scheme: https", b"X-Forwarded-Uri: /a", b"X-Forwarded-Method: PUT", b"X-Forwarded-Server: s"),
        *(b"X-Forwarded-Ssl: on", b"X-Forwarded-Client-Cert: x", b"X-Forwarded-User: root", b"X-Forwarded-Zzz: 1"),
        *(b"Forwarded: for=10.0.0.1;proto=https;host=office.test", b"X-Real-IP: 10.0.0.1", b"True-Client-IP: 10.0.0.1"),
        *(b"X-Original-URL: /admin", b"X-Rewrite-URL: /admin", b"X-HTTP-Method-Override: DELETE"),
        *(b"X-Method-Override: DELETE", b"X-HTTP-Method: DELETE", b"CF-Connecting-IP: 10.0.0.1", b"CF-Zzz: 1"),
        *(b"X-Client-IP: 10.0.0.1", b"X-Cluster-Client-IP: 10.0.0.1", b"Fastly-Client-IP: 10.0.0.1"),
        *(b"X-Original-Host: office.test",),
    ]
    assert await introduced(*lies, b"X-A: 1", trusted=trusted) == [
        *("X-A: 1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: in.test", "X-Forwarded-Proto: http"),
    ]
    client, scheme, host = await known(*lies, trusted=trusted)
    assert (client.split()[0], client.split()[2], scheme, host) == ("127.0.0.1", "peer", "http", "in.test")


@pytest.mark.parametrize(
    "name",
    [
        *(b"X_Forwarded_For", b"X-Forwarded.For", b"x_forwarded_proto", b"X-Forwarded_Host", b"X.Forwarded.Prefix"),
        *(b"X_Real_IP", b"X-Original_URL", b"X_HTTP_Method_Override", b"True_Client_IP", b"X-Forwarded~For"),
        *(b"Content_Length", b"Transfer_Encoding"),
    ],
)
@pytest.mark.parametrize("trusted", [None, HERE])
async def test_aliases(name: bytes, trusted: TrustedProxies | None) -> None:
    """S-23: a name that a back end takes for one of these is refused: 400, from a trusted proxy as well."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), trusted=trusted)) as site:
        answer = await site.ask(get(b"X-A: 1", name + b": 7"))
        assert (answer.status, server.requests) == (400, [])
        assert name not in answer.raw_head + answer.body


@pytest.mark.parametrize("trusted", [None, HERE])
async def test_odd_names_end_here(trusted: TrustedProxies | None) -> None:
    """S-23: any other name with more than letters, digits and dashes ends here."""
    lines = [b"X_Auth_User: root", b"x.auth.user: root", b"A: 1", b"CF_Connecting_IP: 1", b"a'b: 1", b"X-B: 2"]
    found = await introduced(*lines, trusted=trusted)
    assert found[:2] == ["A: 1", "X-B: 2"]
    assert all(line.startswith("X-Forwarded-") for line in found[2:])


# A trusted proxy.


@pytest.mark.parametrize(
    ("lines", "client", "sent"),
    [
        ([b"X-Forwarded-For: 192.0.2.1"], "192.0.2.1 None", "192.0.2.1, 127.0.0.1"),
        ([b"X-Forwarded-For: 192.0.2.1:5000"], "192.0.2.1 5000", "192.0.2.1:5000, 127.0.0.1"),
        ([b"X-Forwarded-For: 2001:db8::1"], "2001:db8::1 None", "2001:db8::1, 127.0.0.1"),
        ([b"X-Forwarded-For: [2001:DB8::1]:80"], "2001:db8::1 80", "[2001:DB8::1]:80, 127.0.0.1"),
        ([b"X-Forwarded-For: fe80::1%eth0"], "fe80::1 None", "fe80::1%eth0, 127.0.0.1"),
        ([b"X-Forwarded-For: ::ffff:192.0.2.1"], "192.0.2.1 None", "::ffff:192.0.2.1, 127.0.0.1"),
        (
            [b"X-Forwarded-For: 6.6.6.6, 192.0.2.1, 127.0.0.1"],
            "192.0.2.1 None",
            "6.6.6.6, 192.0.2.1, 127.0.0.1, 127.0.0.1",
        ),
        (
            [b"X-Forwarded-For: 6.6.6.6", b"x-forwarded-for: 192.0.2.1"],
            "192.0.2.1 None",
            "6.6.6.6, 192.0.2.1, 127.0.0.1",
        ),
    ],
)
async def test_the_client_behind_a_proxy(lines: list[bytes], client: str, sent: str) -> None:
    """F-36, S-21: the client that a trusted proxy names, in any form, is the client; the upstream gets one line with
    all of the way."""
    assert (await known(*lines))[0] == f"{client} x-forwarded-for"
    found = await introduced(*lines)
    assert found == [f"X-Forwarded-For: {sent}", "X-Forwarded-Host: in.test", "X-Forwarded-Proto: http"]


@pytest.mark.parametrize(
    "value",
    [b"unknown", b"_hidden", b"6.6.6.6, unknown", b"6.6.6.6, _x, 127.0.0.1", b"6.6.6.6, garbage", b"", b",", b"a\xe9"],
)
async def test_a_client_that_is_hidden(value: bytes) -> None:
    """S-21: where the way cannot be read, the client is the peer, and nothing of the rest goes upstream."""
    client, _, _ = await known(b"X-Forwarded-For: " + value)
    assert (client.split()[0], client.split()[2]) == ("127.0.0.1", "peer")
    assert (await introduced(b"X-Forwarded-For: " + value))[0] == "X-Forwarded-For: 127.0.0.1"


async def test_ten_thousand_entries() -> None:
    """S-21: ten thousand entries in a hundred lines, from a client through a trusted proxy, change nothing about who it
    is, and only the last of them go on."""
    line = b"X-Forwarded-For: " + b", ".join([b"6.6.6.6"] * 100)
    lines = [line] * 100 + [b"X-Forwarded-For: 192.0.2.1"]
    assert (await known(*lines))[0] == "192.0.2.1 None x-forwarded-for"
    found = await introduced(*lines)
    assert found[0] == "X-Forwarded-For: " + "6.6.6.6, " * 31 + "192.0.2.1, 127.0.0.1"
    trusted_all = [b"X-Forwarded-For: " + b", ".join([b"127.0.0.1"] * 100)] * 100
    assert (await known(*trusted_all))[0].endswith("peer")
    assert (await introduced(*trusted_all))[0] == "X-Forwarded-For: 127.0.0.1"


async def test_scheme_and_host() -> None:
    """F-36: the scheme and the host that the client used, as the proxy says, count everywhere."""
    lines = [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: HTTPS", b"X-Forwarded-Host: shop.test:8443"]
    assert (await known(*lines))[1:] == ("https", "shop.test:8443")
    assert await introduced(*lines, forwarded=ALL) == [
        *("X-Forwarded-For: 192.0.2.1, 127.0.0.1", "X-Forwarded-Host: shop.test:8443", "X-Forwarded-Proto: https"),
        "X-Forwarded-Port: 8443",
        'Forwarded: for=192.0.2.1;host="shop.test:8443";proto=https, for=127.0.0.1;host="shop.test:8443";proto=https',
    ]


@pytest.mark.parametrize(
    ("lines", "scheme", "host"),
    [
        ([b"X-Forwarded-Proto: http, https", b"X-Forwarded-Host: evil.test, shop.test"], "https", "shop.test"),
        (
            [b"X-Forwarded-Proto: http", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil.test,"],
            "https",
            "evil.test",
        ),
        ([b"X-Forwarded-Proto: javascript", b"X-Forwarded-Host: u@evil.test"], "http", "in.test"),
        ([b"X-Forwarded-Proto: https, ftp", b"X-Forwarded-Host: a.test, b c"], "http", "in.test"),
        ([b"X-Forwarded-Proto:", b"X-Forwarded-Host: , "], "http", "in.test"),
    ],
)
async def test_several_schemes_and_hosts(lines: list[bytes], scheme: str, host: str) -> None:
    """F-36, S-22, S-25: of several values that count which the nearest proxy has appended; what is none, is none: what
    the connection says stands there then."""
    assert (await known(b"X-Forwarded-For: 192.0.2.1", *lines))[1:] == (scheme, host)


async def test_a_chain_of_schemes() -> None:
    """F-36, S-22, S-25: of several schemes and hosts the last counts, however long the chain of addresses is: how many
    proxies have added to one field says nothing of another, and those before it could be the client's own."""
    lines = [
        b"X-Forwarded-For: 6.6.6.6, 192.0.2.1, 127.0.0.1",
        b"X-Forwarded-Proto: http, https",
        b"X-Forwarded-Host: evil.test, shop.test",
    ]
    assert await known(*lines) == ("192.0.2.1 None x-forwarded-for", "https", "shop.test")


@pytest.mark.parametrize("host", [b'a" ;x', b"u@b/c", b"a,b"])
async def test_a_host_that_is_none_behind_a_trusted_proxy(host: bytes) -> None:
    """F-14, S-25, S-26: a trusted proxy that passes a Host on that is none passes on an attack: 400."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), trusted=TrustedProxies("127.0.0.1"), via=None)
        async with serving(proxy) as site:
            for more in (b"", b"X-Forwarded-Host: a.test\r\n"):
                assert (await site.ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + more + b"\r\n")).status == 400
        assert server.requests == []


@pytest.mark.parametrize("prefix", [b"//evil.test", b"/a b", b"/a\\b", b"/../b", b"/a//b", b"a", b"https://evil.test"])
async def test_an_odd_prefix_is_not_continued(prefix: bytes) -> None:
    """S-22: a prefix that a back end must not put into a redirect does not go on; a plain one does."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(
            Upstream(server.url), trusted=TrustedProxies("127.0.0.1"), forwarded=["X-Forwarded-Prefix"], via=None
        )
        async with serving(proxy) as site:
            for each in (prefix, b"/shop/x"):
                await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Prefix: " + each + b"\r\n\r\n")
        assert [request.getall("X-Forwarded-Prefix") for request in server.requests] == [[], ["/shop/x"]]


async def test_forwarded_is_read() -> None:
    """F-36: with ``field="Forwarded"`` all of it is in that field; quoted strings hold commas that separate nothing."""
    line = b'Forwarded: for=6.6.6.6;proto=http, For="[2001:db8::1]:47";Proto=https;host="shop.test";x="a, for=6.6.6.6"'
    lies = [b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: evil.test"]
    assert await known(line, *lies, trusted=FORWARDED) == ("2001:db8::1 47 forwarded", "https", "shop.test")
    assert await introduced(line, *lies, trusted=FORWARDED) == [
        *("X-Forwarded-For: 2001:db8::1, 127.0.0.1", "X-Forwarded-Host: shop.test", "X-Forwarded-Proto: https"),
    ]
    assert await introduced(line, *lies, trusted=FORWARDED, forwarded=["Forwarded"]) == [
        line.decode() + ', for=127.0.0.1;host="shop.test";proto=https'
    ]


@pytest.mark.parametrize("bad", [b"for=a b", b'for="6.6.6.6', b"for=6.6.6.6;for=192.0.2.1", b"for", b"for=unknown"])
async def test_forwarded_that_cannot_be_read(bad: bytes) -> None:
    """S-21: a malformed ``Forwarded``, one with a parameter twice, one that hides the client: nothing is believed, and
    nothing of it goes on."""
    line = b"Forwarded: for=192.0.2.1;proto=https;host=evil.test, " + bad
    client, scheme, host = await known(line, trusted=FORWARDED)
    assert (client.split()[0], client.split()[2], scheme, host) == ("127.0.0.1", "peer", "http", "in.test")
    assert await introduced(line, trusted=FORWARDED, forwarded=["Forwarded"]) == [
        'Forwarded: for=127.0.0.1;host="in.test";proto=http'
    ]


async def test_the_other_field_ends_here() -> None:
    """S-21, S-22: a field that the trusted proxy does not write comes from the client, through it, and is gone."""
    fields: list[ForwardedField] = ["X-Forwarded-For", "Forwarded"]
    lines = [b"Forwarded: for=6.6.6.6", b"X-Forwarded-For: 192.0.2.1"]
    assert not [line for line in await introduced(*lines, forwarded=fields) if "6.6.6.6" in line]
    lines = [b"X-Forwarded-For: 6.6.6.6", b"Forwarded: for=192.0.2.1"]
    assert not [line for line in await introduced(*lines, forwarded=fields, trusted=FORWARDED) if "6.6.6.6" in line]


@pytest.mark.parametrize(
    ("lines", "prefix"),
    [
        ([b"X-Forwarded-Prefix: /outer"], "/outer/app"),
        ([b"X-Forwarded-Prefix: /outer/"], "/outer/app"),
        ([b"X-Forwarded-Prefix: /evil, /outer"], "/outer/app"),
        ([b"X-Forwarded-Prefix: /evil", b"X-Forwarded-Prefix: /outer"], "/outer/app"),
        ([b"X-Forwarded-Prefix: http://evil.test/"], "/app"),
        ([b"X-Forwarded-Prefix: /\xe9"], "/app"),
        ([b"X-Forwarded-Prefix:"], "/app"),
        ([], "/app"),
    ],
)
@pytest.mark.parametrize("trusted", [HERE, None])
async def test_prefix(lines: list[bytes], prefix: str, trusted: TrustedProxies | None) -> None:
    """F-36, S-22: the mount point that was stripped is told, behind the one that a trusted proxy has stripped; a
    stranger's is gone."""
    async with FakeUpstream() as server:
        app = web.Application()
        proxy = ProxyHandler(Upstream(server.url), forwarded=["X-Forwarded-Prefix"], trusted=trusted, via=None)
        proxy.mount(app, "/app", strip=True)
        async with serving(app) as site:
            assert (await site.ask(get(*lines, start=b"GET /app/x HTTP/1.1"))).status == 200
        assert server.requests[0].target == "/x"
        assert server.requests[0].getall("X-Forwarded-Prefix") == [prefix if trusted else "/app"]


async def test_a_trusted_proxys_own_fields_pass() -> None:
    """F-36, S-22: what else a trusted proxy adds passes; hop-by-hop fields and ``Proxy`` do not."""
    lines = [b"X-Real-IP: 192.0.2.1", b"CF-Ray: 1", b"X-Forwarded-Client-Cert: x", b"Proxy: x", b"TE: trailers"]
    assert (await introduced(*lines))[:3] == ["X-Real-IP: 192.0.2.1", "CF-Ray: 1", "X-Forwarded-Client-Cert: x"]
    assert len(await introduced(*lines)) == 6


@pytest.mark.parametrize("trusted", [None, HERE])
async def test_nothing_is_nominated_away(trusted: TrustedProxies | None) -> None:
    """F-20, F-21, S-20: whether it comes from a trusted proxy or from a stranger, ``Connection`` removes none of what
    is relied on: what the proxy adds stands there."""
    names = [b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"Forwarded", b"Via", b"Host", b"Cookie"]
    names += [b"Authorization", b"X-Real-IP", b"X-Forwarded-Client-Cert"]
    for spelt in (bytes, bytes.lower, bytes.upper):
        lines = [b"Connection: close, " + b", ".join(map(spelt, names)), b"Authorization: x", b"Cookie: y"]
        found = await introduced(*lines, b"Via: 1.1 a", b"X-Forwarded-For: 192.0.2.1", trusted=trusted, via="me")
        assert found == [
            *("Authorization: x", "Cookie: y", "Via: 1.1 a"),
            f"X-Forwarded-For: {'192.0.2.1, ' if trusted else ''}127.0.0.1",
            *("X-Forwarded-Host: in.test", "X-Forwarded-Proto: http", "Via: 1.1 me"),
        ]


async def test_who_has_left_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-21: a client of whom no address is known, and that is not on a Unix socket, has gone before anything was
    decided about it: it is cut, no filter sees it, and nothing is forwarded. Neither a rule that knows addresses is
    slipped by, nor are Unix sockets believed for it."""

    def without_peer(request: web.BaseRequest) -> tuple[Any, object, bool]:
        head, _, secure = arrived(request)
        return head, None, secure

    monkeypatch.setattr(receive, "arrived", without_peer)
    seen = Seen()
    denied = Rule(when.client_in("127.0.0.0/8"), block(403))
    async with FakeUpstream() as server:
        table = Rules(denied, Rule(when.anything, Upstream(server.url)))
        async with serving(ProxyHandler(table, trusted=TrustedProxies("unix"), observers=[seen])) as site:
            async with site.connect() as client:
                await client.send(get(b"X-Forwarded-For: 10.0.0.1"))
                assert await client.rest() == b""
            await seen.over(1)
        assert server.requests == []
    assert [type(error) for error in seen.errors] == [ClientDisconnected]
    assert str(seen.exchanges[0].inbound.client) == "-"
    assert seen.exchanges[0].attempts == []


@pytest.mark.parametrize("trusted", [None, TrustedProxies("unix")])
async def test_a_whole_request_and_a_reset(trusted: TrustedProxies | None) -> None:
    """S-21: a client that sends a request and resets the connection before the server has looked at it: uvloop knows no
    address of it then. Whatever the loop, what is not for its address does not reach a server."""
    seen = Seen()
    denied = Rule(when.client_in("127.0.0.0/8") & ~when.path("/all"), block(403))
    inside = Rule(when.path("/inside") & ~when.client_in("10.0.0.0/8"), block(403))
    async with FakeUpstream() as server:
        table = Rules(inside if trusted else denied, Rule(when.anything, Upstream(server.url)))
        async with serving(ProxyHandler(table, trusted=trusted, observers=[seen])) as site:
            for _ in range(10):
                # So that a connection to the server is there, and the request has gone before the reset is seen.
                assert (await site.ask(get(start=b"GET /all HTTP/1.1"))).status == 200
                with socket.create_connection(site.address) as sock:  # nothing awaits: the server has not accepted yet
                    sock.sendall(get(b"X-Forwarded-For: 10.0.0.1", start=b"POST /inside HTTP/1.1"))
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await seen.over(20)
        assert {request.target for request in server.requests} == {"/all"}


@pytest.mark.parametrize("trusted", [TrustedProxies("unix"), TrustedProxies("0.0.0.0/0", "::/0")])
async def test_a_proxy_on_a_unix_socket(trusted: TrustedProxies, tmp_path_factory: pytest.TempPathFactory) -> None:
    """F-36, S-21: with ``"unix"`` a proxy on a Unix socket is believed, and only then; it has no address to be named
    by, and none is made up."""
    folder = tmp_path_factory.mktemp("s")
    lines = [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: https"]
    believed = trusted.trusts(ClientAddress.of_peer(""))
    found = await known(*lines, trusted=trusted, unix=str(folder / "a"))
    assert found == (
        ("192.0.2.1 None x-forwarded-for", "https", "in.test") if believed else ("- None peer", "http", "in.test")
    )
    async with FakeUpstream() as server:
        proxy = ProxyHandler(
            Upstream(server.url), trusted=trusted, forwarded=["X-Forwarded-For", "Forwarded"], via=None
        )
        async with serving(proxy, unix=str(folder / "b")) as site:
            await site.ask(get(*lines))
        assert server.requests[0].getall("X-Forwarded-For") == (["192.0.2.1"] if believed else [])
        element = 'for=unknown;host="in.test";proto='
        client = 'for=192.0.2.1;host="in.test";proto=https, '
        assert server.requests[0].getall("Forwarded") == [f"{client}{element}https" if believed else f"{element}http"]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize(("peer", "networks"), [("::1", ["::1"]), ("127.0.0.1", ["127.0.0.0/8"])])
async def test_trust_on_a_dual_stack(peer: str, networks: list[str]) -> None:
    """S-21: a proxy that comes in over IPv6, or over IPv4 in the guise of it, is trusted by its address."""
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), trusted=TrustedProxies(*networks), via=None)
        async with serving(proxy, sock=listener) as site:
            site.address = (peer, site.port)
            await site.ask(get(b"X-Forwarded-For: 192.0.2.1"))
        assert server.requests[0].getall("X-Forwarded-For") == [f"192.0.2.1, {peer}"]


async def test_a_filter_has_the_last_word() -> None:
    """F-36: what a filter sets of the introduction is sent; and it can see who the client is before it does."""

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        draft = exchange.request.headers
        assert draft["X-Forwarded-For"] == "192.0.2.1, 127.0.0.1"
        draft["X-Real-IP"] = str(exchange.inbound.client)
        del draft["X-Forwarded-For"]
        return await handler(exchange)

    found = await introduced(b"X-Forwarded-For: 192.0.2.1", b"X-Real-IP: 6.6.6.6", filters=[edit])
    assert found == ["X-Real-IP: 192.0.2.1", "X-Forwarded-Host: in.test", "X-Forwarded-Proto: http"]


# What rules and logs see.


def table(*, upstream: Handler) -> Rules:
    office = when.client_in("192.0.2.0/24", "2001:db8::/32")
    return Rules(Rule(office, upstream), Rule(when.anything, block(403), name="strangers"))


@pytest.mark.parametrize(
    ("trusted", "value", "status", "logged"),
    [
        (HERE, b"192.0.2.7", 200, None),
        (HERE, b"[2001:db8::7]:80", 200, None),
        (HERE, b"::ffff:192.0.2.7", 200, None),
        (HERE, b"192.0.2.7, 6.6.6.6", 403, "6.6.6.6"),
        (HERE, b"192.0.2.7, unknown", 403, "127.0.0.1"),
        (HERE, b"198.51.100.1", 403, "198.51.100.1"),
        (None, b"192.0.2.7", 403, "127.0.0.1"),
        (TrustedProxies("10.0.0.0/8"), b"192.0.2.7", 403, "127.0.0.1"),
    ],
)
async def test_rules_see_the_client(
    trusted: TrustedProxies | None, value: bytes, status: int, logged: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """S-21, S-32: ``when.client_in`` decides by the client that a trusted proxy names, and by nobody else's word; the
    log of a block says who it was."""
    caplog.set_level(logging.INFO, "revproxy.security")
    async with FakeUpstream() as server:
        proxy = ProxyHandler(table(upstream=Upstream(server.url)), trusted=trusted)
        async with serving(proxy) as site:
            assert (await site.ask(get(b"X-Forwarded-For: " + value))).status == status
    assert [vars(record)["client"] for record in caplog.records] == ([] if logged is None else [logged])
    assert all(f"client {logged}," in record.getMessage() for record in caplog.records)


async def test_failures_name_the_client(caplog: pytest.LogCaptureFixture) -> None:
    """S-21: what is logged of an exchange that failed names the client behind the proxy, and observers see it."""
    caplog.set_level(logging.INFO, "revproxy.error")
    seen = Seen()
    async with FakeUpstream() as server:
        url = server.url
    async with serving(ProxyHandler(Upstream(url), trusted=HERE, observers=[seen])) as site:
        assert (await site.ask(get(b"X-Forwarded-For: 192.0.2.1"))).status == 502
    assert [str(exchange.inbound.client) for exchange in seen.exchanges] == ["192.0.2.1"]
    assert [record.getMessage().count(" from 192.0.2.1:") for record in caplog.records] == [1]


async def test_rules_see_scheme_and_host() -> None:
    """F-36, S-25: conditions on the host read what the trusted proxy says the client asked for."""
    rules = Rules(Rule(when.host("shop.test"), respond(200)), Rule(when.anything, respond(404)))
    for trusted, status in ((HERE, 200), (None, 404)):
        async with serving(ProxyHandler(rules, trusted=trusted)) as site:
            assert (await site.ask(get(b"X-Forwarded-Host: shop.test"))).status == status


# Via, and loops.


async def test_via_is_appended() -> None:
    """F-33: the proxy adds itself, behind all that came, which is passed on as it came."""
    found = await introduced(b"Via: 1.0 fred, 1.1 p.test (Apache/1.1, x)", b"via: 2 q", via="edge")
    assert [line for line in found if line.lower().startswith("via")] == [
        *("Via: 1.0 fred, 1.1 p.test (Apache/1.1, x)", "via: 2 q", "Via: 1.1 edge"),
    ]


async def test_via_of_its_own() -> None:
    """F-33: by default the pseudonym is made up, and tells nothing of the host or of its address."""
    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url))) as site:
            await site.ask(get())
            await site.ask(get())
        async with serving(ProxyHandler(Upstream(server.url))) as site:
            await site.ask(get())
    first, second, third = (request.getall("Via") for request in server.requests)
    assert first == second != third
    assert first[0].startswith("1.1 revproxy-")
    assert socket.gethostname() not in first[0]


async def test_via_of_http_1_0() -> None:
    """F-33: the version in ``Via`` is that of the request that came (RFC 9110 section 7.6.3)."""
    found = await introduced(b"Via: 1.1 a", start=b"GET / HTTP/1.0", via="edge")
    assert [line for line in found if line.startswith("Via")] == ["Via: 1.1 a", "Via: 1.0 edge"]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"Via: 1.1 edge"], 508),
        ([b"Via: 1.0 edge (a, b)"], 508),
        ([b"Via: 1.1 a, HTTP/1.1 edge (nginx), 2 b"], 508),
        ([b"Via: 1.1 a", b"via: 1.1 b,1.1\tedge"], 508),
        ([b"Connection: Via", b"Via: 1.1 edge"], 508),
        ([b"Via: " + b", ".join([b"1.1 a"] * 33)], 508),
        ([b"Via: 1.1 a"] * 33, 508),
        ([b"Via: " + b",".join([b"1.1 a"] * 1300)], 508),
        ([b"Via: " + b", ".join([b"1.1 a"] * 32)], 200),
        ([b"Via: 1.1 a (1.1 edge)", b"Via: 1.1 edge2, 1.1 my-edge", b"Via: edge 1.1"], 200),
        ([b"Via:"], 200),
        ([b"Via: \xe9 \xe9 (\xe9"], 200),
    ],
)
@pytest.mark.parametrize("trusted", [None, HERE])
async def test_loops(lines: list[bytes], status: int, trusted: TrustedProxies | None) -> None:
    """F-34: a request that has our pseudonym in ``Via``, or that came through more than 32 proxies, is answered 508,
    and not forwarded; comments and other names that have it in them are none."""
    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url), via="edge", trusted=trusted)) as site:
            answer = await site.ask(get(*lines))
            assert answer.status == status
            assert b"edge" not in answer.raw_head + answer.body
        assert len(server.requests) == (status == 200)


async def test_two_proxies_in_a_row() -> None:
    """F-34, F-36: two of them in a row are no loop, with pseudonyms made up or given; the second one, which trusts the
    first, knows the client."""
    inner_seen = Seen()
    for names in (("", ""), ("outer", "inner")):
        async with FakeUpstream() as server:
            inner = ProxyHandler(Upstream(server.url), via=names[1], trusted=HERE, observers=[inner_seen])
            async with serving(inner) as behind:
                outer = ProxyHandler(Upstream(f"http://127.0.0.1:{behind.port}"), via=names[0], trusted=HERE)
                async with serving(outer) as site:
                    assert (await site.ask(get(b"X-Forwarded-For: 192.0.2.1"))).status == 200
            (request,) = server.requests
            assert len(request.getall("Via")) == 2
            assert request.getall("X-Forwarded-For") == ["192.0.2.1, 127.0.0.1, 127.0.0.1"]
            assert request.getall("X-Forwarded-Host") == ["in.test"]
    assert [str(exchange.inbound.client) for exchange in inner_seen.exchanges] == ["192.0.2.1", "192.0.2.1"]


async def in_circles(make: Callable[[int], ProxyHandler], ask: Callable[[Any], Awaitable[Answer]]) -> Answer:
    """The answer of a proxy on a port that its maker knows beforehand."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with serving(make(listener.getsockname()[1]), sock=listener) as site:
        return await ask(site)


@pytest.mark.parametrize("looked_at", [False, True])
async def test_a_proxy_whose_upstream_is_itself(looked_at: bool) -> None:
    """F-34: such a proxy answers 508 after one round, also where filters look at the fields, and with a body."""
    seen = Seen()

    async def look(exchange: Exchange, handler: Handler) -> Response:
        assert "Via" in exchange.request.headers
        return await handler(exchange)

    def make(port: int) -> ProxyHandler:
        upstream = Upstream(f"http://127.0.0.1:{port}")
        return ProxyHandler(Pipeline(look, handler=upstream) if looked_at else upstream, observers=[seen])

    post = get(b"Content-Length: 5", start=b"POST / HTTP/1.1") + b"hello"
    for raw in (get(), post, get(start=b"GET / HTTP/1.0"), get(b"Connection: via", b"Via: 1.1 a")):
        answer = await in_circles(make, lambda site, raw=raw: site.ask(raw))  # type: ignore[misc]
        assert answer.status == 508
        await seen.over(2)
        assert [type(error).__name__ for error in seen.errors] == ["LoopDetected"]
        assert len(seen.exchanges) == 2
        for each in (seen.exchanges, seen.errors, seen.statuses):
            each.clear()


async def test_two_proxies_that_ask_each_other() -> None:
    """F-34: neither is its own upstream, and yet the first one knows the request again."""
    seen = Seen()
    first, second = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    ports = [each.getsockname()[1] for each in (first, second)]
    one = ProxyHandler(Upstream(f"http://127.0.0.1:{ports[1]}"), observers=[seen])
    two = ProxyHandler(Upstream(f"http://127.0.0.1:{ports[0]}"), observers=[seen])
    async with serving(two, sock=second), serving(one, sock=first) as site:
        assert (await site.ask(get())).status == 508
        await seen.over(3)
    assert len(seen.exchanges) == 3


async def test_a_loop_of_proxies_that_forget() -> None:
    """F-34: where each round has another pseudonym (workers of one site, proxies that are made anew), the number of
    hops ends it: 508 after 33 rounds."""
    seen = Seen()
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = Upstream(f"http://127.0.0.1:{listener.getsockname()[1]}")
    handlers = [ProxyHandler(upstream, observers=[seen]) for _ in range(40)]
    rounds = 0

    async def next_one(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal rounds
        rounds += 1
        return await handlers[rounds - 1].handle(request)

    app = web.Application()
    for each in handlers[:1]:
        app.cleanup_ctx.append(each.lifespan)
    app.router.add_route("*", "/{tail:.*}", next_one)
    async with serving(app, sock=listener) as site, asyncio.timeout(10):
        assert (await site.ask(get())).status == 508
        await seen.over(34)
    assert rounds == 34
    assert [type(error).__name__ for error in seen.errors] == ["LoopDetected"]
