"""WebSockets through ``WebSocketFilter``, as they stand on the wire at both ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import trustme

from revproxy import Exchange, ProxyHandler, Timeouts, Tls, Upstream
from revproxy.clock import SYSTEM_CLOCK, Clock
from revproxy.errors import (
    BadFrame,
    ClientDisconnected,
    MessageFailed,
    MessageRefused,
    ProtocolError,
    ResponseRefused,
    TunnelIdle,
    TunnelLost,
)
from revproxy.filters import CloseWebSocket, MessageLimits, Passage, Redact, Through, WebSocketFilter
from revproxy.filters.websocket import Message, OnMessage
from revproxy.testing import FakeUpstream, Turn, respond, switch
from revproxy.wire.handshake import accept_key

from ..filters.websocket.wire import (
    BINARY,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    binary,
    close,
    deflated,
    frame,
    text,
)
from .seen import Seen, WatchedClock
from .wire import TIMEOUT, Client, serving

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ASK = (
    b"GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
)
WHO = pytest.mark.parametrize("who", ["client", "upstream"])


def unmasked(data: bytes) -> list[tuple[int, bytes]]:
    """First bytes and payloads of a client's frames."""
    found = []
    while data:
        size, at = data[1] & 0x7F, 2
        assert data[1] & 0x80
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at])
        key, payload = data[at : at + 4], data[at + 4 : at + 4 + size]
        assert len(payload) == size, "a frame that is not whole"
        found.append((data[0], bytes(byte ^ key[number % 4] for number, byte in enumerate(payload))))
        data = data[at + 4 + size :]
    return found


