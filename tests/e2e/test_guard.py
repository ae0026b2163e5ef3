"""The guard below the proxy, from outside: raw clients that are slow, or many, and others that must not suffer."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientSession, UnixConnector, WSMsgType, web

from revproxy import ProxyHandler, Upstream
from revproxy._aiohttp_server import WatchedHandler
from revproxy.errors import ClientDisconnected
from revproxy.guard import Guard, GuardActs, GuardedRunner, PrefixCap
from revproxy.observer import Observer
from revproxy.testing import FakeClock, FakeUpstream, hold, respond, stall

from ..wire import nothing_left as nothing_left
from ..wire import turns, until
from .seen import Seen
from .wire import GET, TIMEOUT, Client, Site, serving

POST = b"POST /up HTTP/1.1\r\nHost: a.test\r\n"


def runner(site: Site) -> GuardedRunner:
    assert isinstance(site.runner, GuardedRunner)
    return site.runner


def ok() -> web.Application:
    """An application of its own, without a proxy."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"hello {len(await request.read())}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hello)
    return app


def taken(site: Site) -> int:
    """A number that changes when the one client takes something."""
    (connection,) = runner(site).server.connections  # type: ignore[union-attr]
    assert isinstance(connection, WatchedHandler)
    return connection.outgoing[1]


async def all_taken(site: Site) -> None:
    """Until the one client has acknowledged all that there was for it: time that a fake clock does not give it."""
    (connection,) = runner(site).server.connections  # type: ignore[union-attr]
    assert isinstance(connection, WatchedHandler)
    await until(lambda: connection.outgoing[0] == 0)


@asynccontextmanager
async def guarding(guard: Guard, app: web.Application | None = None) -> AsyncIterator[tuple[Site, FakeClock]]:
    """An application under ``guard``, whose time stands still; no timer, socket or connection is left at the end."""
    clock = FakeClock()
    async with serving(app or ok(), guard=guard, clock=clock) as site:
        yield site, clock
        front = runner(site)
    assert front.connections == 0
    assert clock.waiting == 0


async def is_served(site: Site) -> bool:
    return (await site.ask(GET)).status == 200


async def is_open(client: Client) -> bool:
    """Whether the server has closed nothing, as far as it has come."""
    await turns()
    try:
        return bool(client.sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


# Heads.


async def test_a_slow_head() -> None:
    """S-45: a head that comes a byte at a time ends with 408 and the connection when its time is over, not before, and
    neither its handler nor anybody else's client hears of it."""
    async with guarding(Guard(head=5)) as (site, clock), site.connect() as client:
        for byte in GET[:5]:
            await client.send(bytes([byte]))
            await turns()
            assert await is_open(client)
            clock.advance(0.5)
        assert await is_served(site)
        clock.advance(2.25)
        assert await is_open(client)
        clock.advance(0.25)
        assert (await client.response()).status == 408
        assert await client.rest() == b""
        assert await is_served(site)
        assert runner(site).counts == {"head": 1}


async def test_many_slow_heads() -> None:
    """S-45: hundreds of connections that never end their heads are gone at their deadline; meanwhile others are
    served, and the log has one line for all."""
    async with guarding(Guard(head=5)) as (site, clock), AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(site.connect()) for _ in range(200)]
        for client in clients:
            await client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX-")
        await until(lambda: runner(site).connections == 200)
        await turns()
        assert await is_served(site)
        clock.advance(5)
        for client in clients:
            assert (await client.response()).status == 408
        await until(lambda: runner(site).connections == 0)
        assert runner(site).counts == {"head": 200}


async def test_on_the_clock_of_the_system() -> None:
    """S-45: by the real clock, too, a slow head ends when its time is over, and soon."""
    async with serving(ok(), guard=Guard(head=0.3)) as site, site.connect() as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await client.send(b"GET / HTTP/1.1\r\n")
        assert (await client.response()).status == 408
        assert 0.28 < loop.time() - began < 2


async def test_nothing_at_all() -> None:
    """S-45: a connection on which nothing comes is closed without a word when ``idle`` is over."""
    async with guarding(Guard(idle=5)) as (site, clock), site.connect() as client:
        await until(lambda: runner(site).connections == 1)
        await turns()
        clock.advance(4.9)
        assert await is_open(client)
        clock.advance(0.1)
        assert await client.rest() == b""
        assert runner(site).counts == {"idle": 1}


