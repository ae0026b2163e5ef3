"""`FakeUpstream` by transcripts: what a raw client sends, what it gets, what was recorded."""

import asyncio

import pytest

from revproxy.testing.recorded import MalformedRequest, Recorded
from revproxy.testing.script import (
    Action,
    close,
    close_while_idle,
    delay,
    head,
    hold,
    raw,
    respond,
    signal,
    stall,
)
from revproxy.testing.turn import Turn
from revproxy.testing.upstream import FakeUpstream

from .raw_client import GET, OK, POST, client


async def test_default_answer_and_record() -> None:
    """With nothing scripted the answer is 200 "ok", the connection stays, and the request is recorded to the byte."""
    async with FakeUpstream() as server, client(server) as c:
        await c.send(b"PUT /a%2Fb?c HTTP/1.1\r\nhOST: a\r\nX-A: 1\r\nx-a:  caf\xe9 \r\nContent-Length: 5\r\n\r\nhello")
        await c.gets(OK)
        (request,) = server.requests
        assert request.raw_head.startswith(b"PUT /a%2Fb?c HTTP/1.1\r\nhOST: a\r\n")
        assert request.raw == request.raw_head + b"hello"
        assert (request.method, request.target, request.path) == ("PUT", "/a%2Fb?c", "/a%2Fb")
        assert request.version == "1.1"
        assert request.headers == [("hOST", "a"), ("X-A", "1"), ("x-a", "caf\xe9"), ("Content-Length", "5")]
        assert request.getall("X-a") == ["1", "caf\xe9"]
        assert (request.body, request.body_length, request.complete) == (b"hello", 5, True)
        assert (server.connections, server.open, server.left, server.closed) == (1, 1, 0, 0)
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert "listening: 1 requests, 1 connections (1 open, " in repr(server)


async def test_connections_and_pipelining() -> None:
    """Pipelined requests are answered in turn, connections are numbered in order."""
    async with FakeUpstream() as server, client(server) as first, client(server) as second:
        await first.send(GET + POST + b"01234" + GET)
        await first.gets(OK * 3)
        await second.send(GET)
        await second.gets(OK)
        assert [request.connection for request in server.requests] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    "request_head",
    [b"GET / HTTP/1.0\r\n\r\n", GET.replace(b"a\r\n", b"a\r\nConnection: x, Close\r\n")],
)
async def test_client_asks_to_close(request_head: bytes) -> None:
    """HTTP/1.0 and `Connection: close` from the client end the connection after the answer."""
    async with FakeUpstream() as server, client(server) as c:
        await c.send(request_head)
        await c.gets(OK)
        await c.gets_fin()


