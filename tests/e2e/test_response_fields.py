"""Response fields on their way to the client, to the byte: what ends at the proxy, what passes, what is added."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Exchange, Handler, HideUpstream, Pipeline, ProxyHandler, Response, Upstream
from revproxy.testing import FakeClock, FakeUpstream, Step, raw, respond, stall

from .wire import GET, Answer, serving

DATE = b"Date: Mon, 06 May 2024 07:08:09 GMT\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
HIDE = HideUpstream(keep=["Server", "Via"])
OLD = b"GET / HTTP/1.0\r\n\r\n"


async def look(exchange: Exchange, handler: Handler) -> Response:
    """A filter that reads the fields: they are then decoded and encoded on their way."""
    response = await handler(exchange)
    assert response.headers is not None
    return response


async def relay(*steps: Step, request: bytes = GET, looked_at: bool = False) -> Answer:
    """What the client gets when the upstream answers so."""
    async with FakeUpstream() as server:
        server.always(*steps)
        handler: Handler = Upstream(server.url)
        handler = Pipeline(look, handler=handler) if looked_at else handler
        async with serving(ProxyHandler(handler, via=None, hide=HIDE)) as site:
            return await site.ask(request)


def names(answer: Answer) -> list[bytes]:
    """All of its fields but the one for its framing, which is the proxy's own."""
    found = [line.partition(b":")[0].lower() for line in answer.lines]
    return [name for name in found if name not in (b"content-length", b"transfer-encoding")]


looked_at = pytest.mark.parametrize("looked_at", [False, True], ids=["untouched", "looked at"])


@looked_at
async def test_a_head_passes_as_it_came(looked_at: bool) -> None:
    """F-24, F-25, F-26, F-27: order, case and repetition of fields stay, names that differ in case only are two fields,
    obs-text is not touched, an empty value stays empty, a reason phrase is passed on."""
    head = (
        b"HTTP/1.1 200 Fine, caf\xe9\r\n"
        b"X-B: 1\r\n"
        b"x-b: 2\r\n"
        b"Server: back end/1.0\r\n"
        b"Set-Cookie: a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n"
        b"X-Between: 0\r\n"
        b"set-cookie: a=2\r\n"
        b"SET-COOKIE: b=3, c=4\r\n"
        b"X-Latin: caf\xe9 \xff\r\n"
        b"X-Utf-8: caf\xc3\xa9 \xe2\x82\xac\r\n"
        b"X-Broken-Utf-8: \xc3 \xed\xa0\x80\r\n"
        b"X-Empty: \r\n"
        b"X-Tab: a\tb  c\r\n"
        b"X-B: 1\r\n"
        b"Content-Type: text/plain\r\n"
        b"Content-Length: 2\r\n" + DATE + b"cOOKIE-jAR: yes\r\n\r\n"
    )
    answer = await relay(raw(head + b"ok"), looked_at=looked_at)
    assert answer.raw_head == head
    assert answer.body == b"ok"


@looked_at
async def test_white_space_around_a_value_is_not_of_it(looked_at: bool) -> None:
    """F-27: white space around a value may go or stay, the value itself does not change."""
    head = b"HTTP/1.1 200 OK\r\nX-A:1\r\nX-B: \t 2 \t\r\nX-C:\r\nX-D:  a  b\r\nContent-Length:  2 \r\n" + DATE + b"\r\n"
    answer = await relay(raw(head + b"ok"), looked_at=looked_at)
    values = [answer.getall(name) for name in (b"X-A", b"X-B", b"X-C", b"X-D", b"Content-Length")]
    assert values == [[b"1"], [b"2"], [b""], [b"a  b"], [b"2"]]
    assert answer.body == b"ok"


TOKEN = st.text(st.sampled_from("!#$%&'*+-.^_`|~09azAZ"), min_size=1, max_size=12).map(
    lambda name: b"x" + name.encode()
)
VALUE = st.binary(max_size=20).map(lambda value: re.sub(rb"[\0-\x08\x0a-\x1f\x7f]", b"", value).strip(b" \t"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(TOKEN, VALUE), max_size=12), st.booleans())
async def test_any_field_passes_as_it_came(fields: list[tuple[bytes, bytes]], looked_at: bool) -> None:
    """F-24, F-25, F-26: whatever the fields are, the client gets the same bytes in the same order."""
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    head = b"HTTP/1.1 200 OK\r\n" + lines + DATE + b"Content-Length: 0\r\n\r\n"
    assert (await relay(raw(head), looked_at=looked_at)).raw_head == head


