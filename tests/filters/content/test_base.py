"""Filters that edit, or watch, what responses say."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, Handler, Response
from revproxy.body import EMPTY, Body, StreamBody, Transform
from revproxy.codings import decoder, encoder
from revproxy.errors import BadContent, DeadlineExceeded, ResponseRefused
from revproxy.filters.content import ContentFilter, Handling
from revproxy.filters.content.handling import SHADOW
from revproxy.media_types import MediaType
from revproxy.testing import FakeClock, exchange

from ...codings.test_codings import CODINGS, coded, undone
from .test_stages import Late

HTML = [("Content-Type", "text/html; charset=utf-8")]


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b"!"


class Shout(ContentFilter):
    """Texts in capitals, and an exclamation mark."""

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        return Upper() if kind is None or kind.name.startswith("text/") else None


class Capitals(Shout):
    keeps_length = True

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        class Same(Upper):
            def finish(self) -> bytes:
                return b""

        return Same()


class NoSecret:
    """Lets go of all but the last five bytes, and refuses what has a word in it."""

    def __init__(self) -> None:
        self.late = Late(5)

    def feed(self, chunk: bytes) -> bytes:
        out = self.late.feed(chunk)
        if b"secret" in out[-5:] + self.late.kept or b"secret" in out:
            raise ResponseRefused("it tells a secret")
        return out

    def finish(self) -> bytes:
        return self.late.finish()


class Watch(ContentFilter):
    edits = False
    hold = 8

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        return NoSecret()


class Peaceful(ContentFilter):
    """Looks at all, and has nothing against it."""

    edits = False

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        return Late(0)


async def pieces(data: bytes, step: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


def streaming(data: bytes, step: int = 3, *, sized: bool = False) -> Body:
    return StreamBody(pieces(data, step), length=len(data) if sized else None)


def answering(response: Response) -> Handler:
    async def handler(exchange: Exchange) -> Response:
        return response

    return handler


async def content(response: Response) -> bytes:
    return b"".join([chunk async for chunk in response.body])


@pytest.mark.parametrize("coding", ["", *CODINGS])
@given(
    data=st.binary(max_size=400).filter(
        lambda data: b"\0" not in data[:4] and data[:2] not in (b"\xff\xfe", b"\xfe\xff")
    ),
    step=st.integers(1, 40),
)
async def test_edited_in_any_coding(coding: str, data: bytes, step: int) -> None:
    """F-110, S-65: the content is edited, whatever coding it is in, and put into the same one again; or sent without,
    if so wanted. In memory or as it streams."""
    sent = coded(coding, data) if coding else data
    headers = [*HTML, *([("Content-Encoding", coding)] if coding else ())]
    for recode in (True, False):
        for body in (Body(sent), streaming(sent, step), streaming(sent, step, sized=True)):
            shout = Shout(handling=Handling(recode=recode))
            answer = await shout(exchange("GET", "/"), answering(Response(200, headers, body)))
            said = await content(answer)
            if coding and recode:
                assert answer.headers["Content-Encoding"] == coding
                said = undone(coding, said, 1000)
            else:
                assert "Content-Encoding" not in answer.headers
            assert said == data.upper() + b"!"


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
async def test_several_share_the_coding(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Around each other they edit one after the other, the inner one first, and the coding is undone once."""
    from revproxy.filters.content import body as module

    made: list[str] = []

    def counted(coding: str) -> Any:
        made.append(coding)
        return encoder(coding)

    monkeypatch.setattr(module, "encoder", counted)
    data = coded(coding, b"abc" * 100) if coding else b"abc" * 100
    headers = [*HTML, *([("Content-Encoding", coding)] if coding else ())]
    asked = exchange("GET", "/")
    inner = await Shout()(asked, answering(Response(200, headers, streaming(data))))
    outer = await Shout()(asked, answering(inner))
    said = await content(outer)
    assert (undone(coding, said, 50) if coding else said) == b"ABC" * 100 + b"!!"
    assert len(made) == 1


@pytest.mark.parametrize("inner", [True, False])
@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("edits", [True, False])
async def test_several_agree_on_the_coding(inner: bool, outer: bool, edits: bool) -> None:
    """F-110: whatever each of them wants, what is said of the coding is true of what is sent; a watcher has no say."""
    first: ContentFilter = (Shout if edits else Peaceful)(handling=Handling(recode=inner))
    asked = exchange("GET", "/")
    sent = coded("gzip", b"abc" * 100)
    came = Response(200, [*HTML, ("Content-Encoding", "gzip")], streaming(sent))
    answer = await Shout(handling=Handling(recode=outer))(asked, answering(await first(asked, answering(came))))
    said = await content(answer)
    is_coded = outer and (inner or not edits)
    assert answer.headers.get("Content-Encoding") == ("gzip" if is_coded else None)
    assert (gzip.decompress(said) if is_coded else said) == b"ABC" * 100 + (b"!!" if edits else b"!")


