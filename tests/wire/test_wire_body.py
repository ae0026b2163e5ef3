"""Response bodies: pulled or pumped, with backpressure, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncGenerator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy.body import EMPTY
from revproxy.errors import ConnectionLost, ProxyError, ResponseBodyTooLarge, StreamTimeout, Truncated
from revproxy.message import Response
from revproxy.testing import FakeUpstream, Step, close, hold, pattern, raw, respond, stall, truncate
from revproxy.wire.body import WireBody
from revproxy.wire.settings import Limits, Timeouts, Tls

from . import Call, Line, Owner, Sink, collect, failure, soon, turns
from . import nothing_left as nothing_left

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"Content-Length: 10\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSED = OK + b"\r\n"
SMALL = Limits(read_buffer=10)

every_kind = pytest.mark.parametrize("kind", ["tcp", "tls", "unix"])


class Place:
    """Where servers of every kind can be had, and what it takes to speak to them."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(directory / "ca.pem")
        self._directory = directory
        self.tls = Tls(ca=directory / "ca.pem")

    def server(self, kind: str) -> FakeUpstream:
        context = None
        if kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert("127.0.0.1").configure_cert(context)
        return FakeUpstream(ssl=context, path=self._directory / "up.sock" if kind == "unix" else None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("wire"))


async def opened(line: Line, call: Call, *pieces: bytes) -> Response:
    """The response that begins with ``pieces``."""
    waiting = await line.ask(call)
    line.gets(*pieces)
    return await soon(waiting)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start != end]


# --- what arrives


@pytest.mark.parametrize(
    ("wire", "content", "length"),
    [
        (SIZED + b"0123456789", b"0123456789", 10),
        (OK + b"Content-Length: 0\r\n\r\n", b"", 0),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello", None),
        (CHUNKED + b"0\r\n\r\n", b"", None),
    ],
    ids=["length", "length 0", "chunked", "chunked, empty"],
)
async def test_a_body_that_came_with_its_head(wire: bytes, content: bytes, length: int | None) -> None:
    """A body that is there with its head is in memory, and the connection is free before anybody has read it."""
    line, call = Line(), Call()
    response = await opened(line, call, wire)
    assert response.body.data == content
    assert response.body.length == length
    assert not isinstance(response.body, WireBody)
    assert (line.owner.freed, line.owner.lost) == (1, 0)
    assert await collect(response.body) == content


