"""What the upstream is told of where a request comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from revproxy.errors import BadRequest, LoopDetected
from revproxy.facts import ClientAddress
from revproxy.forwarded import MAX_HOPS, ForwardedField, Introduction
from revproxy.trust import TrustedField, TrustedProxies, is_authority, parse_forwarded

ALL: tuple[ForwardedField, ...] = get_args(ForwardedField)


def introduction(*fields: ForwardedField, via: str | None = None) -> Introduction:
    return Introduction(fields, via=via)


def continued(
    *lines: tuple[str, str],
    fields: Sequence[ForwardedField] = ALL,
    peer: str | None = "10.0.0.1",
    host: str = "a.test",
    prefix: str = "",
    limit: int = 32,
    field: TrustedField = "X-Forwarded-For",
) -> list[str]:
    """The lines for a request that a trusted peer has introduced in these."""
    trusted = TrustedProxies("10.0.0.0/8", "unix", field=field, limit=limit)
    headers = CIMultiDictProxy(CIMultiDict(lines))
    claim = trusted.claim(ClientAddress.of_peer((peer, 1) if peer else ""), headers)
    assert claim is not None
    said = Introduction(fields, via=None, trusted=trusted)
    return said.continued(peer, host, "https", prefix, headers, claim.client).decode().split("\r\n")[:-1]


# Set anew.


def test_every_field() -> None:
    """F-36: each field says what is known, and all that were asked for are sent."""
    assert introduction(*ALL, via="edge")["192.0.2.1", "a.test:8443", "https", "/app"].decode() == (
        "X-Forwarded-For: 192.0.2.1\r\n"
        "X-Forwarded-Host: a.test:8443\r\n"
        "X-Forwarded-Proto: https\r\n"
        "X-Forwarded-Port: 8443\r\n"
        "X-Forwarded-Prefix: /app\r\n"
        'Forwarded: for=192.0.2.1;host="a.test:8443";proto=https\r\n'
        "Via: 1.1 edge\r\n"
    )


@pytest.mark.parametrize("field", ALL)
def test_one_field(field: ForwardedField) -> None:
    """F-36: a field that was not asked for is not sent."""
    lines = introduction(field)["192.0.2.1", "a.test", "http", "/app"].decode()
    assert lines.startswith(f"{field}: ")
    assert lines.count("\r\n") == 1


def test_no_field() -> None:
    """F-36, F-33: with none asked for, and no ``Via``, nothing is said."""
    assert introduction()["192.0.2.1", "a.test", "http", "/app"] == b""
    assert introduction(via="edge")["192.0.2.1", "a.test", "http", "/app"] == b"Via: 1.1 edge\r\n"


def test_order_of_fields() -> None:
    """F-36: in whatever order they are asked for, and however often, each stands once, in one order."""
    key = ("192.0.2.1", "a.test", "http", "/app")
    assert introduction(*reversed(ALL), *ALL)[key] == introduction(*ALL)[key]


@pytest.mark.parametrize(
    ("peer", "plain", "node"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1", '"[2001:db8::1]"'),
        ("fe80::1%eth0", "fe80::1", '"[fe80::1]"'),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_peers(peer: str, plain: str, node: str) -> None:
    """F-36, S-21: an IPv6 address is in brackets and quotes in ``Forwarded``, bare elsewhere; no zone is told; IPv4 in
    the guise of IPv6 is IPv4."""
    lines = introduction("X-Forwarded-For", "Forwarded")[peer, "", "http", ""].decode()
    assert lines == f"X-Forwarded-For: {plain}\r\nForwarded: for={node};proto=http\r\n"
    forwarded = lines.split("\r\n")[1].partition(": ")[2]
    assert parse_forwarded([forwarded]) == [{"for": node.strip('"'), "proto": "http"}]


def test_a_peer_without_an_address() -> None:
    """F-36: of a peer without an address ``Forwarded`` says ``unknown``, as RFC 7239 section 6.2 has it, and
    ``X-Forwarded-For`` nothing."""
    assert introduction(*ALL)[None, "", "https", ""] == (
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nForwarded: for=unknown;proto=https\r\n"
    )


@pytest.mark.parametrize(
    ("host", "scheme", "port"),
    [
        *(("a.test", "http", "80"), ("a.test", "https", "443"), ("a.test:81", "https", "81"), ("", "https", "443")),
        *(("[::1]", "http", "80"), ("[::1]:81", "http", "81"), ("a.test:", "http", "80"), ("a.test:0", "http", "0")),
    ],
)
def test_port(host: str, scheme: str, port: str) -> None:
    """F-36: the port is the one that the client asked for, or the one that goes without saying."""
    assert (
        introduction("X-Forwarded-Port")["192.0.2.1", host, scheme, ""] == b"X-Forwarded-Port: %b\r\n" % port.encode()
    )


@given(st.text(max_size=40), st.sampled_from([None, "192.0.2.1", "2001:db8::1"]))
def test_any_host(host: str, peer: str | None) -> None:
    """F-14, S-25, S-26: a host that is not one host is refused, and stands in no field; any other makes lines that are
    well-formed."""
    said = introduction(*ALL)
    if host and not is_authority(host):
        with pytest.raises(BadRequest) as caught:
            said[peer, host, "http", ""]
        assert host not in str(caught.value) or host in "the host is not one host with or without a port"
        assert len(said) == 0
    else:
        lines = said[peer, host, "http", ""]
        assert lines.count(b"\r\n") == lines.count(b"\n") == lines.count(b": ")
        value = lines.decode().split("Forwarded: ")[1].rstrip("\r\n")
        assert parse_forwarded([value]) is not None


def test_what_is_kept_is_bounded() -> None:
    """S-28, law 11: clients that make up hosts fill no memory; long hosts are not kept at all, but are told."""
    said = introduction("X-Forwarded-Host")
    for number in range(5000):
        assert said["192.0.2.1", f"a{number}.test", "http", ""] == b"X-Forwarded-Host: a%d.test\r\n" % number
    assert len(said) <= 1024
    long = "a" * 320
    before = len(said)
    assert said["192.0.2.1", long, "http", ""] == b"X-Forwarded-Host: %b\r\n" % long.encode()
    assert len(said) == before


def test_kept_apart() -> None:
    """F-36: what is kept of one request is never said of another that differs in anything."""
    said = introduction(*ALL)
    keys = [
        (peer, host, scheme, prefix)
        for peer in (None, "192.0.2.1", "192.0.2.2")
        for host in ("", "a.test", "A.test")
        for scheme in ("http", "https")
        for prefix in ("", "/app")
    ]
    first = [said[key] for key in keys]
    assert len(set(first)) == len(keys)
    assert [said[key] for key in keys] == first


# Continued.


def test_continued() -> None:
    """F-36: what a trusted proxy said of the client is kept, and the proxy itself is named after it; the fields that it
    does not write say who the client is, as far as that is known."""
    assert continued(
        ("X-Forwarded-For", "6.6.6.6, 192.0.2.1, 10.0.0.2"), ("X-Forwarded-Prefix", "/outer"), prefix="/inner"
    ) == [
        "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.2, 10.0.0.1",
        "X-Forwarded-Host: a.test",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Prefix: /outer/inner",
        'Forwarded: for=192.0.2.1;host="a.test";proto=https, for=10.0.0.1;host="a.test";proto=https',
    ]


def test_forwarded_continued() -> None:
    """F-36: ``Forwarded`` likewise, to the byte, whatever parameters stand in it."""
    said = 'for=6.6.6.6, for="[2001:db8::1]:7";by=_x;ext="a, \\"b", for=10.0.0.2'
    fields: list[ForwardedField] = ["X-Forwarded-For", "Forwarded"]
    assert continued(("Forwarded", said), fields=fields, field="Forwarded") == [
        "X-Forwarded-For: 2001:db8::1, 10.0.0.1",
        f'Forwarded: {said}, for=10.0.0.1;host="a.test";proto=https',
    ]


@pytest.mark.parametrize("field", get_args(TrustedField))
def test_the_other_field_is_not_continued(field: TrustedField) -> None:
    """S-21, S-22: what stands in the field that the trusted proxies do not write is the client's own, and no word of it
    goes on: neither where the client is known nor where it is not."""
    forged = ("Forwarded", "for=6.6.6.6") if field == "X-Forwarded-For" else ("X-Forwarded-For", "6.6.6.6")
    fields: list[ForwardedField] = ["X-Forwarded-For", "Forwarded"]
    known = ("X-Forwarded-For", "192.0.2.1") if field == "X-Forwarded-For" else ("Forwarded", "for=192.0.2.1")
    for lines in ([forged], [forged, known]):
        assert "6.6.6.6" not in "".join(continued(*lines, fields=fields, field=field))


@pytest.mark.parametrize("said", ["unknown", "_hidden", "6.6.6.6, garbage", "6.6.6.6" + ", 10.0.0.2" * 40])
def test_what_is_not_believed_is_not_continued(said: str) -> None:
    """S-21: where the client cannot be told, the trusted proxy itself is all that the upstream hears of."""
    assert continued(("X-Forwarded-For", said), fields=["X-Forwarded-For"]) == ["X-Forwarded-For: 10.0.0.1"]
    line = ", ".join(f"for={each.strip()}" for each in said.split(","))
    assert continued(("Forwarded", line), fields=["Forwarded"], field="Forwarded") == [
        'Forwarded: for=10.0.0.1;host="a.test";proto=https'
    ]


def test_continued_in_one_line() -> None:
    """F-36: several lines become one, empty elements are left out, order is kept."""
    lines = [("X-Forwarded-For", "192.0.2.1,, 10.0.0.2"), ("x-forwarded-for", ""), ("X-Forwarded-For", " 10.0.0.3 ,")]
    assert continued(*lines, fields=["X-Forwarded-For"]) == ["X-Forwarded-For: 192.0.2.1, 10.0.0.2, 10.0.0.3, 10.0.0.1"]
    lines = [("Forwarded", "for=192.0.2.1"), ("forwarded", "for=10.0.0.2")]
    assert continued(*lines, fields=["Forwarded"], field="Forwarded") == [
        'Forwarded: for=192.0.2.1, for=10.0.0.2, for=10.0.0.1;host="a.test";proto=https'
    ]


@pytest.mark.parametrize("peer", ["10.0.0.1", None])
def test_nothing_to_continue(peer: str | None) -> None:
    """F-36: a trusted proxy that said nothing is introduced itself, and one without an address as far as it can be:
    never as ``None``."""
    said = ["X-Forwarded-For: 10.0.0.1"] if peer else []
    assert continued(fields=["X-Forwarded-For"], peer=peer) == said
    node = peer or "unknown"
    assert continued(fields=["Forwarded"], peer=peer) == [f'Forwarded: for={node};host="a.test";proto=https']


def test_behind_a_unix_socket() -> None:
    """F-36: a trusted proxy on a Unix socket adds no address, and what it said is kept."""
    assert continued(("X-Forwarded-For", "192.0.2.1"), fields=["X-Forwarded-For"], peer=None) == [
        "X-Forwarded-For: 192.0.2.1"
    ]


def test_what_is_continued_is_bounded() -> None:
    """S-21, S-28: of ten thousand entries the last ones are passed on, as many as are looked at."""
    many = [("X-Forwarded-For", ", ".join(["192.0.2.1"] * 100))] * 100
    (line,) = continued(*many, fields=["X-Forwarded-For"], limit=3)
    assert line == "X-Forwarded-For: 192.0.2.1, 192.0.2.1, 192.0.2.1, 10.0.0.1"


@pytest.mark.parametrize("malformed", ["for", 'for="a', "for=a;for=b", 'for=a, "', "for=a b"])
def test_malformed_forwarded_is_not_continued(malformed: str) -> None:
    """S-21, S-26: nothing is appended to what is malformed: an open quote would swallow our own element."""
    assert continued(("Forwarded", malformed), fields=["Forwarded"], field="Forwarded") == [
        'Forwarded: for=10.0.0.1;host="a.test";proto=https'
    ]


@pytest.mark.parametrize(
    ("said", "prefix", "sent"),
    [
        ("/a", "", ["/a"]),
        ("/a/", "/b", ["/a/b"]),
        ("/", "/b", ["/b"]),
        ("/", "", []),
        ("", "/b", ["/b"]),
        ("a", "/b", ["/b"]),
        ("http://evil.test/", "/b", ["/b"]),
        ("/caf\u00e9", "/b", ["/b"]),
        ("/a\tb", "/b", ["/b"]),
        ("/x, /a", "/b", ["/a/b"]),
    ],
)
def test_prefix(said: str, prefix: str, sent: list[str]) -> None:
    """F-36, S-22: a prefix that a trusted proxy has stripped stands before our own; what is no path is dropped."""
    found = continued(("X-Forwarded-Prefix", said), fields=["X-Forwarded-Prefix"], prefix=prefix)
    assert found == [f"X-Forwarded-Prefix: {each}" for each in sent]


# Via, and loops.


def test_pseudonyms_are_made_up() -> None:
    """F-33, F-34: without a name, each proxy has one of its own, which tells nothing of the host that it runs on."""
    names = {Introduction().via for _ in range(100)}
    assert len(names) == 100
    assert all(name is not None and name.startswith("revproxy-") and len(name) == 17 for name in names)


@pytest.mark.parametrize("via", ["a b", "a,b", "a(b)", "a\r\nX: 1", "é", "a/b", " ", "a\n"])
def test_bad_pseudonyms(via: str) -> None:
    """F-33, S-26: a pseudonym that is no token is a ``ValueError`` that names it."""
    with pytest.raises(ValueError, match=r"^via: ") as caught:
        Introduction(via=via)
    assert repr(via) in str(caught.value)


@pytest.mark.parametrize("field", ["x-forwarded-for", "X-Real-IP", "Via", ""])
def test_bad_fields(field: Any) -> None:
    """A field that is none of the six is a ``ValueError`` that names it."""
    with pytest.raises(ValueError, match=r"^forwarded: ") as caught:
        Introduction([field])
    assert repr(field) in str(caught.value)


@pytest.mark.parametrize(
    "via",
    [
        ["1.1 edge"],
        ["1.0 edge"],
        ["HTTP/1.1 edge"],
        ["1.1 edge (nginx)"],
        ["1.1\tedge"],
        ["1.1   edge  "],
        ["1.1 a, 1.1 edge, 1.1 b"],
        ["1.1 a", "2 b (c), 1.1 edge (d, e)", "1.1 f"],
        ["1.1 a (x, y),1.1 edge"],
        [",, 1.1 edge"],
    ],
)
def test_loops(via: list[str]) -> None:
    """F-34: our own pseudonym, anywhere in any line of ``Via``, with whatever protocol and comment, is a loop."""
    with pytest.raises(LoopDetected):
        introduction(via="edge").check_hops(via)


@pytest.mark.parametrize(
    "via",
    [
        *([], [""], ["1.1 a"], ["1.1 edge2"], ["1.1 edge.test"], ["1.1 an-edge"], ["edge 1.1"], ["1.1 a (edge)"]),
        *(["1.1 a (b edge)"], ["edge/1 a"], ["edge"], ["1.1"], [" , ,"], ["1.1 a edge"], ["1.1 edge:80"]),
    ],
)
def test_no_loops(via: list[str]) -> None:
    """F-34: names that have ours in them, comments that do, and what is no entry of ``Via`` are no loop."""
    introduction(via="edge").check_hops(via)


def test_many_hops() -> None:
    """F-34: a request that came through more than 32 proxies goes in circles somewhere, whoever they are."""
    said = introduction(via="edge")
    hops = [f"1.1 p{number}" for number in range(MAX_HOPS)]
    said.check_hops([", ".join(hops)])
    said.check_hops(hops)
    for more in ([*hops, "1.1 q"], [", ".join([*hops, "1.1 q"])], ["1.1 q,"] * 10_000):
        with pytest.raises(LoopDetected):
            said.check_hops(more)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_via(via: list[str]) -> None:
    """F-34: no ``Via`` raises anything else."""
    said = introduction(via="never-heard-of")
    try:
        said.check_hops(via)
    except LoopDetected:
        assert ",".join(via).count(",") >= MAX_HOPS


def test_reserving() -> None:
    """S-24: with more reserved names it is the same otherwise; what cannot be reserved is a mistake."""
    before = Introduction(["Forwarded"], via="edge", trusted=TrustedProxies("10.0.0.0/8"), reserved=["X-User"])
    after = before.reserving({"X-Groups"})
    assert (after.fields, after.via, after.trusted) == (before.fields, before.via, before.trusted)
    for names in (after.names, after.trusted_names):
        assert [names[name] for name in (b"x-user", b"X-GROUPS", b"X-Other")] == [None, None, b"X-Other: "]
    assert before.names[b"X-Groups"] == b"X-Groups: "
    assert before.reserving({"x-user"}) is before.reserving(()) is before
    assert Introduction(via="").reserving({"X-A"}).via is not None
    assert Introduction(via=None).reserving({"X-A"}).via is None
    with pytest.raises(ValueError, match="reserved must be names"):
        before.reserving({"Host"})


def test_introduction_repr() -> None:
    """The ``repr`` says what is told, and by which name."""
    assert repr(introduction("Forwarded", via="edge")) == "Introduction(Forwarded, via='edge', trusted=None)"
