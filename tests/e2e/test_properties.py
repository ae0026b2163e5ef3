"""Any valid message arrives unchanged, but for what a row of docs/forwarding.md names; any other is refused, or goes on
as what a strict reader makes of it.

The strict reader stands here, written from RFC 9112 and the rows, and shares nothing with the library. Every claim is
made twice: for messages that nobody looks at, whose lines are passed on as they are, and for ones whose fields a filter
has looked at, which were decoded and written anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revproxy import Exchange, Handler, Pipeline, Response, Upstream
from revproxy.testing import FakeUpstream
from revproxy.testing.turn import Turn

from .wire import Answer, Client, Site, serving

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
Field: TypeAlias = tuple[bytes, bytes]

MIB = 1 << 20

both_ways = pytest.mark.parametrize("looked_at", [False, True], ids=["as it is", "looked at"])


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# --- the two ends


class World:
    """One upstream behind one proxy, for all examples of a test: a pair for each would take most of the time."""

    def __init__(self, runner: asyncio.Runner, server: FakeUpstream, site: Site) -> None:
        self._runner = runner
        self.server = server
        self.site = site

    def run(self, example: Coroutine[Any, Any, None]) -> None:
        self._runner.run(example)

    async def fresh(self) -> None:
        """The upstream has done with whatever an earlier example left to it, and remembers nothing."""
        async with asyncio.timeout(5):
            while self.server.open != self.server.idle:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
        self.server.requests.clear()
        self.server.errors.clear()


async def look(exchange: Exchange, handler: Handler) -> Response:
    """A filter that looks at the fields of both messages, and with that has them decoded."""
    assert "x-forwarded-proto" in exchange.request.headers
    response = await handler(exchange)
    assert "connection" not in response.headers
    return response


@contextmanager
def world(loop_factory: LoopFactory, looked_at: bool) -> Iterator[World]:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        stack = AsyncExitStack()

        async def begin() -> World:
            server = await stack.enter_async_context(FakeUpstream(record_limit=2 * MIB))
            upstream = Upstream(server.url)
            handler: Handler = Pipeline(look, handler=upstream) if looked_at else upstream
            return World(runner, server, await stack.enter_async_context(serving(handler)))

        made = runner.run(begin())
        try:
            yield made
        finally:
            runner.run(stack.aclose())


async def settle() -> None:
    """Let all that is under way between the sockets of this one event loop come to rest."""
    for _ in range(30):
        await asyncio.sleep(0)


async def send(client: Client, data: bytes, cuts: Sequence[int] = ()) -> None:
    """``data`` in pieces that most likely arrive as such."""
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    for start, end in pairwise(edges):
        if start != end:
            await client.send(data[start:end])
            if end != len(data):
                await asyncio.sleep(0)
                await asyncio.sleep(0)


# --- the reference: what a strict reader sees, and what then has to go upstream


@dataclass
class Seen:
    """A request whose head is good. ``complete``: all of its body is there."""

    method: bytes
    target: bytes
    version: bytes
    fields: list[Field]
    length: int | None
    """``None``: chunked. A request without a body has none declared and 0 here."""
    body: bytes = b""
    complete: bool = False
    refused: bool = False
    """It is plain where it ends, but it is of another version, or asks for what is on no host."""

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key.lower() == name]

    @property
    def options(self) -> set[bytes]:
        return {each.strip(b" \t").lower() for value in self.all(b"connection") for each in value.split(b",")}

    @property
    def closes(self) -> bool:
        """Whether nothing that follows on the connection is a request."""
        return b"close" in self.options or (self.version != b"1.1" and b"keep-alive" not in self.options)


_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# Leniencies of aiohttp's parser, each allowed by RFC 9112 and none a second reading of the same bytes: line ends before
# a request (section 2.2), several spaces between the parts of its first line (section 3).
_HEAD = re.compile(
    rb"[\r\n]*(%b) +([!-~]+)(?: +HTTP/([0-9]\.[0-9]))?\r\n((?:%b:[\t -~\x80-\xff]*\r\n)*)\r\n" % (_TOKEN, _TOKEN)
)
_HOST = re.compile(rb"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*)?\r\n")
_TRAILERS = re.compile(rb"(?:%b:[\t -~\x80-\xff]*\r\n)*\r\n" % _TOKEN)


def read(stream: bytes) -> tuple[list[Seen], str]:
    """The requests in ``stream``, and why there are no more: ``end``, ``more`` (the last one goes on, or a head has
    begun), ``close`` (the client wants no more), or ``error``."""
    found: list[Seen] = []
    while stream:
        if b"\r\n\r\n" not in stream.lstrip(b"\r\n"):
            return found, "more"
        match = _HEAD.match(stream)
        if match is None:
            return found, "error"
        method, target, version, block = match.groups(b"0.9")
        pairs = (line.partition(b":") for line in block.split(b"\r\n")[:-1])
        seen = Seen(method, target, version, [(name, value.strip(b" \t")) for name, _, value in pairs], 0)
        hosts, lengths, codings = seen.all(b"host"), seen.all(b"content-length"), seen.all(b"transfer-encoding")
        if len(hosts) > 1 or (version == b"1.1" and not hosts):
            return found, "error"
        if not target.startswith(b"/"):
            absolute = re.match(rb"(?i)https?://([^/?#]*)", target)
            seen.refused = target != b"*" and (absolute is None or _HOST.fullmatch(absolute[1]) is None)
        if hosts and seen.target[:1] in b"/*":
            seen.refused = _HOST.fullmatch(hosts[0]) is None and (version, hosts) != (b"1.0", [b""])
        seen.refused = seen.refused or version not in (b"1.0", b"1.1")  # F-01
        if codings:
            if lengths or version == b"1.0" or len(codings) > 1 or codings[0].lower() != b"chunked":
                return found, "error"
            seen.length = None
        elif lengths:
            if len(lengths) > 1 or re.fullmatch(b"[0-9]+", lengths[0]) is None:
                return found, "error"
            seen.length = int(lengths[0])
        found.append(seen)
        stream = stream[match.end() :]
        if seen.length is not None:
            seen.body, stream = stream[: seen.length], stream[seen.length :]
            if len(seen.body) < seen.length:
                return found, "more"
        else:
            while True:
                size = _CHUNK.match(stream)
                if size is None:
                    return found, "error" if b"\r\n" in stream else "more"
                stream, count = stream[size.end() :], int(size[1], 16)
                if not count:
                    break
                seen.body += stream[:count]
                if len(stream) < count + 2:
                    return found, "more"
                if stream[count : count + 2] != b"\r\n":
                    return found, "error"
                stream = stream[count + 2 :]
            trailers = _TRAILERS.match(stream)
            if trailers is None:
                return found, "error" if b"\r\n\r\n" in stream else "more"
            stream = stream[trailers.end() :]
        seen.complete = True
        if seen.closes:
            return found, "close"
    return found, "end"


HOP_BY_HOP = {
    *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te"),
    *(b"proxy-authentication-info", b"trailer", b"transfer-encoding", b"upgrade", b"http2-settings", b"alpn", b"close"),
}
CLAIMS = {
    *(b"forwarded", b"x-real-ip", b"true-client-ip", b"x-client-ip", b"x-cluster-client-ip", b"fastly-client-ip"),
    *(b"x-original-host", b"x-original-url", b"x-rewrite-url", b"x-http-method", b"x-http-method-override"),
    b"x-method-override",
}
REQUEST_ENDS = HOP_BY_HOP | CLAIMS | {b"host", b"expect", b"proxy"}
RESPONSE_ENDS = HOP_BY_HOP | {b"alt-svc", b"server", b"via"}
PROTECTED = CLAIMS | {
    *(b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"set-cookie", b"via"),
}


def nominated(options: set[bytes]) -> set[bytes]:
    """F-20, F-21: the fields that end here because ``Connection`` names them."""
    return {name for name in options if name not in PROTECTED and not name.startswith(b"x-forwarded-")}


def forwarded(seen: Seen, port: int) -> bytes:
    """The head that goes upstream for ``seen``, by the rows, to the byte."""
    target, asked = seen.target, b"".join(seen.all(b"host"))
    if target != b"*" and not target.startswith(b"/"):  # F-08
        asked, mark, rest = re.split(b"([/?]|$)", target.partition(b"://")[2], maxsplit=1)
        target = (b"" if mark == b"/" else b"/") + mark + rest
    lines = [b"%b %b HTTP/1.1" % (seen.method, target), b"Host: 127.0.0.1:%d" % port]  # F-01, F-02, F-13
    gone = REQUEST_ENDS | nominated(seen.options)
    for name, value in seen.fields:
        lowered = name.lower()
        if lowered in gone or lowered.startswith((b"x-forwarded-", b"cf-")):  # F-20, F-22, F-36
            continue
        if re.fullmatch(b"[A-Za-z0-9-]+", name) is None:  # S-23
            continue
        if lowered == b"content-length":
            value = b"%d" % int(value)
        lines.append(b"%b: %b" % (name, value))
    lines.append(b"X-Forwarded-For: 127.0.0.1")
    lines += [b"X-Forwarded-Host: " + asked] if asked else []  # F-15
    lines.append(b"X-Forwarded-Proto: http")
    lines += [b"Transfer-Encoding: chunked"] if seen.length is None else []  # F-45
    return b"\r\n".join([*lines, b"", b""])


def test_the_reference() -> None:
    """The strict reader reads what RFC 9112 allows, and nothing else."""
    head = b"GET / HTTP/1.1\r\nHost: a.test\r\n"
    for bad in (b"X : 1", b" X: 1", b"X: 1\n", b"X: a\rb", b"X", b": 1", b"Host: b", b"X: a\0", b"Content-Length: -1"):
        assert read(head + bad + b"\r\n\r\n") == ([], "error")
    both = b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert read(head + both + b"0\r\n\r\n") == ([], "error")
    coded = head + b"Transfer-Encoding: chunked\r\n\r\n"
    first, second = read(coded + b"2;x\r\nok\r\n0\r\nX: 1\r\n\r\n" + head + b"\r\n")[0]
    assert (first.body, first.complete, second.length, second.complete) == (b"ok", True, 0, True)
    for data, why in ((b"2\r\nok!\r\n", "error"), (b"2\r\no", "more"), (b"g\r\n", "error")):
        assert [read(coded + data)[0][0].complete, read(coded + data)[1]] == [False, why]
    assert read(head + b"Connection: x, Close\r\n\r\nGET")[1] == "close"
    assert read(b"\r\n" + head)[1] == "more"


# --- (a) any valid request

METHODS = b"""
    GET HEAD POST PUT PATCH DELETE OPTIONS COPY LOCK UNLOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH BIND REBIND UNBIND ACL
    REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE QUERY
