"""Each private part of aiohttp that the guard stands on, exercised on a real server: fails when aiohttp changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from revproxy._aiohttp_server import WatchedHandler, WatchedServer, Watcher, options_of, watch_server

from .wire import turns, until

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\n"


class Notes:
    """A watcher that writes down what it is told."""

    def __init__(self, requests: float = float("inf")) -> None:
        self.told: list[str] = []
        self.requests = requests
        self.connection: WatchedHandler | None = None

    def opened(self) -> None:
        self.told.append("opened")

    def received(self, data: bytes) -> None:
        self.told.append(f"received {len(data)}")

    def head_ended(self) -> None:
        self.told.append("head ended")

    def body_began(self, waits: bool) -> None:
        self.told.append("body began" + ", waits" * waits)

    def body_ended(self) -> None:
        self.told.append("body ended")

    def malformed(self) -> None:
        self.told.append("malformed")

    def closed(self) -> None:
        self.told.append("closed")


@asynccontextmanager
async def serving(app: web.Application, watcher: Notes | None, **options: object) -> AsyncIterator[int]:
    def admit(connection: WatchedHandler, peer: object) -> Watcher | None:
        assert isinstance(peer, tuple)
        if watcher is not None:
            watcher.connection = connection
        return watcher

    runner = web.AppRunner(app, **options)  # type: ignore[arg-type]
    await runner.setup()
    try:
        watch_server(runner, admit)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def echo() -> web.Application:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    return app


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is lost at the end, for certain."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await turns()


async def tell(port: int, *pieces: bytes) -> bytes:
    """What is answered to ``pieces``, each of which arrives by itself, until the server closes or nothing comes."""
    async with connected(port) as (reader, writer):
        try:
            for piece in pieces:
                writer.write(piece)
                await turns()
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 5)
        except OSError:  # by a reset
            return b""


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([GET], ["head ended"]),
        ([GET, GET], ["head ended"]),  # what is as usual is not told
        ([GET[:5], GET[5:]], ["received 5", "head ended"]),
        ([GET + GET[:5], GET[5:]], ["head ended"]),
        ([GET, GET[:5], GET[5:7], GET[7:]], ["head ended", "received 5", "received 2", "head ended"]),
        ([POST + b"Content-Length: 2\r\n\r\nok"], ["head ended"]),
        (
            [POST + b"Content-Length: 4\r\n\r\n", b"a", b"bcd", GET],
            ["body began", "received 1", "received 3", "body ended"],
        ),
        (
            [POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n", b"a\r\n0\r\n\r\n"],
            ["body began", "received 8", "body ended"],
        ),
        ([POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", b"a"], ["body began, waits", "received 1"]),
        ([b"\x16\x03\x01nonsense\r\n\r\n"], ["head ended", "malformed"]),
    ],
)
async def test_a_watcher_is_told(pieces: list[bytes], expected: list[str]) -> None:
    """S-45, S-46: of what a connection receives its watcher knows what is begun and what is complete, in any pieces."""
    notes = Notes()
    async with serving(echo(), notes) as port:
        await tell(port, *pieces)
        await until(lambda: "closed" in notes.told)
    assert notes.told[0] == "opened"
    assert notes.told[1 : 1 + len(expected)] == expected
    assert notes.told[-1] == "closed"


async def test_a_connection_that_is_not_admitted() -> None:
    """S-48: it is closed, nothing of it is parsed, and the server does not have it."""
    async with serving(echo(), None) as port:
        assert await tell(port, GET) == b""


async def test_what_a_connection_says_of_itself() -> None:
    """Whether it waits for a request, reads the body that is on its way, and how much was not taken from it."""
    notes, here, go = Notes(), asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        here.set()
        await go.wait()
        await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(bytes(20_000_000))
        return response

    app = web.Application()
    app.router.add_post("/", handler)
    async with serving(app, notes) as port, connected(port) as (reader, writer):
        await until(lambda: notes.connection is not None)
        connection = notes.connection
        assert connection is not None
        await turns()
        assert (connection.waits, connection.is_read, connection.is_taken_over) == (True, False, False)
        writer.write(POST + b"Content-Length: 5\r\n\r\n")
        await asyncio.wait_for(here.wait(), 5)
        assert (connection.waits, connection.is_read) == (False, True)
        connection.pause_reading()
        assert not connection.is_read
        connection.resume_reading()
        writer.write(b"hello")
        go.set()
        await until(lambda: connection.outgoing[0] > 0)
        await until(lambda: connection.writing_paused)
        before = connection.outgoing[1]
        while connection.outgoing[1] == before:
            await asyncio.wait_for(reader.read(1 << 16), 5)
            await turns()
        connection.refuse(b"never seen, as an answer has begun")
        await until(lambda: "closed" in notes.told)
        assert connection.outgoing == (0, 0)
        connection.refuse(b"")
        connection.cut()


async def test_a_refusal() -> None:
    """An answer of the watcher's is sent, and the connection closed, where nothing has been answered yet."""
    notes = Notes()
    async with serving(echo(), notes) as port, connected(port) as (reader, _):
        await until(lambda: notes.connection is not None)
        assert notes.connection is not None
        notes.connection.refuse(b"HTTP/1.1 408 No\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b"HTTP/1.1 408 No\r\n\r\n"


@pytest.mark.parametrize("pieces", [[GET * 5], [GET, GET, GET], [GET, GET + GET * 3]])
async def test_the_last_request(pieces: list[bytes]) -> None:
    """S-59: the answer to the last request ends the connection, wherever it stands among others."""
    notes = Notes(requests=3)
    async with serving(echo(), notes) as port:
        got = await tell(port, *pieces)
    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert got.count(b"Connection: close") == 1
    assert b"Connection: close" in got.split(b"HTTP/1.1 200 OK")[3]


async def test_a_handler_whose_client_has_left(caplog: pytest.LogCaptureFixture) -> None:
    """S-46: a handler that fails because its client is gone is not logged as an error, one by one."""
    notes = Notes()
    async with serving(echo(), notes) as port, connected(port) as (_, writer):
        writer.write(POST + b"Content-Length: 5\r\n\r\nhe")
        await until(lambda: "body began" in notes.told)
        await turns()
        writer.transport.abort()
        await until(lambda: "closed" in notes.told)
        await turns()
    assert caplog.records == []


async def test_a_handler_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What a handler itself fails with is answered and logged as ever."""

    async def handler(request: web.Request) -> web.Response:
        raise ConnectionError("to somebody else")

    app = web.Application()
    app.router.add_get("/", handler)
    async with serving(app, Notes()) as port, connected(port) as (reader, writer):
        writer.write(GET)
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 500 ")
    assert [record.name for record in caplog.records] == ["aiohttp.server"]


async def test_the_server_is_the_application_s() -> None:
    """The watched server has what the application's had: options, factory of requests, handler."""
    runner = web.AppRunner(web.Application(), auto_decompress=False, keepalive_timeout=7.0, handler_cancellation=True)
    await runner.setup()
    base = runner.server
    assert base is not None
    watch_server(runner, lambda connection, peer: None)
    server = runner.server
    assert isinstance(server, WatchedServer)
    assert (server.request_handler, server.request_factory) == (base.request_handler, base.request_factory)
    assert server.handler_cancellation
    assert server().keepalive_timeout == 7.0
    await runner.cleanup()


async def test_options_are_found() -> None:
    """What a runner, a bare server or an application tells the server."""
    app = web.Application(handler_args={"lingering_time": 1.0})
    assert options_of(None, app) == {"lingering_time": 1.0}
    assert options_of(web.AppRunner(app, auto_decompress=False), app)["auto_decompress"] is False
    server = web.Server(lambda request: None, keepalive_timeout=3.0)  # type: ignore[arg-type, return-value]
    assert options_of(web.ServerRunner(server), None) == {"keepalive_timeout": 3.0}


async def test_aiohttp_itself_waits_for_a_head() -> None:
    """S-45: without a guard a head may take as long as ``keepalive_timeout``, from the connection or the answer
    before, and no other option ends it. (If this fails, docs/limits.md is to be changed.)"""
    runner = web.AppRunner(echo(), keepalive_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with connected(runner.addresses[0][1]) as (reader, writer):
        writer.write(GET[:5])
        assert await asyncio.wait_for(reader.read(), 5) == b""
    await runner.cleanup()
