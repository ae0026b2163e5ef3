"""The opening handshake of a WebSocket."""

from __future__ import annotations

import asyncio
import base64
from random import Random
from typing import Any

import pytest

from revproxy.health import WebSocketProbe
from revproxy.testing import FakeUpstream, Step, Turn, head, raw, respond, stall, switch
from revproxy.wire.settings import Tls

from . import ask, found
from .conftest import Pki


async def test_handshake() -> None:
    """A WebSocket is opened, verified, and closed with a masked Close (RFC 6455 sections 4.1, 5.5.1); each with a key
    of its own."""
    ends: list[bytes] = []
    over = asyncio.Event()

    async def read_all(turn: Turn) -> None:
        data = b""
        while more := await turn.read():
            data += more
        ends.append(data)
        over.set()

    async with FakeUpstream() as server:
        server.always(switch(), read_all)
        probe = WebSocketProbe("/ws", host="chat.test", headers={"Origin": "https://chat.test"}, rng=Random(1))
        for _ in range(2):
            over.clear()
            await ask(probe, server.url)
            await over.wait()
    first, second = (request.getall("Sec-WebSocket-Key")[0] for request in server.requests)
    assert first != second
    assert len(base64.b64decode(first)) == 16
    assert server.requests[0].raw_head == (
        b"GET /ws HTTP/1.1\r\nOrigin: https://chat.test\r\nHost: chat.test\r\nUser-Agent: revproxy-probe\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + first.encode() + b"\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    for data in ends:
        assert data[:2] == b"\x88\x82", "a Close, masked, with a code of two bytes"
        assert bytes(a ^ b for a, b in zip(data[6:], data[2:6], strict=False)) == b"\x03\xe8"


async def test_subprotocol() -> None:
    """The subprotocol that is asked for must be chosen, and none else."""
    async with FakeUpstream() as server:
        server.always(switch(headers={"Sec-WebSocket-Protocol": "chat"}), stall())
        await ask(WebSocketProbe(protocol="chat"), server.url)
        assert "chose the subprotocol 'chat', not 'talk'" in await found(WebSocketProbe(protocol="talk"), server.url)
        assert "chose the subprotocol 'chat', not None" in await found(WebSocketProbe(), server.url)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((respond(200, body=b"hello"),), "answered 200, which is no WebSocket"),
        ((respond(426),), "answered 426, which is no WebSocket"),
        ((switch("h2c"),), "ProtocolError: 101 that switches to 'h2c'"),
        (
            (
                head(
                    101,
                    headers={"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Accept": "bm90IGl0"},
                ),
            ),
            "ProtocolError: Sec-WebSocket-Accept 'bm90IGl0'",
        ),
        ((raw(b"\x81\x05hello"),), "ProtocolError"),
    ],
)
async def test_no_websocket(answer: tuple[Step, ...], why: str) -> None:
    """An answer that is none, or not to this key, has failed."""
    async with FakeUpstream() as server:
        server.always(*answer)
        assert (await found(WebSocketProbe(), server.url)).startswith(f"1 probe failed: {why}")


async def test_too_slow() -> None:
    """A server that does not answer is left when the time is over."""
    async with FakeUpstream() as server:
        server.always(stall())
        assert "no answer within 30 s" in await found(WebSocketProbe(), server.url, late=True)


async def test_floods() -> None:
    """Frames that come with the handshake are nobody's, however many."""

    async def flood(turn: Turn) -> None:
        while True:
            await turn.write(b"\x82\x7e\xff\xff" + b"x" * 65535)

    async with FakeUpstream() as server:
        server.always(switch(), flood)
        await ask(WebSocketProbe(), server.url)
        await server.wait_closed_connections()


async def test_tls(pki: Pki) -> None:
    """Over TLS, as the probe was told."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        server.always(switch(), stall())
        await ask(WebSocketProbe(tls=Tls(ca=pki.pem)), server.url)
        assert "TlsFailed" in await found(WebSocketProbe(), server.url)
        await server.wait_closed_connections(server.connections)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"protocol": "a b"}, "protocol: 'a b'"),
        ({"path": "ws"}, "path .* got 'ws'"),
        ({"headers": {"X": "a\nb"}}, "path, host or headers"),
    ],
)
def test_nonsense(arguments: dict[str, Any], said: str) -> None:
    """What cannot be sent is refused."""
    with pytest.raises(ValueError, match=said):
        WebSocketProbe(**arguments)
    assert repr(WebSocketProbe("/ws")) == "WebSocketProbe('/ws')"