""".split()
"""Those that aiohttp's parser knows and the proxy forwards (F-09, F-16, F-35)."""

SEGMENTS = [
    *(
        b"a",
        b"A",
        b"b.c",
        b"...",
        b"a..",
        b"~",
        b"%7e",
        b"%41",
        b"%2F",
        b"%2f",
        b"%20",
        b"%25",
        b"%252e%252e",
        b"%0d%0a",
    ),
    *(b"%3F", b"%23", b"%e9", b"%c3%A9", b";x", b"a;b=c", b":", b"@", b"http:", b"*", b"+", b'"', b"<b>", b"[1]", b"|"),
    *(b"^", b"`", b"{c}", b"!$&'()*+,;=", b"", b"", b"_-"),
]

QUERY = bytes(byte for byte in range(0x21, 0x7F) if byte != 0x23)


@st.composite
def targets(draw: st.DrawFn) -> bytes:
    """Any target that the path policy lets pass, in origin-form, or now and then in absolute-form."""
    target = b"/" + b"/".join(draw(st.lists(st.sampled_from(SEGMENTS), max_size=5)))
    if draw(st.booleans()):
        target += b"?" + draw(st.lists(st.sampled_from(QUERY), max_size=20).map(bytes))
    where = draw(st.integers(0, 9))
    if where == 0:
        return draw(st.sampled_from([b"http://b.test", b"HTTPS://b.test:8443", b"http://[::1]:80"])) + target
    if where == 1:
        target = draw(st.sampled_from([b"", b"/"])) + target
    return target