@looked_at
@pytest.mark.parametrize("how", ["as a rule", "in lower case", "in upper case"])
async def test_hop_by_hop_fields_end_here(how: str, looked_at: bool) -> None:
    """F-22: fields about one connection are not passed on, in whatever case, nor is ``Alt-Svc``; neighbours are."""
    lines = (
        b"X-Before: 1\r\n"
        b"Connection: keep-alive\r\n"
        b"Keep-Alive: timeout=5\r\n"
        b"Proxy-Connection: keep-alive\r\n"
        b"Proxy-Authenticate: Basic\r\n"
        b"Proxy-Authorization: Basic eA==\r\n"
        b"Proxy-Authentication-Info: x\r\n"
        b"TE: trailers\r\n"
        b"Trailer: X-T\r\n"
        b"Upgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABk\r\n"
        b"ALPN: h2\r\n"
        b"Close: 1\r\n"
        b'Alt-Svc: h2=":443"\r\n'
        b"X-Keep-Alive: 2\r\n"
        b"Transfer-Encoding: chunked\r\n"
    )
    lines = {"as a rule": lines, "in lower case": lines.lower(), "in upper case": lines.upper()}[how]
    answer = await relay(raw(b"HTTP/1.1 200 OK\r\n" + lines + DATE + b"\r\n2\r\nok\r\n0\r\n\r\n"), looked_at=looked_at)
    assert names(answer) == [b"x-before", b"x-keep-alive", b"date"]
    assert answer.body == b"ok"


@looked_at
async def test_nominated_fields_end_here(looked_at: bool) -> None:
    """F-20: every field that some ``Connection`` line names ends here with it, in whatever case; empty elements are
    tolerated."""
    head = (
        b"HTTP/1.1 200 OK\r\n"
        b"X-One: 1\r\n"
        b"Connection: X-One, ,x-TWO ,\r\n"
        b"x-two: 2\r\n"
        b"X-Two: again\r\n"
        b"X-One-More: stays\r\n"
        b"connection:\r\n"
        b"CONNECTION: ,keep-alive,\tX-Three\r\n"
        b"X-Three: 3\r\n"
        b"Content-Length: 2\r\n" + DATE + b"\r\n"
    )
    answer = await relay(raw(head + b"ok"), looked_at=looked_at)
    assert answer.raw_head == b"HTTP/1.1 200 OK\r\nX-One-More: stays\r\nContent-Length: 2\r\n" + DATE + b"\r\n"
    assert answer.body == b"ok"


@looked_at
async def test_what_cannot_be_nominated_away(looked_at: bool) -> None:
    """F-21: naming them in ``Connection`` does not remove the fields that others rely on, nor the body's framing."""
    lines = (
        b"Set-Cookie: a=1\r\n"
        b"Content-Type: text/plain\r\n"
        b"Via: 1.1 b\r\n"
        b"X-Forwarded-For: 10.0.0.1\r\n"
        b"Forwarded: for=10.0.0.1\r\n"
        b"Content-Length: 2\r\n"
    )
    connection = b"Connection: set-cookie, content-type, via, x-forwarded-for, forwarded, content-length, date\r\n"
    answer = await relay(raw(b"HTTP/1.1 200 OK\r\n" + connection + lines + DATE + b"\r\nok"), looked_at=looked_at)
    assert b"\r\n".join([*answer.lines, b""]).startswith(lines)
    assert len(answer.getall(b"Date")) == 1  # the upstream's, or the proxy's own in its place
    assert answer.body == b"ok"


async def test_trailers_end_here() -> None:
    """F-20, F-65: trailer fields are neither passed on nor merged into the fields, and ``Trailer`` does not promise
    them."""
    answer = await relay(respond(headers={"Trailer": "X-T"}, body=b"hello", chunked=[2, 3], trailers={"X-T": "1"}))
    assert names(answer) == [b"date"]
    assert answer.body == b"hello"


