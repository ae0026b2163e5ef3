"""Header fields of requests, from the client's bytes to the upstream's.

Every claim is made twice: for a draft that nobody looks at, whose lines are passed on as they are, and for one that a
filter has looked at, whose fields were decoded and written anew.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import pytest
import trustme
from aiohttp import web
from multidict import CIMultiDict

from revproxy import Endpoint, Exchange, Handler, Pipeline, ProxyHandler, Response, Upstream
from revproxy.testing import FakeUpstream

from .wire import TIMEOUT, Client, Site, serving

HOP_BY_HOP = [
    *(b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive", b"Proxy-Authenticate: Basic", b"TE: trailers"),
    *(b"Proxy-Authorization: Basic eDp5", b"Proxy-Authentication-Info: x", b"Trailer: X-T", b"Upgrade: h2c"),
    *(b"HTTP2-Settings: AAMAAABk", b"ALPN: h2", b"Close: 1"),
]


async def look(exchange: Exchange, handler: Handler) -> Response:
    """A filter that reads the draft's fields, and with that has them decoded."""
    assert "x-forwarded-proto" in exchange.request.headers
    return await handler(exchange)


def proxy(server: FakeUpstream, looked_at: bool) -> Handler:
    upstream = Upstream(server.url)
    return Pipeline(look, handler=upstream) if looked_at else upstream


def request(*lines: bytes, start: bytes = b"GET / HTTP/1.1", body: bytes = b"") -> bytes:
    """A request with these field lines, after ``Host``."""
    return b"\r\n".join([start, b"Host: a.test", *lines, b"", body])


def arrived(server: FakeUpstream) -> bytes:
    """The field lines of the last request that the upstream got, between those that every request gets."""
    head = server.requests[-1].raw_head
    first = b"Host: 127.0.0.1:%d\r\n" % server.port
    last = b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Proto: http\r\n"
    _, _, lines = head.partition(b"\r\n")
    assert lines.startswith(first), head
    start, end = len(first), lines.find(last)
    assert end >= start, head
    return lines[start:end] + lines[end + len(last) : -2]


async def passed(site: Site, server: FakeUpstream, *lines: bytes) -> list[bytes]:
    """What arrives upstream of these lines."""
    assert (await site.ask(request(*lines))).status == 200
    return arrived(server).split(b"\r\n")[:-1]


@pytest.fixture(params=[False, True], ids=["as it is", "looked at"])
def looked_at(request: pytest.FixtureRequest) -> bool:
    """Whether a filter has the draft's fields decoded."""
    return bool(request.param)


# What passes, to the byte.


async def test_a_plain_request(looked_at: bool) -> None:
    """F-13, F-29, F-45: a bare GET has the upstream's Host, what is known of its origin, and not a field more: no
    User-Agent, Accept, Accept-Encoding, Content-Type, Connection or framing."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        await site.ask(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert server.requests[0].raw_head == (
            b"GET /x HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"X-Forwarded-For: 127.0.0.1\r\n"
            b"X-Forwarded-Host: a.test\r\n"
            b"X-Forwarded-Proto: http\r\n"
            b"\r\n" % server.port
        )


async def test_a_plain_upload(looked_at: bool) -> None:
    """F-29, F-45: a POST with a body gets no Content-Type, Expect or Accept either; its length stands where it did."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        await site.ask(request(b"content-length: 5", b"X-A: 1", start=b"POST / HTTP/1.1", body=b"hello"))
        assert arrived(server) == b"content-length: 5\r\nX-A: 1\r\n"
        assert server.requests[0].body == b"hello"


async def test_order_and_case(looked_at: bool) -> None:
    """F-24, F-25: fields keep their order and their case, a well-known name written oddly as well as an own one."""
    lines = [
        b"uSER-aGENT: x",
        b"X-Z: 1",
        b"x-a: 2",
        b"ACCEPT: */*",
        b"Content-type: a/b",
        b"x-8: 3",
    ]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


