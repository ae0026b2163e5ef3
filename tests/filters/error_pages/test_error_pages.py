"""Errors in the application's own words: which are replaced, by what, for whom, and what is left of them."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import (
    Body,
    Exchange,
    Filter,
    Handler,
    Observer,
    Pipeline,
    ProxyHandler,
    Response,
    Upstream,
    respond,
    when,
)
from revproxy.body import StreamBody
from revproxy.errors import (
    ConnectFailed,
    Drop,
    InternalError,
    LastHop,
    NoRoute,
    ProxyError,
    RateLimited,
)
from revproxy.events import Event
from revproxy.exchange import Attempt, Key
from revproxy.filters import INSTEAD_OF, Cors, ErrorPages, Fallback, Page, PageFailed, PageFrom, Retry, SecurityHeaders
from revproxy.filters.error_pages import KEPT, PageOf
from revproxy.filters.error_pages.table import Pages
from revproxy.handler import walk
from revproxy.problems import told
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, head, raw, reset
from revproxy.testing import respond as says
from revproxy.testing.script import Action, close

from ...e2e.wire import serving

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
SECRET = b"Traceback (most recent call last): db-7.internal"


def saying(
    status: int = 500,
    headers: Mapping[str, str] | CIMultiDict[str] | None = None,
    body: Body | None = None,
    reason: str | None = None,
) -> Handler:
    async def say(exchange: Exchange) -> Response:
        return Response(status, CIMultiDict(headers or {}), Body(SECRET) if body is None else body, reason)

    return say


def failing(error: BaseException) -> Handler:
    async def fail(exchange: Exchange) -> Response:
        raise error

    return fail


async def content(response: Response) -> str:
    return (await response.body.read(100_000)).decode()


# Which.


@pytest.mark.parametrize("status", [500, 502, 503, 504, 511, 520, 599])
async def test_failures_of_servers(status: int) -> None:
    """By default all from 500 on are replaced, whether or not the status is known; the status stays, and nothing of
    what the server said does."""
    response = await ErrorPages("<p>Sorry")(exchange(headers=HTML), saying(status, reason="db-7 is down"))
    assert (response.status, response.reason, await content(response)) == (status, None, "<p>Sorry")


@pytest.mark.parametrize("status", [200, 204, 206, 301, 304, 400, 401, 404, 412, 422, 429])
async def test_answers_stay(status: int) -> None:
    """What is below 500 is an answer, and goes on as the very same object."""
    given = Response(status, {"X-A": "a"}, Body(b"x"))

    async def say(exchange: Exchange) -> Response:
        return given

    assert await ErrorPages("<p>Sorry")(exchange(), say) is given


async def test_a_switch_stays() -> None:
    """A 101 is no error."""
    given = Response(101, {"Upgrade": "websocket"})

    async def say(exchange: Exchange) -> Response:
        return given

    assert await ErrorPages("<p>Sorry", statuses=range(400, 600))(exchange(upgrade="websocket"), say) is given


async def test_statuses_that_have_pages() -> None:
    """A status with a page of its own is replaced, too; its class may be; the page of the status wins."""
    subject = ErrorPages({404: "gone", "5xx": "broken", 503: "busy"}, problems={422: "{}"})
    said = [await content(await subject(exchange(headers=HTML), saying(each))) for each in (404, 500, 503, 403)]
    assert said == ["gone", "broken", "busy", SECRET.decode()]
    assert (await content(await subject(exchange(headers=JSON), saying(422)))) == "{}"
    assert (await content(await ErrorPages({"4xx": "x"})(exchange(headers=HTML), saying(418)))) == "x"


async def test_statuses_as_said() -> None:
    """``statuses`` says which, and those only; with none only the proxy's own errors are."""
    subject = ErrorPages({404: "gone", "5xx": "broken"}, statuses=[502])
    said = [(await subject(exchange(headers=HTML), saying(each))).body.data for each in (404, 500, 502)]
    assert said == [SECRET, SECRET, b"broken"]
    nothing = ErrorPages("x", statuses=())
    assert (await nothing(exchange(headers=HTML), saying(500))).body.data == SECRET
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await nothing(exchange(headers=HTML), failing(error))
    assert error.answer is not None


