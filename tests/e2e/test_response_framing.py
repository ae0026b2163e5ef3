"""Where a response's body ends: worked out from what was parsed, never copied, and never a part that looks whole."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest
from aiohttp import web

from revproxy import Body, Exchange, Handler, Limits, Pipeline, ProxyHandler, Response, Upstream
from revproxy.body import StreamBody
from revproxy.errors import ProtocolError, ResponseHeadTooLarge, Truncated
from revproxy.testing import FakeUpstream, Step, close, drip, head, hold, interim, raw, reset, respond, stall

from .pull import pull
from .seen import Seen
from .wire import GET, Answer, serving

Serve: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
DATE = b"Date: Mon, 06 May 2024 07:08:09 GMT\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
OLD = b"GET / HTTP/1.0\r\n\r\n"
OLD_KEPT = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 2\r\n\r\nok"


def keeping(server: FakeUpstream) -> Upstream:
    """What forwards to ``server``, and does not close idle connections of itself while a test lasts."""
    return Upstream(server.url, limits=Limits(idle=60))


async def relay(*steps: Step, request: bytes = GET) -> Answer:
    """What the client gets when the upstream answers so."""
    async with FakeUpstream() as server, serving(keeping(server)) as site:
        server.always(*steps)
        return await site.ask(request)


# What is kept, and what is framed anew.


@pytest.mark.parametrize("how", ["in one piece", "head first", "byte by byte"])
async def test_a_length_is_kept(how: str) -> None:
    """F-53: an unchanged body keeps its ``Content-Length`` in its place, however it arrives."""
    sent = b"HTTP/1.1 200 OK\r\nX-A: 1\r\ncontent-length: 5\r\n" + DATE + b"X-B: 2\r\n\r\nhello"
    steps: dict[str, list[Step]] = {
        "in one piece": [raw(sent)],
        "head first": [raw(sent[:-5]), raw(sent[-5:])],
        "byte by byte": [drip(sent)],
    }
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.always(*steps[how])
        for _ in range(2):
            await client.send(GET)
            await client.gets(sent)
        assert server.connections == 1


@pytest.mark.parametrize("request_head", [GET, OLD_KEPT], ids=["HTTP/1.1", "HTTP/1.0"])
async def test_an_empty_body_is_of_length_0(request_head: bytes) -> None:
    """F-53: ``Content-Length: 0`` stays, and both connections can be used again."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.always(respond(404))
        for _ in range(2):
            await client.send(request_head)
            answer = await client.final()
            assert answer.lines[0] == b"Content-Length: 0"
            assert answer.body == b""
        assert server.connections == 1


async def test_an_edited_body_has_no_length() -> None:
    """F-53: behind a filter that may change the body the upstream's length is gone."""
    release = asyncio.Event()
    async with FakeUpstream() as server:
        server.always(head(headers={"Content-Length": "5"}), raw(b"he"), hold(release), raw(b"llo"))
        async with serving(Pipeline(pull, handler=keeping(server))) as site, site.connect() as client:
            await client.send(GET)
            answer = await client.head()
            assert answer.getall(b"Content-Length") == []
            assert answer.getall(b"Transfer-Encoding") == [b"chunked"]
            await client.gets(b"2\r\nhe\r\n")
            release.set()
            await client.gets(b"3\r\nllo\r\n0\r\n\r\n")


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTRANSFER-encoding:  Chunked\r\nTrailer: X-T\r\n" + DATE + b"\r\n",
    b'0003;name=value;q="a\\"b"\r\nabc\r\nA\r\n',
    b"0123456789\r\n",
    b"000;last\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
)


