"""Rows of the forwarding checklist that stand by themselves, over raw sockets."""

from __future__ import annotations

import pytest

from revproxy import Exchange, Handler, ProxyHandler, Response, Upstream
from revproxy.filters import AllowedHosts
from revproxy.testing import FakeUpstream, raw, reset, respond

from .wire import serving

GET = b"GET / HTTP/1.1\r\nHost: shop.test:81\r\n\r\n"


@pytest.mark.parametrize("looked_at", [False, True])
async def test_the_clients_host(looked_at: bool) -> None:
    """F-13: with ``host="client"`` the upstream is asked for what the client asked for; a filter has the last word."""

    async def look(exchange: Exchange, handler: Handler) -> Response:
        if looked_at:
            assert exchange.request.headers
        if exchange.inbound.path == "/own":
            exchange.request.headers["Host"] = "own.test"
        return await handler(exchange)

    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url, host="client"), filters=[look])
        async with serving(proxy) as site:
            await site.ask(GET)
            await site.ask(GET.replace(b" / ", b" /own "))
            await site.ask(b"GET http://abs.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n")
            await site.ask(b"GET / HTTP/1.0\r\n\r\n")
        hosts = [request.getall("Host") for request in server.requests]
        assert hosts == [["shop.test:81"], ["own.test"], ["abs.test"], [f"127.0.0.1:{server.port}"]]


@pytest.mark.parametrize("body", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
async def test_an_upgrade_with_a_body(body: bytes) -> None:
    """S-12, F-95: whose bytes those are is in doubt: 400, the connection is closed, nothing is forwarded."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        head = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        await client.send(head + body)
        answer = await client.response()
        assert (answer.status, answer.getall(b"Connection"), server.requests) == (400, [b"close"], [])
        assert await client.rest() == b""


async def test_an_offer_of_another_protocol_with_a_body() -> None:
    """F-91: what clients offer by themselves, with uploads too, is passed over; the connection ends with the answer."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        head = b"POST / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        answer = await site.ask(head + b"HTTP2-Settings: AAMAAABk\r\nContent-Length: 5\r\n\r\nhello")
        assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
        assert (server.requests[0].body, server.requests[0].getall("Upgrade")) == (b"hello", [])


async def test_trace() -> None:
    """F-35: TRACE would show fields that scripts must not see: 405, nothing is forwarded."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(GET.replace(b"GET", b"TRACE"))).status == 405
        assert server.requests == []


@pytest.mark.parametrize(("said", "sent"), [(b"5", ["4"]), (b"1", ["0"]), (b"007", ["6"]), (b"x", ["x"]), (b"", [""])])
async def test_max_forwards(said: bytes, sent: list[str]) -> None:
    """F-35: ``Max-Forwards`` of an OPTIONS is counted down; one that is no number passes."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        await site.ask(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: %b\r\n\r\n" % said)
        assert server.requests[0].getall("Max-Forwards") == sent


async def test_the_last_hop() -> None:
    """F-35: at 0 the proxy answers; a GET's ``Max-Forwards`` means nothing."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(b"OPTIONS / HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n")
        assert (answer.status, answer.body, server.requests) == (204, b"", [])
        assert (await site.ask(GET[:-2] + b"Max-Forwards: 0\r\n\r\n")).status == 200
        assert server.requests[0].getall("Max-Forwards") == ["0"]


async def test_ranges() -> None:
    """F-109, S-30: a range passes with its condition and its 206; a bomb of ranges is a request for the whole."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(respond(206, headers={"Content-Range": "bytes 0-1/9"}, body=b"ab"))
        answer = await site.ask(GET[:-2] + b'Range: bytes=0-1\r\nIf-Range: "x"\r\n\r\n')
        assert (answer.status, answer.getall(b"Content-Range"), answer.body) == (206, [b"bytes 0-1/9"], b"ab")
        await site.ask(GET[:-2] + b"Range: bytes=" + b"0-," * 300 + b'0-\r\nIf-Range: "x"\r\nX-A: 1\r\n\r\n')
        first, second = server.requests
        assert (first.getall("Range"), first.getall("If-Range")) == (["bytes=0-1"], ['"x"'])
        assert (second.getall("Range"), second.getall("If-Range"), second.getall("X-A")) == ([], [], ["1"])


@pytest.mark.parametrize("line", [b"HTTP/1.1 299 Odd But Fine", b"HTTP/1.1 599 ", b"HTTP/1.1 425 Too Early"])
async def test_unknown_statuses(line: bytes) -> None:
    """F-40, F-111: a status that nobody knows, 425 too, and its reason, even an empty one, pass as they are."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(raw(line + b"\r\nContent-Length: 0\r\nDate: x\r\n\r\n"))
        assert (await site.ask(GET)).raw_head == line + b"\r\nContent-Length: 0\r\nDate: x\r\n\r\n"


async def test_what_others_decide_by() -> None:
    """F-38, F-40: trace headers, ``Early-Data`` and ``Upgrade-Insecure-Requests`` pass, once, as they came."""
    lines = [b"traceparent: 00-1-2-01", b"tracestate: a=1", b"Early-Data: 1", b"Upgrade-Insecure-Requests: 1"]
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        await site.ask(GET[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
        for line in lines:
            assert server.requests[0].raw_head.count(line + b"\r\n") == 1


async def test_misdirected() -> None:
    """F-18, S-25: a host that is not served gets 421."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[AllowedHosts("shop.test")])
        async with serving(proxy) as site:
            assert (await site.ask(GET)).status == 200
            assert (await site.ask(GET.replace(b"shop", b"evil"))).status == 421
        assert len(server.requests) == 1


async def test_proxy_status() -> None:
    """F-112: only if switched on, ``Proxy-Status`` says how an answer came about, behind what the upstream says."""
    async with FakeUpstream() as server:
        server.on("/said", respond(headers={"Proxy-Status": "inner; received-status=200"}))
        server.on("/lost", reset())
        async with serving(ProxyHandler(Upstream(server.url), proxy_status="edge")) as site:
            targets = (b"/", b"/said", b"/lost", b"/..")
            answers = [await site.ask(GET.replace(b" / ", b" %b " % target)) for target in targets]
        assert [answer.getall(b"Proxy-Status") for answer in answers] == [
            [b"edge; received-status=200"],
            [b"inner; received-status=200", b"edge; received-status=200"],
            [b"edge; error=connection_terminated"],
            [b"edge; error=http_request_error"],
        ]
        async with serving(Upstream(server.url)) as site:
            assert (await site.ask(GET.replace(b" / ", b" /lost "))).getall(b"Proxy-Status") == []


async def test_proxy_status_of_a_shared_response() -> None:
    """F-112: a response that a handler gives out again and again is said of once each time."""
    shared = Response(200)

    async def same(exchange: Exchange) -> Response:
        return shared

    async with serving(ProxyHandler(same, proxy_status="edge")) as site:
        answers = [await site.ask(GET) for _ in range(3)]
    assert [answer.getall(b"Proxy-Status") for answer in answers] == [[b"edge"]] * 3
