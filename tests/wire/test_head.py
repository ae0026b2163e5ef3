"""Heads: what is written for a request, and what is believed of a response."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.body import EMPTY, Body, StreamBody
from revproxy.endpoint import Endpoint
from revproxy.errors import ProtocolError, ResponseHeadTooLarge
from revproxy.message import Request, request_of_lines
from revproxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE
from revproxy.wire.head import ResponseHead, read_head, request_head

HOST = Endpoint("http://up.test:8080")

CONTROLS = [*range(0x09), *range(0x0A, 0x20), 0x7F]
"""Every control character but the tab."""

HOP_BY_HOP = [
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Authentication-Info",
    "TE",
    "Trailer",
    "Upgrade",
    "HTTP2-Settings",
    "ALPN",
    "Close",
    "Alt-Svc",
]
"""What never comes through, but ``Transfer-Encoding``, which has a say in the framing."""


async def _nothing() -> AsyncIterator[bytes]:
    empty: list[bytes] = []
    for chunk in empty:
        yield chunk


def streamed(length: int | None) -> Body:
    return StreamBody(_nothing(), length=length)


def draft(*fields: tuple[str, str], method: str = "POST", target: str = "/", body: Body = EMPTY) -> Request:
    return Request(method, target, CIMultiDict(fields), body)


def lines_of(head: bytes) -> list[bytes]:
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n")


# --- requests


BODIES = [
    (EMPTY, None),
    (Body(), b"Content-Length: 0"),
    (Body(b"hello"), b"Content-Length: 5"),
    (streamed(7), b"Content-Length: 7"),
    (streamed(0), b"Content-Length: 0"),
    (streamed(None), b"Transfer-Encoding: chunked"),
]


@pytest.mark.parametrize("target", [None, 7, b"/"])
def test_a_target_of_another_kind(target: object) -> None:
    """What is no text is no target: it is refused, not printed."""
    with pytest.raises(ValueError, match="is not a request target"):
        request_head(Request("GET", target), HOST)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "QUERY"])
@pytest.mark.parametrize(("body", "framed"), BODIES, ids=lambda value: str(value))
def test_framing_follows_the_body(method: str, body: Body, framed: bytes | None) -> None:
    """A request is framed as its body is, whatever the method: no body, no field; a length; else chunked (F-45,
    F-46)."""
    lines = lines_of(request_head(draft(("X-A", "1"), method=method, body=body), HOST))
    expected = [method.encode() + b" / HTTP/1.1", b"Host: up.test:8080", b"X-A: 1"]
    assert lines == expected + ([framed] if framed else [])


@pytest.mark.parametrize(("body", "framed"), BODIES, ids=lambda value: str(value))
@pytest.mark.parametrize(
    "said",
    [
        [("Content-Length", "99")],
        [("content-length", "99"), ("Content-Length", "99")],
        [("Transfer-Encoding", "gzip, chunked")],
        [("transfer-ENCODING", "chunked"), ("CONTENT-length", "5")],
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
    ],
    ids=str,
)
def test_framing_is_never_copied(said: list[tuple[str, str]], body: Body, framed: bytes | None) -> None:
    """What a filter has set of the framing, true or not, is replaced by what holds for the body (F-46, F-52, S-14)."""
    head = request_head(draft(("X-A", "1"), *said, ("X-B", "2"), body=body), HOST).lower()
    found = [line for line in lines_of(head) if line.startswith((b"content-length:", b"transfer-encoding:"))]
    assert found == ([framed.lower()] if framed else [])
    assert b"\r\nx-a: 1\r\n" in head
    assert b"\r\nx-b: 2\r\n" in head


@pytest.mark.parametrize("declared", [None, 5, 7])
@pytest.mark.parametrize(("body", "framed"), BODIES, ids=lambda value: str(value))
def test_framing_of_undecoded_fields(declared: int | None, body: Body, framed: bytes | None) -> None:
    """The same holds for fields that nobody has decoded, whatever they declare (F-45, F-46)."""
    lines = b"X-A: 1\r\n" + (b"" if declared is None else b"Content-Length: %d\r\n" % declared)
    request = request_of_lines("POST", "/", lines, declared)
    request.body = body
    assert lines_of(request_head(request, HOST)) == [
        b"POST / HTTP/1.1",
        b"Host: up.test:8080",
        b"X-A: 1",
        *([framed] if framed else []),
    ]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://up.test", b"up.test"),
        ("http://up.test:80", b"up.test"),
        ("http://up.test:8080", b"up.test:8080"),
        ("https://up.test:443", b"up.test"),
        ("https://up.test:80", b"up.test:80"),
        ("http://[::1]:8080", b"[::1]:8080"),
        ("http://127.0.0.1", b"127.0.0.1"),
        ("unix:/run/up.sock", b"localhost"),
    ],
)
def test_host_is_the_endpoint(url: str, host: bytes) -> None:
    """Without a ``Host`` in the draft the endpoint's authority is sent, first of all fields (F-13)."""
    assert lines_of(request_head(draft(("X-A", "1")), Endpoint(url)))[1:] == [b"Host: " + host, b"X-A: 1"]


