"""What a client can do to the proxy itself: its memory, its time, its log, and what others believe of an answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl

import pytest
import trustme
from aiohttp import web

from revproxy import Body, Exchange, Limits, ProxyHandler, Response, Upstream, problems
from revproxy.errors import BadRequest, ClientDisconnected
from revproxy.testing import FakeUpstream, head, hold, ignore_body, pattern, raw, respond
from revproxy.testing.script import Action

from .seen import Seen, WatchedClock
from .test_streaming import let_time_pass
from .wire import GET, TIMEOUT, serving

POST = b"POST / HTTP/1.1\r\nHost: a.test\r\n"


async def test_an_early_answer_in_pieces_is_not_lost() -> None:
    """F-75: a final answer that comes in pieces amid the upload reaches the client whole, who goes on sending; the end
    of the connection is an orderly one."""
    go = asyncio.Event()
    answer: list[Action] = [
        ignore_body(),
        head(413, headers={"Content-Length": "20"}),
        raw(b"a" * 10),
        hold(go),
        raw(b"b" * 10),
    ]
    async with FakeUpstream() as server:
        server.once(*answer)
        async with serving(Upstream(server.url), lingering_time=5.0) as site, site.connect() as client:
            await client.send(POST + b"Content-Length: 3000\r\n\r\n" + b"x" * 1000)
            assert (await client.head()).status == 413
            await client.gets(b"a" * 10)
            await client.send(b"x" * 1000)
            go.set()
            await client.gets(b"b" * 10)
            for _ in range(10):
                for _ in range(20):  # as many turns as a connection takes that is closed too early
                    await asyncio.sleep(0)
                await client.send(b"x" * 100)
            assert await client.rest() == b""
            assert not client.was_reset


async def test_a_stalled_client_is_cut_by_a_reset() -> None:
    """F-54, F-74: where the end of the connection is the end of the body, a client that is cut must not see an end."""
    clock, seen = WatchedClock(), Seen()
    body = pattern(48 << 20)
    async with FakeUpstream(socket_buffer=65536) as server:
        server.once(respond(body=lambda: body, close=True))
        upstream = Upstream(server.url, limits=Limits(idle=60))
        proxy = ProxyHandler(upstream, observers=[seen], write_timeout=30, clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(b"GET / HTTP/1.0\r\n\r\n")
            await server.wait_requests(1)
            await let_time_pass(clock, seen, 30)
            assert len(await client.rest()) < 12 << 20
            assert client.was_reset


def small_buffers() -> socket.socket:
    """A listening socket whose connections leave most of an answer to the process."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@pytest.mark.parametrize("takes", [True, False])
async def test_the_tail_of_an_answer_is_waited_for(takes: bool) -> None:
    """F-74, law 11: what is left in the transport, too little for it to pause, has a deadline like all the rest."""
    clock, seen = WatchedClock(), Seen()

    async def handler(exchange: Exchange) -> Response:
        return Response(200, body=Body(b"x" * 60000))

    proxy = ProxyHandler(handler, observers=[seen], write_timeout=30, clock=clock)
    async with serving(proxy, sock=small_buffers()) as site, site.connect(receive_buffer=4096) as client:
        await client.send(GET)
        async with asyncio.timeout(TIMEOUT):
            await clock.asked()
        if takes:
            assert (await client.response()).body == b"x" * 60000
            await client.send(GET)
            assert (await client.response()).status == 200
        else:
            await let_time_pass(clock, seen, 30)
            assert len(await client.rest()) < 60000
    assert isinstance(seen.exchanges[0].error, ClientDisconnected) is not takes


async def test_the_tail_over_tls() -> None:
    """F-73: the same over TLS, whose transports have buffers of their own: nothing is lost, nothing hangs."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def handler(exchange: Exchange) -> Response:
        return Response(200, body=Body(b"x" * 3_000_000))

    app = web.Application()
    ProxyHandler(handler).mount(app)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        reader, writer = await asyncio.open_connection(
            *runner.addresses[0][:2], ssl=trusting, server_hostname="localhost", limit=4096
        )
        async with asyncio.timeout(TIMEOUT):
            for _ in range(2):
                writer.write(GET)
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(3_000_000) == b"x" * 3_000_000
        writer.transport.abort()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_zeros_before_a_length(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """F-46: a length with thousands of zeros before it, which ``int`` refuses, is the same length, and no traceback."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(POST + b"Content-Length: " + b"0" * 5000 + b"%d\r\n\r\n" % len(body) + body)
        assert (await client.response()).status == 200
        assert server.requests[0].getall("Content-Length") == [str(len(body))]
        assert server.requests[0].body == body
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_connection_lines_without_end() -> None:
    """S-28, F-20: what would take long to look at is refused, and nothing of it goes upstream."""
    seen = Seen()
    lines = (b"Connection: " + b"a," * 4000 + b"\r\n") * 100
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\n" + lines + b"\r\n")
        assert answer.status == 400
        assert server.requests == []
    assert [type(error) for error in seen.errors] == [BadRequest]


async def test_endless_connection_of_an_upstream() -> None:
    """F-20: an upstream's ``Connection`` that is too long to be honoured is a 502: half of it will not do."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.once(raw(b"HTTP/1.1 200 OK\r\nConnection: " + b"a," * 4000 + b"x-secret\r\nContent-Length: 0\r\n\r\n"))
        assert (await site.ask(GET)).status == 502


ALIASES = ["X_Forwarded_For", "X-Forwarded.For", "X_Real_IP", "Transfer_Encoding", "Content_Length", "content.type"]


@pytest.mark.parametrize("name", ALIASES)
async def test_aliases(name: str) -> None:
    """S-23: a name that CGI and WSGI take for one that a back end relies on is refused: 400, nothing is forwarded."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\n%b: 7\r\n\r\n" % name.encode())
        assert (answer.status, answer.getall(b"Connection"), server.requests) == (400, [b"close"], [])
        assert name.encode() not in answer.raw_head + answer.body


async def test_odd_names() -> None:
    """S-23: other names with more than letters, digits and dashes end here, as in nginx; their neighbours pass."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        odd = [b"My_Own", b"x.y", b"Host_", b"!#$", b"Proxy_Connection", b"a|b", b"x~"]
        lines = b"".join(b"%b: 7\r\nX-Kept: 1\r\n" % name for name in odd)
        await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\n" + lines + b"\r\n")
        names = [name for name, _ in server.requests[0].headers]
    assert names == ["Host"] + ["X-Kept"] * len(odd) + ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"]


async def test_accept_fills_no_memory() -> None:
    """Law 11: what is kept of ``Accept`` is bounded in size, too; a long one is still understood."""
    async with FakeUpstream() as server:
        url = server.url
    problems._kept.cache_clear()
    async with serving(Upstream(url)) as site:
        long = b"text/plain;x=" + b"y" * 4000
        answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\nAccept: " + long + b"\r\n\r\n")
        assert answer.getall(b"Content-Type") == [b"text/plain; charset=utf-8"]
        assert problems._kept.cache_info().currsize == 0
        await site.ask(GET)
        assert problems._kept.cache_info().currsize == 1