VALUE = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
OPTIONAL_SPACE = st.sampled_from([b"", b" ", b"\t", b" \t "])
ONCE = [
    *(
        b"Accept",
        b"Authorization",
        b"User-Agent",
        b"Content-Type",
        b"Cookie",
        b"ETag",
        b"If-Match",
        b"Origin",
        b"Range",
    ),
    *(b"traceparent", b"Via", b"Cache-Control", b"Upgrade-Insecure-Requests", b"Early-Data", b"Referer", b"Date"),
]
ENDING = [
    *(b"Keep-Alive", b"Proxy-Connection", b"TE", b"Trailer", b"Upgrade", b"Proxy", b"HTTP2-Settings", b"Forwarded"),
    *(
        b"X-Forwarded-For",
        b"x-forwarded-server",
        b"X-REAL-IP",
        b"CF-Connecting-IP",
        b"X-Original-URL",
        b"my_own",
        b"x.y",
    ),
    *(b"!#$%&'*+-.^_`|~", b"Host_"),
]
OWN = [b"X-A", b"x-a", b"X-B", b"X-C-D", b"x-1", b"0", b"-", b"X--", b"Sec-Fetch-Mode", b"N" * 60]

values = st.one_of(
    st.binary(max_size=12).map(lambda raw: bytes(byte for byte in raw if byte in VALUE).strip(b" \t")),
    st.lists(st.sampled_from(VALUE), max_size=12).map(lambda raw: bytes(raw).strip(b" \t")),
    st.sampled_from(
        [b"", b"a, b", b"caf\xc3\xa9", b"\x80", b"\xff\xfe", b"\xc2\xa0", b"\x85", b'"q\\"', b"a  b\tc", b":"]
    ),
)