@pytest.mark.parametrize("name", ["Host", "host", "hOST"])
def test_host_that_a_filter_set(name: str) -> None:
    """A ``Host`` that a filter has set is sent instead, and it alone (F-13)."""
    head = request_head(draft((name, "public.test")), HOST)
    assert lines_of(head) == [b"POST / HTTP/1.1", name.encode() + b": public.test"]


def test_two_hosts_are_refused() -> None:
    """There is exactly one ``Host`` in a request: two, which a filter might add, never reach a wire (F-14)."""
    with pytest.raises(ValueError, match="Host"):
        request_head(draft(("Host", "a.test"), ("host", "b.test")), HOST)


@pytest.mark.parametrize(
    ("url", "target", "sent"),
    [
        ("http://up.test", "/a%2Fb//c/%7e/%zz?x&x=1&=;+&%00#", b"/a%2Fb//c/%7e/%zz?x&x=1&=;+&%00#"),
        ("http://up.test", "/a?", b"/a?"),
        ("http://up.test", "//evil.test/p", b"//evil.test/p"),
        ("http://up.test", "/caf\udce9/\u00e9", b"/caf\xe9/\xc3\xa9"),
        ("http://up.test", "*", b"*"),
        ("http://up.test/base/", "/a?b", b"/base/a?b"),
        ("http://up.test/base", "/", b"/base/"),
        ("http://up.test/base?key=1", "/a?b", b"/base/a?key=1&b"),
        ("http://up.test?key=1", "/a", b"/a?key=1"),
        ("http://up.test/base?key=1", "*", b"*"),
    ],
)
def test_target(url: str, target: str, sent: bytes) -> None:
    """The target is sent byte for byte, behind the endpoint's prefix and its query (F-01 to F-07, F-10)."""
    assert lines_of(request_head(draft(target=target), Endpoint(url)))[0] == b"POST " + sent + b" HTTP/1.1"


@pytest.mark.parametrize("method", ["GET", "get", "PROPFIND", "QUERY", "M-SEARCH", "FOO", "!#$%&'*+-.^_`|~09"])
def test_method(method: str) -> None:
    """Any token is a method, in the case it has (F-16)."""
    assert request_head(draft(method=method), HOST).startswith(method.encode() + b" / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "method",
    ["", " ", "GET ", " GET", "G T", "GET\t", "GET\r\nX: y", "GET\n", "G\x00T", "GET/", "(GET)", "G\u00c9T", "GET:"],
    ids=repr,
)
def test_a_method_that_is_none_is_refused(method: str) -> None:
    """What is no token never begins a request (F-28, S-26)."""
    with pytest.raises(ValueError, match="method"):
        request_head(draft(method=method), HOST)


def test_connect_is_refused() -> None:
    """CONNECT, whose answer would be a tunnel (RFC 9112 section 6.3 no. 2), is never sent (F-09, S-13)."""
    with pytest.raises(ValueError, match="CONNECT"):
        request_head(draft(method="CONNECT", target="up.test:443"), HOST)


@pytest.mark.parametrize(
    "target",
    ["", " ", "/a b", "/ HTTP/1.1\r\nX: y", "/a\r\n", "/a\n", "/a\r", " /a", "/a ", "/a\tb"]
    + [f"/{chr(control)}" for control in CONTROLS],
    ids=repr,
)
@pytest.mark.parametrize("url", ["http://up.test", "http://up.test/base?key=1"])
def test_a_target_that_is_none_is_refused(url: str, target: str) -> None:
    """A target with white space or a control character would end its line early, or be two (F-28, S-26)."""
    if target == "":
        url = "http://up.test"
    with pytest.raises(ValueError, match="target"):
        request_head(draft(target=target), Endpoint(url))


