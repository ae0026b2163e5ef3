"""A client that goes away: everything that was done for it ends at once, and nobody else is blamed."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from revproxy import Filter, Limits, ProxyHandler, Timeouts, Tls, Upstream
from revproxy.errors import ClientDisconnected
from revproxy.handler import walk
from revproxy.testing import (
    FakeUpstream,
    Step,
    exchange,
    head,
    hold,
    ignore_body,
    pattern,
    raw,
    respond,
    signal,
    stall,
)

from .pull import pull
from .seen import Seen, WatchedClock
from .wire import GET, TIMEOUT, Client, Site, serving

POST = b"POST / HTTP/1.1\r\nHost: a.test\r\n"
CL = POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000 + b"\r\n"


def keeping(server: FakeUpstream) -> Upstream:
    """What forwards to ``server``, and does not close idle connections of itself while a test lasts."""
    return Upstream(server.url, limits=Limits(idle=60))


leaving = pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
ways = pytest.mark.parametrize("filters", [[], [pull]], ids=["pumped", "pulled"])


def leave(client: Client, by_reset: bool) -> None:
    if by_reset:
        client.reset()
    else:
        client.close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing here is worth a warning: it is what clients do."""
    caplog.set_level(logging.INFO)
    yield
    assert [record for record in caplog.get_records("call") if record.levelno > logging.INFO] == []


def blameless(seen: Seen, at: int = 0) -> None:
    """The exchange has ended because its client left, and that counts against nobody."""
    exchange = seen.exchanges[at]
    assert type(exchange.error) is ClientDisconnected
    assert exchange.error in seen.errors
    (attempt,) = exchange.attempts
    assert attempt.error is None
    assert attempt.ended is not None
    assert attempt in seen.settlements
    assert attempt.endpoint.in_flight == 0


@pytest.fixture
def seen() -> Seen:
    return Seen()


# Before there is a response.


@leaving
async def test_while_it_waits_for_a_connection(by_reset: bool, seen: Seen) -> None:
    """F-79: a client that leaves while it waits for a connection gives up its place in the queue; nothing is sent for
    it, and those behind it are served."""
    go = asyncio.Event()
    async with FakeUpstream() as server:
        server.once(hold(go), respond(body=b"first"))
        upstream = Upstream(server.url, limits=Limits(connections=1, waiting=2))
        async with (
            serving(ProxyHandler(upstream, observers=[seen])) as site,
            site.connect() as first,
            site.connect() as second,
            site.connect() as third,
            site.connect() as fourth,
        ):
            await first.send(GET)
            await server.wait_requests(1)
            await second.send(GET.replace(b"/", b"/second", 1))
            await seen.tried(2)
            await third.send(GET.replace(b"/", b"/third", 1))
            await seen.tried(3)
            assert upstream.endpoints[0].in_flight == 3
            leave(second, by_reset)
            await seen.over(1)
            assert upstream.endpoints[0].in_flight == 2
            await fourth.send(GET.replace(b"/", b"/fourth", 1))  # there is room for one again
            await seen.tried(4)
            go.set()
            assert (await first.response()).body == b"first"
            assert (await third.response()).body == b"ok"
            assert (await fourth.response()).body == b"ok"
        assert [request.target for request in server.requests] == ["/", "/third", "/fourth"]
        assert server.connections == 1
    blameless(seen, 1)
    assert not seen.attempts[1].sent


