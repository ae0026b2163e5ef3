"""WebSockets through the proxy as real programs speak them: the ``websockets`` package and aiohttp at both ends."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest
import trustme
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Close
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from revproxy import ProxyHandler, Tls, Upstream
from revproxy.errors import ClientDisconnected, TunnelLost

from .seen import Seen
from .wire import TIMEOUT, serving

WHO = pytest.mark.parametrize("who", ["client", "server"])


def url_of(server: Server, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@dataclass
class Ends:
    """A WebSocket through the proxy, at its two ends."""

    client: ClientConnection
    server: ServerConnection
    seen: Seen

    def __getitem__(self, who: str) -> tuple[Connection, Connection]:
        """The end that a test is about, and the other."""
        return (self.client, self.server) if who == "client" else (self.server, self.client)

    @property
    def bytes(self) -> tuple[int, int]:
        """That went up, and that came down."""
        tunnel = self.seen.exchanges[0].tunnel
        assert tunnel is not None
        return tunnel.sent, tunnel.received


@asynccontextmanager
async def joined(*, of_server: dict[str, Any] | None = None, **of_client: Any) -> AsyncIterator[Ends]:
    """Both ends of one WebSocket, for a test to act on either."""
    opened: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def keep(connection: ServerConnection) -> None:
        opened.put_nowait(connection)
        await connection.wait_closed()

    seen = Seen()
    async with (
        asyncio.timeout(TIMEOUT),
        serve(keep, "127.0.0.1", 0, **{"ping_interval": None, **(of_server or {})}) as server,
        serving(ProxyHandler(Upstream(url_of(server)), observers=[seen])) as site,
        connect(
            f"ws://127.0.0.1:{site.port}/chat?room=1", proxy=None, **{"ping_interval": None, **of_client}
        ) as client,
    ):
        yield Ends(client, await opened.get(), seen)


# Messages.


@WHO
async def test_text_and_binary(who: str) -> None:
    """F-98, F-100: text and binary messages arrive as what they were, empty ones too, in order."""
    messages: list[str | bytes] = [
        "hello",
        b"hello",
        "",
        b"",
        "caf\xe9 \N{SNOWMAN} \U0001f680",
        bytes(range(256)),
        "x" * 70_000,
    ]
    async with joined() as ends:
        sender, receiver = ends[who]
        for message in messages:
            await sender.send(message)
        assert [await receiver.recv() for _ in messages] == messages
        assert ends.server.request is not None
        assert ends.server.request.path == "/chat?room=1"


@pytest.mark.parametrize(
    ("offer", "sizes", "copies"),
    [
        (None, None, 2),
        (Offer(), (15, 15), 1),
        (Offer(server_no_context_takeover=True, client_no_context_takeover=True), (15, 15), 2),
        (Offer(server_max_window_bits=9, client_max_window_bits=10), (10, 9), 2),
    ],
    ids=["off", "on", "no takeover", "small windows"],
)
async def test_compression(offer: Offer | None, sizes: tuple[int, int] | None, copies: int) -> None:
    """F-98: permessage-deflate is agreed upon by the two ends, its parameters too, and is theirs alone: where they keep
    their context, the second copy of a message takes next to nothing on its way, else as much as the first."""
    extensions = {} if offer is None else {"extensions": [offer]}
    accept = {} if offer is None else {"extensions": [ServerPerMessageDeflateFactory()]}
    async with joined(compression=None, of_server={"compression": None, **accept}, **extensions) as ends:
        for end, (up, down) in ((ends.client, (0, 1)), (ends.server, (1, 0))):
            agreed: Sequence[object] = end.protocol.extensions
            assert len(agreed) == (0 if sizes is None else 1)
            for each in agreed:
                assert isinstance(each, PerMessageDeflate)
                assert sizes is not None
                assert (each.local_max_window_bits, each.remote_max_window_bits) == (sizes[up], sizes[down])
        message = os.urandom(8000)
        for who in ("client", "server"):
            sender, receiver = ends[who]
            for _ in range(2):
                await sender.send(message)
                assert await receiver.recv() == message
        assert [round(size / len(message), 1) for size in ends.bytes] == [copies, copies]


@WHO
@pytest.mark.parametrize("compression", ["deflate", None])
async def test_fragments(who: str, compression: str | None) -> None:
    """F-99, F-100: a message in fragments arrives in the same ones, with pings answered between them."""
    async with joined(compression=compression, of_server={"compression": compression}) as ends:
        sender, receiver = ends[who]

        async def pieces() -> AsyncIterator[bytes]:
            for size in (1, 0, 125, 126, 70_000):
                yield bytes(size)
                await (await sender.ping())

        sending = asyncio.create_task(sender.send(pieces()))
        got = [len(piece) async for piece in receiver.recv_streaming(decode=False)]
        await sending
        assert got == [1, 0, 125, 126, 70_000, 0]  # the library ends with an empty one
        await sender.send(["a", "b"])
        assert await receiver.recv() == "ab"


@WHO
async def test_pings(who: str) -> None:
    """F-99: a ping is answered by the other end, with its payload, in the time that takes; the proxy answers none."""
    async with joined() as ends:
        sender, receiver = ends[who]
        for payload in ("", "hello", bytes(125)):
            assert await (await sender.ping(payload)) == sender.latency < TIMEOUT
        await sender.pong("unasked")  # RFC 6455 section 5.5.3: nothing comes of it

        receiver.transport.pause_reading()
        waiting = asyncio.ensure_future(await sender.ping("late"))
        await receiver.send("not a pong")
        assert await sender.recv() == "not a pong"
        assert not waiting.done()
        receiver.transport.resume_reading()
        await waiting


@WHO
async def test_big_messages(who: str) -> None:
    """F-100: 10 MiB in one message arrive as they are."""
    message = random.Random(10).randbytes(10 << 20)
    options = {"max_size": None, "compression": None}
    async with joined(of_server=options, **options) as ends:
        sender, receiver = ends[who]
        sending = asyncio.create_task(sender.send(message))
        got = await receiver.recv(decode=False)
        await sending
    assert hashlib.sha256(got).digest() == hashlib.sha256(message).digest()


async def test_many_at_once() -> None:
    """F-100, F-101: 50 WebSockets at once, each of which gets what was sent to it, both ways, and nothing else."""

    def messages(seed: str) -> list[str | bytes]:
        chance = random.Random(seed)
        sizes = [chance.choice([0, 1, 125, 126, 5_000, 66_000]) for _ in range(10)]
        return ["\xe9" * size if chance.random() < 0.3 else chance.randbytes(size) for size in sizes]

    async def converse(connection: Connection, say: str, hear: str) -> None:
        async def speak() -> None:
            for message in messages(say):
                await connection.send(message)

        speaking = asyncio.create_task(speak())
        try:
            assert [await connection.recv() for _ in messages(hear)] == messages(hear)
        finally:
            await speaking

    async def answer(connection: ServerConnection) -> None:
        assert connection.request is not None
        await converse(connection, f"down {connection.request.path}", f"up {connection.request.path}")
        await connection.wait_closed()

    async def ask(url: str, number: int) -> int | None:
        async with connect(f"{url}/{number}", proxy=None) as connection:
            await converse(connection, f"up /{number}", f"down /{number}")
        return connection.close_code

    async with (
        asyncio.timeout(TIMEOUT),
        serve(answer, "127.0.0.1", 0) as server,
        serving(Upstream(url_of(server))) as site,
    ):
        asked = [ask(f"ws://127.0.0.1:{site.port}", number) for number in range(50)]
        assert await asyncio.gather(*asked) == [1000] * 50


# The handshake.


@pytest.mark.parametrize(
    ("offered", "known", "chosen"), [(["a", "b"], ["b", "c"], "b"), (["a"], ["a"], "a"), (None, ["a"], None)]
)
async def test_subprotocols(offered: list[str] | None, known: list[str], chosen: str | None) -> None:
    """F-97: the server chooses among what the client offers."""

    def choose(_: ServerConnection, names: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((name for name in names if name in known), None)

    async with joined(subprotocols=offered, of_server={"subprotocols": known, "select_subprotocol": choose}) as ends:
        assert ends.client.subprotocol == ends.server.subprotocol == chosen


async def test_a_refusal() -> None:
    """F-92, F-103: a server that refuses a handshake for its ``Origin`` is heard, its fields and its words."""

    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.FORBIDDEN, f"not for {request.headers['Origin']}\n")
        response.headers["X-Why"] = "origin"
        return response

    with pytest.raises(InvalidStatus) as raised:
        async with joined(of_server={"process_request": refuse}, origin="https://b.test"):
            pass
    response = raised.value.response
    assert (response.status_code, response.body) == (403, b"not for https://b.test\n")
    assert response.headers["X-Why"] == "origin"


# How it ends.


@WHO
@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "going"), (3000, "caf\xe9"), (4999, "r" * 123)])
async def test_close_codes(who: str, code: int, reason: str) -> None:
    """F-93: a Close passes with its code and its reason, and so does the answer; neither end is told another."""
    async with joined() as ends:
        sender, receiver = ends[who]
        await sender.close(code, reason)
        await receiver.wait_closed()
        for end in (sender, receiver):
            assert (end.close_code, end.close_reason) == (code, reason)
            assert (end.protocol.close_sent, end.protocol.close_rcvd) == (Close(code, reason), Close(code, reason))
        await ends.seen.over()
        assert (ends.seen.errors, ends.seen.statuses) == ([], [101])


@WHO
@pytest.mark.parametrize("how", ["end", "reset"])
async def test_aborts(who: str, how: str) -> None:
    """F-101: where one end goes without a Close, the other sees no Close: 1006, after what was sent before. A reset is
    an error of whose end that was."""
    async with joined() as ends:
        sender, receiver = ends[who]
        await sender.send("the last")
        await receiver.send("the last")
        assert await sender.recv() == "the last"  # else a reset may overtake what came before it
        assert await receiver.recv() == "the last"
        if how == "reset":
            linger = struct.pack("ii", 1, 0)
            sender.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        sender.transport.abort()
        with pytest.raises(ConnectionClosedError) as raised:
            await receiver.recv()
        assert (raised.value.rcvd, receiver.close_code) == (None, 1006)
        await ends.seen.over()
        expected = ClientDisconnected if who == "client" else TunnelLost
        assert [type(error) for error in ends.seen.errors] == ([expected] if how == "reset" else [])


async def test_shutdown() -> None:
    """F-93, F-101: when the application of the proxy shuts down, both ends are told 1001, and have answered."""
    opened: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def keep(connection: ServerConnection) -> None:
        opened.put_nowait(connection)
        await connection.wait_closed()

    async with asyncio.timeout(TIMEOUT), serve(keep, "127.0.0.1", 0) as server, AsyncExitStack() as clients:
        async with serving(Upstream(url_of(server))) as site:
            url = f"ws://127.0.0.1:{site.port}"
            here = [await clients.enter_async_context(connect(url, proxy=None)) for _ in range(5)]
            there = [await opened.get() for _ in here]
        for end in (*here, *there):
            await end.wait_closed()
            assert (end.protocol.close_rcvd, end.protocol.close_sent) == (Close(1001, ""), Close(1001, ""))


async def test_tls() -> None:
    """F-93, F-101: over TLS on both sides, messages, pings and a Close pass as they do without."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with asyncio.timeout(TIMEOUT), serve(echo, "127.0.0.1", 0, ssl=context, max_size=None) as server:
        app = web.Application()
        ProxyHandler(Upstream(url_of(server, "https"), tls=Tls(context=trusting))).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            url = f"wss://127.0.0.1:{runner.addresses[0][1]}"
            async with connect(url, ssl=trusting, proxy=None, max_size=None) as connection:
                message = os.urandom(1 << 20)
                await connection.send(message)
                assert await connection.recv() == message
                await (await connection.ping())
                await connection.close(4000, "enough")
                assert connection.protocol.close_rcvd == Close(4000, "enough")
        finally:
            await runner.cleanup()


