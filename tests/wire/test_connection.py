"""One connection: one request at a time, its answer, its deadlines, and every way in which it can end."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import AsyncIterator, Callable

import pytest
from multidict import CIMultiDict

from revproxy.body import EMPTY, Body, StreamBody
from revproxy.errors import (
    BadRequest,
    ClientTimeout,
    ConnectionLost,
    InternalError,
    ProtocolError,
    ProxyError,
    ResponseHeadTooLarge,
    ResponseTimeout,
    SendTimeout,
    StreamTimeout,
    Truncated,
)
from revproxy.testing import (
    FakeUpstream,
    Step,
    Turn,
    close,
    close_while_idle,
    drip,
    ignore_body,
    interim,
    pattern,
    raw,
    read_body,
    reset,
    respond,
    signal,
    stall,
    stop_reading,
)
from revproxy.wire.settings import Limits, Timeouts

from . import Call, Line, Owner, collect, failure, soon, turns, until
from . import nothing_left as nothing_left

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Upload(StreamBody):
    """A request body that the test hands out piece by piece, and that knows whether it was given up."""

    def __init__(self, *, length: int | None = None) -> None:
        self.pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.asked = asyncio.Event()
        self.given_up = False
        self.closed = False
        super().__init__(self._pieces(), length=length)

    def put(self, *pieces: bytes | Exception | None) -> None:
        """More of it; ``None`` is its end."""
        for piece in pieces:
            self.pieces.put_nowait(piece)

    def close(self) -> None:
        self.closed = True
        super().close()

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.asked.set()
                piece = await self.pieces.get()
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        except BaseException:
            self.given_up = True
            raise


def sent_body(line: Line) -> bytes:
    """What was sent behind the head."""
    return line.sent.partition(b"\r\n\r\n")[2]


# --- a transcript


async def test_transcript() -> None:
    """Two requests over one connection, to the byte: what is sent, and what is handed up (F-24 to F-27, F-45)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(
            raw(
                b"HTTP/1.1 201 Made it\r\nx-B: 1\r\nX-B: caf\xe9\r\nConnection: x-c\r\nX-C: 3\r\n"
                b"Content-Length: 5\r\n\r\nhello"
            )
        )
        server.once(raw(b"HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"))
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "POST", "/a%2Fb?c", headers=[("x-a", "1"), ("X-A", "\udce9")], body=b"data")
        response = await soon(owner.send(connection, call))
        assert (response.status, response.reason) == (201, "Made it")
        assert response.field_lines(response.declared) == b"x-B: 1\r\nX-B: caf\xe9\r\nContent-Length: 5\r\n"
        assert response.headers == CIMultiDict([("x-B", "1"), ("X-B", "caf\udce9"), ("Content-Length", "5")])
        assert response.body.data == b"hello"
        assert (call.attempt.sent, call.attempt.status, call.attempt.error) == (True, 201, None)
        second = Call(server.url)
        response = await soon(owner.send(connection, second))
        assert (response.status, response.reason) == (404, "")
        assert await soon(collect(response.body)) == b"no"
        first, other = server.requests
        assert first.raw == (
            b"POST /a%%2Fb?c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-a: 1\r\nX-A: \xe9\r\nContent-Length: 4\r\n"
            b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: example.test\r\nX-Forwarded-Proto: http\r\n\r\ndata"
            % server.port
        )
        assert other.raw.startswith(b"GET / HTTP/1.1\r\n")
        assert b"ontent-" not in other.raw
        assert (first.connection, other.connection, owner.freed, connection.used) == (1, 1, 2, 2)
        connection.close()
        assert (owner.lost, connection.closed) == (1, True)
        await server.gone()


async def test_repr() -> None:
    """A connection says what it is at."""
    line, call = Line(), Call()
    assert repr(line.connection) == "<Connection idle used=0>"
    waiting = await line.ask(call)
    assert repr(line.connection) == "<Connection waiting used=1>"
    line.gets(OK[:-1])
    await soon(waiting)
    assert repr(line.connection) == "<Connection reading used=1>"
    line.gets(OK[-1:])
    assert repr(line.connection) == "<Connection idle used=1>"
    line.connection.close()
    assert repr(line.connection) == "<Connection closed used=1>"


# --- request bodies


@pytest.mark.parametrize("length", [10, None], ids=["length", "chunked"])
async def test_streamed_upload(length: int | None) -> None:
    """A body of known length is sent as it is, another one in chunks, piece by piece as it comes (F-45)."""
    line, body = Line(), Upload(length=length)
    waiting = await line.ask(Call(method="POST", body=body))
    assert line.sent.endswith(b"\r\n\r\n")
    assert (b"\r\nContent-Length: 10\r\n" in line.sent) is (length is not None)
    assert (b"\r\nTransfer-Encoding: chunked\r\n" in line.sent) is (length is None)
    for piece, sent in [
        (b"hello", b"hello" if length else b"5\r\nhello\r\n"),
        (b"0123\n", b"0123\n" if length else b"5\r\n0123\n\r\n"),
    ]:
        before = sent_body(line)
        body.put(piece)
        await line.wrote()
        assert sent_body(line) == before + sent
    body.put(None)
    await turns()
    assert sent_body(line).endswith(b"0123\n" if length else b"\r\n0\r\n\r\n")
    line.gets(OK)
    assert (await soon(waiting)).status == 200
    assert line.owner.freed == 1


@pytest.mark.parametrize("last", [b"Connection: close\r\n", b""])
async def test_connection_after_an_upload(last: bytes) -> None:
    """Behind a whole upload the connection is free, unless the upstream ends it (F-90)."""
    line, body = Line(), Upload(length=5)
    waiting = await line.ask(Call(method="POST", body=body))
    body.put(b"hello", None)
    await turns()
    line.gets(b"HTTP/1.1 200 OK\r\n" + last + b"Content-Length: 0\r\n\r\n")
    await soon(waiting)
    assert (line.owner.freed, line.owner.lost) == ((0, 1) if last else (1, 0))