async def test_chunks_are_framed_anew() -> None:
    """F-52, F-64, F-65: chunk sizes are the proxy's own, extensions and trailers are not passed on, and the upstream's
    connection is used again."""
    release = asyncio.Event()
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(*map(raw, CHUNKED[:2]), hold(release), *map(raw, CHUNKED[2:]))
        await client.send(GET)
        await client.gets(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        release.set()
        parts = b""
        while len(parts) < 10:
            size = int(await client.until(b"\r\n"), 16)
            parts += await client.exactly(size)
            await client.gets(b"\r\n")
        assert parts == b"0123456789"
        await client.gets(b"0\r\n\r\n")
        await client.send(GET)
        assert (await client.final()).body == b"ok"
        assert server.connections == 1


async def test_chunks_byte_by_byte() -> None:
    """F-64: a chunked body that arrives one byte at a time is the same body."""
    assert (await relay(drip(b"".join(CHUNKED)))).body == b"abc0123456789"


async def test_chunks_for_an_old_client_end_with_the_connection() -> None:
    """F-59: a client of HTTP/1.0 gets no chunks: the end of the connection is the end of the body, even if the client
    would have kept it."""
    for request in (OLD, OLD_KEPT):
        async with (
            FakeUpstream() as server,
            serving(keeping(server)) as site,
            site.connect() as client,
        ):
            server.once(*map(raw, CHUNKED[:3]), hold(go := asyncio.Event()), raw(CHUNKED[3]))
            await client.send(request)
            await client.gets(b"HTTP/1.1 200 OK\r\n" + DATE + b"Connection: close\r\n\r\nabc0123456789")
            go.set()
            assert await client.rest() == b""
            assert not client.was_reset


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n"], ids=["1.1", "1.0"])
async def test_a_body_until_the_end_is_chunked(line: bytes) -> None:
    """F-58: a body that ends with the upstream's connection is chunked for the client, whose connection stays."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(raw(line + DATE + b"\r\n"), hold(go := asyncio.Event()), raw(b"to the end"), close())
        await client.send(GET)
        await client.gets(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n")
        go.set()
        await client.gets(b"a\r\nto the end\r\n0\r\n\r\n")
        await client.send(GET)
        assert (await client.final()).body == b"ok"


async def test_a_body_until_the_end_for_an_old_client() -> None:
    """F-58, F-59: a body that ends with the upstream's connection ends with the client's, if that speaks HTTP/1.0."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(raw(b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\n"), raw(b"to the end"), close())
        await client.send(OLD)
        await client.gets(b"HTTP/1.1 200 OK\r\n" + DATE + b"Connection: close\r\n\r\nto the end")
        assert await client.rest() == b""
        assert not client.was_reset


async def test_an_old_client_may_keep_its_connection() -> None:
    """F-59: with a known length, a client of HTTP/1.0 that asks for it keeps its connection; otherwise it ends."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.always(raw(OK))
        kept = OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
        closed = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        for _ in range(2):
            await client.send(OLD_KEPT)
            await client.gets(kept)
        await client.send(OLD)
        await client.gets(closed)
        assert await client.rest() == b""
        assert not client.was_reset


CODED = {
    "gzip": gzip.compress(b"hello " * 100, mtime=0),
    "br": b"\x8b\x02\x80hello\x03",
    "zstd": b"(\xb5/\xfd\x04X)\x00\x00hello\x00\x00\x00\x00",
    "deflate": b"x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15",
    "GZip, br": b"no gzip at all, nor the other thing",
    "x-gzip": b"\x1f\x8b\x08" + bytes(range(256)),
    "unheard-of": bytes(range(256)),
}


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
@pytest.mark.parametrize(("coding", "body"), CODED.items(), ids=CODED)
async def test_a_content_coding_is_not_touched(coding: str, body: bytes, framing: str) -> None:
    """F-51: what is coded is passed on byte for byte, known coding or not, well-formed or not; so is its name."""
    fields = {"Content-Encoding": coding, "Content-Type": "text/plain"}
    steps = {
        "length": respond(headers=fields, body=body),
        "chunked": respond(headers=fields, body=body, chunked=[1, 5]),
        "until close": respond(headers=fields, body=lambda: [body]),
    }
    answer = await relay(steps[framing], request=GET[:-2] + b"Accept-Encoding: gzip\r\n\r\n")
    assert answer.status == 200
    assert answer.body == body
    assert answer.getall(b"Content-Encoding") == [coding.encode()]
    if framing == "length":
        assert answer.getall(b"Content-Length") == [str(len(body)).encode()]


@pytest.mark.parametrize("request_head", [GET, OLD, HEAD], ids=["GET", "HTTP/1.0", "HEAD"])
@pytest.mark.parametrize(
    "fields",
    [
        {"Transfer-Encoding": "chunked"},
        {"transfer-encoding": "gzip, chunked", "Content-Length": "3"},
        {"content-length": "3"},
        {"Content-Length": "99999"},
    ],
    ids=str,
)
@pytest.mark.parametrize("streamed", [False, True], ids=["in memory", "streamed"])
async def test_a_filter_does_not_frame(fields: dict[str, str], streamed: bool, request_head: bytes) -> None:
    """F-52: what a handler says of the framing is not believed: one length or one coding goes out, and it is true."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"he"
        yield b"llo"

    async def handler(exchange: Exchange) -> Response:
        response = Response(200, body=StreamBody(pieces()) if streamed else Body(b"hello"))
        response.headers.extend(fields)
        return response

    async with serving(handler) as site:
        answer = await site.ask(request_head)
        if request_head != HEAD:
            assert answer.body == b"hello"
        assert answer.getall(b"Transfer-Encoding") == ([b"chunked"] if streamed and request_head == GET else [])


