"""What a proxy holds of bodies that are larger than it: next to nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from revproxy.testing import FakeUpstream, hold, pattern, read_body, respond, stop_reading

from ..e2e.wire import GET, TIMEOUT, Client

pytestmark = pytest.mark.soak

MIB = 1 << 20
GIB = 1 << 30
ROOM = 4 * MIB
"""By how much the proxy may grow."""

QUIET = 1.0
"""Seconds without a byte after which a sender counts as stalled."""

ways = pytest.mark.parametrize("way", ["pump", "pull"])
framings = pytest.mark.parametrize("framing", ["length", "chunked"])


class Proxy:
    """A proxy in a process of its own."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port
        self._before = 0

    def _memory(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise LookupError(name)

    def begin(self) -> None:
        """Measure from now on."""
        self._before = self._memory("VmRSS")
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak begins anew

    @property
    def grown(self) -> int:
        """Bytes of resident memory, at its peak, more than at the beginning."""
        return self._memory("VmHWM") - self._before

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Client]:
        with socket.socket() as sock:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
            yield Client(sock)


@asynccontextmanager
async def proxying(server: FakeUpstream, way: str = "pump") -> AsyncIterator[Proxy]:
    """A proxy in front of ``server`` that has served one request before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.proxy", server.url, way),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(TIMEOUT):
            port = int(await process.stdout.readline())
        proxy = Proxy(process.pid, port)
        server.once(respond(body=pattern(200_000)))
        async with proxy.connect() as client:
            await client.send(post("length", 200_000) + b"".join(pattern(200_000)))
            assert len((await client.response()).body) == 200_000
        proxy.begin()
        yield proxy
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(TIMEOUT):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        # Its transport is closed when the pipes are: a turn or two later.
        await process.communicate()
    assert process.returncode == 0


def post(framing: str, size: int) -> bytes:
    field = b"Content-Length: %d" % size if framing == "length" else b"Transfer-Encoding: chunked"
    return b"POST / HTTP/1.1\r\nHost: a.test\r\n" + field + b"\r\n\r\n"


class Flow:
    """A body of 1 GiB that knows how much of it was taken."""

    def __init__(self) -> None:
        self.body = pattern(GIB)
        self.taken = 0
        self._moved = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.body:
            self.taken += len(piece)
            self._moved.set()
            yield piece

    async def stalls(self) -> None:
        """Return when no more is taken."""
        while True:
            self._moved.clear()
            try:
                async with asyncio.timeout(QUIET):
                    await self._moved.wait()
            except TimeoutError:
                return


@ways
@framings
async def test_a_client_that_reads_nothing(framing: str, way: str) -> None:
    """F-73: of 1 GiB that a client does not read, the proxy holds less than 4 MiB."""
    flow = Flow()
    async with FakeUpstream() as server, proxying(server, way) as proxy, proxy.connect() as client:
        length = GIB if framing == "length" else None
        server.once(respond(body=flow, length=length, chunked=framing == "chunked"))
        await client.send(GET)
        await server.wait_requests(2)
        await flow.stalls()
        assert 0 < flow.taken < GIB / 8
        assert proxy.grown < ROOM


@framings
async def test_an_upstream_that_reads_nothing(framing: str) -> None:
    """F-73: of 1 GiB that an upstream does not read, the proxy holds less than 4 MiB."""
    flow, go = Flow(), asyncio.Event()
    async with FakeUpstream() as server, proxying(server) as proxy, proxy.connect() as client:
        server.once(stop_reading(), hold(go))
        uploading = asyncio.create_task(send(client, flow, framing))
        await server.wait_requests(2)
        await flow.stalls()
        assert 0 < flow.taken < GIB / 8
        assert proxy.grown < ROOM
        uploading.cancel()
        await asyncio.wait([uploading])
        go.set()


async def send(client: Client, flow: Flow, framing: str) -> None:
    await client.send(post(framing, GIB))
    async for piece in flow:
        await client.send(b"%x\r\n%b\r\n" % (len(piece), piece) if framing == "chunked" else piece)
    if framing == "chunked":
        await client.send(b"0\r\n\r\n")


@ways
async def test_a_large_download(way: str) -> None:
    """F-73: 1 GiB goes down whole, and the proxy never holds 4 MiB of it."""
    flow = Flow()
    async with FakeUpstream() as server, proxying(server, way) as proxy, proxy.connect() as client:
        server.once(respond(body=flow, length=GIB))
        await client.send(b"GET / HTTP/1.0\r\n\r\n")  # no chunks in between, whichever way
        assert (await client.head()).status == 200
        digest, size = hashlib.sha256(), 0
        while data := await client.some(1 << 18):
            digest.update(data)
            size += len(data)
        assert not client.was_reset
        assert size == GIB
        assert digest.hexdigest() == flow.body.sha256
        assert proxy.grown < ROOM


@framings
async def test_a_large_upload(framing: str) -> None:
    """F-73: 1 GiB goes up whole, and the proxy never holds 4 MiB of it."""
    flow = Flow()
    async with FakeUpstream(record_limit=0) as server, proxying(server) as proxy, proxy.connect() as client:
        server.once(read_body(), respond(201))
        await send(client, flow, framing)
        assert (await client.response()).status == 201
        assert server.requests[-1].body_length == GIB
        assert server.requests[-1].sha256 == flow.body.sha256
        assert proxy.grown < ROOM
