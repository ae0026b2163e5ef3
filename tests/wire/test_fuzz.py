"""Responses of any bytes in any pieces: they are read as a strict reader reads them, or refused, and nothing is left.

The strict reader stands here, written from RFC 9112 and docs/forwarding.md, and shares nothing with the library.
"""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.errors import ProxyError
from revproxy.wire.connection import Connection
from revproxy.wire.settings import Limits

from . import Call, Line, Sink, collect, soon, turns

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
Fields: TypeAlias = list[tuple[str, str]]

WAYS = ("iterate", "pump", "late")
"""How the body is taken: as it comes, into a sink, or only when nothing more is read before it is."""

# --- the reference


@dataclass
class Reading:
    """What a response is. ``state``: ``refused`` (no valid head), ``head`` (its head goes on), ``complete``, ``body``
    (its body goes on), or ``broken`` (its body will never be complete)."""

    state: str = "head"
    interims: list[tuple[int, Fields]] = field(default_factory=list)
    status: int = 0
    reason: str = ""
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    end: int = -1
    """Where it is complete."""
    persistent: bool = False
    chunked: bool = False
    odd: bool = False
    """With chunk extensions or trailers that are none by RFC 9112, of which some pass and some do not. They mean
    nothing."""


_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE = rb"[\t -~\x80-\xff]*"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_HEAD = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: (%b))?\r\n((?:%b:%b\r\n)*)\r\n" % (_VALUE, _TOKEN, _VALUE))
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)((?:;%b)?)\r\n" % _VALUE)
_EXTENSIONS = re.compile(rb"(?:;%b(?:=(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED))
_TRAILERS = re.compile(rb"(?:%b:%b\r\n)*\r\n" % (_TOKEN, _VALUE))
_ENDING = {
    *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "trailer", "te"),
    *("proxy-authentication-info", "transfer-encoding", "upgrade", "http2-settings", "alpn", "close", "alt-svc"),
}
_NO_TRAILERS = {"content-length", "transfer-encoding", "connection", "proxy-connection", "upgrade"}
_KEPT = {"authorization", "content-length", "content-type", "cookie", "host", "set-cookie", "via"}


def read(method: str, stream: bytes, ended: bool) -> Reading:
    """The first final response in ``stream``, behind which the connection has ended or not."""
    found, at = Reading(), 0
    while True:
        stop = stream.find(b"\r\n\r\n", at) + 4
        if stop < 4:
            found.state = "refused" if ended else "head"
            return found
        match = _HEAD.fullmatch(stream, at, stop)
        if match is None:
            return Reading("refused", found.interims)
        at, status = stop, int(match[2])
        fields = _fields(match[4])
        framing = _framing(method, status, match[1], fields)
        options = {
            each.strip(" \t").lower()
            for name, value in fields
            if name.lower() == "connection"
            for each in value.split(",")
        }
        gone = _ENDING | (options - _KEPT)
        if status < 200 or status == 204:
            gone.add("content-length")
        if framing is None or status == 101:
            return Reading("refused", found.interims)
        kept = [(name, value) for name, value in fields if name.lower() not in gone]
        if status >= 200:
            break
        found.interims.append((status, kept))
    found.status, found.reason, found.fields = status, _text(match[3] or b""), kept
    found.persistent = "close" not in options and (match[1] == b"1" or "keep-alive" in options)
    if isinstance(framing, int):
        found.body = stream[at : at + framing]
        at += framing
        found.state = "complete" if at <= len(stream) else "broken" if ended else "body"
    elif framing == "close":
        found.body, found.persistent = stream[at:], False
        found.state = "complete" if ended else "body"
    else:
        at = _chunks(found, stream, at, ended)
    found.end = at
    return found


