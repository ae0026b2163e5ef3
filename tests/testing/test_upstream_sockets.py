"""Where `FakeUpstream` listens, and what it leaves behind."""

import asyncio
import contextlib
import gc
import pathlib
import socket
import ssl
import warnings

import pytest
import trustme

from revproxy.testing.script import (
    close,
    ignore_body,
    pattern,
    raw,
    reset,
    respond,
    stall,
)
from revproxy.testing.upstream import FakeUpstream

from .raw_client import GET, OK, POST, client


async def test_unix_socket(tmp_path: pathlib.Path) -> None:
    """It serves a Unix socket, and removes its file at the end."""
    path = tmp_path / "sock"
    async with FakeUpstream(path=path) as server, client(server) as c:
        assert server.url == f"unix:{path}"
        await c.send(GET)
        await c.gets(OK)
    assert not path.exists()


async def test_ipv6() -> None:
    """An IPv6 host is bracketed in `url`."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    async with FakeUpstream(host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        _, writer = await asyncio.open_connection("::1", server.port)
        writer.close()
        await writer.wait_closed()
        await server.gone()


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    ca = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    return server, trusting


async def test_tls() -> None:
    """Over TLS: keep-alive, a big body, `close` and `reset`; `gone` sees the client leave."""
    context, trusting = contexts()
    async with FakeUpstream(ssl=context) as server:
        assert server.url.startswith("https://127.0.0.1:")
        server.on("/", respond(body=b"ok"))
        async with client(server, trusting) as c:
            server.once(respond(body=pattern(1 << 20)))
            await c.send(GET + GET)
            await c.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + b"".join(pattern(1 << 20)) + OK)
        await server.gone()
        server.once(respond(body=b"ok"), close())
        async with client(server, trusting) as c:
            await c.send(GET)
            await c.gets(OK)
            await c.gets_fin()
        server.once(raw(b"half"), reset())
        async with client(server, trusting) as c:
            await c.send(GET)
            await c.gets(b"half")
            with contextlib.suppress(ConnectionResetError):
                await c.gets_fin()
        await server.wait_closed_connections(3)


async def test_tls_handshake_fails() -> None:
    """A client that does not trust the certificate is a closed connection, not an error."""
    context, _ = contexts()
    async with FakeUpstream(ssl=context) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", server.port, ssl=ssl.create_default_context())
        await server.wait_closed_connections(1)
        assert server.connections == 1


async def test_stop_leaves_nothing_behind() -> None:
    """The end of the block ends scripts, uploads, handshakes and new connections; no task and no socket is left."""
    context, _ = contexts()
    before = asyncio.all_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with FakeUpstream(ssl=context) as secure, FakeUpstream() as server:
            server.on("/", ignore_body(), stall())
            async with client(secure) as handshaking, client(server) as busy, client(server) as idle:
                await busy.send(POST)
                await server.wait_requests(1)
                await server.stop()
                await secure.stop()
                assert asyncio.all_tasks() == before
                await busy.gets_fin()
                await idle.gets_fin()
                await handshaking.gets_fin()
                assert "stopped" in repr(server)
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", server.port)
        gc.collect()


async def test_comes_back() -> None:
    """After `stop` the address refuses connections; `start` serves it again, with scripts and records as they were."""
    async with FakeUpstream() as server:
        url = server.url
        for _ in range(2):
            async with client(server) as c:
                await c.send(GET)
                await c.gets(OK)
                await server.stop()
                await c.gets_fin()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", server.port)
            await server.start()
        with pytest.raises(RuntimeError, match="started twice"):
            await server.start()
        assert (server.url, len(server.requests), server.left) == (url, 2, 0)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("passes", range(6))
async def test_stop_at_any_moment_of_an_accept(passes: int, secure: bool) -> None:
    """However far a new connection has come when the block ends, it is closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with FakeUpstream(ssl=contexts()[0] if secure else None) as server:
            await asyncio.sleep(0)
            sock = socket.create_connection(("127.0.0.1", server.port))
            for _ in range(passes):
                await asyncio.sleep(0)
        with sock, contextlib.suppress(ConnectionResetError):
            sock.settimeout(5)
            assert sock.recv(1) == b""
        gc.collect()