@pytest.mark.parametrize(
    "name",
    ["", " ", "X A", "X-A ", " X-A", "X-A:", "X-A\r\nX-B", "X\x00", "X\t", "X(", 'X"', "X/", "X\u00e9", "X\udce9"]
    + [f"X{chr(control)}" for control in CONTROLS],
    ids=repr,
)
def test_a_field_name_that_is_none_is_refused(name: str) -> None:
    """A field name is a token; no other reaches a wire (F-28, S-26)."""
    with pytest.raises(ValueError, match="field name"):
        request_head(draft(("X-Good", "1"), (name, "1")), HOST)


@pytest.mark.parametrize(
    "value",
    ["a\r\nX-B: 1", "a\r\n b", "\n", "\r", *(f"a{chr(control)}b" for control in CONTROLS)],
    ids=repr,
)
def test_a_field_value_with_a_control_is_refused(value: str) -> None:
    """A control character in a value would be a line, or worse, of its own (F-28, S-26)."""
    with pytest.raises(ValueError, match="X-A"):
        request_head(draft(("X-Good", "1"), ("X-A", value)), HOST)


def test_fields_as_they_are() -> None:
    """Order, case, duplicates, empty values, tabs and bytes from 0x80 up are sent as they are; nothing is added (F-24
    to F-29)."""
    fields = [("x-B", "1"), ("X-A", ""), ("X-b", "2"), ("X-C", "a\tb"), ("X-D", "caf\udce9 \u00e9"), ("x-B", "1")]
    head = request_head(draft(*fields, method="GET"), Endpoint("http://h"))
    assert head == (
        b"GET / HTTP/1.1\r\nHost: h\r\n"
        b"x-B: 1\r\nX-A: \r\nX-b: 2\r\nX-C: a\tb\r\nX-D: caf\xe9 \xc3\xa9\r\nx-B: 1\r\n\r\n"
    )


tokens = st.text(st.sampled_from("!#$%&'*+-.^_`|~09azAZ"), min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=0, max_codepoint=0x180) | st.sampled_from("\udc80\udcff"), max_size=8)


@given(
    st.lists(st.tuples(tokens | st.sampled_from(["Content-Length", "transfer-encoding", "Host"]), values), max_size=5),
    st.integers(0, len(BODIES) - 1),
    st.text(max_size=6),
    st.text(st.sampled_from("/a%2F?&# \t\r\n\0\x7f\u00e9"), max_size=6),
)
def test_a_request_is_one_request(fields: list[tuple[str, str]], which: int, method: str, target: str) -> None:
    """Whatever is in a draft: it is refused, or what is written is one request line, one ``Host``, one framing and
    nothing that another reader could split differently (F-28, F-52, S-14, S-26)."""
    body, framed = BODIES[which]
    try:
        head = request_head(draft(*fields, method=method, target=target, body=body), HOST)
    except ValueError:
        return
    start, *lines = lines_of(head)
    assert len(start.split()) == 3
    assert not any(byte in head.replace(b"\r\n", b"") for byte in CONTROLS)
    names = [line.partition(b":")[0].lower() for line in lines]
    assert names.count(b"host") == 1
    found = [line for line in lines if line.lower().startswith((b"content-length:", b"transfer-encoding:"))]
    assert [line.lower() for line in found] == ([framed.lower()] if framed else [])


# --- responses