async def test_the_second_head_has_a_deadline_too() -> None:
    """S-45: between requests a connection stays as long as ``keepalive_timeout``; from the next first byte a head has
    its time again."""
    async with guarding(Guard(idle=5, head=5)) as (site, clock), site.connect() as client:
        await client.send(GET)
        assert (await client.response()).status == 200
        await all_taken(site)
        clock.advance(60)
        assert await is_open(client)
        await client.send(b"GET")
        await turns()
        clock.advance(4.9)
        assert await is_open(client)
        await client.send(b" ")
        await turns()
        clock.advance(0.1)
        assert (await client.response()).status == 408


async def test_pipelined_and_kept_connections_are_not_cut() -> None:
    """S-45: whole requests, one after the other or many at once, in any pieces that come in time, are all served; a
    part of the next one behind a slow answer does not cost that its end."""
    go = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await go.wait()
        return web.Response(text="slow")

    app = ok()
    quick = web.Application()
    quick.router.add_get("/slow", slow)
    quick.add_subapp("/sub", app)
    async with guarding(Guard(), quick) as (site, clock), site.connect() as client:
        many = b"GET /sub/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
        await client.send(many * 50 + many[:7])
        for _ in range(50):
            assert (await client.response()).status == 200
        await client.send(many[7:])
        assert (await client.response()).status == 200
        await client.send(many.replace(b"/sub/", b"/slow") + many[:9])
        await turns()
        await client.send(many[9:11])
        await turns()
        await all_taken(site)
        clock.advance(100)
        assert await is_open(client)
        go.set()
        assert (await client.response()).body == b"slow"
        await client.send(many[11:])
        assert (await client.response()).status == 200
        assert runner(site).counts == {}


# Bodies.


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1\r\n"])
async def test_a_slow_body(framing: bytes) -> None:
    """S-46: a body that comes slower than it must ends with 408 and the connection, and the upload upstream is cut;
    another client is served."""
    seen, clock = Seen(), FakeClock()
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), observers=[seen])
        guard = Guard(body_rate=100, body_grace=5)
        async with serving(proxy, guard=guard, clock=clock) as site, site.connect() as client:
            await client.send(POST + framing)
            await server.wait_requests(1, complete=False)
            for _ in range(4):
                await client.send(b"x" if framing.startswith(b"C") else b"x\r\n1\r\n")
                await turns()
                clock.advance(1)
                assert await is_open(client)
            clock.advance(1.5)
            assert (await client.response()).status == 408
            await server.gone()
            assert runner(site).counts == {"body": 1}
            assert (await site.ask(GET)).status == 200
        assert not server.requests[0].complete
    assert [type(error) for error in seen.errors] == [ClientDisconnected]


async def test_a_body_in_its_own_time() -> None:
    """S-46: a body at its rate goes on as long as it takes, and a handler that does not read is not its client's
    fault."""
    go, got = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await go.wait()
        total = 0
        async for piece in request.content.iter_any():
            total += len(piece)
            got.set()
        return web.Response(text=str(total))

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/up", handler)
    size = 60_000_000
    async with guarding(Guard(body_rate=100, body_grace=5, body_idle=20), app) as (site, clock):
        async with site.connect() as client:
            sending = asyncio.create_task(
                client.send(POST + b"Content-Length: %d\r\n\r\n" % (size + 1000) + bytes(size))
            )
            await turns(100)
            assert not sending.done()  # both buffers are full
            clock.advance(500)
            assert await is_open(client)
            go.set()
            await got.wait()
            await sending
            for _ in range(10):
                await turns()
                clock.advance(0.5)
                await client.send(bytes(100))
            assert (await client.response()).body == b"%d" % (size + 1000)
        assert runner(site).counts == {}


async def test_a_client_that_waits_to_be_told() -> None:
    """S-46: who waits for ``100 Continue`` owes nothing for ``body_idle``; then it is late as well."""
    async with FakeUpstream() as server:
        server.always(stall())
        clock = FakeClock()
        serves = serving(Upstream(server.url), guard=Guard(body_idle=20), clock=clock)
        async with serves as site, site.connect() as client:
            await client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            await server.wait_requests(1, complete=False)
            clock.advance(19.9)
            assert await is_open(client)
            clock.advance(0.2)
            assert (await client.final()).status == 408


async def test_a_body_behind_a_declined_upgrade() -> None:
    """S-46: aiohttp reads what stood behind an upgrade that it declines on its own; that body has its deadline,
    too."""
    reading = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.method == "POST":
            reading.set()
        return web.Response(text=str(len(await request.read())))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with guarding(Guard(body_grace=5, write=20), app) as (site, clock), site.connect() as client:
        upgrade = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        await client.send(upgrade + POST + b"Content-Length: 5\r\n\r\nhe")
        assert (await client.response()).status == 200
        await asyncio.wait_for(reading.wait(), TIMEOUT)
        clock.advance(5)  # when it looks
        await turns()
        clock.advance(5)
        assert (await client.response()).status == 408