class Server:
    """The upstream's end of one WebSocket, to send by and to read from."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.ended = asyncio.Event()
        self.opened = asyncio.Event()
        self._turn: Turn | None = None
        self._changed = asyncio.Event()
        self.done = asyncio.Event()
        """Set it, and the connection is closed."""
        self.reads = asyncio.Event()
        """Unset, nothing is read."""
        self.reads.set()

    async def __call__(self, turn: Turn) -> None:
        self._turn = turn
        self.opened.set()
        try:
            while True:
                await turn.wait(self.reads)
                data = await turn.read()
                if not data:
                    break
                self.got.extend(data)
                self._changed.set()
        finally:
            self.ended.set()
            self._changed.set()
        if not self.done.is_set():
            await turn.close()

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(self.opened.wait(), TIMEOUT)
        assert self._turn is not None
        await self._turn.write(data)

    async def leave(self) -> None:
        """End without a word."""
        assert self._turn is not None
        self.done.set()
        await self._turn.close()

    async def reset(self) -> None:
        assert self._turn is not None
        self.done.set()
        await self._turn.reset()

    async def gets(self, *expected: tuple[int, bytes]) -> None:
        """All that has come are these frames."""
        size = sum(6 + len(payload) + (0 if len(payload) < 126 else 2) for _, payload in expected)
        async with asyncio.timeout(TIMEOUT):
            while len(self.got) < size and not self.ended.is_set():
                self._changed.clear()
                await self._changed.wait()
        assert unmasked(bytes(self.got)) == list(expected)

    async def end(self) -> None:
        await asyncio.wait_for(self.ended.wait(), TIMEOUT)


@dataclass
class Ends:
    client: Client
    server: Server
    seen: Seen
    proxy: ProxyHandler
    filter: WebSocketFilter

    async def send(self, who: str, data: Callable[..., bytes], *args: Any) -> None:
        await (self.client.send(data(*args)) if who == "client" else self.server.send(data(*args, masked=False)))


@asynccontextmanager
async def joined(
    *functions: OnMessage,
    ask: bytes = ASK,
    fields: dict[str, str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
    timeouts: Timeouts | None = None,
    socket_buffer: int | None = None,
    receive_buffer: int | None = None,
    **options: Any,
) -> AsyncIterator[Ends]:
    """A WebSocket whose messages are looked at, for a test to act at both of its ends."""
    relayed, seen, server = WebSocketFilter(*functions, clock=clock, **options), Seen(), Server()
    async with FakeUpstream(socket_buffer=socket_buffer) as fake:
        fake.always(switch(headers=fields or {}), server)
        upstream = Upstream(fake.url, clock=clock, timeouts=timeouts or Timeouts())
        proxy = ProxyHandler(upstream, filters=[relayed], observers=[seen], clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=receive_buffer) as client:
            await client.send(ask)
            assert (await client.head()).status == 101
            yield Ends(client, server, seen, proxy, relayed)


# The handshake.


async def test_the_handshake() -> None:
    """F-97, F-98: the upstream is offered no extension; key, version and subprotocols pass, so that the upstream's
    ``Sec-WebSocket-Accept`` is right for the client, and its choice is known to functions."""
    chosen: list[str | None] = []

    def note(passage: Passage, message: Message) -> Message:
        chosen.append(passage.subprotocol)
        return message

    lines = (
        b"Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: v1, v2\r\nOrigin: http://a\r\n\r\n"
    )
    server, relayed = Server(), WebSocketFilter(note)
    async with FakeUpstream() as fake:
        fake.always(switch(headers={"Sec-WebSocket-Protocol": "v2", "X-B": "1"}), server)
        async with serving(ProxyHandler(Upstream(fake.url), filters=[relayed])) as site, site.connect() as client:
            await client.send(ASK[:-2] + lines)
            answer = await client.head()
            assert answer.getall(b"Sec-WebSocket-Accept") == [accept_key(KEY.decode()).encode()]
            assert answer.getall(b"Sec-WebSocket-Protocol") == [b"v2"]
            assert answer.getall(b"Sec-WebSocket-Extensions") == []
            assert answer.getall(b"X-B") == [b"1"]
            await client.send(text("hi"))
            await server.gets((FIN | TEXT, b"hi"))
        (request,) = fake.requests
        assert request.getall("Sec-WebSocket-Extensions") == []
        assert request.getall("Sec-WebSocket-Key") == [KEY.decode()]
        assert request.getall("Sec-WebSocket-Protocol") == ["v1, v2"]
    assert chosen == ["v2"]


async def test_an_extension_that_was_not_offered() -> None:
    """F-98: an upstream that agrees to what nobody offered has sent an invalid response, and no tunnel is opened."""
    seen = Seen()
    async with FakeUpstream() as fake:
        fake.always(switch(headers={"Sec-WebSocket-Extensions": "permessage-deflate"}), Server())
        proxy = ProxyHandler(Upstream(fake.url), filters=[WebSocketFilter()], observers=[seen])
        async with serving(proxy) as site:
            assert (await site.ask(ASK)).status == 502
        await fake.gone()
    assert [type(error) for error in seen.errors] == [ProtocolError]


async def test_a_refusal() -> None:
    """F-92: what an upstream answers instead of switching comes back unchanged, and so does an ordinary answer."""
    async with FakeUpstream() as fake:
        fake.respond(403, body=b"no")
        async with serving(ProxyHandler(Upstream(fake.url), filters=[WebSocketFilter()])) as site:
            answer = await site.ask(ASK)
            assert (answer.status, answer.body) == (403, b"no")
            assert (await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).body == b"no"


# Messages.


@WHO
async def test_messages(who: str) -> None:
    """F-100: text and binary messages arrive as what they were, whole, masked to the upstream alone, and functions see
    each of them once, in order, with who has sent it."""
    shown: list[tuple[str, int, Message]] = []

    def look(passage: Passage, message: Message) -> Message:
        assert passage.exchange.inbound.path == "/chat"
        shown.append((passage.sender, passage.messages, message))
        return message

    async with joined(look) as ends:
        await ends.send(who, text, "h\xe9llo")
        await ends.send(who, binary, b"\0\xff")
        await ends.send(who, frame, TEXT, b"in ")
        await ends.send(who, frame, FIN | CONTINUATION, b"parts")
        await ends.send(who, text, "")
        if who == "client":
            expected = [(TEXT, "h\xe9llo".encode()), (BINARY, b"\0\xff"), (TEXT, b"in parts"), (TEXT, b"")]
            await ends.server.gets(*((FIN | opcode, said) for opcode, said in expected))
        else:
            parts = [text("h\xe9llo", masked=False), binary(b"\0\xff", masked=False), text("in parts", masked=False)]
            await ends.client.gets(b"".join(parts) + b"\x81\x00")
    said = ["h\xe9llo", b"\0\xff", "in parts", ""]
    assert shown == [(who, number, message) for number, message in enumerate(said, 1)]


async def test_what_functions_do() -> None:
    """Each is shown what the one before has returned; ``None`` drops; sync and async ones mix."""

    async def upper(passage: Passage, message: Message) -> Message | None:
        await asyncio.sleep(0)
        return message.upper() if isinstance(message, str) else message

    def drop(passage: Passage, message: Message) -> Message | None:
        return None if message in ("DROP", b"drop") else message

    async def exclaim(passage: Passage, message: Message) -> Message | None:
        return message + "!" if isinstance(message, str) else message

    async with joined(upper, drop, exclaim) as ends:
        await ends.client.send(text("a") + text("drop") + binary(b"drop") + text("b") + binary(b"c"))
        await ends.server.gets((FIN | TEXT, b"A!"), (FIN | TEXT, b"B!"), (FIN | BINARY, b"c"))


@WHO
async def test_order(who: str) -> None:
    """A function that takes longer for one message than for the next keeps their order, for whichever side; the other
    direction goes on meanwhile."""
    waiting = asyncio.Event()

    async def slow(passage: Passage, message: Message) -> Message:
        if message == "first":
            await waiting.wait()
        return message

    async with joined(slow) as ends:
        await ends.send(who, text, "first")
        await ends.send(who, text, "second")
        await ends.send("upstream" if who == "client" else "client", text, "other")
        if who == "client":
            await ends.client.gets(text("other", masked=False))
            waiting.set()
            await ends.server.gets((FIN | TEXT, b"first"), (FIN | TEXT, b"second"))
        else:
            await ends.server.gets((FIN | TEXT, b"other"))
            waiting.set()
            await ends.client.gets(text("first", masked=False) + text("second", masked=False))


async def test_through_a_transform() -> None:
    """``Through`` has texts edited by a ``Transform``, those of one side; binary ones only if told."""

    class Stars:
        def feed(self, chunk: bytes) -> bytes:
            return chunk.replace(b"secret", b"******")

        def finish(self) -> bytes:
            return b"."

    async with joined(Through(Stars, sender="upstream"), Through(Stars, sender="client", binary=True)) as ends:
        await ends.client.send(text("secret") + binary(b"secret"))
        await ends.server.gets((FIN | TEXT, b"******."), (FIN | BINARY, b"******."))
        await ends.server.send(text("a secret", masked=False) + binary(b"secret", masked=False))
        await ends.client.gets(text("a ******.", masked=False) + binary(b"secret", masked=False))


async def test_redaction() -> None:
    """S-60: with ``Redact`` as its function no secret of an upstream's texts arrives: in fragments, behind escapes of
    JSON, in what is no JSON after all, or beside a ping and a Close that would carry it; the same object guards
    responses. What the client says, and what is binary, is as it was."""
    redact, server, card = Redact(), Server(), "4111 1111 1111 1111"
    async with FakeUpstream() as fake:
        fake.on("/", respond(body=card.encode(), headers={"Content-Type": "text/plain"}))
        fake.on("/chat", switch(), server)
        relayed = WebSocketFilter(redact.message, controls="answer")
        proxy = ProxyHandler(Upstream(fake.url), filters=[redact, relayed])
        async with serving(proxy) as site, site.connect() as client:
            assert (await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).body == b"[payment-card]"
            await client.send(ASK)
            assert (await client.head()).status == 101
            await client.send(text(card))
            await server.gets((FIN | TEXT, card.encode()))
            for opcode, piece in ((TEXT, b'{"card": "4111 11'), (CONTINUATION, b"11 1111 "), (FIN, b'1111"}')):
                await server.send(frame(opcode, piece, masked=False))
            for said in ('42["paid", {"card": "411\\u0031 1111 1111 1111"}]', f'{{"{card}', f"{card}\x1e{card}"):
                await server.send(text(said, masked=False))
            await server.send(binary(card.encode(), masked=False))
            await server.send(frame(FIN | PING, card.encode(), masked=False) + close(4000, card.encode(), masked=False))
            masked = "[payment-card]"
            for said in (f'{{"card": "{masked}"}}', f'42["paid", {{"card": "{masked}"}}]', f'{{"{masked}'):
                await client.gets(text(said, masked=False))
            await client.gets(text(f"{masked}\x1e{masked}", masked=False) + binary(card.encode(), masked=False))
            await client.gets(close(4000, masked=False))
            client.close()


async def test_early_bytes() -> None:
    """F-94, F-101: what comes with the handshake, from either side, is looked at like the rest."""

    def mark(passage: Passage, message: Message) -> Message:
        return message + "!" if isinstance(message, str) else message

    server = Server()

    async def greet(turn: Turn) -> None:
        await turn.write(text("welcome", masked=False))
        await server(turn)

    async with FakeUpstream() as fake:
        fake.always(switch(), greet)
        proxy = ProxyHandler(Upstream(fake.url), filters=[WebSocketFilter(mark)])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(ASK + text("hi")[:3])
            assert (await client.head()).status == 101
            await client.gets(text("welcome!", masked=False))
            await client.send(text("hi")[3:])
            await server.gets((FIN | TEXT, b"hi!"))


@pytest.mark.parametrize(
    "sent", [text("x" * 11, masked=False), close(4000, masked=False)], ids=["too large", "a Close"]
)
async def test_what_comes_with_the_101(sent: bytes) -> None:
    """F-93, F-94: what an upstream sends in one piece with its 101 may be the end already."""
    server, seen = Server(), Seen()
    head = (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
        + accept_key(KEY.decode()).encode()
        + b"\r\n\r\n"
    )
    is_large = len(sent) > 4

    async def answer(turn: Turn) -> None:
        await turn.write(head + sent)
        await server(turn)

    async with FakeUpstream() as fake:
        fake.always(answer)
        relayed = WebSocketFilter(from_upstream=MessageLimits(size=10))
        proxy = ProxyHandler(Upstream(fake.url), filters=[relayed], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(ASK + text("early"))
            await client.head()
            await client.gets(close(1011 if is_large else 4000, masked=False))
            if is_large:
                await server.gets((0x88, b"\x03\xf1"))
            await client.send(close(4000))
            client.end()
            await server.end()
            assert await client.rest() == b""
            await seen.over()
        if not is_large:
            assert unmasked(bytes(server.got)) == [(FIN | TEXT, b"early"), (0x88, b"\x0f\xa0")]
    assert [type(error) for error in seen.errors] == ([MessageRefused] if is_large else [])


async def test_one_behind_the_other() -> None:
    """A relay stands before a relay as it does before the wire."""

    def one(passage: Passage, message: Message) -> Message:
        return message + "1" if isinstance(message, str) else message

    def two(passage: Passage, message: Message) -> Message:
        return message + "2" if isinstance(message, str) else message

    server, seen = Server(), Seen()
    async with FakeUpstream() as fake:
        fake.always(switch(), server)
        filters = [WebSocketFilter(one), WebSocketFilter(two)]
        proxy = ProxyHandler(Upstream(fake.url), filters=filters, observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(ASK)
            await client.head()
            await client.send(text("up"))
            await server.gets((FIN | TEXT, b"up12"))
            await server.send(text("down", masked=False))
            await client.gets(text("down21", masked=False))
            await client.send(close(3000, b"bye"))
            await server.gets((FIN | TEXT, b"up12"), (0x88, b"\x0b\xb8bye"))
            await server.send(close(3000, masked=False))
            await client.gets(close(3000, masked=False))
            client.end()
            assert await client.rest() == b""
            await seen.over()
    assert seen.errors == []


async def test_what_is_counted() -> None:
    """F-103: ``exchange.tunnel`` has the bytes that were read from either side, and a ``repr``."""
    async with joined(lambda passage, message: None) as ends:
        await ends.client.send(text("hello"))
        await ends.server.send(binary(bytes(300), masked=False))
        await ends.server.send(close(1000, masked=False))
        await ends.client.gets(close(1000, masked=False))
        (exchange,) = ends.seen.exchanges
        assert exchange.tunnel is not None
        assert repr(exchange.tunnel) == "<Relay open sent=11 received=308, messages: 1 up, 1 down>"
        await ends.client.send(close(1000))
        ends.client.end()
        assert await ends.client.rest() == b""
        await ends.seen.over()
        assert (exchange.tunnel.sent, exchange.tunnel.received) == (19, 308)
        assert repr(exchange.tunnel) == "<Relay over sent=19 received=308, messages: 1 up, 1 down>"
    assert ends.seen.errors == []


# Control frames.


async def test_pings_are_relayed() -> None:
    """F-99: pings and pongs go from end to end, between fragments, too, with what they carry."""
    async with joined() as ends:
        await ends.client.send(frame(TEXT, b"a") + frame(FIN | PING, b"1") + frame(FIN, b"b"))
        await ends.server.gets((FIN | PING, b"1"), (FIN | TEXT, b"ab"))
        await ends.server.send(frame(FIN | PONG, b"1", masked=False) + frame(FIN | PING, masked=False))
        await ends.client.gets(b"\x8a\x011\x89\x00")


async def test_pings_are_answered() -> None:
    """F-99: with ``controls="answer"`` nothing of a control frame reaches the other side but the code of a Close."""
    async with joined(controls="answer") as ends:
        await ends.client.send(frame(FIN | PING, b"leak") + frame(FIN | PONG, b"leak") + text("a"))
        await ends.client.gets(frame(FIN | PONG, b"leak", masked=False))
        await ends.server.send(frame(FIN | PING, b"leak", masked=False) + close(4000, b"leak", masked=False))
        await ends.client.gets(close(4000, masked=False))
        await ends.server.gets((FIN | TEXT, b"a"), (FIN | PONG, b"leak"))


@WHO
@pytest.mark.parametrize(
    ("code", "reason"), [(None, b""), (1000, b""), (1001, b"bye"), (1014, b""), (3000, "b\xfc".encode()), (4999, b"")]
)
async def test_close_codes_are_relayed(who: str, code: int | None, reason: bytes) -> None:
    """F-93: a Close goes to the other side with its code and reason, or with none; the answer comes back, and then
    both connections end."""
    async with joined() as ends:
        await ends.send(who, close, code, reason)
        payload = (b"" if code is None else code.to_bytes(2)) + reason
        if who == "client":
            await ends.server.gets((0x88, payload))
            await ends.server.send(close(code, masked=False))
            await ends.client.gets(close(code, masked=False))
            await ends.server.leave()
            ends.client.end()
            assert await ends.client.rest() == b""
        else:
            await ends.client.gets(close(code, reason, masked=False))
            await ends.client.send(close(code))
            await ends.server.gets((0x88, payload[:2]))
            ends.client.end()
            await ends.server.end()
            assert await ends.client.rest() == b""
        await ends.seen.over()
    assert ends.seen.errors == []


# What must not be sent.


@pytest.mark.parametrize(
    ("sent", "code", "other", "error"),
    [
        (text("a", masked=False), 1002, 1001, BadFrame),
        (b"GET / HTTP/1.1\r\n\r\n", 1002, 1001, BadFrame),
        (frame(FIN | RSV1 | TEXT, b"a"), 1002, 1001, BadFrame),
        (frame(FIN | TEXT, b"\xff"), 1007, 1001, BadFrame),
        (close(1006), 1002, 1011, BadFrame),
        (close(1015, b"x"), 1002, 1011, BadFrame),
        (text("x" * 101), 1009, 1001, MessageRefused),
        (frame(BINARY, bytes(60)) + frame(FIN, bytes(60)), 1009, 1001, MessageRefused),
        (frame(TEXT) + frame(0) * 1024, 1008, 1001, MessageRefused),
    ],
    ids=["unmasked", "request", "reserved", "utf-8", "1006", "1015", "size", "fragments", "many fragments"],
)
async def test_what_a_client_must_not_send(sent: bytes, code: int, other: int, error: type[Exception]) -> None:
    """F-93, F-100, S-55: the client is told what it did, the upstream that it is gone; what stood before arrives,
    nothing of it and nothing behind it does; it does not count against the upstream."""
    clock = WatchedClock()
    async with joined(from_client=MessageLimits(size=100), clock=clock) as ends:
        await ends.client.send(text("before") + sent)
        await ends.client.gets(close(code, masked=False))
        await ends.server.gets((FIN | TEXT, b"before"), (0x88, other.to_bytes(2)))
        await ends.server.send(close(other, masked=False) + text("late", masked=False))
        clock.advance(2)  # for those that nothing more can be read of
        assert await ends.client.rest() == b""
        await ends.server.end()
        await ends.seen.over()
        assert ends.seen.settlements[0].error is None
    assert [type(each) for each in ends.seen.errors] == [error]


@pytest.mark.parametrize(
    ("sent", "code", "other", "error"),
    [
        (text("a", masked=False).replace(b"\x81\x01", b"\xc1\x01"), 1002, 1014, TunnelLost),
        (frame(FIN | TEXT, b"\xff", masked=False), 1007, 1014, TunnelLost),
        (close(1005, masked=False), 1002, 1014, TunnelLost),
        (binary(bytes(101), masked=False), 1009, 1011, MessageRefused),
    ],
    ids=["reserved", "utf-8", "1005", "size"],
)
async def test_what_an_upstream_must_not_send(sent: bytes, code: int, other: int, error: type[Exception]) -> None:
    """F-93, F-100: the upstream is told what it did, the client that the upstream failed. What breaks the protocol is
    the attempt's error; what is too large for this proxy is not."""
    async with joined(from_upstream=MessageLimits(size=100)) as ends:
        await ends.server.send(text("before", masked=False) + sent)
        await ends.client.gets(text("before", masked=False) + close(other, masked=False))
        await ends.server.gets((0x88, code.to_bytes(2)))
        await ends.client.send(close(other))
        ends.client.end()
        await ends.server.end()
        assert await ends.client.rest() == b""
        await ends.seen.over()
        assert (ends.seen.settlements[0].error is None) is (error is MessageRefused)
    assert [type(each) for each in ends.seen.errors] == [error]


