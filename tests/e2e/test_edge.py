"""The edge as an application meets it: composing, embedding, filters, failures, what logs and observers are told."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar, cast

import pytest
from aiohttp import web
from multidict import CIMultiDict

from revproxy import (
    Attempt,
    Body,
    Component,
    Exchange,
    Filter,
    Handler,
    Key,
    Observer,
    PathPolicy,
    Pipeline,
    ProxyError,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Severity,
    Timeouts,
    Upstream,
    block,
    respond,
    when,
)
from revproxy.body import EMPTY, StreamBody
from revproxy.endpoint import EndpointState
from revproxy.errors import (
    BadRequest,
    BodyTooLarge,
    ConnectFailed,
    Drop,
    InternalError,
    NoRoute,
    Origin,
    Phase,
    ProtocolError,
    ResponseTimeout,
)
from revproxy.testing import FakeTransport, FakeUpstream, hold, raw, reset
from revproxy.testing import respond as responds

from .seen import Seen
from .wire import GET, TIMEOUT, serving

COUNTRY: Key[str] = Key("country")
PRINCIPAL: Key[str] = Key("principal")


def ask(target: str = "/", *lines: bytes, method: str = "GET", version: str = "1.1") -> bytes:
    return b"\r\n".join([f"{method} {target} HTTP/{version}".encode(), b"Host: a.test", *lines, b"", b""])


class Part(Component):
    """A filter that passes everything on, and keeps a diary of its life."""

    def __init__(self, label: str, diary: list[str], *, fails: bool = False) -> None:
        self.label, self._diary, self._fails = label, diary, fails

    async def start(self) -> None:
        self._diary.append(f"start {self.label}")
        if self._fails:
            raise LookupError(self.label)

    async def stop(self) -> None:
        self._diary.append(f"stop {self.label}")

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        self._diary.append(f"{self.label} in")
        response = await handler(exchange)
        self._diary.append(f"{self.label} out")
        return response

    def __repr__(self) -> str:
        return f"Part({self.label})"


class Shortcut(Part):
    """A filter that might answer without asking."""

    shortcuts = True


class Geo(Part):
    """A filter that says where a request comes from."""

    provides = frozenset({COUNTRY})

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        exchange[COUNTRY] = "CH"
        return await handler(exchange)


def answering(response: Callable[[], Response]) -> Handler:
    """A handler that answers so."""

    async def answer(exchange: Exchange) -> Response:
        return response()

    return answer


def raising(error: BaseException) -> Filter:
    """A filter that raises."""

    async def fail(exchange: Exchange, handler: Handler) -> Response:
        raise error

    return fail


ROUTES = Rules(Rule(when.key(COUNTRY, "CH"), respond(200)), Rule(when.anything, block(451)))

# Composing.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_body": -1}, "max_body must be at least 0 or None, got -1"),
        ({"write_timeout": 0}, "write_timeout must be above 0, got 0"),
        ({"write_timeout": -2.5}, "write_timeout must be above 0, got -2.5"),
        ({"write_timeout": float("nan")}, "write_timeout must be above 0, got nan"),
    ],
)
def test_bad_numbers(arguments: dict[str, Any], said: str) -> None:
    """A number that makes no sense is a ``ValueError`` that names parameter and value."""
    with pytest.raises(ValueError, match=re.escape(said)):
        ProxyHandler(respond(200), **arguments)


def test_bad_policy() -> None:
    """So is a policy that does not exist."""
    with pytest.raises(ValueError, match=r"^encoded_slash must be one of .*'refuse'.*, got 'reject'$"):
        PathPolicy(encoded_slash="reject")  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["in rules", "in a pipeline", "by default", "in a filter"])
def test_two_upstreams_of_one_name(where: str) -> None:
    """Two upstreams of one name are a ``ValueError`` that names it, wherever they stand; one used twice is not."""
    one, two = Upstream("http://a.test", name="api"), Upstream("http://b.test", name="api")
    if where == "by default":
        one, two = Upstream("http://a.test"), Upstream("http://a.test", "http://b.test")

    def compose(one: Upstream, two: Upstream) -> ProxyHandler:
        first = Rule(when.method("GET"), Pipeline(handler=one) if where == "in a pipeline" else one)
        filters: list[Filter] = []
        if where == "in a filter":

            class Mirror(Component):
                def parts(self) -> list[object]:
                    return [two]

                async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
                    return await handler(exchange)

            filters = [Mirror()]
        return ProxyHandler(Rules(first, Rule(when.anything, two)), filters=filters)

    with pytest.raises(ValueError, match=f"two upstreams of one name: '{one.name}'"):
        compose(one, two)
    compose(one, one)


@pytest.mark.parametrize("position", [0, 1])
def test_what_shortcuts_stands_inside(position: int) -> None:
    """Law 12: a filter that may answer by itself around a table of rules is a ``ValueError`` that names both."""
    filters: list[Filter] = [Part("plain", [])]
    filters.insert(position, Shortcut("cache", []))
    with pytest.raises(ValueError, match=r"Part\(cache\) must not stand around <Rules of 2>"):
        ProxyHandler(ROUTES, filters=filters)
    inside = Rules(Rule(when.anything, Pipeline(Shortcut("cache", []), handler=respond(200))))
    ProxyHandler(inside, filters=[Part("plain", [])])


async def test_keys_must_be_provided() -> None:
    """A condition on a key that no filter outside provides would fail open: a ``ValueError`` that names the key."""
    with pytest.raises(ValueError, match="no filter outside provides country"):
        ProxyHandler(ROUTES)
    with pytest.raises(ValueError, match="no filter outside provides country"):
        ProxyHandler(Rules(Rule(when.anything, ROUTES)), filters=[Part("plain", [])])
    async with serving(ProxyHandler(ROUTES, filters=[Geo("geo", [])])) as site:
        assert (await site.ask(GET)).status == 200


@pytest.mark.parametrize("handler", [None, "http://a.test", 200])
def test_what_is_no_handler(handler: Any) -> None:
    """What cannot be called is a ``TypeError`` that shows it, as a handler or as a filter."""
    with pytest.raises(TypeError, match=re.escape(repr(handler))):
        ProxyHandler(handler)
    with pytest.raises(TypeError, match=re.escape(repr(handler))):
        ProxyHandler(respond(200), filters=[handler])


def test_describe() -> None:
    """What was composed is printed as a tree: filters around, rules with their conditions, handlers below them."""

    async def authenticate(exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)

    api = Upstream("http://a.test", "http://b.test", name="api")
    proxy = ProxyHandler(
        Rules(
            Rule(when.path("/admin/*") & ~when.client_in("10.0.0.0/8"), block(403)),
            Rule(when.path("/api/*"), Pipeline(Shortcut("cache", []), handler=api)),
            Rule(when.anything, respond(404, "nothing")),
        ),
        filters=[Part("limit", []), authenticate],
    )
    tree = proxy.describe()
    assert tree == (
        "Part(limit)\n"
        "  test_describe.<locals>.authenticate\n"
        "    <Rules of 3>\n"
        "      when.path('/admin/*') & ~when.client_in('10.0.0.0/8')\n"
        "        block(403, title='Forbidden')\n"
        "      when.path('/api/*')\n"
        "        Part(cache)\n"
        f"          {api!r}\n"
        "      when.anything\n"
        "        respond(404, <7 bytes>)"
    )
    assert repr(api).startswith("<Upstream api P2C() [<Endpoint http://a.test active in_flight=0>, ")
    assert (
        repr(proxy) == "ProxyHandler(Pipeline(Part(limit), test_describe.<locals>.authenticate, handler=<Rules of 3>))"
    )


# Embedding.


async def test_without_an_application() -> None:
    """``handle`` serves a bare ``web.Server``: requests with and without bodies, failures, on one connection."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), max_body=5)
        async with serving(web.Server(proxy.handle)) as site, site.connect() as client:
            await client.send(ask("/a%2Fb?"))
            assert (await client.response()).body == b"ok"
            await client.send(ask("/b", b"Content-Length: 5", method="POST") + b"hello")
            assert (await client.response()).body == b"ok"
            await client.send(ask("/../c"))
            assert (await client.response()).status == 400
            await client.send(ask("/d", b"Content-Length: 6", method="POST") + b"hello!")
            assert (await client.response()).status == 413
        assert [(each.target, each.body) for each in server.requests] == [("/a%2Fb?", b""), ("/b", b"hello")]


