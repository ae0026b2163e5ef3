"""Debug pages and stack traces: what is looked at, what becomes of it, what is logged, and what is let alone."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import AsyncIterator, Iterator
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Body, Exchange, Handler, Pipeline, ProxyHandler, Response, Severity, Upstream, when
from revproxy.body import StreamBody
from revproxy.errors import BadContent, Origin
from revproxy.filters import ErrorPages, Page
from revproxy.filters.content import Handling
from revproxy.filters.error_pages import DebugPages, DebugPageShown
from revproxy.filters.leaks.pack import LeakPack
from revproxy.filters.leaks.signature import LeakSignature
from revproxy.filters.transform import ReplaceText
from revproxy.testing import FakeUpstream, exchange
from revproxy.testing import respond as says

from ...e2e.wire import serving
from .samples import PAGES, PLAIN
from .test_error_pages import HTML, JSON, Seen, ask, content

TRACE = b'Traceback (most recent call last):\n  File "/srv/app/db.py", line 7, in connect\n'
OWN = LeakPack(
    "own",
    (
        LeakSignature("own-01", r"traceback \(most recent call last\):", "a trace", severity=Severity.CRITICAL),
        LeakSignature("own-02", r"line [0-9]{1,5}, in", "a line", severity=Severity.WARNING),
    ),
)


def showing(
    data: bytes = TRACE, kind: str | None = "text/html", status: int = 200, coding: str = "", *, size: int = 0
) -> Handler:
    """Answers with ``data``, in pieces of ``size`` bytes, or at once."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    async def say(exchange: Exchange) -> Response:
        headers = {"Content-Type": kind} if kind is not None else {}
        if coding:
            headers["Content-Encoding"] = coding
        return Response(status, headers, StreamBody(pieces()) if size else Body(data))

    return say


async def test_a_quotation_beyond_what_is_looked_at() -> None:
    """What is quoted is so also where its end is not looked at; where nothing ends it, it was no quotation."""
    begun = b"<p>x</p><pre>" + TRACE
    assert await content(await DebugPages(OWN, look=len(begun))(exchange(), showing(begun + b"</pre>")))
    with pytest.raises(DebugPageShown):
        await DebugPages(OWN)(exchange(), showing(begun))


# What is one.


@pytest.mark.parametrize(
    "kind", ["text/html", "text/plain; charset=utf-8", "application/json", "application/xhtml+xml", "text/xml", None]
)
@pytest.mark.parametrize("status", [200, 302, 404, 500])
async def test_whatever_the_status(kind: str | None, status: int) -> None:
    """S-64: it is caught in whatever is text, or does not say what it is, and whatever the status says."""
    subject = DebugPages(OWN)
    with pytest.raises(DebugPageShown) as raised:
        await subject(exchange(), showing(kind=kind, status=status))
    assert (raised.value.status, raised.value.came, raised.value.origin) == (500, status, Origin.POLICY)
    assert subject.caught == 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("image/png", 200),
        ("application/octet-stream", 200),
        ("application/zip", 500),
        ("text/event-stream", 200),
        ("application/x-ndjson", 200),
        ("application/grpc", 200),
        ("multipart/byteranges; boundary=x", 206),
        ("text/html", 206),
    ],
)
async def test_what_is_not_looked_at(kind: str, status: int) -> None:
    """What is no text, a part of something, or is read as it comes: the body goes on untouched and unread."""
    body = StreamBody(_pieces([TRACE]))

    async def say(exchange: Exchange) -> Response:
        return Response(status, {"Content-Type": kind}, body)

    response = await DebugPages(OWN)(exchange(), say)
    assert response.body is body
    assert not body.taken


