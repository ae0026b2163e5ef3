"""WebSockets through the proxy, as they stand on the wire."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import trustme
from aiohttp import web

from revproxy import Exchange, Handler, Limits, Pipeline, ProxyHandler, Response, Timeouts, Tls, Upstream
from revproxy.errors import BadFrame, BadHandshake, ClientDisconnected, ProtocolError, TunnelIdle, TunnelLost
from revproxy.testing import FakeTransport, FakeUpstream, Turn, close, echo, raw, reset, respond, stall, switch
from revproxy.wire.handshake import accept_key

from .seen import Seen, WatchedClock
from .wire import GET, TIMEOUT, Answer, Client, Site, serving

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
LINES = b"Host: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
HANDSHAKE = LINES + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
ASK = b"GET /chat HTTP/1.1\r\n" + HANDSHAKE + b"\r\n"

HELLO, MASKED_HELLO = b"\x81\x05hello", b"\x81\x85\0\0\0\0hello"
GOING_AWAY = b"\x88\x02\x03\xe9"


def masked(first: int, payload: bytes) -> bytes:
    size = len(payload)
    length = struct.pack("!B", size | 0x80) if size < 126 else struct.pack("!BQ", 255, size)
    return bytes([first]) + length + b"\0\0\0\0" + payload


@asynccontextmanager
async def opened(site: Site, ask: bytes = ASK, **options: int) -> AsyncIterator[Client]:
    """A client whose connection was switched."""
    async with site.connect(**options) as client:
        await client.send(ask)
        assert (await client.head()).status == 101
        yield client


async def until_end(turn: Turn) -> None:
    while await turn.read():
        pass


# The handshake.


async def test_transcript() -> None:
    """F-93, F-94, F-97, F-98, F-103: the handshake goes upstream as it is, ``Sec-WebSocket-*``, ``Origin``, cookies and
    credentials included; the 101 comes back as it is; then bytes go both ways."""
    lines = [
        *(b"Origin: https://a.test", b"Cookie: a=1", b"Authorization: Bearer x", b"Sec-WebSocket-Protocol: chat, v2"),
        *(b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", b"X-A: 1"),
    ]
    handshake = HANDSHAKE + b"".join(line + b"\r\n" for line in lines)
    chosen = {"Sec-WebSocket-Protocol": "v2", "Sec-WebSocket-Extensions": "permessage-deflate", "X-B": "caf\xe9"}
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(switch(headers=chosen), echo(), close())
        async with opened(site, b"GET /chat?room=1 HTTP/1.1\r\n" + handshake + b"\r\n") as client:
            await client.send(MASKED_HELLO)
            await client.gets(HELLO)
            await client.send(masked(0x88, b"\x03\xe8"))
            await client.gets(b"\x88\x02\x03\xe8")
            client.end()
            assert (await client.rest(), client.was_reset) == (b"", False)
        (request,) = server.requests
        expected = handshake.replace(b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", b"")
        assert request.raw_head.split(b"\r\n") == [
            b"GET /chat?room=1 HTTP/1.1",
            b"Host: 127.0.0.1:%d" % server.port,
            *expected.split(b"\r\n")[1:-1],
            b"X-Forwarded-For: 127.0.0.1",
            b"X-Forwarded-Host: a.test",
            b"X-Forwarded-Proto: http",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"",
            b"",
        ]


async def test_the_101() -> None:
    """F-22, F-94: the client's 101 has the upstream's end-to-end fields, and the two that make it one."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(switch(headers={"Keep-Alive": "5", "X-B": "1", "Content-Length": "0"}), until_end)
        await client.send(ASK)
        answer = await client.head()
        accepted = b"Sec-WebSocket-Accept: " + accept_key(KEY.decode()).encode()
        assert answer.raw_head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert answer.lines == [accepted, b"X-B: 1", b"Connection: Upgrade", b"Upgrade: websocket"]