async def test_from_a_handler_of_ones_own() -> None:
    """``handle`` may be called from any handler, which sees the answer's status and headers; ``strip`` takes segments
    off."""
    seen: list[object] = []

    async with FakeUpstream() as server:
        server.respond(201, headers={"X-A": "1"}, body=b"made")
        proxy = ProxyHandler(Upstream(server.url))

        async def handler(request: web.Request) -> web.StreamResponse:
            response = await proxy.handle(request, strip="/v1")
            seen.extend([response.status, response.reason, response.headers["x-a"], response.prepared])
            return response

        app = web.Application()
        app.router.add_get("/v1/{tail:.*}", handler)
        app.cleanup_ctx.append(proxy.lifespan)
        async with serving(app) as site:
            assert (await site.ask(ask("/v1/x?y"))).body == b"made"
        assert server.requests[0].target == "/x?y"
        await server.gone()  # the idle connection, with the application
    assert seen == [201, "Created", "1", True]


async def test_components_live_as_long_as_the_application() -> None:
    """Every component is started before the first request, once, and stopped, once, when the application ends: what
    others stand on first and last."""
    diary: list[str] = []
    outer, inner = Part("outer", diary), Part("inner", diary)
    table = Rules(
        Rule(when.method("GET"), Pipeline(inner, handler=respond(200))),
        Rule(when.anything, Pipeline(inner, handler=block(405))),
    )
    app = web.Application()
    ProxyHandler(table, filters=[outer]).mount(app)
    async with serving(app) as site:
        assert diary == ["start inner", "start outer"]
        assert (await site.ask(GET)).status == 200
        assert diary[2:] == ["outer in", "inner in", "inner out", "outer out"]
        del diary[2:]
    assert diary == ["start inner", "start outer", "stop outer", "stop inner"]


async def test_mounted_twice_started_once() -> None:
    """A proxy that serves two paths of an application is started once and stopped once."""
    diary: list[str] = []
    app = web.Application()
    proxy = ProxyHandler(respond(200), filters=[Part("part", diary)])
    proxy.mount(app, "/a")
    proxy.mount(app, "/b")
    async with serving(app) as site:
        assert [(await site.ask(ask(target))).status for target in ("/a", "/b/x", "/c")] == [200, 200, 404]
    assert [entry for entry in diary if entry.startswith("st")] == ["start part", "stop part"]


async def test_a_start_that_fails() -> None:
    """A component that cannot start keeps the application from starting; those started before are stopped."""
    diary: list[str] = []
    app = web.Application()
    ProxyHandler(respond(200), filters=[Part("bad", diary, fails=True), Part("good", diary)]).mount(app)
    runner = web.AppRunner(app)
    with pytest.raises(LookupError, match="bad"):
        await runner.setup()
    await runner.cleanup()
    assert diary == ["start good", "start bad", "stop good"]


