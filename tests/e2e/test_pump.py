"""Two ways of a response body to the client, pumped and pulled, and one content."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revproxy import Body, Exchange, Filter, Handler, Limits, Pipeline, ProxyHandler, Response, Upstream
from revproxy.body import StreamBody
from revproxy.testing import FakeUpstream, Turn

from .pull import pull
from .seen import WatchedClock
from .wire import GET, Answer, Client, serving

OLD = b"GET / HTTP/1.0\r\n\r\n"


class Pulled(StreamBody):
    """Another body, iterated; its length stays."""

    def __init__(self, source: Body) -> None:
        super().__init__(source, length=source.length)


async def pulled(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.body = Pulled(response.body)
    return response


WAYS: dict[str, list[Filter]] = {"pumped": [], "pulled": [pulled], "transformed": [pull]}


class Written:
    """A step that sends a response in pieces, a turn of the event loop between them, and ends with the connection."""

    def __init__(self, pieces: Sequence[bytes], *, closes: bool) -> None:
        self.pieces = pieces
        self.closes = closes

    async def __call__(self, turn: Turn) -> None:
        for piece in self.pieces:
            await turn.write(piece)
            await turn.wait(seconds=0)
        if self.closes:
            await turn.close()


def framed(parts: Sequence[bytes], framing: str) -> bytes:
    """A response whose body is these parts."""
    data = b"".join(parts)
    if framing == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(data), data)
    if framing == "until close":
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + data
    chunks = b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-T: 1\r\n\r\n"


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """``data`` in pieces of these sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in [*pieces, data] if piece]


@settings(max_examples=120, deadline=None)
@given(
    parts=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    sizes=st.lists(st.integers(1, 60), max_size=8),
    framing=st.sampled_from(["length", "chunked", "until close"]),
    old=st.booleans(),
    read_buffer=st.sampled_from([1, 10, 262144]),
)
@example(parts=[b"0\r\n\r\n", b"5\r\nhello\r\n"], sizes=[50, 1, 1, 1], framing="chunked", old=False, read_buffer=1)
@example(parts=[], sizes=[], framing="until close", old=True, read_buffer=1)
async def test_pump_and_pull_deliver_the_same(
    parts: list[bytes], sizes: list[int], framing: str, old: bool, read_buffer: int
) -> None:
    """F-53, F-58, F-59: however a body is framed and cut, the client gets the same content whether it is pumped,
    pulled, or pulled through a transform; and the same length, as long as that is not in doubt."""
    pieces = cut(framed(parts, framing), sizes)
    answers: dict[str, Answer] = {}
    async with FakeUpstream() as server:
        server.always(Written(pieces, closes=framing == "until close"))
        handler: Handler = Upstream(server.url, limits=Limits(read_buffer=read_buffer))
        for way, filters in WAYS.items():
            async with serving(Pipeline(*filters, handler=handler)) as site, site.connect() as client:
                await client.send(OLD if old else GET)
                answers[way] = await client.response()
                assert answers[way].body == b"".join(parts), way
                if not old:  # and nothing is left over
                    client.end()
                    assert await client.rest() == b""
    if framing == "length":
        assert answers["pumped"].getall(b"Content-Length") == answers["pulled"].getall(b"Content-Length")
        assert answers["pumped"].getall(b"Content-Length") == [b"%d" % len(b"".join(parts))]


SIZE = 6 << 20


def large() -> bytes:
    return b"".join(b"%07d\n" % at for at in range(SIZE // 8))


async def sip(client: Client, unknown: bool, old: bool) -> tuple[int, str]:
    """Read a body in small and large pieces, with turns of the event loop between; its size and hash."""
    digest, size, turn = hashlib.sha256(), 0, 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal turn
        while data := await client.some((1, 100, 5000, 262144)[turn % 4]):
            turn += 1
            for _ in range(turn % 3):
                await asyncio.sleep(0)
            yield data

    held = b""
    async for data in pieces():
        if not unknown or old:
            digest.update(data)
            size += len(data)
            if size == SIZE:
                break
            continue
        held += data
        while True:
            line, found, rest = held.partition(b"\r\n")
            if not found or len(rest) < (length := int(line, 16)) + 2:
                break
            if not length:
                return size, digest.hexdigest()
            digest.update(rest[:length])
            size += length
            held = rest[length + 2 :]
    return size, digest.hexdigest()


@pytest.mark.parametrize("read_buffer", [1, 262144])
@pytest.mark.parametrize("old", [False, True], ids=["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_the_same_with_backpressure(framing: str, way: str, old: bool, read_buffer: int) -> None:
    """F-73: the same for a body that is larger than what the buffers hold, read now and then in pieces of any size;
    both connections can be used again."""
    data = large()
    pieces = cut(framed(cut(data, [1, 70000, 3, 300000, 1 << 20, 17]), framing), [19, 100, 65536, 1, 400000, 2])
    async with FakeUpstream(socket_buffer=65536) as server:
        server.once(Written(pieces, closes=framing == "until close"))
        upstream = Upstream(server.url, limits=Limits(read_buffer=read_buffer))
        clock = WatchedClock()
        proxy = ProxyHandler(upstream, filters=WAYS[way], clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(OLD.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n") if old else GET)
            await clock.asked()  # it has come to a stop: nobody but a paused client's deadline does
            answer = await client.head()
            unknown = not answer.getall(b"Content-Length")
            assert unknown == (framing != "length" or way == "transformed")
            assert await sip(client, unknown, old) == (SIZE, hashlib.sha256(data).hexdigest())
            if old and unknown:
                assert await client.rest() == b""
                assert not client.was_reset
            else:
                await client.send(GET)
                assert (await client.response()).body == b"ok"
                assert server.connections == (2 if framing == "until close" else 1)