@pytest.mark.parametrize("strict", [Handling(), Handling(max_ratio=1 << 31, max_decoded=1 << 20)])
@pytest.mark.parametrize("outermost", [True, False])
async def test_several_keep_the_lower_limit(strict: Handling, outermost: bool) -> None:
    """S-51: a filter with no limit, as one in shadow, takes none from its neighbour."""
    bomb = coded("gzip", b"x" * (8 << 20), 1 << 20)
    handlings = [SHADOW, strict] if outermost else [strict, SHADOW]
    asked = exchange("GET", "/")
    answer = Response(200, [*HTML, ("Content-Encoding", "gzip")], streaming(bomb, 512))
    for each in handlings:
        answer = await Peaceful(handling=each)(asked, answering(answer))
    assert isinstance((await until_it_breaks(answer))[1], BadContent)


async def test_none_of_its_business() -> None:
    """What it does not look into is the very response that came."""
    response = Response(200, [("Content-Type", "image/png"), ("ETag", '"x"')], streaming(b"abc"))
    assert await Shout()(exchange("GET", "/"), answering(response)) is response
    for status in (101, 204):
        response = Response(status, HTML)
        assert await Shout()(exchange("GET", "/"), answering(response)) is response


FIELDS = [
    *HTML,
    ("ETag", '"x"'),
    ("Content-Length", "3"),
    ("Content-MD5", "abc"),
    ("Digest", "sha-256=abc"),
    ("Content-Digest", "sha-256=:abc:"),
    ("Repr-Digest", "sha-256=:abc:"),
    ("Accept-Ranges", "bytes"),
    ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
    ("X", "y"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_fields(method: str) -> None:
    """F-110: what speaks of the bytes is gone or weak, for HEAD as for GET; what came stays as it was."""
    body = EMPTY if method == "HEAD" else Body(b"abc")
    response = Response(200, FIELDS, body)
    answer = await Shout()(exchange(method, "/"), answering(response))
    assert list(answer.headers.items()) == [*HTML, ("ETag", 'W/"x"'), FIELDS[-2], FIELDS[-1]]
    assert list(response.headers.items()) == FIELDS
    assert answer.body.length == (0 if method == "HEAD" else 4)


async def test_as_long_as_it_was() -> None:
    """F-53: where the length stays, it is said, but for content in a coding."""
    for body in (Body(b"abc"), streaming(b"abc", sized=True)):
        answer = await Capitals()(exchange("GET", "/"), answering(Response(200, FIELDS, body)))
        assert (answer.headers["Content-Length"], answer.body.length) == ("3", 3)
        assert await content(answer) == b"ABC"
    packed = gzip.compress(b"abc", mtime=0)
    fields = [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))]
    answer = await Capitals()(exchange("GET", "/"), answering(Response(200, fields, streaming(packed, sized=True))))
    assert "Content-Length" not in answer.headers
    assert answer.body.length is None


async def test_chunks_stay_chunks() -> None:
    """A body of which no length was known is sent without one, even where it is all there."""
    answer = await Shout()(exchange("GET", "/"), answering(Response(200, HTML, Body.unsized(b"abc"))))
    assert (answer.body.length, answer.body.data) == (None, b"ABC!")


@pytest.mark.parametrize(
    ("sent", "tag", "said"),
    [('W/"x"', '"x"', 'W/"x"'), ('"x"', '"x"', '"x"'), ('"a", W/"x"', '"x"', 'W/"x"'), ('W/"x"', None, None)],
)
async def test_not_modified(sent: str, tag: str | None, said: str | None) -> None:
    """What the client knows by a weak tag is confirmed by that."""
    response = Response(304, [("ETag", tag)] if tag else [])
    answer = await Shout()(exchange("GET", "/", headers=[("If-None-Match", sent)]), answering(response))
    assert answer.headers.get("ETag") == said
    assert response.headers.get("ETag") == tag


async def test_what_is_asked_for() -> None:
    """S-66, F-109: no coding that cannot be undone, and no part of anything; with ``keep`` the part stays."""
    headers = [("Accept-Encoding", "gzip, dcz"), ("Range", "bytes=0-1"), ("If-Range", '"x"'), ("X", "y")]
    asked = exchange("GET", "/", headers=headers)
    await Shout()(asked, answering(Response(200)))
    assert list(asked.request.headers.items())[:2] == [("Accept-Encoding", "gzip"), ("X", "y")]
    assert "If-Range" not in asked.request.headers
    asked = exchange("GET", "/", headers=headers)
    await Shout(handling=Handling(ranges="keep"))(asked, answering(Response(200)))
    assert asked.request.headers["Range"] == "bytes=0-1"