async def test_served_again() -> None:
    """When its application has ended, the same proxy may be served by another: its connections are new."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        for count in (1, 2):
            async with serving(proxy) as site:
                for _ in range(2):
                    assert (await site.ask(GET)).body == b"ok"
            await server.gone(count)
        assert [request.connection for request in server.requests] == [1, 1, 2, 2]


async def test_an_ending_application_finishes_its_requests() -> None:
    """A request that is under way when the application ends gets its answer."""
    go = asyncio.Event()
    async with FakeUpstream() as server:
        server.always(hold(go), responds(body=b"late"))
        app = web.Application()
        ProxyHandler(Upstream(server.url)).mount(app)

        async def release(app: web.Application) -> None:
            go.set()

        app.on_shutdown.append(release)
        async with serving(app) as site:
            connection = site.connect()
            client = await connection.__aenter__()
            await client.send(GET)
            await server.wait_requests()
        assert (await client.response()).body == b"late"
        await connection.__aexit__(None, None, None)


# Filters.


async def test_filters_stand_in_order() -> None:
    """The first filter is the outermost: first in, last out."""
    diary: list[str] = []
    async with FakeUpstream() as server:
        inner = Pipeline(Part("c", diary), Part("d", diary), handler=Upstream(server.url))
        async with serving(ProxyHandler(inner, filters=[Part("a", diary), Part("b", diary)])) as site:
            del diary[:]
            await site.ask(GET)
            assert diary == [*(f"{label} in" for label in "abcd"), *(f"{label} out" for label in "dcba")]


async def test_a_filter_answers_by_itself() -> None:
    """A filter that does not ask its handler answers; nothing goes upstream."""

    async def teapot(exchange: Exchange, handler: Handler) -> Response:
        return Response(418, CIMultiDict({"X-A": "1"}), Body(b"short and stout"))

    async with FakeUpstream() as server, serving(Pipeline(teapot, handler=Upstream(server.url))) as site:
        answer = await site.ask(GET)
        assert (answer.status, answer.reason) == (418, b"I'm a Teapot")
        assert (answer.getall(b"X-A"), answer.body) == ([b"1"], b"short and stout")
        assert server.requests == []


async def test_a_filter_asks_twice() -> None:
    """A filter may ask its handler again: the exchange has both attempts, the client the second answer, and of the
    first, which was streaming, nothing is left."""
    numbers: list[int] = []

    async def retry(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        if response.status == 503:
            response.body.close()
            response = await handler(exchange)
        numbers.extend(attempt.number for attempt in exchange.attempts)
        return response

    async with FakeUpstream() as server, serving(Pipeline(retry, handler=Upstream(server.url))) as site:
        server.once(raw(b"HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\nhalf"), hold(asyncio.Event()))
        answer = await site.ask(GET)
        assert (answer.status, answer.body) == (200, b"ok")
        assert numbers == [1, 2]
        await server.gone()


async def test_a_filter_edits_the_response() -> None:
    """Status, reason and fields that a filter sets arrive; fields that it did not touch are as they came."""

    async def edit(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        response.status, response.reason = 299, "Fine \u00e9"
        response.headers["x-set"] = "new"
        response.headers.add("Set-Cookie", "b=2")
        del response.headers["X-Gone"]
        return response

    async with FakeUpstream() as server, serving(Pipeline(edit, handler=Upstream(server.url))) as site:
        fields = [("X-Keep", b"\xe9"), ("Set-Cookie", "a=1"), ("X-Gone", "1"), ("X-Set", "old"), ("Date", "now")]
        server.respond(200, headers=fields, body=b"ok")  # type: ignore[arg-type]
        answer = await site.ask(GET)
        assert answer.raw_head == (
            b"HTTP/1.1 299 Fine \xc3\xa9\r\n"
            b"X-Keep: \xe9\r\n"
            b"Set-Cookie: a=1\r\n"
            b"x-set: new\r\n"
            b"Date: now\r\n"
            b"Content-Length: 2\r\n"
            b"Set-Cookie: b=2\r\n"
            b"\r\n"
        )


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b"!"


async def _pieces() -> AsyncIterator[bytes]:
    yield b"str"
    yield b""
    yield b"eam"


@pytest.mark.parametrize("upstream_framing", ["length", "chunked", "until close", "big"])
@pytest.mark.parametrize(
    ("edit", "body", "framing"),
    [
        (lambda body: Body(b"other!"), b"other!", (b"Content-Length", b"6")),
        (lambda body: Body(), b"", (b"Content-Length", b"0")),
        (lambda body: EMPTY, b"", (b"Content-Length", b"0")),
        (lambda body: StreamBody(_pieces()), b"stream", (b"Transfer-Encoding", b"chunked")),
        (lambda body: StreamBody(_pieces(), length=6), b"stream", (b"Content-Length", b"6")),
        (lambda body: body.through(Upper()), None, None),
    ],
    ids=["memory", "nothing", "EMPTY", "stream", "stream of a length", "through"],
)
async def test_a_filter_replaces_the_body(
    upstream_framing: str,
    edit: Callable[[Body], Body],
    body: bytes | None,
    framing: tuple[bytes, bytes] | None,
) -> None:
    """F-52, F-53: whatever the upstream's framing was, that of the answer follows from the body that the filter put
    there: its length if it is known, else chunks."""

    async def replace(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        old = response.body
        response.body = edit(old)
        if body is not None:
            old.close()
        return response

    content = b"x" * (1 << 20) if upstream_framing == "big" else b"hello"
    async with FakeUpstream() as server, serving(Pipeline(replace, handler=Upstream(server.url))) as site:
        if upstream_framing == "chunked":
            server.always(responds(body=content, chunked=True))
        elif upstream_framing == "until close":
            server.always(responds(body=lambda: [content]))
        else:
            server.always(responds(body=content))
        answer = await site.ask(GET)
        assert answer.body == (content.upper() + b"!" if body is None else body)
        if framing is not None:
            name, value = framing
            assert answer.getall(name) == [value]


async def test_a_filter_drops_a_response() -> None:
    """Law 8: of a streaming response that a filter forgets, the connection is closed and nothing is left in flight."""

    async def forget(exchange: Exchange, handler: Handler) -> Response:
        await handler(exchange)
        return Response(200, body=Body(b"mine"))

    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        server.always(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), hold(asyncio.Event()))
        async with serving(Pipeline(forget, handler=upstream)) as site:
            assert (await site.ask(GET)).body == b"mine"
            await server.gone()
            assert upstream.endpoints[0].in_flight == 0


class Busy(ProxyError):
    """A failure of somebody's own filter."""

    origin = Origin.POLICY
    status: ClassVar[int | None] = 429
    title = "Slow down"


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (Busy("10.0.0.1 has 17 requests"), 429, "Slow down"),
        (BadRequest("secret detail"), 400, "The request could not be understood"),
        (BodyTooLarge("secret detail"), 413, "The request body is too large"),
        (NoRoute("secret detail"), 404, "Nothing is served here"),
        (ConnectFailed("secret 10.0.0.1:80"), 502, "The service could not be reached"),
        (ResponseTimeout("secret 10.0.0.1:80"), 504, "The service did not answer in time"),
        (InternalError("secret detail"), 500, "Internal error"),
        (ValueError("secret detail"), 500, "Internal error"),
        (KeyError("secret"), 500, "Internal error"),
        (TimeoutError("secret"), 500, "Internal error"),
        (ConnectionResetError("secret"), 500, "Internal error"),
        (web.HTTPForbidden(text="secret"), 500, "Internal error"),
        (StopAsyncIteration("secret"), 500, "Internal error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_a_filter_that_raises(error: Exception, status: int, title: str) -> None:
    """F-82, F-83: a ``ProxyError`` is answered with its status and title; anything else is a 500. What the exception
    says is not told, and the client's connection goes on."""
    proxy = ProxyHandler(respond(200), filters=[raising(error)])
    async with serving(proxy) as site, site.connect() as client:
        for _ in range(2):
            await client.send(GET)
            answer = await client.response()
            assert answer.status == status
            document = json.loads(answer.body)
            assert document == {"title": title, "status": status, "id": document["id"]}
            assert answer.getall(b"Connection") == []
            assert b"secret" not in answer.raw_head + answer.raw_body


@pytest.mark.parametrize("returned", [None, 200, "text", web.Response()])
async def test_a_filter_that_returns_no_response(returned: Any) -> None:
    """What is no ``Response`` is a 500, not a connection that hangs or dies."""

    async def wrong(exchange: Exchange, handler: Handler) -> Response:
        return returned  # type: ignore[no-any-return]

    async with serving(ProxyHandler(respond(200), filters=[wrong])) as site:
        assert (await site.ask(GET)).status == 500


async def test_a_filter_that_drops(caplog: pytest.LogCaptureFixture) -> None:
    """``Drop`` closes the client's connection without a byte; observers are told that nothing was sent."""
    caplog.set_level(logging.INFO, "revproxy")
    seen = Seen()
    proxy = ProxyHandler(respond(200), filters=[raising(Drop("not wanted here"))], observers=[seen])
    async with serving(proxy) as site, site.connect() as client:
        await client.send(GET)
        assert await client.rest() == b""
    assert [type(error) for error in seen.errors] == [Drop]
    assert seen.statuses == [None]
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)


