"""Both ends of a proxy under test: a server that it is mounted in, and a client of raw bytes.

async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
    await client.send(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    assert (await client.response()).status == 200
    await client.send(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
    assert (await client.rest()).endswith(b"ok")
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

import revproxy
import revproxy.testing
from revproxy import Endpoint, ProxyHandler, Upstream
from revproxy.guard import Guard, GuardedRunner
from revproxy.handler import Handler, walk

TIMEOUT = 10.0
"""Seconds that anything here may take."""

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


@dataclass(slots=True)
class Answer:
    """One response, as it stood on the wire."""

    raw_head: bytes
    raw_body: bytes = b""
    """As it came, chunk sizes and all."""
    chunks: list[bytes] = field(default_factory=list)
    """The pieces of a chunked body; else the body as one, if there is any."""

    @property
    def version(self) -> bytes:
        return self.raw_head.split(b" ", 1)[0]

    @property
    def status(self) -> int:
        return int(self.raw_head.split(b" ", 2)[1])

    @property
    def reason(self) -> bytes:
        return self.raw_head.split(b"\r\n", 1)[0].split(b" ", 2)[2]

    @property
    def lines(self) -> list[bytes]:
        """The field lines, in order, to the byte."""
        return self.raw_head[:-4].split(b"\r\n")[1:]

    def getall(self, name: bytes) -> list[bytes]:
        """All values of a field, whatever its case."""
        pairs = (line.partition(b":") for line in self.lines)
        return [value.strip(b" \t") for key, _, value in pairs if key.lower() == name.lower()]

    @property
    def body(self) -> bytes:
        """The content, without its framing."""
        return b"".join(self.chunks)


class Client:
    """A raw connection to the proxy; nothing is read before it is asked for, and every wait is bounded."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.was_reset = False
        """The connection ended by a reset, not by an end."""
        self._held = b""

    async def send(self, data: bytes) -> None:
        """Returns when the kernel has all of it. Raises ``ConnectionError`` if the proxy does not take it any more."""
        async with asyncio.timeout(TIMEOUT):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    def end(self) -> None:
        """Half-close: nothing more will be sent."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Leave, by a FIN (a RST if something was left unread)."""
        self.sock.close()

    def reset(self) -> None:
        """Leave, by a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def some(self, size: int = 65536) -> bytes:
        """What is there, ``size`` bytes at most, at least one; empty at the end, whichever it is."""
        if not self._held:
            await self._fill()
        data, self._held = self._held[:size], self._held[size:]
        return data

    async def exactly(self, size: int) -> bytes:
        """``size`` bytes. Raises ``EOFError`` if the connection ends before."""
        parts = []
        while size:
            data = await self.some(size)
            if not data:
                raise EOFError(f"the connection ended {size} bytes before what was expected")
            size -= len(data)
            parts.append(data)
        return b"".join(parts)

    async def gets(self, expected: bytes) -> None:
        """The next bytes are these."""
        got = await self.exactly(len(expected))
        assert got == expected, (got, expected)

    async def rest(self) -> bytes:
        """Everything up to the end, whichever it is (``was_reset``)."""
        parts = []
        while data := await self.some(1 << 20):
            parts.append(data)
        return b"".join(parts)

    async def until(self, mark: bytes) -> bytes:
        """Everything up to and with ``mark``. Raises ``EOFError`` if the connection ends before."""
        while (end := self._held.find(mark)) < 0:
            if not await self._fill():
                raise EOFError(f"the connection ended after {self._held!r}")
        end += len(mark)
        data, self._held = self._held[:end], self._held[end:]
        return data

    async def head(self) -> Answer:
        """The head of the next response; its body is yet to be read."""
        return Answer(await self.until(b"\r\n\r\n"))

    async def response(self, to: str = "GET") -> Answer:
        """The next response to a request of method ``to``; a 1xx is one, too.

        Fails if its framing is not exactly one of those that RFC 9112 section 6.3 knows. Raises ``EOFError`` if it is
        cut.
        """
        answer = await self.head()
        lengths, codings = answer.getall(b"Content-Length"), answer.getall(b"Transfer-Encoding")
        assert len(lengths) + len(codings) <= 1, answer
        assert codings in ([], [b"chunked"]), answer
        if to == "HEAD" or answer.status < 200 or answer.status in (204, 304):
            assert not codings or to == "HEAD", answer
            return answer
        if codings:
            await self._chunked(answer)
        elif lengths:
            answer.raw_body = await self.exactly(int(lengths[0]))
            answer.chunks = [answer.raw_body] if answer.raw_body else []
        else:
            assert answer.getall(b"Connection") == [b"close"], answer
            answer.raw_body = await self.rest()
            assert not self.was_reset, answer
            answer.chunks = [answer.raw_body] if answer.raw_body else []
        return answer

    async def final(self, to: str = "GET") -> Answer:
        """The next final response; interim ones are passed over."""
        while (answer := await self.response(to)).status < 200:
            pass
        return answer

    async def _chunked(self, answer: Answer) -> None:
        raw = []
        while True:
            line = await self.until(b"\r\n")
            size = int(line, 16)
            piece = await self.exactly(size + 2)
            assert piece.endswith(b"\r\n"), piece
            raw += [line, piece]
            if not size:
                break
            answer.chunks.append(piece[:-2])
        answer.raw_body = b"".join(raw)

    async def _fill(self) -> bool:
        try:
            async with asyncio.timeout(TIMEOUT):
                data = await asyncio.get_running_loop().sock_recv(self.sock, 1 << 18)
        except ConnectionError:
            self.was_reset = True
            return False
        self._held += data
        return bool(data)


class Site:
    """Where the proxy under test listens."""

    def __init__(self, runner: web.BaseRunner) -> None:
        self.runner = runner
        self.address: Any = runner.addresses[0]

    @property
    def port(self) -> int:
        return int(self.address[1])

    @asynccontextmanager
    async def connect(self, *, receive_buffer: int | None = None) -> AsyncIterator[Client]:
        """A new connection. ``receive_buffer``: the size of the kernel's, for tests of backpressure."""
        family = socket.AF_UNIX
        if not isinstance(self.address, str | bytes):  # bytes: an abstract one
            family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        with socket.socket(family) as sock:
            sock.setblocking(False)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            async with asyncio.timeout(TIMEOUT):
                await asyncio.get_running_loop().sock_connect(sock, self.address)
            yield Client(sock)

    async def ask(self, raw: bytes) -> Answer:
        """The answer to ``raw``, on a connection of its own."""
        async with self.connect() as client:
            await client.send(raw)
            return await client.final(to=raw.split(b" ", 1)[0].decode("ascii", "replace"))