@WHO
async def test_a_large_message_does_not_cost_the_close(who: str) -> None:
    """F-100: who sends far more than it may reads its Close 1009 nevertheless: what it sends on is read, and dropped,
    until it has answered, so that no reset overtakes the Close."""
    async with joined(from_client=MessageLimits(size=1000), from_upstream=MessageLimits(size=1000)) as ends:
        giant = frame(FIN | BINARY, bytes(20_000_000), masked=who == "client")
        if who == "client":
            await ends.client.send(giant + close(1009))
            await ends.client.gets(close(1009, masked=False))
            await ends.server.gets((0x88, b"\x03\xe9"))
            await ends.server.send(close(1001, masked=False))
            assert await ends.client.rest() == b""
            assert not ends.client.was_reset
        else:
            await ends.server.send(giant + close(1009, masked=False))
            await ends.client.gets(close(1011, masked=False))
            await ends.server.gets((0x88, b"\x03\xf1"))
            await ends.client.send(close(1011))
            assert await ends.client.rest() == b""
        await ends.seen.over()


async def test_too_many_messages(caplog: pytest.LogCaptureFixture) -> None:
    """S-55: a client that sends more than its rate is closed with 1008, and a line in the security log says so."""
    clock = WatchedClock()
    limits = MessageLimits(rate=2, burst=3)
    with caplog.at_level(logging.INFO, "revproxy.security"):
        async with joined(from_client=limits, clock=clock) as ends:
            await ends.client.send(text("a") * 3)
            await ends.server.gets(*[(FIN | TEXT, b"a")] * 3)
            clock.advance(1)
            await ends.client.send(text("a") * 3)
            await ends.client.gets(close(1008, b"too many messages", masked=False))
            await ends.server.gets(*[(FIN | TEXT, b"a")] * 5, (0x88, b"\x03\xe9"))
            ends.client.close()
            await ends.server.send(close(1001, masked=False))
            await ends.seen.over()
            assert ends.filter.refused == 1
    assert [type(error) for error in ends.seen.errors] == [MessageRefused]
    (line,) = [record.getMessage() for record in caplog.records]
    assert 'rule "WebSocket messages": drop for "the client sent too many messages", client 127.0.0.1' in line


