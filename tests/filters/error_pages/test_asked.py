"""Handlers that are asked for pages: what they are told, what of their answer counts, and what if there is none."""

from __future__ import annotations

import asyncio

import pytest
from multidict import CIMultiDict

from revproxy import Body, Exchange, Handler, Pipeline, Response, Upstream, redirect, respond
from revproxy.body import StreamBody
from revproxy.errors import ConnectFailed, NoRoute, ProxyError
from revproxy.exchange import Attempt
from revproxy.filters import INSTEAD_OF, ErrorPages, PageFrom
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange

from ...e2e.wire import serving
from .test_error_pages import HTML, ask, content, failing, saying


async def test_the_status_is_kept() -> None:
    """The content is the handler's, and what says what it is; the status and what may be stored are the error's."""
    fields = CIMultiDict(
        [
            ("Content-Type", "text/html"),
            ("Content-Encoding", "gzip"),
            ("Content-Security-Policy", "default-src 'self'"),
            ("Cache-Control", "public, max-age=600"),
            ("ETag", '"x"'),
            ("Last-Modified", "Sat, 28 Nov 2026 12:00:00 GMT"),
            ("Set-Cookie", "a=1"),
            ("Vary", "Accept-Encoding"),
        ]
    )

    async def static(exchange: Exchange) -> Response:
        return Response(200, fields, Body(b"page"))

    response = await ErrorPages(static)(exchange(headers=HTML), saying(503, {"Retry-After": "7", "Vary": "Origin"}))
    assert (response.status, response.body.data) == (503, b"page")
    assert dict(response.headers) == {
        "Content-Type": "text/html",
        "Content-Encoding": "gzip",
        "Content-Security-Policy": "default-src 'self'",
        "Vary": "Accept-Encoding, Accept",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Retry-After": "7",
    }
    assert "ETag" in fields  # the answer may be its handler's to give out again


async def test_a_status_of_its_own() -> None:
    """Told so, it is answered as the handler does, be it a redirect."""
    subject = ErrorPages({503: PageFrom(redirect("https://status.example"), status="own")})
    response = await subject(exchange(headers=HTML), saying(503))
    assert (response.status, response.headers["Location"]) == (302, "https://status.example")
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await ErrorPages(PageFrom(respond(410, "gone"), status="own"))(exchange(headers=HTML), failing(error))
    assert error.answer is not None
    assert (error.answer.status, error.answer.body.data) == (410, b"gone")


async def test_what_it_is_told() -> None:
    """An exchange of its own, that knows what for: the attempts, the draft and the releases stay the client's own."""
    seen: list[tuple[object, ...]] = []

    def answer(attempt: Attempt) -> Response:
        asked = attempt.exchange
        seen.append((asked[INSTEAD_OF], asked.id, asked.request.method, asked.request.target, asked.inbound.target))
        return Response(200, body=Body(b"page"))

    down = Upstream("http://a.test", transport=FakeTransport(Response(503)))
    static = Upstream("http://static.test", transport=FakeTransport(answer))
    asked = exchange("POST", "/pay", headers=HTML, body=b"x")
    response = await Pipeline(ErrorPages(PageFrom(static, "/{status}.html")), handler=down)(asked)
    assert (response.status, response.body.data) == (503, b"page")
    assert seen == [(503, asked.id, "GET", "/503.html", "/pay")]
    assert [each.endpoint.name for each in asked.attempts] == ["http://a.test"]
    assert (asked.request.method, asked.request.target, asked.request.body.data) == ("POST", "/pay", b"x")
    assert [each.in_flight for each in static.endpoints] == [0]


async def test_after_a_deadline() -> None:
    """The page is asked for although the time of the request is over, and although it must not be sent again."""
    static = Upstream("http://static.test", transport=FakeTransport(Response(200, body=Body(b"page"))))
    asked = exchange(headers=HTML)
    asked.deadline, asked.spent = 0.0, ConnectFailed("x")
    assert (await ErrorPages(static)(asked, saying(504))).body.data == b"page"
    assert (asked.deadline, type(asked.spent)) == (0.0, ConnectFailed)