async def test_a_filter_that_lets_a_cancellation_out(caplog: pytest.LogCaptureFixture) -> None:
    """A ``CancelledError`` that is not the request's own (a filter has awaited what somebody else cancelled) is a 500
    and in the log like any other exception, not a connection that closes without a word."""

    async def wait(exchange: Exchange, handler: Handler) -> Response:
        other = asyncio.get_running_loop().create_future()
        other.cancel()
        await other
        return await handler(exchange)

    async with serving(ProxyHandler(respond(200), filters=[wait])) as site:
        assert (await site.ask(GET)).status == 500
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_release_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """Law 8: what a filter has deferred may raise: the answer is whole, everything else is released, observers are told
    that the exchange is over, and the exception is in the log."""
    diary: list[str] = []
    seen = Seen()

    async def defer(exchange: Exchange, handler: Handler) -> Response:
        def fail() -> None:
            raise LookupError("cannot let go")

        exchange.defer(lambda: diary.append("released"))
        exchange.defer(fail)
        return await handler(exchange)

    async with serving(ProxyHandler(respond(200, "whole"), filters=[defer], observers=[seen])) as site:
        assert (await site.ask(GET)).body == b"whole"
    assert (diary, seen.statuses) == (["released"], [200])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "cannot let go" in caplog.text


@pytest.mark.parametrize("length", [None, 10])
async def test_a_filters_body_that_fails(length: int | None, caplog: pytest.LogCaptureFixture) -> None:
    """F-54, F-55: a filter's body that raises in its middle cuts the client's connection, so that the part does not
    look like the whole; the log has the exception, and the generator was closed."""
    closed = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"part"
            raise LookupError("out of words")
        finally:
            closed.set()

    async with serving(answering(lambda: Response(200, body=StreamBody(source(), length=length)))) as site:
        async with site.connect() as client:
            await client.send(GET)
            with pytest.raises(EOFError):
                await client.response()
        await asyncio.wait_for(closed.wait(), TIMEOUT)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert isinstance(record.exc_info[1], LookupError)


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 103, 199, 600, 999, 1000, 20000])
async def test_invalid_statuses(status: int) -> None:
    """A status that no final response has is a 500, whatever its body, and the connection goes on."""
    for body in (Body(b"x"), StreamBody(_pieces())):
        handler = answering(lambda body=body: Response(status, body=body))  # type: ignore[misc]
        async with serving(handler) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.response()).status == 500


INJECTED = "a\r\nX-Injected: 1"


@pytest.mark.parametrize(
    "response",
    [
        lambda: Response(200, CIMultiDict({"X-A": INJECTED})),
        lambda: Response(200, CIMultiDict({INJECTED: "1"})),
        lambda: Response(200, CIMultiDict({"X-A": "a\0b"}), StreamBody(_pieces())),
        lambda: Response(200, reason=INJECTED),
        lambda: Response(200, reason="a\nb", body=StreamBody(_pieces())),
        lambda: Response(200, reason="a\x7fb"),
    ],
)
async def test_nothing_is_injected(response: Callable[[], Response], caplog: pytest.LogCaptureFixture) -> None:
    """F-28: a line end in a field or in the reason is a 500, logged as an error, of which nothing is sent."""
    async with serving(answering(response)) as site, site.connect() as client:
        await client.send(ask("/", b"Connection: close"))
        sent = await client.rest()
        assert sent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
        assert b"Injected" not in sent
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