@pytest.mark.parametrize("length", [3_000_000, None], ids=["length", "chunked"])
async def test_large_upload(length: int | None) -> None:
    """A large body arrives whole, at the pace at which the upstream reads (F-45, F-73)."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in pattern(3_000_000):
            yield piece

    owner = Owner()
    async with FakeUpstream(socket_buffer=65536) as server:
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "PUT", body=StreamBody(pieces(), length=length))
        response = await soon(owner.send(connection, call))
        assert await response.body.read(10) == b"ok"
        (request,) = server.requests
        assert (request.body_length, request.sha256) == (3_000_000, pattern(3_000_000).sha256)
        assert bool(request.getall("transfer-encoding")) is (length is None)
        assert owner.freed == 1
        connection.close()
        await server.gone()


@pytest.mark.parametrize("body", [b"", b"x" * 2_000_000], ids=["none", "2 MB"])
async def test_body_in_memory(body: bytes) -> None:
    """A body that is in memory is sent with its head, and once (F-45)."""
    owner = Owner()
    async with FakeUpstream() as server:
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "POST", body=body)
        assert (await soon(owner.send(connection, call))).status == 200
        assert server.requests[0].body_length == len(body)
        connection.close()
        await server.gone()


@pytest.mark.parametrize("content", [b"hello", b""])
async def test_body_in_memory_that_came_in_chunks(content: bytes) -> None:
    """A body that came without a length goes on without one, even if it is in memory by now (F-45)."""
    line = Line()
    waiting = await line.ask(Call(method="POST", body=Body.unsized(content)))
    assert b"\r\nTransfer-Encoding: chunked\r\n" in line.sent
    assert sent_body(line) == (b"5\r\nhello\r\n" if content else b"") + b"0\r\n\r\n"
    line.gets(OK)
    assert (await soon(waiting)).status == 200
    assert line.owner.freed == 1


class Sloppy(Body):
    """A request body, of somebody who has not read that chunks are not empty."""

    def __init__(self, *chunks: bytes) -> None:
        self.data = None
        self.length = None
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


async def test_empty_chunks_end_nothing() -> None:
    """An empty piece of a body is not written, as it would end the body for the upstream, and what follows would be the
    next request (S-14)."""
    line = Line()
    waiting = await line.ask(Call(method="POST", body=Sloppy(b"", b"one", b"", b"GET /admin HTTP/1.1\r\n\r\n")))
    await turns()
    assert sent_body(line) == b"3\r\none\r\n17\r\nGET /admin HTTP/1.1\r\n\r\n\r\n0\r\n\r\n"
    line.gets(OK)
    assert (await soon(waiting)).status == 200


async def test_upload_pauses() -> None:
    """While the upstream does not read, nothing more is asked of the body (F-73)."""
    line, body = Line(), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    await turns()
    line.full()
    body.put(b"one")
    await line.wrote()
    body.asked.clear()
    body.put(b"two")
    await turns()
    assert not body.asked.is_set()
    assert sent_body(line) == b"3\r\none\r\n"
    line.drained()
    await line.wrote()
    body.put(b"three", None)
    await turns()
    assert sent_body(line) == b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    line.gets(OK)
    await soon(waiting)
    assert line.owner.freed == 1


@pytest.mark.parametrize(
    ("pieces", "sent", "trouble"),
    [
        ([b"0123456789", b"x"], b"0123456789", "exceeds its declared 10"),
        ([b"0123456789x"], b"", "exceeds its declared 10"),
        ([b"01234", b"56789x"], b"01234", "exceeds its declared 10"),
        ([b"01234", None], b"01234", "ended after 5 of its declared 10"),
        ([None], b"", "ended after 0 of its declared 10"),
    ],
)
async def test_declared_length_is_kept(pieces: list[bytes | None], sent: bytes, trouble: str) -> None:
    """Too much or too little of a body: the upstream is cut off, never sent a byte too many, and the client is to blame
    (F-47)."""
    line, body = Line(), Upload(length=10)
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    body.put(*pieces)
    failed = await failure(waiting)
    assert isinstance(failed, BadRequest)
    assert failed.status == 400
    assert trouble in str(failed)
    assert sent_body(line) == sent
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)
    assert call.attempt.error is None, "the endpoint is not to blame"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BadRequest("the client sent no chunk"), BadRequest),
        (ClientTimeout("too slow"), ClientTimeout),
        (ValueError("a filter's bug"), InternalError),
    ],
    ids=repr,
)
@pytest.mark.parametrize("length", [10, None], ids=["length", "chunked"])
async def test_upload_that_fails(length: int | None, error: Exception, expected: type[ProxyError]) -> None:
    """When the body cannot be read to its end, the upstream's connection is cut without a terminating chunk (F-48)."""
    line, body = Line(), Upload(length=length)
    waiting = await line.ask(Call(method="POST", body=body))
    body.put(b"hello", error)
    failed = await failure(waiting)
    assert isinstance(failed, expected)
    assert failed is error or failed.__cause__ is error
    assert sent_body(line) == (b"hello" if length else b"5\r\nhello\r\n")
    assert line.end == "aborted"


async def test_upload_that_fails_is_cut_on_the_wire() -> None:
    """The upstream sees the end of the connection, and no end of the body (F-48)."""
    owner, body = Owner(), Upload()
    async with FakeUpstream() as server:
        server.once(ignore_body(), stall())
        connection = await soon(owner.dial(server.url))
        sending = asyncio.create_task(owner.send(connection, Call(server.url, "POST", body=body)))
        body.put(b"hello")
        await server.wait_requests(1)
        await until(lambda: server.requests[0].body == b"hello")
        body.put(BadRequest("no more"))
        assert isinstance(await failure(sending), BadRequest)
        await server.gone()
        await server.wait_closed_connections()
        assert server.requests[0].raw.endswith(b"\r\n\r\n5\r\nhello\r\n")
        assert not server.requests[0].complete


# --- early answers


@pytest.mark.parametrize("status", [413, 200])
@pytest.mark.parametrize("length", [1000, None], ids=["length", "chunked"])
async def test_early_answer(length: int | None, status: int) -> None:
    """A final answer before the upload has ended is handed up at once; the upload stops, without an end, and the
    connection is not used again (F-48, F-75, S-16)."""
    line, body = Line(), Upload(length=length)
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    body.put(b"hello")
    await line.wrote()
    sent = line.sent
    line.gets(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\nearly" % status)
    response = await soon(waiting)
    assert (response.status, response.body.data) == (status, b"early")
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)
    body.put(b"more", None)
    await turns()
    assert line.sent == sent
    assert (body.closed, body.given_up) == (True, True)
    assert call.attempt.error is None


class Expecting(StreamBody):
    """A body whose sender waits to be told to go on."""

    expects = True