SPELLINGS: list[Callable[[bytes], bytes]] = [bytes, bytes.lower, bytes.upper, bytes.swapcase]


@st.composite
def fields(draw: st.DrawFn, ending: Sequence[bytes]) -> list[Field]:
    """Fields of a valid message, in any order: own ones any number of times, well-known ones once."""
    names = draw(st.lists(st.sampled_from(OWN), max_size=6))
    names += draw(st.lists(st.sampled_from(ONCE), max_size=4, unique=True))
    names += draw(st.lists(st.sampled_from(ending), max_size=3, unique_by=bytes.lower))
    spelt = st.sampled_from(SPELLINGS)
    return [(draw(spelt)(name), draw(values)) for name in draw(st.permutations(names))]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, list[int], list[int]]:
    """A body, where it is cut into chunks, and where the message is cut into writes."""
    cuts = st.lists(st.integers(0, 1 << 24), max_size=4)
    size = draw(st.one_of(st.integers(0, 40), st.integers(0, 40), st.integers(0, 20_000)))
    return random.Random(size).randbytes(size), draw(cuts), draw(cuts)


def in_chunks(body: bytes, cuts: Sequence[int], extension: bytes = b"", trailers: bytes = b"") -> bytes:
    edges = sorted({0, *(cut % (len(body) + 1) for cut in cuts), len(body)})
    chunks = [b"%x%b\r\n%b\r\n" % (b - a, extension, body[a:b]) for a, b in pairwise(edges)]
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


def block(lines: Sequence[Field]) -> bytes:
    return b"".join(b"%b: %b\r\n" % line for line in lines)