async def test_a_refusal_is_relayed() -> None:
    """F-92: what an upstream answers instead of switching comes back unchanged, body and all; it is that attempt's
    outcome, and the client's connection ends, since its parser has."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.respond(403, headers={"X-Why": "not you", "Content-Type": "text/plain"}, body=b"no")
        async with site.connect() as client:
            await client.send(ASK + MASKED_HELLO)
            answer = await client.response()
            assert (answer.status, answer.body, answer.getall(b"X-Why")) == (403, b"no", [b"not you"])
            assert answer.getall(b"Connection") == [b"close"]
            assert await client.rest() == b""
        await seen.over()
        assert ([attempt.status for attempt in seen.attempts], seen.statuses) == ([403], [403])
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fields",
    [
        b"Sec-WebSocket-Version: 13\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(b"x" * 18) + b"\r\n",
        b"Sec-WebSocket-Version: 13\r\n" + (b"Sec-WebSocket-Key: " + KEY + b"\r\n") * 2,
        b"Sec-WebSocket-Key: " + KEY + b"\r\n",
        b"Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " + KEY + b"\r\n",
        b"Sec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Key: " + KEY + b"\r\n",
    ],
)
async def test_a_handshake_that_is_none(fields: bytes) -> None:
    """F-94, RFC 6455 section 4.2.1: without a good key, or of another version, it is refused, with the version that is
    known, and nothing goes upstream."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        answer = await site.ask(b"GET / HTTP/1.1\r\n" + LINES + fields + b"\r\n")
        assert (answer.status, answer.getall(b"Sec-WebSocket-Version")) == (400, [b"13"])
        assert (server.requests, [type(error) for error in seen.errors]) == ([], [BadHandshake])


@pytest.mark.parametrize("length", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_handshake_with_a_body(length: bytes) -> None:
    """F-95, S-12: a body in a request for a WebSocket is refused, and the connection ends."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(b"GET / HTTP/1.1\r\n" + HANDSHAKE + length + b"\r\n5\r\nhello\r\n0\r\n\r\n")
        assert (await client.response()).status == 400
        await client.rest()
        assert server.requests == []


async def test_a_body_of_length_0_is_none() -> None:
    """F-95: ``Content-Length: 0`` is no body."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(switch(), until_end)
        async with opened(site, b"GET / HTTP/1.1\r\nContent-Length: 0\r\n" + HANDSHAKE + b"\r\n"):
            assert b"Content-Length" not in server.requests[0].raw_head


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        (b"GET / HTTP/1.0", HANDSHAKE),
        (b"POST / HTTP/1.1", HANDSHAKE),
        (b"GET / HTTP/1.1", HANDSHAKE.replace(b", Upgrade", b"")),
        (b"GET / HTTP/1.1", HANDSHAKE.replace(b"websocket", b"websocket, h2c")),
        (b"GET / HTTP/1.1", HANDSHAKE + b"Upgrade: websocket\r\n"),
        (b"GET / HTTP/1.1", HANDSHAKE.replace(b"Upgrade: websocket", b"Upgrade: chat")),
    ],
)
async def test_an_ordinary_request(start: bytes, lines: bytes) -> None:
    """F-96, F-91: in HTTP/1.0, of another method, by halves, as a list or for another protocol, ``Upgrade`` is
    ignored: the upstream gets an ordinary request, and a 101 to it is an invalid response."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(start + b"\r\n" + lines + b"\r\n")).status == 200
        (request,) = server.requests
        assert request.getall("Upgrade") + request.getall("Connection") == []
        server.always(switch())
        assert (await site.ask(start + b"\r\n" + lines + b"\r\n")).status == 502


async def test_an_upgrade_that_expects() -> None:
    """F-96: with ``Expect: 100-continue`` a 100 comes before the 101 (RFC 9110 section 7.8)."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(switch(), echo())
        await client.send(b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n" + HANDSHAKE + b"\r\n")
        assert [(await client.head()).status, (await client.head()).status] == [100, 101]
        await client.send(MASKED_HELLO)
        await client.gets(HELLO)


ACCEPT = b"Sec-WebSocket-Accept: " + accept_key(KEY.decode()).encode() + b"\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        ACCEPT,
        b"Connection: Upgrade\r\n" + ACCEPT,
        b"Upgrade: websocket\r\n" + ACCEPT,
        b"Connection: close\r\nUpgrade: websocket\r\n" + ACCEPT,
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + ACCEPT,
        b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + ACCEPT,
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + accept_key("x").encode() + b"\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + ACCEPT * 2,
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n" + ACCEPT,
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n" + ACCEPT,
    ],
)
async def test_a_101_that_is_none(fields: bytes) -> None:
    """F-94, S-11: a 101 that does not switch to what was asked for, or not for this key, is an invalid response; what
    follows it reaches nobody, and the client's connection ends."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(raw(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\n" + HELLO), until_end)
        async with site.connect() as client:
            await client.send(ASK)
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (502, [b"close"])
            assert await client.rest() == b""
        await server.gone()
        assert [type(error) for error in seen.errors] == [ProtocolError]


async def test_a_101_to_a_plain_request() -> None:
    """S-11, F-94: a 101 that nobody asked for is never a tunnel."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(switch(), until_end)
        assert (await site.ask(GET)).status == 502