@pytest.mark.parametrize(
    ("wire", "length"),
    [(SIZED + b"0123456789", 10), (CHUNKED + b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", None)],
    ids=["length", "chunked"],
)
async def test_any_cut_between_reads(wire: bytes, length: int | None) -> None:
    """Wherever a response is cut in two: its head is handed up as soon as it is there, its body is the same (F-70)."""
    end = wire.index(b"\r\n\r\n") + 4
    for cut in range(1, len(wire)):
        line, call = Line(), Call()
        waiting = await line.ask(call)
        line.gets(wire[:cut])
        await turns(3)
        assert waiting.done() is (cut >= end)
        line.gets(wire[cut:])
        response = await soon(waiting)
        assert await soon(collect(response.body)) == b"0123456789"
        assert (line.owner.freed, line.owner.lost, line.end) == (1, 0, "")


async def test_until_close() -> None:
    """A body without a length ends with the connection, cleanly (F-58)."""
    line, call = Line(), Call()
    response = await opened(line, call, CLOSED, b"hello ")
    assert response.body.length is None
    line.gets(b"world")
    line.loses()
    assert await soon(collect(response.body)) == b"hello world"
    assert (line.owner.freed, line.owner.lost) == (0, 1)
    assert call.attempt.error is None


async def test_chunks_of_nothing_are_not_given() -> None:
    """Iteration never yields an empty chunk, nor is one written to a sink, when only framing has come."""
    line, call = Line(), Call()
    response = await opened(line, call, CHUNKED)
    line.gets(b"5", b"\r\n", b"hel", b"lo", b"\r\n", b"0\r\n", b"X-A: 1\r\n", b"\r\n")
    assert [chunk async for chunk in response.body] == [b"hel", b"lo"]


kinds = st.sampled_from(["length", "chunked", "until close"])


@settings(deadline=None)
@given(
    kinds,
    st.binary(max_size=120),
    st.lists(st.integers(0, 300), max_size=10),
    st.lists(st.integers(1, 40), max_size=5),
    st.integers(1, 30),
    st.integers(1, 4),
    st.integers(0, 6),
)
async def test_pump_and_iteration_give_the_same(
    kind: str, content: bytes, cuts: list[int], sizes: list[int], bound: int, room: int, late: int
) -> None:
    """However a response is cut into reads, however small the buffers are, whenever reading begins and however slowly
    it goes on: iterated or pumped, the same bytes come out, once, in order, and reading goes on afterwards (F-51,
    F-73)."""
    if kind == "length":
        wire = OK + b"Content-Length: %d\r\n\r\n" % len(content) + content
    elif kind == "chunked":
        wire, at = CHUNKED, 0
        for size in [*sizes, len(content)]:
            if piece := content[at : at + size]:
                wire += b"%x\r\n%b\r\n" % (len(piece), piece)
            at += size
        wire += b"0\r\n\r\n"
    else:
        wire = CLOSED + content

    for pumped in (False, True):
        line, call, sink = Line(limits=Limits(read_buffer=bound)), Call(), Sink(room)
        waiting = await line.ask(call)
        taking: asyncio.Task[bytes] | None = None

        async def take(sink: Sink = sink, waiting: asyncio.Task[Response] = waiting, pumped: bool = pumped) -> bytes:
            body = (await waiting).body
            if not pumped:
                return await collect(body)
            await body.pump(sink)
            return sink.data

        for number, piece in enumerate(split(wire, cuts)):
            if number == late and taking is None:
                taking = asyncio.create_task(take())
            for _ in range(1000):
                if line.is_reading():
                    break
                taking = taking or asyncio.create_task(take())
                await asyncio.sleep(0)
                if not line.is_reading() and sink.paused:
                    sink.open()
            line.gets(piece)
            if number % 2:
                await turns(3)
        taking = taking or asyncio.create_task(take())
        for _ in range(1000):
            if taking.done() or (kind == "until close" and line.is_reading() and not sink.paused):
                break
            await asyncio.sleep(0)
            if sink.paused:
                sink.open()
        if kind == "until close":
            line.loses()
        for _ in range(1000):
            if taking.done():
                break
            await asyncio.sleep(0)
            if sink.paused:
                sink.open()
        assert await soon(taking) == content
        assert (line.owner.freed, line.owner.lost) == ((0, 1) if kind == "until close" else (1, 0))
        assert line.is_reading() or line.is_closing(), "the connection is left with its reading paused"
        assert call.attempt.error is None


# --- backpressure


@pytest.mark.parametrize("head", [SIZED.replace(b"10", b"1000"), CHUNKED + b"3e8\r\n", CLOSED], ids=repr)
async def test_a_body_that_nobody_reads(head: bytes) -> None:
    """Of a body that nobody reads, no more is held than the bound and one read; then reading pauses (F-73)."""
    line, call = Line(limits=SMALL), Call()
    response = await opened(line, call, head)
    line.gets(b"x" * 9)
    assert line.is_reading()
    line.gets(b"y" * 7)
    assert not line.is_reading()
    assert ", streaming, 16 held>" in repr(response.body)
    call.over()
    assert line.end == "aborted"


async def test_pulling_resumes() -> None:
    """Reading goes on once there is room again, and pauses again when there is none."""
    line, call = Line(limits=SMALL), Call()
    response = await opened(line, call, CLOSED, b"a" * 6, b"b" * 6)
    assert not line.is_reading()
    chunks = aiter(response.body)
    assert await soon(anext(chunks)) == b"a" * 6
    assert line.is_reading()
    line.gets(b"c" * 3)
    assert line.is_reading()
    line.gets(b"d")
    assert not line.is_reading()
    assert await soon(anext(chunks)) == b"b" * 6
    assert line.is_reading()
    line.loses()
    assert [chunk async for chunk in chunks] == [b"ccc", b"d"]


async def test_pulling_resumes_only_below_the_bound() -> None:
    """While as much is held as may be, reading does not go on, whatever was taken."""
    line, call = Line(limits=SMALL), Call()
    response = await opened(line, call, CLOSED, b"a", b"b" * 8, b"c" * 10)
    chunks = aiter(response.body)
    for chunk in (b"a", b"b" * 8):
        assert await soon(anext(chunks)) == chunk
        assert not line.is_reading()
    assert await soon(anext(chunks)) == b"c" * 10
    assert line.is_reading()
    assert line.pauses == 1
    line.loses()
    assert [chunk async for chunk in chunks] == []


async def test_a_pump_pauses_with_its_sink() -> None:
    """What arrives goes straight into the sink; while that is paused, reading is, and nothing is held (F-73)."""
    line, call, sink = Line(limits=SMALL), Call(), Sink(room=2)
    response = await opened(line, call, SIZED.replace(b"10", b"100"), b"a" * 4)
    pumping = asyncio.create_task(response.body.pump(sink))
    await turns()
    assert sink.data == b"aaaa"
    line.gets(b"b" * 50)
    assert sink.data == b"aaaa" + b"b" * 50
    assert not line.is_reading()
    assert ", 0 held>" in repr(response.body)
    sink.open()
    assert line.is_reading()
    line.gets(b"c" * 23)
    assert line.is_reading()
    line.gets(b"d" * 23)
    await soon(pumping)
    assert sink.data == b"aaaa" + b"b" * 50 + b"c" * 23 + b"d" * 23
    assert (line.owner.freed, line.is_reading()) == (1, True)


async def test_a_pump_writes_what_was_held_first() -> None:
    """What had come before the pump began is written first, at the sink's pace, while more arrives behind it."""
    line, call, sink = Line(limits=Limits(read_buffer=6)), Call(), Sink(room=1)
    response = await opened(line, call, CLOSED, b"1" * 2, b"2" * 2)
    pumping = asyncio.create_task(response.body.pump(sink))
    await turns()
    assert sink.data == b"11"
    line.gets(b"3" * 4)
    assert sink.data == b"11"
    for expected in (b"1122", b"11223333"):
        sink.open()
        await turns()
        assert sink.data == expected
    sink.open()
    await turns()
    assert line.is_reading()
    line.gets(b"4" * 4)
    assert sink.data == b"112233334444"
    assert not line.is_reading()
    sink.open()
    line.loses()
    await soon(pumping)


@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
@pytest.mark.parametrize(
    ("head", "last"),
    [(SIZED.replace(b"10", b"20"), b"x" * 20), (CHUNKED, b"14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n")],
    ids=["length", "chunked"],
)
async def test_a_body_that_ends_while_paused_leaves_a_reading_connection(
    head: bytes, last: bytes, pumped: bool
) -> None:
    """The piece that fills the buffer may be the last one: the connection, free again, reads the next response."""
    line, call, sink = Line(limits=SMALL), Call(), Sink(room=1)
    response = await opened(line, call, head)
    if pumped:
        pumping = asyncio.create_task(response.body.pump(sink))
        await turns()
        line.gets(last)
        await soon(pumping)
    else:
        line.gets(last)
        assert await soon(collect(response.body)) == b"x" * 20
    assert line.owner.freed == 1
    assert line.is_reading()
    again = await opened(line, Call(), OK + b"Content-Length: 2\r\n\r\nok")
    if pumped:
        sink.open()  # the first one's sink, late
    assert await collect(again.body) == b"ok"
    assert line.is_reading()


async def test_a_late_resume_does_not_disturb_the_next_response() -> None:
    """A sink that goes on when the connection is another's has no say in its reading."""
    line, call, sink = Line(limits=SMALL), Call(), Sink(room=1)
    response = await opened(line, call, SIZED)
    pumping = asyncio.create_task(response.body.pump(sink))
    await turns()
    line.gets(b"0123456789")
    await soon(pumping)
    assert sink.paused
    other = Call()
    await opened(line, other, CLOSED, b"x" * 50)
    assert not line.is_reading()
    sink.open()
    assert not line.is_reading()
    other.over()


@every_kind
async def test_large_body_read_slowly(kind: str, place: Place) -> None:
    """Of a body of 16 MiB that is read slowly, not much more than the bound is ever held, and all of it arrives."""
    body = pattern(16 << 20)
    owner = Owner(limits=Limits(read_buffer=65536))
    async with place.server(kind) as server:
        server.respond(body=body)
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint, tls=place.tls))
        response = await soon(owner.send(connection, call))
        digest, most = hashlib.sha256(), 0
        async with asyncio.timeout(20):
            async for chunk in response.body:
                digest.update(chunk)
                held = int(repr(response.body).split(", ")[-1].removesuffix(" held>"))
                most = max(most, held + len(chunk))
        assert digest.hexdigest() == body.sha256
        assert most <= 65536 + 262144, "the bound and one read"
        assert owner.freed == 1
        connection.close()
        await server.gone()