# Answers.


@pytest.mark.parametrize("size", [10_000_000, 3_000_000])
async def test_a_slow_reader(size: int) -> None:
    """S-47: a client that reads nothing of a large answer is cut, and the upstream's connection with it, while others
    are served. It is cut also where the answer is written already, and only the transport still has it."""
    clock = FakeClock()
    async with FakeUpstream() as server:
        server.once(respond(body=bytes(size)))
        proxy = ProxyHandler(Upstream(server.url), write_timeout=1000.0)
        serves = serving(proxy, guard=Guard(write=20), clock=clock)
        async with serves as site, site.connect(receive_buffer=4096) as client:
            await client.send(GET)
            await client.head()
            await turns(200)
            for _ in range(3):
                before = taken(site)
                while taken(site) == before:
                    await client.some()
                    await turns()
                clock.advance(15)
            assert await is_open(client)
            assert runner(site).counts == {}
            for _ in range(3):
                clock.advance(9)
                await turns()
            assert runner(site).counts == {"write": 1}
            assert (await site.ask(GET)).status == 200
            assert len(await client.rest()) < size
            await until(lambda: runner(site).connections == 0)


async def test_a_close_that_nobody_takes() -> None:
    """S-47: what is left in the transport when the server closes does not keep the connection for ever."""

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.write(bytes(10_000_000))
        request.protocol.force_close()
        raise ConnectionError

    app = web.Application()
    app.router.add_get("/", handler)
    async with guarding(Guard(write=20), app) as (site, clock), site.connect(receive_buffer=4096) as client:
        await client.send(GET)
        await client.some()
        await turns(100)
        assert runner(site).connections == 1
        for _ in range(3):
            clock.advance(9)
            await turns()
        await until(lambda: runner(site).connections == 0)
        assert runner(site).counts == {"write": 1}


async def test_a_long_stream_is_not_cut() -> None:
    """S-47: an answer that pauses for longer than every deadline, to a client that reads, goes on."""
    go = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(3):
            go.clear()
            await response.write(b"data: x\n\n")
            await go.wait()
        return response

    app = web.Application()
    app.router.add_get("/", events)
    async with guarding(Guard(), app) as (site, clock), site.connect() as client:
        await client.send(GET)
        await client.head()
        for _ in range(3):
            await client.until(b"data: x\n\n")
            await all_taken(site)
            clock.advance(500)
            assert await is_open(client)
            go.set()
        await client.until(b"0\r\n\r\n")