async def test_too_many_pings() -> None:
    """S-55: a flood of pings is one, too."""
    async with joined(from_client=MessageLimits(control_rate=1, control_burst=10)) as ends:
        await ends.client.send(frame(FIN | PING) * 11)
        await ends.client.gets(close(1008, b"too many pings and pongs", masked=False))
        await ends.server.gets(*[(FIN | PING, b"")] * 10, (0x88, b"\x03\xe9"))
        ends.client.close()


# What functions refuse, and where they fail.


def no_orders(passage: Passage, message: Message) -> Message:
    if "order" in str(message):
        raise CloseWebSocket(4403, "no orders")
    return message


@WHO
async def test_a_function_that_refuses(who: str, caplog: pytest.LogCaptureFixture) -> None:
    """F-93, S-60: who has sent what is refused gets code and reason, the other side an end alone; the security log says
    where, and no log says what."""
    with caplog.at_level(logging.DEBUG):
        async with joined(no_orders) as ends:
            await ends.send(who, text, "one")
            await ends.send(who, text, "order 66")
            await ends.send(who, text, "behind")
            if who == "client":
                await ends.client.gets(close(4403, b"no orders", masked=False))
                await ends.server.gets((FIN | TEXT, b"one"), (0x88, b"\x03\xe9"))
            else:
                await ends.client.gets(text("one", masked=False) + close(1011, masked=False))
                await ends.server.gets((0x88, b"\x11\x33no orders"))
            ends.client.close()
            await ends.server.leave()
            await ends.seen.over()
    assert [type(error) for error in ends.seen.errors] == [MessageRefused]
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("revproxy")]
    assert any(f'drop for "message 2 from the {who}, by no_orders"' in line for line in lines)
    assert not any("order 66" in line for line in lines)