# aiohttp's own.


def chat() -> web.Application:
    """A server that says everything twice, and leaves when told to."""

    async def talk(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=("v2", "v1"))
        await ws.prepare(request)
        async for message in ws:
            if message.data == "leave":
                await ws.close(code=4999, message=b"as you wish")
            elif message.type is aiohttp.WSMsgType.TEXT:
                await ws.send_str(message.data * 2)
            else:
                await ws.send_bytes(message.data * 2)
        return ws

    app = web.Application()
    app.router.add_get("/chat", talk)
    return app


@pytest.mark.parametrize("compress", [0, 15])
async def test_aiohttp_at_both_ends(compress: int) -> None:
    """F-97, F-98, F-99, F-93: aiohttp's client and server agree, talk, ping and close as they do without a proxy."""
    async with (
        asyncio.timeout(TIMEOUT),
        serving(chat()) as behind,
        serving(Upstream(f"http://127.0.0.1:{behind.port}")) as site,
        aiohttp.ClientSession(f"http://127.0.0.1:{site.port}") as session,
        session.ws_connect("/chat", protocols=("v1",), compress=compress, autoping=False) as ws,
    ):
        assert (ws.protocol, ws.compress) == ("v1", compress)
        await ws.send_str("ab" * 5000)
        assert await ws.receive_str() == "ab" * 10_000
        await ws.send_bytes(b"\xff" * 100)
        assert await ws.receive_bytes() == b"\xff" * 200
        await ws.ping(b"here?")
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"here?")
        await ws.send_str("leave")
        message = await ws.receive()
        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 4999, "as you wish")
        assert ws.close_code == 4999


async def test_aiohttp_and_the_end_of_the_proxy() -> None:
    """F-93, F-101: aiohttp's client is told 1001 by a proxy that shuts down, its server, too."""
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def talk(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        codes.put_nowait(ws.close_code)
        return ws

    app = web.Application()
    app.router.add_get("/", talk)
    async with asyncio.timeout(TIMEOUT), serving(app) as behind, aiohttp.ClientSession() as session:
        async with serving(Upstream(f"http://127.0.0.1:{behind.port}")) as site:
            ws = await session.ws_connect(f"http://127.0.0.1:{site.port}/")
            closing = asyncio.create_task(ws.receive())
            await asyncio.sleep(0)  # it listens, and will answer
        assert ((await closing).type, ws.close_code, await codes.get()) == (aiohttp.WSMsgType.CLOSE, 1001, 1001)
