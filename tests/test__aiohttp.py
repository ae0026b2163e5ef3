"""Each private part of aiohttp that the library stands on, exercised on a real server: fails when aiohttp changes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from revproxy import _aiohttp
from revproxy.errors import BadRequest, NoEndpoint
from revproxy.message import Response

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """``handler`` on a bare ``web.Server``; its port."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(port: int, raw: bytes) -> bytes:
    """What the server answers to ``raw`` until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_arrived_has_the_head_as_it_came() -> None:
    """The raw head: method, raw target, raw header lines in case and order, decoded values in the same order."""
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        head = _aiohttp.arrived(request)[0]
        seen.append((head.method, head.path, tuple(head.version), head.raw_headers, tuple(head.headers.values())))
        seen.append(head.should_close)
        return web.Response()

    async with serving(handler) as port:
        await ask(port, b"GET /a%2fb?x HTTP/1.1\r\nHOST: h\r\nx-b: 1\r\nX-B: \xe9\r\nConnection: close\r\n\r\n")
    raw = ((b"HOST", b"h"), (b"x-b", b"1"), (b"X-B", b"\xe9"), (b"Connection", b"close"))
    assert seen == [("GET", "/a%2fb?x", (1, 1), raw, ("h", "1", "\udce9", "close")), True]


async def test_arrived_says_from_where() -> None:
    """The peer's address is known per connection, and that there is no TLS."""
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.extend(_aiohttp.arrived(request)[1:])
        return web.Response()

    async with serving(handler) as port:
        await ask(port, b"GET / HTTP/1.0\r\n\r\n")
    peer, secure = seen
    assert isinstance(peer, tuple)
    assert peer[0] == "127.0.0.1"
    assert secure is False