def head_of(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([start, *lines, b"", b""])


def read(raw: bytes, method: str = "GET") -> ResponseHead:
    return read_head(raw, method, 256)


@pytest.mark.parametrize(
    ("start", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, "OK"),
        (b"HTTP/1.0 200 OK", 200, "OK"),
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.1 200  ", 200, " "),
        (b"HTTP/1.1 200 a\tb: c", 200, "a\tb: c"),
        (b"HTTP/1.1 200 caf\xe9 \xc3\xa9", 200, "caf\udce9 \u00e9"),
        (b"HTTP/1.1 100 Continue", 100, "Continue"),
        (b"HTTP/1.1 299 200", 299, "200"),
        (b"HTTP/1.1 599 ?", 599, "?"),
    ],
)
def test_status_line(start: bytes, status: int, reason: str) -> None:
    """Both versions, any status from 100 to 599, and any reason, also none (F-111)."""
    head = read(head_of(b"X-A: 1", start=start))
    assert (head.status, head.reason, head.lines) == (status, reason, b"X-A: 1\r\n")


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b" ",
        b"HTTP/1.1",
        b"HTTP/1.1 ",
        b"HTTP/1.1 OK",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1 000 X",
        b"HTTP/1.1 600 X",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 20 X",
        b"HTTP/1.1 2000 X",
        b"HTTP/1.1 20x X",
        b"HTTP/1.1 +20 X",
        b"HTTP/1.1 2 0 X",
        b"HTTP/1.1 0x1 X",
        b"HTTP/1.1 200X",
        b"HTTP/1.1 200\tOK",
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK",
        b" HTTP/1.1 200 OK",
        b"\r\nHTTP/1.1 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/2 200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/0.9 200 OK",
        b"HTTP/1.10 200 OK",
        b"HTTP/01.1 200 OK",
        b"HTTP/1.1.1 200 OK",
        b"HTTP/1,1 200 OK",
        b"HTTP/1 200 OK",
        b"http/1.1 200 OK",
        b"Http/1.1 200 OK",
        b"HTTPS/1.1 200 OK",
        b"HTTP /1.1 200 OK",
        b"HTTP/ 1.1 200 OK",
        b"ICY 200 OK",
        b"RTSP/1.0 200 OK",
        b"GET / HTTP/1.1",
        b"<!DOCTYPE html>",
        b"SSH-2.0-OpenSSH_9.6",
        "HTTP/1.1 \u0662\u0660\u0660 OK".encode(),
        "HTTP/1.\u0661 200 OK".encode(),
    ],
    ids=repr,
)
def test_status_line_that_is_none(start: bytes) -> None:
    """Nothing but HTTP/1.0 or 1.1 with three digits from 100 to 599 is a status line (F-01, F-82, S-10)."""
    with pytest.raises(ProtocolError, match="malformed response head"):
        read(head_of(b"X-A: 1", start=start))


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\tfolded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n X-A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n X-A: 1\r\nX-B: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\nX-A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\n\r\n\r\n",
        b"HTTP/1.1 200 OK\nX-A: 1\n\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\n",
        b"HTTP/1.1 200 OK\rX-A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A\t: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nbody",
        b"\r\n\r\n",
        b"",
    ],
    ids=repr,
)
def test_lines_that_are_none(raw: bytes) -> None:
    """Folded lines, bare line ends, white space around a name, and what is not a whole head are refused (F-66, F-67,
    S-06)."""
    with pytest.raises(ProtocolError, match="malformed response head"):
        read(raw)


@pytest.mark.parametrize("place", ["X%b-A: 1", "%bX-A: 1", "X-A%b: 1", "X-A: %b", "X-A: 1%b", "X-A: 1%b2"])
@pytest.mark.parametrize("field", ["X-Before: 1", None])
def test_controls_in_fields(place: str, field: str | None) -> None:
    """Every control character in a name or a value, NUL first of all, is refused (F-28, S-06, S-27)."""
    before = [field.encode()] if field else []
    for control in CONTROLS:
        with pytest.raises(ProtocolError, match="malformed response head"):
            read(head_of(*before, place.encode() % bytes([control]), b"X-After: 1"))


def test_controls_in_the_reason() -> None:
    """Every control character in a reason is refused, since it is passed on (S-26, S-27)."""
    for control in CONTROLS:
        with pytest.raises(ProtocolError, match="malformed response head"):
            read(head_of(start=b"HTTP/1.1 200 O%bK" % bytes([control])))


def test_names_are_tokens() -> None:
    """A name with anything but the characters of a token is refused; with all of those it is kept (S-27)."""
    allowed = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
    assert read(head_of(allowed + b": 1")).lines == allowed + b": 1\r\n"
    for byte in range(0x100):
        if byte not in allowed and byte != ord(":") and not bytes([byte]).isalpha():
            with pytest.raises(ProtocolError, match="malformed response head"):
                read(head_of(b"X%bA: 1" % bytes([byte])))


def test_the_trouble_is_named() -> None:
    """The message, for the log, says which line it was, and not all of it."""
    with pytest.raises(ProtocolError, match="status line b'HTTP/3 200'"):
        read(head_of(start=b"HTTP/3 200"))
    with pytest.raises(ProtocolError, match="field line b'X-B : 2'"):
        read(head_of(b"X-A: 1", b"X-B : 2"))
    with pytest.raises(ProtocolError, match="its line ends"):
        read(head_of(b"X-A: 1")[:-4])
    with pytest.raises(ProtocolError, match="field line") as caught:
        read(head_of(b"X" * 60000 + b"\0: 1"))
    assert len(str(caught.value)) < 200