@contextmanager
def unanswering() -> Iterator[str]:
    """The URL of a listener whose queue is full: a connection to it is neither made nor refused."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@leaving
async def test_while_it_dials(by_reset: bool, seen: Seen) -> None:
    """F-79: a client that leaves while a connection is made: no more is tried, and its place is free."""
    with unanswering() as url:
        upstream = Upstream(url, limits=Limits(connections=1), timeouts=Timeouts(connect=TIMEOUT))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            for n in (1, 2):
                async with site.connect() as client:
                    await client.send(GET)
                    await seen.tried(n)
                    assert open_connections(upstream) == 1
                    leave(client, by_reset)
                    await seen.over(n)
                assert open_connections(upstream) == 0
    blameless(seen, 0)
    blameless(seen, 1)
    assert not seen.attempts[0].sent


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """A server that takes a connection and never says a word: its port, somebody came, they left."""
    came, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        left.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], came, left
    finally:
        server.close()
        await server.wait_closed()


@leaving
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_while_it_shakes_hands(host: str, by_reset: bool, seen: Seen) -> None:
    """F-79: a client that leaves amid the TLS handshake: the connection is closed."""
    async with silent() as (port, came, left):
        upstream = Upstream(f"https://{host}:{port}", limits=Limits(connections=1), tls=Tls(verify=False))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            async with asyncio.timeout(TIMEOUT):
                await came.wait()
                leave(client, by_reset)
                await left.wait()
            await seen.over()
            assert open_connections(upstream) == 0
    blameless(seen)
    assert not seen.attempts[0].sent


@leaving
async def test_while_it_waits_for_the_head(by_reset: bool, seen: Seen) -> None:
    """F-79, F-80: a client that leaves before the response: the upstream's connection is closed, not pooled."""
    async with FakeUpstream() as server:
        server.once(stall())
        upstream = keeping(server)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            await server.wait_requests(1)
            leave(client, by_reset)
            await server.gone()
            await seen.over()
            assert (await site.ask(GET)).body == b"ok"
            assert server.connections == 2
    blameless(seen)
    assert seen.attempts[0].sent
    assert seen.statuses == [None, 200]


