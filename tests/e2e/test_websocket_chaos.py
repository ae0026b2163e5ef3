"""WebSockets whose two ends do anything in any order.

What arrives at one end is what the other has sent, or a part of it that goes up to where a Close of the proxy stands;
everything ends, and nothing is left of it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revproxy import Filter, ProxyHandler, Timeouts, Upstream
from revproxy.testing import FakeClock
from revproxy.wire.handshake import accept_key

from .seen import Seen
from .wire import TIMEOUT, Site, serving

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
Action: TypeAlias = tuple[str, str, int]
"""Who, what, and how much."""

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASK = (
    "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
SWITCH = (
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Accept: {accept_key(KEY)}\r\n\r\n"
).encode()
GARBAGE = b"\x83GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
IDLE = 40.0
CODES = {1001, 1002, 1012, 1014}
"""Of the proxy's own Close frames; the two ends use others."""
NORMAL = 1000


def frame(first: int, payload: bytes, *, masked: bool) -> bytes:
    size, mask = len(payload), 0x80 if masked else 0
    if size < 126:
        length = struct.pack("!B", size | mask)
    elif size < 1 << 16:
        length = struct.pack("!BH", 126 | mask, size)
    else:
        length = struct.pack("!BQ", 127 | mask, size)
    return bytes([first]) + length + (b"\0\0\0\0" if masked else b"") + payload