@pytest.mark.parametrize(
    "handler",
    [
        respond(404, "no such file"),
        respond(204),
        redirect("https://a.test"),
        failing(ConnectFailed("x")),
        failing(KeyError("x")),
        saying(101),
        saying(200, body=Body(b"a" * 262_145)),
        saying(200, {"X-A": "a\r\nSet-Cookie: b=c"}),
        failing(asyncio.CancelledError()),
    ],
    ids=["404", "204", "redirect", "refused", "bug", "101", "too long", "torn field", "cancelled"],
)
async def test_no_page(handler: Handler) -> None:
    """What is no page is not served as one: the client gets the plain form of the error that there was."""
    subject = ErrorPages(handler)
    response = await subject(exchange(headers=HTML), saying(503))
    assert (await content(response)).startswith("503 Service Unavailable")
    assert subject.failed == 1


async def test_given_up() -> None:
    """A client that leaves while the page is made ends it: nothing is made in its place."""
    asked = asyncio.Event()

    async def page(exchange: Exchange) -> Response:
        asked.set()
        await asyncio.get_running_loop().create_future()
        return Response(200)

    subject = ErrorPages(page)
    task = asyncio.ensure_future(subject(exchange(headers=HTML), saying(503)))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert subject.failed == 0


@pytest.mark.parametrize("status", [100, 101, 600])
async def test_no_answer(status: int) -> None:
    """What no client could be sent is no answer either, were it asked for with a status of its own."""
    subject = ErrorPages(PageFrom(saying(status), status="own"))
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await subject(exchange(headers=HTML), failing(error))
    assert (error.answer, subject.failed) == (None, 1)


async def test_one_of_its_status() -> None:
    """A handler may answer with the very status."""
    response = await ErrorPages(respond(503, "busy"))(exchange(headers=HTML), saying(503))
    assert (response.status, response.body.data) == (503, b"busy")


@pytest.mark.parametrize("where", ["head", "body"])
async def test_too_late(where: str) -> None:
    """Neither an answer nor the rest of one is waited for longer than ``timeout``."""
    clock, waits = FakeClock(), asyncio.Event()

    async def forever() -> bytes:
        waits.set()
        await asyncio.Event().wait()
        return b""

    class Slow:
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            yield await forever()

    async def slow(exchange: Exchange) -> Response:
        return Response(200, body=Body(await forever()) if where == "head" else StreamBody(Slow()))

    subject = ErrorPages(PageFrom(slow, timeout=3.0), clock=clock)
    task = asyncio.ensure_future(subject(exchange(headers=HTML), saying(503)))
    await waits.wait()
    clock.advance(3)
    response = await task
    assert (await content(response)).startswith("503 Service Unavailable")


async def test_an_own_error_with_a_page_from_another_server() -> None:
    """Over the wire: one server is gone, another one has the page; a HEAD gets its length."""
    async with FakeUpstream() as down:
        pass
    async with FakeUpstream() as static:
        static.respond(200, body=b"<p>Sorry", headers={"Content-Type": "text/html"})
        pages = ErrorPages({"5xx": PageFrom(Upstream(static.url, name="static"), "/{status}.html")})
        async with serving(Pipeline(pages, handler=Upstream(down.url))) as site:
            answer = await site.ask(ask("POST", "/pay?token=1", more="Cookie: a=1\r\nContent-Length: 0\r\n"))
            async with site.connect() as client:
                await client.send(ask("HEAD"))
                headed = await client.response("HEAD")
        sent = static.requests[0]
    assert (answer.status, answer.body, answer.getall(b"Content-Type")) == (502, b"<p>Sorry", [b"text/html"])
    assert answer.getall(b"Cache-Control") == [b"no-store"]
    assert (sent.method, sent.target) == ("GET", "/502.html")
    assert b"token" not in sent.raw_head
    assert b"Cookie" not in sent.raw_head
    assert (headed.status, headed.getall(b"Content-Length"), static.requests[1].method) == (502, [b"8"], "HEAD")


async def test_a_loop() -> None:
    """Pages around the handler that is asked for a page end there: it is one error, not many."""
    asked: list[int] = []

    async def broken(exchange: Exchange) -> Response:
        asked.append(1)
        return Response(500)

    inner = Pipeline(ErrorPages(broken), handler=broken)
    response = await ErrorPages(inner)(exchange(headers=HTML), saying(500))
    assert (response.status, len(asked)) == (500, 2)


def test_it_is_typed() -> None:
    """An error's answer is one of the base class, so that every kind may have one."""
    assert ProxyError.answer is None