async def test_a_body_that_nobody_reads_stops_the_upstream() -> None:
    """Backpressure reaches the upstream: with nobody reading, it cannot send more than the buffers hold (F-73)."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for piece in pattern(1 << 30):
            sent += len(piece)
            yield piece

    owner = Owner(limits=Limits(read_buffer=65536))
    async with FakeUpstream(socket_buffer=65536) as server:
        server.respond(body=endless, headers={"Content-Length": str(1 << 30)})
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint))
        response = await soon(owner.send(connection, call))
        before = -1
        while sent != before:  # until nothing moves any more
            before = sent
            await turns(200)
        assert sent < 16 << 20
        assert isinstance(response.body, WireBody)
        call.over()
        await server.gone()


# --- ends before the end


@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")], ids=["FIN", "RST"])
@pytest.mark.parametrize(
    ("head", "came"),
    [
        (SIZED, b"012345678"),
        (CHUNKED, b"9\r\n012345678"),
        (CHUNKED, b"9\r\n012345678\r\n"),
        (CHUNKED, b"9\r\n012345678\r\n0\r\n"),
        (CHUNKED, b"9\r\n012345678\r\n0\r\nX-A: 1\r\n"),
    ],
    ids=["length", "amid a chunk", "between chunks", "amid the end", "amid the trailers"],
)
async def test_truncated(head: bytes, came: bytes, error: Exception | None, pumped: bool) -> None:
    """A body that ends before its end is an error, behind what has come of it, never an end; the attempt is told, so
    that health learns of it (F-54, S-15)."""
    line, call, sink = Line(), Call(), Sink(room=100)
    response = await opened(line, call, head)
    got = b""

    async def take() -> None:
        nonlocal got
        if pumped:
            await response.body.pump(sink)
            return
        async for chunk in response.body:
            got += chunk

    taking = asyncio.create_task(take())
    line.gets(came)
    line.loses(error)
    failed = await failure(taking)
    assert isinstance(failed, Truncated)
    assert call.attempt.error is failed
    assert (sink.data if pumped else got) == b"012345678"
    assert (line.owner.freed, line.owner.lost) == (0, 1)
    assert ", failed, " in repr(response.body)


async def test_a_reset_is_no_end_of_a_body_until_close() -> None:
    """A body that would end with the connection is truncated by a RST (F-54, F-58)."""
    line, call = Line(), Call()
    response = await opened(line, call, CLOSED, b"hello")
    line.loses(ConnectionResetError("reset"))
    assert isinstance(await failure(collect(response.body)), Truncated)
    assert isinstance(call.attempt.error, Truncated)


@every_kind
@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("of", [100, None], ids=["length", "chunked"])
async def test_truncated_on_a_real_connection(of: int | None, by_reset: bool, kind: str, place: Place) -> None:
    """The same over a socket (F-54)."""
    owner = Owner()
    async with place.server(kind) as server:
        server.once(truncate(9, of=of, by_reset=by_reset))
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint, tls=place.tls))

        async def whole() -> bytes:
            return await collect((await owner.send(connection, call)).body)

        failed = await failure(whole())
        # A RST may overtake even the head.
        assert isinstance(failed, (Truncated, ConnectionLost) if by_reset else Truncated)
        assert call.attempt.error is failed
        assert (owner.freed, owner.lost, connection.closed) == (0, 1, True)


@pytest.mark.parametrize("garbage", [b"x\r\n", b"5\r\nhelloXX", b"-1\r\n", b"\0"], ids=repr)
async def test_malformed_chunks(garbage: bytes) -> None:
    """What is no chunk ends the body with an error at once, and the connection (F-82)."""
    line, call = Line(), Call()
    response = await opened(line, call, CHUNKED, b"2\r\nok\r\n")
    line.gets(garbage)
    assert line.end == "aborted"
    failed = await failure(collect(response.body))
    assert isinstance(failed, Truncated)
    assert call.attempt.error is failed
    assert failed.status == 502


async def test_malformed_chunks_with_the_head() -> None:
    """If it is seen before the response has been handed up, there is no response at all (F-55)."""
    line, call = Line(), Call()
    waiting = await line.ask(call)
    line.gets(CHUNKED + b"nonsense\r\n")
    failed = await failure(waiting)
    assert isinstance(failed, Truncated)
    assert call.attempt.error is failed
    assert (line.owner.freed, line.owner.lost, line.end) == (0, 1, "aborted")


async def test_endless_chunk_extensions() -> None:
    """Chunk extensions beyond the bound of a head end the body (S-08)."""
    line, call = Line(limits=Limits(head_bytes=1000)), Call()
    response = await opened(line, call, CHUNKED, b"5;a=")
    for _ in range(11):
        if not line.is_closing():
            line.gets(b"x" * 100)
    assert line.end == "aborted"
    assert isinstance(await failure(collect(response.body)), Truncated)


# --- deadlines


async def test_idle() -> None:
    """Between two pieces at most ``idle`` seconds pass; every piece starts the time anew, framing included (F-72)."""
    line, call = Line(timeouts=Timeouts(idle=10)), Call()
    response = await opened(line, call, CHUNKED)
    for piece in (b"5\r", b"\nhel", b"lo\r\n", b"1;a=b"):
        line.clock.advance(9.9)
        line.gets(piece)
    line.clock.advance(9.9)
    assert not line.is_closing()
    line.clock.advance(0.2)
    failed = await failure(collect(response.body))
    assert isinstance(failed, StreamTimeout)
    assert call.attempt.error is failed
    assert line.end == "aborted"
    assert line.clock.waiting == 0


async def test_a_long_stream_is_not_cut() -> None:
    """A body that makes progress is never cut, however long it takes (F-72)."""
    line, call = Line(timeouts=Timeouts(head=1, idle=10)), Call()
    response = await opened(line, call, CLOSED)
    for _ in range(1000):
        line.gets(b": ping\n")
        line.clock.advance(9)
    line.loses()
    assert len(await soon(collect(response.body))) == 7000


@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
async def test_no_deadline_while_paused(pumped: bool) -> None:
    """While it is the reader that takes no more, the upstream is not blamed; afterwards its time starts anew (F-72,
    F-74)."""
    line, call, sink = Line(timeouts=Timeouts(idle=10), limits=SMALL), Call(), Sink(room=1)
    response = await opened(line, call, CLOSED)
    pumping = asyncio.create_task(response.body.pump(sink)) if pumped else None
    await turns()
    line.clock.advance(9)
    line.gets(b"x" * 20)
    assert not line.is_reading()
    line.clock.advance(1000)
    assert not line.is_closing()
    chunks = aiter(response.body)
    if pumped:
        sink.open()
    else:
        assert await soon(anext(chunks)) == b"x" * 20
    assert line.is_reading()
    line.clock.advance(9.9)
    assert not line.is_closing()
    line.clock.advance(0.2)
    assert line.end == "aborted"
    failed = await failure(anext(chunks) if pumping is None else pumping)
    assert isinstance(failed, StreamTimeout)


async def test_no_deadline_after_the_end() -> None:
    """A connection that is free again has no deadline left."""
    line, call = Line(timeouts=Timeouts(idle=10)), Call()
    response = await opened(line, call, SIZED, b"0123456789")
    line.clock.advance(1000)
    assert (line.end, line.owner.freed, line.owner.lost) == ("", 1, 0)
    assert await collect(response.body) == b"0123456789"


# --- given up


async def test_close() -> None:
    """A body that is given up closes its connection at once; once is enough (F-79, F-80)."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"01234")
    response.body.close()
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)
    response.body.close()
    call.over()
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)
    assert call.attempt.error is None, "it is not the upstream's doing"