async def test_no_websockets() -> None:
    """F-91: a proxy that passes no upgrade on forwards the request without it."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), upgrades=())) as site:
        assert (await site.ask(ASK)).status == 200
        assert server.requests[0].getall("Upgrade") == []


# What goes through.


async def test_early_bytes() -> None:
    """F-94, F-101: what a client sends before it has its 101, and what an upstream sends with it, arrives behind the
    handshake."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(switch(), raw(b"\x81\x02hi"), echo())
        await client.send(ASK + MASKED_HELLO + MASKED_HELLO[:3])
        assert (await client.head()).status == 101
        await client.gets(b"\x81\x02hi" + HELLO)
        await client.send(MASKED_HELLO[3:])
        await client.gets(HELLO)


async def test_many_early_bytes() -> None:
    """F-101: 300 KiB before the 101 are held back by the server, not lost, and go on when it comes."""
    payload = bytes(300_000)
    go = asyncio.Event()

    async def wait(turn: Turn) -> None:
        await turn.wait(go)

    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(wait, switch(), echo())
        sending = asyncio.create_task(client.send(ASK + masked(0x82, payload)))
        await server.wait_requests()
        go.set()
        assert (await client.head()).status == 101
        await client.gets(b"\x82\x7f" + struct.pack("!Q", len(payload)) + payload)
        await sending


@pytest.mark.parametrize("size", [0, 125, 126, 65_536, 1_000_000])
async def test_any_size(size: int) -> None:
    """F-99, F-100: frames of any size pass, whole and in fragments, control frames between them."""
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(switch(), echo())
        async with opened(site) as client:
            sent = [masked(0x01, payload), masked(0x89, b"ping"), masked(0x80, payload), masked(0xC2, payload)]
            sending = asyncio.create_task(client.send(b"".join(sent)))
            for first, content in ((0x01, payload), (0x89, b"ping"), (0x80, payload), (0xC2, payload)):
                head = await client.exactly(2)
                assert head[0] == first
                if head[1] > 125:
                    await client.exactly(2 if head[1] == 126 else 8)
                await client.gets(content)
            await sending


async def test_backpressure() -> None:
    """F-101: a client that reads nothing stops the upstream, and one that nobody reads is stopped; then all arrives."""
    total = 50_000_000  # beyond what the kernel's buffers take
    data = b"\x82\x7f" + struct.pack("!Q", total) + bytes(total)
    sent = 0

    async def flood(turn: Turn) -> None:
        nonlocal sent
        for at in range(0, len(data), 65536):
            await turn.write(data[at : at + 65536])
            sent = at

    async with FakeUpstream(socket_buffer=65536) as server, serving(Upstream(server.url)) as site:
        server.always(switch(), flood, until_end)
        async with opened(site, receive_buffer=65536) as client:
            await asyncio.sleep(0.2)  # for as long as it takes nothing, nothing tells
            assert sent < total / 2
            await client.gets(data)


async def test_slow_upstream() -> None:
    """F-101: an upstream that reads nothing stops the client."""
    total = 50_000_000
    go, taken = asyncio.Event(), asyncio.Event()

    async def read_late(turn: Turn) -> None:
        await turn.wait(go)
        left = total
        while left > 0:
            left -= len(await turn.read())
        taken.set()

    async with FakeUpstream(socket_buffer=65536) as server, serving(Upstream(server.url)) as site:
        server.always(switch(), read_late)
        async with opened(site) as client:
            sending = asyncio.create_task(client.send(masked(0x82, bytes(total))))
            done, _ = await asyncio.wait([sending], timeout=0.2)
            assert not done
            go.set()
            await asyncio.wait_for(taken.wait(), TIMEOUT)
            await sending