# Without content.


@pytest.mark.parametrize(
    ("sent", "relayed"),
    [
        (b"Content-Length: 1234\r\n", b"Content-Length: 1234\r\n"),
        (b"content-length: 0\r\n", b"content-length: 0\r\n"),
        (b"", b""),
        (b"Transfer-Encoding: chunked\r\n", b""),
    ],
    ids=["length", "length 0", "until close", "chunked"],
)
async def test_head_has_no_content(sent: bytes, relayed: bytes) -> None:
    """F-56: the answer to HEAD has the length that a body would have, and no body; both connections go on."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(raw(b"HTTP/1.1 200 OK\r\nETag: x\r\n" + DATE + sent + b"\r\n"))
        await client.send(HEAD)
        await client.gets(b"HTTP/1.1 200 OK\r\nETag: x\r\n" + DATE + relayed + b"\r\n")
        await client.send(GET)
        assert (await client.final()).body == b"ok"
        assert server.connections == 1


@pytest.mark.parametrize(
    ("request_head", "sent"),
    [
        (HEAD, b"200 OK\r\n" + DATE + b"Content-Length: 5\r\n\r\nhello"),
        (HEAD, b"200 OK\r\n" + DATE + b"Content-Length: 57\r\n\r\n" + OK),
        (HEAD, b"200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        (HEAD, b"200 OK\r\n" + DATE + b"\r\nhello"),
        (GET, b"204 No Content\r\n" + DATE + b"\r\nhello"),
        (GET, b"204 No Content\r\n" + DATE + b"\r\n" + OK),
        (GET, b"304 Not Modified\r\n" + DATE + b"Content-Length: 5\r\n\r\nhello"),
        (GET, b"304 Not Modified\r\n" + DATE + b"\r\n" + OK),
    ],
    ids=[
        "HEAD+length",
        "HEAD+response",
        "HEAD+chunked",
        "HEAD+until close",
        "204",
        "204+response",
        "304",
        "304+response",
    ],
)
async def test_content_where_there_is_none_is_discarded(request_head: bytes, sent: bytes) -> None:
    """F-56, F-57, F-60: what an upstream sends behind a head that has no content is discarded with its connection, and
    is not taken for the next response."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(raw(b"HTTP/1.1 " + sent), stall())
        await client.send(request_head)
        answer = await client.response(to=request_head.split(b" ")[0].decode())
        assert answer.raw_head.startswith(b"HTTP/1.1 " + sent.split(b"\r\n")[0])
        assert answer.getall(b"Transfer-Encoding") == []
        await server.gone()
        server.once(respond(body=b"the next"))
        await client.send(GET)
        answer = await client.final()
        assert answer.body == b"the next"
        assert server.connections == 2