async def _pieces(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for each in chunks:
        yield each


@given(before=st.integers(0, 400), size=st.integers(1, 200), look=st.integers(1, 400))
async def test_however_it_is_split(before: int, size: int, look: int) -> None:
    """S-65: caught is what is complete within the beginning, whatever the pieces; all else is let out byte for byte."""
    data = b"a" * before + b" " + TRACE + b"b" * 300
    subject = DebugPages(OWN, look=look)
    whole = before + 1 + len(b"Traceback (most recent call last):")
    if whole <= look:
        with pytest.raises(DebugPageShown):
            await subject(exchange(), showing(data, size=size))
    else:
        response = await subject(exchange(), showing(data, size=size))
        assert await response.body.read(10_000) == data


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("size", [0, 1, 7])
async def test_codings(coding: str, size: int) -> None:
    """S-65: codings are undone to look; what is let out goes on as it came, coding and all."""
    subject = DebugPages(OWN)
    with pytest.raises(DebugPageShown):
        await subject(exchange(), showing(gzip.compress(TRACE), coding=coding, size=size))
    fine = gzip.compress(b"<p>fine" * 1000)
    response = await subject(exchange(), showing(fine, coding=coding, size=size))
    assert await response.body.read(100_000) == fine
    assert response.headers["Content-Encoding"] == coding


async def test_what_cannot_be_read() -> None:
    """S-66: by default it goes on, as declared; it may be refused. A bomb is a bomb."""
    data = b"whatever"
    response = await DebugPages(OWN)(exchange(), showing(data, coding="compress"))
    assert response.body.data == data
    with pytest.raises(Exception, match="cannot be read"):
        await DebugPages(OWN, handling=Handling())(exchange(), showing(data, coding="compress"))
    with pytest.raises(BadContent):
        await DebugPages(OWN)(exchange(), showing(gzip.compress(b"a" * 10_000_000), coding="gzip"))


async def test_the_score() -> None:
    """One grave signature is enough by default, lesser ones only together."""
    line = b"see line 7, in the second column"
    assert (await DebugPages(OWN)(exchange(), showing(line))).status == 200
    with pytest.raises(DebugPageShown):
        await DebugPages(OWN, threshold=3)(exchange(), showing(line))
    assert (await DebugPages(OWN, left_out=["own-01"])(exchange(), showing())).status == 200
    assert (
        await DebugPages(OWN, threshold=6)(exchange(), showing(b"Traceback (most recent call last):"))
    ).status == 200


async def test_quotes() -> None:
    """A document that is no error may quote one; an error may not."""
    page = b"<h1>How to read traces</h1><pre>" + TRACE + b"</pre>"
    assert (await DebugPages(OWN)(exchange(), showing(page))).status == 200
    with pytest.raises(DebugPageShown):
        await DebugPages(OWN)(exchange(), showing(page, status=500))


async def test_unless() -> None:
    """Where the condition holds nothing is looked at."""
    subject = DebugPages(OWN, unless=when.path("/wiki/*"))
    assert (await subject(exchange(target="/wiki/x"), showing())).status == 200
    with pytest.raises(DebugPageShown):
        await subject(exchange(target="/x"), showing())
    assert subject.reads_path


async def test_head() -> None:
    """There is nothing to look at."""
    assert (await DebugPages(OWN)(exchange("HEAD"), showing(b""))).status == 200


# What is logged.


async def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: rule, severity and where it was found, at the level of the gravest signature; what matched is a shape."""
    with caplog.at_level(logging.DEBUG, "revproxy.security"), pytest.raises(DebugPageShown) as raised:
        await DebugPages(OWN, name="traces")(exchange(target="/pay?card=4111"), showing(TRACE[:34], status=203))
    (record,) = caplog.records
    facts = vars(record)
    assert (facts["rule"], facts["severity"], facts["action"]) == ("traces", "critical", "block 500")
    assert facts["detail"] == ("score 5: own-01 (a trace) in body: xxxxxxxxx (xxxx xxxxxx xxxx xxxx):, with status 203")
    assert "4111" not in record.getMessage()
    for text in (record.getMessage(), str(raised.value)):
        assert "recent" not in text


async def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """Row 12: in shadow it is logged, once a response, and not a byte is changed."""
    data = TRACE * 3
    with caplog.at_level(logging.DEBUG, "revproxy.security"):
        response = await DebugPages(OWN, shadow=True)(exchange(), showing(data, size=5))
        assert await response.body.read(10_000) == data
    assert [vars(each)["action"] for each in caplog.records] == ["shadow block 500"]


# With pages.


@pytest.mark.parametrize(("status", "shown"), [(200, 500), (404, 500), (500, 500), (503, 503)])
async def test_the_page(status: int, shown: int) -> None:
    """It is the page for 500; a status that says that the server has failed is kept. It is the error that goes on."""
    pages = ErrorPages({500: "five", 503: "busy", 404: "none"}, traces=DebugPages(OWN))
    with pytest.raises(DebugPageShown) as raised:
        await pages(exchange(headers=HTML), showing(status=status))
    answer = raised.value.answer
    assert answer is not None
    assert (answer.status, await content(answer)) == (shown, {500: "five", 503: "busy"}[shown])
    assert raised.value.fields["Content-Type"] == "text/html; charset=utf-8"
    assert (pages.replaced, pages.failed) == (1, 0)


@pytest.mark.parametrize("own", [True, False])
async def test_programs(own: bool) -> None:
    """Who wants JSON gets a problem document, whether or not other errors of the proxy have pages; who has no opinion
    what the answer was."""
    pages = ErrorPages("<p>Sorry", traces=DebugPages(OWN), own=own)
    for headers, kind, form in (
        (JSON, "text/html", "application/problem+json"),
        ({}, "application/json", "application/problem+json"),
        ({}, "text/html", "text/html; charset=utf-8"),
    ):
        with pytest.raises(DebugPageShown) as raised:
            await pages(exchange(headers=headers), showing(kind=kind))
        assert raised.value.answer is not None
        assert raised.value.answer.headers["Content-Type"] == form


async def test_unless_is_for_both() -> None:
    """Where the pages stay away nothing is looked at either."""
    pages = ErrorPages("x", traces=True, unless=when.path("/raw/*"))
    assert (await pages(exchange(target="/raw/x"), showing())).status == 200


async def test_without_traces() -> None:
    """By default nothing is looked at."""
    response = await ErrorPages("x")(exchange(), showing())
    assert response.body.data == TRACE


async def test_over_the_wire() -> None:
    """F-112: the client gets the page and nothing of the trace, as a clean answer on a connection that lasts, also
    where the body is long and the rest of it is still to come; observers, ``Proxy-Status`` and the attempt know."""
    seen = Seen()
    async with FakeUpstream() as server:
        pages = ErrorPages(Page("<p>Sorry"), traces=DebugPages(OWN))
        proxy = ProxyHandler(Upstream(server.url), filters=[pages], proxy_status="edge", observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            server.once(says(200, headers={"Content-Type": "text/html"}, body=b"a" * 9000 + b" " + TRACE * 90_000))
            await client.send(ask())
            answer = await client.response()
            server.once(says(200, headers={"Content-Type": "text/html"}, body=b"fine" * 50_000))
            await client.send(ask())
            assert (await client.response()).body == b"fine" * 50_000
    assert (answer.status, answer.body) == (500, b"<p>Sorry")
    assert answer.getall(b"Proxy-Status") == [b"edge; error=http_request_denied; received-status=200"]
    assert ([type(each) for each in seen.errors], seen.statuses) == ([DebugPageShown], [500, 200])


async def test_it_shares_the_decoding() -> None:
    """It stands with other filters of content around it."""
    both = Pipeline(
        DebugPages(OWN), DebugPages(OWN, threshold=100), handler=showing(gzip.compress(TRACE), coding="gzip")
    )
    with pytest.raises(DebugPageShown):
        await both(exchange())


@pytest.mark.parametrize("size", [0, 1, 50])
async def test_it_sees_what_clients_would(size: int) -> None:
    """Around a filter that edits it looks at what comes of that, in the coding that it is put into again; what it lets
    out is the same."""
    coded = gzip.compress(b"<p>boom</p>" * 20)
    for instead, shows in (("Traceback (most recent call last):", True), ("fine", False)):
        both = Pipeline(
            DebugPages(OWN), ReplaceText({"boom": instead}), handler=showing(coded, coding="gzip", size=size)
        )
        if shows:
            with pytest.raises(DebugPageShown):
                await both(exchange())
        else:
            response = await both(exchange())
            assert gzip.decompress(await response.body.read(10_000)) == b"<p>fine</p>" * 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"look": 0}, "look"),
        ({"look": 1.5}, "look"),
        ({"threshold": 0}, "threshold"),
        ({"left_out": ["own-99"]}, "left_out"),
        ({"left_out": "own-01"}, "left_out"),
        ({"unless": any}, "unless"),
        ({"handling": "pass"}, "handling"),
        ({"name": ""}, "name"),
    ],
    ids=str,
)
def test_wrong(arguments: dict[str, object], said: str) -> None:
    """What cannot be meant is refused, by the name of the parameter."""
    with pytest.raises((ValueError, TypeError), match=said):
        DebugPages(OWN, **arguments)  # type: ignore[arg-type]


def test_wrong_traces() -> None:
    """As is what is no such filter."""
    with pytest.raises(TypeError, match="traces"):
        ErrorPages(traces="yes")  # type: ignore[arg-type]


def test_repr() -> None:
    """It says how many were caught."""
    assert repr(DebugPages(OWN)) == "<DebugPages debug-pages: 0 caught, 2 signatures>"


# The real thing.


@cache
def ours() -> DebugPages:
    """With the packs of the library, which take a while to compile."""
    return DebugPages()


def texts() -> Iterator[tuple[str, bytes, str, int]]:
    for name, (data, kind) in PAGES.items():
        for status in (200, 500) if name != "express" else (500,):  # all of it is in <pre>, as a quotation would be
            yield f"{name}-{status}", data, kind, status


@pytest.mark.parametrize(("data", "kind", "status"), [pytest.param(*each[1:], id=each[0]) for each in texts()])
async def test_what_frameworks_say(data: bytes, kind: str, status: int) -> None:
    """S-64: the debug pages and traces of each, at 500 and at 200, whole and in pieces."""
    for size in (0, 100):
        with pytest.raises(DebugPageShown):
            await ours()(exchange(), showing(data, kind, status, size=size))


@pytest.mark.parametrize("name", PLAIN)
async def test_what_is_none(name: str) -> None:
    """Pages that only speak of such things pass."""
    data, kind = PLAIN[name]
    response = await ours()(exchange(), showing(data, kind))
    assert response.body.data == data


async def test_inside_json() -> None:
    """S-65: in a string of JSON, where newlines and quotes are escaped."""
    data = json.dumps({"error": "boom", "stack": PAGES["python"][0].decode()}).encode()
    with pytest.raises(DebugPageShown):
        await ours()(exchange(), showing(data, "application/json"))