@leaving
async def test_amid_the_head(by_reset: bool, seen: Seen) -> None:
    """F-79, F-80: the same when half of the head is there."""
    half = asyncio.Event()
    async with FakeUpstream() as server:
        server.once(raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConte"), signal(half), stall())
        async with (
            serving(ProxyHandler(keeping(server), observers=[seen])) as site,
            site.connect() as client,
            asyncio.timeout(TIMEOUT),
        ):
            await client.send(GET)
            await half.wait()
            leave(client, by_reset)
            await server.gone()
            await seen.over()
    blameless(seen)


# With a response on its way.


@leaving
@ways
@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_amid_a_download(framing: str, filters: list[Filter], by_reset: bool, seen: Seen) -> None:
    """F-79, F-80: a client that leaves amid a body while the upstream is silent: its connection is closed at once."""
    steps: dict[str, list[Step]] = {
        "length": [head(headers={"Content-Length": "9"}), raw(b"hello")],
        "chunked": [head(headers={"Transfer-Encoding": "chunked"}), raw(b"5\r\nhello\r\n")],
        "until close": [head(), raw(b"hello")],
    }
    async with FakeUpstream() as server:
        server.once(*steps[framing], stall())
        proxy = ProxyHandler(keeping(server), observers=[seen], filters=filters)
        async with serving(proxy) as site, site.connect() as client:
            await client.send(GET)
            await client.until(b"hello")
            leave(client, by_reset)
            await server.gone()
            await seen.over()
            assert (await site.ask(GET)).body == b"ok"
            assert server.connections == 2
    blameless(seen)
    assert seen.attempts[0].status == 200


@leaving
@ways
async def test_amid_a_download_that_is_paused(filters: list[Filter], by_reset: bool, seen: Seen) -> None:
    """F-79, F-80: a client that has stopped reading, and leaves then: the upstream's connection is closed at once."""
    clock = WatchedClock()
    async with FakeUpstream(socket_buffer=65536) as server:
        server.once(respond(body=pattern(1 << 30)))
        proxy = ProxyHandler(keeping(server), observers=[seen], filters=filters, clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(GET)
            await clock.asked()  # nobody but a paused client's deadline does
            leave(client, by_reset)
            await server.gone()
            await seen.over()
            assert clock.waiting == 0
    blameless(seen)


# With a request on its way.


@leaving
@pytest.mark.parametrize("request_start", [CL, TE], ids=["length", "chunked"])
@pytest.mark.parametrize("answered", [False, True], ids=["before the head", "amid the response"])
async def test_amid_an_upload(request_start: bytes, answered: bool, by_reset: bool, seen: Seen) -> None:
    """F-48, F-79, F-80: a client that leaves amid its upload: the upstream's connection is closed, and the upload is
    not ended as if it were whole."""
    begun: list[Step] = [head(headers={"Content-Length": "9"}), raw(b"hello")] if answered else []
    async with FakeUpstream() as server:
        server.once(ignore_body(), *begun, stall())
        proxy = ProxyHandler(keeping(server), observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(request_start)
            (request,) = await server.wait_requests(1)
            if answered:
                await client.until(b"hello")
            leave(client, by_reset)
            await server.gone()
            await seen.over()
            assert not request.complete
            assert b"0\r\n\r\n" not in request.raw.removeprefix(request.raw_head)
    blameless(seen)


# At any moment.


async def start(upstream: Upstream) -> None:
    for component in walk(upstream):
        await component.start()


def open_connections(upstream: Upstream) -> int:
    """What the upstream's pool says of itself."""
    return sum(map(int, re.findall(r"<Pool .* open=(-?\d+)/", repr(upstream.parts()))))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_whenever_it_leaves_no_place_is_lost(host: str) -> None:
    """F-79, F-80: wherever a request is cancelled, turn by turn of the event loop, from dialling to the response: the
    place of its connection is free afterwards, once."""
    async with FakeUpstream() as server:
        server.always(respond(body=b"ok", close=True))  # so that every request dials anew
        upstream = Upstream(f"http://{host}:{server.port}", limits=Limits(connections=1, waiting=1, wait=TIMEOUT))
        await start(upstream)
        answered = 0
        for turns in range(60):
            each = exchange("GET", "/")
            task = asyncio.ensure_future(upstream(each))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            answered += not task.cancelled()
            each.finish()
            assert upstream.endpoints[0].in_flight == 0
            await asyncio.sleep(0)
            assert open_connections(upstream) in (0, 1), turns
            # Whoever comes next gets an answer, one after the other.
            others = [exchange("GET", "/") for _ in range(2)]
            async with asyncio.timeout(TIMEOUT):
                for response in await asyncio.gather(*map(upstream, others)):
                    assert await response.body.read(2) == b"ok"
            for other in others:
                other.finish()
            assert open_connections(upstream) == 0, turns
        # Else some turns more are needed; but a name is resolved in a thread, which takes its time.
        assert answered or host == "localhost"


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "closed"])
async def test_whenever_it_leaves_the_queue_no_place_is_lost(kept: bool) -> None:
    """F-79: wherever a request that waits is cancelled, turn by turn of the event loop around the moment when it is
    given the connection or its place: the next one gets it."""
    async with FakeUpstream() as server:
        server.always(respond(body=b"ok", close=not kept))
        upstream = Upstream(server.url, limits=Limits(connections=1, idle=60))
        await start(upstream)

        async def ask() -> bytes:
            each = exchange("GET", "/")
            try:
                return await (await upstream(each)).body.read(2)
            finally:
                each.finish()

        ends = set()
        for turns in range(60):
            first, second = asyncio.ensure_future(ask()), asyncio.ensure_future(ask())
            for _ in range(turns):
                await asyncio.sleep(0)
            second.cancel()
            async with asyncio.timeout(TIMEOUT):
                assert await first == b"ok"
                await asyncio.wait([second])
                ends.add(second.cancelled())
                assert await ask() == b"ok"
            assert upstream.endpoints[0].in_flight == 0
            assert open_connections(upstream) == kept
        assert ends == {True, False}  # else some turns more are needed


async def test_clients_that_leave_all_at_once(seen: Seen) -> None:
    """F-79, F-80: a hundred clients that leave at once leave nothing behind."""
    async with FakeUpstream() as server:
        server.on("/", stall())
        server.on("/body", head(headers={"Content-Length": "9"}), raw(b"hello"), stall())
        upstream = Upstream(server.url, limits=Limits(connections=60))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            await crowd(site, server, seen)
            assert upstream.endpoints[0].in_flight == 0
            assert open_connections(upstream) == 0
            server.release()
            assert (await site.ask(GET.replace(b"/", b"/other", 1))).body == b"ok"
    assert {type(each.error) for each in seen.exchanges[:-1]} == {ClientDisconnected}
    assert all(attempt.error is None for attempt in seen.attempts)


async def crowd(site: Site, server: FakeUpstream, seen: Seen) -> None:
    """Sixty clients with a connection to the upstream and forty that wait for one; then all leave."""
    clients: list[Client] = []
    paths = [b"/", b"/body"] * 50
    managers = [site.connect() for _ in paths]
    try:
        for manager, path in zip(managers, paths, strict=True):
            clients.append(client := await manager.__aenter__())
            await client.send(GET.replace(b"/", path, 1))
        await server.wait_requests(60)
        await seen.tried(100)
        for at, client in enumerate(clients):
            leave(client, bool(at % 3))
        await seen.over(100)
        await server.gone(60)
    finally:
        for manager in managers[: len(clients)]:
            await manager.__aexit__(None, None, None)