def test_fields_byte_for_byte() -> None:
    """Order, case, duplicates, white space and bytes from 0x80 up in values are handed on as they came (F-24 to
    F-27, F-51)."""
    lines = [
        b"x-B:1",
        b"X-A:",
        b"X-b:  2 \t",
        b"Set-Cookie: a=caf\xe9; Path=/",
        b"set-cookie: b=\xff\x80\xc3\xa9",
        b"X-A: ",
        b"Content-Encoding: gzip",
        b'X-C: a\tb : c, "d" (e) <f>;=[]{}@\\,?\'',
        b"x-B:1",
    ]
    assert read(head_of(*lines)).lines == b"".join(line + b"\r\n" for line in lines)


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_hop_by_hop_fields_end_here(name: str) -> None:
    """What is between two hops, or of a listener, is not passed on, whatever its case and its place (F-22, F-90)."""
    for spelt in (name, name.lower(), name.upper(), name.swapcase()):
        line = spelt.encode() + b": x"
        assert read(head_of(line)).lines == b""
        assert read(head_of(line, b"X-A: 1", line, b"X-B: 2", line)).lines == b"X-A: 1\r\nX-B: 2\r\n"


@pytest.mark.parametrize(
    "name", ["X-Connection", "Connection-X", "TEA", "Trailers", "Upgrade-Insecure", "X-TE", "Datex"]
)
def test_fields_that_only_look_hop_by_hop(name: str) -> None:
    """A name that holds a hop-by-hop one, or a value that looks like a line of one, is nothing special."""
    lines = [name.encode() + b": close", b"X-A: Connection: close", b"X-B: content-length:9"]
    head = read(head_of(*lines))
    assert head.lines == b"".join(line + b"\r\n" for line in lines)
    assert (head.persistent, head.framing, head.dated) == (True, UNTIL_CLOSE, False)


@pytest.mark.parametrize(
    "connection",
    [
        [b"X-A, x-b"],
        [b"x-a", b"X-B"],
        [b"x-a,,  ,X-B,"],
        [b",", b" X-A\t,\tx-b , close"],
        [b"keep-alive, X-A", b"", b"X-B"],
        [b"X-A", b"close", b"x-B"],
    ],
    ids=repr,
)
def test_nominated_fields_end_here(connection: list[bytes]) -> None:
    """Every field that any ``Connection`` line names is removed, every line of it; empty elements are none (F-20,
    S-32)."""
    lines = [b"X-A: 1", b"X-C: 3", b"x-B: 2", b"x-a: 4", b"X-AB: 5"]
    head = read(head_of(*lines[:2], *(b"Connection: " + value for value in connection), *lines[2:]))
    assert head.lines == b"X-C: 3\r\nX-AB: 5\r\n"


def test_protected_fields_cannot_be_nominated() -> None:
    """``Connection`` cannot remove what somebody relies on (F-21, S-20, S-32)."""
    lines = [
        b"Set-Cookie: a",
        b"Content-Length: 5",
        b"Content-Type: text/plain",
        b"Via: 1.1 x",
        b"Authorization: x",
        b"X-Forwarded-For: x",
        b"Forwarded: x",
    ]
    names = b", ".join(line.partition(b":")[0] for line in lines)
    head = read(head_of(b"Connection: close, " + names, *lines))
    assert head.lines == b"".join(line + b"\r\n" for line in lines)
    assert (head.framing, head.declared, head.persistent) == (5, 5, False)


@pytest.mark.parametrize(
    ("version", "connection", "persistent"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"keep-alive"], True),
        (b"1.1", [b"close"], False),
        (b"1.1", [b"Close"], False),
        (b"1.1", [b"CLOSE"], False),
        (b"1.1", [b" close\t"], False),
        (b"1.1", [b"x, close"], False),
        (b"1.1", [b"close,x"], False),
        (b"1.1", [b"keep-alive, close"], False),
        (b"1.1", [b"keep-alive", b"close"], False),
        (b"1.1", [b"close", b"keep-alive"], False),
        (b"1.1", [b"upgrade"], True),
        (b"1.1", [b"closed, not-close"], True),
        (b"1.1", [b""], True),
        (b"1.1", [b","], True),
        (b"1.0", [], False),
        (b"1.0", [b""], False),
        (b"1.0", [b"keep-alive"], True),
        (b"1.0", [b"Keep-Alive"], True),
        (b"1.0", [b"KEEP-ALIVE"], True),
        (b"1.0", [b"x, Keep-Alive"], True),
        (b"1.0", [b"keep-alive, close"], False),
        (b"1.0", [b"close"], False),
        (b"1.0", [b"upgrade"], False),
    ],
)
def test_persistence(version: bytes, connection: list[bytes], persistent: bool) -> None:
    """Whether the connection may be used again (RFC 9112 section 9.3); ``close`` wins (F-90)."""
    lines = [b"Connection: " + value for value in connection]
    head = read(head_of(b"Content-Length: 0", *lines, start=b"HTTP/%b 200 OK" % version))
    assert head.persistent is persistent
    assert head.lines == b"Content-Length: 0\r\n"


