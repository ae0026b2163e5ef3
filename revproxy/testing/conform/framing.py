"""Rows of bodies and of where they end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import Mapping

from ..recorded import Recorded
from ..script import close, hold, raw, read_body, reset
from ..turn import Step
from .client import Answer
from .talk import Bench, Check, Talk, chunks

__all__ = ["FRAMING"]


async def request_framing(bench: Bench) -> None:
    """A request with a length goes upstream with that length, a chunked one chunked, one without a body without a word
    about it."""
    async with bench.talk() as talk:
        for body, length in ((b"hello", 5), (b"", 0)):
            request, answer = await talk.exchange("POST", body=body, length=length)
            _framed(talk, request, [str(length)], [])
            talk.body(request, body)
            await talk.next(answer)
    async with bench.talk() as talk:
        request, _ = await talk.exchange("POST", body=chunks(b"he", b"llo"), chunked=True)
        _framed(talk, request, [], ["chunked"])
        talk.body(request, b"hello")
    async with bench.talk() as talk:
        request, _ = await talk.exchange()
        _framed(talk, request, [], [])


def _framed(talk: Talk, request: Recorded, lengths: list[str], codings: list[str]) -> None:
    """Not by ``Talk.arrived``: the framing is nobody's to edit."""
    for name, values in (("Content-Length", lengths), ("Transfer-Encoding", codings)):
        got = request.getall(name)
        wanted = f"{name}: {values[0]}" if values else f"no {name}"
        talk.check(got == values, f"the upstream gets {wanted}", got or f"no {name}")


async def any_method(bench: Bench) -> None:
    """Bodies of `GET`, `HEAD`, `DELETE` and `OPTIONS` pass like others."""
    for method in ("GET", "HEAD", "DELETE", "OPTIONS", "PATCH"):
        async with bench.talk() as talk:
            request, answer = await talk.exchange(method, body=b"GET / HTTP/1.1\r\n", length=16)
            talk.body(request, b"GET / HTTP/1.1\r\n")
            await talk.follow(answer)
        async with bench.talk() as talk:
            request, _ = await talk.exchange(method, body=chunks(b"hel", b"lo"), chunked=True)
            talk.body(request, b"hello")


async def broken_uploads(bench: Bench) -> None:
    """A body that is not what it declared never looks complete upstream."""
    for body, length in ((b"hello", 10), (b"5\r\nhello\r\n", None)):
        async with bench.talk(read_body(), bench.respond()) as talk:
            await _begin(talk, body, length)
            talk.client.leave()
            await _never_whole(talk)
    async with bench.talk(read_body(), bench.respond()) as talk:
        await _begin(talk, b"5\r\nhello\r\n", None)
        await talk.client.send(b"zz\r\n")
        answer = await talk.client.answer()
        await _never_whole(talk)
        talk.check(400 <= answer.status < 500, "the client is told that the fault is its own", answer)


async def _begin(talk: Talk, body: bytes, length: int | None) -> None:
    """Send the beginning of an upload, and let it be forwarded if it is forwarded as it comes."""
    await talk.ask("POST", body=body, length=length, chunked=length is None)
    with contextlib.suppress(TimeoutError):
        await talk.upstream.wait_requests(timeout=min(0.2, talk.needs.timeout))


async def _never_whole(talk: Talk) -> None:
    await talk.stop()
    for request in talk.upstream.requests:
        was = f"a complete body of {request.body_length} bytes: {request.body[:200]!r}"
        talk.check(not request.complete, "the upstream gets a part that does not look like the whole", was)