class Side:
    """One end, as it stands on a socket, and what it has sent and got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.masks = name == "client"
        self.sock: socket.socket | None = None
        self.sent = bytearray()
        """What the kernel has taken."""
        self.due = bytearray()
        """What is still to be sent of frames that were begun."""
        self.whole = 0
        """Bytes sent and due up to the end of the last frame; behind it is garbage."""
        self.ends = {0}
        """Where frames end."""
        self.got = bytearray()
        self.is_honest = True
        """It has sent frames alone, and has not gone away by force."""
        self.mute = False
        """It has not answered the handshake yet, and what it sends waits for that."""
        self.shut = False
        """It has ended its half."""
        self.over = False
        """It has seen the end, or has gone."""

    def add(self, data: bytes, *, good: bool = True) -> None:
        if self.shut or self.over:
            return
        self.due += data
        if good and self.is_honest:
            self.whole = len(self.sent) + len(self.due)
            self.ends.add(self.whole)
        elif not good:
            self.is_honest = False

    def push(self, most: int = 1 << 30) -> None:
        """Send ``most`` bytes of what is due at most, as much as goes."""
        if self.sock is None or self.mute or self.shut or self.over:
            return
        with suppress(BlockingIOError):
            try:
                while self.due and most > 0:
                    count = self.sock.send(self.due[: min(most, 1 << 16)])
                    self.sent += self.due[:count]
                    del self.due[:count]
                    most -= count
            except (ConnectionError, OSError) as error:
                if isinstance(error, BlockingIOError):
                    raise
                self.due.clear()
                self.shut = True

    def pull(self, most: int) -> None:
        """Take ``most`` bytes at most of what is there."""
        if self.sock is None or self.over:
            return
        with suppress(BlockingIOError):
            try:
                while most > 0:
                    data = self.sock.recv(min(most, 1 << 16))
                    if not data:
                        self.over = True
                        return
                    self.got += data
                    most -= len(data)
            except (ConnectionError, OSError) as error:
                if isinstance(error, BlockingIOError):
                    raise
                self.over = True

    def end(self) -> None:
        if self.sock is not None and not (self.shut or self.over):
            self.shut = True
            self.due.clear()
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        if self.sock is not None:
            self.is_honest = False
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.leave()

    def leave(self) -> None:
        self.shut = self.over = True
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def __repr__(self) -> str:
        return f"<{self.name} sent={len(self.sent)} due={len(self.due)} got={len(self.got)} over={self.over}>"


def check(sender: Side, receiver: Side) -> bytes:
    """What ``receiver`` got is what ``sender`` sent, or a part of it, behind which a Close of the proxy may stand. That
    is returned, as far as it came."""
    got, sent = bytes(receiver.got), bytes(sender.sent)
    if sent[: sender.whole].startswith(got):
        return b""
    start, size = (b"\x88\x82", 8) if sender.masks else (b"\x88\x02", 4)
    for at in sender.ends:
        close = got[at:]
        if sent[:at] == got[:at] and 0 < len(close) <= size and close.startswith(start[: len(close)]):
            code = close[2:]
            if sender.masks:
                code = bytes(byte ^ key for byte, key in zip(close[6:], close[2:4], strict=False))
            if len(close) < size or int.from_bytes(code) in CODES:
                return close
    raise AssertionError((sender, receiver, got[-40:], sorted(sender.ends)))


sizes = st.sampled_from([0, 1, 5, 125, 126, 300, 70_000, 400_000])
who = st.sampled_from(["client", "upstream"])
sends = st.tuples(who, st.just("send"), sizes)
parts = st.tuples(who, st.just("part"), st.sampled_from([1, 2, 3, 6, 9, 14, 100, 5000]))
reads = st.tuples(who, st.just("read"), st.sampled_from([1, 1000, 100_000, 1 << 20]))
waits = st.tuples(st.just("proxy"), st.just("turns"), st.integers(1, 4))
rests = st.one_of(
    st.tuples(who, st.sampled_from(["end", "garbage", "reset", "ping"]), st.just(0)),
    st.tuples(who, st.just("close"), st.sampled_from([1, 2, 3, 100])),
    st.tuples(st.just("proxy"), st.just("advance"), st.sampled_from([1, 10, 30, 50])),
    st.tuples(st.just("proxy"), st.just("drain"), st.sampled_from([0, 5, 1000])),
)
actions = st.one_of(sends, sends, parts, parts, reads, reads, waits, waits, rests)
finales = st.sampled_from(["end", "end", "silence", "leave", "reset"])


class Chaos:
    """A proxy with one upstream, and what is tried with it."""

    def __init__(self, *, unix: str | None = None) -> None:
        self.stack = AsyncExitStack()
        self.clock = FakeClock()
        self.seen = Seen()
        self.unix = unix

    def filters(self) -> list[Filter]:
        """What the proxy has."""
        return []

    async def start(self) -> None:
        """Serve, with little room in the kernel, so that there is backpressure soon."""
        self.listener = small(socket.AF_INET if self.unix is None else socket.AF_UNIX)
        self.listener.bind(("127.0.0.1", 0) if self.unix is None else f"{self.unix}/up")
        self.listener.listen()
        url = f"http://127.0.0.1:{self.listener.getsockname()[1]}" if self.unix is None else f"unix:{self.unix}/up"
        self.upstream = Upstream(url, timeouts=Timeouts(tunnel=IDLE), clock=self.clock)
        self.proxy = ProxyHandler(self.upstream, filters=self.filters(), observers=[self.seen], clock=self.clock)
        front = small(self.listener.family)
        front.bind(("127.0.0.1", 0) if self.unix is None else f"{self.unix}/proxy")
        self.site: Site = await self.stack.enter_async_context(serving(self.proxy, sock=front, access_log=None))
        self.complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.complaints.append(context))

    async def stop(self) -> None:
        self.listener.close()
        await self.stack.aclose()

    async def one(self, early: Sequence[Action], later: Sequence[Action], finale: Sequence[str]) -> None:
        """Open a WebSocket and do all that; raises ``AssertionError`` for what went wrong."""
        loop = asyncio.get_running_loop()
        client, upstream = Side("client"), Side("upstream")
        sides = {"client": client, "upstream": upstream}
        drains: list[asyncio.Task[None]] = []
        over = len(self.seen.statuses)
        client.sock = small(self.listener.family)
        try:
            async with asyncio.timeout(TIMEOUT):
                await loop.sock_connect(client.sock, self.site.address)
                await loop.sock_sendall(client.sock, ASK)
                upstream.sock, _ = await loop.sock_accept(self.listener)
                upstream.sock.setblocking(False)
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += await loop.sock_recv(upstream.sock, 65536)
                upstream.mute = True
                for action in early:
                    await self.act(action, sides, drains)
                upstream.mute = False
                # The head of the 101 goes out in one piece with what stands behind it.
                upstream.due[:0] = SWITCH
                upstream.push()
                del upstream.sent[: len(SWITCH)]
                for action in later:
                    await self.act(action, sides, drains)
                await self.finish(client, upstream, finale, over)
        except TimeoutError:
            raise AssertionError(f"goes on: {self.proxy._tunnels._open} {client} {upstream} {self.clock}") from None
        finally:
            client.leave()
            upstream.leave()
            for task in drains:
                task.cancel()
            await asyncio.gather(*drains, return_exceptions=True)
        await turns(3)
        head, _, rest = bytes(client.got).partition(b"\r\n\r\n")
        switched = head.startswith(b"HTTP/1.1 101 ")
        client.got[:] = rest if switched else b""
        acts = {act for _, act, _ in (*early, *later)}
        graces = {size for _, act, size in later if act == "drain"}
        is_calm = switched and finale[0] == finale[1] == "end" and not acts & {"reset", "garbage", "advance"}
        self.compare(client, upstream, graces, is_calm=is_calm)
        assert self.upstream.endpoints[0].in_flight == 0
        assert self.proxy._tunnels._open == {}
        assert "tunnels=" not in repr(self.upstream.parts())
        assert self.clock.waiting == 0, (self.clock, self.upstream.parts())
        assert self.complaints == []

    def compare(self, client: Side, upstream: Side, graces: set[int], *, is_calm: bool) -> None:
        """What arrived at either side is what it should be. ``graces``: of the drains that there were; ``is_calm``:
        nothing but these can have cut anything."""
        closes = [check(client, upstream), check(upstream, client)]
        if is_calm:
            if not graces:
                assert closes == [b"", b""]
                assert (upstream.got, client.got) == (client.sent, upstream.sent), (client, upstream)
            elif graces == {1000}:  # nothing was cut
                for sender, receiver, close in ((client, upstream, closes[0]), (upstream, client, closes[1])):
                    assert len(close) in (0, 8 if sender.masks else 4), (sender, receiver)
                    end = len(receiver.got) - len(close)
                    assert end in sender.ends or end == len(sender.sent), (sender, receiver)

    async def act(self, action: Action, sides: dict[str, Side], drains: list[asyncio.Task[None]]) -> None:
        name, what, size = action
        if name == "proxy":
            if what == "turns":
                await turns(size)
            elif what == "advance":
                await turns(2)
                self.clock.advance(size)
            else:
                code = 1012 if size == 5 else 1001
                drains.append(asyncio.create_task(self.proxy.drain(code=code, grace=size)))
                await asyncio.sleep(0)
            return
        side = sides[name]
        match what:
            case "send":
                side.add(frame(0x82, bytes([size % 251]) * size, masked=side.masks))
                side.push()
            case "ping":
                side.add(frame(0x89, b"ping", masked=side.masks))
                side.push()
            case "close":
                side.add(frame(0x88, struct.pack("!H", NORMAL), masked=side.masks))
                side.push(size)
            case "garbage":
                side.add(GARBAGE, good=False)
                side.push()
            case "part":
                side.push(0)
                if not side.due:
                    side.add(frame(0x02, b"." * 300, masked=side.masks))
                side.push(size)
            case "read":
                side.pull(size)
            case "end":
                side.end()
            case "reset":
                side.reset()

    async def finish(self, client: Side, upstream: Side, finale: Sequence[str], over: int) -> None:
        """Bring it to an end. Who ends reads all that comes, and does not need the clock for it."""
        both = list(zip((client, upstream), finale, strict=True))
        for side, manner in both:
            if manner == "leave":
                side.leave()
            elif manner == "reset":
                side.reset()
        rounds = 0
        while len(self.seen.statuses) == over:
            for side, manner in both:
                if manner == "end":
                    side.push()
                    side.pull(1 << 20)
                    if not side.due:
                        side.end()
                    if side.over:
                        side.leave()
            if "silence" in finale:
                rounds += 1
                if rounds % 10 == 0:
                    self.clock.advance(10)
            await asyncio.sleep(0 if rounds < 1000 else 0.001)
        for side, manner in both:
            if manner == "end":
                while not side.over:
                    side.pull(1 << 20)
                    await asyncio.sleep(0)


def small(family: int) -> socket.socket:
    """A socket with buffers of the kernel's least."""
    sock = socket.socket(family)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return sock


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def check_examples(loop_factory: LoopFactory, count: int, chaos: Chaos) -> None:
    """Try ``count`` examples on one proxy."""
    logging.getLogger("revproxy").setLevel(logging.CRITICAL)  # there would be a lot
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(chaos.start())
        try:

            @settings(
                max_examples=count,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(
                st.lists(st.one_of(sends, parts, waits), max_size=3),
                st.lists(actions, max_size=14),
                st.tuples(finales, finales),
            )
            def examples(early: list[Action], later: list[Action], finale: tuple[str, str]) -> None:
                runner.run(chaos.one(early, later, finale))

            examples()
        finally:
            runner.run(chaos.stop())
            logging.getLogger("revproxy").setLevel(logging.NOTSET)


def test_any_order(loop_factory: LoopFactory) -> None:
    """F-93, F-100, F-101, F-102, S-55: over TCP."""
    check_examples(loop_factory, 800, Chaos())


def test_any_order_over_unix_sockets(loop_factory: LoopFactory, tmp_path: Path) -> None:
    """F-93, F-100, F-101, F-102, S-55: the same over Unix sockets, where the kernel holds less and tells more."""
    check_examples(loop_factory, 300, Chaos(unix=str(tmp_path)))