@st.composite
def requests(draw: st.DrawFn, *, at_once: bool = False) -> tuple[bytes, bytes, list[int]]:
    """The head and the body of a valid request, and where to cut it into writes."""
    method, version = draw(st.sampled_from(METHODS)), draw(st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0"]))
    target = b"*" if method == b"OPTIONS" and draw(st.booleans()) else draw(targets())
    lines = draw(fields(ENDING))
    framing = draw(st.sampled_from([b"none", b"length", b"length", b"chunked" if version == b"1.1" else b"none"]))
    body, chunks, cuts = draw(bodies())
    special: list[Field] = []
    if version == b"1.1" or draw(st.booleans()):
        special.append((b"Host", draw(st.sampled_from([b"a.test", b"A.test:8080", b"[::1]:80", b"127.0.0.1"]))))
    if framing == b"none":
        body = b""
    elif framing == b"length":
        special.append((b"Content-Length", b"%d" % len(body)))
    else:
        special.append((b"Transfer-Encoding", draw(st.sampled_from([b"chunked", b"Chunked"]))))
        body = in_chunks(
            body, chunks, draw(st.sampled_from([b"", b";a=b"])), draw(st.sampled_from([b"", b"X-T: 1\r\n"]))
        )
    option = draw(st.sampled_from([b"", b"", b"close", b"keep-alive", b"x-a", b"Keep-Alive, X-B", b",x-c-d,\tcookie"]))
    if option:
        special.append((b"Connection", option))
    for name, value in special:
        lines.insert(
            draw(st.integers(0, len(lines))), (draw(st.sampled_from([name, name.lower(), name.upper()])), value)
        )
    space = [draw(OPTIONAL_SPACE), draw(OPTIONAL_SPACE)] if lines else []
    head = b"".join(
        b"%b:%b%b%b\r\n" % (name, space[0], value, b"" if name.lower() == b"transfer-encoding" else space[1])
        for name, value in lines
    )
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, head), body, [] if at_once else cuts


async def arrives(world: World, stream: bytes, cuts: Sequence[int]) -> None:
    """The one request in ``stream`` is answered, and went upstream as the rows have it."""
    await world.fresh()
    (seen,), _ = read(stream)
    assert seen.complete
    async with world.site.connect() as client:
        await send(client, stream, cuts)
        answer = await client.final(to=seen.method.decode())
    assert answer.status == 200, answer
    (got,) = world.server.requests
    assert got.raw_head == forwarded(seen, world.server.port)
    assert (got.body, got.complete, got.trailers) == (seen.body, True, [])
    assert world.server.errors == []