# Its end.


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_half_close(who: str) -> None:
    """F-101: an end of one side is passed on, and the other side goes on until it ends as well."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        if who == "client":
            got = asyncio.Event()

            async def answer_late(turn: Turn) -> None:
                await until_end(turn)
                got.set()
                await turn.write(HELLO)
                await turn.close()

            server.always(switch(), answer_late)
            async with opened(site) as client:
                client.end()
                await asyncio.wait_for(got.wait(), TIMEOUT)
                assert (await client.rest(), client.was_reset) == (HELLO, False)
        else:
            received: list[bytes] = []

            async def end_first(turn: Turn) -> None:
                await turn.write(HELLO)
                await turn.close()

            server.always(switch(), end_first)
            async with opened(site) as client:
                assert (await client.rest(), client.was_reset) == (HELLO, False)
                await client.send(MASKED_HELLO)
                client.end()
                assert received == []


async def test_an_upstream_that_is_reset() -> None:
    """F-101: an error of one side ends both, and is the attempt's."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(switch(), raw(HELLO), reset())
        async with opened(site) as client:
            assert await client.rest() in (HELLO, b"")
        await seen.over()
        assert ([type(error) for error in seen.errors], seen.statuses) == ([TunnelLost], [101])
        assert seen.settlements[0].error is seen.errors[0]


async def test_a_client_that_is_reset() -> None:
    """F-101: the upstream's end goes with it, and it is nothing that counts against the upstream."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(switch(), echo())
        async with opened(site) as client:
            client.reset()
            await seen.over()
        await server.gone()
        assert [type(error) for error in seen.errors] in ([ClientDisconnected], [])
        assert seen.settlements[0].error is None


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_an_end_amid_a_frame(who: str, caplog: pytest.LogCaptureFixture) -> None:
    """F-101: it is passed on, with what there was, and noted."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        if who == "client":
            server.always(switch(), until_end, close())
            async with opened(site) as client:
                await client.send(MASKED_HELLO[:8])
                client.end()
                assert await client.rest() == b""
        else:
            server.always(switch(), raw(HELLO[:4]), close())
            async with opened(site) as client:
                assert await client.rest() == HELLO[:4]
                client.end()
                await seen.over()
    assert [type(error) for error in seen.errors] == [ClientDisconnected if who == "client" else TunnelLost]


