"""What happens to WebSockets at the wrong moment: what attacks on the tunnel have found."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from revproxy import Exchange, Handler, Limits, ProxyHandler, Response, Timeouts, Upstream
from revproxy.errors import ClientDisconnected, Interrupted, Phase, TunnelLost
from revproxy.testing import FakeUpstream, Step, Turn, close, echo, interim, raw, reset, stall, switch
from revproxy.wire.handshake import accept_key
from revproxy.wire.tunnel import WireTunnel
from revproxy.wire.tunnel_end import End

from .seen import Seen, WatchedClock
from .test_websocket import ASK, GOING_AWAY, HELLO, KEY, MASKED_HELLO, Peer, masked, opened, tunnelled, until_end
from .wire import TIMEOUT, Answer, serving

GARBAGE = b"\x83garbage"
THE_101 = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: " + accept_key(KEY.decode()).encode() + b"\r\n\r\n"
)


async def test_both_break_the_protocol_at_once() -> None:
    """S-55: garbage of both sides that is there with the 101 gives each side one Close."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(stall(), raw(THE_101 + HELLO + GARBAGE), until_end)
        await client.send(ASK + GARBAGE)
        await server.wait_requests()
        server.release()
        assert (await client.head()).status == 101
        assert await client.rest() == HELLO + b"\x88\x02\x03\xf6"


async def test_garbage_instead_of_a_reply() -> None:
    """F-101: who answers the proxy's Close with garbage is sent no second one, and neither is the other side."""
    peer = Peer()
    async with tunnelled(peer) as (proxy, client, _):
        draining = asyncio.create_task(proxy.drain())
        await client.gets(GOING_AWAY)
        await client.send(GARBAGE)
        assert await client.rest() == b""
        await draining
    assert len(peer.got) == 8


async def test_idle_while_draining() -> None:
    """F-102: an idle time that runs out while the replies are awaited is no failure, and no second Close."""
    clock, seen, peer = WatchedClock(), Seen(), Peer()
    async with FakeUpstream() as server:
        server.always(switch(), peer)
        upstream = Upstream(server.url, timeouts=Timeouts(tunnel=40), clock=clock)
        proxy = ProxyHandler(upstream, observers=[seen], clock=clock)
        async with serving(proxy) as site, opened(site) as client:
            await clock.asked()
            draining = asyncio.create_task(proxy.drain(grace=100))
            await asyncio.sleep(0)  # it has begun
            for _ in range(6):
                clock.advance(10)
            assert await client.rest() == GOING_AWAY
            await draining
    assert seen.errors == []


async def test_a_reply_in_pieces() -> None:
    """F-101: a Close that arrives in pieces is passed on whole before the tunnel ends."""
    peer = Peer()
    async with tunnelled(peer) as (proxy, client, _):
        await client.send(masked(0x88, b"\x03\xe8"))
        await peer.has(8)
        draining = asyncio.create_task(proxy.drain())
        await asyncio.sleep(0)  # it has begun
        await peer.send(b"\x88\x02")
        await client.gets(b"\x88\x02")
        assert not draining.done()
        await peer.send(b"\x03\xe8")
        assert await client.rest() == b"\x03\xe8"
        await draining


async def test_a_signal_that_takes_longer_than_the_application() -> None:
    """F-101: what becomes a WebSocket only when its application has begun to end gets 503, and no tunnel."""
    waits, inside = asyncio.Event(), asyncio.Event()

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        inside.set()
        await waits.wait()

    async with FakeUpstream() as server:
        server.always(switch(), until_end)
        proxy, app = ProxyHandler(Upstream(server.url)), web.Application()
        app.on_response_prepare.append(on_prepare)
        proxy.mount(app)
        async with serving(app) as site, site.connect() as client:
            await client.send(ASK)
            await asyncio.wait_for(inside.wait(), TIMEOUT)
            await proxy.drain(app)
            waits.set()
            assert (await client.response()).status == 503
        await server.gone()


async def test_a_limit_that_many_run_into_at_once() -> None:
    """S-55: handshakes under way count as tunnels, so that no more succeed than there may be."""
    async with FakeUpstream() as server, AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving(Upstream(server.url, limits=Limits(tunnels=2))))
        server.always(stall(), switch(), echo())
        clients = [await stack.enter_async_context(site.connect()) for _ in range(10)]
        for client in clients:
            await client.send(ASK)
        await server.wait_requests(2)
        waiting = {asyncio.create_task(client.head()) for client in clients}  # whichever come first are served
        refused: set[asyncio.Task[Answer]] = set()
        while len(refused) < 8:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            refused |= done
        server.release()
        served = await asyncio.gather(*waiting)
        assert [answer.status for answer in served] == [101] * 2
        assert {each.result().status for each in refused} == {503}


@pytest.mark.parametrize("broken", [reset(), raw(GARBAGE)])
async def test_a_failure_that_also_cancels(broken: Step) -> None:
    """F-101: with ``handler_cancellation`` an upstream's failure is told as without it."""
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(switch(), raw(HELLO), broken, until_end)
        app = web.Application()
        ProxyHandler(Upstream(server.url), observers=[seen]).mount(app)
        async with serving(app, handler_cancellation=True) as site, opened(site) as client:
            await client.rest()
            await seen.over()
    assert [type(error) for error in seen.errors] == [TunnelLost]
    assert seen.settlements[0].error is seen.errors[0]