@looked_at
@pytest.mark.parametrize(
    ("answer", "request_head", "relayed"),
    [
        (b"200 OK\r\nContent-Length: 2\r\n\r\nok", GET, b"200 OK\r\nContent-Length: 2\r\nDate: *\r\n\r\nok"),
        (b"404 Not Found\r\nContent-Length: 0\r\n\r\n", GET, b"404 Not Found\r\nContent-Length: 0\r\nDate: *\r\n\r\n"),
        (b"204 No Content\r\n\r\n", GET, b"204 No Content\r\nDate: *\r\n\r\n"),
        (b"304 Not Modified\r\nETag: x\r\n\r\n", GET, b"304 Not Modified\r\nETag: x\r\nDate: *\r\n\r\n"),
        (b"200 OK\r\nContent-Length: 2\r\n\r\n", HEAD, b"200 OK\r\nContent-Length: 2\r\nDate: *\r\n\r\n"),
        (
            b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            GET,
            b"200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        ),
    ],
    ids=["length", "empty", "204", "304", "HEAD", "chunked"],
)
async def test_nothing_is_added_but_a_date(answer: bytes, request_head: bytes, relayed: bytes, looked_at: bool) -> None:
    """F-30, F-31: no ``Server``, no ``Content-Type``, nothing is added to a response but its framing and the time at
    which it passed, where the upstream does not say it."""
    clock = FakeClock(wall=1_700_000_000)
    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 " + answer), stall())
        handler: Handler = Pipeline(look, handler=Upstream(server.url)) if looked_at else Upstream(server.url)
        async with serving(ProxyHandler(handler, clock=clock)) as site, site.connect() as client:
            await client.send(request_head)
            await client.gets(b"HTTP/1.1 " + relayed.replace(b"*", b"Tue, 14 Nov 2023 22:13:20 GMT"))
            client.end()
            assert await client.rest() == b""


@looked_at
@pytest.mark.parametrize("line", [b"Date: Thu, 01 Jan 1970 00:00:00 GMT", b"date: yesterday", b"DATE: "])
async def test_the_upstreams_date_is_kept(line: bytes, looked_at: bool) -> None:
    """F-31: a ``Date`` of the upstream's stays, whatever it says, and is the only one."""
    answer = await relay(raw(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n"), looked_at=looked_at)
    assert [each for each in answer.lines if each.lower().startswith(b"date")] == [line]


@pytest.mark.parametrize(
    ("line", "relayed"),
    [
        (b"200 Everything is fine", b"200 Everything is fine"),
        (b"200 ", b"200 "),
        (b"200", b"200 "),
        (b"404 OK", b"404 OK"),
        (b"299 ", b"299 "),
        (b"599 What is this", b"599 What is this"),
        (b"418 I'm a teapot \xe2\x98\x95 caf\xe9", b"418 I'm a teapot \xe2\x98\x95 caf\xe9"),
        (b"500 a\tb", b"500 a\tb"),
    ],
)
async def test_status_and_reason_are_relayed(line: bytes, relayed: bytes) -> None:
    """F-111: the status and its phrase are the upstream's, be it empty, absent, unusual or not ASCII."""
    answer = await relay(raw(b"HTTP/1.1 " + line + b"\r\nContent-Length: 2\r\n" + DATE + b"\r\nok"))
    assert answer.raw_head == b"HTTP/1.1 " + relayed + b"\r\nContent-Length: 2\r\n" + DATE + b"\r\n"


@pytest.mark.parametrize("request_head", [GET, HEAD, OLD], ids=["GET", "HEAD", "HTTP/1.0"])
@pytest.mark.parametrize("line", [b"HTTP/1.0 200 OK", b"HTTP/1.0 500 Oops", b"HTTP/1.1 200 OK"])
async def test_the_upstreams_version_ends_here(line: bytes, request_head: bytes) -> None:
    """F-01: the proxy says its own HTTP version to the client, never the upstream's."""
    answer = await relay(raw(line + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), request=request_head)
    assert answer.version == b"HTTP/1.1"
    assert answer.status == int(line.split(b" ")[1])


CONTROLS = [b"\0", b"\x01", b"\x08", b"\x0b", b"\x1f", b"\x7f", b"\r", b"\n"]


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
@pytest.mark.parametrize("where", [b"X-A: a%bb", b"X%bA: ab"], ids=["value", "name"])
async def test_a_control_character_of_the_upstream_goes_no_further(where: bytes, control: bytes) -> None:
    """F-28: a field of the upstream's with a control character in it is a 502, and nothing of it reaches the client."""
    line = where % control
    answer = await relay(raw(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 2\r\n\r\nok"))
    assert answer.status == 502
    assert not answer.getall(b"X-A")
    assert control not in answer.raw_head.replace(b"\r\n", b"")


@pytest.mark.parametrize("control", [each.decode() for each in CONTROLS] + ["\r\nX-Injected: 1"], ids=repr)
@pytest.mark.parametrize("where", ["value", "name", "reason"])
async def test_a_control_character_of_a_filter_goes_no_further(
    where: str, control: str, caplog: pytest.LogCaptureFixture
) -> None:
    """F-28: a control character that a filter puts into a field or the reason is an error; nothing of it is sent."""

    async def spoil(exchange: Exchange, handler: Handler) -> Response:
        response = await handler(exchange)
        if where == "reason":
            response.reason = f"O{control}K"
        else:
            name, value = ("X-A", f"a{control}b") if where == "value" else (f"X{control}A", "ab")
            response.headers[name] = value
        return response

    async with (
        FakeUpstream() as server,
        serving(Pipeline(spoil, handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        await client.send(GET)
        answer = await client.response()
        client.end()
        assert await client.rest() == b""  # nothing of the other response either
    assert answer.status == 500
    assert not any(name in answer.raw_head for name in (b"X-A", b"X-Injected"))
    assert control.encode() not in answer.raw_head.replace(b"\r\n", b"")
    (record,) = (record for record in caplog.records if record.name == "revproxy.error")
    assert "InternalError" in record.getMessage()


@looked_at
async def test_authentication_fields_are_passed_on(looked_at: bool) -> None:
    """F-32: a challenge of the upstream's reaches the client as it is, and is not answered by the proxy."""
    challenge = b'WWW-Authenticate: Basic realm="a, b", Negotiate\r\nWWW-Authenticate: Bearer\r\n'
    info = b"Authentication-Info: nextnonce=1\r\nAuthorization: odd\r\n"
    head = b"HTTP/1.1 401 Unauthorized\r\n" + challenge + info + DATE + b"Content-Length: 0\r\n\r\n"
    async with FakeUpstream() as server:
        server.always(raw(head))
        handler: Handler = Pipeline(look, handler=Upstream(server.url)) if looked_at else Upstream(server.url)
        async with serving(handler) as site:
            assert (await site.ask(GET)).raw_head == head
        assert len(server.requests) == 1