def test_proxy_connection_says_nothing() -> None:
    """``Proxy-Connection`` has no meaning; it is only removed."""
    assert read(head_of(b"Proxy-Connection: close")).persistent
    assert not read(head_of(b"Proxy-Connection: keep-alive", start=b"HTTP/1.0 200 OK")).persistent


@pytest.mark.parametrize(
    ("method", "start", "lines", "framing", "declared", "kept"),
    [
        ("GET", b"HTTP/1.1 200 OK", [b"content-LENGTH:5\t"], 5, 5, b"content-LENGTH:5\t\r\n"),
        ("GET", b"HTTP/1.1 200 OK", [b"Content-Length: 0"], 0, 0, b"Content-Length: 0\r\n"),
        ("GET", b"HTTP/1.1 200 OK", [b"Transfer-Encoding:\tChunked "], CHUNKED, None, b""),
        ("GET", b"HTTP/1.1 200 OK", [], UNTIL_CLOSE, None, b""),
        ("HEAD", b"HTTP/1.1 200 OK", [b"Content-Length: 5"], NO_BODY, 5, b"Content-Length: 5\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"], NO_BODY, None, b""),
        ("HEAD", b"HTTP/1.1 200 OK", [], NO_BODY, None, b""),
        ("GET", b"HTTP/1.1 304 OK", [b"Content-Length: 5"], NO_BODY, 5, b"Content-Length: 5\r\n"),
        ("GET", b"HTTP/1.1 304 OK", [b"Transfer-Encoding: chunked"], NO_BODY, None, b""),
        ("GET", b"HTTP/1.1 204 OK", [], NO_BODY, None, b""),
        ("GET", b"HTTP/1.1 204 OK", [b"Content-Length: 0"], NO_BODY, None, b""),
        ("GET", b"HTTP/1.1 103 OK", [b"Content-Length: 0", b"Link: x"], NO_BODY, None, b"Link: x\r\n"),
    ],
)
def test_framing_of_a_head(
    method: str, start: bytes, lines: list[bytes], framing: object, declared: int | None, kept: bytes
) -> None:
    """What the head says of the body, and what of that is passed on (F-52, F-53, F-56, F-57)."""
    head = read(head_of(*lines, start=start), method)
    assert (head.framing, head.declared, head.lines) == (framing, declared, kept)


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5", b"content-length: 6"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length:"],
        [b"Content-Length: +5"],
        [b"Content-Length: -1"],
        [b"Content-Length: 5\xa0"],
        [b"Content-Length: " + b"9" * 5000],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"transfer-encoding: chunked", b"X-A: 1", b"content-length: 5"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: gzip", b"transfer-encoding: chunked"],
        [b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding:"],
        [b"Transfer-Encoding: chunked\xa0"],
    ],
    ids=lambda lines: repr(lines)[:60],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_contradictory_framing(method: str, lines: list[bytes]) -> None:
    """Framing that two readers could take differently is refused, in one line or in several (F-61, F-62, S-01 to
    S-04)."""
    with pytest.raises(ProtocolError, match=r"Content-Length|Transfer-Encoding"):
        read(head_of(*lines), method)


def test_coding_in_http_1_0() -> None:
    """An HTTP/1.0 response with a transfer coding is refused (F-63, S-05)."""
    with pytest.raises(ProtocolError, match=r"HTTP/1\.0"):
        read(head_of(b"Transfer-Encoding: chunked", start=b"HTTP/1.0 200 OK"))


def test_dated() -> None:
    """Whether there is a ``Date`` is known without decoding; it is kept (F-31)."""
    assert read(head_of(b"dATE: x")).dated
    assert read(head_of(b"dATE: x")).lines == b"dATE: x\r\n"
    assert not read(head_of(b"X-Date: x", b"X-A: Date: x")).dated
    assert not read(head_of(b"Connection: x-date", b"X-Date: x")).dated