# What is no WebSocket.


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 100, b"\x81\x80\0\0\0\0", b"\x89\x7e\xff\xff", b"\x82\x7f" + b"\xff" * 8]
)
async def test_garbage_of_an_upstream(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """F-93, S-11, S-55: what is no frame ends the tunnel: what stood before it arrives, then a Close to both, one
    line in the log, and it counts against the endpoint."""
    seen = Seen()
    got = bytearray()

    async def misbehave(turn: Turn) -> None:
        await turn.write(HELLO + garbage)
        while data := await turn.read():
            got.extend(data)

    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(switch(), misbehave)
        async with opened(site) as client:
            with caplog.at_level(logging.INFO, "revproxy.error"):
                assert await client.rest() == HELLO + b"\x88\x02\x03\xf6"
                await seen.over()
        await server.gone()
    assert ([type(error) for error in seen.errors], len(caplog.records)) == ([TunnelLost], 1)
    assert (bytes(got[:2]), len(got)) == (b"\x88\x82", 8)


@pytest.mark.parametrize("garbage", [GET, HELLO, b"\x83\x80\0\0\0\0", b"\x82\xff" + b"\xff" * 8])
async def test_garbage_of_a_client(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """S-11, S-55: the same of a client, and nothing of it, a request least of all, reaches the upstream."""
    seen = Seen()
    got = bytearray()

    async def listen(turn: Turn) -> None:
        while data := await turn.read():
            got.extend(data)

    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(switch(), listen)
        async with opened(site) as client:
            with caplog.at_level(logging.INFO, "revproxy.error"):
                await client.send(MASKED_HELLO + garbage)
                assert await client.rest() == b"\x88\x02\x03\xea"
                await seen.over()
        await server.gone()
    assert ([type(error) for error in seen.errors], len(caplog.records)) == ([BadFrame], 1)
    assert got.startswith(MASKED_HELLO + b"\x88\x82")
    assert len(got) == len(MASKED_HELLO) + 8
    assert seen.settlements[0].error is None


# Time and number.


async def test_idle() -> None:
    """F-102: what nothing goes through for ``Timeouts.tunnel`` is closed with a Close to both; what something goes
    through is not, for however long, and no other deadline counts."""
    clock, seen = WatchedClock(), Seen()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, timeouts=Timeouts(tunnel=40, idle=1, head=5), clock=clock)
        async with serving(ProxyHandler(upstream, observers=[seen], clock=clock)) as site:
            server.always(switch(), echo())
            async with opened(site) as client:
                await clock.asked()
                for _ in range(10):
                    clock.advance(30)
                    await client.send(MASKED_HELLO)
                    await client.gets(HELLO)
                for _ in range(6):
                    clock.advance(10)
                assert await client.rest() == GOING_AWAY
                await seen.over()
        assert [type(error) for error in seen.errors] == [TunnelIdle]


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_a_peer_that_never_reads(who: str) -> None:
    """F-101, S-55: what is stuck is idle; it is cut when its peer does not even take the end."""
    clock, seen = WatchedClock(), Seen()
    stuck = asyncio.Event()

    async def flood(turn: Turn) -> None:
        try:
            while True:
                await turn.write(b"\x82\x7e\xff\xff" + bytes(65535))
        finally:
            stuck.set()

    async def deaf(turn: Turn) -> None:
        await turn.stop_reading()
        await turn.wait(stuck)

    async with FakeUpstream(socket_buffer=65536) as server:
        upstream = Upstream(server.url, timeouts=Timeouts(tunnel=40), clock=clock)
        async with serving(ProxyHandler(upstream, observers=[seen], clock=clock)) as site:
            server.always(switch(), flood if who == "client" else deaf)
            async with opened(site, receive_buffer=65536) as client:
                await clock.asked()
                sending = asyncio.create_task(client.send(masked(0x82, bytes(8_000_000) if who == "upstream" else b"")))
                while not seen.statuses:
                    await asyncio.sleep(0.01)  # nothing tells that nothing happens any more
                    clock.advance(10)
                stuck.set()
                await asyncio.gather(sending, return_exceptions=True)
        assert [type(error) for error in seen.errors] == [TunnelIdle]


async def test_a_bounded_number() -> None:
    """S-55: there are ``Limits.tunnels`` to an endpoint at most, the next is a 503; they are no connections of the
    pool, which has one alone here."""
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, limits=Limits(tunnels=2, connections=1))
        async with serving(upstream) as site:
            server.on("/chat", switch(), echo())
            async with opened(site), opened(site) as second:
                assert upstream.endpoints[0].in_flight == 2
                assert (await site.ask(ASK)).status == 503
                assert (await site.ask(GET)).status == 200
                second.close()
                await server.gone()
                while upstream.endpoints[0].in_flight == 2:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
                async with opened(site) as third:
                    await third.send(MASKED_HELLO)
                    await third.gets(HELLO)


async def test_what_observers_and_logs_learn(caplog: pytest.LogCaptureFixture) -> None:
    """F-91, F-103: an exchange that became a tunnel is one with the status 101, over when the tunnel is; it has the
    bytes of both ways; the access log has a line, and signals see the 101."""
    seen = Seen()
    signalled: list[int] = []

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        signalled.append(response.status)
        response.headers["X-Signal"] = "1"

    async with FakeUpstream() as server:
        server.always(switch(), echo())
        app = web.Application()
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(Upstream(server.url, name="up"), observers=[seen]).mount(app)
        with caplog.at_level(logging.INFO, "aiohttp.access"):
            async with serving(app) as site:
                async with site.connect() as client:
                    await client.send(ASK)
                    answer = await client.head()
                    assert answer.getall(b"X-Signal") == [b"1"]
                    await client.send(MASKED_HELLO)
                    await client.gets(HELLO)
                    assert (seen.statuses, seen.settlements) == ([], [])
                    client.end()
                    assert await client.rest() == b""
                await seen.over()
    (exchange,) = seen.exchanges
    assert exchange.tunnel is not None
    assert (exchange.tunnel.sent, exchange.tunnel.received) == (len(MASKED_HELLO), len(HELLO))
    assert (seen.statuses, seen.attempts[0].status, signalled, seen.errors) == ([101], 101, [101], [])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    assert f'"GET /chat HTTP/1.1" 101 {len(answer.raw_head) + len(HELLO)} ' in line


