"""Rows of streams, of errors and of connections."""

from __future__ import annotations

import asyncio
import builtins
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from ... import errors
from ..script import close, hold, ignore_body, interim, pattern, raw, read_body, reset, stall, stop_reading
from ..turn import Step
from .talk import NEXT, Bench, Check, Talk, chunks

__all__ = ["STREAMS"]

MIB = 1 << 20
LARGE, BUFFERED = 48 * MIB, 24 * MIB
"""What is offered, and what of it the buffers of four sockets and of a proxy may hold."""


async def head_first(bench: Bench) -> None:
    """The head of a response is passed on before there is a byte of its body."""
    for framing, body in ((("Content-Length", "5"), b"hello"), (("Transfer-Encoding", "chunked"), chunks(b"hello"))):
        go = asyncio.Event()
        async with bench.talk(bench.head(200, [framing]), hold(go), raw(body)) as talk:
            await talk.ask()
            answer = await talk.client.head()
            go.set()
            await talk.client.take(answer, 6)
            talk.got(answer, 200, b"hello")


async def at_once(bench: Bench) -> None:
    """What arrives is passed on at once, piece by piece; nothing is compressed or collected."""
    events = [b"data: %d\n\n" % number for number in range(5)]
    got = [asyncio.Event() for _ in events]
    fields = [("Content-Type", "text/event-stream; charset=utf-8"), ("Transfer-Encoding", "chunked")]
    steps = [bench.head(200, fields)]
    for event, arrived in zip(events, got, strict=True):
        steps += [raw(chunks(event)[:-5]), hold(arrived)]
    async with bench.talk(*steps, raw(chunks())) as talk:
        await talk.ask(fields=[("Accept-Encoding", "gzip, br")])
        answer = await talk.client.head()
        talk.returned(answer, "Content-Encoding", [])
        for event, arrived in zip(events, got, strict=True):
            data = await talk.client.take(answer, len(event))
            talk.check(data == event, f"the client gets {event!r} before the next is sent", repr(data))
            arrived.set()
        await talk.client.take(answer, 1)
        talk.got(answer, 200, b"".join(events))


async def backpressure(bench: Bench) -> None:
    """Who does not read holds the sender up: memory is bounded in both directions."""
    offer = _Offer()
    script = bench.respond(200, [], lambda: offer, length=LARGE)
    async with bench.talk(script, socket_buffer=65536) as talk:
        client = await talk.connect(receive_buffer=65536)
        await talk.ask()
        await talk.asked()
        await offer.stalls()
        should = f"of {LARGE} bytes that the client does not read, less than {BUFFERED} are taken from the upstream"
        talk.check(offer.taken < BUFFERED, should, f"{offer.taken} are")
        digest = hashlib.sha256()
        answer = await client.head()
        while piece := await client.piece(answer):
            digest.update(piece)
        same = answer.whole and digest.hexdigest() == offer.body.sha256
        talk.check(bool(same), "then the client gets all of it, unchanged", answer)
    await _upload(bench)


async def _upload(bench: Bench) -> None:
    offer, go = _Offer(), asyncio.Event()
    script = stop_reading(), hold(go), read_body(), bench.respond(201)
    async with bench.talk(*script, socket_buffer=65536) as talk:
        await talk.ask("POST", length=LARGE)

        async def upload() -> None:
            async for piece in offer:
                await asyncio.get_running_loop().sock_sendall(talk.client.sock, piece)

        uploading = asyncio.create_task(upload())
        answering = asyncio.create_task(talk.client.head())
        asking = asyncio.create_task(talk.asked())
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answer = answering.result()
                if answer.status == 413:
                    return  # so much is not for this composition, which bounds it all the more
                talk.fail("the upstream gets the upload as it comes", str(answer))
            request = await asking
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            await offer.stalls()
            should = f"of {LARGE} bytes that the upstream does not read, less than {BUFFERED} are taken from the client"
            talk.check(offer.taken < BUFFERED, should, f"{offer.taken} are")
            go.set()
            await asyncio.wait({uploading}, timeout=30)
            talk.got(await talk.client.answer(), 201, b"")
            same = request.sha256 == offer.body.sha256
            talk.check(same, "then the upstream gets all of it, unchanged", f"{request.body_length} bytes")
        finally:
            for task in (uploading, answering, asking):
                task.cancel()
            await asyncio.gather(uploading, answering, asking, return_exceptions=True)


class _Offer:
    """A large body that knows how much of it was taken."""

    def __init__(self) -> None:
        self.body = pattern(LARGE)
        self.taken = 0
        self._moved = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.body:
            self.taken += len(piece)
            self._moved.set()
            yield piece

    async def stalls(self) -> None:
        """Return when no more is asked for."""
        with suppress(TimeoutError):
            while True:
                self._moved.clear()
                async with asyncio.timeout(0.25):
                    await self._moved.wait()