def test_a_nominated_date_is_not_there() -> None:
    """A ``Date`` that ``Connection`` names is either kept or not said to be there: the client gets one (F-31)."""
    head = read(head_of(b"Date: x", b"Connection: date"))
    assert head.dated is (b"date" in head.lines.lower())


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_number_of_fields(limit: int) -> None:
    """As many fields as the limit are read, one more is too many; those that are dropped count (S-28)."""
    assert read_head(head_of(*[b"X-A: 1"] * limit), "GET", limit).lines == b"X-A: 1\r\n" * limit
    for line in (b"X-A: 1", b"Connection: close"):
        with pytest.raises(ResponseHeadTooLarge, match=f"{limit + 1} fields exceeds the limit of {limit}"):
            read_head(head_of(*[line] * (limit + 1)), "GET", limit)


# --- properties


def latin(alphabet: bytes, *, min_size: int = 0, max_size: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(alphabet), min_size=min_size, max_size=max_size).map(bytes)


names = latin(b"!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=10).filter(
    lambda name: name.lower() not in [each.lower().encode() for each in HOP_BY_HOP] + [b"date"]
)
contents = latin(bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)]), max_size=12)


@given(
    st.sampled_from([b"0", b"1"]),
    st.integers(100, 599),
    st.none() | contents,
    st.lists(st.tuples(names, contents), max_size=8),
)
def test_round_trip(minor: bytes, status: int, reason: bytes | None, fields: list[tuple[bytes, bytes]]) -> None:
    """Any well-formed head is read as what it says, and its fields come out byte for byte (F-24 to F-27)."""
    phrase = b"" if reason is None else b" " + reason
    lines = [b"%b:%b" % field for field in fields]
    head = read(head_of(*lines, start=b"HTTP/1.%b %d%b" % (minor, status, phrase)))
    assert head.status == status
    assert head.reason.encode("utf-8", "surrogateescape") == (reason or b"")
    assert head.lines == b"".join(line + b"\r\n" for line in lines)
    assert head.persistent is (minor == b"1")
    assert head.framing is (NO_BODY if status < 200 or status in (204, 304) else UNTIL_CLOSE)


class Llhttp:
    """What llhttp reads of a head."""

    def __init__(self, raw: bytes) -> None:
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.persistent = False
        self.parser = httptools.HttpResponseParser(self)
        try:
            self.parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            pass

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True
        self.persistent = self.parser.should_keep_alive()


def agrees(raw: bytes) -> None:
    """``read_head`` refuses ``raw``, or both it and llhttp read the same."""
    for method in ("GET", "HEAD"):
        try:
            head = read(raw, method)
        except ProtocolError:
            continue
        other = Llhttp(raw)
        assert other.complete
        assert other.parser.get_status_code() == head.status
        assert other.parser.get_http_version() in ("1.0", "1.1")
        assert other.reason == head.reason.encode("utf-8", "surrogateescape")
        kept = [line.partition(b":") for line in head.lines.split(b"\r\n")[:-1]]
        ours = [(name, value.strip(b" \t")) for name, _, value in kept]
        rest = iter(other.fields)
        assert all(field in rest for field in ours), "not the same fields in the same order"
        missing = {name.lower().decode() for name, _ in other.fields} - {name.lower().decode() for name, _ in ours}
        options = ",".join(v.decode("latin-1") for n, v in other.fields if n.lower() == b"connection").lower()
        nominated = {option.strip(" \t") for option in options.split(",")}
        assert missing <= {*map(str.lower, HOP_BY_HOP), "transfer-encoding", "content-length"} | nominated
        if head.framing not in (NO_BODY, UNTIL_CLOSE):
            assert other.persistent == head.persistent


plausible = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 404 Not Found",
        b"HTTP/1.1 304",
        b"HTTP/1.1 204 ",
        b"HTTP/1.1 103 Early Hints",
        b"Content-Length: 5",
        b"Content-Length: 0",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Connection: keep-alive, X-A",
        b"Upgrade: websocket",
        b"X-A: 1",
        b"Set-Cookie: a=\xe9",
        b"X-Empty:",
        b"X-B : 1",
        b" folded",
    ]
)
pieces = (
    plausible | contents | names | st.sampled_from([b"\r\n", b"\n", b"\r", b" ", b":", b"\0", b"HTTP/2 200", b"\t"])
)


@given(st.lists(plausible, max_size=6), st.booleans())
def test_as_llhttp_reads_it(lines: list[bytes], ended: bool) -> None:
    """Whatever is accepted, llhttp accepts too, and reads the same fields."""
    agrees(b"\r\n".join([b"HTTP/1.1 200 OK", *lines]) + b"\r\n" * (1 + ended))