async def test_a_policys_error_refuses() -> None:
    """S-60: a ``ProxyError`` of a policy, as a detector raises it, refuses with 1008."""

    def refuse(passage: Passage, message: Message) -> Message:
        raise ResponseRefused("a card")

    async with joined(refuse) as ends:
        await ends.server.send(text("4111", masked=False))
        await ends.client.gets(close(1011, masked=False))
        await ends.server.gets((0x88, b"\x03\xf0"))
        ends.client.close()


async def test_shadow() -> None:
    """In shadow nothing is refused that functions or rates refuse, and all of it is counted; sizes hold."""
    limits = MessageLimits(size=10, rate=1, burst=1)
    async with joined(no_orders, from_client=limits, shadow=True) as ends:
        await ends.client.send(text("order") + text("b"))
        await ends.server.gets((FIN | TEXT, b"order"), (FIN | TEXT, b"b"))
        assert ends.filter.refused == 2
        await ends.client.send(text("x" * 11))
        await ends.client.gets(close(1009, masked=False))
        assert ends.filter.refused == 2
        ends.client.close()


async def fails_later(passage: Passage, message: Message) -> Message:
    await asyncio.sleep(0)
    raise KeyError("secret")


async def is_cancelled(passage: Passage, message: Message) -> Message:
    waiting = asyncio.get_running_loop().create_future()
    waiting.cancel()
    await waiting
    return message


