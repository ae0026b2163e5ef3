"""Bodies on their way: what has arrived is passed on at once, and nobody is sent more than they take."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import NoneType

import pytest

from revproxy import Filter, Limits, ProxyHandler, Timeouts, Upstream
from revproxy.errors import ClientDisconnected
from revproxy.testing import (
    FakeUpstream,
    Step,
    Turn,
    close,
    head,
    hold,
    ignore_body,
    pattern,
    raw,
    read_body,
    respond,
    stop_reading,
)
from revproxy.testing.script import Action

from .pull import pull
from .seen import Seen, WatchedClock
from .wire import GET, TIMEOUT, Client, serving

MIB = 1 << 20
OLD = b"GET / HTTP/1.0\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\n"


def keeping(server: FakeUpstream) -> Upstream:
    """What forwards to ``server``, and does not close idle connections of itself while a test lasts."""
    return Upstream(server.url, limits=Limits(idle=60))


ways = pytest.mark.parametrize("filters", [[], [pull]], ids=["pumped", "pulled"])
framings = pytest.mark.parametrize("framing", ["length", "chunked", "until close"])


def fields(framing: str, length: int) -> dict[str, str]:
    """What says that a body is framed so."""
    return {
        "length": {"Content-Length": str(length)},
        "chunked": {"Transfer-Encoding": "chunked"},
        "until close": {"Connection": "close"},
    }[framing]


def piece(framing: str, data: bytes) -> Action:
    """A piece of a body, or its end."""
    return raw(b"%x\r\n%b\r\n" % (len(data), data) if framing == "chunked" else data)


# At once.


@ways
@framings
async def test_the_head_does_not_wait_for_the_body(framing: str, filters: list[Filter]) -> None:
    """F-70: the client has the response's head before the upstream has sent a byte of its body."""
    go = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(keeping(server), filters=filters)) as site,
    ):
        server.always(head(headers=fields(framing, 5)), hold(go), piece(framing, b"hello"), piece(framing, b""))
        async with site.connect() as client:
            await client.send(GET)
            answer = await client.head()
            assert answer.status == 200
            assert not go.is_set()
            go.set()
            await client.gets(b"hello" if answer.getall(b"Content-Length") else b"5\r\nhello\r\n")


@ways
@framings
async def test_events_arrive_one_by_one(framing: str, filters: list[Filter]) -> None:
    """F-71: every event of a stream reaches the client before the upstream sends the next, as it is, even to a client
    that would take it compressed."""
    events = [b": hello\n\n", *(b"id: %d\ndata: %b\n\n" % (at, b"x" * at) for at in range(30))]
    got = [asyncio.Event() for _ in events]
    said = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-transform"}
    steps: list[Step] = [head(headers={**said, **fields(framing, len(b"".join(events)))})]
    for event, arrived in zip(events, got, strict=True):
        steps += [piece(framing, event), hold(arrived)]
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(keeping(server), filters=filters)) as site,
    ):
        server.always(*steps, piece(framing, b""))
        async with site.connect() as client:
            await client.send(GET[:-2] + b"Accept-Encoding: gzip, br\r\n\r\n")
            answer = await client.head()
            assert answer.getall(b"Content-Type") == [b"text/event-stream; charset=utf-8"]
            assert answer.getall(b"Content-Encoding") == []
            for event, arrived in zip(events, got, strict=True):
                await client.gets(event if answer.getall(b"Content-Length") else b"%x\r\n%b\r\n" % (len(event), event))
                arrived.set()