async def test_which_script() -> None:
    """`once` in order, then the newest `on` that fits (path without query, or a function), then the default."""

    def is_delete(request: Recorded) -> bool:
        return request.method == "DELETE"

    async with FakeUpstream() as server, client(server) as c:
        server.respond(200, body=b"default", headers={"X-A": "1"})
        server.on("/p", respond(body=b"old"))
        server.on("/p", respond(body=b"path"))
        server.on(is_delete, respond(body=b"delete"))
        server.once(respond(body=b"first"))
        server.once(respond(body=b"second"))
        for line, extra, body in [
            (b"GET /p", b"", b"first"),
            (b"GET /", b"", b"second"),
            (b"GET /p?q", b"", b"path"),
            (b"DELETE /p", b"", b"delete"),
            (b"GET /p/", b"X-A: 1\r\n", b"default"),
        ]:
            await c.send(line + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            await c.gets(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (extra, len(body), body))


@pytest.mark.parametrize("by_fin", [True, False])
@pytest.mark.parametrize("wait", [stall(), delay(60), hold(asyncio.Event())], ids=repr)
async def test_a_client_that_leaves_ends_a_wait(wait: Action, by_fin: bool) -> None:
    """When the client leaves amid a wait, `gone` returns at once, the script ends there, and that is no error."""
    later = asyncio.Event()
    async with FakeUpstream() as server, client(server) as c:
        server.on("/", wait, signal(later))
        await c.send(GET)
        await server.wait_requests(1)
        if by_fin:
            c.writer.close()
        else:
            c.reset()
        await server.gone()
        await server.wait_closed_connections()
        assert (server.left, server.open, server.errors, later.is_set()) == (1, 0, [], False)


async def test_close_while_idle() -> None:
    """After an answer that kept the connection open, FIN: at once by the action, or on command."""
    async with FakeUpstream() as server:
        server.once(respond(body=b"ok"), close_while_idle())
        for on_command in (False, True):
            async with client(server) as c:
                await c.send(GET)
                await c.gets(OK)
                if on_command:
                    await server.close_idle()
                await c.gets_fin()
        await server.wait_closed_connections(2)
        assert server.left == 0


async def test_close_idle_spares_the_busy() -> None:
    """`close_idle` waits for its number of idle connections and leaves the others alone."""
    async with FakeUpstream() as server, client(server) as busy, client(server) as idle, client(server) as fresh:
        server.once(stall(), respond(body=b"ok"))
        await busy.send(GET)
        await server.wait_requests(1)
        await idle.send(GET)
        await idle.gets(OK)
        await server.close_idle(2)
        await idle.gets_fin()
        await fresh.gets_fin()
        server.release()
        await busy.gets(OK)


async def test_errors_of_scripts_surface() -> None:
    """An exception in a step or a predicate fails the test at the end; the client sees its connection end."""

    async def broken(turn: Turn) -> None:
        raise LookupError(turn.request.target)

    def wrong(request: Recorded) -> bool:
        raise ZeroDivisionError

    with pytest.RaisesGroup(LookupError, ZeroDivisionError, RuntimeError) as caught:
        async with FakeUpstream() as server:
            server.once(broken)
            server.on(wrong, respond(200))
            for _ in range(2):
                async with client(server) as c:
                    await c.send(GET)
                    await c.gets_fin()
            server.once(close(), raw(b"too late"))
            async with client(server) as c:
                await c.send(GET)
                await c.gets_fin()
    assert "GET /" in caught.value.exceptions[0].__notes__[0]


async def test_a_failing_test_stays_the_cause() -> None:
    """When the test itself fails, its error is raised and the scripts' errors are a note on it."""

    async def broken(turn: Turn) -> None:
        raise LookupError("in the script")

    async def test() -> None:
        async with FakeUpstream() as server, client(server) as c:
            server.on("/", broken)
            await c.send(GET)
            await c.gets_fin()
            raise KeyError

    with pytest.raises(KeyError) as caught:
        await test()
    assert "in the script" in caught.value.__notes__[0]


async def test_errors_can_be_expected() -> None:
    """An error that a test provokes can be taken out of `errors`."""
    async with FakeUpstream() as server, client(server) as c:
        await c.send(b"?\r\n\r\n")
        await server.wait_closed_connections()
        assert isinstance(server.errors.pop(), MalformedRequest)


@pytest.mark.parametrize("what", ["wait_requests", "wait_closed_connections", "gone", "close_idle"])
async def test_waits_are_bounded(what: str) -> None:
    """A wait that fails says for what, how long, and the server's state."""
    async with FakeUpstream(timeout=0) as server:
        with pytest.raises(TimeoutError, match=r"^no 3 .* within 0 s: <FakeUpstream http://.* listening: 0 requests"):
            await getattr(server, what)(3)
        with pytest.raises(TimeoutError, match=r"within 0.001 s"):
            await getattr(server, what)(3, timeout=0.001)


async def test_own_steps_on_a_tunnel() -> None:
    """An async function of a `Turn` is a step: here one that echoes after a 101."""

    async def echo(turn: Turn) -> None:
        while data := await turn.read():
            await turn.write(data.upper())

    async with FakeUpstream() as server, client(server) as c:
        server.on("/", head(101, headers={"Upgrade": "x", "Connection": "Upgrade"}), echo)
        await c.send(GET + b"early")
        await c.gets(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nEARLY")
        await c.send(b"late")
        await c.gets(b"LATE")
        c.writer.write_eof()
        await c.gets_fin()


async def test_half_closed_client_gets_its_answer() -> None:
    """A client that only ends its sending side still gets what a script writes without waiting."""
    async with FakeUpstream() as server, client(server) as c:
        await c.send(GET)
        c.writer.write_eof()
        await c.gets(OK)
        await c.gets_fin()
