"""Header fields: which end here, which the proxy adds, and that a head says what it was given and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.forwarded import Introduction
from revproxy.headers import (
    REQUEST_FIELDS,
    RESPONSE_DROPPED,
    RequestFields,
    decode_fields,
    encode_fields,
    has_control,
    is_token,
    nominated,
)
from revproxy.testing.exchange import exchange

HOP_BY_HOP = [
    *("Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization"),
    *("Proxy-Authentication-Info", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "ALPN", "Close"),
]


# Which end here.


@pytest.mark.parametrize("name", HOP_BY_HOP)
@pytest.mark.parametrize("spelt", [str.title, str.lower, str.upper])
def test_hop_by_hop(name: str, spelt: Callable[[str], str]) -> None:
    """F-22: hop-by-hop fields end here, in both directions and in any case."""
    assert REQUEST_FIELDS[spelt(name).encode()] is None
    assert name.lower() in RESPONSE_DROPPED


@pytest.mark.parametrize(
    "name",
    [
        *("Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST", "X-Forwarded-Port", "Proxy"),
        *("X-Forwarded-Prefix", "X-Forwarded-Server", "X-Real-IP", "Expect", "Host"),
    ],
)
def test_ends_here_in_requests_only(name: str) -> None:
    """F-13, F-36, S-22, S-29: what a client says of its own origin, Host, and Proxy (httpoxy) are not passed on."""
    assert REQUEST_FIELDS[name.encode()] is None
    assert name.lower() not in RESPONSE_DROPPED


def test_alt_svc_ends_here_in_responses() -> None:
    """F-22: Alt-Svc speaks of a listener that the client does not talk to."""
    assert "alt-svc" in RESPONSE_DROPPED
    assert REQUEST_FIELDS[b"Alt-Svc"] == b"Alt-Svc: "


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Cookie", "Set-Cookie", "Content-Length", "Via", "X-B", "x-b", "connectionX", "te2"],
)
def test_passes(name: str) -> None:
    """F-25, F-26: everything else passes, its name byte for byte as it was written."""
    raw = name.encode("latin-1")
    assert REQUEST_FIELDS[raw] == raw + b": "


def test_table_is_bounded() -> None:
    """Law 11: names without end neither fill the memory nor are judged in another way."""
    table = RequestFields()
    passed, dropped = table[b"x-a"], table[b"connection"]
    assert passed != dropped
    table.clear()
    assert table[b"x" * 65] == (passed and b"x" * 65 + b": ")
    assert len(table) == 0
    for number in range(10_000):
        assert table[b"x-%d" % number] == (passed and b"x-%d: " % number)
    assert len(table) == 4096
    for spelt in (b"connection", b"cONNECTION", b"ConnectioN"):
        assert table[spelt] == dropped


@pytest.mark.parametrize(
    ("connection", "names"),
    [
        ([], set()),
        (["close"], set()),
        (["X-A"], {"x-a"}),
        (["x-a, X-B"], {"x-a", "x-b"}),
        (["close", "X-B"], {"x-b"}),
        ([" ,, X-B\t,", "", ","], {"x-b"}),
        (["X-A;x"], {"x-a;x"}),
    ],
)
def test_nominated(connection: list[str], names: set[str]) -> None:
    """F-20: every line and element of Connection counts, empty ones are tolerated, case makes no difference."""
    assert nominated(connection) == names


def test_nominated_fields_end_here() -> None:
    """F-20: all lines of a nominated field are gone from the draft, and no others."""
    fields = [
        ("X-A", "1"),
        ("Connection", "x-A , close"),
        ("X-AB", "2"),
        ("x-a", "3"),
        ("Connection", "X-C"),
        ("X-C", ""),
    ]
    draft = exchange(headers=fields).request.headers
    assert [name for name in draft if not name.startswith("X-Forwarded")] == ["X-AB"]


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "Content-Length", "Content-Type", "Authorization", "Cookie", "Set-Cookie", "Via", "Forwarded"),
        *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Client-Cert"),
        "X-Real-IP",
    ],
)
def test_nomination_cannot_delete(name: str) -> None:
    """F-21, S-20, S-32: what a back end relies on, X-Forwarded-* of any kind too, cannot be nominated away."""
    for spelt in (name, name.lower(), name.upper()):
        assert nominated([f"close, {spelt}, x-other"]) == {"close", "x-other"}


# Which the proxy adds.


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:1", "::ffff:1"),
    ],
)
def test_forwarded(peer: str, address: str) -> None:
    """F-36, S-21: what is known of the client, without zone, and IPv4 as IPv4."""
    assert Introduction(via=None)[peer, "a.test:8080", "https", ""] == (
        f"X-Forwarded-For: {address}\r\nX-Forwarded-Host: a.test:8080\r\nX-Forwarded-Proto: https\r\n".encode()
    )


def test_forwarded_of_a_unix_socket() -> None:
    """F-36: who has no address is given none; without a Host no X-Forwarded-Host is made up."""
    assert Introduction(via=None)[None, "", "http", ""] == b"X-Forwarded-Proto: http\r\n"


def test_forwarded_replaces() -> None:
    """F-36, S-22: of what a client claims of its origin, in however many lines, nothing is left in the draft."""
    claims = [("x-forwarded-for", "10.0.0.1"), ("X-Forwarded-For", "evil"), ("Forwarded", "for=a"), ("X-Real-IP", "b")]
    draft = exchange(headers=[*claims, ("X-Forwarded-Proto", "https")], client="203.0.113.9").request.headers
    assert list(draft.items()) == [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Host", "example.test"),
        ("X-Forwarded-Proto", "http"),
    ]


def test_inbound_is_never_touched() -> None:
    """F-37: what filters do to the draft leaves what the client sent as it was."""
    subject = exchange(headers=[("X-A", "1"), ("Connection", "X-A"), ("X-Forwarded-For", "10.0.0.1")])
    before = list(subject.inbound.headers.items())
    subject.request.headers.clear()
    subject.request.headers.add("X-A", "2")
    assert list(subject.inbound.headers.items()) == before
    assert ("X-Forwarded-For", "10.0.0.1") in before


# How a head is written.


def test_order_case_and_repetition() -> None:
    """F-24, F-25, F-27: lines stay in order, apart and as they were spelt; an empty value is one."""
    headers = CIMultiDict([("X-B", "1"), ("Set-Cookie", "a=1"), ("x-b", "2"), ("X-Empty", ""), ("set-cookie", "b=2")])
    assert encode_fields(headers) == b"X-B: 1\r\nSet-Cookie: a=1\r\nx-b: 2\r\nX-Empty: \r\nset-cookie: b=2\r\n"


def test_nothing_is_added() -> None:
    """F-29, F-30: there are the lines that were asked for."""
    assert encode_fields(CIMultiDict()) == b""


@given(st.binary().filter(lambda raw: not re.search(rb"[\0-\x08\x0a-\x1f\x7f]", raw)))
@example(b"caf\xe9")
@example(b"\xff\xfe\x80 \xc3\xa9\t\xed\xa0\x80")
def test_bytes_survive(raw: bytes) -> None:
    """F-26: every byte from 0x80 up, UTF-8 or not, leaves as it came."""
    value = raw.decode("utf-8", "surrogateescape")
    lines = encode_fields(CIMultiDict({"X-A": value}))
    assert lines == b"X-A: " + raw + b"\r\n"
    assert decode_fields(lines)["X-A"].strip(" \t") == value.strip(" \t")


NASTY = st.one_of(
    st.text(max_size=8),
    st.text(st.sampled_from("ab:- \t\r\n\0\x0b\x7f\udcff\ud800é"), max_size=8),
    st.sampled_from(["X-A", "Content-Length", "a\r\nb: c", "a\nb", "a\rb", "\r\n", ": ", "a\r\n\r\nGET / HTTP/1.1"]),
)


@given(st.lists(st.tuples(NASTY, NASTY), max_size=5))
@example([("a", "b\r\n")])
@example([("a\r\nb: c", "")])
@example([("", "")])
@example([("a:b", "c")])
@example([("a ", "c")])
@example([("a", "b\n"), ("c\r", "d")])
def test_no_unexpected_line(fields: list[tuple[str, str]]) -> None:
    """F-28, S-26: fields are refused, or have exactly the lines that were asked for, whatever names and values hold."""
    headers = CIMultiDict(fields)
    try:
        raw = encode_fields(headers)
    except ValueError:
        refused = True
    else:
        refused = False
        expected = [*(f"{name}: {value}" for name, value in fields), ""]
        assert raw.split(b"\r\n") == [line.encode("utf-8", "surrogateescape") for line in expected]
        assert not re.search(rb"[\0-\x08\x0a-\x1f\x7f]", raw.replace(b"\r\n", b""))
        assert all(re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name) for name in headers)
    assert refused == (any(unfit(value) for _, value in fields) or not all(is_token(name) for name, _ in fields))


WORDS = st.sampled_from(["X-A", "x-a", "X-B", "Set-Cookie", "a"])
TEXTS = st.text(st.sampled_from("ab:, \t\udcffé"), max_size=6)


@given(st.lists(st.tuples(WORDS, TEXTS.map(lambda text: text.strip(" \t"))), max_size=6))
def test_decoding_undoes_encoding(fields: list[tuple[str, str]]) -> None:
    """F-24 to F-27: fields that nobody asked for and fields that somebody did leave alike."""
    headers = CIMultiDict(fields)
    again = decode_fields(encode_fields(headers))
    assert list(again.items()) == fields


def unfit(text: str) -> bool:
    """Whether ``text`` has a control character, or a surrogate that stands for no byte."""
    return re.search("[\0-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]", text) is not None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"X-A": "1\r\nX-B: 2"}, "X-A"),
        ({"X-A": "1\0"}, "X-A"),
        ({"X-A": "1\x7f"}, "X-A"),
        ({"X A": "1"}, "'X A' is not a field name"),
        ({"X-A:": "1"}, "'X-A:' is not a field name"),
        ({"": "1"}, "'' is not a field name"),
        ({"X-É": "1"}, "'X-É' is not a field name"),
    ],
)
def test_refusal_names_the_field(fields: dict[str, str], named: str) -> None:
    """F-28: the error says which field it is about."""
    with pytest.raises(ValueError, match=named):
        encode_fields(CIMultiDict(fields))


def test_a_name_is_judged_each_time() -> None:
    """A name that was fine once does not vouch for one that only looks like it."""
    encode_fields(CIMultiDict({"X-Fine": "1"}))
    encode_fields(CIMultiDict({"X-Fine": "1"}))
    for name in ("X-Fine ", "X-Fine\r\n", "X-Fine:"):
        with pytest.raises(ValueError, match="X-Fine"):
            encode_fields(CIMultiDict({name: "1"}))


@given(st.text(max_size=5))
def test_tokens(text: str) -> None:
    """RFC 9110 section 5.6.2: a token is letters, digits and fifteen marks, all of them ASCII, at least one."""
    assert is_token(text) == (text != "" and set(text) <= set("!#$%&'*+-.^_`|~" + ASCII_WORD))


ASCII_WORD = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(st.binary(max_size=5))
def test_controls(raw: bytes) -> None:
    """A control character is one of ASCII, but for the tab."""
    assert has_control(raw) == any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in raw)