async def test_a_100_that_comes_at_once() -> None:
    """F-78: a 100 that is there before the upload has had its turn is not lost, and not waited for."""
    line = Line()

    async def body() -> AsyncIterator[bytes]:
        yield b"hello"

    told: list[int] = []
    call = Call(method="POST", body=Expecting(body(), length=5))
    call.exchange.interim = lambda status, headers: told.append(status)
    waiting = asyncio.create_task(line.owner.send(line.connection, call))
    await asyncio.sleep(0)
    assert b"Expect: 100-continue\r\n" in line.sent
    line.gets(b"HTTP/1.1 100 Continue\r\n\r\n")
    await turns()
    assert line.sent.endswith(b"\r\n\r\nhello")  # though the clock stands still
    assert told == []  # whoever gives the body tells the client
    line.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (await soon(waiting)).status == 200
    assert line.owner.freed == 1


async def test_a_draft_that_changes_beside_an_upload() -> None:
    """S-14, S-16: a filter that takes the body off the draft while it is being sent does not make the connection fit
    for another request: it is closed when the answer ends."""
    line = Line()

    async def endless() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    call = Call(method="POST", body=StreamBody(endless(), length=1000))
    waiting = await line.ask(call)
    line.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    response = await soon(waiting)
    call.exchange.request.body = EMPTY
    line.gets(b"cd")
    assert await collect(response.body) == b"abcd"
    assert (line.owner.freed, line.connection.closed) == (0, True)
    call.over()