@asynccontextmanager
async def serving(
    what: ProxyHandler | web.Application | web.Server | Handler,
    *,
    host: str = "127.0.0.1",
    unix: str | None = None,
    sock: socket.socket | None = None,
    ssl_context: ssl.SSLContext | None = None,
    guard: Guard | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    """``what`` on a free loopback port, on the Unix socket ``unix``, or on ``sock``.

    It is a handler, which gets a ``ProxyHandler`` of its own; a ``ProxyHandler``, which is mounted at ``/`` of an
    application of its own; an application; or a bare server.

    ``options`` are the runner's, which is a ``GuardedRunner`` if there is a ``guard``. The server lingers 0.1 s, not
    10, over a request body that was not read before its answer. At the end nothing may be left: no task of the
    proxy's, no request in flight (unless an application or a server is given), no exception that nobody has seen.
    """
    options.setdefault("lingering_time", 0.1)
    endpoints: list[Endpoint] = []
    runner: web.BaseRunner
    if isinstance(what, web.Server):
        runner = web.ServerRunner(what, shutdown_timeout=TIMEOUT, **options)
    else:
        if not isinstance(what, web.Application | ProxyHandler):
            what = ProxyHandler(what, via=None)
        if isinstance(what, ProxyHandler):
            endpoints = [each for part in walk(what.root) if isinstance(part, Upstream) for each in part.endpoints]
            proxy, what = what, web.Application()
            proxy.mount(what)
        if guard is None:
            runner = web.AppRunner(what, shutdown_timeout=TIMEOUT, **options)
        else:
            runner = GuardedRunner(what, guard=guard, shutdown_timeout=TIMEOUT, **options)
    with _unseen() as unseen:
        await runner.setup()
        try:
            if sock is not None:
                await web.SockSite(runner, sock, ssl_context=ssl_context).start()
            elif unix is not None:
                await web.UnixSite(runner, unix, ssl_context=ssl_context).start()
            else:
                await web.TCPSite(runner, host, 0, ssl_context=ssl_context).start()
            yield Site(runner)
        finally:
            await runner.cleanup()
        left = await _left()
    assert not unseen, unseen
    assert not left, left
    assert not [each for each in endpoints if each.in_flight], endpoints


@contextmanager
def _unseen() -> Iterator[list[object]]:
    """What the event loop or the server complain of."""
    unseen: list[object] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)):  # a client's nonsense
                unseen.append(record.exc_info or record.getMessage())

    loop, collect, logger = asyncio.get_running_loop(), Collect(logging.ERROR), logging.getLogger("aiohttp.server")
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda loop, context: unseen.append(context))
    logger.addHandler(collect)
    try:
        yield unseen
    finally:
        logger.removeHandler(collect)
        loop.set_exception_handler(before)


async def _left() -> list[object]:
    """Tasks of the library or the server that go on although all is over, and has been for a while."""
    left: list[asyncio.Task[Any]] = [task for task in asyncio.all_tasks() if _is_ours(task.get_coro())]
    if left:
        await asyncio.wait(left, timeout=1)
    return [task for task in left if not task.done()]


_OURS = tuple(f"{os.path.dirname(package.__file__ or '')}{os.sep}" for package in (aiohttp, revproxy))
_THEIRS = os.path.dirname(revproxy.testing.__file__)


def _is_ours(coroutine: object) -> bool:
    code = getattr(coroutine, "cr_code", None)
    file = "" if code is None else code.co_filename
    return file.startswith(_OURS) and not file.startswith(_THEIRS)