async def test_what_filters_ask_for() -> None:
    """S-66, F-109: nor is it asked for by a second line, or because a filter further out has set it."""
    asked = exchange("GET", "/", headers=[("Accept-Encoding", "gzip"), ("Accept-Encoding", "dcb")])
    await Shout()(asked, answering(Response(200)))
    assert asked.request.headers.getall("Accept-Encoding") == ["gzip"]
    asked = exchange("GET", "/")
    asked.request.headers.update({"Accept-Encoding": "dcz, br", "Range": "bytes=0-1", "If-Range": '"x"'})
    await Shout()(asked, answering(Response(200)))
    assert asked.request.headers["Accept-Encoding"] == "br"
    assert not {"Range", "If-Range"} & set(asked.request.headers)


async def test_a_change() -> None:
    """What only says how a content differs from another (RFC 3229) is no whole, either."""
    with pytest.raises(ResponseRefused, match="a part"):
        await Shout()(exchange("GET", "/"), answering(Response(226, HTML, Body(b"abc"))))


async def test_reset_content() -> None:
    """F-57: to a 205, which has no content, none is added; what one has all the same is looked into."""
    response = Response(205, HTML, Body())
    assert await Shout()(exchange("GET", "/"), answering(response)) is response
    assert await content(await Shout()(exchange("GET", "/"), answering(Response(205, HTML, Body(b"abc"))))) == b"ABC!"


@pytest.mark.parametrize("kind", ["text/html", "multipart/byteranges; boundary=x"])
async def test_a_part_that_is_only_watched(kind: str) -> None:
    """F-109: it passes where what cannot be read does."""
    response = Response(206, [("Content-Type", kind)], streaming(b"abc"))
    assert await Peaceful(handling=SHADOW)(exchange("GET", "/"), answering(response)) is response
    with pytest.raises(ResponseRefused, match="a part"):
        await Shout(handling=Handling(unreadable="pass"))(exchange("GET", "/"), answering(response))


@pytest.mark.parametrize("kind", ["text/html", "multipart/byteranges; boundary=x"])
async def test_a_part(kind: str) -> None:
    """F-109: a part of what would have to be looked into is refused; one of anything else passes."""
    keeping = Shout(handling=Handling(ranges="keep"))
    closed: list[int] = []
    body = Closing(closed)
    with pytest.raises(ResponseRefused, match="a part"):
        await keeping(exchange("GET", "/"), answering(Response(206, [("Content-Type", kind)], body)))
    assert closed
    response = Response(206, [("Content-Type", "video/mp4")], streaming(b"abc"))
    assert await keeping(exchange("GET", "/"), answering(response)) is response


class Closing(Body):
    def __init__(self, closed: list[int]) -> None:
        super().__init__(b"abc")
        self.closed = closed

    def close(self) -> None:
        self.closed.append(1)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Encoding", "compress")],
        [("Content-Encoding", "gzip, gzip")],
        [("Content-Encoding", "gzip"), ("Content-Encoding", "br")],
        [("Content-Type", "text/html; charset=utf-16")],
    ],
)
async def test_unreadable(headers: list[tuple[str, str]]) -> None:
    """S-66: what cannot be read is refused, or passes, as declared."""
    with pytest.raises(ResponseRefused, match="cannot be read"):
        await Shout()(exchange("GET", "/"), answering(Response(200, headers, Body(b"abc"))))
    response = Response(200, headers, Body(b"abc"))
    assert await Shout(handling=Handling(unreadable="pass"))(exchange("GET", "/"), answering(response)) is response


async def test_unreadable_by_its_beginning() -> None:
    """Browsers believe a byte order mark more than the declared charset, and so does this."""
    data = "\ufeffsecret".encode("utf-16-le")
    with pytest.raises(ResponseRefused, match="begins like"):
        await Shout()(exchange("GET", "/"), answering(Response(200, HTML, Body(data))))
    passing = Shout(handling=Handling(unreadable="pass"))
    assert await content(await passing(exchange("GET", "/"), answering(Response(200, HTML, streaming(data))))) == data


async def test_identity_is_no_coding() -> None:
    """Nor is an empty element of the list."""
    answer = await Shout()(
        exchange("GET", "/"), answering(Response(200, [("Content-Encoding", "identity, ")], Body(b"abc")))
    )
    assert await content(answer) == b"ABC!"