async def test_unless() -> None:
    """Where the condition holds everything stays, the proxy's own errors, too."""
    subject = ErrorPages("x", unless=when.path("/raw/*"))
    assert (await subject(exchange(target="/raw/1"), saying())).body.data == SECRET
    assert (await subject(exchange(target="/other", headers=HTML), saying())).body.data == b"x"
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await subject(exchange(target="/raw/1", headers=HTML), failing(error))
    assert error.answer is None
    assert subject.reads_path


async def test_unless_needs_its_keys() -> None:
    """A condition on a key that nobody provides is found when the proxy is made."""
    key: Key[str] = Key("tenant")
    with pytest.raises(ValueError, match="tenant"):
        ProxyHandler(respond(200), filters=[ErrorPages(unless=when.key(key, "a"))])


@pytest.mark.parametrize(
    ("kind", "stands"),
    [
        ("application/problem+json", True),
        ("Application/Problem+JSON; charset=utf-8", True),
        ("application/vnd.shop+json", True),
        ("application/json", False),
        ("text/html", False),
        ("application/problem+json, text/html", False),
        ("", False),
    ],
)
async def test_types_that_stay(kind: str, stands: bool) -> None:
    """Answers of a type that is exempt stay; what has no type, or one that cannot be read, is replaced."""
    subject = ErrorPages(unless_types=["application/problem+json", "application/*+json"])
    response = await subject(exchange(), saying(500, {"Content-Type": kind} if kind else {}))
    assert (response.body.data == SECRET) is stands


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "application/grpc-web-text"])
async def test_grpc_stays(kind: str) -> None:
    """gRPC has its errors in trailers: neither its answers nor the proxy's own errors to its requests are touched. That
    a client says it speaks gRPC has no server's page out."""
    response = await ErrorPages("x")(exchange(headers=HTML), saying(503, {"Content-Type": kind}))
    assert response.body.data == SECRET
    asked = exchange("POST", headers={**HTML, "Content-Type": kind})
    for said in ({"Content-Type": "text/html"}, {}):
        assert (await ErrorPages("x")(asked, saying(503, said))).body.data == b"x"
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await ErrorPages("x")(asked, failing(error))
    assert error.answer is None


# For whom.


@pytest.mark.parametrize(
    ("accept", "kind", "form"),
    [
        (HTML["Accept"], "text/html", "page"),
        (HTML["Accept"], "application/json", "page"),
        ("application/json", "text/html", "problem"),
        ("application/json", "application/json", "problem"),
        ("*/*", "text/html; charset=utf-8", "page"),
        ("*/*", "text/plain", "page"),
        ("*/*", "application/xhtml+xml", "page"),
        ("*/*", "application/json", "problem"),
        ("*/*", "application/vnd.api+json", "problem"),
        ("*/*", "application/xml", "problem"),
        ("", "text/html", "page"),
        ("", "", "problem"),
        ("image/png", "text/html", "page"),
        ("text/html;q=0.1, application/json", "text/html", "problem"),
        ("text/html, application/json", "application/json", "problem"),
    ],
)
async def test_the_form(accept: str, kind: str, form: str) -> None:
    """RFC 9110 section 12.5.1: what the client would rather have; without an opinion, what the upstream answered with
    says who asks."""
    asked = exchange("POST", headers={"Accept": accept} if accept else {})
    response = await ErrorPages("<p>Sorry")(asked, saying(500, {"Content-Type": kind} if kind else {}))
    assert response.headers.getall("Vary") == ["Accept"]
    if form == "page":
        assert (response.headers["Content-Type"], await content(response)) == ("text/html; charset=utf-8", "<p>Sorry")
    else:
        assert response.headers["Content-Type"] == "application/problem+json"
        assert json.loads(await content(response)) == {"title": "Internal Server Error", "status": 500, "id": asked.id}