async def test_close_after_the_end() -> None:
    """At its end a body has let go of its connection: closing it then harms nobody."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"0123456789")
    other = Call()
    waiting = await line.ask(other)
    response.body.close()
    call.over()
    assert not line.is_closing()
    line.gets(OK + b"Content-Length: 2\r\n\r\nok")
    assert (await soon(waiting)).body.data == b"ok"


async def test_the_exchange_closes_what_nobody_took() -> None:
    """A response that a filter drops leaks nothing: the end of the exchange closes its body (F-80)."""
    line, call = Line(), Call()
    await opened(line, call, SIZED)
    assert not line.is_closing()
    call.over()
    assert line.end == "aborted"


async def test_iteration_that_is_given_up() -> None:
    """An iteration that does not go to the end closes the connection when it is closed itself."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"01234")
    chunks = aiter(response.body)
    assert await soon(anext(chunks)) == b"01234"
    assert isinstance(chunks, AsyncGenerator)
    await chunks.aclose()
    assert line.end == "aborted"


@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
@pytest.mark.parametrize("full", [False, True], ids=["waiting", "paused"])
async def test_cancellation(full: bool, pumped: bool) -> None:
    """Whoever reads is cancelled: the connection is closed at once, whatever it is at (F-79, F-80)."""
    line, call, sink = Line(limits=SMALL), Call(), Sink(room=1)
    response = await opened(line, call, CLOSED)
    taking = asyncio.create_task(response.body.pump(sink) if pumped else collect(response.body))
    await turns()
    if full:
        line.gets(b"x" * 30)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(taking)
    assert (line.end, line.owner.freed, line.owner.lost) == ("aborted", 0, 1)
    assert call.attempt.error is None


