"""What the kernel knows of outgoing bytes."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from revproxy.tcp_info import outgoing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


async def test_what_a_peer_has_taken() -> None:
    """S-47: of a peer that reads nothing some bytes are never acknowledged; when it reads, it goes on, until all is
    taken."""
    listener = socket.create_server(("127.0.0.1", 0))
    peer = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    with listener, peer:
        _, writer = await asyncio.open_connection(sock=accepted)
        sock = writer.get_extra_info("socket")
        writer.write(bytes(20_000_000))
        for _ in range(100):
            await asyncio.sleep(0)
        before = outgoing(sock)
        assert before is not None
        assert before[0] > 0
        assert 0 < before[1] < 20_000_000
        peer.setblocking(False)
        left = 20_000_000
        while left:
            left -= len(await asyncio.get_running_loop().sock_recv(peer, 1 << 20))
        async with asyncio.timeout(5):
            while (after := outgoing(sock)) is not None and after[0]:  # noqa: ASYNC110 - the last one may be on its way
                await asyncio.sleep(0)
        assert after is not None
        assert 20_000_000 <= after[1] <= 20_000_001  # the handshake counts as one on some kernels
        writer.close()
        await writer.wait_closed()
        assert outgoing(sock) is None


def test_what_is_not_tcp() -> None:
    """Of a Unix socket, and of none, nothing is known."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert outgoing(one) is None
    assert outgoing(None) is None