# The application around it.


async def test_signals_see_and_edit_the_response() -> None:
    """``on_response_prepare`` of the application sees status and fields before they are sent, and may edit the fields:
    of a response that passes, of one that streams, of an error."""
    seen: list[object] = []

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        seen.append((request.path, response.status, response.reason, response.headers.get("X-A")))
        response.headers["X-Signal"] = "caf\u00e9"
        response.headers.popall("X-A", None)

    async with FakeUpstream() as server:
        server.on("/plain", responds(headers={"X-A": "1"}, body=b"ok"))
        server.on("/stream", responds(201, headers={"X-A": "2"}, body=lambda: [b"ok"], chunked=True))
        server.on("/bad", raw(b"?"), reset())
        app = web.Application()
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            answers = [await site.ask(ask(target)) for target in ("/plain", "/stream", "/bad", "/..")]
    assert seen == [
        ("/plain", 200, "OK", "1"),
        ("/stream", 201, "Created", "2"),
        ("/bad", 502, "Bad Gateway", None),
        ("/..", 400, "Bad Request", None),
    ]
    assert [answer.getall(b"X-Signal") for answer in answers] == [[b"caf\xc3\xa9"]] * 4
    assert [answer.getall(b"X-A") for answer in answers] == [[]] * 4
    assert [answer.body for answer in answers[:2]] == [b"ok", b"ok"]