@pytest.mark.parametrize("pages", [{404: "<p>Gone"}, {"4xx": lambda asked, status: "<p>Gone"}], ids=["page", "made"])
@pytest.mark.parametrize(
    ("accept", "kind", "replaced"),
    [
        (HTML["Accept"], "text/html", True),
        (HTML["Accept"], "application/json", True),
        ("*/*", "text/plain", True),
        ("", "text/html", True),
        ("*/*", "application/json", False),
        ("", "application/problem+json", False),
        ("application/json", "application/json", False),
        ("application/json", "text/html", False),
        ("application/xml", "application/xml", False),
        ("", "", False),
    ],
)
async def test_pages_for_people(pages: Pages, accept: str, kind: str, replaced: bool) -> None:
    """Below 500 a page stands in place of what is for people, and what an API says to its clients goes on as it was,
    but that it says, too, that it depends on ``Accept`` (RFC 9110 section 12.5.5)."""
    asked = exchange(headers={"Accept": accept} if accept else {})
    came = {"X-A": "a", **({"Content-Type": kind} if kind else {})}
    body = Body(b'{"error": "no such user"}')
    response = await ErrorPages(pages)(asked, saying(404, came, body))
    assert (response.status, response.headers.getall("Vary")) == (404, ["Accept"])
    if replaced:
        assert (await content(response), "X-A" in response.headers) == ("<p>Gone", False)
    else:
        assert response.body is body
        assert dict(response.headers) == {**came, "Vary": "Accept"}


async def test_problems_for_programs() -> None:
    """A problem document for a status below 500 leaves what is for people; a status that is named as such is replaced
    for all, as those from 500 on are."""
    document = Page('{"title": "Gone"}', "application/problem+json")
    subject = ErrorPages(problems={404: document})
    assert (await subject(exchange(headers=JSON), saying(404))).body.data == document.data
    assert (await subject(exchange(headers=HTML), saying(404))).body.data == SECRET
    for named in ErrorPages({404: "x"}, statuses=[404, "5xx"]), ErrorPages({404: "x"}, statuses=["4xx"]):
        response = await named(exchange(headers=JSON), saying(404, {"Content-Type": "application/json"}))
        assert json.loads(await content(response))["title"] == "Not Found"
    assert (await ErrorPages({404: "x"})(exchange(headers=JSON), saying(500))).body.data != SECRET


@pytest.mark.parametrize("headers", [HTML, JSON, {}], ids=["html", "json", "none"])
async def test_own_errors_vary(headers: dict[str, str]) -> None:
    """The proxy's own errors depend on ``Accept`` in every form that they have, as an upstream's do, where there is a
    page; where there is none nothing is said."""
    for subject, varies in (
        (ErrorPages({404: "x"}), True),
        (ErrorPages(problems={404: Page("{}", "application/json")}), True),
        (ErrorPages({"5xx": "x"}), False),
    ):
        error = NoRoute("x")
        with pytest.raises(NoRoute):
            await subject(exchange(headers=headers), failing(error))
        assert told(exchange(headers=headers), error).headers.getall("Vary", []) == (["Accept"] if varies else [])
    assert NoRoute.fields == {}


@pytest.mark.parametrize(
    ("status", "said"), [(503, "Service Unavailable"), (520, "Server error"), (499, "Client error")]
)
async def test_without_pages(status: int, said: str) -> None:
    """There is always something to say: a problem document, or a line of text, with the id."""
    subject = ErrorPages(statuses=[status])
    asked = exchange(headers=HTML)
    response = await subject(asked, saying(status))
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert await content(response) == f"{status} {said}\nid: {asked.id}\n"
    document = json.loads(await content(await subject(exchange(headers=JSON), saying(status))))
    assert (document["title"], document["status"]) == (said, status)


# With what.


async def test_functions() -> None:
    """A function makes the page of the exchange and the status, and knows what it stands for."""

    def page(asked: Exchange, status: int) -> str:
        return f"{status} {asked.id} {asked[INSTEAD_OF]!r}"

    async def later(asked: Exchange, status: int) -> Page:
        return Page(b'{"a": 1}', "application/json", status=200, headers={"X-A": "a", "Cache-Control": "max-age=9"})

    subject = ErrorPages(page, problems=later)
    asked = exchange(headers=HTML)
    assert await content(await subject(asked, saying(503))) == f"503 {asked.id} 503"
    response = await subject(exchange(headers=JSON), saying(503))
    assert (response.status, response.body.data, dict(response.headers)) == (
        200,
        b'{"a": 1}',
        {
            "Vary": "Accept",
            "Cache-Control": "max-age=9",
            "X-Content-Type-Options": "nosniff",
            "Content-Type": "application/json",
            "X-A": "a",
        },
    )