def fails(passage: Passage, message: Message) -> Message:
    raise KeyError("secret")


def changes_kind(passage: Passage, message: Message) -> Message:
    return message.encode() if isinstance(message, str) else message


def returns_nonsense(passage: Passage, message: Message) -> Any:
    return 5


def returns_surrogates(passage: Passage, message: Message) -> Message:
    return "\ud800"


@pytest.mark.parametrize(
    "function",
    [fails, fails_later, is_cancelled, changes_kind, returns_nonsense, returns_surrogates],
    ids=lambda function: str(function.__name__),
)
async def test_a_function_that_fails(function: OnMessage, caplog: pytest.LogCaptureFixture) -> None:
    """S-60: whatever else a function raises or returns fails closed: 1011 to both sides, nothing of the message
    passes, and the log has one line with the cause."""
    with caplog.at_level(logging.INFO, "revproxy"):
        async with joined(lambda passage, message: message, function) as ends:
            await ends.server.send(text("secret", masked=False) + text("behind", masked=False))
            await ends.client.gets(close(1011, masked=False))
            await ends.server.gets((0x88, b"\x03\xf3"))
            await ends.client.send(close(1011))
            await ends.server.send(close(1011, masked=False))
            assert await ends.client.rest() == b""
            await ends.seen.over()
            assert ends.seen.settlements[0].error is None
    (error,) = ends.seen.errors
    assert type(error) is MessageFailed
    assert error.__cause__ is not None
    (record,) = caplog.records
    assert "secret" not in record.getMessage()
    assert f"message 1 from the upstream, by {function.__name__}" in record.getMessage()
    assert record.exc_info is not None


# Ends.


async def test_a_client_that_ends_without_a_close() -> None:
    """F-93, F-101: the upstream gets a Close 1011 behind what was on its way, and its half-close; it may say its last,
    over TCP, until it ends as well."""
    async with joined() as ends:
        await ends.client.send(text("last"))
        ends.client.end()
        await ends.server.gets((FIN | TEXT, b"last"), (0x88, b"\x03\xf3"))
        await ends.server.end()
        assert await ends.client.rest() == b""
        await ends.seen.over()
    assert ends.seen.errors == []


async def test_an_upstream_that_ends_without_a_close() -> None:
    """F-93, F-101: the client gets a Close 1014 behind what was on its way, and may still speak."""
    async with joined() as ends:
        await ends.server.send(text("last", masked=False))
        await ends.server.leave()
        assert await ends.client.rest() == text("last", masked=False) + close(1014, masked=False)
        ends.client.end()
        await ends.seen.over()
    assert ends.seen.errors == []


@WHO
async def test_an_end_amid_a_message(who: str) -> None:
    """F-101: nothing of a message that is not complete passes, and its end is noted as a loss."""
    async with joined() as ends:
        await ends.send(who, frame, TEXT, b"half")
        if who == "client":
            ends.client.end()
            await ends.server.gets((0x88, b"\x03\xf3"))
        else:
            await ends.server.leave()
            assert await ends.client.rest() == close(1014, masked=False)
            ends.client.end()
        await ends.seen.over()
    assert [type(error) for error in ends.seen.errors] == [ClientDisconnected if who == "client" else TunnelLost]


async def test_an_upstream_that_is_reset() -> None:
    """F-93, F-101: the client gets a Close 1014, and it is the attempt's error."""
    async with joined() as ends:
        await ends.server.send(text("last", masked=False))
        await ends.client.gets(text("last", masked=False))
        await ends.server.reset()
        assert await ends.client.rest() == close(1014, masked=False)
        await ends.seen.over()
        assert ends.seen.settlements[0].error is ends.seen.errors[0]
    assert [type(error) for error in ends.seen.errors] == [TunnelLost]


async def test_a_client_that_is_reset() -> None:
    """F-93, F-101: the upstream gets a Close 1011, and its connection ends; nothing counts against it."""
    async with joined() as ends:
        await ends.client.send(text("last"))
        await ends.server.gets((FIN | TEXT, b"last"))
        ends.client.reset()
        await ends.server.gets((FIN | TEXT, b"last"), (0x88, b"\x03\xf3"))
        await ends.server.end()
        await ends.seen.over()
        assert ends.seen.settlements[0].error is None
    assert [type(error) for error in ends.seen.errors] in ([ClientDisconnected], [])