@pytest.mark.parametrize("unix", [False, True])
async def test_whether_it_is_a_unix_socket(unix: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By the family of the connection's socket, not by whether it has an address."""
    seen: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(_aiohttp.on_unix(request))
        return web.Response()

    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        path = str(tmp_path_factory.mktemp("s") / "a")
        await (web.UnixSite(runner, path) if unix else web.TCPSite(runner, "127.0.0.1", 0)).start()
        opening = asyncio.open_unix_connection(path) if unix else asyncio.open_connection(*runner.addresses[0])
        reader, writer = await opening
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.0 200")
        writer.close()
        await writer.wait_closed()
    finally:
        await runner.cleanup()
    assert seen == [unix]


@pytest.mark.parametrize("clones", [False, True])
async def test_watch_client_cancels_at_once(clones: bool) -> None:
    """F-79: when the client's connection is lost, the task that serves it is cancelled, also where that has a clone of
    the request."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if clones:
            request = request.clone(rel_url="/other")
        _aiohttp.watch_client(request)
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        finally:
            _aiohttp.unwatch_client(request)
        return web.Response()

    async with serving(handler) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.wait_for(begun.wait(), 5)
        writer.transport.abort()
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_unwatched_client_cancels_nothing() -> None:
    """After ``unwatch_client`` the handler goes on when its client leaves."""
    begun, left, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        _aiohttp.watch_client(request)
        _aiohttp.unwatch_client(request)
        begun.set()
        while request.transport is not None:  # noqa: ASYNC110 - nothing tells of it but the callback that was undone
            await asyncio.sleep(0)
        left.set()
        await asyncio.sleep(0)
        done.set()
        return web.Response()

    async with serving(handler) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.wait_for(begun.wait(), 5)
        writer.transport.abort()
        await asyncio.wait_for(done.wait(), 5)
        assert left.is_set()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", (False, None, True)),
        (b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", (True, None, True)),
        (b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", (False, None, True)),
    ],
)
async def test_body_facts(raw: bytes, expected: tuple[bool, bytes | None, bool]) -> None:
    """Whether there is a body, whether it was read before, whether it has arrived to its end."""
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.extend((_aiohttp.has_body(request), _aiohttp.already_read(request), _aiohttp.is_drained(request)))
        return web.Response()

    async with serving(handler) as port:
        await ask(port, raw)
    assert tuple(seen) == expected


async def test_body_read_before_is_found() -> None:
    """F-49: what ``request.read()`` took is there for another reader, and a stream that was taken from is known."""
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(_aiohttp.is_touched(request.content))
        await request.read()
        seen.extend((_aiohttp.is_touched(request.content), _aiohttp.already_read(request)))
        return web.Response()

    async with serving(handler) as port:
        await ask(port, b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
    assert seen == [False, True, b"abc"]


@pytest.mark.parametrize(("coding", "expected"), [(b"gzip", True), (b"identity", False)])
async def test_decompression_is_seen(coding: bytes, expected: bool) -> None:
    """F-50: whether the server undoes the coding of a request body can be told before it is read."""
    seen: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(_aiohttp.is_decompressed(request.content))
        return web.Response()

    head = (
        b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\nContent-Encoding: %b\r\n\r\n" % coding
    )
    async with serving(handler) as port:
        await ask(port, head + b"\x1f\x8b\x08")
    assert seen == [expected]


async def test_writing_pauses_and_resumes() -> None:
    """F-73: a transport that is full says so, wakes a waiting callback, and lets ``drain`` return."""
    resumed = asyncio.Event()
    drained = asyncio.Event()
    paused: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        paused.append(_aiohttp.writing_paused(request))
        request.transport.write(bytes(1 << 24))
        paused.append(_aiohttp.writing_paused(request))
        _aiohttp.on_writable(request, resumed.set)
        await _aiohttp.drain(request)
        drained.set()
        request.transport.close()
        return web.Response()

    async with serving(handler) as port:
        await ask(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert paused == [False, True]
    assert drained.is_set()
    assert resumed.is_set()


async def test_waiting_for_a_lost_client_ends() -> None:
    """A callback that waits for a full transport is called also when the client leaves, without a stray exception."""
    resumed, begun = asyncio.Event(), asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(bytes(1 << 24))
        _aiohttp.on_writable(request, resumed.set)
        begun.set()
        await resumed.wait()
        return web.Response()

    async with serving(handler) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.wait_for(begun.wait(), 5)
        writer.transport.abort()
        await asyncio.wait_for(resumed.wait(), 5)


async def test_raw_response_is_taken_for_written() -> None:
    """A ``RawResponse`` goes through the server untouched: its bytes are those that the library wrote, no more; the
    connection is kept, and the sizes are accounted for."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        keep_alive = _aiohttp.may_persist(request)
        out = _aiohttp.RawResponse(request, Response(200), keep_alive)
        seen.append(out.prepared)
        request.transport.write(answer)
        out.sent(len(answer))
        seen.append(request.writer.output_size)
        seen.extend((out.status, out.reason, out.body_length, out.keep_alive, dict(out.headers)))
        return out

    async with serving(handler) as port:
        got = await ask(
            port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        )
    assert got == answer * 2
    assert seen[:7] == [True, len(answer), 200, "OK", len(answer), True, {}]


async def test_signals_are_found_and_run() -> None:
    """``on_response_prepare`` of the application sees and edits the headers of a ``RawResponse``."""
    seen: list[object] = []

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Signal"] = "seen"

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        response = Response(200)
        seen.append(_aiohttp.has_signals(request))
        out = _aiohttp.RawResponse(request, response, False)
        await _aiohttp.run_signals(request, out)
        seen.append(response.headers.get("X-Signal"))
        request.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
        return out

    for signals, expected in (([], [False, None]), ([on_prepare], [True, "seen"])):
        app = web.Application()
        app.router.add_get("/", handler)
        app.on_response_prepare.extend(signals)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await ask(runner.addresses[0][1], b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await runner.cleanup()
        assert seen == expected
        seen.clear()


async def test_malformed_body_reaches_its_reader() -> None:
    """F-47: aiohttp only queues the error of a body that turns out malformed; its reader is told so all the same."""
    begun: asyncio.Event = asyncio.Event()
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        _aiohttp.watch_body(request)
        begun.set()
        try:
            while await request.content.readany():
                pass
        except web.RequestPayloadError as error:
            failed.set_result(error)
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with serving(handler) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        await asyncio.wait_for(begun.wait(), 5)
        writer.write(b"no size\r\n")
        try:
            assert isinstance(await asyncio.wait_for(failed, 5), web.RequestPayloadError)
        finally:
            writer.transport.abort()


async def test_linger_ends_with_the_body_or_the_connection() -> None:
    """What is left of a body is read and dropped; a body that breaks has the connection closed, quietly."""
    for tail, closes in ((b"rest", False), (b"", True)):
        done = asyncio.Event()

        async def handler(request: web.BaseRequest, done: asyncio.Event = done) -> web.StreamResponse:
            _aiohttp.watch_client(request)
            try:
                await _aiohttp.linger(request)
            finally:
                _aiohttp.unwatch_client(request)
                done.set()
            return web.Response(text=str(_aiohttp.is_drained(request)))

        async with serving(handler) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\n" + tail)
            if closes:
                writer.transport.abort()
                await asyncio.wait_for(done.wait(), 5)
            else:
                assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"True")
                writer.close()
                await writer.wait_closed()


def test_the_other_parser_is_told_of() -> None:
    """S-18: a proxy that starts where aiohttp parses in pure Python says so in the log, and only then."""
    program = """
import asyncio, logging
from aiohttp import web
from revproxy import ProxyHandler, Upstream
logging.basicConfig(format="%(levelname)s %(message)s")
async def main():
    async for _ in ProxyHandler(Upstream("http://127.0.0.1:9")).lifespan(web.Application()):
        pass
asyncio.run(main())
"""

    def run(env: dict[str, str]) -> str:
        command, everything = [sys.executable, "-c", program], {**os.environ, **env}
        return subprocess.run(command, env=everything, capture_output=True, text=True, timeout=60, check=True).stderr

    said = [run({}), run({"AIOHTTP_NO_EXTENSIONS": "1"})]
    assert said[0] == ""
    assert said[1].startswith("WARNING aiohttp runs without its C parser")


# Upgrades.

UPGRADE = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Echo(asyncio.Protocol):
    """Takes a transport over from the server."""

    def __init__(self, transport: asyncio.Transport, lost: Callable[[Exception | None], None]) -> None:
        self.transport = transport
        self.lost = lost
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost(exc)
        self.ended.set()


async def test_a_connection_is_taken_over() -> None:
    """F-94: what came behind the request is handed over with the transport, and what comes later does not reach the
    server, which is told of the end alone, and then is done with the connection."""
    seen: list[object] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        taken = _aiohttp.take_over(request)
        assert taken is not None
        transport, early, lost = taken
        seen.append(early)
        echo = Echo(transport, lost)
        transport.set_protocol(echo)
        transport.write(early.upper())
        await asyncio.wait_for(echo.ended.wait(), 5)
        seen.append(request.transport)
        return _aiohttp.RawResponse(request, Response(101), False)

    async with serving(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(UPGRADE + b"early ")
        assert await asyncio.wait_for(reader.readexactly(6), 5) == b"EARLY "
        writer.write(b"get / http/1.1\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(18), 5) == b"GET / HTTP/1.1\r\n\r\n"
        writer.close()
        await writer.wait_closed()
    assert seen == [b"early ", None]


async def test_a_paused_connection_is_taken_over() -> None:
    """F-101: reading that the server has paused, since it got so much before the handler was done, goes on."""
    total = 1_000_000

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        while not request.protocol._buffer_paused:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        taken = _aiohttp.take_over(request)
        assert taken is not None
        transport, early, lost = taken
        echo = Echo(transport, lost)
        transport.set_protocol(echo)
        transport.write(early.upper())
        await asyncio.wait_for(echo.ended.wait(), 5)
        return _aiohttp.RawResponse(request, Response(101), False)

    async with serving(handler) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(UPGRADE + b"x" * total)
        assert await asyncio.wait_for(reader.readexactly(total), 5) == b"X" * total
        writer.close()
        await writer.wait_closed()


async def test_what_cannot_be_taken_over() -> None:
    """F-94: not where the server took what came behind for a request, nor when it shuts down, nor without a client."""
    refused = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        while not request.protocol._messages:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        with pytest.raises(BadRequest):
            _aiohttp.take_over(request)
        request.protocol.close()
        with pytest.raises(NoEndpoint):
            _aiohttp.take_over(request)
        request.protocol.force_close()
        assert _aiohttp.take_over(request) is None
        refused.set()
        return web.Response()

    async with serving(handler) as port:
        await ask(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 2)
    assert refused.is_set()


async def test_a_second_response_is_refused() -> None:
    """F-90: behind a response that has ended no other is written, and the connection ends."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        out = _aiohttp.RawResponse(request, Response(200), True)
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        out.ends()
        return web.Response(text="another")

    async with serving(handler) as port:
        assert await ask(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
