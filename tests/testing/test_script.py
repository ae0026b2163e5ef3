"""The steps of `FakeUpstream` scripts, by transcripts: what a raw client sends, what it gets."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from revproxy.testing.script import (
    Action,
    close,
    delay,
    drip,
    head,
    hold,
    interim,
    pattern,
    raw,
    reset,
    respond,
    signal,
    stall,
    truncate,
)
from revproxy.testing.upstream import FakeUpstream

from .raw_client import GET, OK, client

BINARY: list[tuple[str | bytes, str | bytes]] = [("X-a", "caf\xe9"), (b"x-A", b"\xff")]


@pytest.mark.parametrize(
    ("action", "wire"),
    [
        (respond(404), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        (respond(299, reason=""), b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"),
        (respond(999, http="2.0"), b"HTTP/2.0 999 \r\nContent-Length: 0\r\n\r\n"),
        (respond(headers=BINARY), b"HTTP/1.1 200 OK\r\nX-a: caf\xe9\r\nx-A: \xff\r\nContent-Length: 0\r\n\r\n"),
        (respond(204), b"HTTP/1.1 204 No Content\r\n\r\n"),
        (respond(304, length=7), b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        (respond(body=b"abc", length=1), b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc"),
        (respond(headers={"content-length": "x"}), b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"),
        (
            respond(body=b"abc", chunked=True),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            respond(body=b"abcdef", chunked=[1, 2], trailers={"X-T": "t"}),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\nX-T: t\r\n\r\n",
        ),
        (
            respond(body=b"abc", chunked=True, length=3, headers={"Transfer-Encoding": "gzip, chunked"}),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        (head(200, headers={"A": "b"}, reason="Fine", http="1.0"), b"HTTP/1.0 200 Fine\r\nA: b\r\n\r\n"),
        (interim(103, {"Link": "</x>"}), b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        (raw(b"\x00garbage\n"), b"\x00garbage\n"),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n"), b"HTTP/1.1 200 OK\r\n\r\n"),
        (drip(b"abcde", 2, 0.001), b"abcde"),
    ],
    ids=repr,
)
async def test_what_is_sent(action: Action, wire: bytes) -> None:
    """Each action sends these bytes and no others, and the connection goes on."""
    async with FakeUpstream() as server, client(server) as c:
        server.once(action)
        await c.send(GET + GET)
        await c.gets(wire + OK)


@pytest.mark.parametrize(
    ("action", "wire"),
    [
        (respond(close=True), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        (respond(body=[b"a", b"bc"], http="1.0"), b"HTTP/1.0 200 OK\r\n\r\nabc"),
        (truncate(2, of=5), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxx"),
        (truncate(2, status=206), b"HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n"),
        (truncate(0), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (close(), b""),
    ],
    ids=repr,
)
async def test_what_ends_with_fin(action: Action, wire: bytes) -> None:
    """Each action sends these bytes, then a clean FIN; that is no leaving of the client."""
    async with FakeUpstream() as server, client(server) as c:
        server.once(action)
        await c.send(GET)
        await c.gets(wire)
        await c.gets_fin()
        await server.wait_closed_connections(1)
        assert (server.closed, server.left, server.open) == (1, 0, 0)


async def test_what_ends_with_rst() -> None:
    """`reset` and `truncate(by_reset=True)` send what was written before, then RST."""
    async with FakeUpstream() as server:
        server.on("/", raw(b"half"), reset())
        server.once(truncate(1, of=2, by_reset=True))
        for wire in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", b"half"):
            async with client(server) as c:
                await c.send(GET)
                await c.gets(wire)
                await c.gets_rst()


async def test_head_request() -> None:
    """The answer to HEAD has the length but not the body, chunked or not."""
    async with FakeUpstream() as server, client(server) as c:
        server.once(respond(body=b"hello"))
        server.once(respond(body=b"hello", chunked=True))
        await c.send(GET.replace(b"GET", b"HEAD") * 2 + GET)
        await c.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await c.gets(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await c.gets(OK)


async def test_streamed_bodies() -> None:
    """A function that makes an (async) iterator, or a list, serves any number of requests."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b""
        yield b"c"

    def sync_pieces() -> Iterator[bytes]:
        yield from (b"ab", b"c")

    async with FakeUpstream() as server, client(server) as c:
        for body in (pieces, sync_pieces, [b"ab", b"c"]):
            server.always(respond(body=body, chunked=True))
            await c.send(GET * 2)
            await c.gets(2 * b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        server.always(respond(body=pattern(200_000)))
        await c.send(GET)
        await c.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
        got = await c.reader.readexactly(200_000)
        assert hashlib.sha256(got).hexdigest() == pattern(200_000).sha256
        assert got[:65536] != got[65536:131072]


async def test_endless_body_until_the_client_leaves() -> None:
    """A body far larger than memory is sent as it is read; when the client leaves, its iterator is closed."""
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(65536)
        finally:
            closed.set()

    async with FakeUpstream() as server:
        server.on("/", respond(body=endless))
        server.once(respond(body=pattern(1 << 50)))
        for _ in range(2):
            async with client(server) as c:
                await c.send(GET)
                await c.reader.readexactly(300_000)
        await server.gone(2)
        await server.wait_closed_connections(2)
        assert closed.is_set()


async def test_delay() -> None:
    """`delay` waits that many seconds."""
    async with FakeUpstream() as server, client(server) as c:
        server.on("/", delay(0.05), respond(200, body=b"ok"))
        loop = asyncio.get_running_loop()
        start = loop.time()
        await c.send(GET)
        await c.gets(OK)
        assert loop.time() - start >= 0.045


async def test_hold_and_signal() -> None:
    """`signal` tells the test that the script got there, `hold` waits for the test."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    async with FakeUpstream() as server, client(server) as c:
        server.once(head(200, headers={"Content-Length": "4"}), raw(b"ab"), signal(reached), hold(go_on), raw(b"cd"))
        await c.send(GET)
        await c.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.wait_for(reached.wait(), 5)
        go_on.set()
        await c.gets(b"cd")


async def test_stall_and_release() -> None:
    """`stall` goes no further until `release`, then the script and the connection go on."""
    async with FakeUpstream() as server, client(server) as c:
        server.on("/", raw(b"HTTP/1.1 200 OK\r\n"), stall(), raw(b"Content-Length: 0\r\n\r\n"))
        await c.send(GET)
        await c.gets(b"HTTP/1.1 200 OK\r\n")
        server.release()
        await c.gets(b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "make",
    [
        lambda: delay(-1),
        lambda: drip(b"", 0),
        lambda: drip(b"", gap=-1),
        lambda: truncate(5, of=5),
        lambda: truncate(-1),
        lambda: pattern(-1),
        lambda: respond(body=[b""], chunked=[1]),
    ],
)
def test_wrong_parameters(make: Callable[[], object]) -> None:
    """Values that make no sense are refused where they are written."""
    with pytest.raises(ValueError, match=r"must|cuts"):
        make()