@both_ways
def test_any_valid_request_arrives(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-01 to F-08, F-10 to F-16, F-20 to F-29, F-36, F-45, F-46, F-64, F-65: whatever a valid request is, in whatever
    pieces, it arrives upstream as the rows have it, to the byte."""
    with world(loop_factory, looked_at) as here:

        @examples(120)
        @given(requests())
        def check(request: tuple[bytes, bytes, list[int]]) -> None:
            head, body, cuts = request
            here.run(arrives(here, head + body, cuts))

        check()


@both_ways
def test_large_requests_arrive(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-45, F-73: bodies of any size up to 1 MiB, by length or in any chunks, arrive to the byte."""
    with world(loop_factory, looked_at) as here:

        @examples(20)
        @given(st.integers(0, MIB), st.booleans(), st.lists(st.integers(0, MIB), max_size=40))
        @example(MIB, True, [])
        @example(MIB, False, [1, 70_000])
        def check(size: int, chunked: bool, cuts: list[int]) -> None:
            body = random.Random(size).randbytes(size)
            framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
            head = b"PUT /large HTTP/1.1\r\nHost: a.test\r\n" + framing + b"\r\n\r\n"
            here.run(arrives(here, head + (in_chunks(body, cuts) if chunked else body), cuts[:5]))

        check()


# --- (b) any valid response


@dataclass
class Sent:
    """What an upstream sends in answer to a request, and how the client asks for it."""

    status: int
    reason: bytes
    version: bytes
    fields: list[Field]
    framing: str
    body: bytes
    chunks: list[int]
    cuts: list[int]
    method: bytes
    asks: bytes
    """The version that the client speaks."""
    option: bytes
    """What it says of its connection."""

    @property
    def silent(self) -> bool:
        return self.method == b"HEAD" or self.status in (204, 304)

    @property
    def stream(self) -> bytes:
        body = (
            b"" if self.silent else in_chunks(self.body, self.chunks, b";x") if self.framing == "chunked" else self.body
        )
        start = b"HTTP/%b %d %b\r\n" % (self.version, self.status, self.reason)
        return start + block(self.fields) + b"\r\n" + body

    @property
    def ends(self) -> bool:
        """Whether the end of the connection is that of the body."""
        return self.framing == "close" and not self.silent

    async def __call__(self, turn: Turn) -> None:
        data = self.stream
        edges = [0, *sorted({cut % (len(data) + 1) for cut in self.cuts}), len(data)]
        for start, end in pairwise(edges):
            if start != end:
                await turn.write(data[start:end])
                await asyncio.sleep(0)
        if self.ends or self.version == b"1.0":
            await turn.close()


ANSWER_ENDING = [
    *(b"Keep-Alive", b"Proxy-Connection", b"Trailer", b"Upgrade", b"Alt-Svc", b"Proxy-Authenticate", b"Close"),
    *(b"Proxy-Authentication-Info", b"TE", b"HTTP2-Settings"),
]
ANSWER_OWN = [
    b"Server",
    b"Set-Cookie",
    b"Set-Cookie",
    b"Content-Type",
    b"Content-Encoding",
    b"Location",
    b"my_own",
    b"x.y",
]
REASONS = st.one_of(st.just(b"OK"), st.just(b""), st.lists(st.sampled_from(VALUE), max_size=10).map(bytes))


@st.composite
def answers(draw: st.DrawFn) -> Sent:
    status = draw(st.one_of(st.sampled_from([200, 204, 206, 301, 304, 404, 425, 500]), st.integers(200, 599)))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    lines = draw(fields(ANSWER_ENDING))
    lines += [(name, draw(values)) for name in draw(st.lists(st.sampled_from(ANSWER_OWN), max_size=3))]
    framing = draw(st.sampled_from(["length", "length", "close", "chunked" if version == b"1.1" else "close"]))
    body, chunks, cuts = draw(bodies())
    method = draw(st.sampled_from([b"GET", b"GET", b"POST", b"HEAD"]))
    special: list[Field] = []
    if status == 204:
        framing = "close"  # that is, none
    elif framing == "length":
        special.append((draw(st.sampled_from([b"Content-Length", b"content-length"])), b"%d" % len(body)))
    elif framing == "chunked":
        special.append((b"Transfer-Encoding", b"chunked"))
    option = draw(
        st.sampled_from([b"", b"", b"close", b"keep-alive", b"x-a", b"X-B, keep-alive", b",x-c-d,\tset-cookie"])
    )
    if option:
        special.append((b"Connection", option))
    for line in special:
        lines.insert(draw(st.integers(0, len(lines))), line)
    asks = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    wish = draw(st.sampled_from([b"", b"close", b"keep-alive"]))
    return Sent(status, draw(REASONS), version, lines, framing, body, chunks, cuts, method, asks, wish)


def expected_fields(sent: Sent, dated: bool) -> list[Field]:
    """The fields that the client gets, by the rows; ``Date`` without a value where the proxy makes it."""
    options = {
        each.strip(b" \t").lower()
        for key, value in sent.fields
        if key.lower() == b"connection"
        for each in value.split(b",")
    }
    gone = RESPONSE_ENDS | nominated(options)
    kept = [(name, value) for name, value in sent.fields if name.lower() not in gone]
    if not any(name.lower() == b"date" for name, _ in kept):
        kept.append((b"Date", b""))
    modern = sent.asks == b"1.1"
    keeps = sent.option == b"keep-alive" or (modern and sent.option != b"close")
    open_ended = sent.framing != "length" and not sent.silent
    if not keeps or (open_ended and not modern):
        kept.append((b"Connection", b"close"))
    elif not modern:
        kept.append((b"Connection", b"keep-alive"))
    if open_ended and modern:
        kept.append((b"Transfer-Encoding", b"chunked"))
    return kept


def split(answer: Answer) -> list[Field]:
    pairs = (line.partition(b":") for line in answer.lines)
    return [(name, value.strip(b" \t")) for name, _, value in pairs]


async def comes_back(world: World, sent: Sent) -> None:
    await world.fresh()
    world.server.always(sent)
    option = b"Connection: %b\r\n" % sent.option if sent.option else b""
    length = b"Content-Length: 0\r\n" if sent.method == b"POST" else b""
    asked = b"%b / HTTP/%b\r\nHost: a.test\r\n%b%b\r\n" % (sent.method, sent.asks, option, length)
    async with world.site.connect() as client:
        await client.send(asked)
        answer = await client.final(to=sent.method.decode())
        expected = expected_fields(sent, True)
        got = split(answer)
        made = expected.index((b"Date", b"")) if (b"Date", b"") in expected else None
        if made is not None and got[made][0] == b"Date":
            got[made] = (b"Date", b"")
        assert (answer.version, answer.status, answer.reason) == (b"HTTP/1.1", sent.status, sent.reason)
        assert got == expected
        assert answer.body == (b"" if sent.silent else sent.body)
        if (b"Connection", b"close") in expected:
            assert (await client.rest(), client.was_reset) == (b"", False)
        else:  # nothing stands before the next answer
            await client.send(asked)
            again = await client.final(to=sent.method.decode())
            assert (again.status, again.body) == (answer.status, answer.body)
    assert world.server.errors == []


@both_ways
def test_any_valid_response_arrives(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-01, F-20 to F-27, F-30, F-31, F-52, F-53, F-56 to F-59, F-111: whatever a valid response is, however framed and
    in whatever pieces, a client of either version gets it as the rows have it, and then the next one."""
    with world(loop_factory, looked_at) as here:

        @examples(100)
        @given(answers())
        def check(sent: Sent) -> None:
            here.run(comes_back(here, sent))

        check()


@both_ways
def test_large_responses_arrive(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-53, F-58, F-71, F-73: bodies of any size up to 1 MiB, in all framings, arrive to the byte."""
    with world(loop_factory, looked_at) as here:

        @examples(20)
        @given(
            st.integers(0, MIB),
            st.sampled_from(["length", "chunked", "close"]),
            st.sampled_from([b"1.1", b"1.0"]),
            st.lists(st.integers(0, MIB), max_size=40),
        )
        @example(MIB, "length", b"1.1", [])
        @example(MIB, "chunked", b"1.1", [])
        @example(MIB, "close", b"1.0", [3])
        def check(size: int, framing: str, asks: bytes, cuts: list[int]) -> None:
            body = random.Random(size).randbytes(size)
            line = {
                "length": (b"Content-Length", b"%d" % size),
                "chunked": (b"Transfer-Encoding", b"chunked"),
                "close": (b"Server", b"x"),
            }
            here.run(
                comes_back(
                    here, Sent(200, b"OK", b"1.1", [line[framing]], framing, body, cuts, cuts[:5], b"GET", asks, b"")
                )
            )

        check()


# --- (c) and (d) what is not valid, or hardly

INTERESTING = b"\r\n\0\t\x0b\x0c\x1f \x7f\x80\x85\xa0\xff:;,.-_+/\\?#%*@0159afxX\"'"
NEAR = [
    *(
        b"Content-Lengt: 3",
        b"Content-Lengthh: 3",
        b"Content_Length: 3",
        b"Transfer-Encodin: chunked",
        b"Transfer-Encodingg: x",
    ),
    *(b"Hos: b.test", b"Hosts: b.test", b"Connectio: x-a", b"X-A: 1", b"X-Aa: 2", b"T: trailers", b"X-Forwarded-Fo: 1"),
    *(b"Expec: 100-continue", b"Upgrad: websocket", b"X-Real-I: 1"),
]
"""A byte away from a field that means something."""


@st.composite
def plain_requests(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Head and body of a short valid request, in which a byte more or less may make a difference."""
    start = draw(
        st.sampled_from(
            [
                b"GET / HTTP/1.1",
                b"POST /a/b?c=d HTTP/1.1",
                b"PUT /%2e%41 HTTP/1.0",
                b"HEAD //a HTTP/1.1",
                b"OPTIONS * HTTP/1.1",
                b"GET http://b.test/ HTTP/1.1",
            ]
        )
    )
    lines = [b"Host: a.test", *draw(st.lists(st.sampled_from(NEAR), max_size=4))]
    lines += draw(st.sampled_from([[], [], [b"Connection: close"], [b"Connection: keep-alive"]]))
    body = draw(st.sampled_from([b"", b"", b"hello", b"0\r\n\r\n", b"GET /smuggled HTTP/1.1\r\nHost: c.test\r\n\r\n"]))
    framing = draw(st.sampled_from(["length", "chunked"]))
    if body and framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif body and b"1.0" not in start:
        lines.append(b"Transfer-Encoding: chunked")
        body = in_chunks(body, [draw(st.integers(0, 9))], trailers=draw(st.sampled_from([b"", b"X-T: 1\r\n"])))
    else:
        body = b""
    lines = draw(st.permutations(lines))
    return b"\r\n".join([start, *lines, b"", b""]), body


changed_bytes = st.one_of(st.sampled_from(INTERESTING), st.integers(0, 255)).map(lambda byte: bytes([byte]))


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with one or two bytes changed, inserted or deleted."""
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(["change", "insert", "delete", "double"]))
        if how == "change":
            data = data[:at] + draw(changed_bytes) + data[at + 1 :]
        elif how == "insert":
            data = data[:at] + draw(changed_bytes) + data[at:]
        elif how == "delete":
            data = data[:at] + data[at + 1 :]
        else:
            data = data[:at] + data[at : at + 1] + data[at:]
    return data


async def is_read_the_same(world: World, stream: bytes, cuts: Sequence[int]) -> None:
    """Every request upstream is one that the strict reader sees in ``stream``, in order, and the answer that the client
    has for it is its own; all others are refused. Nothing hangs that is not waited for."""
    await world.fresh()
    seen, why = read(stream)
    good = [each for each in seen if each.complete]
    expected: list[Seen] = []
    lost: list[Seen] = []
    refused = False
    async with world.site.connect() as client:
        try:
            with contextlib.suppress(ConnectionError):
                await send(client, stream, cuts)
            for at, each in enumerate(good):
                lost = good[at:]
                answer = await client.final(to=each.method.decode())
                lost = []
                if answer.status == 200:
                    assert not each.refused
                    expected.append(each)
                else:
                    assert answer.status >= 400, answer
                if answer.getall(b"Connection") == [b"close"]:
                    refused = True
                    break
            if why == "error" and not refused:
                assert (await client.head()).status >= 400
                refused = True
        except (EOFError, ConnectionError):  # which is as good a refusal, and may cost answers to what came before
            refused = True
        await settle()
        if not refused and why != "close":
            # What goes on may be refused already; but there is no answer to what nobody asked.
            with contextlib.suppress(BlockingIOError, ConnectionError):
                assert re.match(rb"HTTP/1\.[01] [45]|$", client.sock.recv(64))
    await settle()
    got = [(each.raw_head, each.body) for each in world.server.requests if each.complete]
    expected += [each for each in lost if not each.refused][: len(got) - len(expected)]
    assert got == [(forwarded(each, world.server.port), each.body) for each in expected]
    left = [each for each in world.server.requests if not each.complete]
    if left:  # its body went on, or went wrong, and it is not complete there either
        (cut,) = left
        last = seen[-1]
        assert not last.complete
        assert cut.raw_head == forwarded(last, world.server.port)
        assert last.body.startswith(cut.body)
    assert world.server.errors == []


@both_ways
def test_mutated_requests(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-02, F-11 to F-16, F-28, F-47, F-61 to F-63: a request with a byte or two of its head changed is refused, or
    goes upstream as what a strict reader sees in it."""
    with world(loop_factory, looked_at) as here:

        @examples(150)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            head, body = data.draw(plain_requests())
            stream = data.draw(mutations(head)) + body
            cuts = data.draw(st.sampled_from([(), (), (len(head) - 1,), (7,), range(len(stream))]))
            here.run(is_read_the_same(here, stream, cuts))

        check()


@both_ways
def test_mutated_pairs(loop_factory: LoopFactory, looked_at: bool) -> None:
    """F-47, F-65, F-91: the same of two requests sent as one: what a strict reader does not see as a request of its own
    never becomes one upstream."""
    with world(loop_factory, looked_at) as here:

        @examples(150)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            (one, first), (other, second) = data.draw(plain_requests()), data.draw(plain_requests())
            if data.draw(st.booleans()):
                stream = data.draw(mutations(one)) + first + other + second
            else:
                stream = one + first + data.draw(mutations(other)) + second
            cuts = data.draw(st.sampled_from([(), (), (len(one) + len(first),), (len(one),), (7,)]))
            here.run(is_read_the_same(here, stream, cuts))

        check()