@given(st.lists(pieces, max_size=12))
def test_as_llhttp_reads_anything(parts: list[bytes]) -> None:
    """The same for anything that may look like a head. Nothing is raised but ``ProtocolError``."""
    agrees(b"".join(parts) + b"\r\n\r\n")
    agrees(b"HTTP/1.1 200 OK\r\n" + b"".join(parts) + b"\r\n\r\n")


TYPICAL = head_of(
    b"Date: Sun, 06 Nov 1994 08:49:37 GMT",
    b"Content-Type: text/html; charset=utf-8",
    b"Content-Length: 44",
    b"Connection: keep-alive, X-A",
    b"Set-Cookie: a=b; Path=/",
    b"X-A: caf\xe9",
)
edits = st.lists(
    st.tuples(
        st.integers(0, len(TYPICAL) - 1),
        st.integers(0, 3),
        st.binary(max_size=3) | st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b":", b" ", b"\t"]),
    ),
    min_size=1,
    max_size=4,
)


@given(edits)
@example([(17, 0, b"Content-Length: 44\r\n")])
@example([(17, 0, b"Transfer-Encoding: chunked\r\n")])
def test_mutations(changes: list[tuple[int, int, bytes]]) -> None:
    """A head with bytes replaced, inserted or gone is refused, or read as llhttp reads it; nothing is raised but
    ``ProtocolError`` (S-27)."""
    raw = TYPICAL
    for at, gone, put in changes:
        raw = raw[:at] + put + raw[at + gone :]
    agrees(raw)
    agrees(raw + b"\r\n\r\n")


@given(st.binary(max_size=60))
def test_noise(noise: bytes) -> None:
    """The same for bytes at random, whatever stands before them."""
    agrees(noise)
    agrees(b"HTTP/1.1 200 " + noise + b"\r\n\r\n")
    agrees(b"HTTP/1.1 200\r\nX-A:" + noise + b"\r\n\r\n")


SIZE = 65536
HOSTILE = {
    "a long name": head_of(b"X" * SIZE + b": 1"),
    "a long value": head_of(b"X-A: " + b"y" * SIZE),
    "white space": head_of(b"X-A:" + b" \t" * (SIZE // 2)),
    "a long reason": head_of(start=b"HTTP/1.1 200 " + b" x" * (SIZE // 2)),
    "a long status line": head_of(start=b"HTTP/1.1 " + b" " * SIZE),
    "digits": head_of(b"Content-Length: " + b"1" * SIZE),
    "carriage returns": head_of(b"X-A: " + b"\r" * SIZE),
    "line feeds": head_of(b"X-A: " + b"\n" * SIZE),
    "empty lines": b"HTTP/1.1 200 OK\r\n" + b"\r\n" * (SIZE // 2),
    "colons": head_of(b":" * SIZE),
    "names without a colon": head_of(b"X" * SIZE),
    "short fields": head_of(*[b"a:"] * (SIZE // 4)),
    "short bad fields": head_of(*[b"a:"] * (SIZE // 4), b"b"),
    "bad first field": head_of(b"b ", *[b"a:"] * (SIZE // 4)),
    "folds": head_of(b"X-A: 1", *[b" 2"] * (SIZE // 4)),
    "nominations": head_of(b"Connection: " + b"a," * (SIZE // 4), *[b"b:"] * (SIZE // 8)),
    "distinct nominations": head_of(
        b"Connection: " + b",".join(b"%x" % n for n in range(SIZE // 8)), *(b"%x:" % n for n in range(SIZE // 8))
    ),
    "connection lines": head_of(*[b"Connection: a"] * (SIZE // 15)),
    "coding lines": head_of(*[b"Transfer-Encoding: chunked"] * (SIZE // 28)),
    "length lines": head_of(*[b"Content-Length: 1"] * (SIZE // 19)),
    "dates": head_of(*[b"Date:"] * (SIZE // 7)),
    "hop-by-hop fields": head_of(*[b"te:"] * (SIZE // 5)),
    "no end": head_of(*[b"a:"] * (SIZE // 4))[:-2],
    "an end that is none": head_of(*[b"a:"] * (SIZE // 4)) + b"\r\n",
    "NULs": b"\0" * SIZE,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("max_fields", [256, SIZE])
def test_hostile_heads_take_no_time(raw: bytes, max_fields: int) -> None:
    """A head of 64 KiB made to be slow to read takes time in proportion to its size, whatever the limit of fields is
    (S-28). Anything quadratic would take many times the bound."""
    before = time.process_time()
    try:
        read_head(raw, "GET", max_fields)
    except ProtocolError:
        pass
    assert time.process_time() - before < 0.5
