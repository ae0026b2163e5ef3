"""WebSockets through ``WebSocketFilter`` as real programs speak them: the ``websockets`` package at both ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer
from websockets.typing import Subprotocol

from revproxy import ProxyHandler, Upstream
from revproxy.filters import CloseWebSocket, MessageLimits, Passage, WebSocketFilter
from revproxy.filters.websocket import Message

from .wire import TIMEOUT, serving

WHO = pytest.mark.parametrize("who", ["client", "server"])


def no_secrets(passage: Passage, message: Message) -> Message:
    if message == "secret":
        raise CloseWebSocket(4000, "not here")
    return message


@asynccontextmanager
async def joined(
    *, of_server: dict[str, Any] | None = None, of_filter: dict[str, Any] | None = None, **of_client: Any
) -> AsyncIterator[tuple[ClientConnection, ServerConnection]]:
    """Both ends of one WebSocket whose messages are looked at."""
    opened: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def keep(connection: ServerConnection) -> None:
        opened.put_nowait(connection)
        await connection.wait_closed()

    relayed = WebSocketFilter(no_secrets, **(of_filter or {}))
    async with (
        asyncio.timeout(TIMEOUT),
        serve(keep, "127.0.0.1", 0, **{"ping_interval": None, **(of_server or {})}) as server,
        serving(
            ProxyHandler(Upstream(f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"), filters=[relayed])
        ) as site,
        connect(f"ws://127.0.0.1:{site.port}/", proxy=None, **{"ping_interval": None, **of_client}) as client,
    ):
        yield client, await opened.get()


def pair(ends: tuple[Connection, Connection], who: str) -> tuple[Connection, Connection]:
    return ends if who == "client" else (ends[1], ends[0])


@WHO
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
async def test_messages(who: str, compress: bool) -> None:
    """F-98, F-100: text and binary of all sizes arrive in order as what they were, whole or from fragments, with
    compression towards the client alone, and pings go through between them."""
    messages: list[str | bytes] = ["hello", b"hello", "", b"", "caf\xe9 \U0001f680" * 5000, bytes(70_000), "x" * 126]
    async with joined(of_filter={"compress": compress}) as ends:
        assert [bool(end.protocol.extensions) for end in ends] == [compress, False]
        sender, receiver = pair(ends, who)
        for message in messages:
            await sender.send(message)
        await sender.send(["in ", "", "parts"])
        await (await sender.ping())
        assert [await receiver.recv() for _ in range(len(messages) + 1)] == [*messages, "in parts"]


@pytest.mark.parametrize("bits", [9, 12, 15])
async def test_small_windows(bits: int) -> None:
    """F-98: a client that takes a small window gets nothing that needs a larger one."""
    offer = Offer(server_max_window_bits=bits, client_max_window_bits=bits)
    message = "".join(str(number) for number in range(20_000))
    async with joined(of_filter={"compress": True}, compression=None, extensions=[offer]) as (client, server):
        await server.send(message)
        assert await client.recv() == message
        await client.send(message)
        assert await server.recv() == message


async def test_subprotocols() -> None:
    """F-97: they are agreed upon by the two ends."""
    offered = [Subprotocol("a"), Subprotocol("b")]
    async with joined(of_server={"subprotocols": offered[1:]}, subprotocols=offered) as ends:
        assert [end.subprotocol for end in ends] == ["b", "b"]


@WHO
async def test_closing(who: str) -> None:
    """F-93: a Close goes through with code and reason."""
    async with joined() as ends:
        closing, other = pair(ends, who)
        await closing.close(3001, "b\xfcy")
        with pytest.raises(ConnectionClosedError) as found:
            await other.recv()
        assert found.value.rcvd is not None
        assert (found.value.rcvd.code, found.value.rcvd.reason) == (3001, "b\xfcy")
        assert closing.close_code == 3001


@WHO
async def test_refusals(who: str) -> None:
    """F-93, S-60: who sends what is refused learns why, the other that it is over; nothing of it arrives."""
    async with joined() as ends:
        sender, receiver = pair(ends, who)
        await sender.send("secret")
        with pytest.raises(ConnectionClosedError) as told:
            await sender.recv()
        with pytest.raises((ConnectionClosedError, ConnectionClosedOK)) as seen:
            await receiver.recv()
        assert told.value.rcvd is not None
        assert (told.value.rcvd.code, told.value.rcvd.reason) == (4000, "not here")
        assert seen.value.rcvd is not None
        assert seen.value.rcvd.code == (1001 if who == "client" else 1011)


@WHO
async def test_too_much(who: str) -> None:
    """F-100: a message that is too large is Close 1009 to who sent it."""
    limits = MessageLimits(size=100_000)
    async with joined(of_filter={"from_client": limits, "from_upstream": limits}, compression=None) as ends:
        sender, _ = pair(ends, who)
        await sender.send(bytes(200_000))
        with pytest.raises(ConnectionClosedError) as told:
            await sender.recv()
        assert told.value.rcvd is not None
        assert told.value.rcvd.code == 1009