@pytest.mark.parametrize(("policy", "said"), [("edit", b"ABC!"), ("pass", b"abc"), ("refuse", None)])
async def test_no_transform(policy: Any, said: bytes | None) -> None:
    """F-108: as declared."""
    response = Response(200, [("Cache-Control", "private, No-Transform")], Body(b"abc"))
    handle: Callable[[], Any] = lambda: Shout(handling=Handling(no_transform=policy))(  # noqa: E731
        exchange("GET", "/"), answering(response)
    )
    if said is None:
        with pytest.raises(ResponseRefused, match="no-transform"):
            await handle()
    else:
        assert await content(await handle()) == said


@pytest.mark.parametrize("coding", CODINGS)
async def test_bomb(coding: str) -> None:
    """S-51: what blows up is refused while it does, and is never in memory as a whole."""
    bomb = coded(coding, bytes(64 << 20).replace(b"\0", b"x"), 1 << 20)
    headers = [*HTML, ("Content-Encoding", coding)]
    with pytest.raises(BadContent, match="are more than"):
        await Shout()(exchange("GET", "/"), answering(Response(200, headers, Body(bomb))))
    answer = await Shout(handling=Handling(recode=False))(
        exchange("GET", "/"), answering(Response(200, headers, streaming(bomb, 512)))
    )
    passed, error = await until_it_breaks(answer)
    assert isinstance(error, BadContent)
    assert len(passed) <= 100 * len(bomb) + (1 << 16)


async def test_a_limit() -> None:
    """And so is what exceeds a limit of bytes."""
    data = gzip.compress(b"abc" * 10, mtime=0)
    shout = Shout(handling=Handling(max_decoded=29))
    with pytest.raises(BadContent, match="limit of 29 bytes"):
        await shout(exchange("GET", "/"), answering(Response(200, [("Content-Encoding", "gzip")], Body(data))))


@pytest.mark.parametrize("coding", CODINGS)
async def test_broken(coding: str) -> None:
    """Truncated, or not in its coding at all: never an end (F-54)."""
    headers = [("Content-Encoding", coding)]
    for data in (coded(coding, b"abc" * 100)[:-1], b"no such thing"):
        answer = await Shout()(exchange("GET", "/"), answering(Response(200, headers, streaming(data))))
        with pytest.raises(BadContent, match="broken data"):
            await content(answer)


# Watching.


async def until_it_breaks(response: Response) -> tuple[bytes, Exception | None]:
    passed = b""
    try:
        async for chunk in response.body:
            passed += chunk
    except Exception as error:
        return passed, error
    return passed, None


@pytest.mark.parametrize("coding", ["", *CODINGS])
@given(data=st.binary(min_size=4, max_size=300).filter(lambda data: b"secret" not in data), step=st.integers(1, 30))
async def test_watched(coding: str, data: bytes, step: int) -> None:
    """Who only watches changes nothing: every field and every byte is what came, the coding included."""
    data = b"text" + data
    sent = coded(coding, data) if coding else data
    fields = [*FIELDS, *([("Content-Encoding", coding)] if coding else ())]
    for body in (Body(sent), streaming(sent, step), streaming(sent, step, sized=True)):
        length = body.length
        answer = await Watch()(exchange("GET", "/"), answering(Response(200, fields, body)))
        assert list(answer.headers.items()) == fields
        assert answer.body.length == length
        assert await content(answer) == sent


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_nothing_goes_out_before_it_was_seen(coding: str) -> None:
    """A chunk passes only when all that it says was let go, so that no part of what is refused is sent."""
    data = b"x" * 40 + b"a secret"
    sent = coded(coding, data, 1) if coding else data
    fields = [("Content-Encoding", coding)] if coding else []
    answer = await Watch()(exchange("GET", "/"), answering(Response(200, fields, streaming(sent, 1))))
    passed, error = await until_it_breaks(answer)
    assert isinstance(error, ResponseRefused)
    undoing = decoder(coding)
    said = passed if undoing is None else b"".join(undoing.feed(passed))
    assert said
    assert said.strip(b"x") in (b"", b"a", b"a ", b" ")


async def test_held_back() -> None:
    """What is refused within ``hold`` bytes is a proper answer; what streams for good waits for nothing."""
    with pytest.raises(ResponseRefused):
        await Watch()(exchange("GET", "/"), answering(Response(200, HTML, streaming(b"a secret"))))
    events = [("Content-Type", "text/event-stream")]
    answer = await Watch()(exchange("GET", "/"), answering(Response(200, events, streaming(b"a secret"))))
    with pytest.raises(ResponseRefused):
        await content(answer)