@pytest.mark.parametrize("wrong", [ValueError("no template"), Drop("x"), None])
async def test_a_page_that_fails(wrong: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets the plain form, and not one word of why; the log and the observers do, once in ten seconds."""
    clock, told = FakeClock(), list[Event]()

    def page(asked: Exchange, status: int) -> str:
        if wrong is not None:
            raise wrong
        return 7  # type: ignore[return-value]  # somebody who does not type-check

    subject = ErrorPages(page, clock=clock)
    subject._listeners = (told.append,)
    for _ in range(2):
        response = await subject(exchange(headers=HTML), saying(503))
        assert (response.status, (await content(response)).splitlines()[0]) == (503, "503 Service Unavailable")
    assert (subject.failed, len(told)) == (2, 1)
    assert isinstance(told[0], PageFailed)
    assert [each.name for each in caplog.records] == ["revproxy.error", "revproxy.event"]
    assert caplog.records[0].exc_info is not None
    clock.advance(10)
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await subject(exchange(headers=HTML), failing(error))
    assert (error.answer, len(told)) == (None, 2)


# What is left.


async def test_fields_that_stay() -> None:
    """S-72, F-109: what a client needs to ask better, or what says when, stays; all else is gone: who the server is,
    what its answer was, cookies, its policy for its own page, caches' instructions."""
    came = CIMultiDict(
        [
            ("Retry-After", "7"),
            ("Access-Control-Allow-Origin", "https://app.test"),
            ("Vary", "Origin"),
            ("Set-Cookie", "debug=1"),
            ("Server", "werkzeug"),
            ("X-Powered-By", "PHP"),
            ("ETag", '"x"'),
            ("Content-Encoding", "gzip"),
            ("Content-Length", "7"),
            ("Cache-Control", "public, max-age=600"),
            ("Content-Security-Policy", "default-src *"),
            ("Proxy-Status", "inner-7"),
            ("Location", "/debug"),
            ("WWW-Authenticate", "Basic"),
            ("Allow", "GET"),
            ("Content-Range", "bytes */1"),
            ("RateLimit", '"a";r=0'),
        ]
    )
    response = await ErrorPages("x")(exchange(headers=HTML), saying(503, came))
    assert dict(response.headers) == {
        "Access-Control-Allow-Origin": "https://app.test",
        "RateLimit": '"a";r=0',
        "Retry-After": "7",
        "Vary": "Origin, Accept",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": "text/html; charset=utf-8",
    }


@pytest.mark.parametrize(
    ("status", "field"), [(401, "WWW-Authenticate"), (405, "Allow"), (416, "Content-Range"), (415, "Accept-Encoding")]
)
async def test_fields_of_a_status(status: int, field: str) -> None:
    """RFC 9110 sections 11.6.1, 10.2.1, 15.5.17: what a status has to say stays with it."""
    response = await ErrorPages({"4xx": "x"})(exchange(headers=HTML), saying(status, {field: "a"}))
    assert response.headers.getall(field) == ["a"]


async def test_fields_of_your_own() -> None:
    """``fields`` says which stay, all values of each."""
    came = CIMultiDict([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Retry-After", "7")])
    response = await ErrorPages("x", fields=("Set-Cookie",))(exchange(headers=HTML), saying(500, came))
    assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert "Retry-After" not in response.headers
    assert "Set-Cookie" not in KEPT


@given(
    status=st.integers(400, 599),
    accept=st.sampled_from(["", "*/*", "text/html", "application/json", "text/*;q=0.3, application/*;q=0.2", ",;q=x"]),
    kind=st.sampled_from(["", "text/html", "text/plain; charset=utf-16", "application/json", "image/png", "x"]),
    fields=st.lists(
        st.tuples(st.sampled_from([*KEPT, "Server", "Set-Cookie", "X-Host", "Via", "Link"]), st.just("secret")),
        max_size=6,
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    pages=st.sampled_from([None, "<p>x", {500: "a"}, {"4xx": b"b"}]),
)
async def test_whatever_comes(
    status: int,
    accept: str,
    kind: str,
    fields: list[tuple[str, str]],
    method: str,
    pages: dict[Literal["4xx", "5xx"] | int, PageOf] | str | None,
) -> None:
    """Either the answer is the very one that came, or nothing of it is left but its status and what is allowed."""
    came = CIMultiDict([*fields, *([("Content-Type", kind)] if kind else [])])
    given_back = Response(status, came, Body(SECRET), "db-7")

    async def say(exchange: Exchange) -> Response:
        return given_back

    response = await ErrorPages(pages)(exchange(method, headers={"Accept": accept} if accept else {}), say)
    if response.body is given_back.body:
        assert status < 500
        assert (response.status, response.reason) == (status, "db-7")
        assert [each for each in response.headers.items() if each[0] != "Vary"] == [
            each for each in came.items() if each[0] != "Vary"
        ]
        return
    assert (response.status, response.reason) == (status, None)
    assert SECRET not in (response.body.data or b"")
    allowed = {*(each.lower() for each in KEPT), "content-type", "cache-control", "x-content-type-options"}
    assert {each.lower() for each in response.headers} <= allowed
    assert len(response.headers.getall("Content-Type")) == 1


async def test_what_was_answered_is_not_touched() -> None:
    """A handler may give the same answer out again."""
    given = Response(500, {"Retry-After": "7"}, Body(SECRET))

    async def say(exchange: Exchange) -> Response:
        return given

    await ErrorPages("x")(exchange(headers=HTML), say)
    assert (dict(given.headers), given.body.data) == ({"Retry-After": "7"}, SECRET)


# The proxy's own.


async def test_own_errors() -> None:
    """The error goes on, for logs and observers, with the page for an answer and all of its fields."""
    subject = ErrorPages("<p>Sorry")
    error = RateLimited("x", retry_after=3)
    with pytest.raises(RateLimited) as raised:
        await subject(exchange(headers=HTML), failing(error))
    assert raised.value is error
    assert error.answer is not None
    assert (error.answer.status, error.answer.body.data) == (429, b"<p>Sorry")
    assert error.fields["Retry-After"] == "3"
    assert error.fields["Content-Type"] == "text/html; charset=utf-8"
    assert (RateLimited.answer, RateLimited.fields, ProxyError.answer) == (None, {}, None)


async def test_own_errors_for_programs() -> None:
    """They have their problem document already, which says more than a phrase; ``problems`` replaces it."""
    error = NoRoute("x")
    with pytest.raises(NoRoute):
        await ErrorPages("<p>Sorry")(exchange(headers=JSON), failing(error))
    assert error.answer is None
    other = NoRoute("x")
    with pytest.raises(NoRoute):
        await ErrorPages(problems={404: Page("{}", "application/json")})(exchange(), failing(other))
    assert other.answer is not None
    assert other.answer.body.data == b"{}"


@pytest.mark.parametrize("error", [Drop("x"), LastHop("x")])
async def test_own_errors_that_are_none(error: ProxyError) -> None:
    """What closes the connection, and what is no failure, stays so."""
    with pytest.raises(type(error)):
        await ErrorPages("x", problems="y")(exchange(headers=HTML), failing(error))
    assert error.answer is None


async def test_own_errors_are_left_alone() -> None:
    """With ``own=False`` they are as they were."""
    for error in (NoRoute("x"), KeyError("x")):
        with pytest.raises(type(error)):
            await ErrorPages("x", own=False)(exchange(headers=HTML), failing(error))


async def test_a_bug() -> None:
    """What is no ``ProxyError`` is the one that the proxy would make of it, with the page, and its cause."""
    with pytest.raises(InternalError, match="KeyError: 'x'") as raised:
        await ErrorPages("<p>Sorry")(exchange(headers=HTML), failing(KeyError("x")))
    assert isinstance(raised.value.__cause__, KeyError)
    assert raised.value.answer is not None


async def test_the_innermost_page_stands() -> None:
    """Of two such filters the one further in knows better what to say, of a server's error or of the proxy's own."""
    for inner, said in ((ErrorPages("inner"), b"inner"), (ErrorPages({404: "x"}), b"503 Service Unavailable")):
        answered = Pipeline(ErrorPages("outer"), SecurityHeaders(), inner, handler=saying(503))
        response = await answered(exchange(headers=HTML))
        assert (response.body.data or b"").startswith(said)
    passed = Pipeline(ErrorPages("outer"), ErrorPages("inner", statuses=[500]), handler=saying(503))
    assert (await passed(exchange(headers=HTML))).body.data == b"outer"
    error = NoRoute("x")
    both = Pipeline(ErrorPages("outer"), ErrorPages("inner"), handler=failing(error))
    with pytest.raises(NoRoute):
        await both(exchange(headers=HTML))
    assert error.answer is not None
    assert error.answer.body.data == b"inner"


async def test_retries_see_the_error() -> None:
    """A retry or a fallback further out decides by the error, not by its page."""

    def say(attempt: Attempt) -> Response | ConnectFailed:
        return ConnectFailed("x") if attempt.number == 1 else Response(200)

    upstream = Upstream("http://a.test", transport=FakeTransport(say))
    assert (await Pipeline(Retry(), ErrorPages("x"), handler=upstream)(exchange(headers=HTML))).status == 200
    again = Pipeline(Fallback(respond(200)), ErrorPages("x"), handler=failing(ConnectFailed("x")))
    assert (await again(exchange(headers=HTML))).status == 200


# Over the wire.


class Seen(Observer):
    def __init__(self) -> None:
        self.errors: list[ProxyError] = []
        self.statuses: list[int | None] = []
        self.attempts: list[int | None] = []

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        self.errors.append(error)

    def finished(self, exchange: Exchange, status: int | None) -> None:
        self.statuses.append(status)
        self.attempts.append(exchange.attempts[-1].status if exchange.attempts else None)


def ask(method: str = "GET", target: str = "/", accept: str = "text/html", more: str = "") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: a.test\r\nAccept: {accept}\r\n{more}\r\n".encode()


async def test_an_own_error_over_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    """F-112: the client gets the page, and the filters outside have added their fields, or left the page's;
    ``Proxy-Status``, the log and the observers say what has happened."""
    seen = Seen()
    async with FakeUpstream() as server:
        pass  # nobody listens there
    filters: list[Filter] = [
        SecurityHeaders(),
        Cors("https://app.test"),
        ErrorPages(Page("<p>Sorry", headers={"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"})),
    ]
    proxy = ProxyHandler(Upstream(server.url), filters=filters, proxy_status="edge", observers=[seen])
    async with serving(proxy) as site:
        answer = await site.ask(ask(more="Origin: https://app.test\r\n"))
    assert (answer.status, answer.body) == (502, b"<p>Sorry")
    assert answer.getall(b"Content-Security-Policy") == [b"default-src 'none'; frame-ancestors 'none'"]
    assert answer.getall(b"Access-Control-Allow-Origin") == [b"https://app.test"]
    assert answer.getall(b"Vary") == [b"Accept, Origin"]
    assert answer.getall(b"Proxy-Status") == [b"edge; error=connection_refused"]
    assert answer.getall(b"Referrer-Policy") != []
    assert ([type(each) for each in seen.errors], seen.statuses) == ([ConnectFailed], [502])
    assert [each.levelno for each in caplog.records if each.name == "revproxy.error"] == [logging.WARNING]


async def test_a_connection_that_ends() -> None:
    """An error after which the client's connection must end ends it with a page, too."""

    class Torn(ProxyError):
        status: ClassVar[int | None] = 400
        closes = True

    async with serving(Pipeline(ErrorPages("x"), handler=failing(Torn("x")))) as site:
        answer = await site.ask(ask())
    assert (answer.body, answer.getall(b"Connection")) == (b"x", [b"close"])


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_head(accept: str) -> None:
    """RFC 9110 section 9.3.2: the fields that a GET would have, the length of the page, and no content."""
    async with FakeUpstream() as server, serving(Pipeline(ErrorPages("sorry"), handler=Upstream(server.url))) as site:
        server.respond(503, body=SECRET)
        got = await site.ask(ask(accept=accept))
        server.respond(503, headers={"Content-Length": str(len(SECRET))})
        async with site.connect() as client:
            await client.send(ask("HEAD", accept=accept))
            answer = await client.response("HEAD")
            await client.send(ask(accept=accept))
            assert (await client.response()).status == 503
    assert (answer.status, answer.getall(b"Content-Type")) == (503, got.getall(b"Content-Type"))
    assert answer.getall(b"Content-Length") == got.getall(b"Content-Length")


async def test_what_attempts_know() -> None:
    """Health, ``Proxy-Status`` and logs see the status that there was, also where the page has another."""
    seen = Seen()
    pages = ErrorPages(Page("fine", status=200))
    async with FakeUpstream() as server:
        server.respond(503, body=SECRET)
        proxy = ProxyHandler(Upstream(server.url), filters=[pages], proxy_status="edge", observers=[seen])
        async with serving(proxy) as site:
            answer = await site.ask(ask())
    assert (answer.status, answer.body) == (200, b"fine")
    assert answer.getall(b"Proxy-Status") == [b"edge; received-status=503"]
    assert (seen.errors, seen.statuses, seen.attempts) == ([], [200], [503])


async def test_the_connection_is_used_again() -> None:
    """What is left of a short answer is read, so that its connection serves the next request."""
    async with FakeUpstream() as server, serving(Pipeline(ErrorPages("x"), handler=Upstream(server.url))) as site:
        server.always(says(500, body=[b"a" * 1000] * 60, chunked=True))
        for _ in range(3):
            assert (await site.ask(ask())).body == b"x"
        assert server.connections == 1


async def test_a_long_answer() -> None:
    """What is longer than ``drain`` is not read: its connection is closed."""
    pages = ErrorPages("x", drain=1000)
    async with FakeUpstream() as server, serving(Pipeline(pages, handler=Upstream(server.url))) as site:
        server.respond(500, body=b"a" * 300_000)
        assert (await site.ask(ask())).body == b"x"
        await server.gone()


@pytest.mark.parametrize("rest", [close(), reset()], ids=["truncated", "reset"])
async def test_an_answer_that_breaks(rest: Action) -> None:
    """How the rest of an answer fails that nobody wants makes no difference to the page."""
    async with FakeUpstream() as server, serving(Pipeline(ErrorPages("x"), handler=Upstream(server.url))) as site:
        server.once(head(500, headers={"Content-Length": "9"}), raw(b"ha"), rest)
        assert (await site.ask(ask())).body == b"x"


async def test_handlers_run_with_it() -> None:
    """Handlers that are asked for pages are parts: started, stopped, and checked with all others."""
    static = Upstream("http://static.test", transport=FakeTransport())
    pages = ErrorPages({404: PageFrom(static, "/404.html"), "5xx": PageFrom(static)}, problems=static)
    assert [each for each in walk(pages) if isinstance(each, Upstream)] == [static]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pages": 7}, "pages"),
        ({"pages": {"6xx": "a"}}, "6xx"),
        ({"pages": {200: "a"}}, "200"),
        ({"pages": {True: "a"}}, "True"),
        ({"pages": {404: 7}}, r"pages\[404\]"),
        ({"pages": Page}, "class"),
        ({"problems": {404: None}}, r"problems\[404\]"),
        ({"statuses": [200]}, "statuses"),
        ({"statuses": 500}, "statuses"),
        ({"unless": any}, "unless"),
        ({"unless_types": "text/html"}, "unless_types"),
        ({"unless_types": ["html"]}, "unless_types"),
        ({"fields": ["Content-Length"]}, "fields"),
        ({"fields": ["content-type"]}, "fields"),
        ({"fields": "Allow"}, "fields"),
        ({"fields": ["a b"]}, "fields"),
        ({"drain": -1}, "drain"),
        ({"drain": 1.5}, "drain"),
        ({"name": ""}, "name"),
    ],
    ids=str,
)
def test_wrong(arguments: dict[str, object], said: str) -> None:
    """What cannot be meant is refused, by the name of the parameter."""
    with pytest.raises((ValueError, TypeError), match=said):
        ErrorPages(**arguments)  # type: ignore[arg-type]


async def test_repr() -> None:
    """It says what it replaces, and how often it did; a condition's secrets are not in it."""
    subject = ErrorPages({404: "x"}, unless=when.header("X-Key", "s3cret"))
    await subject(exchange(headers=HTML), saying(404))
    assert repr(subject) == (
        "<ErrorPages error-pages: 404, 100 from 500 on unless when.header('X-Key', ...), 1 replaced, 0 failed>"
    )


async def test_nothing_is_read_of_what_stays() -> None:
    """A body that streams, server-sent events for one, goes on unread."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    body = StreamBody(events())
    response = await ErrorPages("x")(exchange(), saying(200, {"Content-Type": "text/event-stream"}, body))
    assert response.body is body
    assert not body.taken