# Filters.


async def test_a_filter_that_refuses_the_101() -> None:
    """F-92, S-70: a filter may answer otherwise; the upstream's end is closed then."""

    async def refuse(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        assert response.tunnel is not None
        return Response(403)

    async with FakeUpstream() as server, serving(Pipeline(refuse, handler=Upstream(server.url))) as site:
        server.always(switch(), until_end)
        assert (await site.ask(ASK)).status == 403
        await server.gone()


async def test_a_filter_that_asks_for_none() -> None:
    """F-91: a filter may make it an ordinary request."""

    async def plain(exchange: Exchange, handler: Handler) -> Response:
        assert exchange.request.upgrade == "websocket"
        exchange.request.upgrade = None
        return await handler(exchange)

    async with FakeUpstream() as server, serving(Pipeline(plain, handler=Upstream(server.url))) as site:
        assert (await site.ask(ASK)).status == 200
        assert server.requests[0].getall("Upgrade") == []


async def test_a_101_without_a_tunnel() -> None:
    """S-11: a 101 that a handler made up is its error."""
    async with serving(Upstream("http://a.test", transport=FakeTransport(Response(101)))) as site:
        assert (await site.ask(ASK)).status == 500


# Over what it runs.


@pytest.mark.parametrize("ends", ["client", "upstream"])
async def test_over_tls(ends: str) -> None:
    """F-101: over TLS, on both sides, bytes go through, and an end of one side closes the other after what was sent."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    payload = bytes(500_000)
    said: list[object] = []

    class Noting(Seen):
        def finished(self, exchange: Exchange, status: int | None) -> None:
            said.append(exchange.inbound.tls)
            super().finished(exchange, status)

    seen = Noting()

    async def serve(turn: Turn) -> None:
        await turn.write(b"\x82\x7f" + struct.pack("!Q", len(payload)) + payload)
        if ends == "upstream":
            await turn.close()
        else:
            await until_end(turn)

    async with FakeUpstream(ssl=context) as server:
        server.always(switch(), serve)
        upstream = Upstream(server.url, tls=Tls(context=trusting))
        app = web.Application()
        ProxyHandler(upstream, observers=[seen]).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            reader, writer = await asyncio.open_connection(*runner.addresses[0], ssl=trusting)
            writer.write(ASK)
            async with asyncio.timeout(TIMEOUT):
                assert Answer(await reader.readuntil(b"\r\n\r\n")).status == 101
                assert await reader.readexactly(10 + len(payload)) == b"\x82\x7f" + struct.pack("!Q", 500_000) + payload
                if ends == "upstream":
                    assert await reader.read() == b""
                writer.close()
                await seen.over()
                while server.open:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
        finally:
            await runner.cleanup()
    assert seen.errors == []
    assert None not in said  # it is remembered, though the connection is gone


async def test_over_unix_sockets(tmp_path: object) -> None:
    """F-101: over Unix sockets, on both sides, an end of one side is passed on."""
    async with FakeUpstream(path=f"{tmp_path}/up") as server:
        server.always(switch(), echo(), raw(HELLO), close())
        async with serving(Upstream(server.url), unix=f"{tmp_path}/proxy") as site, opened(site) as client:
            await client.send(MASKED_HELLO)
            await client.gets(HELLO)
            client.end()
            assert await client.rest() == HELLO


async def test_another_protocol() -> None:
    """F-94, S-11: a protocol that the user lists passes after a verified 101, as bytes that nobody looks at."""
    ask = b"GET /attach HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: TCP\r\n\r\n"

    async def shout(turn: Turn) -> None:
        while data := await turn.read():
            await turn.write(data.upper())

    async with FakeUpstream() as server:
        server.always(switch("tcp"), shout)
        async with serving(ProxyHandler(Upstream(server.url), upgrades={"tcp"})) as site:
            async with opened(site, ask) as client:
                assert server.requests[0].getall("Upgrade") == ["tcp"]
                await client.send(b"\xff hello")
                await client.gets(b"\xff HELLO")
            server.always(stall(), switch("tcp"), shout)
            server.on("/", respond(200))
            async with site.connect() as client:
                await client.send(ask)
                await server.wait_requests(2)
                await client.send(GET)  # before the 101: the server takes it for a request
                assert (await site.ask(GET)).status == 200  # it has read that one by now
                server.release()
                assert (await client.response()).status == 400
                assert await client.rest() == b""


# Shutting down.


class Peer:
    """A script that keeps what comes through the tunnel, and sends what it is told to."""

    def __init__(self, first: bytes = b"") -> None:
        self.got = bytearray()
        self._first = first
        self._turn: Turn | None = None
        self._changed = asyncio.Event()

    async def __call__(self, turn: Turn) -> None:
        self._turn = turn
        await turn.write(self._first)
        while data := await turn.read():
            self.got.extend(data)
            self._changed.set()
        self._changed.set()

    async def send(self, data: bytes) -> None:
        assert self._turn is not None
        await self._turn.write(data)

    async def has(self, size: int) -> bytes:
        """All that has come, as soon as it is ``size`` bytes."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.got) < size:
                self._changed.clear()
                await self._changed.wait()
        return bytes(self.got)


def unmasked_code(frame: bytes) -> int:
    """The status code of a masked Close."""
    assert (frame[:2], len(frame)) == (b"\x88\x82", 8)
    return int.from_bytes(bytes(byte ^ key for byte, key in zip(frame[6:], frame[2:4], strict=True)))


@asynccontextmanager
async def tunnelled(peer: Peer, **options: Any) -> AsyncIterator[tuple[ProxyHandler, Client, Seen]]:
    """A tunnel between a client and ``peer``."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(switch(), peer)
        proxy = ProxyHandler(Upstream(server.url), observers=[seen], **options)
        async with serving(proxy) as site, opened(site) as client:
            yield proxy, client, seen


async def test_drain() -> None:
    """F-101: ``drain`` sends both ends a Close, masked to the upstream; each one's reply ends here, and with the second
    both connections end."""
    peer = Peer()
    async with tunnelled(peer) as (proxy, client, seen):
        await client.send(MASKED_HELLO)
        await peer.has(len(MASKED_HELLO))
        draining = asyncio.create_task(proxy.drain(code=1012))
        await asyncio.sleep(0)  # it has begun
        await client.gets(b"\x88\x02\x03\xf4")
        assert unmasked_code((await peer.has(len(MASKED_HELLO) + 8))[-8:]) == 1012
        await client.send(MASKED_HELLO + masked(0x88, b"\x03\xf4"))
        await peer.send(HELLO)
        assert not draining.done()
        await peer.send(b"\x88\x02\x03\xf4")
        assert (await client.rest(), client.was_reset) == (b"", False)
        await draining
        await seen.over()
    assert (len(peer.got), seen.errors, seen.statuses) == (len(MASKED_HELLO) + 8, [], [101])


async def test_drain_amid_frames() -> None:
    """F-101: a frame that is under way goes on to its end, and the Close stands behind it, before what follows."""
    peer = Peer(HELLO + HELLO[:4])
    async with tunnelled(peer) as (proxy, client, seen):
        await client.gets(HELLO + HELLO[:4])
        await client.send(MASKED_HELLO[:7])
        await peer.has(7)
        draining = asyncio.create_task(proxy.drain())
        await asyncio.sleep(0)  # it has begun
        await peer.send(HELLO[4:] + HELLO)
        await client.gets(HELLO[4:] + GOING_AWAY)
        await client.send(MASKED_HELLO[7:-1])
        await client.send(MASKED_HELLO[-1:] + MASKED_HELLO + masked(0x88, b""))
        got = await peer.has(len(MASKED_HELLO) + 8)
        assert (got[:-8], unmasked_code(got[-8:])) == (MASKED_HELLO, 1001)
        await peer.send(GOING_AWAY)
        assert await client.rest() == b""
        await draining
    assert seen.errors == []


async def test_drain_of_what_closes_already() -> None:
    """F-101: where one side has sent its Close, the proxy sends none; the other's reply is passed on, and is the
    end."""
    peer = Peer()
    async with tunnelled(peer) as (proxy, client, seen):
        await client.send(masked(0x88, b"\x03\xe8"))
        await peer.has(8)
        draining = asyncio.create_task(proxy.drain())
        await asyncio.sleep(0)  # it has begun
        await peer.send(HELLO + b"\x88\x02\x03\xe8")
        assert await client.rest() == HELLO + b"\x88\x02\x03\xe8"
        await draining
    assert (len(peer.got), seen.errors) == (8, [])


async def test_drain_with_those_who_do_not_answer() -> None:
    """F-101: what has not ended after the grace is cut, whether it is amid a frame or says nothing."""
    clock, peer = WatchedClock(), Peer(HELLO[:3])
    async with tunnelled(peer, clock=clock) as (proxy, client, seen):
        await client.gets(HELLO[:3])
        draining = asyncio.create_task(proxy.drain(grace=7))
        await asyncio.sleep(0)  # it has begun
        assert unmasked_code(await peer.has(8)) == 1001
        await clock.asked()
        clock.advance(6.9)
        await asyncio.sleep(0)
        assert not draining.done()
        clock.advance(0.1)
        assert await client.rest() == b""
        await draining
        await seen.over()
    assert seen.statuses == [101]


async def test_drain_spread_over_a_window() -> None:
    """F-101: with ``spread`` one after the other is told, and the grace begins when all are."""
    clock = WatchedClock()
    async with FakeUpstream() as server, AsyncExitStack() as stack:
        server.always(switch(), echo())
        proxy = ProxyHandler(Upstream(server.url), clock=clock)
        site = await stack.enter_async_context(serving(proxy))
        clients = [await stack.enter_async_context(opened(site)) for _ in range(4)]
        told = [asyncio.create_task(client.gets(GOING_AWAY)) for client in clients]
        draining = asyncio.create_task(proxy.drain(spread=8, grace=5))
        await clock.asked()
        for count in range(1, 5):
            while sum(each.done() for each in told) < count:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            assert sum(each.done() for each in told) == count
            clock.advance(2)
        await asyncio.gather(*told)
        assert not draining.done()
        clock.advance(5)
        await draining
    with pytest.raises(ValueError, match="spread"):
        await proxy.drain(spread=-1)


async def test_an_application_that_ends() -> None:
    """F-101: when the application shuts down its tunnels are drained before aiohttp would wait for their requests;
    those of another application go on."""
    peer, other = Peer(), Peer()
    async with FakeUpstream() as server:
        server.once(switch(), peer)
        server.once(switch(), other)
        proxy = ProxyHandler(Upstream(server.url))
        first, second = web.Application(), web.Application()
        proxy.mount(first)
        proxy.mount(second)
        async with serving(second) as stays, AsyncExitStack() as stack:
            runner = web.AppRunner(first)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                client = await stack.enter_async_context(opened(Site(runner)))
                there = await stack.enter_async_context(opened(stays))

                async def answer() -> None:
                    await client.gets(GOING_AWAY)
                    await client.send(masked(0x88, b"\x03\xe9"))
                    await peer.has(8)
                    await peer.send(GOING_AWAY)

                answering = asyncio.create_task(answer())
            finally:
                async with asyncio.timeout(TIMEOUT):
                    await runner.cleanup()
            await answering
            assert await client.rest() == b""
            await there.send(MASKED_HELLO)
            await other.has(len(MASKED_HELLO))


async def test_a_handler_that_is_cancelled() -> None:
    """F-101: with ``handler_cancellation`` the server cancels the task when the client leaves; the upstream's end goes
    with it, and nothing is an error."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(switch(), echo())
        app = web.Application()
        ProxyHandler(Upstream(server.url), observers=[seen]).mount(app)
        async with serving(app, handler_cancellation=True) as site:
            async with opened(site) as client:
                await client.send(MASKED_HELLO)
                await client.gets(HELLO)
            await seen.over()
            await server.gone()
    assert (seen.errors, seen.statuses) == ([], [101])