async def test_a_coding_that_says_nothing() -> None:
    """Megabytes of empty members are not kept until something comes of them."""
    member = gzip.compress(b"", mtime=0)
    sent = gzip.compress(b"text", mtime=0) + member * (3 * (1 << 20) // len(member))

    class All(Watch):
        def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
            return Late(1 << 30)

    response = Response(200, [("Content-Encoding", "gzip")], streaming(sent, 4096))
    with pytest.raises(BadContent, match="say nearly nothing"):
        await All()(exchange("GET", "/"), answering(response))


async def test_watched_around_edited() -> None:
    """A watcher sees what goes out, not what came."""

    class Lower(Upper):
        def feed(self, chunk: bytes) -> bytes:
            return chunk.lower()

    class Hush(Shout):
        def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
            return Lower()

    asked = exchange("GET", "/")
    inner = await Hush()(asked, answering(Response(200, HTML, streaming(b"x" * 20 + b"a SECRET"))))
    outer = await Watch()(asked, answering(inner))
    with pytest.raises(ResponseRefused):
        await content(outer)


# Time.


async def forever(data: bytes) -> AsyncIterator[bytes]:
    yield data
    await asyncio.Event().wait()


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_held_no_longer_than_the_deadline(coding: str) -> None:
    """What is waited for before the head goes out has to be there by ``exchange.deadline``; the body is given up."""
    clock = FakeClock()
    closed: list[int] = []

    class Slow(StreamBody):
        def close(self) -> None:
            closed.append(1)

    asked = exchange("GET", "/")
    asked.deadline = clock.now() + 5
    headers = [*HTML, *([("Content-Encoding", coding)] if coding else ())]
    data = coded(coding, b"fine")[:5] if coding else b"fine"
    watch = Watch(clock=clock)
    going = asyncio.create_task(watch(asked, answering(Response(200, headers, Slow(forever(data))))))
    await clock.advance_async(4.9)
    assert not going.done()
    await clock.advance_async(0.2)
    with pytest.raises(DeadlineExceeded):
        await going
    assert closed
    asked.deadline = clock.now() + 5
    answer = await watch(asked, answering(Response(200, HTML, streaming(b"x" * 100))))
    clock.advance(10)
    assert await content(answer) == b"x" * 100  # a body that goes on has no such time


@pytest.mark.parametrize("coding", ["", *CODINGS])
@pytest.mark.parametrize("edits", [True, False])
async def test_others_have_their_turn(coding: str, edits: bool) -> None:
    """S-51: however much comes of one chunk, the loop is free after every 64 KiB of it, or a little more."""
    fed = 0

    class Counts(Late):
        def feed(self, chunk: bytes) -> bytes:
            nonlocal fed
            fed += len(chunk)
            return super().feed(chunk)

    class Counting(ContentFilter):
        def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
            return Counts(0)

    Counting.edits = edits
    at = [0]

    async def looks() -> None:
        while True:
            await asyncio.sleep(0)
            at.append(fed)

    size = 4 << 20
    data = b"x" * size
    body = Body(coded(coding, data, size) if coding else data)
    headers = [*HTML, *([("Content-Encoding", coding)] if coding else ())]
    looking = asyncio.create_task(looks())
    answer = await Counting(handling=Handling(max_ratio=1 << 31))(
        exchange("GET", "/"), answering(Response(200, headers, body))
    )
    await content(answer)
    looking.cancel()
    assert fed == size
    assert max(after - before for before, after in pairwise(at)) <= 3 * 65536


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_many_members(coding: str) -> None:
    """S-51: members that say nothing take time all the same: others have their turn between them."""
    member = coded(coding, b"")
    turns = 0

    async def looks() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    looking = asyncio.create_task(looks())
    body = Body(member * (131072 // len(member)))
    await content(await Shout()(exchange("GET", "/"), answering(Response(200, [("Content-Encoding", coding)], body))))
    looking.cancel()
    assert turns >= 10


def test_wrong() -> None:
    """A handling is a Handling."""
    with pytest.raises(TypeError, match="handling: 'pass' is not a Handling"):
        Shout(handling="pass")  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [Body(b"abc"), streaming(b"abc")], ids=["whole", "streaming"])
async def test_without_its_constructor(body: Body) -> None:
    """A filter whose own constructor does not call the base's has the default handling, and the system's clock."""

    class Own(Shout):
        hold = 8

        def __init__(self) -> None:
            self.word = "x"

    response = await Own()(exchange(), answering(Response(200, HTML, body)))
    assert await content(response) == b"ABC!"
    assert Own().handling == Handling()