async def test_early_answer_to_an_upload_that_waits() -> None:
    """The same while the upload waits for the upstream to read (F-75)."""
    line, body = Line(), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    await turns()
    line.full()
    body.put(b"hello")
    await line.wrote()
    line.gets(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
    assert (await soon(waiting)).status == 413
    await turns()
    assert (line.end, body.closed) == ("aborted", True)
    assert sent_body(line) == b"5\r\nhello\r\n"


async def test_early_answer_whose_body_streams() -> None:
    """While an early answer's body still comes, the upload goes on beside it; at its end the upload is cut (F-75)."""
    line, body = Line(), Upload()
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    line.gets(b"HTTP/1.1 413 X\r\nContent-Length: 10\r\n\r\n01234")
    response = await soon(waiting)
    body.put(b"hello")
    await line.wrote()
    assert sent_body(line) == b"5\r\nhello\r\n"
    line.gets(b"56789")
    assert await soon(collect(response.body)) == b"0123456789"
    await turns()
    assert (line.end, line.owner.freed, body.given_up) == ("aborted", 0, True)
    assert sent_body(line) == b"5\r\nhello\r\n"


async def test_early_answer_before_a_body_in_memory_was_sent() -> None:
    """The same for a body in memory of which the upstream has not taken all: the connection is not used again (F-75,
    S-16)."""
    line = Line()
    waiting = await line.ask(Call(method="POST", body=b"x" * 1000))
    line.full(unsent=500)
    line.gets(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
    assert (await soon(waiting)).status == 413
    assert (line.owner.freed, line.owner.lost) == (0, 1)


@pytest.mark.parametrize("length", [1 << 30, None], ids=["length", "chunked"])
async def test_early_answer_on_the_wire(length: int | None) -> None:
    """An upstream that refuses an endless upload is heard at once, and then sees it cut, not ended (F-75)."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0)

    owner = Owner()
    async with FakeUpstream(record_limit=1000) as server:
        server.once(ignore_body(), respond(413, body=b"too much"))
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "POST", body=StreamBody(endless(), length=length))
        response = await soon(owner.send(connection, call))
        assert (response.status, await soon(response.body.read(100))) == (413, b"too much")
        await server.gone()
        assert not server.requests[0].complete
        assert (owner.freed, owner.lost) == (0, 1)


async def test_full_duplex() -> None:
    """An upstream that answers while it reads is served: an echo goes on for as long as the upload does, and then the
    connection is free (F-75)."""

    async def echo(turn: Turn) -> None:
        await turn.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        seen = 0
        async with asyncio.timeout(10):
            while not turn.request.complete or seen < turn.request.body_length:
                body = turn.request.body
                if len(body) > seen:
                    await turn.write(b"%x\r\n%b\r\n" % (len(body) - seen, body[seen:].upper()))
                    seen = len(body)
                await asyncio.sleep(0)
        await turn.write(b"0\r\n\r\n")

    owner, body = Owner(), Upload()
    async with FakeUpstream() as server:
        server.once(ignore_body(), echo)
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "POST", body=body)
        response = await soon(owner.send(connection, call))
        chunks = aiter(response.body)
        for word in (b"one", b"two", b"three" * 10_000):
            body.put(word)
            got = b""
            while len(got) < len(word):
                got += await soon(anext(chunks))
            assert got == word.upper()
        body.put(None)
        with pytest.raises(StopAsyncIteration):
            await soon(anext(chunks))
        assert (owner.freed, owner.lost, call.attempt.error) == (1, 0, None)
        assert (await soon(owner.send(connection, Call(server.url)))).status == 200
        connection.close()
        await server.gone()


async def test_upload_that_fails_beside_an_answer() -> None:
    """An upload that fails when the answer has begun harms the answer no more; the connection is closed after it
    (F-76)."""
    line, body = Line(), Upload()
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    line.gets(OK[:-1])
    response = await soon(waiting)
    body.put(b"hello", BadRequest("no more"))
    await turns()
    assert not line.is_closing()
    line.gets(OK[-1:])
    assert await soon(collect(response.body)) == b"ok"
    assert (line.end, line.owner.freed, call.attempt.error) == ("aborted", 0, None)
    assert sent_body(line) == b"5\r\nhello\r\n"


async def test_upload_that_ends_beside_an_answer() -> None:
    """An upload that ends when the answer has begun leaves a connection that can be used again."""
    line, body = Line(), Upload(length=5)
    waiting = await line.ask(Call(method="POST", body=body))
    line.gets(OK[:-1])
    response = await soon(waiting)
    body.put(b"hello", None)
    await turns()
    line.gets(OK[-1:])
    assert await soon(collect(response.body)) == b"ok"
    assert (line.end, line.owner.freed) == ("", 1)


# --- interim responses


async def test_interim_responses() -> None:
    """1xx are handed up in order as they come, and the final answer follows (F-77)."""
    seen: list[tuple[int, CIMultiDict[str]]] = []
    owner = Owner()
    async with FakeUpstream() as server:
        server.always(
            interim(100),
            interim(103, headers=[("Link", "</a>"), ("Link", "</b>"), ("Connection", "x-a"), ("X-A", "1")]),
            interim(199),
            respond(200, body=b"ok"),
        )
        connection = await soon(owner.dial(server.url))
        call = Call(server.url)
        call.exchange.interim = lambda status, headers: seen.append((status, headers))
        response = await soon(owner.send(connection, call))
        assert (response.status, await response.body.read(10)) == (200, b"ok")
        assert seen == [
            (100, CIMultiDict()),
            (103, CIMultiDict([("Link", "</a>"), ("Link", "</b>")])),
            (199, CIMultiDict()),
        ]
        assert call.attempt.status == 200
        silent = await soon(owner.send(connection, Call(server.url)))
        assert silent.status == 200
        assert owner.freed == 2
        connection.close()
        await server.gone()


async def test_interim_hook_that_fails() -> None:
    """An observer of interim responses that raises ends its exchange, and hangs nobody."""

    def broken(status: int, headers: CIMultiDict[str]) -> None:
        raise LookupError(status)

    owner = Owner()
    async with FakeUpstream() as server:
        server.once(interim(103), stall())
        connection = await soon(owner.dial(server.url))
        call = Call(server.url)
        call.exchange.interim = broken
        failed = await failure(owner.send(connection, call))
        assert isinstance(failed, InternalError)
        assert isinstance(failed.__cause__, LookupError)
        assert owner.lost == 1
        await server.gone()


async def test_interim_is_handed_up_at_once() -> None:
    """A 103 does not wait for the final answer (F-77)."""
    seen: list[int] = []
    line, call = Line(), Call()
    call.exchange.interim = lambda status, headers: seen.append(status)
    waiting = await line.ask(call)
    line.gets(b"HTTP/1.1 103 Early Hints\r\n", b"Link: </a>\r\n\r", b"\nHTTP/1.1 ")
    assert seen == [103]
    assert (call.attempt.status, call.attempt.first_byte) == (None, None)
    line.gets(b"200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (await soon(waiting)).status == 200


@pytest.mark.parametrize("together", [True, False])
async def test_interim_responses_are_bounded(together: bool) -> None:
    """32 interim responses are read for each request, one more is too many (S-28)."""
    hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    for count in (32, 33):
        line, call = Line(), Call()
        waiting = await line.ask(call)
        for piece in [hint * count] if together else [hint] * count:
            line.gets(piece)
        if count == 32:
            line.gets(OK)
            assert (await soon(waiting)).status == 200
            waiting = await line.ask(Call())
            line.gets(hint * count + OK)
            assert (await soon(waiting)).status == 200
        else:
            failed = await failure(waiting)
            assert isinstance(failed, ProtocolError)
            assert "32" in str(failed)
            assert line.end == "aborted"


async def test_interim_responses_do_not_stop_the_clock() -> None:
    """However many interim responses come, the final one has to be there in time."""
    line, call = Line(timeouts=Timeouts(head=10)), Call()
    waiting = await line.ask(call)
    for _ in range(9):
        line.clock.advance(1)
        line.gets(b"HTTP/1.1 102 Processing\r\n\r\n")
    line.clock.advance(1.1)
    assert isinstance(await failure(waiting), ResponseTimeout)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x00",
    ],
    ids=["bare", "with Upgrade", "after a 100"],
)
async def test_switch_that_nobody_asked_for(answer: bytes) -> None:
    """A 101 to a request without ``Upgrade`` is a protocol error: 502, and the connection is gone (F-94, S-11)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(raw(answer), stall())
        connection = await soon(owner.dial(server.url))
        call = Call(server.url)
        failed = await failure(owner.send(connection, call))
        assert isinstance(failed, ProtocolError)
        assert failed.status == 502
        assert call.attempt.error is failed
        await server.gone()


@pytest.mark.parametrize("status", [100, 103])
@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
async def test_interim_with_a_body(status: int, framing: str) -> None:
    """An interim response that announces a body is refused: what follows could be taken for the answer (F-57)."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    line.gets(f"HTTP/1.1 {status} X\r\n{framing}\r\n\r\n".encode())
    assert isinstance(await failure(waiting), ProtocolError)
    assert line.end == "aborted"


# --- what is no answer


GARBAGE = {
    "a greeting": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTML": b"<html>",
    "a byte": b"\0",
    "an empty line": b"\r\nHTTP/1.1 200 OK\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1": b"HTTP/1 200 OK\r\n",
    "HTTP/2 frames": b"\0\0\x12\4\0\0\0\0\0",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x28",
    "lower case": b"http/1.1 200 OK\r\n",
    "a request": b"GET / HTTP/1.1\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "bare LF after the status line": b"HTTP/1.1 200 OK\n",
    "bare LF in fields": b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok",
    "bare LF at the end": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok",
    "a bad status": b"HTTP/1.1 999 X\r\n\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n",
    "a NUL": b"HTTP/1.1 200 OK\r\nX-A: \0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "a foreign coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
}
garbage = pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE.keys())


@garbage
async def test_garbage_is_refused_at_once(answer: bytes) -> None:
    """What cannot become a response is refused when it is seen, not when the time is over: 502, and the connection is
    gone (F-61 to F-63, F-66, F-67, F-82, S-06, S-10)."""
    owner = Owner(timeouts=Timeouts(head=3600, idle=3600))
    async with FakeUpstream() as server:
        server.once(raw(answer), stall())
        connection = await soon(owner.dial(server.url))
        call = Call(server.url)
        failed = await failure(owner.send(connection, call))
        assert isinstance(failed, ProtocolError)
        assert failed.status == 502
        assert call.attempt.error is failed
        assert (owner.freed, owner.lost, connection.closed) == (0, 1, True)
        await server.gone()


@garbage
async def test_garbage_bytewise(answer: bytes) -> None:
    """The same byte by byte: no byte more is read than is needed, nothing is reported but ``ProtocolError``."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    for byte in answer:
        if line.is_closing():
            break
        line.gets(bytes([byte]))
    assert isinstance(await failure(waiting), ProtocolError)
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)


@pytest.mark.parametrize("together", [True, False])
async def test_head_too_large(together: bool) -> None:
    """A head of exactly the bound is read; of one more it is given up, whether or not it ends (S-28)."""
    for size, end in [(1000, b"\r\n\r\n"), (1001, b"\r\n\r\n"), (1001, b"")]:
        line, call = Line(limits=Limits(head_bytes=1000)), Call()
        waiting = await line.ask(call)
        start = b"HTTP/1.1 204 OK\r\nX-A: "
        head = start + b"x" * (size - len(start) - len(end)) + end
        assert len(head) == size
        for piece in [head] if together else [bytes([byte]) for byte in head]:
            line.gets(piece)
        if size == 1000:
            assert (await soon(waiting)).status == 204
        else:
            failed = await failure(waiting)
            assert isinstance(failed, ResponseHeadTooLarge)
            assert (failed.status, line.end) == (502, "aborted")


async def test_body_does_not_count_as_head() -> None:
    """A small head with a large body behind it in the same read is no large head."""
    line, call = Line(limits=Limits(head_bytes=100)), Call()
    waiting = await line.ask(call)
    line.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    assert len((await soon(waiting)).body.data or b"") == 1000


async def test_too_many_fields() -> None:
    """More fields than the limit are refused with a 502 (S-28)."""
    line, call = Line(limits=Limits(head_fields=10)), Call()
    waiting = await line.ask(call)
    line.gets(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 11 + b"\r\n")
    failed = await failure(waiting)
    assert isinstance(failed, ResponseHeadTooLarge)
    assert (failed.status, line.end) == (502, "aborted")


async def test_dripping_head() -> None:
    """A head that comes byte by byte is read like any other."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(drip(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok"))
        connection = await soon(owner.dial(server.url))
        response = await soon(owner.send(connection, Call(server.url)))
        assert response.headers["X-A"] == "1"
        assert await soon(collect(response.body)) == b"ok"
        connection.close()
        await server.gone()


# --- lost


RESET = reset()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([close()], ConnectionLost),
        ([RESET], ConnectionLost),
        ([raw(b"HTTP/1.1 100 Continue\r\n\r\n"), close()], ConnectionLost),
        ([raw(b"HTTP/1.1 200 OK\r\nX-A"), close()], ProtocolError),
        ([raw(b"H"), close()], ProtocolError),
        ([raw(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"), close()], ProtocolError),
    ],
    ids=["FIN", "RST", "FIN after a 100", "FIN amid a head", "FIN after a byte", "FIN before the empty line"],
)
async def test_lost_before_the_head(steps: list[Step], expected: type[ProxyError]) -> None:
    """The end of the connection before there is a head: 502, told to the attempt (F-55, F-82)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(*steps)
        connection = await soon(owner.dial(server.url))
        call = Call(server.url)
        failed = await failure(owner.send(connection, call))
        assert type(failed) is expected
        assert failed.status == 502
        assert ("lost: " if steps[-1] is RESET else "closed") in str(failed)
        assert "used before" not in str(failed)
        assert call.attempt.error is failed
        assert (call.attempt.sent, call.attempt.status) == (True, None)
        assert (owner.freed, owner.lost, connection.closed) == (0, 1, True)


async def test_reset_amid_an_upload() -> None:
    """An upstream that resets the connection while it is sent a body: the upload ends, with it the exchange (F-82)."""
    owner, body = Owner(), Upload()
    async with FakeUpstream() as server:
        server.once(stop_reading(), reset())
        connection = await soon(owner.dial(server.url))
        body.put(b"hello")
        failed = await failure(owner.send(connection, Call(server.url, "POST", body=body)))
        assert isinstance(failed, ConnectionLost)
        await turns()
        assert (body.closed, body.given_up, owner.lost) == (True, True, 1)


async def test_ends_while_idle() -> None:
    """A connection that the upstream ends while it is idle is gone at once (F-85)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(respond(body=b"ok"), close_while_idle())
        connection = await soon(owner.dial(server.url))
        response = await soon(owner.send(connection, Call(server.url)))
        assert await response.body.read(10) == b"ok"
        assert owner.freed == 1
        await until(lambda: owner.lost == 1)
        assert connection.closed
        call = Call(server.url)
        failed = await failure(owner.send(connection, call))
        assert isinstance(failed, ConnectionLost)
        assert not call.attempt.sent, "nothing was sent"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "excess",
    [b"x", b"\r\n", OK, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"\0" * 1000],
    ids=["a byte", "an empty line", "a response", "a 408", "NULs"],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_excess_bytes(chunked: bool, excess: bytes) -> None:
    """What comes behind a response, in the same read or while the connection is idle, belongs to nobody: the answer is
    as it was, and the connection is never used again (F-60, S-17)."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" if chunked else OK
    for cut in (len(answer), len(answer) - 1, 20):
        line, call = Line(), Call()
        waiting = await line.ask(call)
        line.gets(*filter(None, [answer[:cut], answer[cut:] + excess]))
        response = await soon(waiting)
        assert response.body.length == (None if chunked else 2)
        assert await soon(collect(response.body)) == b"ok"
        assert line.end == "aborted"
        assert line.owner.lost == 1
        assert line.owner.freed == (cut == len(answer)), "free only while nobody knew"
        assert call.attempt.error is None


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\nok"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nok"),
    ],
    ids=["HEAD", "HEAD, chunked", "204", "304", "length 0"],
)
@pytest.mark.parametrize("apart", [False, True])
async def test_body_where_there_is_none(method: str, answer: bytes, apart: bool) -> None:
    """A body behind a head that has none is excess: never handed up, never taken for the next answer (F-56, F-57,
    F-60)."""
    line, call = Line(), Call(method=method)
    waiting = await line.ask(call)
    head, end, body = answer.partition(b"\r\n\r\n")
    line.gets(*([head + end, body] if apart else [answer]))
    response = await soon(waiting)
    assert response.body is EMPTY
    assert (line.end, line.owner.lost) == ("aborted", 1)