@pytest.mark.parametrize("through", [True, False])
async def test_websockets_are_not_cut(through: bool) -> None:
    """S-45, S-46, S-47: a WebSocket that is quiet for longer than every deadline stays, through the proxy or to a
    handler of the application's own, and counts as a connection until it ends."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    clock = FakeClock()
    app = web.Application()
    app.router.add_get("/", echo)
    async with AsyncExitStack() as stack:
        if through:
            behind = await stack.enter_async_context(serving(app))
            url = f"http://127.0.0.1:{behind.port}"
            site = await stack.enter_async_context(serving(Upstream(url), guard=Guard(), clock=clock))
        else:
            site = await stack.enter_async_context(serving(app, guard=Guard(), clock=clock))
        session = await stack.enter_async_context(ClientSession())
        async with session.ws_connect(f"http://127.0.0.1:{site.port}/") as ws:
            for _ in range(5):
                await ws.send_str("hello")
                message = await ws.receive()
                assert (message.type, message.data) == (WSMsgType.TEXT, "hello")
                await all_taken(site)
                clock.advance(500)
            assert (runner(site).connections, runner(site).counts) == (1, {})
        await until(lambda: runner(site).connections == 0)


# Connections.


async def test_a_flood_from_one_network(caplog: pytest.LogCaptureFixture) -> None:
    """S-48: beyond its cap a network's connections are closed before anything is read; those that are there go on, and
    room that is left can be taken. There is one event for all of them."""
    told: list[object] = []

    class Hears(Observer):
        def happened(self, event: object) -> None:
            told.append(event)

    guard = Guard(prefixes=(PrefixCap(ipv4=32, ipv6=64, connections=5),), exempt=())
    async with (
        serving(ok(), guard=guard, clock=FakeClock(), observers=[Hears()], name="shop") as site,
        AsyncExitStack() as stack,
    ):
        inside = [await stack.enter_async_context(site.connect()) for _ in range(5)]
        await until(lambda: runner(site).connections == 5)
        for _ in range(100):
            async with site.connect() as client:
                assert await client.rest() == b""
        assert runner(site).counts == {"prefix connections": 100}
        assert told == [GuardActs("shop", "prefix connections", "127.0.0.1")]
        for client in inside:
            await client.send(GET)
            assert (await client.response()).status == 200
        inside[0].close()
        await until(lambda: runner(site).connections == 4)
        assert await is_served(site)
    assert [record.levelno for record in caplog.records if record.name == "revproxy.event"] == [logging.WARNING]


async def test_a_flood_from_everywhere() -> None:
    """S-48: no more connections are let in than the cap says."""
    async with guarding(Guard(connections=3)) as (site, _), AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(site.connect())
        await until(lambda: runner(site).connections == 3)
        async with site.connect() as client:
            assert await client.rest() == b""
        assert runner(site).counts == {"connections": 1}


async def test_connections_that_come_too_fast() -> None:
    """S-48: beyond the accept rate connections are closed at once; a second later there is room for so many more."""
    async with guarding(Guard(accept_rate=5, accept_burst=3)) as (site, clock):
        for _ in range(3):
            assert await is_served(site)
        async with site.connect() as client:
            assert await client.rest() == b""
        clock.advance(0.2)
        assert await is_served(site)
        assert runner(site).counts == {"rate": 1}


@pytest.mark.parametrize("at_once", [True, False])
async def test_requests_of_one_connection(at_once: bool) -> None:
    """S-59: the answer to the last request that a connection may have says that it ends, and it does; what is behind it
    is not served. A body of the last one is read to its end."""
    async with guarding(Guard(requests=3)) as (site, _), site.connect() as client:
        last = POST + b"Content-Length: 5\r\n\r\n"
        await client.send(GET + GET + last)
        await turns()
        await client.send(b"hello" + (GET * 3 if at_once else b""))
        answers = [await client.response() for _ in range(3)]
        assert [answer.body for answer in answers] == [b"hello 0", b"hello 0", b"hello 5"]
        assert [answer.getall(b"Connection") for answer in answers] == [[], [], [b"close"]]
        assert await client.rest() == b""


async def test_requests_of_one_connection_to_the_proxy() -> None:
    """S-59: the proxy's own answers say it, too."""
    async with FakeUpstream() as server:
        async with serving(Upstream(server.url), guard=Guard(requests=2)) as site, site.connect() as client:
            await client.send(GET + GET + GET)
            assert (await client.response()).getall(b"Connection") == []
            assert (await client.response()).getall(b"Connection") == [b"close"]
            assert await client.rest() == b""
        assert len(server.requests) == 2


# What is no request.


async def test_what_cannot_be_parsed(caplog: pytest.LogCaptureFixture) -> None:
    """S-74: the answer has nothing of what was sent, and nothing of the server; the log has no line for each."""
    async with guarding(Guard()) as (site, _):
        for raw in (b"GET / HTTP/1.1\r\nsecret token\r\n\r\n", b"\x16\x03\x01secret\r\n\r\n"):
            async with site.connect() as client:
                await client.send(raw)
                answer = await client.response()
                assert (answer.version, answer.status) == (b"HTTP/1.1", 400)
                assert answer.body == b"Bad request\n"
                assert answer.getall(b"Server") == []
                assert b"secret" not in answer.raw_head
                assert await client.rest() == b""
        assert runner(site).counts == {"malformed": 2}
    assert [record for record in caplog.records if record.name == "aiohttp.server"] == []


async def test_nonsense_behind_a_request() -> None:
    """S-74: the request before has its answer, then comes the 400."""
    async with guarding(Guard()) as (site, _), site.connect() as client:
        await client.send(GET + b"secret\r\n\r\n")
        first = await client.response()
        assert first.status in (200, 400)
        rest = await client.rest()
        assert b"secret" not in rest
        assert (b"400 Bad Request" in rest) is (first.status == 200)