@pytest.mark.parametrize(
    ("sent", "relayed"),
    [
        (b"204 No Content\r\n", b"204 No Content\r\n"),
        (b"204 No Content\r\nContent-Length: 0\r\n", b"204 No Content\r\n"),
        (b"304 Not Modified\r\nETag: x\r\n", b"304 Not Modified\r\nETag: x\r\n"),
        (b"304 Not Modified\r\nContent-Length: 5\r\n", b"304 Not Modified\r\nContent-Length: 5\r\n"),
        (b"304 Not Modified\r\nTransfer-Encoding: chunked\r\n", b"304 Not Modified\r\n"),
    ],
)
async def test_statuses_without_content(sent: bytes, relayed: bytes) -> None:
    """F-57: 204 and 304 have no content and no coding, 204 has no length, 304 may; both connections go on."""
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(raw(b"HTTP/1.1 " + sent + DATE + b"\r\n"))
        await client.send(GET)
        await client.gets(b"HTTP/1.1 " + relayed + DATE + b"\r\n")
        await client.send(GET)
        assert (await client.final()).body == b"ok"
        assert server.connections == 1


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("streamed", [False, True], ids=["in memory", "streamed"])
async def test_a_handlers_content_where_there_is_none(status: int, streamed: bool) -> None:
    """F-57: a body that a handler gives to a 204 or 304 is not sent, and is given up."""
    closed = False

    class Source(StreamBody):
        def close(self) -> None:
            nonlocal closed
            closed = True

    async def pieces() -> AsyncIterator[bytes]:
        yield b"hello"

    async def handler(exchange: Exchange) -> Response:
        return Response(status, body=Source(pieces()) if streamed else Body(b"hello"))

    async with serving(handler) as site, site.connect() as client:
        await client.send(GET)
        answer = await client.head()
        assert answer.status == status
        assert answer.getall(b"Transfer-Encoding") == []
        client.end()
        assert await client.rest() == b""
    assert closed is streamed


# A part is not the whole.


