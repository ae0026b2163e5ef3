"""The conformance suite: it finds nothing wrong where nothing is, and each mistake where it was made."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from unittest import SkipTest
from urllib.parse import quote, unquote

import pytest
from aiohttp import ClientSession, web
from multidict import CIMultiDict, CIMultiDictProxy

from revproxy import (
    Body,
    Component,
    Exchange,
    Filter,
    Handler,
    Pipeline,
    ProxyError,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    block,
    when,
)
from revproxy.body import StreamBody
from revproxy.testing import conform
from revproxy.testing.conform import Row

LARGE = 1 << 27
ROWS: Mapping[str, Row] = {row.name: row for row in conform(timeout=0.5)}
"""For what fails: nobody waits long for it."""
PATIENT: Mapping[str, Row] = {row.name: row for row in conform()}
"""For what holds."""


def plain(url: str) -> ProxyHandler:
    return ProxyHandler(Upstream(url))


# Where nothing is wrong.


@pytest.mark.parametrize("row", conform())
async def test_the_library_itself(row: Row, request: pytest.FixtureRequest) -> None:
    """Each row holds in a proxy of nothing but an upstream, as a test of its own with the row's name."""
    await row.check(plain)
    assert row.name in request.node.name


async def labelled(exchange: Exchange, handler: Handler) -> Response:
    """Edits fields, as filters do."""
    exchange.request.headers["X-Tenant"] = "acme"
    exchange.request.headers.popall("Authorization", None)
    response = await handler(exchange)
    response.headers["Cache-Control"] = "no-store"
    response.headers.popall("X-Powered-By", None)
    return response


def ruled(url: str) -> ProxyHandler:
    """A table of rules that asks for a host, a token and a path."""
    admitted = when.host("shop.example") & when.header("Authorization", "Bearer t")
    return ProxyHandler(
        Rules(
            Rule(when.path("/admin/*"), block(403)),
            Rule(when.path("/shop/*") & admitted, Pipeline(labelled, handler=Upstream(url))),
            Rule(when.anything, block(404)),
        )
    )


RULED = conform(
    prefix="/shop",
    request_fields={"Host": "shop.example", "Authorization": "Bearer t"},
    response_fields={"Content-Type": "text/html", "X-Powered-By": "PHP"},
    request_edits=["x-tenant", "authorization"],
    response_edits=["Cache-Control", "X-Powered-By"],
)


@pytest.mark.parametrize("row", RULED)
async def test_rules_and_filters(row: Row) -> None:
    """Each row holds behind rules and around a filter that edits fields, told what they need and what they edit."""
    await row.check(ruled)


def stripped(url: str) -> web.Application:
    """A proxy below a path of an application, which the upstream does not see."""
    app = web.Application()
    ProxyHandler(Upstream(f"{url}/base")).mount(app, "/api/v1", strip=True)
    return app


@pytest.mark.parametrize("row", conform(prefix="/api/v1", upstream_prefix="/base"))
async def test_mounted_below_a_path(row: Row) -> None:
    """Each row holds in an application that has the proxy below a path."""
    await row.check(stripped)


# Filters that are wrong.


async def merges_fields(exchange: Exchange, handler: Handler) -> Response:
    fields = exchange.request.headers
    exchange.request.headers = CIMultiDict((name, ", ".join(fields.getall(name))) for name in dict(fields))
    return await handler(exchange)


