"""Requests and responses: what the client sent is only read, what goes out has one framing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.body import Body
from revproxy.headers import decode_fields, encode_fields
from revproxy.message import Inbound, Request, Response, request_of_lines, response_of_lines
from revproxy.testing.exchange import exchange

# What the client sent.


def test_inbound_is_read_only() -> None:
    """Law 2: fields, query and cookies of what the client sent cannot be edited."""
    inbound = exchange(target="/?a=1", headers={"Cookie": "a=1"}).inbound
    for mapping in (inbound.headers, inbound.query, inbound.cookies):
        for edit in ("add", "popall", "__setitem__", "clear"):
            assert not hasattr(mapping, edit)
    for name in ("query", "cookies", "client", "tls"):
        with pytest.raises(AttributeError):
            setattr(inbound, name, None)


def test_computed_once() -> None:
    """What costs something is computed when it is first asked for, and once."""
    inbound = exchange(target="/?a=1", headers={"Cookie": "a=1"}).inbound
    assert inbound.query is inbound.query
    assert inbound.cookies is inbound.cookies
    assert inbound.client is inbound.client


@pytest.mark.parametrize(
    ("target", "pairs"),
    [
        ("/", []),
        ("/?", []),
        ("/?a", [("a", "")]),
        ("/?a=", [("a", "")]),
        ("/?a=1&a=2&A=3", [("a", "1"), ("a", "2"), ("A", "3")]),
        ("/?a=1;b=2", [("a", "1;b=2")]),
        ("/?a+b=%2B%20c", [("a b", "+ c")]),
        ("/?a=b=c?d", [("a", "b=c?d")]),
        ("/?&&a=1&", [("a", "1")]),
        ("/?=x", [("", "x")]),
        ("/?%zz=%", [("%zz", "%")]),
        ("/?%C3%A9=é", [("é", "é")]),
        ("/?%ff=\udcff", [("\udcff", "\udcff")]),
        ("/?a=%00%0d%0a", [("a", "\0\r\n")]),
    ],
)
def test_query(target: str, pairs: list[tuple[str, str]]) -> None:
    """F-07: the query as form data, in order, with duplicates, valueless keys and whatever cannot be decoded."""
    assert list(exchange(target=target).inbound.query.items()) == pairs


@pytest.mark.parametrize(
    ("lines", "pairs"),
    [
        ([], []),
        ([""], []),
        (["a=1; b=2; a=3"], [("a", "1"), ("b", "2"), ("a", "3")]),
        (["a=1", "b=2"], [("a", "1"), ("b", "2")]),
        (["a=1;b=2;;  ; c = 3"], [("a", "1"), ("b", "2"), ("c", "3")]),
        (['a="1"; b="; c="x'], [("a", "1"), ("b", '"'), ("c", '"x')]),
        (["a=b=c; d"], [("a", "b=c")]),
        (["a=%20; b=é; c="], [("a", "%20"), ("b", "é"), ("c", "")]),
    ],
)
def test_cookies(lines: list[str], pairs: list[tuple[str, str]]) -> None:
    """RFC 6265 section 4.2: cookies of all lines in order, duplicates included, not decoded, without quotes."""
    inbound = exchange(headers=[("Cookie", line) for line in lines]).inbound
    assert list(inbound.cookies.items()) == pairs


def test_tls() -> None:
    """The TLS object of the connection, where there is one to ask."""
    asked: list[str] = []

    def extra(name: str) -> object:
        asked.append(name)
        return "tls"

    plain = exchange().inbound
    assert plain.tls is None
    secure = Inbound("GET", "/", plain.headers, path="/", extra=extra)
    assert (secure.tls, asked) == ("tls", ["ssl_object"])


# What goes out.

FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["X-A", "x-a", "Set-Cookie", "Date", "Content-Type", "Host"]),
        st.text(st.sampled_from("ab: ,\udcffé"), max_size=4).map(lambda text: text.strip(" ")),
    ),
    max_size=5,
)
LENGTHS = st.one_of(st.none(), st.integers(0, 2**40))
FRAMING = st.lists(
    st.tuples(
        st.sampled_from(["Content-Length", "content-length", "Transfer-Encoding", "transfer-encoding"]),
        st.sampled_from(["0", "5", "5, 5", "+5", "chunked", "gzip, chunked", "xchunked", ""]),
    ),
    max_size=3,
)


def named(lines: bytes, name: str) -> list[str]:
    return decode_fields(lines).getall(name, [])


@given(FIELDS, LENGTHS, LENGTHS, st.booleans(), st.integers(0, 5))
@example([("X-A", "1")], 5, 5, False, 0)
@example([("X-A", "1")], 5, None, False, 0)
@example([("X-A", "1")], None, 5, False, 1)
def test_framing_is_recomputed(
    fields: list[tuple[str, str]], declared: int | None, length: int | None, looked_at: bool, place: int
) -> None:
    """F-46, S-14: whatever length came in, the one that goes out is the body's; the other fields stay as they are.

    It makes no difference whether somebody has looked at the fields.
    """
    came = list(fields)
    if declared is not None:
        came.insert(place, ("Content-Length", str(declared)))
    lines = encode_fields(CIMultiDict(came))
    for message in (
        request_of_lines("GET", "/", lines, declared),
        response_of_lines(200, "OK", lines, declared, False),
    ):
        if looked_at:
            assert list(message.headers.items()) == came
        out = message.field_lines(length)
        assert named(out, "Content-Length") == ([] if length is None else [str(length)])
        assert [field for field in decode_fields(out).items() if field[0].lower() != "content-length"] == fields


@given(FIELDS, FRAMING, LENGTHS)
def test_filters_cannot_break_the_framing(
    fields: list[tuple[str, str]], framing: list[tuple[str, str]], length: int | None
) -> None:
    """F-46, S-14: whatever a filter sets of the framing, a message goes out with one length or none."""
    for message in (Request("GET", "/", CIMultiDict(fields)), Response(200, CIMultiDict(fields))):
        for name, value in framing:
            message.headers.add(name, value)
        out = message.field_lines(length)
        assert named(out, "Transfer-Encoding") == []
        assert named(out, "Content-Length") == ([] if length is None else [str(length)])
        assert [field for field in decode_fields(out).items() if field[0].lower() != "content-length"] == fields


MESSAGES: list[Callable[[bytes, int | None], Request | Response]] = [
    lambda lines, declared: request_of_lines("GET", "/", lines, declared),
    lambda lines, declared: response_of_lines(200, "OK", lines, declared, True),
]


@pytest.mark.parametrize("make", MESSAGES)
def test_untouched_fields_leave_byte_for_byte(make: Callable[[bytes, int | None], Request | Response]) -> None:
    """F-24 to F-27: what nobody looked at is not rewritten, white space and all."""
    lines = b"X-B:1\r\nx-b:  2 \r\nContent-Length: 5\r\nX-Caf\xe9:\xff\r\n"
    assert make(lines, 5).field_lines(5) == lines


@pytest.mark.parametrize("make", MESSAGES)
def test_edits_count(make: Callable[[bytes, int | None], Request | Response]) -> None:
    """Edits in place, new fields and replaced ones all go out."""
    message = make(b"X-A: 1\r\nX-B: 2\r\n", None)
    message.headers["X-A"] = "3"
    message.headers.add("X-A", "4")
    assert message.field_lines(None) == b"X-A: 3\r\nX-B: 2\r\nX-A: 4\r\n"
    message.headers = CIMultiDict({"X-C": "5"})
    assert message.field_lines(0) == b"X-C: 5\r\nContent-Length: 0\r\n"


@pytest.mark.parametrize("make", MESSAGES)
@pytest.mark.parametrize(("name", "value"), [("X-A", "1\r\nX-B: 2"), ("X\r\nB", "1"), ("X-A", "\0"), ("", "1")])
def test_bad_fields_never_go_out(
    make: Callable[[bytes, int | None], Request | Response], name: str, value: str
) -> None:
    """F-28, S-26: a field that a filter should not have set is an error, not a line."""
    message = make(b"X-A: 1\r\n", None)
    message.headers[name] = value
    with pytest.raises(ValueError, match=r"X|field name"):
        message.field_lines(None)


def test_names_host() -> None:
    """F-13: whether a filter has set Host, in whatever case; looking at the fields is not setting it."""
    untouched = request_of_lines("GET", "/", b"X-A: 1\r\n", None)
    looked_at = request_of_lines("GET", "/", b"X-A: 1\r\n", None)
    assert "Host" not in looked_at.headers
    set_later = request_of_lines("GET", "/", b"X-A: 1\r\n", None)
    set_later.headers["hOST"] = "a.test"
    made_with = Request("GET", "/", CIMultiDict({"Host": "a.test"}))
    assert [each.names_host for each in (untouched, looked_at, set_later, made_with)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("value", "declared"),
    [("5", 5), ("0", 0), ("", None), ("+5", None), ("5, 5", None), ("-1", None), ("\u0665", None)],
)
def test_declared(value: str, declared: int | None) -> None:
    """F-53: the length that a response speaks of, where it is one."""
    assert Response(200, CIMultiDict({"content-length": value})).declared == declared
    assert Response(200).declared is None
    assert response_of_lines(200, "", b"Content-Length: 7\r\n", 7, False).declared == 7


def test_dated() -> None:
    """F-31: whether there is a Date, before and after somebody has looked at the fields."""
    for lines in (b"Date: x\r\n", b"X-A: 1\r\n"):
        response = response_of_lines(200, "", lines, None, lines.startswith(b"Date"))
        before = response.dated
        assert list(response.headers) == (["Date"] if before else ["X-A"])
        assert response.dated == before
    assert not Response(200).dated
    assert Response(200, CIMultiDict({"date": "x"})).dated


def test_messages_share_nothing() -> None:
    """Each message without fields has its own."""
    assert Response(200).headers is not Response(200).headers
    assert Request("GET", "/").headers is not Request("GET", "/").headers


@pytest.mark.parametrize("looked_at", [False, True])
def test_a_copy(looked_at: bool) -> None:
    """It has the same method, target and fields, to the byte, and another body; what is edited in one is not in the
    other. To copy what nobody has looked at decodes nothing."""
    request = exchange("GET", "/a?b", headers=[("X-A", "1"), ("x-a", "caf\udce9")], upgrade="websocket").request
    if looked_at:
        request.headers["X-B"] = "2"
        request.target = "/edited"
    request.moves = (("/app", ""), None)
    lines, body = request.lines, Body(b"other")
    copied = request.copy(body)
    assert (copied.method, copied.target, copied.upgrade) == (request.method, request.target, "websocket")
    assert copied.came_target == request.came_target
    assert copied.moves == request.moves
    assert copied.body is body
    assert (copied.lines, request.lines) == (lines, lines)
    assert copied.field_lines(5) == request.field_lines(5)
    copied.headers["X-A"] = "3"
    assert request.headers.getall("X-A") == ["1", "caf\udce9"]


def test_printed() -> None:
    """Messages show what they are, fields that nobody had looked at included."""
    assert repr(exchange("POST", "/a?\x80", client=None).inbound) == "<Inbound POST '/a?\\x80' from ->"
    assert repr(Response(204, CIMultiDict({"X-A": "1"}))) == (
        "Response(204, <CIMultiDict('X-A': '1')>, <Body of 0 bytes>, reason=None)"
    )
    request = request_of_lines("GET", "/", b"X-A: 1\r\n", None)
    request.body = Body(b"abc")
    assert repr(request) == "Request('GET', '/', <CIMultiDict('X-A': '1')>, <Body of 3 bytes>)"