@WHO
@pytest.mark.parametrize("how", ["end", "reset"])
async def test_who_leaves_while_a_function_waits(who: str, how: str) -> None:
    """F-101: what was on its way arrives, when the function has said what becomes of it, also if its sender has left
    meanwhile; what would go to who was lost goes nowhere, and its function is cancelled."""
    go, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(passage: Passage, message: Message) -> Message:
        if passage.sender == who or how == "end":  # that may be the end of one half
            await go.wait()
            if passage.sender != who:
                cancelled.set()
        else:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                cancelled.set()
        return message

    async with joined(wait) as ends:
        await ends.client.send(text("up"))
        await ends.server.send(text("down", masked=False))
        if who == "client":
            if how == "end":
                ends.client.close()
            else:
                ends.client.reset()
            go.set()
            await ends.server.gets((FIN | TEXT, b"up"), (0x88, b"\x03\xf3"))
        else:
            await (ends.server.leave() if how == "end" else ends.server.reset())
            go.set()
            assert await ends.client.rest() == text("down", masked=False) + close(1014, masked=False)
            ends.client.close()
        await ends.seen.over()
        await asyncio.wait_for(cancelled.wait(), TIMEOUT)


# Pace.


@WHO
async def test_backpressure(who: str) -> None:
    """F-101, S-55: who reads nothing stops the other side, and what is held meanwhile is bounded, whatever its size;
    then all arrives."""
    count, size = 400, 100_000
    message = frame(FIN | BINARY, bytes(size), masked=who == "client")
    sent = 0

    async def flood(send: Callable[[bytes], Any]) -> None:
        nonlocal sent
        for _ in range(count):
            await send(message)
            sent += 1

    async with joined(socket_buffer=65536, receive_buffer=65536) as ends:
        await ends.server.opened.wait()
        if who == "client":
            ends.server.reads.clear()
            await ends.client.send(text("x"))  # the read that is under way
            sending = asyncio.create_task(flood(ends.client.send))
        else:
            sending = asyncio.create_task(flood(ends.server.send))
        await asyncio.sleep(0.3)  # for as long as it takes nothing, nothing tells
        assert not sending.done()
        (exchange,) = ends.seen.exchanges
        relay: Any = exchange.tunnel
        assert relay.held < 1_000_000
        passed = relay.sent + relay.received
        assert passed < count * size / 2
        if who == "client":
            ends.server.reads.set()
            await sending
            async with asyncio.timeout(TIMEOUT):
                while len(ends.server.got) < count * (size + 14):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
        else:
            for _ in range(count):
                await ends.client.gets(message)
            await sending


async def test_a_slow_function_slows_its_sender() -> None:
    """S-55: while a function waits, its sender is not read on."""
    go = asyncio.Event()

    async def wait(passage: Passage, message: Message) -> None:
        await go.wait()

    async with joined(wait) as ends:
        data = binary(bytes(1000)) * 20_000
        sending = asyncio.create_task(ends.client.send(data))
        await asyncio.sleep(0.2)  # nothing tells that nothing is read
        assert not sending.done()
        relay: Any = ends.seen.exchanges[0].tunnel
        assert relay.held < 600_000
        go.set()
        await sending
        ends.client.close()


# Time.


async def test_idle() -> None:
    """F-102: what nothing goes through is closed with a Close 1001 to both."""
    clock = WatchedClock()
    async with joined(clock=clock, timeouts=Timeouts(tunnel=40)) as ends:
        await clock.asked()
        for _ in range(3):
            clock.advance(30)
            await ends.client.send(text("a"))
            await ends.server.send(text("b", masked=False))
            await ends.client.gets(text("b", masked=False))
        for _ in range(6):
            clock.advance(10)
        assert await ends.client.rest() == close(1001, masked=False)
        await ends.seen.over()
    assert [type(error) for error in ends.seen.errors] == [TunnelIdle]


async def test_a_function_that_never_returns() -> None:
    """F-102, S-55: what hangs in a function is idle; then it is cut, and the function cancelled."""
    clock, cancelled = WatchedClock(), asyncio.Event()

    async def hang(passage: Passage, message: Message) -> Message:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        return message

    async with joined(hang, clock=clock, timeouts=Timeouts(tunnel=40)) as ends:
        await ends.server.send(text("a", masked=False))
        await clock.asked()
        while not ends.seen.statuses:
            await asyncio.sleep(0.01)  # nothing tells that nothing happens any more
            clock.advance(10)
        await asyncio.wait_for(cancelled.wait(), TIMEOUT)
        assert await ends.client.rest() == b""
    assert [type(error) for error in ends.seen.errors] == [TunnelIdle]


async def test_who_does_not_answer_a_close() -> None:
    """S-55: who answers no Close of the relay's is closed after two seconds, and cut if it does not read either."""
    clock = WatchedClock()
    async with joined(from_client=MessageLimits(size=10), clock=clock) as ends:
        await ends.client.send(text("x" * 11))
        await ends.client.gets(close(1009, masked=False))
        await ends.server.gets((0x88, b"\x03\xe9"))
        clock.advance(1.9)
        assert not ends.server.ended.is_set()
        clock.advance(0.1)
        assert await ends.client.rest() == b""
        await ends.server.end()
        await ends.seen.over()


# Shutting down.


async def test_drain() -> None:
    """F-101: ``drain`` sends both ends a Close behind what has passed, and with their answers both connections end."""
    async with joined() as ends:
        await ends.client.send(text("a"))
        await ends.server.gets((FIN | TEXT, b"a"))
        draining = asyncio.create_task(ends.proxy.drain(code=1012))
        await ends.client.gets(close(1012, masked=False))
        await ends.server.gets((FIN | TEXT, b"a"), (0x88, b"\x03\xf4"))
        await ends.client.send(text("late") + close(1012))
        await ends.server.send(close(1012, masked=False))
        assert await ends.client.rest() == b""
        await draining
        await ends.seen.over()
        assert unmasked(bytes(ends.server.got))[-1] == (0x88, b"\x03\xf4")
    assert ends.seen.errors == []


