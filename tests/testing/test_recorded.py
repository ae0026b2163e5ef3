"""How `FakeUpstream` reads and records requests and their bodies."""

import asyncio
import hashlib
import socket

import pytest

from revproxy.testing.recorded import MalformedRequest
from revproxy.testing.script import (
    Action,
    close,
    ignore_body,
    interim,
    raw,
    read_body,
    respond,
    signal,
    stall,
    stop_reading,
)
from revproxy.testing.upstream import FakeUpstream

from .raw_client import CHUNKED, EXPECT, GET, OK, POST, client


async def test_body_is_read_first() -> None:
    """By default the steps run when the body is there; the head is recorded before."""
    async with FakeUpstream() as server, client(server) as c:
        server.on("/", signal(started := asyncio.Event()), respond(body=b"ok"))
        await c.send(POST)
        (request,) = await server.wait_requests(1)
        assert not request.complete
        await c.send(b"hel")
        await c.send(b"lo")
        await c.gets(OK)
        assert started.is_set()
        assert (request.body, request.complete) == (b"hello", True)


@pytest.mark.parametrize("wire", [POST + b"hel", CHUNKED + b"3\r\nhel"])
async def test_a_client_that_leaves_amid_its_upload(wire: bytes) -> None:
    """An upload that breaks off ends the connection without the script; what came is recorded, it is no error."""
    async with FakeUpstream() as server:
        server.on("/", signal(started := asyncio.Event()))
        async with client(server) as c:
            await c.send(wire)
            (request,) = await server.wait_requests(1)
        await server.gone()
        await server.wait_closed_connections()
        assert (request.complete, request.raw, started.is_set()) == (False, wire, False)


async def test_chunked_request() -> None:
    """A chunked body is decoded; its raw form, extensions and trailers are kept."""
    body = b"3;x=y\r\nabc\r\n02\r\nde\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n"
    async with FakeUpstream() as server, client(server) as c:
        await c.send(CHUNKED + body)
        await c.gets(OK)
        (request,) = server.requests
        assert request.raw == CHUNKED + body
        assert (request.body, request.body_length) == (b"abcde", 5)
        assert request.trailers == [("X-T", "1"), ("x-t", "2")]


@pytest.mark.parametrize(
    ("script", "says_100"),
    [
        ([respond(body=b"ok")], True),
        ([interim(100), read_body(), respond(body=b"ok")], True),
        ([ignore_body(), read_body(), respond(body=b"ok")], False),
    ],
)
async def test_expect_continue(script: list[Action], says_100: bool) -> None:
    """An expected 100 is sent once before the body is read, unless the script says otherwise."""
    async with FakeUpstream() as server, client(server) as c:
        server.on("/", *script)
        await c.send(EXPECT)
        if says_100:
            await c.gets(b"HTTP/1.1 100 Continue\r\n\r\n")
        await server.wait_requests(1)
        await c.send(b"hello")
        await c.gets(OK)
        assert server.requests[0].body == b"hello"


async def test_ignore_body() -> None:
    """`ignore_body` answers before the upload; it is still recorded, and the connection goes on after its end."""
    async with FakeUpstream() as server, client(server) as c:
        server.once(ignore_body(), respond(403))
        await c.send(POST)
        await c.gets(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await c.send(b"hello" + GET)
        await c.gets(OK)
        first, _ = await server.wait_requests(2, complete=True)
        assert first.body == b"hello"


async def test_early_answer_and_close() -> None:
    """After an early answer and FIN the rest of the upload is swallowed: no RST overtakes the answer."""
    async with FakeUpstream() as server, client(server) as c:
        server.once(ignore_body(), respond(200, body=b"ok"), close())
        await c.send(POST.replace(b"5", b"1000000"))
        await c.gets(OK)
        await c.gets_fin()
        for _ in range(10):
            await c.send(bytes(100_000))
        await server.wait_requests(1, complete=True)
        await server.wait_closed_connections(1)
        assert server.left == 0


@pytest.mark.parametrize("first", [[], [ignore_body()]])
async def test_stop_reading(first: list[Action]) -> None:
    """`stop_reading` lets the upload fill the buffers and no more; the rest is read when the script goes on."""
    size = 8 << 20
    loop = asyncio.get_running_loop()
    async with FakeUpstream(socket_buffer=16384) as server:
        server.once(*first, stop_reading(), stall(), read_body(), respond(body=b"ok"))
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
            await loop.sock_sendall(sock, POST.replace(b"5", b"%d" % size))
            await server.wait_requests(1)
            sent = 0
            for _ in range(1000):  # a server that reads would take far more in as many passes of the loop
                try:
                    sent += sock.send(bytes(65536))
                except BlockingIOError:
                    await asyncio.sleep(0)
            assert sent < 1 << 20
            assert server.requests[0].body_length < 1 << 20
            server.release()
            await loop.sock_sendall(sock, bytes(size - sent))
            assert await loop.sock_recv(sock, 1000) == OK
            assert server.requests[0].sha256 == hashlib.sha256(bytes(size)).hexdigest()


async def test_record_limit() -> None:
    """Beyond `record_limit` a body is counted and hashed, not kept."""
    async with FakeUpstream(record_limit=4) as server, client(server) as c:
        await c.send(POST + b"hello" + CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
        await c.gets(OK * 2)
        for request, wire in zip(server.requests, (b"hell", b"2\r\nh"), strict=True):
            assert (request.body, request.body_length) == (b"hell", 5)
            assert request.raw == request.raw_head + wire
            assert request.sha256 == hashlib.sha256(b"hello").hexdigest()


@pytest.mark.parametrize(
    "wire",
    [
        b"GET /\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        GET.replace(b"a\r\n", b"a\r\nHost: a\r\n"),
        GET.replace(b"a\r\n", b"a\r\n folded\r\n"),
        GET.replace(b"a\r\n", b"a\r\nX : y\r\n"),
        GET.replace(b"a\r\n", b"a\r\nX: y\nZ: 1\r\n"),
        GET.replace(b"a\r\n", b"a\r\nX: %b\r\n" % bytes(70_000)),
        POST.replace(b"5", b"+5"),
        POST.replace(b"5", b"5\r\nContent-Length: 5"),
        CHUNKED.replace(b"chunked", b"gzip, chunked"),
        CHUNKED.replace(b"chunked", b"chunked\r\nContent-Length: 5"),
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0"),
        CHUNKED + b"-1\r\n",
        CHUNKED + b"3\r\nabcd\r\n",
        CHUNKED + b"0\r\nbad trailer\r\n\r\n",
    ],
)
async def test_malformed_request(wire: bytes) -> None:
    """What is no HTTP gets a 400 and FIN, and fails the test at the end."""
    with pytest.RaisesGroup(MalformedRequest):
        async with FakeUpstream() as server, client(server) as c:
            await c.send(wire)
            await c.gets(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await server.wait_closed_connections(1)


async def test_malformed_body_behind_an_answer() -> None:
    """A malformed body that is read in the background is reported as well, once."""
    with pytest.RaisesGroup(MalformedRequest):
        async with FakeUpstream() as server, client(server) as c:
            server.on("/", ignore_body(), raw(b"early"), stall())
            await c.send(CHUNKED + b"bad\n\r\n")
            await c.gets(b"early")