def _chunks(found: Reading, stream: bytes, at: int, ended: bool) -> int:
    found.state, found.chunked = "broken" if ended else "body", True
    while True:
        if stream.find(b"\r\n", at) < 0:
            return at
        size = _CHUNK.match(stream, at)
        if size is None or int(size[1], 16) >= 1 << 64:
            found.state = "broken"
            return at
        found.odd = found.odd or _EXTENSIONS.fullmatch(size[2]) is None
        at, count = size.end(), int(size[1], 16)
        if not count:
            break
        found.body += stream[at : at + count]
        at += count
        if len(stream) < at + 2:
            if not b"\r\n".startswith(stream[at : at + 2]):
                found.state = "broken"
            return at
        if stream[at : at + 2] != b"\r\n":
            found.state = "broken"
            return at
        at += 2
    trailers = _TRAILERS.match(stream, at)
    if trailers is not None:
        found.state = "complete"
        found.odd = found.odd or any(name.lower() in _NO_TRAILERS for name, _ in _fields(trailers[0][:-2]))
        return trailers.end()
    if b"\r\n\r\n" in stream[at - 2 :]:
        found.state = "broken"
    return at


def _framing(method: str, status: int, minor: bytes, fields: Fields) -> int | str | None:
    """The length, ``chunked``, ``close``, or ``None``: refused (F-61 to F-63)."""
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    codings = [value for name, value in fields if name.lower() == "transfer-encoding"]
    never = status < 200 or status == 204
    if codings:
        if lengths or minor != b"1" or len(codings) > 1 or codings[0].lower() != "chunked" or never:
            return None
        return 0 if method == "HEAD" or status == 304 else "chunked"
    if lengths:
        if len(lengths) > 1 or re.fullmatch("0|[1-9][0-9]{0,17}", lengths[0], re.ASCII) is None:
            return None
        if never and lengths != ["0"]:
            return None
    if never or method == "HEAD" or status == 304:
        return 0
    return int(lengths[0]) if lengths else "close"


def _fields(block: bytes) -> Fields:
    pairs = (line.partition(b":") for line in block.split(b"\r\n")[:-1])
    return [(_text(name), _text(value.strip(b" \t"))) for name, _, value in pairs]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# --- the connection


@dataclass
class Outcome:
    """What the connection made of it. ``state`` as in ``Reading``; ``refused``: an error instead of a response."""

    state: str
    interims: list[tuple[int, Fields]]
    status: int = 0
    reason: str = ""
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    freed: bool = False

    @property
    def summary(self) -> tuple[object, ...]:
        """What does not depend on how the body was taken. How much there is of a part does."""
        return self.state, self.interims, self.status, self.reason, self.fields, self.state == "complete" and self.body


async def drive(method: str, pieces: Sequence[bytes], *, ended: bool, way: str) -> Outcome:
    """A connection that gets ``pieces`` in answer to a request, and then, if it has ``ended``, an end. Fails if
    anything hangs, or is left behind."""
    # Few bytes are held, so that reading pauses often.
    line = Line(limits=Limits(read_buffer=8))
    call, sink, wanted = Call(method=method), Sink(room=2), asyncio.Event()
    outcome = Outcome("head", [])

    def interim(status: int, headers: CIMultiDict[str]) -> None:
        outcome.interims.append((status, list(headers.items())))

    async def take() -> None:
        response = await task
        outcome.state, outcome.status, outcome.reason = "body", response.status, response.reason or ""
        outcome.fields = list(response.headers.items())
        if way == "pump":
            await response.body.pump(sink)
            return
        if way == "late":
            await wanted.wait()
        async for piece in response.body:
            outcome.body += piece

    def stuck() -> bool:
        return not line.reading and not line.end

    async def pass_on() -> None:
        for turn in range(12):
            await asyncio.sleep(0)
            if sink.paused:
                sink.open()
            if stuck():
                wanted.set()
            elif turn >= 4:
                break
        assert not stuck(), "whoever takes the body has taken it, and reading stays paused"

    call.exchange.interim = interim
    task = await line.ask(call)
    taker = asyncio.create_task(take())
    try:
        for piece in pieces:
            if line.end:
                break
            line.gets(piece)
            await pass_on()
        freed = line.owner.freed
        if ended and not line.end:
            line.loses()
        wanted.set()
        await pass_on()
        await pass_on()
        outcome.freed = freed > 0
        if not taker.done():
            assert not ended, "the connection has ended, and something still waits"
            line.clock.advance(1000)
            await pass_on()
            assert taker.done(), "no time ends it"
            assert isinstance(taker.exception(), ProxyError), taker.exception()
            assert line.end == "aborted"
        elif (error := taker.exception()) is None:
            outcome.state = "complete"
        else:
            assert isinstance(error, ProxyError), error
            outcome.state = "refused" if outcome.state == "head" else "broken"
            assert line.end
        if way == "pump":
            outcome.body = sink.data
        if freed and not line.end:
            again = await line.ask(Call())
            line.gets(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain")
            assert await soon(collect((await soon(again)).body)) == b"again"
        call.over()
        line.connection.close()
        await turns(3)
        assert line.end, "open for ever"
        assert line.clock.waiting == 0, line.clock
        assert line.owner.lost == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}
    finally:
        taker.cancel()
    return outcome


