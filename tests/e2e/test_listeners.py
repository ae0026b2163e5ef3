"""What an application listens on: TLS, Unix sockets, sockets that it was handed, several of them at once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import web

from revproxy import Exchange, Handler, ProxyHandler, Response, Rule, Rules, Upstream, block, when
from revproxy.testing import FakeUpstream, pattern, raw, reset
from revproxy.testing import respond as responds

from .wire import TIMEOUT, serving


def ask(target: str = "/", *lines: bytes, method: str = "GET") -> bytes:
    return b"\r\n".join([f"{method} {target} HTTP/1.1".encode(), b"Host: a.test", *lines, b"", b""])


class Tls:
    """Two sides that know each other by an authority of their own."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.client = ssl.create_default_context()
        self.authority.configure_trust(self.client)


@pytest.fixture(scope="module")
def tls() -> Tls:
    return Tls()


@asynccontextmanager
async def listening(proxy: ProxyHandler, context: ssl.SSLContext) -> AsyncIterator[web.AppRunner]:
    """``proxy`` on a free port with TLS."""
    app = web.Application()
    proxy.mount(app)
    runner = web.AppRunner(app, shutdown_timeout=TIMEOUT)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(
    runner: web.AppRunner, context: ssl.SSLContext
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client's TLS connection; every wait in the block is bounded."""
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection(*runner.addresses[0], ssl=context)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


# TLS.


@pytest.mark.parametrize("certificate", [False, True])
async def test_a_client_certificate(certificate: bool) -> None:
    """A filter sees the client's certificate by ``inbound.tls``, if the listener has asked for one and got it; the
    scheme is https, to rules and to the upstream."""
    tls = Tls()
    tls.server.verify_mode = ssl.CERT_OPTIONAL
    tls.authority.configure_trust(tls.server)
    if certificate:
        tls.authority.issue_cert("ada@a.test").configure_cert(tls.client)

    async def name(exchange: Exchange, handler: Handler) -> Response:
        peer = exchange.inbound.tls.getpeercert()
        exchange.request.headers.popall("X-Client", None)
        if peer:
            exchange.request.headers["X-Client"] = dict(peer["subjectAltName"])["email"]
        return await handler(exchange)

    async with FakeUpstream() as server:
        table = Rules(Rule(when.scheme("https"), Upstream(server.url)), Rule(when.anything, block(403)))
        async with (
            listening(ProxyHandler(table, filters=[name]), tls.server) as runner,
            connected(runner, tls.client) as (reader, writer),
        ):
            writer.write(ask("/", b"X-Client: root@a.test"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.requests[0].getall("X-Client") == (["ada@a.test"] if certificate else [])
        assert server.requests[0].getall("X-Forwarded-Proto") == ["https"]
        assert server.requests[0].getall("X-Forwarded-For") == ["127.0.0.1"]


async def test_no_tls_is_none() -> None:
    """``inbound.tls`` is ``None`` where the client does not speak TLS to this server, whatever it says."""
    seen: list[object] = []

    async def look(exchange: Exchange, handler: Handler) -> Response:
        seen.append(exchange.inbound.tls)
        return Response(204)

    async with serving(ProxyHandler(Rules(Rule(when.anything, block())), filters=[look])) as site:
        assert (await site.ask(ask("/", b"X-Forwarded-Proto: https"))).status == 204
    assert seen == [None]


async def test_streams_over_tls(tls: Tls) -> None:
    """F-71, F-73: megabytes pass both ways over a client's TLS connection, which then serves the next request."""
    size = 2 * 1024 * 1024
    upload = bytes(range(256)) * 4096
    async with FakeUpstream(record_limit=size) as server:
        server.on("/big", responds(body=pattern(size)))
        server.on("/chunks", responds(body=pattern(size), chunked=True))
        async with (
            listening(ProxyHandler(Upstream(server.url)), tls.server) as runner,
            connected(runner, tls.client) as (reader, writer),
        ):
            writer.write(ask("/big"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % size in head
            assert await reader.readexactly(size) == b"".join(pattern(size))
            writer.write(ask("/up", b"Content-Length: %d" % len(upload), method="POST") + upload)
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 OK\r\n")
            assert server.requests[1].body == upload
            writer.write(ask("/chunks"))
            await reader.readuntil(b"\r\n\r\n")
            content = b""
            while length := int(await reader.readline(), 16):
                content += (await reader.readexactly(length + 2))[:-2]
            assert content == b"".join(pattern(size))


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
async def test_a_cut_over_tls(framing: bytes, tls: Tls) -> None:
    """F-54: a response that breaks off cuts a client's TLS connection, too: what it got is recognizable as a part."""
    part = b"part" if framing.startswith(b"C") else b"4\r\npart\r\n"
    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (framing, part)), reset())
        async with (
            listening(ProxyHandler(Upstream(server.url)), tls.server) as runner,
            connected(runner, tls.client) as (reader, writer),
        ):
            writer.write(ask())
            got = b""
            try:
                while data := await reader.read(100):
                    got += data
            except ConnectionError:
                pass
            assert got.endswith(b"\r\n\r\n" + part)


async def test_a_client_that_leaves_over_tls(tls: Tls) -> None:
    """F-79: that a client leaves is noticed over TLS as well."""
    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"))
        upstream = Upstream(server.url)
        async with listening(ProxyHandler(upstream), tls.server) as runner:
            async with connected(runner, tls.client) as (reader, writer):
                writer.write(ask())
                await reader.readuntil(b"part")
            await server.gone()
        assert upstream.endpoints[0].in_flight == 0


# Others.


async def test_several_listeners(tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> None:
    """F-36: one application may listen on TCP, TLS and Unix sockets at once. What goes upstream says which way each
    request came: a client on a Unix socket has no address, and none is made up."""
    folder = tmp_path_factory.mktemp("s")
    async with FakeUpstream() as server:
        app = web.Application()
        ProxyHandler(Upstream(server.url)).mount(app)
        runner = web.AppRunner(app, shutdown_timeout=TIMEOUT)
        await runner.setup()
        try:
            for site in (
                web.TCPSite(runner, "127.0.0.1", 0),
                web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server),
                web.UnixSite(runner, str(folder / "plain")),
                web.UnixSite(runner, str(folder / "tls"), ssl_context=tls.server),
            ):
                await site.start()
            plain, over_tls, unix, unix_tls = runner.addresses
            async with asyncio.timeout(TIMEOUT):
                for reader, writer in (
                    await asyncio.open_connection(*plain),
                    await asyncio.open_connection(*over_tls, ssl=tls.client),
                    await asyncio.open_unix_connection(unix),
                    await asyncio.open_unix_connection(unix_tls, ssl=tls.client, server_hostname="127.0.0.1"),
                ):
                    writer.write(ask("/", b"Connection: close"))
                    assert (await reader.read()).endswith(b"\r\n\r\nok")
                    writer.close()
                    await writer.wait_closed()
        finally:
            await runner.cleanup()
        assert server.connections == 1
    ways = [(each.getall("X-Forwarded-For"), each.getall("X-Forwarded-Proto")) for each in server.requests]
    assert ways == [(["127.0.0.1"], ["http"]), (["127.0.0.1"], ["https"]), ([], ["http"]), ([], ["https"])]


@pytest.mark.parametrize("named", [False, True])
async def test_a_unix_socket(
    named: bool, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """On a Unix socket, one with a path or an abstract one, ``inbound.client`` has no address, conditions on addresses
    are false, and the logs say so; the body of an upload and a stream pass as ever."""
    caplog.set_level(logging.INFO)
    path = str(tmp_path_factory.mktemp("s") / "s") if named else f"\0revproxy-{os.getpid()}-{os.urandom(8).hex()}"
    seen: list[object] = []

    async def look(exchange: Exchange, handler: Handler) -> Response:
        seen.append((str(exchange.inbound.client), exchange.inbound.client.ip))
        return await handler(exchange)

    async with FakeUpstream() as server:
        server.on("/big", responds(body=pattern(1 << 20)))
        table = Rules(
            Rule(when.client_in("0.0.0.0/0", "::/0"), block(403)),
            Rule(when.path("/no"), block(404)),
            Rule(when.anything, Upstream(server.url)),
        )
        proxy = ProxyHandler(table, filters=[look])
        async with serving(proxy, unix=path, access_log_format="%a %r %s") as site, site.connect() as client:
            await client.send(ask("/x", b"Content-Length: 5", method="POST") + b"hello")
            assert (await client.response()).body == b"ok"
            await client.send(ask("/big"))
            assert (await client.response()).body == b"".join(pattern(1 << 20))
            await client.send(ask("/.."))
            assert (await client.response()).status == 400
        assert server.requests[0].body == b"hello"
        assert server.requests[0].getall("X-Forwarded-For") == []
    assert seen == [("-", None)] * 2
    lines = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    assert lines == [" POST /x HTTP/1.1 200", " GET /big HTTP/1.1 200", " GET /.. HTTP/1.1 400"]
    (failure,) = [record.getMessage() for record in caplog.records if record.name == "revproxy.error"]
    assert failure.startswith("BadRequest: GET '/..' from -: ")


async def test_a_socket_that_was_handed_over() -> None:
    """A listening socket that somebody else has opened, as systemd does, serves as well; it is closed at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    async with FakeUpstream() as server:
        async with serving(Upstream(server.url), sock=listener) as site:
            assert (site.address, (await site.ask(ask())).body) == (address, b"ok")
        assert listener.fileno() == -1
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