@pytest.mark.parametrize("pulled", [False, True], ids=["pumped", "pulled"])
@pytest.mark.parametrize("request_head", [GET, OLD], ids=["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize(
    ("framing", "end"),
    [
        *((framing, end) for framing in ("length", "chunked", "in a chunk") for end in (close(), reset())),
        ("until close", reset()),  # the other is its proper end
    ],
    ids=str,
)
async def test_a_truncated_body_cuts_the_client(
    framing: str, end: Step, request_head: bytes, pulled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """F-54: a body that ends too early is never ended cleanly: the client's connection is cut, whatever the framing.
    The failure is the upstream's, and is said in one line."""
    fields = {"length": {"Content-Length": "9"}, "until close": {}}.get(framing, {"Transfer-Encoding": "chunked"})
    part = {"chunked": b"5\r\nhello\r\n", "in a chunk": b"9\r\nhello"}.get(framing, b"hello")
    go = asyncio.Event()
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(head(headers=fields), raw(part), hold(go), end)
        proxy = ProxyHandler(keeping(server), filters=[pull] if pulled else [], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(request_head)
            answer = await client.head()
            chunked, lengths = answer.getall(b"Transfer-Encoding"), answer.getall(b"Content-Length")
            assert lengths == ([b"9"] if framing == "length" and not pulled else [])
            assert chunked == ([b"chunked"] if not lengths and request_head == GET else [])
            await client.gets(b"5\r\nhello\r\n" if chunked else b"hello")
            go.set()
            assert await client.rest() == b""
            # Where the end of the connection is the end of the body, only a reset tells the difference.
            assert client.was_reset or chunked or lengths
            await seen.over()
    (error,) = seen.errors
    assert type(error) is Truncated
    assert seen.attempts[0].error is error
    assert seen.exchanges[0].error is error
    (record,) = (record for record in caplog.records if record.name == "revproxy.error")
    assert (record.levelname, record.exc_info) == ("WARNING", None)


@pytest.mark.parametrize("pulled", [False, True], ids=["pumped", "pulled"])
async def test_malformed_chunks_cut_the_client(pulled: bool) -> None:
    """F-54: what is no chunk amid a chunked body cuts the client's connection; nothing of it is passed on."""
    go = asyncio.Event()
    async with FakeUpstream() as server:
        server.always(
            head(headers={"Transfer-Encoding": "chunked"}),
            raw(b"5\r\nhello\r\n"),
            hold(go),
            raw(b"zz\r\nevil"),
            stall(),
        )
        handler: Handler = keeping(server)
        async with serving(Pipeline(pull, handler=handler) if pulled else handler) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.head()).status == 200
            await client.gets(b"5\r\nhello\r\n")
            go.set()
            assert await client.rest() == b""
            await server.gone()


@pytest.mark.parametrize("request_head", [GET, OLD_KEPT], ids=["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("declared", [4, 9])
async def test_a_handlers_wrong_length_cuts_the_client(declared: int, request_head: bytes) -> None:
    """F-54: a stream of a handler's that is shorter or longer than the length that it declares cuts the client: neither
    are bytes owed to the connection's next response, nor are there some too many."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"hel"
        yield b"lo"

    async def handler(exchange: Exchange) -> Response:
        if exchange.inbound.path == "/next":
            return Response(200, body=Body(b"next"))
        return Response(200, body=StreamBody(pieces(), length=declared))

    async with serving(handler) as site, site.connect() as client:
        await client.send(request_head + request_head.replace(b"/ ", b"/next ", 1))
        answer = await client.head()
        assert answer.getall(b"Content-Length") == [b"%d" % declared]
        async with asyncio.timeout(2):
            part = await client.rest()
        assert len(part) < declared if declared == 9 else len(part) <= declared
        assert b"hello".startswith(part)


@pytest.mark.parametrize("request_head", [GET, OLD], ids=["HTTP/1.1", "HTTP/1.0"])
async def test_a_handler_that_is_stopped_cuts_the_client(request_head: bytes) -> None:
    """F-54: an application that gives up on the proxy amid a body, say by a timeout, cuts the client, and sends nothing
    of its own into the body."""
    stop = asyncio.Event()

    @web.middleware
    async def impatient(request: web.Request, handler: Serve) -> web.StreamResponse:
        task = asyncio.ensure_future(handler(request))
        await stop.wait()
        task.cancel()
        await asyncio.wait([task])
        raise web.HTTPGatewayTimeout

    async with FakeUpstream() as server:
        server.always(head(headers={"Transfer-Encoding": "chunked"}), raw(b"5\r\nhello\r\n"), stall())
        app = web.Application(middlewares=[impatient])
        ProxyHandler(keeping(server)).mount(app)
        async with serving(app) as site, site.connect() as client:
            await client.send(request_head)
            await client.until(b"hello")
            stop.set()
            assert await client.rest() in (b"", b"\r\n")
            assert client.was_reset or request_head == GET
            await server.gone()


@pytest.mark.parametrize("request_head", [GET, OLD], ids=["HTTP/1.1", "HTTP/1.0"])
async def test_an_empty_piece_ends_nothing(request_head: bytes) -> None:
    """F-54: a body of a handler's own that yields an empty piece does not end there."""

    class Own(Body):
        def __init__(self) -> None:
            self.data = None
            self.length = None

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in (b"", b"hel", b"", b"lo", b""):
                yield piece

    async def handler(exchange: Exchange) -> Response:
        return Response(200, body=Own())

    async with serving(handler) as site:
        assert (await site.ask(request_head)).body == b"hello"


# Nothing was sent yet.


async def refused(*steps: Step, request: bytes = GET, limits: Limits | None = None) -> Seen:
    """The upstream answers so: the client gets a problem document with 502 and keeps its connection, the upstream's is
    closed and not used again."""
    seen = Seen()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, limits=limits or Limits(idle=60))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            server.once(*steps)
            await client.send(request)
            answer = await client.final(to=request.split(b" ")[0].decode())
            assert answer.status == 502
            assert answer.getall(b"Content-Type") == [b"application/problem+json"]
            assert answer.getall(b"Connection") == []
            if request == GET:
                problem = json.loads(answer.body)
                assert problem == {"title": problem["title"], "status": 502, "id": seen.exchanges[0].id}
                assert str(server.port) not in problem["title"]
            await server.wait_closed_connections(1)
            server.once(respond(body=b"the next"))
            await client.send(GET)
            assert (await client.final()).body == b"the next"
            assert server.connections == 2
        assert upstream.endpoints[0].in_flight == 0
    assert seen.attempts[0].error is seen.errors[0]
    return seen


WRONG_FRAMING = {
    "CL+TE": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "TE+CL": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "CL 0+TE": b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a list of lengths": b"Content-Length: 5, 6\r\n",
    "no length": b"Content-Length:\r\n",
    "a negative length": b"Content-Length: -5\r\n",
    "a positive length": b"Content-Length: +5\r\n",
    "a hexadecimal length": b"Content-Length: 0x5\r\n",
    "a fraction": b"Content-Length: 5.0\r\n",
    "a length with a space": b"Content-Length: 5 5\r\n",
    "a length with an underscore": b"Content-Length: 1_0\r\n",
    "a length of other digits": "Content-Length: \u0665\r\n".encode(),
    "a length that is a power": b"Content-Length: \xb2\r\n",
    "an immense length": b"Content-Length: 99999999999999999999\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "gzip": b"Transfer-Encoding: gzip\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "no coding": b"Transfer-Encoding:\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
    "chunked twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "two lines of chunked": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunked with a parameter": b"Transfer-Encoding: chunked;a=b\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunked and a control": b"Transfer-Encoding: chunked\x0b\r\n",
}


@pytest.mark.parametrize("fields", WRONG_FRAMING.values(), ids=WRONG_FRAMING)
async def test_framing_that_cannot_be_trusted_is_refused(fields: bytes) -> None:
    """F-61, F-62: a response whose end is told twice, wrongly, or in a coding that is not understood is a 502."""
    seen = await refused(raw(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n5\r\nhello\r\n0\r\n\r\n"), stall())
    assert type(seen.errors[0]) is ProtocolError


async def test_chunks_in_http_1_0_are_refused() -> None:
    """F-63: a coding in a response of HTTP/1.0 is faulty framing."""
    await refused(raw(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), stall())


@pytest.mark.parametrize("fields", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_204_with_content_is_refused(fields: bytes) -> None:
    """F-57: a 204 that says it has content is a 502: one of the two is not true."""
    await refused(raw(b"HTTP/1.1 204 No Content\r\n" + fields + b"\r\n5\r\nhello\r\n0\r\n\r\n"), stall())


async def test_wrong_framing_is_refused_for_head_too() -> None:
    """F-56, F-61: that there is no body does not make its framing right."""
    await refused(raw(b"HTTP/1.1 200 OK\r\n" + WRONG_FRAMING["two lengths"] + b"\r\n"), stall(), request=HEAD)


MALFORMED = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>",
    "another protocol": b"220 mail.test ESMTP\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9 said": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1": b"HTTP/1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http/1.1": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "a line end before": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a space before": b" HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "a tab": b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
    "no status at all": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "status 99": b"HTTP/1.1 99 Hm\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 Hm\r\nContent-Length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 Hm\r\nContent-Length: 0\r\n\r\n",
    "status 2000": b"HTTP/1.1 2000 Hm\r\nContent-Length: 0\r\n\r\n",
    "status 2OO": b"HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n",
    "status 20": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status -200": b"HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n",
    "no space after the status": b"HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a line folded with a tab": b"HTTP/1.1 200 OK\r\nX-A: a\r\n\tb\r\nContent-Length: 0\r\n\r\n",
    "a folded first line": b"HTTP/1.1 200 OK\r\n X-A: a\r\nContent-Length: 0\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\r\nX-A: a\nX-B: b\r\nContent-Length: 0\r\n\r\n",
    "LF only": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "LF at the end": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n",
    "a bare CR": b"HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n",
    "CR at the end of a line": b"HTTP/1.1 200 OK\r\nX-A: a\r\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "a tab before the colon": b"HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a space in a name": b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n",
    "no name": b"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n",
    "a name of obs-text": b"HTTP/1.1 200 OK\r\nX-\xe9: a\r\nContent-Length: 0\r\n\r\n",
    "a separator in a name": b"HTTP/1.1 200 OK\r\nX(A): a\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
    "101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_head_is_refused(answer: bytes) -> None:
    """F-55, F-66, F-67: what is no head of HTTP/1.1 is a 502 at once, and nothing of it reaches the client."""
    seen = await refused(raw(answer), stall())
    assert type(seen.errors[0]) is ProtocolError


@pytest.mark.parametrize("answer", [MALFORMED["status 600"], MALFORMED["a folded line"], MALFORMED["no colon"]])
async def test_a_malformed_head_byte_by_byte_is_refused(answer: bytes) -> None:
    """F-55: the same if it arrives one byte at a time."""
    await refused(drip(answer), stall())


async def test_a_malformed_head_behind_interim_responses_is_refused() -> None:
    """F-55: the same behind responses that were in order."""
    await refused(interim(103, {"Link": "</a>"}), interim(102), raw(b"HTTP/1.1 600 Hm\r\n\r\n"), stall())


async def test_interim_responses_without_end_are_refused() -> None:
    """F-55: an upstream that sends interim responses without end is stopped: 502."""
    seen = await refused(raw(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000), stall())
    assert type(seen.errors[0]) is ProtocolError


@pytest.mark.parametrize("ended", [False, True], ids=["endless", "ended"])
async def test_a_huge_head_is_refused(ended: bool) -> None:
    """F-55: a head of over ``Limits.head_bytes`` is a 502, whether or not its end has been seen; one of just that many
    bytes is fine."""
    limit = 5000
    start, end = b"HTTP/1.1 200 OK\r\n" + DATE + b"X: ", b"\r\nContent-Length: 0\r\n\r\n"
    fits = start + b"x" * (limit - len(start + end)) + end
    too_large = start + b"x" * (limit + 1 - len(start + end)) + (end if ended else b"x" * len(end))
    seen = await refused(raw(too_large), stall(), limits=Limits(head_bytes=limit))
    assert type(seen.errors[0]) is ResponseHeadTooLarge
    async with FakeUpstream() as server, serving(Upstream(server.url, limits=Limits(head_bytes=limit))) as site:
        server.always(drip(fits, 700))
        assert (await site.ask(GET)).raw_head == fits


async def test_too_many_fields_are_refused() -> None:
    """F-55: a head of more than ``Limits.head_fields`` fields is a 502; one of just that many is fine."""
    sent = b"HTTP/1.1 200 OK\r\n" + DATE + b"X: 1\r\n" * 7 + b"Content-Length: 0\r\n\r\n"
    seen = await refused(raw(sent), stall(), limits=Limits(head_fields=8))
    assert type(seen.errors[0]) is ResponseHeadTooLarge
    async with FakeUpstream() as server, serving(Upstream(server.url, limits=Limits(head_fields=9))) as site:
        server.always(raw(sent))
        assert (await site.ask(GET)).raw_head == sent


@pytest.mark.parametrize("sent", [b"", b"H", b"HTTP/1.1 200 OK\r\nContent-Len", b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("end", ["FIN", "RST"])
async def test_a_head_that_breaks_off_is_refused(sent: bytes, end: str) -> None:
    """F-55: a connection that ends before a response's head does is a clean 502."""
    steps: list[Step] = [raw(sent)] if sent else []
    await refused(*steps, reset() if end == "RST" else close())


async def test_chunks_that_are_malformed_from_the_start_are_refused() -> None:
    """F-55: as long as the client has nothing, even a broken body is a clean 502."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n"
    seen = await refused(raw(answer), stall())
    assert type(seen.errors[0]) is Truncated


# Too much.


EXCESS = {
    "bytes": b"excess",
    "a response": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "a line end": b"\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\n",
}
COMPLETE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "empty": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("when", ["with it", "with the end of it", "later"])
@pytest.mark.parametrize("complete", COMPLETE.values(), ids=COMPLETE)
@pytest.mark.parametrize("excess", EXCESS.values(), ids=EXCESS)
async def test_excess_is_discarded_with_its_connection(excess: bytes, complete: bytes, when: str) -> None:
    """F-60: what stands behind a complete response reaches no client, and its connection is not used again."""
    go = asyncio.Event()
    steps: dict[str, list[Step]] = {
        "with it": [raw(complete + excess)],
        "with the end of it": [raw(complete[:-1]), hold(go), raw(complete[-1:] + excess)],
        "later": [raw(complete), hold(go), raw(excess)],
    }
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.once(*steps[when], stall())
        await client.send(GET)
        if when == "with the end of it" and b"hello" in complete:
            await client.until(b"hell")
            go.set()
            await client.gets(b"o\r\n0\r\n\r\n" if b"chunked" in complete else b"o")
        else:
            if when != "later":
                go.set()
            assert (await client.final()).body == complete.partition(b"hello")[1]
            go.set()
        await server.gone()
        server.once(respond(body=b"the next"))
        await client.send(GET)
        answer = await client.final()
        assert (answer.status, answer.body) == (200, b"the next")
        assert server.connections == 2