def pieces_of(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = sorted({0, *(cut % (len(stream) + 1) for cut in cuts), len(stream)})
    return [stream[start:end] for start, end in pairwise(edges)]


def _allowed(reading: Reading) -> set[str]:
    """How the connection may have read it: as the reference did, or by refusing earlier what can come to nothing."""
    allowed = {reading.state}
    if reading.state in ("head", "broken"):
        allowed.add("refused")  # a body that is spoilt with its head may cost the response
    if reading.odd or (reading.chunked and reading.state == "body"):
        allowed |= {"refused", "broken"}
    return allowed


async def is_read_like_the_reference(method: str, pieces: Sequence[bytes], *, ended: bool) -> Reading:
    """``pieces`` mean to a connection what ``stream`` means to the strict reader, however the body is taken."""
    stream = b"".join(pieces)
    reading = read(method, stream, ended)
    ends, at = set(), 0
    for piece in pieces:
        at += len(piece)
        ends.add(at)
    summaries = []
    for way in WAYS:
        outcome = await drive(method, pieces, ended=ended, way=way)
        summaries.append(outcome.summary)
        assert outcome.state in _allowed(reading), (outcome.state, reading)
        if outcome.status:
            assert (outcome.status, outcome.reason) == (reading.status, reading.reason)
            assert outcome.fields == reading.fields
            assert reading.body.startswith(outcome.body)
            assert outcome.body == reading.body or outcome.state in ("body", "broken")
        assert reading.interims[: len(outcome.interims)] == outcome.interims
        assert outcome.freed == (outcome.state == "complete" and reading.persistent and reading.end in ends)
    assert summaries == [summaries[0]] * len(WAYS)
    return reading


# --- what is sent

FIELDS = [
    *(
        b"X-A: 1",
        b"X-A:2",
        b"x-a: \t caf\xe9 \t",
        b"Date: now",
        b"Set-Cookie: a=1",
        b"Set-Cookie: b",
        b"Server:",
        b"x!: y",
    ),
    *(
        b"Connection: keep-alive",
        b"Connection: close",
        b"connection: X-A, date",
        b"Connection: set-cookie,, Keep-Alive",
    ),
    *(b"Keep-Alive: 5", b"Trailer: X-T", b"Alt-Svc: h2", b"Upgrade: h2c", b"Content-Lengt: 3", b"Transfer-Encodin: x"),
]
FRAMING = [
    *(b"Content-Length: 0", b"Content-Length: 5", b"content-length:05", b"Content-Length: 5, 5", b"Content-Length: +5"),
    *(b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked", b"Transfer-Encoding: gzip, chunked"),
    *(b"Transfer-Encoding: identity", b"Content-Length: 9999999999999999999", b"Content-Length:"),
]
STATUSES = [b"200", b"200", b"200", b"204", b"206", b"304", b"404", b"599"]
EXTENSIONS = [b"", b"", b"", b";a", b";a=b", b';a="b c\\""', b";a=b;c"]
TRAILERS = [b"", b"", b"X-T: 1\r\n", b"X-T: caf\xe9\r\nx-t:\r\n"]
EXCESS = [b"", b"", b"\r\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"0\r\n\r\n"]
SPOILING = b'\r\n\0\t\x0b\x7f\x80\xff :;,0159afx"\\'


@st.composite
def responses(draw: st.DrawFn) -> tuple[str, bytes]:
    """The method of a request, and what an upstream sends in answer: valid, or nearly."""
    method = draw(st.sampled_from(["GET", "GET", "POST", "HEAD"]))
    stream = b""
    for status in draw(st.sampled_from([(), (), (), (b"100",), (b"103", b"199"), (b"101",)])):
        lines = draw(st.lists(st.sampled_from(FIELDS), max_size=2))
        stream += b"\r\n".join([b"HTTP/1.1 %b Wait" % status, *lines, b"", b""])
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0"]))
    start = b"HTTP/%b %b%b" % (
        version,
        draw(st.sampled_from(STATUSES)),
        draw(st.sampled_from([b" OK", b"", b" ", b" \xe9 b"])),
    )
    lines = draw(st.lists(st.sampled_from(FIELDS), max_size=4))
    body = draw(st.sampled_from([b"", b"h", b"hello", b"\r\n\r\n", b"0\r\n\r\n", b"x" * 40]))
    how = draw(st.sampled_from(["length", "length", "chunked", "chunked", "chunked", "close", "odd", "both"]))
    if how == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif how == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
    elif how == "odd":
        lines.append(draw(st.sampled_from(FRAMING)))
    elif how == "both":
        lines += draw(st.lists(st.sampled_from(FRAMING), min_size=2, max_size=2))
    if how == "chunked" or (how == "odd" and draw(st.booleans())):
        chunks = [piece for piece in pieces_of(body, draw(st.lists(st.integers(0, 99), max_size=2))) if piece]
        size = draw(st.sampled_from([b"%x", b"%X", b"%04x"]))
        coded = [size % len(piece) + draw(st.sampled_from(EXTENSIONS)) + b"\r\n" + piece + b"\r\n" for piece in chunks]
        body = b"".join(coded) + b"0\r\n" + draw(st.sampled_from(TRAILERS)) + b"\r\n"
    return method, stream + b"\r\n".join([start, *draw(st.permutations(lines)), b"", body]) + draw(
        st.sampled_from(EXCESS)
    )


@st.composite
def spoilt(draw: st.DrawFn, stream: bytes) -> bytes:
    """``stream`` with up to three bytes changed, inserted or deleted, or cut short."""
    body = stream.find(b"\r\n\r\n") + 4
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))):
        at = draw(st.one_of(st.integers(0, len(stream)), st.integers(min(body, len(stream)), len(stream))))
        byte = bytes([draw(st.one_of(st.sampled_from(SPOILING), st.integers(0, 255)))])
        stream = stream[:at] + draw(st.sampled_from([byte, b""])) + stream[at + draw(st.integers(0, 1)) :]
    return stream[: -draw(st.integers(1, 20))] if draw(st.integers(0, 5)) == 5 else stream