async def test_drain_with_those_who_do_not_answer() -> None:
    """F-101: what has not ended after the grace is cut, functions that wait included."""

    waiting: asyncio.Queue[str] = asyncio.Queue()

    async def hang(passage: Passage, message: Message) -> Message:
        waiting.put_nowait(passage.sender)
        await asyncio.get_running_loop().create_future()
        return message

    clock = WatchedClock()
    async with joined(hang, clock=clock) as ends:
        await ends.client.send(text("a"))
        await ends.server.send(text("a", masked=False))
        assert {await waiting.get(), await waiting.get()} == {"client", "upstream"}
        draining = asyncio.create_task(ends.proxy.drain(grace=7))
        await ends.server.gets((0x88, b"\x03\xe9"))
        clock.advance(7)
        assert await ends.client.rest() == b""
        await draining
        await ends.seen.over()


@pytest.mark.parametrize("before", [True, False], ids=["before it is read", "while it is open"])
async def test_a_handler_that_is_cancelled(before: bool) -> None:
    """F-101: with ``handler_cancellation`` the server cancels the task when the client leaves; both ends go with it."""
    relayed, seen, server = WebSocketFilter(), Seen(), Server()
    async with FakeUpstream() as fake:
        fake.always(switch(), server)
        proxy = ProxyHandler(Upstream(fake.url), filters=[relayed], observers=[seen])
        async with serving(proxy, handler_cancellation=True) as site, site.connect() as client:
            await client.send(ASK)
            await client.head()
            if not before:
                await client.send(text("a"))
                await server.gets((FIN | TEXT, b"a"))
            client.reset()
            await seen.over()
        await fake.gone()


# Over TLS.


@WHO
async def test_over_tls(who: str) -> None:
    """F-101: over TLS, on both sides, messages go both ways, a Close goes through, and an end of one side ends the
    other behind what it is owed."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    server, seen = Server(), Seen()
    async with FakeUpstream(ssl=context) as fake:
        fake.always(switch(), server)
        upstream = Upstream(fake.url, tls=Tls(context=trusting))
        proxy = ProxyHandler(upstream, filters=[WebSocketFilter()], observers=[seen])
        async with serving(proxy, ssl_context=context) as site, asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(*site.address, ssl=trusting)
            writer.write(ASK)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(binary(bytes(300_000)))
            await server.gets((FIN | BINARY, bytes(300_000)))
            await server.send(binary(bytes(300_000), masked=False))
            down = binary(bytes(300_000), masked=False)
            assert await reader.readexactly(len(down)) == down
            if who == "client":
                writer.close()
                await server.end()
                assert unmasked(bytes(server.got))[-1] == (0x88, b"\x03\xf3")
            else:
                await server.leave()
                assert await reader.read() == close(1014, masked=False)
                writer.close()
            await seen.over()
    assert seen.errors == []


# Memory.


async def test_nothing_is_left() -> None:
    """S-55: a WebSocket that is over leaves no circle behind that only the garbage collector could free."""
    left: list[weakref.ref[Exchange]] = []
    seen = Seen()

    def note(passage: Passage, message: Message) -> Message:
        left.append(weakref.ref(passage.exchange))
        return message

    server = Server()
    async with FakeUpstream() as fake:
        fake.always(switch(), server)
        async with serving(ProxyHandler(Upstream(fake.url), filters=[WebSocketFilter(note)], observers=[seen])) as site:
            gc.collect()
            gc.disable()
            try:
                async with site.connect() as client:
                    await client.send(ASK)
                    await client.head()
                    await client.send(text("a") + close(1000))
                    await server.gets((FIN | TEXT, b"a"), (0x88, b"\x03\xe8"))
                    await server.send(close(1000, masked=False))
                    client.end()
                    await client.rest()
                await seen.over()
                seen.exchanges.clear()
                seen.attempts.clear()
                seen.settlements.clear()
                async with asyncio.timeout(TIMEOUT):
                    while left[0]() is not None:  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0)
            finally:
                gc.enable()


# Compression.


OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"


async def test_compression() -> None:
    """F-98: with ``compress`` it is agreed upon with the client alone, without a context; the upstream gets what
    messages say."""
    message = b"again and again " * 100
    async with joined(ask=ASK[:-2] + OFFER, compress=True) as ends:
        await ends.client.send(frame(FIN | TEXT | RSV1, deflated(message)) + text("short"))
        await ends.server.gets((FIN | TEXT, message), (FIN | TEXT, b"short"))
        await ends.server.send(frame(FIN | TEXT, message, masked=False) + text("short", masked=False))
        assert await ends.client.exactly(1) == bytes([FIN | TEXT | RSV1])
        size = (await ends.client.exactly(1))[0]
        assert size < 126
        await ends.client.exactly(size)
        await ends.client.gets(text("short", masked=False))


async def test_a_bomb() -> None:
    """S-51, S-55: what decompresses to more than a message may have is Close 1009."""
    async with joined(ask=ASK[:-2] + OFFER, compress=True) as ends:
        await ends.client.send(frame(FIN | BINARY | RSV1, deflated(bytes(50_000_000))))
        await ends.client.gets(close(1009, masked=False))
        await ends.server.gets((0x88, b"\x03\xe9"))
        ends.client.close()