async def test_duplicates(looked_at: bool) -> None:
    """F-24: repeated lines all arrive, in order, neither merged nor sorted: names that differ in case only as well."""
    lines = [b"X-B: 1", b"Cookie: a=1", b"x-b: 2", b"X-C: ,", b"X-B: 1", b"Cookie: b=2; c=3", b"x-c: ,,", b"X-B: 3, 4"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


async def test_every_byte_of_a_value(looked_at: bool) -> None:
    """F-26: every byte that may stand in a value arrives as it was, whatever encoding it is of."""
    every = bytes([*range(0x21, 0x7F), *range(0x80, 0x100)])
    lines = [
        b"X-Every: " + every,
        b"X-Latin: caf\xe9",
        b"X-Utf-8: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d",
        b"X-Surrogate: \xed\xa0\x80",
        b"X-Overlong: \xc0\xaf",
        b"X-Nel: a\xc2\x85b\xe2\x80\xa8c",
        b"X-Inside: a\tb  c",
        b"X-Colon: a:b: c",
    ]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


async def test_empty_values(looked_at: bool) -> None:
    """F-27: an empty value arrives as one; white space around a value is no part of it."""
    lines = [b"X-Empty:", b"X-Space:  ", b"X-Both: \t a b \t ", b"X-None:c", b"Accept:"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == [
            b"X-Empty: ",
            b"X-Space: ",
            b"X-Both: a b",
            b"X-None: c",
            b"Accept: ",
        ]


async def test_credentials_pass(looked_at: bool) -> None:
    """F-32: Authorization and Cookie are the upstream's, and pass as they are."""
    lines = [b"Authorization: Basic  eDp5", b"Cookie: s=\xe9; t", b"authorization: Bearer x"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


async def test_end_to_end_fields_pass(looked_at: bool) -> None:
    """What only sounds as if it were the connection's is end-to-end and passes (Via, Cache-Control, Range, Close-X)."""
    lines = [
        *(b"Via: 1.1 x", b"Cache-Control: no-transform", b"Range: bytes=0-1", b"If-Range: x", b"Max-Forwards: 3"),
        *(b"Proxy-Status: x", b"Upgrade-Insecure-Requests: 1", b"Alt-Svc: x", b"Alt-Used: x", b"Origin: http://b.test"),
        *(b"Close-X: 1", b"TEX: 1", b"traceparent: 00-1-2-01", b"Prefer: wait=1"),
    ]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


async def test_many_and_long_fields(looked_at: bool) -> None:
    """As many and as long fields as the server lets in arrive whole."""
    lines = [b"X-%d: %b" % (each, b"v" * each) for each in range(1, 100)] + [b"X-Long: " + b"l" * 8000]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == lines


# What ends at the proxy.


@pytest.mark.parametrize("spelt", [bytes.title, bytes.lower, bytes.upper])
async def test_hop_by_hop_fields(looked_at: bool, spelt: Callable[[bytes], bytes]) -> None:
    """F-22, F-23: fields about one connection end at the proxy, in whatever case; their neighbours pass."""
    lines = [b"X-Before: 1"]
    for line in HOP_BY_HOP:
        name, colon, value = line.partition(b":")
        lines += [spelt(name) + colon + value, b"X-Between: 2"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == [b"X-Before: 1"] + [b"X-Between: 2"] * len(HOP_BY_HOP)


@pytest.mark.parametrize("line", [b"Proxy: http://evil.test/", b"PROXY: x", b"Expect: 100-continue"])
async def test_request_fields_that_end_here(looked_at: bool, line: bytes) -> None:
    """S-29: ``Proxy`` would become ``HTTP_PROXY`` for a CGI program. ``Expect`` is met if the body is there (F-78)."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site, site.connect() as client:
        await client.send(request(line, b"Content-Length: 2", start=b"PUT / HTTP/1.1", body=b"ok"))
        assert (await client.response()).status == 200
        assert arrived(server) == b"Content-Length: 2\r\n"


@pytest.mark.parametrize(
    "connection",
    [
        [b"Connection: X-A, x-b"],
        [b"Connection: x-a,X-B"],
        [b"connection: keep-alive, x-a", b"CONNECTION: close, X-B"],
        [b"Connection: , ,x-a,,", b"Connection: ", b"Connection:\t x-b \t,"],
        [b"Connection: X-A", b"Connection: X-B", b"Connection: X-A"],
        [b"Connection: X-A, X-B, X-Unknown, keep-alive, close"],
    ],
)
async def test_nominated_fields(looked_at: bool, connection: list[bytes]) -> None:
    """F-20: what any line of ``Connection`` names ends at the proxy, in whatever case, every line of it; empty elements
    mean nothing."""
    lines = [b"X-A: 1", *connection, b"x-b: 2", b"X-AB: 3", b"x-a: 4", b"X-B: 5"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *lines) == [b"X-AB: 3"]


@pytest.mark.parametrize(
    "value", [b"", b",", b"keep-alive", b"close", b"Keep-Alive", b"Close", b"KEEP-ALIVE, x", b"\xe9"]
)
async def test_connection_itself(looked_at: bool, value: bytes) -> None:
    """F-20, F-90: ``Connection`` never passes, and what it says of the client's connection says nothing of ours."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        for _ in range(2):
            assert await passed(site, server, b"Connection: " + value, b"Accept: */*") == [b"Accept: */*"]
        assert server.connections == 1


async def test_protected_fields_cannot_be_nominated(looked_at: bool) -> None:
    """F-21, S-20: ``Connection`` does not remove what a back end relies on, whether the client or the proxy set it."""
    protected = [
        *(b"Content-Type: a/b", b"Authorization: Bearer x", b"Cookie: s=1", b"Via: 1.1 x", b"Content-Length: 2"),
    ]
    names = [line.partition(b":")[0] for line in protected]
    names += [b"Host", b"x-forwarded-for", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"Forwarded", b"X-Real-IP"]
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        for connection in (b"Connection: " + b", ".join(names), b"Connection: " + b",".join(names).upper()):
            lines = [connection, *protected]
            await site.ask(request(*lines, start=b"POST / HTTP/1.1", body=b"ok"))
            assert arrived(server).split(b"\r\n")[:-1] == protected
            assert server.requests[-1].body == b"ok"


async def test_filters_fields_cannot_be_nominated() -> None:
    """F-21, S-20: what a filter adds is added after the client's nominations were carried out."""

    async def authenticate(exchange: Exchange, handler: Handler) -> Response:
        assert "X-User" not in exchange.request.headers
        exchange.request.headers["X-User"] = "alice"
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(authenticate, handler=Upstream(server.url))) as site:
        assert await passed(site, server, b"Connection: close, X-User", b"X-User: mallory") == [b"X-User: alice"]


async def test_transfer_encoding_is_the_proxys_own(looked_at: bool) -> None:
    """F-22, F-52: ``Transfer-Encoding`` is not copied but written anew, once, and never beside a length."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        start, body = b"POST / HTTP/1.1", b"2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"
        await site.ask(request(b"transfer-encoding: Chunked", b"Trailer: X-Trailer", b"X-A: 1", start=start, body=body))
        request_ = server.requests[0]
        assert request_.body == b"ok"
        assert request_.getall("Transfer-Encoding") + request_.getall("Content-Length") in (["chunked"], ["2"])
        assert request_.getall("Trailer") + request_.getall("X-Trailer") == []
        assert request_.trailers == []


async def test_unaccepted_upgrade_ends_the_connection(looked_at: bool) -> None:
    """F-22, F-91: an ``Upgrade`` that is not passed on is answered with ``Connection: close``, since the server reads
    what follows it as another protocol."""
    lines = [b"Connection: Upgrade", b"Upgrade: websocket", b"X-A: 1"]
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(proxy(server, looked_at), via=None, upgrades=())) as site,
        site.connect() as client,
    ):
        await client.send(request(*lines))
        answer = await client.response()
        assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
        assert await client.rest() == b""
        assert arrived(server) == b"X-A: 1\r\n"


# Where the request came from.

LIES = [
    *(b"X-Forwarded-For: 10.0.0.1", b"x-forwarded-for: 10.0.0.2, 10.0.0.3", b"X-FORWARDED-HOST: office.test"),
    *(b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 443", b"X-Forwarded-Prefix: /x", b"X-Forwarded-Server: s"),
    *(b"Forwarded: for=10.0.0.1;proto=https", b"forwarded: host=office.test", b"X-Real-IP: 10.0.0.1"),
]


async def test_forwarded_fields_are_replaced(looked_at: bool) -> None:
    """F-36: what the client claims of its origin is gone, the word of the connection stands there instead."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, *LIES, b"X-A: 1") == [b"X-A: 1"]


@pytest.mark.parametrize("line", [b"X-Forwarded-Scheme: https", b"X-Forwarded-Ssl: on", b"x-forwarded-uri: /admin"])
async def test_all_forwarded_fields_are_the_proxys(looked_at: bool, line: bytes) -> None:
    """F-36, S-22: no ``X-Forwarded-*`` of a client passes: frameworks believe more of them than the usual three (Rack
    takes ``-Scheme`` and ``-Ssl`` for https)."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        assert await passed(site, server, line, b"X-A: 1") == [b"X-A: 1"]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
@pytest.mark.parametrize("peer", ["::1", "127.0.0.1"])
async def test_ipv6_peers(looked_at: bool, peer: str) -> None:
    """F-36: an IPv6 peer is named without brackets; one that is IPv4 in the guise of IPv6, as what it is."""
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    async with FakeUpstream() as server, serving(proxy(server, looked_at), sock=listener) as site:
        site.address = (peer, site.port)
        await site.ask(request(*LIES, b"X-A: 1"))
        assert server.requests[0].raw_head == (
            b"GET / HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"X-A: 1\r\n"
            b"X-Forwarded-For: %b\r\n"
            b"X-Forwarded-Host: a.test\r\n"
            b"X-Forwarded-Proto: http\r\n"
            b"\r\n" % (server.port, peer.encode())
        )


@pytest.mark.parametrize("named", [False, True])
async def test_peer_on_a_unix_socket(looked_at: bool, named: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    """F-36: a client on a Unix socket has no address, even if its socket has a name, and none is made up for it: nor
    does its own claim pass."""
    folder = tmp_path_factory.mktemp("s")
    async with FakeUpstream() as server, serving(proxy(server, looked_at), unix=str(folder / "s")) as site:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.setblocking(False)
            if named:
                sock.bind(str(folder / "c"))
            await asyncio.get_running_loop().sock_connect(sock, site.address)
            client = Client(sock)
            await client.send(request(*LIES, b"X-A: 1"))
            assert (await client.response()).status == 200
        assert server.requests[0].raw_head == (
            b"GET / HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"X-A: 1\r\n"
            b"X-Forwarded-Host: a.test\r\n"
            b"X-Forwarded-Proto: http\r\n"
            b"\r\n" % server.port
        )


async def test_client_over_tls(looked_at: bool) -> None:
    """F-36: to a client that speaks TLS the scheme is https."""
    context, trusting, ca = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(), trustme.CA()
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(trusting)
    async with FakeUpstream() as server:
        app = web.Application()
        ProxyHandler(proxy(server, looked_at)).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        try:
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_connection(*runner.addresses[0], ssl=trusting)
                writer.write(request(b"X-Forwarded-Proto: http", b"Connection: close"))
                assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
                writer.close()
                await writer.wait_closed()
        finally:
            await runner.cleanup()
        assert server.requests[0].getall("X-Forwarded-Proto") == ["https"]


@pytest.mark.parametrize("host", [b"b.test", b"b.test:8080", b"[::1]:80", b"B.TEST", b"127.0.0.1"])
async def test_host_goes_along(looked_at: bool, host: bytes) -> None:
    """F-13, F-36: the upstream's own authority is its Host, and what the client asked for stands beside it."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        await site.ask(b"GET / HTTP/1.1\r\nX-A: 1\r\nhost: %b\r\nX-B: 2\r\n\r\n" % host)
        assert server.requests[0].headers == [
            ("Host", f"127.0.0.1:{server.port}"),
            ("X-A", "1"),
            ("X-B", "2"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Host", host.decode()),
            ("X-Forwarded-Proto", "http"),
        ]


async def test_no_host(looked_at: bool) -> None:
    """F-15, F-36: an HTTP/1.0 request without Host passes; no host is made up, nor our own address told."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        await site.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert server.requests[0].headers == [
            ("Host", f"127.0.0.1:{server.port}"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
        ]


@pytest.mark.parametrize(("port", "said"), [(80, "up.test"), (8080, "up.test:8080")])
async def test_host_of_a_named_endpoint(port: int, said: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """F-13: the Host upstream is the endpoint's authority, without the port that goes without saying."""
    endpoint = Endpoint(f"http://up.test:{port}")
    endpoint.socket_path = str(tmp_path_factory.mktemp("s") / "s")  # it is reached without a name server
    async with FakeUpstream(path=endpoint.socket_path) as server, serving(Upstream(endpoint)) as site:
        await site.ask(request())
        assert server.requests[0].getall("Host") == [said]


async def test_a_filter_keeps_host() -> None:
    """F-13: the Host that a filter sets (here what the client asked for) is sent once, in place of the endpoint's."""

    async def keep(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.headers["Host"] = exchange.inbound.host
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(keep, handler=Upstream(server.url))) as site:
        await site.ask(request(b"X-A: 1"))
        assert server.requests[0].getall("Host") == ["a.test"]


# What filters do to the draft.


async def test_a_filter_edits_the_draft() -> None:
    """Fields that a filter sets, adds and removes are so upstream; all others are as they came, in order and case."""

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        headers = exchange.request.headers
        headers["x-set"] = "caf\u00e9"
        headers.add("X-Added", "\udce9")
        del headers["X-Gone"]
        return await handler(exchange)

    lines = [b"X-One: \xe9", b"X-Set: old", b"x-gone: 1", b"x-ONE: 2", b"X-Gone: 2"]
    async with FakeUpstream() as server, serving(Pipeline(edit, handler=Upstream(server.url))) as site:
        await site.ask(request(*lines))
        got = server.requests[0].raw_head.split(b"\r\n")
        assert [line for line in got if line.lower().startswith((b"x-one", b"x-set", b"x-gone", b"x-added"))] == [
            b"X-One: \xe9",
            b"x-set: caf\xc3\xa9",
            b"x-ONE: 2",
            b"X-Added: \xe9",
        ]


async def test_a_filter_replaces_all_fields() -> None:
    """A filter that puts new fields in place of all has exactly these sent, below Host."""

    async def replace(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.headers = CIMultiDict([("X-New", "1"), ("x-new", "2")])
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(replace, handler=Upstream(server.url))) as site:
        await site.ask(request(b"X-A: 1"))
        host = b"Host: 127.0.0.1:%d\r\n" % server.port
        assert server.requests[0].raw_head == b"GET / HTTP/1.1\r\n" + host + b"X-New: 1\r\nx-new: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Length", "99"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Transfer-Encoding", "gzip, chunked"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_a_filter_does_not_frame(name: str, value: str, body: bytes) -> None:
    """F-52: whatever a filter says of the framing, the framing follows from the body that is sent."""

    async def spoil(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.headers[name] = value
        return await handler(exchange)

    length = [b"Content-Length: %d" % len(body)] if body else []
    async with FakeUpstream() as server, serving(Pipeline(spoil, handler=Upstream(server.url))) as site:
        answer = await site.ask(request(*length, start=b"POST / HTTP/1.1", body=body))
        assert answer.status == 200
        assert server.requests[0].getall("Content-Length") == ([str(len(body))] if body else [])
        assert server.requests[0].getall("Transfer-Encoding") == []
        assert server.requests[0].body == body


INJECTED = "\r\nX-Injected: 1"


@pytest.mark.parametrize(
    ("what", "value"),
    [
        *(("value", f"a{control}b") for control in ("\r", "\n", "\0", "\x01", "\x1f", "\x7f", INJECTED)),
        *(("name", name) for name in ("X A", "X:A", "", "X\n", f"X: 1{INJECTED}", "X\u00e9", "X\t")),
        *(("target", target) for target in ("/a b", f"/ HTTP/1.1{INJECTED}", "/\n", "/\0", "", "/\x7f")),
        *(("method", method) for method in ("GET /x", "G\r\n", f"GET / HTTP/1.1{INJECTED}", "")),
    ],
)
async def test_nothing_is_injected(what: str, value: str) -> None:
    """F-28: a control character (or what else must not stand there) that a filter puts into a field's name or value,
    the target or the method is a 500, and not a byte goes upstream."""

    async def spoil(exchange: Exchange, handler: Handler) -> Response:
        draft = exchange.request
        if what == "value":
            draft.headers["X-Value"] = value
        elif what == "name":
            draft.headers[value] = "1"
        else:
            setattr(draft, what, value)
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(spoil, handler=Upstream(server.url))) as site:
        assert (await site.ask(request())).status == 500
        assert server.requests == []
        assert server.connections == 0


@pytest.mark.parametrize("byte", [*(byte for byte in range(0x20) if byte != 0x09), 0x7F])
async def test_no_control_character_passes(looked_at: bool, byte: int) -> None:
    """F-28: a control character in a client's value is refused, or at least is not passed on."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site, site.connect() as client:
        await client.send(request(b"X-A: a%cb" % byte, b"Connection: close"))
        await client.rest()
        for got in server.requests:
            assert b"%c" % byte not in got.raw_head.replace(b"\r\n", b""), got


@pytest.mark.parametrize(
    "line", [b"X-A: 1\r\n folded", b"X-A : 1", b" X-A: 1", b"X-A", b": 1", b"X-\xe9: 1", b"X A: 1", b"X-A: 1\nX-B: 2"]
)
async def test_malformed_lines_are_refused(looked_at: bool, line: bytes) -> None:
    """RFC 9112 section 5: folded lines, white space around a name, bare line ends and names that are none: 400."""
    async with FakeUpstream() as server, serving(proxy(server, looked_at)) as site:
        answer = await site.ask(request(b"X-First: 1", line, b"Connection: close"))
        assert answer.status == 400
        assert server.requests == []


# The client's request stays as it was.


async def test_the_aiohttp_request_is_not_mutated() -> None:
    """F-37: whatever filters do to the draft, the request of the application's middlewares is what the client sent."""
    before: list[object] = []
    after: list[object] = []

    def facts(request: web.BaseRequest) -> list[object]:
        return [
            *(request.method, request.path, request.raw_path, request.version, request.remote),
            *(request.headers.copy(), list(request.headers.items()), request.raw_headers, request.host),
        ]

    @web.middleware
    async def watch(request: web.Request, handler: Callable[[web.Request], object]) -> web.StreamResponse:
        before.extend(facts(request))
        response = await handler(request)  # type: ignore[misc]
        after.extend(facts(request))
        assert isinstance(response, web.StreamResponse)
        return response

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        draft = exchange.request
        draft.method, draft.target = "PUT", "/other"
        draft.headers.clear()
        draft.headers["X-New"] = "1"
        return await handler(exchange)

    async with FakeUpstream() as server:
        app = web.Application(middlewares=[watch])
        ProxyHandler(Upstream(server.url), filters=[edit]).mount(app)
        async with serving(app) as site:
            await site.ask(request(b"X-A: \xe9", b"x-a: 2", b"Connection: X-A", start=b"GET /a%2fb?c HTTP/1.1"))
        assert server.requests[0].raw_head.startswith(b"PUT /other HTTP/1.1\r\n")
    assert len(before) == 9
    assert after == before


async def test_what_the_client_sent_stays_readable() -> None:
    """F-37, law 2: ``exchange.inbound`` has every field that came, hop-by-hop ones included, and cannot be edited."""
    seen: list[object] = []

    async def read(exchange: Exchange, handler: Handler) -> Response:
        inbound = exchange.inbound
        exchange.request.headers.clear()
        exchange.request.target = "/other"
        seen.extend(
            [inbound.method, inbound.target, inbound.version, inbound.scheme, inbound.host, str(inbound.client)]
        )
        seen.extend([inbound.query_string, dict(inbound.query), dict(inbound.cookies), inbound.tls])
        seen.append([(name, value) for name, value in inbound.headers.items() if name != "Host"])
        seen.append(hasattr(inbound.headers, "add"))
        return await handler(exchange)

    lines = [b"Connection: X-A", b"x-a: \xe9", b"TE: trailers", b"X-Forwarded-For: 10.0.0.1", b"Cookie: s=1; t=2"]
    async with FakeUpstream() as server, serving(Pipeline(read, handler=Upstream(server.url))) as site:
        await site.ask(request(*lines, start=b"GET /a%2fb?c=%2f&d HTTP/1.1"))
    assert seen == [
        *("GET", "/a%2fb?c=%2f&d", (1, 1), "http", "a.test", "127.0.0.1"),
        *("c=%2f&d", {"c": "/", "d": ""}, {"s": "1", "t": "2"}, None),
        [
            ("Connection", "X-A"),
            ("x-a", "\udce9"),
            ("TE", "trailers"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("Cookie", "s=1; t=2"),
        ],
        False,
    ]