def check_examples(loop_factory: LoopFactory, count: int) -> dict[str, int]:
    """``count`` examples; how many of them ended how. Nothing of their connections is left when they are over."""
    states: dict[str, int] = {}
    with asyncio.Runner(loop_factory=loop_factory) as runner:

        @settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.data())
        def check(data: st.DataObject) -> None:
            method, stream = data.draw(responses())
            stream = data.draw(spoilt(stream))
            anywhere = st.lists(st.integers(0, 1 << 12), max_size=4)
            behind_head = st.just([stream.find(b"\r\n\r\n") + 4])
            cuts = data.draw(st.one_of(anywhere, behind_head, st.just(range(len(stream)))))
            ended = data.draw(st.booleans())
            reading = runner.run(is_read_like_the_reference(method, pieces_of(stream, cuts), ended=ended))
            states[reading.state] = states.get(reading.state, 0) + 1

        before = connections()
        check()
        assert connections() == before
    return states


def connections() -> int:
    """How many connections there are in memory."""
    gc.collect()
    return sum(isinstance(each, Connection) for each in gc.get_objects())


def test_any_response(loop_factory: LoopFactory) -> None:
    """F-54, F-56 to F-67, F-80: whatever an upstream sends, in whatever pieces, it is a response, an error, or waited
    for, as a strict reader has it; iterating and pumping give the same; the connection is used again only where the
    response ended exactly there; and no task, timer or connection is left."""
    check_examples(loop_factory, 200)


def test_any_bytes(loop_factory: LoopFactory) -> None:
    """The same of bytes that are no response at all, or only begin like one."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:

        @settings(max_examples=60, deadline=None)
        @given(
            st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]),
            st.binary(max_size=60),
            st.lists(st.integers(0, 99), max_size=3),
            st.booleans(),
        )
        def check(start: bytes, rest: bytes, cuts: list[int], ended: bool) -> None:
            runner.run(is_read_like_the_reference("GET", pieces_of(start + rest, cuts), ended=ended))

        check()