async def test_an_odd_status_is_not_kept() -> None:
    """A status that only equals a number is written as that number, and spoils no later answer."""

    async def odd(exchange: Exchange) -> Response:
        return Response(404.0 if exchange.inbound.path == "/odd" else 404, reason="Nowhere")  # type: ignore[arg-type]

    async with serving(odd) as site:
        answers = [await site.ask(ask(target)) for target in ("/odd", "/", "/odd", "/")]
    assert [answer.raw_head.partition(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 404 Nowhere"] * 4


async def test_cookies_of_a_shared_response() -> None:
    """What a signal adds to a response that a handler gives out again and again does not pile up."""
    shared = Response(200, {"X-A": "1"})

    async def same(exchange: Exchange) -> Response:
        return shared

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        assert (response.prepared, response.task is not None) == (True, True)
        response.set_cookie("mine", "1")

    app = web.Application()
    app.on_response_prepare.append(on_prepare)
    ProxyHandler(same).mount(app)
    async with serving(app) as site:
        answers = [await site.ask(GET) for _ in range(3)]
    assert [answer.getall(b"Set-Cookie") for answer in answers] == [[b"mine=1; Path=/"]] * 3
    assert dict(shared.headers) == {"X-A": "1"}


async def test_a_signal_sets_cookies() -> None:
    """Cookies that a signal sets reach the client, beside those of the upstream."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.set_cookie("mine", "1", httponly=True)
        response.set_cookie("other", "2", path="/x")

    async with FakeUpstream() as server:
        server.always(responds(headers={"Set-Cookie": "theirs=0"}, body=b"ok"))
        app = web.Application()
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            answer = await site.ask(GET)
    assert answer.getall(b"Set-Cookie") == [b"theirs=0", b"mine=1; HttpOnly; Path=/", b"other=2; Path=/x"]


async def test_one_proxy_in_two_applications(caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that two applications share is started once and serves until both have ended."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        first, second = web.Application(), web.Application()
        for app in (first, second):
            proxy.mount(app)
        async with serving(second) as site:
            async with serving(first) as other:
                assert (await other.ask(GET)).status == 200
                assert server.connections == 1
            assert (await site.ask(GET)).status == 200
            assert server.connections == 1  # the pool is still the same
        await server.gone()
    assert caplog.records == []


async def test_a_proxy_that_was_not_started(caplog: pytest.LogCaptureFixture) -> None:
    """Who calls ``handle`` and forgets the lifespan is told so, once."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        app = web.Application()
        app.router.add_get("/", proxy.handle)
        async with serving(app) as site:
            for _ in range(2):
                assert (await site.ask(GET)).status == 200
    (record,) = caplog.records
    assert (record.levelname, "lifespan" in record.getMessage()) == ("WARNING", True)


async def test_a_signal_cannot_frame_or_inject() -> None:
    """F-28, F-52: what a signal says of the framing is not believed, and a line end is a 500."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Length"] = "99"
        response.headers["Transfer-Encoding"] = "gzip"
        if request.path == "/inject" and response.status == 200:
            response.headers["X-A"] = INJECTED

    async with FakeUpstream() as server:
        app = web.Application()
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            assert (await site.ask(GET)).raw_body == b"ok"
            answer = await site.ask(ask("/inject"))
            assert answer.status == 500
            assert answer.getall(b"X-Injected") == []


async def test_a_signal_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A signal that raises is a 500, in the log with its traceback; the connection to the upstream is not leaked."""

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        if response.status == 200:
            raise LookupError("secret")

    async with FakeUpstream() as server:
        server.always(responds(body=lambda: [b"x" * 100_000], chunked=True))
        upstream = Upstream(server.url)
        app = web.Application()
        app.on_response_prepare.append(on_prepare)
        ProxyHandler(upstream).mount(app)
        async with serving(app) as site:
            answer = await site.ask(GET)
            assert (answer.status, b"secret" in answer.body) == (500, False)
            assert upstream.endpoints[0].in_flight == 0
    (record,) = caplog.records
    assert record.exc_info
    assert isinstance(record.exc_info[1], LookupError)


NOTE = web.ResponseKey("note", int)


async def test_a_client_that_leaves_amid_a_signal() -> None:
    """F-79: a client that leaves while a signal waits was sent nothing, and observers are told so."""
    waits = asyncio.Event()
    seen = Seen()

    async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
        waits.set()
        await asyncio.Event().wait()

    app = web.Application()
    app.on_response_prepare.append(on_prepare)
    ProxyHandler(respond(200), observers=[seen]).mount(app)
    async with serving(app) as site:
        async with site.connect() as client:
            await client.send(GET)
            await asyncio.wait_for(waits.wait(), TIMEOUT)
        await seen.over()
    assert seen.statuses == [None]
    assert [error.origin for error in seen.errors] == [Origin.CLIENT]


async def test_the_application_can_look_at_its_routes() -> None:
    """A mount point is a resource like any other to who lists an application's routes or names a span by its route."""
    seen: list[object] = []

    @web.middleware
    async def trace(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        resource = request.match_info.route.resource
        assert resource is not None
        seen.extend([resource.canonical, request.match_info.route.method])
        return await handler(request)

    app = web.Application(middlewares=[trace])
    ProxyHandler(respond(200)).mount(app, "/app")
    async with serving(app) as site:
        assert (await site.ask(ask("/app/x"))).status == 200
        assert seen == ["/app", "*"]
        (resource,) = app.router.resources()
        (route,) = app.router.routes()
        assert (route.resource, list(resource), len(resource)) == (resource, [route], 1)
        assert str(resource.url_for()) == "/app"
        assert "/app" in repr(resource)
        assert resource.get_info()
        assert resource.name is None


async def test_middlewares_see_the_response() -> None:
    """A middleware around the proxy gets a ``StreamResponse`` that was sent: with status, fields and size, and printed
    like any other."""
    seen: list[object] = []

    @web.middleware
    async def watch(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await handler(request)
        seen.extend([response.status, response.reason, response.prepared, response.headers["x-a"]])
        seen.extend([response.content_type, response.content_length, response.body_length > 0, bool(repr(response))])
        seen.extend([len(response.cookies), response.chunked, response.compression, response.keep_alive])
        response[NOTE] = 1
        seen.append(response[NOTE])
        return response

    async with FakeUpstream() as server:
        server.respond(203, headers={"X-A": "1", "Content-Type": "text/x; charset=utf-8"}, body=b"ok")
        app = web.Application(middlewares=[watch])
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            assert (await site.ask(GET)).body == b"ok"
    reason = "Non-Authoritative Information"
    assert seen == [203, reason, True, "1", "text/x", 2, True, True, 0, False, False, True, 1]


async def test_access_log(caplog: pytest.LogCaptureFixture) -> None:
    """The server's access log has every request: its status, and how many bytes were written for it, head included."""
    caplog.set_level(logging.INFO, "aiohttp.access")
    sizes: list[int] = []
    async with FakeUpstream() as server:
        server.on("/stream", responds(body=lambda: [b"x" * 70_000, b"y"], chunked=True))
        server.on("/big", responds(body=b"x" * 500_000))
        server.on("/204", responds(204))
        server.on("/bad", reset())
        proxy = ProxyHandler(Upstream(server.url), filters=[_drop_by_path])
        async with serving(proxy, access_log_format="%r %s %b") as site:
            for method, target in REQUESTS:
                async with site.connect() as client:
                    await client.send(ask(target, b"Connection: close", method=method))
                    sizes.append(len(await client.rest()))
    lines = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    statuses = [200, 200, 200, 200, 204, 502, 400, 444]
    assert lines == [
        f"{method} {target} HTTP/1.1 {status} {size}"
        for (method, target), status, size in zip(REQUESTS, statuses, sizes, strict=True)
    ]
    assert sizes[-1] == 0


REQUESTS = [
    ("GET", "/"),
    ("HEAD", "/big"),
    ("GET", "/big"),
    ("GET", "/stream"),
    ("GET", "/204"),
    ("GET", "/bad"),
    ("GET", "/.."),
    ("GET", "/drop"),
]


async def _drop_by_path(exchange: Exchange, handler: Handler) -> Response:
    if exchange.inbound.path == "/drop":
        raise Drop
    return await handler(exchange)


# The client's connection.


async def test_keep_alive() -> None:
    """F-90: a client's connection serves any number of requests, and so does the upstream's; ``Connection: close`` of
    the client ends its own."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        for number in range(5):
            await client.send(ask(f"/{number}"))
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (200, [])
        await client.send(ask("/last", b"Connection: close"))
        answer = await client.response()
        assert answer.getall(b"Connection") == [b"close"]
        assert await client.rest() == b""
        assert not client.was_reset
        assert [request.connection for request in server.requests] == [1] * 6


async def test_http_1_0() -> None:
    """F-59: an HTTP/1.0 connection ends with its answer, unless the client asks to keep it; then it is told that it is
    kept."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        async with site.connect() as client:
            await client.send(ask("/a", version="1.0"))
            answer = await client.response()
            assert (answer.status, answer.body, answer.getall(b"Connection")) == (200, b"ok", [b"close"])
            assert await client.rest() == b""
        async with site.connect() as client:
            for target in ("/b", "/c"):
                await client.send(ask(target, b"Connection: keep-alive", version="1.0"))
                answer = await client.response()
                assert (answer.status, answer.body, answer.getall(b"Connection")) == (200, b"ok", [b"keep-alive"])
        assert [request.target for request in server.requests] == ["/a", "/b", "/c"]


async def test_pipelined_requests() -> None:
    """Requests that were sent without waiting are answered in their order, each whole, with failures between them."""
    late = asyncio.Event()
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.on("/slow", hold(late), responds(body=b"slow", chunked=[1]))
        server.on("/fast", responds(body=b"fast"))
        server.on("/bad", raw(b"?"), reset())
        post = ask("/fast", b"Content-Length: 5", method="POST") + b"hello"
        await client.send(ask("/slow") + post + ask("/bad") + ask("/..") + ask("/fast", method="HEAD") + ask("/fast"))
        await server.wait_requests()
        late.set()
        answers = [await client.response(to="HEAD" if number == 4 else "GET") for number in range(6)]
        assert [answer.status for answer in answers] == [200, 200, 502, 400, 200, 200]
        assert [answer.body for answer in answers if answer.status == 200] == [b"slow", b"fast", b"", b"fast"]


async def test_many_clients_at_once() -> None:
    """Fifty clients with four requests each: everybody gets their own answers."""

    async def echo(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        response.headers["X-Target"] = exchange.inbound.target
        return response

    async with FakeUpstream() as server, serving(Pipeline(echo, handler=Upstream(server.url))) as site:

        async def one(number: int) -> None:
            async with site.connect() as client:
                for turn in range(4):
                    target = f"/{number}/{turn}"
                    await client.send(ask(target))
                    assert (await client.response()).getall(b"X-Target") == [target.encode()]

        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*(one(number) for number in range(50)))
        assert len(server.requests) == 200


# Failures: what the client is told, what the log is told.


async def dead(name: str = "") -> Upstream:
    """An upstream where nobody listens any more."""
    async with FakeUpstream() as gone:
        pass
    return Upstream(gone.url, name=name)


async def composed(server: FakeUpstream) -> ProxyHandler:
    """A proxy in which much can go wrong, by path."""
    slow = Upstream(server.url, name="slow-secret", timeouts=Timeouts(head=0.01))
    full = Upstream("http://10.0.0.1", name="full-secret", transport=FakeTransport())
    full.endpoints[0].state = EndpointState.DRAINING
    broken = Upstream("http://10.0.0.2", name="broken-secret", transport=FakeTransport(LookupError("secret")))
    return ProxyHandler(
        Rules(
            Rule(when.path("/dead"), await dead("dead-secret")),
            Rule(when.path("/slow"), slow),
            Rule(when.path("/full"), full),
            Rule(when.path("/broken"), broken),
            Rule(when.path("/garbage"), Upstream(server.url, name="garbage-secret")),
        ),
        max_body=0,
    )


FAILURES = [
    ("/dead", 502, "ConnectFailed", logging.WARNING),
    ("/slow", 504, "ResponseTimeout", logging.WARNING),
    ("/full", 503, "NoEndpoint", logging.WARNING),
    ("/broken", 500, "InternalError", logging.ERROR),
    ("/garbage", 502, "ProtocolError", logging.WARNING),
    ("/nowhere", 404, "NoRoute", logging.INFO),
    ("/%2e%2e", 400, "BadRequest", logging.INFO),
    ("/a\\secret", 400, "BadRequest", logging.INFO),
]


@pytest.mark.parametrize(("target", "status", "name", "level"), FAILURES)
@pytest.mark.parametrize("accept", [b"*/*", b"text/html,*/*;q=0.1"], ids=["JSON", "text"])
async def test_failures(
    target: str, status: int, name: str, level: int, accept: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """F-82, F-83: a failure is answered by its status as a problem document, or as text for who prefers that, with the
    correlation id and without a word about the inside; it is one record in the log, by whose doing it is, with the same
    id, and with a traceback only if it is our own doing."""
    caplog.set_level(logging.DEBUG, "revproxy")
    async with FakeUpstream() as server:
        server.on("/garbage", raw(b"SMTP secret\r\n\r\n"))
        server.on("/slow", hold(asyncio.Event()))
        async with serving(await composed(server)) as site:
            answer = await site.ask(ask(target, b"Accept: " + accept, b"X-Secret: secret"))
        port = b"%d" % server.port
    assert answer.status == status
    if accept == b"*/*":
        assert answer.getall(b"Content-Type") == [b"application/problem+json"]
        document = json.loads(answer.body)
        assert set(document) == {"title", "status", "id"}
        assert document["status"] == status
        found = document["id"]
    else:
        assert answer.getall(b"Content-Type") == [b"text/plain; charset=utf-8"]
        match = re.fullmatch(rb"%d [A-Z][a-z ]+\nid: ([0-9a-f]+)\n" % status, answer.body)
        assert match
        found = match[1].decode()
    assert answer.getall(b"Cache-Control") == [b"no-store"]
    for word in (
        b"secret",
        b"127.0.0.1",
        b"10.0.0",
        port,
        b"Traceback",
        name.encode(),
        b"revproxy",
        b"aiohttp",
        b"Python",
    ):
        assert word not in answer.raw_head + answer.raw_body
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("revproxy.error", level)
    message = record.getMessage()
    assert message.startswith(f"{name}: GET ")
    assert f"[{found}]" in message
    assert "\n" not in message
    assert (record.exc_info is not None) == (status == 500)
    assert record.__dict__["exchange"].id == found
    assert type(record.__dict__["error"]).__name__ == name


async def test_failures_of_head_requests() -> None:
    """F-56: an error to HEAD has the fields of a document, and no content."""
    async with serving(ProxyHandler(block(403))) as site, site.connect() as client:
        await client.send(ask(method="HEAD") + ask())
        first, second = await client.response(to="HEAD"), await client.response()
        assert (first.status, first.raw_body) == (403, b"")
        assert first.getall(b"Content-Length") == second.getall(b"Content-Length")
        assert len(second.body) > 0


async def test_failures_before_any_handler() -> None:
    """A request that is refused as it comes is an exchange like any other; only filters are not asked."""
    diary: list[str] = []
    seen = Seen()
    async with serving(ProxyHandler(respond(200), filters=[Part("part", diary)], observers=[seen])) as site:
        del diary[:]
        answer = await site.ask(ask("/../x?secret"))
        assert answer.status == 400
        assert diary == []
    assert seen.statuses == [400]
    (exchange,) = seen.exchanges
    assert exchange.error is seen.errors[0]
    assert (exchange.inbound.method, exchange.inbound.target, exchange.error.phase) == (
        "GET",
        "/../x?secret",
        Phase.REQUEST,
    )


async def test_own_correlation_id(caplog: pytest.LogCaptureFixture) -> None:
    """An id that a filter carries over from outside is that of the answer and of the log."""

    async def carry(exchange: Exchange, handler: Handler) -> Response:
        exchange.id = exchange.inbound.headers["X-Request-Id"]
        return await handler(exchange)

    async with serving(ProxyHandler(await dead(), filters=[carry])) as site:
        answer = await site.ask(ask("/", b"X-Request-Id: 2026-07"))
        assert json.loads(answer.body)["id"] == "2026-07"
    assert caplog.records[0].getMessage().endswith("[2026-07]")


@pytest.mark.parametrize("error", [ValueError("a\nINFO forged: line"), ProtocolError("a\r\n\x1b[31mred \u202e")])
async def test_log_lines_are_not_forged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """What an exception or a target says makes no second line in the log and moves no cursor."""
    async with serving(ProxyHandler(respond(200), filters=[raising(error)])) as site:
        await site.ask(ask("/%0a\"'?\x7e"))
    (record,) = caplog.records
    assert record.getMessage().isascii()
    assert record.getMessage().isprintable()


# Observers.


class Diary(Observer):
    """Writes down every hook."""

    def __init__(self, label: str, entries: list[tuple[object, ...]]) -> None:
        self.label, self.entries = label, entries

    def started(self, exchange: Exchange) -> None:
        self.entries.append((self.label, "started", exchange.inbound.target, len(exchange.attempts)))

    def attempted(self, attempt: Attempt) -> None:
        self.entries.append((self.label, "attempted", attempt.number, attempt.sent, attempt.endpoint.in_flight))

    def settled(self, attempt: Attempt) -> None:
        ended = attempt.ended is not None and attempt.ended >= attempt.started
        error = type(attempt.error).__name__
        self.entries.append((self.label, "settled", attempt.status, error, ended, attempt.endpoint.in_flight))

    def ruled(self, exchange: Exchange, rule: Rule) -> None:
        self.entries.append((self.label, "ruled", rule.name))

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        self.entries.append((self.label, "failed", type(error).__name__, exchange.error is error))

    def finished(self, exchange: Exchange, status: int | None) -> None:
        self.entries.append((self.label, "finished", status, len(exchange.attempts)))


async def test_observers_are_told_in_order() -> None:
    """Observers are told of everything that becomes of an exchange, in its order, one observer after the other."""
    entries: list[tuple[object, ...]] = []
    async with FakeUpstream() as server:
        server.on("/bad", reset())
        table = Rules(
            Rule(when.path("/no"), block(403), name="no", severity=Severity.NOTICE),
            Rule(when.path("/bad"), Upstream(server.url, name="noted"), name="noted", severity=Severity.NOTICE),
            Rule(when.anything, Upstream(server.url), name="silent"),
        )
        proxy = ProxyHandler(table, observers=[Diary("a", entries), Diary("b", entries), Observer()])
        async with serving(proxy) as site:
            for target in ("/ok", "/no", "/bad", "/.."):
                await site.ask(ask(target))
    assert [entry[1:] for entry in entries if entry[0] == "a"] == [
        ("started", "/ok", 0),
        ("attempted", 1, False, 1),
        ("settled", 200, "NoneType", True, 0),
        ("finished", 200, 1),
        ("started", "/no", 0),
        ("ruled", "no"),
        ("finished", 403, 0),
        ("started", "/bad", 0),
        ("ruled", "noted"),
        ("attempted", 1, False, 1),
        ("settled", None, "ConnectionLost", True, 0),
        ("failed", "ConnectionLost", True),
        ("finished", 502, 1),
        ("started", "/..", 0),
        ("failed", "BadRequest", True),
        ("finished", 400, 0),
    ]
    assert entries[1::2] == [("b", *entry[1:]) for entry in entries[::2]]


async def test_an_attempt_is_settled_when_its_body_has_ended() -> None:
    """Law 8: load ends with the body: while it flows, the attempt is in flight and not settled."""
    go = asyncio.Event()
    seen = Seen()
    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), hold(go), raw(b"world"))
        upstream = Upstream(server.url)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            await client.until(b"hello")
            assert (upstream.endpoints[0].in_flight, seen.settlements, seen.statuses) == (1, [], [])
            go.set()
            await client.gets(b"world")
            await seen.over()
        (attempt,) = seen.settlements
        assert attempt.first_byte is not None
        assert attempt.ended is not None
        assert attempt.started <= attempt.first_byte <= attempt.ended
        assert (attempt.sent, attempt.status, attempt.error, attempt.number) == (True, 200, None, 1)


async def test_a_handler_that_returns_something_else(caplog: pytest.LogCaptureFixture) -> None:
    """Law 10: what is no ``Response`` is a 500 whose log record says what it was."""

    async def handler(exchange: Exchange) -> Response:
        return cast(Response, "hello")

    async with serving(ProxyHandler(handler)) as site:
        assert (await site.ask(GET)).status == 500
    assert "returned 'hello', which is no Response" in caplog.text


async def test_strip_of_what_is_no_prefix(caplog: pytest.LogCaptureFixture) -> None:
    """F-05: ``handle(strip=)`` takes off the prefix that it names, at a segment boundary, and nothing else."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))

        async def stripped(request: web.BaseRequest) -> web.StreamResponse:
            return await proxy.handle(request, strip="/reports")

        async with serving(web.Server(stripped)) as site:
            for target, status in ((b"/reports/x", 200), (b"/reports", 200), (b"/reportsx", 500), (b"/other/x", 500)):
                assert (await site.ask(GET.replace(b" / ", b" " + target + b" "))).status == status
        assert [request.target for request in server.requests] == ["/x", "/"]
    assert "is no prefix of" in caplog.text
