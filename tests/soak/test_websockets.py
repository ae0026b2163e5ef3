"""WebSockets by the thousand, opened and closed in every rude way on both sides."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest

from revproxy import Exchange, Handler, Limits, ProxyHandler, Response, Timeouts, Upstream
from revproxy.testing import FakeUpstream, Turn, switch
from revproxy.testing.script import Action, echo
from revproxy.wire.connection import Connection
from revproxy.wire.tunnel import WireTunnel
from revproxy.wire.tunnel_end import End

from ..e2e.abuse import Complaints, nothing_left, until_quiet
from ..e2e.wire import TIMEOUT, Client, Site, serving

WEBSOCKETS = 10_000
CONCURRENCY = 100
AT_ONCE = 1000
PATIENCE = 0.5
"""Seconds without a byte that a tunnel may have."""

HANDSHAKE = (
    b"GET /%b HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HELLO, MASKED_HELLO = b"\x81\x05hello", b"\x81\x85\0\0\0\0hello"
CLOSE, MASKED_CLOSE = b"\x88\x02\x03\xe8", b"\x88\x82\0\0\0\0\x03\xe8"
LARGE, MASKED_LARGE = b"\x82\x7e\xff\xff" + bytes(65535), b"\x82\xfe\xff\xff\0\0\0\0" + bytes(65535)
GARBAGE = b"\x83\xffGET / HTTP/1.1\r\n\r\n"
HUGE = b"\x82\xff" + b"\xff" * 8

ACCEPTING = ("echo", "echo", "late", "greets", "ends", "ends early", "resets", "garbage", "amid", "floods", "deaf")
"""What upstreams do that answer 101."""
REFUSING = ("refuses", "resets before", "ends before", "nonsense", "wrong key", "half a head")

MANNERS = (
    *("talks", "talks", "closes", "leaves", "resets", "half-closes", "garbage", "huge", "amid", "reads nothing"),
    *("leaves at once", "resets at once", "early", "early garbage", "floods", "silent"),
)


# The upstream's side.


async def serve(turn: Turn) -> None:
    """What the request's path says."""
    kind = turn.request.path[1:].replace("-", " ")
    accept, echoing = switch(), echo()
    match kind:
        case "echo" | "calm":
            await accept(turn)
            await echoing(turn)
        case "late":
            await turn.wait(seconds=0.005)
            await accept(turn)
            await echoing(turn)
        case "greets":
            await accept(turn)
            await turn.write(HELLO + LARGE)
            await echoing(turn)
        case "ends":
            await accept(turn)
            await turn.read()
            await turn.write(CLOSE)
            await turn.close()
        case "ends early":
            await accept(turn)
            await turn.close()
        case "resets":
            await accept(turn)
            await turn.write(HELLO)
            await turn.reset()
        case "garbage":
            await accept(turn)
            await turn.write(HELLO + GARBAGE)
            while await turn.read():
                pass
        case "amid":
            await accept(turn)
            await turn.write(LARGE[:1000])
            await turn.close()
        case "floods":
            await accept(turn)
            for _ in range(100):
                await turn.write(LARGE)
            await turn.reset()
        case "deaf":
            await accept(turn)
            await turn.stop_reading()
            await asyncio.sleep(0.05)
            await turn.reset()
        case "refuses":
            await turn.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        case "resets before":
            await turn.reset()
        case "ends before":
            await turn.close()
        case "nonsense":
            await turn.write(GARBAGE)
            await turn.close()
        case "wrong key":
            await turn.write(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
            await turn.write(b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n")
            await turn.read()
        case "half a head":
            await turn.write(b"HTTP/1.1 101 Switching")
            await turn.close()


# The client's side.


async def behave(site: Site, kind: str, manner: str, rng: random.Random) -> str:
    """One WebSocket; what became of it."""
    async with site.connect() as client:
        await client.send(HANDSHAKE % kind.replace(" ", "-").encode())
        if manner in ("leaves at once", "resets at once"):
            await asyncio.sleep(rng.choice((0, 0, 0.001, 0.002, 0.004)))
            leave(client, by_reset=manner == "resets at once")
            return "rude"
        if manner.startswith("early"):
            await client.send(MASKED_HELLO + (GARBAGE if manner == "early garbage" else MASKED_HELLO[:5]))
        try:
            answer = await client.head()
        except EOFError:
            return "cut"
        if answer.status != 101:
            assert answer.status == 403 or (answer.status == 502 and kind in REFUSING), (answer, kind, manner)
            return "refused"
        assert kind in ACCEPTING, (answer, kind, manner)
        await use(client, kind, manner, rng)
        leave(client, by_reset=rng.random() < 0.5)
    return "open"


async def use(client: Client, kind: str, manner: str, rng: random.Random) -> None:
    match manner:
        case "talks" if kind in ("echo", "late"):
            for _ in range(3):
                await client.send(MASKED_HELLO)
                await client.gets(HELLO)
            await client.send(MASKED_LARGE)
            await client.gets(LARGE)
            await client.send(MASKED_CLOSE)
            await client.gets(CLOSE)
        case "talks" | "early":
            await client.send(MASKED_HELLO)
            await client.some()
        case "closes":
            await client.send(MASKED_CLOSE)
            await client.some()
        case "half-closes":
            await client.send(MASKED_HELLO)
            client.end()
            await client.rest()
        case "garbage" | "huge":
            await client.send(MASKED_HELLO + (GARBAGE if manner == "garbage" else HUGE))
            await client.rest()
        case "early garbage":
            await client.rest()
        case "amid":
            await client.send(MASKED_LARGE[: rng.randrange(1, 70_000)])
        case "reads nothing":
            await asyncio.sleep(0.02)
        case "floods":
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    while True:
                        await client.send(MASKED_LARGE)
        case "silent" if rng.random() < 0.1:
            await client.rest()


def leave(client: Client, *, by_reset: bool) -> None:
    if by_reset:
        client.reset()
    else:
        client.close()


# All of it.


async def some_await(exchange: Exchange, handler: Handler) -> Response:
    """A filter that now and then waits after it has the 101, or answers otherwise."""
    response = await handler(exchange)
    if response.status == 101 and exchange.inbound.path != "/calm":
        number = int(exchange.id, 16) % 20
        if number == 0:
            await asyncio.sleep(0.003)
        elif number == 1:
            return Response(403)
    return response


@pytest.mark.soak
async def test_ten_thousand_websockets_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """F-92, F-94, F-100, F-101, F-102, S-11, S-55: after 10,000 WebSockets that were opened and closed in every rude
    way on both sides there is no task, no socket, no in-flight count, no tunnel and no connection left; who behaved got
    what was theirs."""
    caplog.set_level(logging.CRITICAL, "revproxy")  # there would be a lot
    seed = int(os.environ.get("REVPROXY_TEST_SEED") or secrets.randbits(32))
    print(f"REVPROXY_TEST_SEED={seed}")
    rng = random.Random(seed)
    gc.collect()
    before = objects()
    async with asyncio.timeout(110):
        came = await websockets(rng)
    gc.collect()
    assert objects() == before
    print(came)
    assert came["open"] > WEBSOCKETS / 3
    assert came["rude"] > WEBSOCKETS / 20
    assert came["refused"] > WEBSOCKETS / 10


async def websockets(rng: random.Random) -> Counter[str]:
    came: Counter[str] = Counter()
    with nothing_left():
        async with AsyncExitStack() as stack:
            server = FakeUpstream(record_limit=0)
            server.always(Action("serve()", serve))
            await server.start()
            stack.push_async_callback(server.stop)
            timeouts = Timeouts(connect=TIMEOUT, head=TIMEOUT, idle=TIMEOUT, tunnel=PATIENCE)
            upstream = Upstream(server.url, timeouts=timeouts, limits=Limits(wait=TIMEOUT))
            proxy = ProxyHandler(upstream, filters=[some_await], write_timeout=TIMEOUT)
            complaints, logger = Complaints(), logging.Logger("server")
            logger.addHandler(complaints)
            async with serving(proxy, logger=logger, access_log=None) as site:

                async def one() -> None:
                    kind = rng.choice(REFUSING if rng.random() < 0.25 else ACCEPTING)
                    try:
                        came[await behave(site, kind, rng.choice(MANNERS), rng)] += 1
                    except TimeoutError:
                        raise
                    except (OSError, EOFError):
                        came["cut"] += 1
                    server.requests.clear()

                await many(WEBSOCKETS - AT_ONCE, one)
                await proxy.drain(grace=1)  # who takes nothing of what is still to be sent has longer by itself
                await until_quiet([upstream], [server])
                await all_at_once(site, proxy, upstream, rng)
                came["open"] += AT_ONCE
                await until_quiet([upstream], [server])
                assert "tunnels=" not in repr(upstream.parts())
                assert proxy._tunnels._open == {}
            assert complaints.records == []
            assert server.errors == []
    return came


async def many(count: int, one: Callable[[], Awaitable[None]]) -> None:
    """Do ``one`` so often, some at a time."""
    left = count

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await one()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(worker())


async def all_at_once(site: Site, proxy: ProxyHandler, upstream: Upstream, rng: random.Random) -> None:
    """A thousand that are open together, amid frames or between them, when all of them are told to end."""
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        for _ in range(AT_ONCE // 50):
            batch = [await stack.enter_async_context(site.connect()) for _ in range(50)]
            for client in batch:
                await client.send(HANDSHAKE % b"calm")
            for client in batch:
                assert (await client.head()).status == 101
                await client.send(rng.choice((b"", MASKED_HELLO, MASKED_LARGE[:100], GARBAGE, MASKED_CLOSE)))
            clients += batch
        for client in clients[::3]:
            leave(client, by_reset=rng.random() < 0.5)
        await proxy.drain(grace=0.1)
        assert upstream.endpoints[0].in_flight < AT_ONCE


def objects() -> Counter[str]:
    """The library's own that belong to a connection."""
    kinds = (WireTunnel, End, Connection, Exchange)
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds))