class Flood:
    """A script that sends a frame without end, and counts what was taken of it."""

    def __init__(self) -> None:
        self.sent = 0

    async def __call__(self, turn: Turn) -> None:
        await turn.write(b"\x82\x7f" + struct.pack("!Q", 1 << 40))
        for _ in range(600):
            await turn.write(bytes(65536))
            self.sent += 65536

    async def stands_still(self) -> None:
        before = -1
        while self.sent != before or not self.sent:
            before = self.sent
            await asyncio.sleep(0.1)  # nothing tells that nothing moves


HINT = interim(103, {"Link": "x" * 50_000})


@pytest.mark.parametrize(
    "answer", [[HINT] * 20 + [switch()], [HINT, switch(headers={"X-Large": "x" * 50_000})]], ids=["before", "by it"]
)
async def test_a_client_that_reads_nothing_of_its_101(answer: list[Step]) -> None:
    """F-101, S-55: a client whose transport is full before its connection is switched, or by the 101 itself, holds the
    upstream up, too."""
    flood = Flood()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    async with FakeUpstream(socket_buffer=65536) as server:
        server.always(*answer, flood, until_end)
        proxy = ProxyHandler(Upstream(server.url))
        async with serving(proxy, sock=listener) as site, site.connect(receive_buffer=4096) as client:
            await client.send(ASK)
            await flood.stands_still()
            assert flood.sent < 20_000_000
            client.reset()
        await server.gone()


async def test_an_end_amid_a_header() -> None:
    """F-101: an end in the middle of a frame's header is one in the middle of a frame."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        server.always(switch(), until_end, close())
        async with opened(site) as client:
            await client.send(MASKED_HELLO[:1])
            client.end()
            assert await client.rest() == b""
        await seen.over()
    assert [type(error) for error in seen.errors] == [ClientDisconnected]


async def test_nothing_is_left_to_the_garbage_collector() -> None:
    """S-55: without it, nothing of a tunnel is left when it is over, whether it was joined or not."""

    async def sometimes(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        return Response(403) if exchange.inbound.path == "/refused" else response

    async with FakeUpstream() as server:
        server.always(switch(), echo(), close())
        async with serving(ProxyHandler(Upstream(server.url), filters=[sometimes])) as site:
            gc.collect()
            gc.disable()
            try:
                for _ in range(5):
                    async with opened(site) as client:
                        await client.send(MASKED_HELLO)
                        await client.gets(HELLO)
                        client.end()
                        await client.rest()
                    assert (await site.ask(ASK.replace(b"/chat", b"/refused"))).status == 403
                while server.open:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
                left = [each for each in gc.get_objects() if isinstance(each, WireTunnel | End)]
            finally:
                gc.enable()
    assert left == []


async def test_a_token_in_another_case() -> None:
    """F-94: a filter may write ``WebSocket``; its frames are looked at all the same."""

    async def upper(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.upgrade = "WebSocket"
        return await handler(exchange)

    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), filters=[upper])) as site:
        server.always(switch(), raw(GARBAGE), until_end)
        async with opened(site) as client:
            assert await client.rest() == b"\x88\x02\x03\xf6"


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70_000])
async def test_a_code_that_is_none(code: int) -> None:
    """F-93: ``drain`` refuses what no Close can have."""
    with pytest.raises(ValueError, match="code"):
        await ProxyHandler(Upstream("http://a.test")).drain(code=code)


@pytest.mark.parametrize("protocol", ["a/1", "TLS/1.0", "tcp"])
async def test_a_protocol_with_a_version(protocol: str) -> None:
    """F-94, RFC 9110 section 7.8: a protocol may have a version; a body in a request for one that is passed on is 400,
    and one that is not listed is passed over."""
    ask = b"POST / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: " + protocol.encode() + b"\r\n"
    async with FakeUpstream() as server:
        server.once(switch(protocol), raw(b"hello"), until_end)
        async with serving(ProxyHandler(Upstream(server.url), upgrades=[protocol])) as site:
            async with opened(site, ask + b"\r\n") as client:
                await client.gets(b"hello")
            answer = await site.ask(ask + b"Content-Length: 2\r\n\r\n{}")
            assert (answer.status, len(server.requests)) == (400, 1)
            assert (await site.ask(ask.replace(protocol.encode(), b"other") + b"\r\n")).status == 200


@pytest.mark.parametrize("upgrades", ["websocket", ["web socket"], ["a/"], ["/1"], [""]])
def test_upgrades_that_are_none(upgrades: str | list[str]) -> None:
    """What is no protocol, and a string in the place of several, is refused when the proxy is made."""
    with pytest.raises(ValueError, match="upgrades"):
        ProxyHandler(Upstream("http://a.test"), upgrades=upgrades)


async def test_what_is_cut_is_interrupted() -> None:
    """F-101: a tunnel that is cut, since nobody replied within the grace, is a failure with a name; one that ended in
    time is none."""
    clock, peer = WatchedClock(), Peer()
    async with tunnelled(peer, clock=clock) as (proxy, client, seen):
        draining = asyncio.create_task(proxy.drain(grace=7))
        await clock.asked()
        await client.gets(GOING_AWAY)
        clock.advance(7)
        assert await client.rest() == b""
        await draining
        await seen.over()
    assert [(type(error), error.phase) for error in seen.errors] == [(Interrupted, Phase.TUNNEL)]


async def test_an_upstream_that_stops_amid_a_handshake() -> None:
    """F-101: a tunnel to an upstream that was stopped meanwhile is cut."""
    async with FakeUpstream() as server:
        server.always(stall(), switch(), until_end)
        upstream = Upstream(server.url)
        async with serving(upstream) as site, site.connect() as client:
            await client.send(ASK)
            await server.wait_requests()
            for part in upstream.parts():
                stop = getattr(part, "stop", None)
                if stop is not None:
                    await stop()
            server.release()
            await client.rest()
            await server.gone()