async def test_uploads_pass_as_they_came() -> None:
    """S-51, F-50: the server inflates nothing."""
    async with FakeUpstream() as server, serving(Upstream(server.url), guard=Guard()) as site:
        await site.ask(POST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08")
        assert server.requests[0].body == b"\x1f\x8b\x08"


# Listeners.


async def test_on_a_unix_socket(tmp_path: Path) -> None:
    """S-45, S-48: a Unix socket's clients have deadlines and the cap for all; no cap for networks holds them."""
    path, clock = str(tmp_path / "s"), FakeClock()
    guard = Guard(connections=3, prefixes=(PrefixCap(ipv4=0, ipv6=0, connections=1),), exempt=())
    async with serving(ok(), unix=path, guard=guard, clock=clock) as site, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(site.connect()) for _ in range(3)]
        await until(lambda: runner(site).connections == 3)
        async with site.connect() as client:
            assert await client.rest() == b""
        await clients[0].send(b"GET")
        await turns()
        clock.advance(10)
        assert (await clients[0].response()).status == 408
        assert await clients[1].rest() == b""
        await until(lambda: runner(site).connections == 0)
        async with ClientSession(connector=UnixConnector(path)) as session, session.get("http://a.test/") as answer:
            assert answer.status == 200
    assert clock.waiting == 0


async def test_on_a_socket_of_ones_own() -> None:
    """S-45: the same with ``SockSite``."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    clock = FakeClock()
    async with serving(ok(), sock=sock, guard=Guard(idle=5), clock=clock) as site:
        async with site.connect() as client:
            await until(lambda: runner(site).connections == 1)
            await turns()
            clock.advance(5)
            assert await client.rest() == b""
        assert await is_served(site)


@pytest.mark.parametrize("what", ["served", "head", "body", "idle", "write", "refused"])
async def test_over_tls(what: str) -> None:
    """S-45 to S-48: every deadline and cap holds over TLS, too; requests and long answers pass."""
    authority = trustme.CA()
    serves, trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serves)
    authority.configure_trust(trusts)

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(20_000_000))

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_get("/large", large)
    app.router.add_post("/up", read)
    clock = FakeClock()
    guard = Guard(connections=1, write=20)
    async with serving(app, guard=guard, clock=clock, ssl_context=serves) as site:
        front = runner(site)
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=trusts, limit=1024)
        await until(lambda: front.connections == 1)
        if what == "refused":
            try:
                other, others = await asyncio.open_connection("127.0.0.1", site.port, ssl=trusts)
                assert await asyncio.wait_for(_read(other), TIMEOUT) == b""
                others.transport.abort()
                await turns()
            except (ConnectionError, ssl.SSLError):
                pass  # it is closed so soon that the client's handshake may not see its end
            expected = {"connections": 1}
        elif what == "idle":
            clock.advance(10)
            assert await asyncio.wait_for(_read(reader), TIMEOUT) == b""
            expected = {"idle": 1}
        elif what == "write":
            writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(reader.readexactly(100), TIMEOUT)
            await turns(200)
            for _ in range(6):
                clock.advance(5)
                await turns(50)
            expected = {"write": 1}
        elif what == "served":
            writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert len(await asyncio.wait_for(reader.read(), TIMEOUT)) > 20_000_000
            expected = {}
        else:
            writer.write(POST + b"Content-Length: 5\r\n\r\nhe" if what == "body" else b"GET")
            await turns(100)
            clock.advance(10)
            assert (await asyncio.wait_for(_read(reader), TIMEOUT)).startswith(b"HTTP/1.1 408 ")
            expected = {what: 1}
        assert front.counts == expected
        writer.transport.abort()
        await until(lambda: front.connections == 0)
    await turns()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


# The end.


async def test_the_end_with_clients_that_linger() -> None:
    """Whatever clients are amid of when the application ends, no timer and no connection is left."""
    async with guarding(Guard()) as (site, _), AsyncExitStack() as stack:
        for begun in (b"", b"GE", GET, b"\r\n", POST + b"Content-Length: 5\r\n\r\n"):
            client = await stack.enter_async_context(site.connect())
            if begun:
                await client.send(begun)
        await until(lambda: runner(site).connections == 5)
        await turns()


async def test_the_proxy_abused_under_a_guard() -> None:
    """S-45 to S-48: requests to the proxy that hold when a client is cut leave nothing behind."""
    async with FakeUpstream() as server:
        server.always(hold(asyncio.Event()), respond())
        clock = FakeClock()
        async with serving(Upstream(server.url), guard=Guard(body_grace=5), clock=clock) as site:
            async with AsyncExitStack() as stack:
                for _ in range(20):
                    client = await stack.enter_async_context(site.connect())
                    await client.send(POST + b"Content-Length: 5\r\n\r\nhe")
                await server.wait_requests(20, complete=False)
                clock.advance(5)
                await until(lambda: runner(site).connections == 0)
            assert runner(site).counts == {"body": 20}