async def coded_responses(bench: Bench) -> None:
    """A coded response passes byte for byte."""
    coded = gzip.compress(b"hello" * 100, mtime=0)
    fields = [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    for chunked in (False, True):
        async with bench.talk(bench.respond(200, fields, coded, chunked=chunked)) as talk:
            _, answer = await talk.exchange(fields=[("Accept-Encoding", "gzip")])
            talk.got(answer, 200, coded)
            for name, value in fields:
                talk.returned(answer, name, [value])


async def one_framing(bench: Bench) -> None:
    """`Content-Length` and `Transfer-Encoding` are never sent together."""
    both = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")]
    async with bench.talk() as talk:  # what reaches the upstream with both is found there to be no HTTP
        await talk.ask("POST", fields=both, body=chunks(b"hello"))
        await talk.client.answer()
    for chunked in (False, True):
        async with bench.talk(bench.respond(200, [], b"hello", chunked=chunked)) as talk:
            body = chunks(b"hello") if chunked else b"hello"
            request, answer = await talk.exchange("POST", body=body, chunked=chunked, length=None if chunked else 5)
            talk.body(request, b"hello")
            await talk.follow(answer)


async def response_length(bench: Bench) -> None:
    """A response keeps its length if its body is unchanged."""
    async with bench.talk(bench.respond(200, [], b"hello")) as talk:
        _, answer = await talk.exchange()
        talk.check(bool(answer.whole), "the client gets the whole response", answer)
        kept = answer.getall("Content-Length") == ["5"] or answer.body != b"hello"
        talk.check(kept, "the client gets Content-Length: 5", f"{answer.fields}")
        await talk.follow(answer)


LENGTH, CHUNKED = ("Content-Length", "10"), ("Transfer-Encoding", "chunked")


def _ways_to_end(bench: Bench) -> list[tuple[Step, Step, Step]]:
    return [
        (bench.head(200, [framing]), raw(part), end())
        for framing, part in ((LENGTH, b"hello"), (CHUNKED, b"5\r\nhello\r\n"))
        for end in (close, reset)
    ]


async def truncated(bench: Bench) -> None:
    """A response that ends before its declared end, or without its last chunk, cuts the client's connection: a part is
    never the whole."""
    for script in _ways_to_end(bench):
        async with bench.talk(*script) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            await talk.asked(0, answer)
            should = "the client can tell that this is not the whole"
            talk.check(not answer.whole or answer.status >= 500, should, answer)


async def early_and_late(bench: Bench) -> None:
    """What fails before the first byte was sent to the client is a clean status; what fails later is a cut
    connection."""
    for end in (close, reset):
        async with bench.talk(end()) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            await talk.asked(0, answer)
            clean = answer.status >= 500 and answer.whole is True
            talk.check(clean, "the client gets a whole answer that tells of a server's failure", answer)
    for start, part, cut in _ways_to_end(bench):
        go = asyncio.Event()
        async with bench.talk(start, part, hold(go), cut) as talk:
            await talk.ask()
            answer = await talk.client.head()
            data = await talk.client.take(answer, 5)
            go.set()
            while piece := await talk.client.piece(answer):
                data += piece
            talk.check(not answer.whole, "the client's connection is cut", answer)
            rest = await talk.client.rest()
            talk.check(b"HTTP/1" not in data + rest, "no second answer comes amid the first", repr((data + rest)[:200]))


async def head_method(bench: Bench) -> None:
    """An answer to `HEAD` has no content, whatever the upstream sends, and keeps its `Content-Length`."""
    start = bench.head(200, [("Content-Length", "5")])
    for body in ((), (raw(b"hello"),)):
        async with bench.talk(start, *body) as talk:
            _, answer = await talk.exchange("HEAD")
            talk.returned(answer, "Content-Length", ["5"])
            await talk.follow(answer)


async def no_content(bench: Bench) -> None:
    """204 and 304 have no content. A 204 has no length; a 304 may keep its own."""
    for status, fields in ((204, []), (304, [("Content-Length", "5"), ("ETag", '"x"')])):
        async with bench.talk(bench.head(status, fields)) as talk:
            _, answer = await talk.exchange()
            talk.check(answer.status == status, f"the client gets {status}", answer)
            lengths, allowed = answer.getall("Content-Length"), [[], ["5"]] if status == 304 else [[]]
            talk.check(lengths in allowed, "there is no length but that of the upstream", f"Content-Length {lengths}")
            coding = answer.getall("Transfer-Encoding")
            talk.check(not coding, "there is no transfer coding", coding)
            await talk.follow(answer)


async def until_close(bench: Bench) -> None:
    """A response that ends with the connection is relayed whole."""
    for version in ("1.1", "1.0"):
        async with bench.talk(bench.head(), raw(b"hello"), close()) as talk:
            _, answer = await talk.exchange(version=version)
            talk.got(answer, 200, b"hello")
            marked = answer.framing != "close" or version == "1.0"
            talk.check(marked, "a client of HTTP/1.1 is told where the content ends", answer.fields)


async def old_clients(bench: Bench) -> None:
    """An HTTP/1.0 client never gets chunks."""
    async with bench.talk(bench.respond(200, [], b"hello", chunked=[2, 2])) as talk:
        _, answer = await talk.exchange(version="1.0")
        talk.check(answer.framing != "chunked", "no chunks", answer.fields)
        talk.got(answer, 200, b"hello")


async def excess(bench: Bench) -> None:
    """Bytes behind the end of a response are discarded, and that connection is not used again."""
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"
    start = bench.head(200, [("Content-Length", "2")])
    async with bench.talk(start, raw(b"ok" + more)) as talk:
        before, answer = await talk.exchange()
        talk.got(answer, 200, b"ok")
        after, answer = await talk.next(answer)
        _not_again(talk, before, after, answer)


def _not_again(talk: Talk, before: Recorded, after: Recorded, answer: Answer) -> None:
    talk.check(answer.body != b"stolen", "the next request gets its own answer", answer)
    talk.check(before.connection != after.connection, "the upstream's connection is not used again", "it was")


async def malformed(bench: Bench) -> None:
    """A response with a malformed length, with several, or with both kinds of framing is refused, and the connection is
    closed."""
    for fields in (
        [("Content-Length", "5x")],
        [("Content-Length", "5"), ("Content-Length", "4")],
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
    ):
        async with bench.talk(bench.head(200, fields), raw(chunks(b"hello"))) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            await talk.asked(0, answer)
            refused = answer.status in (502, 503) and answer.whole is True
            talk.check(refused, "the client gets 502", answer)
            closed = talk.upstream.wait_closed_connections()
            await talk.until(closed, "the proxy closes the upstream's connection")


FRAMING: Mapping[str, Check] = {
    "F-45": request_framing,
    "F-46": any_method,
    "F-47": broken_uploads,
    "F-51": coded_responses,
    "F-52": one_framing,
    "F-53": response_length,
    "F-54": truncated,
    "F-55": early_and_late,
    "F-56": head_method,
    "F-57": no_content,
    "F-58": until_close,
    "F-59": old_clients,
    "F-60": excess,
    "F-61": malformed,
}