@ways
@framings
async def test_a_stream_that_goes_on_outlives_the_total(framing: str, filters: list[Filter]) -> None:
    """F-72: ``Timeouts.total`` ends with the head; a body is not cut as long as it goes on, however long it takes."""
    got = [asyncio.Event() for _ in range(10)]
    steps: list[Step] = [head(headers=fields(framing, len(got)))]
    for arrived in got:
        steps += [piece(framing, b"x"), hold(arrived)]
    clock = WatchedClock()
    async with FakeUpstream() as server:
        server.always(*steps, close() if framing == "until close" else piece(framing, b""))
        upstream = Upstream(server.url, timeouts=Timeouts(total=20, head=20, idle=60), clock=clock)
        async with serving(ProxyHandler(upstream, filters=filters)) as site, site.connect() as client:
            await client.send(GET)
            answer = await client.head()
            for arrived in got:
                await client.gets(b"x" if answer.getall(b"Content-Length") else b"1\r\nx\r\n")
                await clock.advance_async(59)
                arrived.set()
            if not answer.getall(b"Content-Length"):
                await client.gets(b"0\r\n\r\n")
        assert clock.now() > 1500


# Not more than is taken.


class Offer:
    """A body of so many bytes that knows how much of it was asked for."""

    def __init__(self, size: int) -> None:
        self.body = pattern(size)
        self.taken = 0
        self._moved = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self.body:
            self.move(len(each))
            yield each

    def move(self, size: int) -> None:
        self.taken += size
        self._moved.set()

    async def stalls(self) -> None:
        """Return when no more is asked for."""
        while True:
            self._moved.clear()
            try:
                async with asyncio.timeout(0.25):
                    await self._moved.wait()
            except TimeoutError:
                return


@ways
@framings
async def test_a_client_that_reads_nothing_holds_the_upstream_up(framing: str, filters: list[Filter]) -> None:
    """F-73: of what a client does not read, no more is taken from the upstream than some buffers hold; once it reads,
    it gets everything, and both connections can be used again."""
    offer, clock = Offer(48 * MIB), WatchedClock()
    async with FakeUpstream(socket_buffer=65536) as server:
        length = offer.body.size if framing == "length" else None
        server.once(respond(body=offer, length=length, chunked=framing == "chunked"))
        proxy = ProxyHandler(Upstream(server.url, clock=clock), filters=filters)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(GET)
            await server.wait_requests(1)
            await offer.stalls()
            assert 0 < offer.taken < 12 * MIB
            await clock.advance_async(1000)  # which is no silence of the upstream's
            answer = await client.response()
            assert hashlib.sha256(answer.body).hexdigest() == offer.body.sha256
            await client.send(GET)
            assert (await client.response()).body == b"ok"
            assert server.connections == (2 if framing == "until close" else 1)


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_an_upstream_that_reads_nothing_holds_the_client_up(framing: str) -> None:
    """F-73: of what an upstream does not read, no more is taken from the client than some buffers hold; once it reads,
    it gets everything."""
    offer = Offer(48 * MIB)
    go = asyncio.Event()

    async def upload(client: Client) -> None:
        await client.send(POST)
        await client.send(b"".join(b"%b: %b\r\n" % (k.encode(), v.encode()) for k, v in said.items()) + b"\r\n")
        async for each in offer:
            await client.send(b"%x\r\n%b\r\n" % (len(each), each) if framing == "chunked" else each)
        if framing == "chunked":
            await client.send(b"0\r\n\r\n")

    said = fields(framing, offer.body.size)
    async with FakeUpstream(socket_buffer=65536) as server, serving(keeping(server)) as site:
        server.once(stop_reading(), hold(go), read_body(), respond(201))
        async with site.connect() as client:
            uploading = asyncio.create_task(upload(client))
            (request,) = await server.wait_requests(1)
            await offer.stalls()
            assert 0 < offer.taken < 24 * MIB
            go.set()
            await uploading
            assert (await client.response()).status == 201
            assert request.complete
            assert request.sha256 == offer.body.sha256
        assert (await site.ask(GET)).body == b"ok"
        assert server.connections == 1