async def drops_repeated_fields(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers = CIMultiDict(dict(exchange.request.headers))
    return await handler(exchange)


async def merges_cookies(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    if cookies := response.headers.popall("Set-Cookie", []):
        response.headers["Set-Cookie"] = ", ".join(cookies)
    return response


async def lowers_names(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers = CIMultiDict((name.lower(), value) for name, value in response.headers.items())
    return response


async def asciifies(exchange: Exchange, handler: Handler) -> Response:
    headers = exchange.request.headers
    exchange.request.headers = CIMultiDict((k, v.encode("ascii", "ignore").decode()) for k, v in headers.items())
    return await handler(exchange)


async def drops_empty_fields(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers = CIMultiDict((name, value) for name, value in response.headers.items() if value)
    return response


async def recodes_target(exchange: Exchange, handler: Handler) -> Response:
    path, mark, query = exchange.request.target.partition("?")
    exchange.request.target = quote(unquote(path)) + mark + query
    return await handler(exchange)


async def recodes_query(exchange: Exchange, handler: Handler) -> Response:
    path = exchange.request.target.partition("?")[0]
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in exchange.inbound.query.items())
    exchange.request.target = f"{path}?{query}" if query else path
    return await handler(exchange)


async def keeps_host(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers["Host"] = exchange.inbound.host
    return await handler(exchange)


async def forwards_everything(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers = CIMultiDict(exchange.inbound.headers)
    return await handler(exchange)


async def obeys_connection(exchange: Exchange, handler: Handler) -> Response:
    for name in ",".join(exchange.inbound.headers.getall("Connection", [])).split(","):
        exchange.request.headers.popall(name.strip(), None)
    return await handler(exchange)


async def adds_hop_by_hop_fields(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers["Alt-Svc"] = 'h3=":443"'
    return response


async def introduces_itself(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers["User-Agent"] = "proxy"
    response = await handler(exchange)
    response.headers["Server"] = "proxy"
    response.headers["Date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
    return response


async def sends_half_of_the_body(exchange: Exchange, handler: Handler) -> Response:
    data = await exchange.request.body.read(LARGE)
    if data:
        exchange.request.body = Body(data[: len(data) // 2])
    return await handler(exchange)


async def reads_the_upload_first(exchange: Exchange, handler: Handler) -> Response:
    if exchange.request.body.length != 0:
        exchange.request.body = Body(await exchange.request.body.read(LARGE))
    return await handler(exchange)


async def forgives_broken_uploads(exchange: Exchange, handler: Handler) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        with contextlib.suppress(ProxyError):
            async for piece in body:
                yield piece

    body = exchange.request.body
    if body.data is None:
        exchange.request.body = StreamBody(pieces())
    return await handler(exchange)


async def collects_the_stream(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.body = Body(await response.body.read(LARGE))
    return response


async def forgives_truncation(exchange: Exchange, handler: Handler) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        with contextlib.suppress(ProxyError):
            async for piece in body:
                yield piece

    response = await handler(exchange)
    body = response.body
    if body.data is None:
        response.body = StreamBody(pieces())
    return response


async def decompresses(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    if response.headers.popall("Content-Encoding", None):
        response.body = Body(gzip.decompress(await response.body.read(LARGE)))
    return response


async def sets_length(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers["Content-Length"] = "3"
    return response


async def drops_length(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers.popall("Content-Length", None)
    return response


async def turns_errors_into_200(exchange: Exchange, handler: Handler) -> Response:
    try:
        return await handler(exchange)
    except ProxyError:
        return Response(200, body=Body(b"sorry"))


async def tells_of_the_address(exchange: Exchange, handler: Handler) -> Response:
    try:
        return await handler(exchange)
    except ProxyError:
        return Response(502, body=Body(f"{exchange.attempts[-1].endpoint.name} is down".encode()))


async def tells_of_the_exception(exchange: Exchange, handler: Handler) -> Response:
    try:
        return await handler(exchange)
    except ProxyError as error:
        return Response(502, {"X-Error": type(error).__name__})


async def forgets_the_status(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    return Response(200, response.headers, response.body)


async def forgets_the_reason(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    return Response(response.status, response.headers, response.body)


async def forgets_interim_responses(exchange: Exchange, handler: Handler) -> Response:
    exchange.interim = None
    return await handler(exchange)


async def goes_on_without_the_client(exchange: Exchange, handler: Handler) -> Response:
    return await asyncio.shield(handler(exchange))


async def forgets_ranges(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.headers.popall("Range", None)
    return await handler(exchange)


async def streams_anew(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    if response.body.data:
        response.body = StreamBody(response.body)
    return response


async def names_a_framing(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    return Response(response.status, response.headers, Body(b"12345678"), response.reason)


# What is wrong below or above filters.


class OwnUpstream(Component):
    """Forwards over one connection by itself, and gets wrong what can be got wrong."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def stop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()

    async def __call__(self, exchange: Exchange) -> Response:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        request = exchange.request
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        lines = f"{request.method} {request.target} HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n{lines}\r\n"
        writer.write(lines.encode("utf-8", "surrogateescape") + await request.body.read(LARGE))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
        first, *rest = head[:-4].split("\r\n")
        response = Response(int(first.split(" ")[1]), [tuple(line.split(": ", 1)) for line in rest])  # type: ignore[misc]
        length = int(response.headers.get("Content-Length", "0").strip("x"))

        async def pieces() -> AsyncIterator[bytes]:
            left = length
            while left and (data := await reader.read(left)):
                left -= len(data)
                yield data

        response.body = StreamBody(pieces())
        return response


def own_upstream(url: str) -> ProxyHandler:
    return ProxyHandler(OwnUpstream(url))


def by_hand(url: str) -> web.Application:
    """The proxy of twenty lines that many have written."""

    async def forward(request: web.Request) -> web.StreamResponse:
        async with (
            ClientSession() as session,
            session.request(
                request.method, url + request.path_qs, headers=request.headers, data=await request.read()
            ) as answer,
        ):
            headers = CIMultiDictProxy(CIMultiDict(answer.headers))
            return web.Response(status=answer.status, headers=headers, body=await answer.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    return app


def relay(url: str) -> web.Application:
    """Passes on what the upstream sends, whatever it is."""

    async def forward(request: web.Request) -> web.StreamResponse:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        assert request.transport is not None
        writer.write(f"{request.method} {request.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                while data := await reader.read(65536):
                    request.transport.write(data)
        writer.close()
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def copies_the_response(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    return Response(response.status, response.headers, response.body, response.reason)


async def forgets_upgrades(exchange: Exchange, handler: Handler) -> Response:
    exchange.request.upgrade = None
    return await handler(exchange)


async def knows_fields_by_heart(exchange: Exchange, handler: Handler) -> Response:
    for name in set(exchange.request.headers) - {"Accept", "Cookie", "Content-Type"}:
        exchange.request.headers.popall(name, None)
    return await handler(exchange)


MISTAKES: list[tuple[Filter, str]] = [
    (copies_the_response, "F-94"),
    (forgets_upgrades, "F-94"),
    (knows_fields_by_heart, "F-94"),
    (merges_fields, "F-24"),
    (drops_repeated_fields, "F-24 F-27"),
    (merges_cookies, "F-24"),
    (lowers_names, "F-25"),
    (asciifies, "F-26"),
    (drops_empty_fields, "F-27"),
    (recodes_target, "F-02"),
    (recodes_query, "F-02 F-03 F-07"),
    (keeps_host, "F-13"),
    (forwards_everything, "F-20 F-22"),
    (obeys_connection, "F-21"),
    (adds_hop_by_hop_fields, "F-22"),
    (introduces_itself, "F-29 F-30 F-31"),
    (forgets_ranges, "F-109"),
    (sends_half_of_the_body, "F-45 F-46 F-65"),
    (reads_the_upload_first, "F-45 F-73 F-75"),
    (forgives_broken_uploads, "F-47"),
    (collects_the_stream, "F-70 F-71 F-73 F-79"),
    (forgives_truncation, "F-54 F-55"),
    (decompresses, "F-51"),
    (sets_length, "F-56 F-57"),
    (drops_length, "F-56"),
    (streams_anew, "F-53"),
    (names_a_framing, "F-54 F-58 F-60"),
    (turns_errors_into_200, "F-28 F-55 F-61 F-82"),
    (tells_of_the_address, "F-83"),
    (tells_of_the_exception, "F-83"),
    (forgets_the_status, "F-57 F-111"),
    (forgets_the_reason, "F-111"),
    (forgets_interim_responses, "F-77"),
    (goes_on_without_the_client, "F-79"),
]


HANDLER_MISTAKES = ["F-01", "F-13", "F-52", "F-58", "F-59", "F-60", "F-61", "F-75", "F-77", "F-80", "F-90"]
MISTAKES_BY_HAND = ["F-02", "F-20", "F-24", "F-26", "F-29", "F-30", "F-45", "F-51", "F-56", "F-70", "F-75", "F-82"]
RELAY_MISTAKES = [
    ("F-28", "no control character reaches the client"),
    ("F-54", "the client can tell that this is not the whole"),
    ("F-56", "the client gets a response"),
    ("F-59", "no chunks"),
    ("F-61", "a response has one Content-Length"),
]


async def failure(name: str, compose: Callable[[str], ProxyHandler | web.Application]) -> str:
    with pytest.raises(AssertionError) as caught:
        await ROWS[name].check(compose)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [pytest.param(wrong, name, id=f"{wrong.__name__}-{name}") for wrong, names in MISTAKES for name in names.split()],
)
async def test_a_wrong_filter(wrong: Filter, name: str) -> None:
    """What a filter gets wrong is found by the row that says so; one that says something else is not bothered."""

    def compose(url: str) -> ProxyHandler:
        return ProxyHandler(Upstream(url), filters=[wrong])

    assert (await failure(name, compose)).startswith(f"{name} does not hold: {ROWS[name].claim}\n\n-- ")
    if wrong is not recodes_query:
        await PATIENT["F-03"].check(compose)


@pytest.mark.parametrize("name", HANDLER_MISTAKES)
async def test_a_wrong_handler(name: str) -> None:
    """What is wrong with the way to the upstream is found, too."""
    await failure(name, own_upstream)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MISTAKES_BY_HAND)
async def test_a_proxy_by_hand(name: str) -> None:
    """A proxy in twenty lines of aiohttp is found out."""
    await failure(name, by_hand)


@pytest.mark.parametrize(("name", "should"), RELAY_MISTAKES)
async def test_a_relay(name: str, should: str) -> None:
    """What passes because nobody looks is found."""
    assert should in (await failure(name, relay)).partition("Should be: ")[2]


# What a failure says.


async def test_a_failure_is_a_transcript() -> None:
    """It names the row, what was said by whom, what should have been and what was."""
    said = await failure("F-25", lambda url: ProxyHandler(Upstream(url), filters=[lowers_names], via=None))
    said = re.sub(r"127.0.0.1:\d+|\w+, \d+ \w+ \d{4} [\d:]+ GMT", "(varies)", said)
    assert said.splitlines() == [
        "F-25 does not hold: The case of field names is kept.",
        "",
        "-- the client sends",
        "    GET /conform HTTP/1.1",
        "    Host: conform.test",
        "    x-MiXeD-caSe: 1",
        "    x-lower: 1",
        "    X-UPPER: 1",
        "",
        "-- the upstream gets",
        "    GET /conform HTTP/1.1",
        "    Host: (varies)",
        "    x-MiXeD-caSe: 1",
        "    x-lower: 1",
        "    X-UPPER: 1",
        "    X-Forwarded-For: 127.0.0.1",
        "    X-Forwarded-Host: conform.test",
        "    X-Forwarded-Proto: http",
        "",
        "-- the upstream sends",
        "    HTTP/1.1 200 OK",
        "    x-MiXeD-caSe: 1",
        "    x-lower: 1",
        "    X-UPPER: 1",
        "    Content-Length: 2",
        "",
        "    ok",
        "-- the client gets",
        "    HTTP/1.1 200 OK",
        "    x-mixed-case: 1",
        "    x-lower: 1",
        "    x-upper: 1",
        "    content-length: 2",
        "    Date: (varies)",
        "",
        "    ok",
        "",
        "Should be: the client gets the name x-MiXeD-caSe",
        "Was:       ['x-mixed-case']",
    ]


async def test_what_was_done_is_told() -> None:
    """A failure tells of connections that end, of what was not sent in time, and of much no more than its size."""
    said = await failure("F-79", lambda url: ProxyHandler(Upstream(url), filters=[goes_on_without_the_client]))
    assert "-- the client leaves\n" in said
    assert "Was:       not within 0.5 s: <FakeUpstream http://127.0.0.1:" in said
    said = await failure("F-73", lambda url: ProxyHandler(Upstream(url), filters=[collects_the_stream]))
    assert re.search(r"\n    \.\.\. and \d{7,} bytes more\n", said)
    assert len(said) < 5000
    said = await failure("F-55", lambda url: ProxyHandler(Upstream(url), filters=[turns_errors_into_200]))
    assert "-- the upstream closes the connection\n" in said
    assert said.endswith("Was:       200 OK, whole, with the content b'sorry'")


async def test_what_a_composition_needs_is_asked_for() -> None:
    """A request that never reaches the upstream is explained, with the answer that the proxy gave by itself."""
    said = await failure("F-45", ruled)
    assert "if your rules need some field or path: request_fields=, prefix=" in said
    assert "the proxy answered by itself: 404 Not Found, whole, with the content b'" in said


async def test_no_http_upstream() -> None:
    """What the upstream cannot take for a request is told of, in its words."""
    port = 0

    async def forward(exchange: Exchange) -> Response:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")  # without a host
        await writer.drain()
        exchange.defer(writer.close)
        return Response(200)

    def compose(url: str) -> ProxyHandler:
        nonlocal port
        port = int(url.rpartition(":")[2])
        return ProxyHandler(forward)

    said = await failure("F-29", compose)
    assert "-- the upstream finds fault: Host []\n" in said


async def test_nothing_is_left() -> None:
    """A row that holds leaves nothing behind, and neither does one that does not."""
    await PATIENT["F-79"].check(plain)
    await failure("F-79", lambda url: ProxyHandler(Upstream(url), filters=[collects_the_stream]))
    assert asyncio.all_tasks() == {asyncio.current_task()}


# What can be said of a composition.


async def test_a_limit_of_bodies() -> None:
    """A proxy that takes no large uploads is none that does not hold them up."""
    for name in ("F-73", "F-75"):
        await PATIENT[name].check(lambda url: ProxyHandler(Upstream(url), max_body=1000))


async def test_skipping() -> None:
    """A row to be skipped says why, in the way that pytest and unittest know; the others are not touched."""
    rows = {row.name: row for row in conform(skip={"F-13": "the client's host is kept"})}
    with pytest.raises(SkipTest, match=r"^F-13: the client's host is kept$"):
        await rows["F-13"].check(plain)
    await rows["F-03"].check(plain)
    assert [str(row) for row in rows.values() if row.skip] == ["F-13"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"skip": {"F-999": "x"}}, "skip: no row F-999; there are F-01, F-02"),
        ({"skip": {"F-13": ""}}, "skip: say why F-13 does not hold"),
        ({"prefix": "api"}, "prefix must begin with a slash and not end with one, got 'api'"),
        ({"upstream_prefix": "/"}, "upstream_prefix must begin with a slash and not end with one, got '/'"),
        ({"timeout": 0}, "timeout must be above 0, got 0"),
    ],
)
def test_wrong_arguments(wrong: dict[str, Any], said: str) -> None:
    """What makes no sense is refused when tests are collected."""
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        conform(**wrong)


def test_rows() -> None:
    """The rows are in order, and each says what it claims."""
    names = [row.name for row in conform()]
    assert names == sorted(names, key=lambda name: int(name[2:]))
    assert all(row.claim.endswith(".") for row in conform())