@pytest.mark.parametrize("held", [b"", b"01234"], ids=["nothing held", "something held"])
@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
async def test_reading_what_was_closed(held: bytes, pumped: bool) -> None:
    """Whoever reads a body that was given up is told so; it neither ends cleanly nor hangs (F-54)."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, *([held] if held else []))
    call.over()
    assert ", failed, 0 held>" in repr(response.body), "what nobody wants takes no memory"
    taking = asyncio.create_task(response.body.pump(Sink(9)) if pumped else collect(response.body))
    await turns()
    assert taking.done(), "it waits for ever"
    with pytest.raises((ProxyError, RuntimeError)):
        await taking


@pytest.mark.parametrize("pumped", [False, True], ids=["pulled", "pumped"])
async def test_closing_what_is_being_read(pumped: bool) -> None:
    """The end of the exchange wakes up who still waits for more, with an error (F-54)."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"01234")
    taking = asyncio.create_task(response.body.pump(Sink(9)) if pumped else collect(response.body))
    await turns()
    call.over()
    await turns()
    assert taking.done(), "it waits for ever"
    with pytest.raises((ProxyError, RuntimeError)):
        await taking


async def test_only_once() -> None:
    """A streaming body can be read only once, by whichever means."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"0123456789"[:5], b"56789")
    assert await collect(response.body) == b"0123456789"
    with pytest.raises(RuntimeError, match="only once"):
        await collect(response.body)
    with pytest.raises(RuntimeError, match="only once"):
        await response.body.pump(Sink())


async def test_read_within_a_limit() -> None:
    """``read`` gives it all, or raises as soon as it is too much, and closes the connection."""
    for head in (SIZED, CHUNKED + b"a\r\n"):
        line, call = Line(), Call()
        response = await opened(line, call, head, b"01234", b"56789" + (b"" if head is SIZED else b"\r\n0\r\n\r\n"))
        assert await soon(response.body.read(10)) == b"0123456789"
        assert not line.is_closing()
        line, call = Line(), Call()
        response = await opened(line, call, head, b"01234")
        line.gets(b"56789")
        if head is SIZED:
            line, call = Line(), Call()
            response = await opened(line, call, head, b"01234")
        assert isinstance(await failure(response.body.read(9)), ResponseBodyTooLarge)
        assert line.end == "aborted"


async def test_repr() -> None:
    """A body says how much there is of it, and how it is doing."""
    line, call = Line(), Call()
    response = await opened(line, call, SIZED, b"012")
    assert repr(response.body) == "<WireBody of 10 bytes, streaming, 3 held>"
    line.gets(b"3456789")
    assert repr(response.body) == "<WireBody of 10 bytes, complete, 10 held>"
    assert await collect(response.body) == b"0123456789"
    assert repr(response.body) == "<WireBody of 10 bytes, complete, 0 held>"


# --- over sockets


@every_kind
@pytest.mark.parametrize(
    ("answer", "length", "reused"),
    [
        (respond(body=b"x" * 100_000), 100_000, True),
        (respond(body=b"x" * 100_000, chunked=[1, 70_000, 5]), None, True),
        (respond(body=[b"x" * 50_000, b"x" * 50_000]), None, False),
        (respond(body=b"x" * 100_000, close=True), 100_000, False),
        (respond(body=b"x" * 100_000, http="1.0"), 100_000, False),
        (respond(body=b"x" * 100_000, http="1.0", headers={"Connection": "keep-alive"}, length=100_000), 100_000, True),
        (respond(body=b"x" * 100_000, chunked=True, headers={"Connection": "close"}), None, False),
    ],
    ids=["length", "chunked", "until close", "length, close", "1.0", "1.0 keep-alive", "chunked, close"],
)
async def test_framings(answer: Step, length: int | None, reused: bool, kind: str, place: Place) -> None:
    """Bodies by length, chunked and until close arrive whole; the connection is free where it may be used again (F-51,
    F-58)."""
    owner = Owner()
    async with place.server(kind) as server:
        server.always(answer)
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint, tls=place.tls))
        response = await soon(owner.send(connection, call))
        assert response.status == 200
        assert response.body.length == length
        assert await soon(collect(response.body)) == b"x" * 100_000
        assert call.attempt.error is None
        assert (owner.freed, owner.lost) == ((1, 0) if reused else (0, 1))
        if reused:
            again = await soon(owner.send(connection, second := Call(server.url)))
            assert await soon(again.body.read(100_000)) == b"x" * 100_000
            assert second.attempt.error is None
            assert [request.connection for request in server.requests] == [1, 1]
            connection.close()
        await server.wait_closed_connections(1)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", respond(body=b"x" * 1000)),
        ("HEAD", respond(body=b"x" * 1000, chunked=True)),
        ("HEAD", raw(b"HTTP/1.1 200 OK\r\n\r\n")),
        ("GET", respond(204)),
        ("GET", respond(204, headers={"Content-Length": "0"})),
        ("GET", respond(304)),
        ("GET", respond(304, length=1000)),
        ("GET", respond(200, headers={"Content-Length": "0"})),
    ],
    ids=str,
)
async def test_no_body(method: str, answer: Step) -> None:
    """An answer to HEAD, a 204 and a 304 have no body, whatever they declare, and the connection is free at once (F-56,
    F-57)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.always(answer)
        connection = await soon(owner.dial(server.url))
        for number in (1, 2, 3):
            response = await soon(owner.send(connection, Call(server.url, method)))
            assert response.body is EMPTY
            assert owner.freed == number
        assert server.connections == 1
        connection.close()
        await server.gone()


async def test_first_piece_comes_before_the_last() -> None:
    """A body is handed on as it comes: the first event is there while the server waits (F-70, F-71)."""
    event = asyncio.Event()
    owner = Owner()
    async with FakeUpstream() as server:
        head = raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        server.once(head, raw(b"data: 1\n\n"), hold(event), raw(b"data: 2\n\n"), close())
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint))
        response = await soon(owner.send(connection, call))
        chunks = aiter(response.body)
        assert await soon(anext(chunks)) == b"data: 1\n\n"
        event.set()
        assert await soon(anext(chunks)) == b"data: 2\n\n"
        with pytest.raises(StopAsyncIteration):
            await soon(anext(chunks))


async def test_head_before_any_body() -> None:
    """The head is handed up before there is any body (F-70)."""
    owner = Owner()
    async with FakeUpstream() as server:
        server.once(raw(SIZED), stall(), raw(b"0123456789"))
        call = Call(server.url)
        connection = await soon(owner.dial(call.endpoint))
        response = await soon(owner.send(connection, call))
        assert response.declared == 10
        server.release()
        assert await soon(collect(response.body)) == b"0123456789"
        connection.close()
        await server.gone()