async def let_time_pass(clock: WatchedClock, seen: Seen, seconds: float) -> None:
    """Let time pass whenever somebody waits for it, until an exchange is over."""
    over = asyncio.ensure_future(seen.over())
    while not over.done():
        asked = asyncio.ensure_future(clock.asked())
        await asyncio.wait({over, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not over.done():
            clock.advance(seconds)
    await over


@ways
@framings
async def test_a_client_that_takes_nothing_is_cut(
    framing: str, filters: list[Filter], caplog: pytest.LogCaptureFixture
) -> None:
    """F-74: a client that takes nothing for ``write_timeout`` is cut, the upstream's connection with it; the fault is
    the client's."""
    caplog.set_level(logging.INFO, "revproxy")
    clock, seen = WatchedClock(), Seen()
    body = pattern(48 * MIB)
    async with FakeUpstream(socket_buffer=65536) as server:
        length = body.size if framing == "length" else None
        server.once(respond(body=lambda: body, length=length, chunked=framing == "chunked"))
        proxy = ProxyHandler(keeping(server), filters=filters, observers=[seen], write_timeout=30, clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(GET)
            await server.wait_requests(1)
            await let_time_pass(clock, seen, 30)
            await server.gone()
            assert (await client.head()).status == 200
            part = await client.rest()
            assert len(part) < 12 * MIB
            assert not part.endswith(b"0\r\n\r\n")
    assert type(seen.exchanges[0].error) is ClientDisconnected
    assert seen.attempts[0].error is None
    assert seen.attempts[0].endpoint.in_flight == 0
    (record,) = (record for record in caplog.records if record.name == "revproxy.error")
    assert record.levelno == logging.INFO
    assert "the client took nothing for 30" in record.getMessage()


@ways
async def test_a_client_that_takes_its_time_is_not_cut(filters: list[Filter]) -> None:
    """F-74: a client that takes something within ``write_timeout`` gets everything, however long that takes."""
    clock = WatchedClock()
    body = pattern(64 * MIB)
    taken = bytearray()
    async with FakeUpstream() as server:
        server.always(respond(body=body))
        proxy = ProxyHandler(keeping(server), filters=filters, write_timeout=30, clock=clock)
        async with serving(proxy) as site, site.connect(receive_buffer=1 << 18) as client:
            await client.send(OLD)  # no chunks in between
            assert (await client.head()).status == 200
            for _ in range(7):
                await clock.asked()
                await clock.advance_async(20)
                taken += await client.exactly(8 * MIB)
            taken += await client.rest()
            assert not client.was_reset
    assert clock.now() >= 1000 + 7 * 20
    assert hashlib.sha256(taken).hexdigest() == body.sha256


@ways
@pytest.mark.parametrize("takes", [True, False])
async def test_the_end_of_a_body_is_waited_for(takes: bool, filters: list[Filter]) -> None:
    """F-74: an exchange is not over before the client has taken the end of its response, but for a little, which the
    upstream has sent long since; a client that does not is cut."""
    clock, seen, go = WatchedClock(), Seen(), asyncio.Event()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # what it accepts inherits that
        listener.bind(("127.0.0.1", 0))
        async with FakeUpstream() as server:
            server.always(head(headers={"Content-Length": "120000"}), hold(go), raw(b"x" * 120000))
            upstream = keeping(server)
            proxy = ProxyHandler(upstream, filters=filters, observers=[seen], write_timeout=30, clock=clock)
            async with serving(proxy, sock=listener) as site, site.connect(receive_buffer=4096) as client:
                await client.send(OLD)
                await client.head()
                go.set()
                await clock.asked()
                await clock.advance_async(29)
                assert seen.attempts[0].ended is not None
                assert seen.statuses == []
                if not takes:
                    await clock.advance_async(32)  # the first half minute may have begun with what sockets took
                assert (await client.rest() == b"x" * 120000) == takes
                await seen.over()
    assert type(seen.exchanges[0].error) is (NoneType if takes else ClientDisconnected)
    assert seen.attempts[0].error is None


async def test_a_client_that_takes_no_short_answers_is_cut(tmp_path: Path) -> None:
    """F-74: a client that sends request after request and takes none of the short answers is cut just so."""
    clock, seen = WatchedClock(), Seen()
    async with FakeUpstream() as server:
        url = server.url
    # Nobody listens there any more: all that the client would get is what the proxy says itself.
    proxy = ProxyHandler(Upstream(url), observers=[seen], write_timeout=30, clock=clock)
    async with serving(proxy, unix=str(tmp_path / "socket")) as site, site.connect() as client:
        sending = asyncio.create_task(client.send(GET * 20000))
        while not any(isinstance(error, ClientDisconnected) for error in seen.errors):
            await clock.asked()
            await clock.advance_async(30)
        with pytest.raises(ConnectionError):
            await sending
    assert set(seen.statuses) == {502}


# Before the upload has ended.


CL = POST + b"Content-Length: 1000000\r\n\r\n"
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n"
uploads = pytest.mark.parametrize(
    "upload", [CL + b"x" * 1000, TE + b"3e8\r\n" + b"x" * 1000 + b"\r\n"], ids=["length", "chunked"]
)


@uploads
@pytest.mark.parametrize("answer", ["length", "chunked", "204"])
async def test_an_early_answer_is_relayed_at_once(upload: bytes, answer: str, caplog: pytest.LogCaptureFixture) -> None:
    """F-75: a final answer amid the upload reaches the client at once, both connections end, and the upload is never
    ended as if it were whole."""
    steps: dict[str, Step] = {
        "length": respond(413, body=b"too large"),
        "chunked": respond(413, body=b"too large", chunked=[3, 4]),
        "204": respond(204),
    }
    seen = Seen()
    async with FakeUpstream() as server:
        server.once(ignore_body(), steps[answer])
        proxy = ProxyHandler(keeping(server), observers=[seen])
        async with serving(proxy, lingering_time=0.05) as site, site.connect() as client:
            await client.send(upload)
            got = await client.response()
            assert (got.status, got.body) == ((204, b"") if answer == "204" else (413, b"too large"))
            assert got.getall(b"Connection") == [b"close"]
            await server.gone()
            assert await client.rest() == b""
            (request,) = server.requests
            assert not request.complete
            assert request.body_length <= 1000
            assert b"0\r\n\r\n" not in request.raw.removeprefix(request.raw_head)
            await seen.over()
    assert seen.errors == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("reading", [True, False], ids=["reading", "not reading"])
async def test_a_client_that_goes_on_sending_gets_its_early_answer(reading: bool) -> None:
    """F-75: a client that sends its whole upload before it looks at the answer finds it, and a clean end behind it."""
    async with FakeUpstream(socket_buffer=65536) as server, serving(keeping(server)) as site:
        server.once(ignore_body() if reading else stop_reading(), respond(403, body=b"no"))
        async with site.connect() as client:
            await client.send(POST + b"Content-Length: %d\r\n\r\n" % (8 * MIB) + b"x" * 1000)
            await server.wait_requests(1)
            await server.gone() if reading else None
            await client.send(b"x" * (8 * MIB - 1000))
            answer = await client.response()
            assert (answer.status, answer.body) == (403, b"no")
            assert await client.rest() == b""
            assert not client.was_reset


async def test_an_answer_may_stream_beside_the_upload() -> None:
    """F-75: an answer that has begun does not stop the upload: what is sent comes back piece by piece."""

    async def echo(turn: Turn) -> None:
        await turn.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        data = b""
        while not data.endswith(b"0\r\n\r\n"):  # the pieces come in chunks, and go in the same
            data = await turn.read()
            await turn.write(data)
        await turn.close()

    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        server.always(Action("echo()", echo, governs_body=True))
        await client.send(TE)
        assert (await client.head()).status == 200
        for at in range(1, 30):
            chunk = b"%x\r\n%b\r\n" % (at, b"x" * at)
            await client.send(chunk)
            await client.gets(chunk)
        await client.send(b"0\r\n\r\n")
        await client.gets(b"0\r\n\r\n")
        assert await client.rest() == b""


async def lingered() -> None:
    """Return when the server has given up waiting for the rest of an upload, which it does even for a lost client."""
    if serving := [task for task in asyncio.all_tasks() if "RequestHandler.start" in repr(task.get_coro())]:
        await asyncio.wait(serving, timeout=TIMEOUT)


@uploads
@pytest.mark.parametrize("leaving", ["FIN", "RST"])
async def test_an_upload_that_fails_after_the_answer_is_quiet(
    upload: bytes, leaving: str, caplog: pytest.LogCaptureFixture
) -> None:
    """F-76: a client that has its answer and leaves amid its upload is no failure of anybody's."""
    caplog.set_level(logging.DEBUG, "revproxy")
    seen = Seen()
    async with FakeUpstream() as server:
        server.once(ignore_body(), respond(413, body=b"too large"))
        proxy = ProxyHandler(keeping(server), observers=[seen])
        async with serving(proxy, lingering_time=0.05) as site, site.connect() as client:
            await client.send(upload)
            assert (await client.response()).status == 413
            if leaving == "RST":
                client.reset()
            else:
                client.close()
            await server.gone()
            await seen.over()
            await lingered()
    assert seen.statuses == [413]
    assert seen.errors == []
    assert seen.exchanges[0].error is None
    assert seen.attempts[0].error is None
    assert caplog.records == []


async def test_an_upload_that_breaks_while_the_answer_streams_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """F-76: an upload that turns out to be malformed does not harm the answer that has begun; it is not ended as if it
    were whole."""
    go = asyncio.Event()
    seen = Seen()
    async with FakeUpstream() as server:
        server.once(ignore_body(), head(headers={"Content-Length": "10"}), raw(b"hello"), hold(go), raw(b"world"))
        proxy = ProxyHandler(keeping(server), observers=[seen])
        async with serving(proxy, lingering_time=0.05) as site, site.connect() as client:
            await client.send(TE + b"3\r\nabc\r\n")
            assert (await client.head()).status == 200
            await client.gets(b"hello")
            (request,) = server.requests
            await client.send(b"zz\r\n")
            go.set()
            await client.gets(b"world")
            await server.gone()
            assert not request.complete
            assert await client.rest() == b""
            await seen.over()
    assert seen.errors == []
    assert seen.attempts[0].error is None
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


# All of it.


@framings
@pytest.mark.parametrize(
    ("filters", "size", "request_head"),
    [([], 10 * MIB, GET), ([pull], 10 * MIB, GET), ([], 10 * MIB, OLD), ([pull], 10 * MIB, OLD), ([], 100 * MIB, GET)],
    ids=["10 MiB pumped", "10 MiB pulled", "10 MiB pumped 1.0", "10 MiB pulled 1.0", "100 MiB pumped"],
)
async def test_a_download_arrives_whole(framing: str, filters: list[Filter], size: int, request_head: bytes) -> None:
    """F-53, F-58, F-59, F-73: a large body arrives with every byte of it, whatever the framing."""
    body = pattern(size)
    async with FakeUpstream() as server:
        length = size if framing == "length" else None
        server.always(respond(body=lambda: body, length=length, chunked=framing == "chunked"))
        proxy = ProxyHandler(keeping(server), filters=filters)
        async with serving(proxy) as site, site.connect() as client, asyncio.timeout(3 * TIMEOUT):
            await client.send(request_head)
            answer = await client.response()
    assert len(answer.body) == size
    assert hashlib.sha256(answer.body).hexdigest() == body.sha256


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_an_upload_arrives_whole(framing: str) -> None:
    """F-45, F-73: a large upload arrives with every byte of it."""
    body = pattern(10 * MIB)
    async with FakeUpstream() as server, serving(keeping(server)) as site, site.connect() as client:
        await client.send(CL.replace(b"1000000", b"%d" % body.size) if framing == "length" else TE)
        for each in body:
            await client.send(b"%x\r\n%b\r\n" % (len(each), each) if framing == "chunked" else each)
        if framing == "chunked":
            await client.send(b"0\r\n\r\n")
        assert (await client.response()).body == b"ok"
    assert server.requests[0].body_length == body.size
    assert server.requests[0].sha256 == body.sha256