@pytest.mark.parametrize(
    ("method", "fields", "body"),
    [
        ("HEAD", b"Content-Length: 2\r\n", b""),
        ("GET", b"Content-Length: 0\r\n", b""),
        ("GET", b"Content-Length: 2\r\n", b"ok"),
        ("GET", b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\n\r\n"),
    ],
    ids=["HEAD", "length 0", "length", "chunked"],
)
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_close_is_heeded(start: bytes, method: str, fields: bytes, body: bytes) -> None:
    """A connection that the upstream says it will close is not used again, however the response was framed and cut;
    any other is (F-90)."""
    answer = start + fields + b"\r\n" + body
    for cut in range(1, len(answer) + 1):
        line = Line()
        waiting = await line.ask(Call(method=method))
        line.gets(*filter(None, [answer[:cut], answer[cut:]]))
        response = await soon(waiting)
        assert await soon(collect(response.body)) == (b"ok" if body else b"")
        assert (line.owner.freed, line.owner.lost) == ((0, 1) if b"close" in start else (1, 0))


async def test_unasked_bytes_on_a_fresh_connection() -> None:
    """An upstream that speaks first is no HTTP server: the connection is closed."""
    line = Line()
    line.gets(b"220 mail.test ESMTP\r\n")
    assert (line.end, line.owner.lost, line.connection.closed) == ("aborted", 1, True)


# --- deadlines


async def test_head_deadline() -> None:
    """The head has to be there ``head`` seconds after the request was sent: 504 (F-82)."""
    line, call = Line(timeouts=Timeouts(head=10)), Call()
    waiting = await line.ask(call)
    line.clock.advance(9.9)
    line.gets(b"HTTP/1.1 200 OK\r\n")
    line.clock.advance(0.2)
    failed = await failure(waiting)
    assert isinstance(failed, ResponseTimeout)
    assert failed.status == 504
    assert call.attempt.error is failed
    assert (line.end, line.owner.lost, line.clock.waiting) == ("aborted", 1, 0)


async def test_head_deadline_counts_from_the_end_of_the_upload() -> None:
    """A slow upload is not counted against the upstream: its time begins with the last byte (F-82)."""
    line, body = Line(timeouts=Timeouts(head=10, idle=100)), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    for _ in range(5):
        line.clock.advance(99)
        body.put(b"x")
        await line.wrote()
        await turns()
    line.clock.advance(99)
    body.put(None)
    await line.wrote()
    await turns()
    line.clock.advance(9.9)
    assert not waiting.done()
    line.clock.advance(0.2)
    assert isinstance(await failure(waiting), ResponseTimeout)


async def test_head_deadline_of_the_next_request() -> None:
    """Every request has its own deadline, wherever the timer of the one before stands."""
    line = Line(timeouts=Timeouts(head=10))
    for _ in range(5):
        waiting = await line.ask(Call())
        line.clock.advance(9)
        line.gets(OK)
        await soon(waiting)
        line.clock.advance(7)
    waiting = await line.ask(Call())
    line.clock.advance(9.9)
    assert not waiting.done()
    line.clock.advance(0.2)
    assert isinstance(await failure(waiting), ResponseTimeout)


@pytest.mark.parametrize("upload", [False, True])
async def test_deadline_of_the_exchange(upload: bool) -> None:
    """The time left for the whole exchange ends the wait for the head, before ``head`` would, the upload included;
    where it is the client that is waited for then, that is not the upstream's fault."""
    line, body = Line(timeouts=Timeouts(head=100, idle=100)), Upload() if upload else EMPTY
    waiting = await line.ask(Call(method="POST", body=body), deadline=line.clock.now() + 5)
    line.clock.advance(4.9)
    if isinstance(body, Upload):
        body.put(b"x")
        await line.wrote()
        await turns()
    assert not waiting.done()
    line.clock.advance(0.2)
    assert isinstance(await failure(waiting), ClientTimeout if upload else ResponseTimeout)


async def test_deadline_of_the_exchange_ends_with_the_head() -> None:
    """With the head it is over: a body that makes progress is not cut (F-72)."""
    line, call = Line(timeouts=Timeouts(idle=10)), Call()
    waiting = await line.ask(call, deadline=line.clock.now() + 5)
    line.gets(b"HTTP/1.1 200 OK\r\n\r\n")
    response = await soon(waiting)
    for _ in range(10):
        line.clock.advance(9)
        line.gets(b"x")
    line.loses()
    assert await soon(collect(response.body)) == b"x" * 10


@pytest.mark.parametrize("body", [Upload, lambda: Body(b"x" * 1000)], ids=["streamed", "in memory"])
async def test_send_stall(body: Callable[[], Body]) -> None:
    """An upstream that stops reading the request is given up after ``idle`` seconds: 504 (F-82)."""
    line, payload = Line(timeouts=Timeouts(head=1000, idle=10)), body()
    line.full()  # as a transport does at once that cannot write at all
    call = Call(method="POST", body=payload)
    waiting = await line.ask(call)
    if isinstance(payload, Upload):
        payload.put(b"x")
        await turns()
    line.clock.advance(9.9)
    assert not waiting.done()
    line.clock.advance(0.2)
    failed = await failure(waiting)
    assert isinstance(failed, SendTimeout)
    assert failed.status == 504
    assert call.attempt.error is failed
    assert (line.end, line.owner.lost) == ("aborted", 1)


@pytest.mark.parametrize("body", [Upload, lambda: Body(b"x" * 1000)], ids=["streamed", "in memory"])
async def test_slow_is_no_stall(body: Callable[[], Body]) -> None:
    """An upstream that reads slowly makes progress, even if there is never room for more (F-82)."""
    line, payload = Line(timeouts=Timeouts(head=20, idle=10)), body()
    line.full(1000)
    waiting = await line.ask(Call(method="POST", body=payload))
    if isinstance(payload, Upload):
        payload.put(b"x")
        await turns()
    for unsent in range(900, 0, -100):
        line.unsent = unsent
        line.clock.advance(9)
        assert not waiting.done()
    if isinstance(payload, Upload):
        payload.put(None)
    line.drained()
    await turns()
    line.clock.advance(19)
    assert not waiting.done(), "the head's time begins when all is sent"
    line.gets(OK)
    assert (await soon(waiting)).status == 200


@pytest.mark.parametrize("body", [Upload, lambda: Body(b"x" * 1000)], ids=["streamed", "in memory"])
async def test_slow_and_then_stalled(body: Callable[[], Body]) -> None:
    """Progress that was once made does not count for ever."""
    line, payload = Line(timeouts=Timeouts(head=1000, idle=10)), body()
    line.full(1000)
    waiting = await line.ask(Call(method="POST", body=payload))
    if isinstance(payload, Upload):
        payload.put(b"x")
        await turns()
    for unsent in (900, 800):
        line.unsent = unsent
        line.clock.advance(10.1)
        assert not waiting.done()
    line.clock.advance(10.1)
    assert isinstance(await failure(waiting), SendTimeout)


async def test_client_stall_after_a_send_stall() -> None:
    """When the upstream reads again, it is the client's turn again."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10)), Upload()
    line.full(1000)
    waiting = await line.ask(Call(method="POST", body=body))
    body.put(b"x")
    await turns()
    line.drained()
    await turns()
    line.clock.advance(10.1)
    assert isinstance(await failure(waiting), ClientTimeout)


async def test_client_stall() -> None:
    """A client that stops sending is given up after ``idle`` seconds, and is to blame: 408 (F-47, F-82)."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10)), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    await turns()
    line.clock.advance(9)
    body.put(b"x")
    await line.wrote()
    await turns()
    line.clock.advance(9.9)
    assert not waiting.done()
    line.clock.advance(0.2)
    failed = await failure(waiting)
    assert isinstance(failed, ClientTimeout)
    assert failed.status == 408
    assert sent_body(line) == b"1\r\nx\r\n", "no terminating chunk (F-48)"
    await turns()
    assert (line.end, body.given_up) == ("aborted", True)


async def test_client_that_sends_nothing() -> None:
    """The same for a client of whose body nothing ever comes (F-47, S-46)."""
    line = Line(timeouts=Timeouts(head=1000, idle=10))
    waiting = await line.ask(Call(method="POST", body=Upload()))
    await turns()
    line.clock.advance(9.9)
    assert not waiting.done()
    line.clock.advance(0.2)
    assert isinstance(await failure(waiting), ClientTimeout)


async def test_stall_of_an_answer_behind_an_upload() -> None:
    """Behind a whole upload an answer's body has the deadline of a body."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10)), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    body.put(b"x", None)
    await turns()
    line.clock.advance(500)
    line.gets(b"HTTP/1.1 200 OK\r\n\r\n")
    response = await soon(waiting)
    line.clock.advance(9.9)
    assert not line.is_closing()
    line.clock.advance(0.2)
    assert isinstance(await failure(collect(response.body)), StreamTimeout)


async def test_both_sides_stall() -> None:
    """Upload and answer beside each other have a deadline as well, whichever of them stands still."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10)), Upload()
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    await turns()
    line.gets(b"HTTP/1.1 200 OK\r\n\r\n")
    response = await soon(waiting)
    for _ in range(5):
        line.clock.advance(9)
        line.gets(b"x")
        line.clock.advance(5)
        body.put(b"y")
        await line.wrote()
        await turns()
    line.clock.advance(10.1)
    assert isinstance(await failure(collect(response.body)), ProxyError)
    assert (line.end, line.clock.waiting) == ("aborted", 0)


async def test_upload_that_ends_while_reading_is_paused() -> None:
    """The end of an upload starts no deadline for an answer that nobody takes at the moment (F-72)."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10), limits=Limits(read_buffer=10)), Upload()
    call = Call(method="POST", body=body)
    waiting = await line.ask(call)
    await turns()
    line.gets(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20)
    response = await soon(waiting)
    assert not line.is_reading()
    body.put(b"y", None)
    await turns()
    line.clock.advance(1000)
    assert not line.is_closing()
    chunks = aiter(response.body)
    assert await soon(anext(chunks)) == b"x" * 20
    line.clock.advance(10.1)
    assert isinstance(await failure(anext(chunks)), StreamTimeout)


async def test_client_stall_beside_an_answer() -> None:
    """A client that stops sending while the answer has begun is to blame, whether or not it was slow in reading before;
    the endpoint is not (F-47)."""
    for paused in (False, True):
        line, body = Line(timeouts=Timeouts(head=1000, idle=10), limits=Limits(read_buffer=10)), Upload()
        call = Call(method="POST", body=body)
        waiting = await line.ask(call)
        await turns()
        line.gets(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (20 if paused else 5))
        response = await soon(waiting)
        chunks = aiter(response.body)
        await soon(anext(chunks))
        line.clock.advance(10.1)
        failed = await failure(anext(chunks))
        assert isinstance(failed, ClientTimeout), f"paused: {paused}"
        assert call.attempt.error is None


async def test_stall_after_the_upload_is_the_upstream() -> None:
    """Once the upload has ended beside an answer, it is the upstream that is waited for."""
    line, body = Line(timeouts=Timeouts(head=1000, idle=10)), Upload()
    waiting = await line.ask(Call(method="POST", body=body))
    await turns()
    line.gets(b"HTTP/1.1 200 OK\r\n\r\nx")
    response = await soon(waiting)
    line.clock.advance(9)
    body.put(None)
    await line.wrote()
    await turns()
    line.clock.advance(9.9)
    assert not line.is_closing()
    line.clock.advance(0.2)
    assert isinstance(await failure(collect(response.body)), StreamTimeout)


async def test_deadline_on_a_real_connection() -> None:
    """The same over a socket, by the real clock (F-82)."""
    owner = Owner(timeouts=Timeouts(head=0.05))
    async with FakeUpstream() as server:
        server.once(stall(), respond(body=b"late"))
        connection = await soon(owner.dial(server.url))
        assert isinstance(await failure(owner.send(connection, Call(server.url))), ResponseTimeout)
        await server.gone()


async def test_send_stall_on_a_real_connection() -> None:
    """An upstream whose buffers are full and that reads no more, by the real clock (F-82)."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    owner = Owner(timeouts=Timeouts(head=60, idle=0.1))
    async with FakeUpstream(socket_buffer=4096) as server:
        server.once(stop_reading(), stall())
        connection = await soon(owner.dial(server.url))
        call = Call(server.url, "POST", body=StreamBody(endless()))
        assert isinstance(await failure(owner.send(connection, call)), SendTimeout)
        assert (owner.freed, owner.lost) == (0, 1)


# --- half-closed


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 413 Too Large\r\n\r\nno"], ids=["nothing", "until close"])
async def test_end_during_a_blocked_upload(answer: bytes) -> None:
    """An upstream that ends its side while it does not read ours is heard at once, whatever we still had to send (F-55,
    F-75)."""
    loop = asyncio.get_running_loop()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async def serve() -> socket.socket:
        """Read a head and no more, answer, end this side."""
        theirs, _ = await loop.sock_accept(listener)
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += await loop.sock_recv(theirs, 1024)
        await until(lambda: connection.write_paused)
        await loop.sock_sendall(theirs, answer)
        theirs.shutdown(socket.SHUT_WR)
        return theirs

    owner = Owner(timeouts=Timeouts(head=60, idle=60))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        call = Call(f"http://127.0.0.1:{listener.getsockname()[1]}", "POST", body=StreamBody(endless()))
        connection = await soon(owner.dial(call.endpoint))
        serving = asyncio.create_task(serve())
        sending = asyncio.create_task(owner.send(connection, call))
        with await soon(serving):
            async with asyncio.timeout(2):
                if answer:
                    response = await sending
                    assert response.status == 413
                    assert await collect(response.body) == b"no"
                    assert call.attempt.error is None
                else:
                    assert isinstance(await failure(sending), ConnectionLost)
            assert (owner.freed, owner.lost) == (0, 1)


# --- cancelled


PHASES: dict[str, tuple[list[Step], str | None]] = {
    "waiting": ([stall()], None),
    "amid a head": ([raw(b"HTTP/1.1 200 OK\r\nX-A"), stall()], None),
    "after a 103": ([interim(103), stall()], None),
    "uploading": ([ignore_body(), stall()], "endless"),
    "uploading, blocked": ([stop_reading(), stall()], "endless"),
    "uploading, starved": ([ignore_body(), stall()], "starved"),
}


@pytest.mark.parametrize(("steps", "upload"), PHASES.values(), ids=PHASES.keys())
async def test_cancelled(steps: list[Step], upload: str | None) -> None:
    """Whatever an exchange is at, its cancellation closes the connection, ends the upload without an end, and leaves
    nothing (F-48, F-79, F-80)."""
    ended = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            while upload == "endless":
                yield b"x" * 65536
                await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            ended.set()

    owner, reached = Owner(), asyncio.Event()
    async with FakeUpstream(socket_buffer=4096) as server:
        server.once(*steps[:-1], signal(reached), steps[-1])
        connection = await soon(owner.dial(server.url))
        body: Body = StreamBody(pieces()) if upload else EMPTY
        call = Call(server.url, "POST", body=body)
        sending = asyncio.create_task(owner.send(connection, call))
        await soon(reached.wait())
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(sending)
        assert (owner.freed, owner.lost, connection.closed) == (0, 1, True)
        assert call.attempt.error is None, "nobody but the client is to blame"
        if upload:
            await soon(ended.wait())
        if not any("stop_reading" in repr(step) for step in steps):
            await server.gone()
            assert not server.requests[0].raw.endswith(b"0\r\n\r\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()


async def test_cancelled_at_any_turn() -> None:
    """Cancelled at any turn of the event loop, the exchange either never had the connection, or closes it, or had its
    answer already and leaves a connection that works (F-80)."""
    outcomes = set()
    async with FakeUpstream() as server:
        for passes in range(40):
            owner = Owner()
            connection = await soon(owner.dial(server.url))
            call = Call(server.url, "POST", body=b"data")
            sending = asyncio.create_task(owner.send(connection, call))
            await turns(passes)
            sending.cancel()
            try:
                await soon(sending)
                outcomes.add("answered")
            except asyncio.CancelledError:
                outcomes.add("cancelled")
            call.over()
            await turns(3)
            assert connection.closed is bool(owner.lost)
            if not connection.closed:
                response = await soon(owner.send(connection, Call(server.url)))
                assert await soon(collect(response.body)) == b"ok"
            connection.close()
        await server.wait_closed_connections(40)
    assert outcomes == {"answered", "cancelled"}


async def test_cancelled_when_the_answer_is_there() -> None:
    """Who is cancelled when his answer had already come does not harm the connection, which may be another's by now
    (F-80)."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    line.gets(OK)  # the connection is free again
    other = Call()
    begun = asyncio.create_task(line.owner.send(line.connection, other))
    waiting.cancel()  # before it could run
    with pytest.raises(asyncio.CancelledError):
        await soon(waiting)
    await turns()
    assert (line.end, line.owner.lost) == ("", 0)
    line.gets(OK)
    assert (await soon(begun)).body.data == b"ok"
    assert line.owner.freed == 2


async def test_cancelled_when_the_head_is_there() -> None:
    """If the answer's body is still to come, the connection is closed (F-80)."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    line.gets(OK[:-1])
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(waiting)
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)


@pytest.mark.parametrize("rest", [b"", b"HTTP/1.1 200 OK\r\n\r\n", OK], ids=["nothing", "a head", "an answer"])
async def test_bytes_after_a_cancellation(rest: bytes) -> None:
    """What comes between a cancellation and its effect is harmless: nothing is raised, nothing is told to anybody."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    waiting.cancel()
    if rest:
        line.gets(rest)
    with pytest.raises(asyncio.CancelledError):
        await soon(waiting)
    call.over()
    await turns()
    assert line.owner.freed + line.owner.lost == 1
    assert call.attempt.error is None
    line.connection.abort()


async def test_each_end_is_told_once() -> None:
    """However often and in whatever ways a connection ends, its owner is told once."""
    line = Line()
    line.connection.close()
    line.connection.abort()
    line.connection.close()
    await turns()
    assert (line.end, line.owner.lost) == ("closed", 1)


async def test_a_closing_connection_is_closed() -> None:
    """A connection whose end nobody has yet been told of counts as closed, so that the pool gives it to nobody
    (F-85)."""
    line = Line()
    assert not line.connection.closed
    line.close()  # by the event loop
    assert line.connection.closed


# --- what the attempt learns


async def test_times_of_an_attempt() -> None:
    """The attempt learns when the head was there, when the body had ended, and how it went."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    assert call.attempt.sent
    line.clock.advance(2)
    line.gets(b"HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\n")
    line.clock.advance(3)
    line.gets(b"busy")
    response = await soon(waiting)
    attempt = call.attempt
    assert (attempt.status, attempt.first_byte, attempt.ended, attempt.error) == (503, 1002.0, 1005.0, None)
    assert await collect(response.body) == b"busy"
    for answer in (OK, b"HTTP/1.1 204 No Content\r\n\r\n"):
        line.clock.advance(1)
        call = Call()
        waiting = await line.ask(call)
        line.clock.advance(1)
        line.gets(answer)
        await soon(waiting)
        assert call.attempt.first_byte == call.attempt.ended == line.clock.now()


async def test_one_timer() -> None:
    """Whatever it waits for, a connection has one timer at most, and none when it is closed."""
    line, body = Line(timeouts=Timeouts(head=20, idle=10)), Upload()
    call = Call(method="POST", body=body)
    waiting = await line.ask(call, deadline=line.clock.now() + 100)
    for _ in range(20):
        body.put(b"x")
        await line.wrote()
        await turns()
        line.clock.advance(3)
        assert line.clock.waiting == 1
    body.put(None)
    await turns()
    line.gets(b"HTTP/1.1 200 OK\r\n\r\n")
    await soon(waiting)
    for _ in range(20):
        line.clock.advance(3)
        line.gets(b"x")
        assert line.clock.waiting == 1
    call.over()
    assert line.clock.waiting == 0


async def test_error_of_a_body_is_told() -> None:
    """A failure in the middle of a body is told to the attempt even if nobody reads it (F-54)."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    line.gets(OK[:-1])
    await soon(waiting)
    line.loses()
    assert isinstance(call.attempt.error, Truncated)


async def test_sent_once() -> None:
    """A request is sent once, also over a connection that had been used before, whatever comes of it (F-85)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(respond(body=b"ok"))
        server.once(read_body(), reset())
        connection = await soon(owner.dial(server.url))
        await soon(owner.send(connection, Call(server.url)))
        failed = await failure(owner.send(connection, Call(server.url, "POST", body=b"data")))
        assert isinstance(failed, ConnectionLost)
        assert "used before" in str(failed)
        assert [request.method for request in server.requests] == ["GET", "POST"]
        assert server.connections == 1