async def early_answers(bench: Bench) -> None:
    """A response may come before the upload has ended, and is passed on at once. The upload goes on while the response
    streams."""
    async with bench.talk(ignore_body(), bench.respond(413, [], b"too large")) as talk:
        await talk.ask("POST", body=b"x" * 100, length=1000)
        talk.got(await talk.client.answer(), 413, b"too large")
    start = bench.head(200, [("Content-Length", "10")])
    async with bench.talk(ignore_body(), start, raw(b"hello"), read_body(), raw(b"world")) as talk:
        await talk.ask("POST", body=b"5\r\nfirst\r\n", chunked=True)
        answer = await talk.client.head()
        await talk.client.take(answer, 5)
        talk.check(answer.body == b"hello", "the client gets b'hello' amid its upload", answer)
        await talk.client.send(chunks(b"second"))
        await talk.client.take(answer, 6)
        talk.got(answer, 200, b"helloworld")
        talk.body(talk.upstream.requests[0], b"firstsecond")


async def interim_responses(bench: Bench) -> None:
    """Interim responses are passed on, before the final one."""
    link = ("Link", "</a.css>; rel=preload")
    async with bench.talk(interim(103, [link]), bench.respond(200, [], b"ok")) as talk:
        await talk.ask()
        early = await talk.client.head()
        talk.check(early.status == 103, "the client gets 103 first", f"{early.status} {early.reason}")
        talk.returned(early, "Link", [link[1]])
        talk.got(await talk.client.answer(), 200, b"ok")


async def client_leaves(bench: Bench) -> None:
    """When the client leaves, the upstream's connection is closed at once."""
    should = "the proxy leaves the upstream when the client has left"
    async with bench.talk(stall()) as talk:
        await talk.ask()
        await talk.asked()
        talk.client.leave()
        await talk.until(talk.upstream.gone(), should)
    async with bench.talk(*_endless(bench)) as talk:
        await _leave_amid(talk)
        await talk.until(talk.upstream.gone(), should)


async def half_an_exchange(bench: Bench) -> None:
    """A connection with half an exchange on it is closed, not kept."""
    async with bench.talk(*_endless(bench)) as talk:
        await _leave_amid(talk)
        await talk.connect()
        after, _ = await talk.exchange(path=NEXT)
        again = talk.upstream.requests[0].connection == after.connection
        talk.check(not again, "the next request goes over another connection", "it goes over the same")
        await talk.until(talk.upstream.gone(), "the half-used connection is closed")


def _endless(bench: Bench) -> tuple[Step, ...]:
    return bench.head(200, [("Content-Length", "1000")]), raw(b"hello"), stall()


async def _leave_amid(talk: Talk) -> None:
    await talk.ask()
    answer = await talk.client.head()
    await talk.client.take(answer, 5)
    talk.client.leave()


async def failures(bench: Bench) -> None:
    """Upstreams that refuse a connection, lose it or talk nonsense are 502; the client's own faults are 4xx."""
    for script, listening in _FAILURES:
        async with bench.talk(*script, listening=listening) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            if listening:
                await talk.asked(0, answer)
            talk.check(answer.status in (502, 503) and answer.whole is True, "the client gets 502", answer)
    async with bench.talk() as talk:
        await talk.ask("POST", body=b"zz\r\n", chunked=True)
        answer = await talk.client.answer()
        talk.check(400 <= answer.status < 500, "the client is told that the fault is its own", answer)


_FAILURES = [((), False), ((close(),), True), ((reset(),), True), ((raw(b"220 mail ESMTP\r\n\r\n"),), True)]


async def nothing_leaks(bench: Bench) -> None:
    """What a client is told of a failure names no address, no exception and no stack."""
    for script, listening in _FAILURES:
        async with bench.talk(*script, listening=listening) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            said = answer.head + answer.body
            address = talk.upstream.url.removeprefix("http://")
            port = address.rpartition(":")[2]
            found = re.findall(rb"127\.0\.0\.1|(?<![0-9A-Za-z])%b(?![0-9A-Za-z])" % port.encode(), said)
            talk.check(not found, f"nothing of the upstream's address {address} is told", found)
            talk.check(not _INSIDE.search(said), "no exception and no stack is told", _INSIDE.findall(said))


_EXCEPTIONS = {
    name
    for module in (builtins, errors)
    for name, each in vars(module).items()
    if isinstance(each, type) and issubclass(each, Exception) and sum(map(str.isupper, name)) > 1
}
_INSIDE = re.compile(rf"\b(?:{'|'.join(sorted(_EXCEPTIONS))})\b|Traceback|Errno|File \"".encode())


async def connections_apart(bench: Bench) -> None:
    """`Connection: close` of one side does not close the other's connection."""
    async with bench.talk(bench.respond(200, [], b"ok", close=True)) as talk:
        _, answer = await talk.exchange()
        talk.got(answer, 200, b"ok")
        talk.check(not answer.closes, "the client's connection lasts", answer.fields)
        await talk.follow(answer)
    async with bench.talk() as talk:
        request, answer = await talk.exchange(fields=[("Connection", "close")])
        talk.got(answer, 200, b"ok")
        asked = request.getall("Connection")
        talk.check("close" not in ",".join(asked).lower(), "the upstream is not asked to close", asked)
        await talk.next(answer)
        talk.check(not talk.upstream.left, "the upstream's connection lasts", f"{talk.upstream!r}")


STREAMS: Mapping[str, Check] = {
    "F-70": head_first,
    "F-71": at_once,
    "F-73": backpressure,
    "F-75": early_answers,
    "F-77": interim_responses,
    "F-79": client_leaves,
    "F-80": half_an_exchange,
    "F-82": failures,
    "F-83": nothing_leaks,
    "F-90": connections_apart,
}
