"""Whose word about the client counts, and what is made of it."""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from revproxy.facts import ClientAddress
from revproxy.networks import parse_address
from revproxy.trust import Claim, TrustedField, TrustedProxies, entries, is_authority, parse_forwarded

NEAR = ClientAddress(ip_address("10.0.0.1"), 5000)
FOR: TrustedField = "X-Forwarded-For"


def headers(*lines: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(lines))


def claim(*lines: tuple[str, str], limit: int = 32, field: TrustedField = FOR, peer: ClientAddress = NEAR) -> Claim:
    """What is believed of a request with these fields, behind proxies in 10.0.0.0/8 and 2001:db8:a::/48."""
    trusted = TrustedProxies("10.0.0.0/8", "2001:db8:a::/48", field=field, limit=limit)
    found = trusted.claim(peer, headers(*lines))
    assert found is not None
    return found


def client(*lines: str, limit: int = 32, field: TrustedField = FOR) -> str:
    return str(claim(*((field, line) for line in lines), limit=limit, field=field).client)


# Whose word.


@pytest.mark.parametrize(
    ("networks", "peer", "trusted"),
    [
        (["10.0.0.0/8"], ("10.255.0.1", 1), True),
        (["10.0.0.0/8"], ("11.0.0.0", 1), False),
        (["10.0.0.0/8"], ("::ffff:10.0.0.1", 1, 0, 0), True),
        (["::ffff:10.0.0.0/104"], ("10.0.0.1", 1), True),
        (["10.0.0.1", "::1"], ("::1", 1, 0, 0), True),
        (["fe80::/10"], ("fe80::1%eth0", 1, 0, 2), True),
        ([ip_network("10.0.0.0/8"), ip_network("::1/128")], ("10.0.0.1", 1), True),
        (["0.0.0.0/0", "::/0"], "", False),
        (["0.0.0.0/0", "::/0"], None, False),
        (["unix"], "", True),
        (["unix"], b"\0name", True),
        (["unix"], None, False),
        (["unix"], (), False),
        (["unix"], ("a.test", 1), False),
        (["unix"], (2, 1024), False),
        (["unix"], ("127.0.0.1", 1), False),
        (["unix", "127.0.0.1"], ("127.0.0.1", 1), True),
    ],
)
def test_trusts(networks: list[Any], peer: object, trusted: bool) -> None:
    """S-21: exactly the peers in the networks are trusted; those on Unix sockets if ``"unix"`` is among them, but not
    those of whom nobody knows where they are."""
    proxies = TrustedProxies(*networks)
    address = ClientAddress.of_peer(peer)
    assert proxies.trusts(address) is trusted
    said = proxies.claim(address, headers(("X-Forwarded-For", "192.0.2.1")))
    assert said == (Claim(ClientAddress(ip_address("192.0.2.1"), None, "x-forwarded-for")) if trusted else None)


@pytest.mark.parametrize(
    ("networks", "options", "said"),
    [
        ([], {}, "networks: at least one is needed"),
        (["10.0.0.1/8"], {}, "networks: 10.0.0.1/8 has host bits set"),
        (["a.test"], {}, "networks: 'a.test'"),
        (["UNIX"], {}, "networks: 'UNIX'"),
        (["10.0.0.1"], {"field": "X-Real-IP"}, "field must be one of 'X-Forwarded-For', 'Forwarded', got 'X-Real-IP'"),
        (["10.0.0.1"], {"field": "forwarded"}, "field must be one of 'X-Forwarded-For', 'Forwarded', got 'forwarded'"),
        (["10.0.0.1"], {"limit": 0}, "limit must be at least 1, got 0"),
    ],
)
def test_bad_arguments(networks: list[str], options: dict[str, Any], said: str) -> None:
    """A mistake is a ``ValueError`` that names the parameter and its value."""
    with pytest.raises(ValueError, match=r"^(networks: |field must|limit must)") as caught:
        TrustedProxies(*networks, **options)
    assert str(caught.value).startswith(said)


def test_trusted_repr() -> None:
    """The ``repr`` says whose word about what counts."""
    assert repr(TrustedProxies("unix", "10.0.0.0/8")) == "TrustedProxies(unix, 10.0.0.0/8, field='X-Forwarded-For')"


# X-Forwarded-For.


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 10.0.0.2, 10.0.0.3"], "192.0.2.1"),
        (["6.6.6.6,192.0.2.1", "10.0.0.2", "10.0.0.3"], "192.0.2.1"),
        (["10.9.9.9, 10.0.0.2"], "10.9.9.9"),
        (["10.0.0.2"], "10.0.0.2"),
        (["192.0.2.1:5000, [2001:db8:a::7]:80, ::ffff:10.0.0.2"], "192.0.2.1"),
        (["[2001:db8::1%eth0]:80"], "2001:db8::1"),
        ([" ,, 192.0.2.1 ,\t, 10.0.0.2,,"], "192.0.2.1"),
        (["garbage, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (["unknown, 192.0.2.1"], "192.0.2.1"),
    ],
)
def test_walk(lines: list[str], found: str) -> None:
    """S-21, F-36: read from the right over all lines, the first address that is not a trusted proxy's is the client's;
    what is left of it counts for nothing; if all are trusted, the leftmost one is."""
    assert client(*lines) == found


@pytest.mark.parametrize("bad", ["unknown", "_hidden", "a.test", '"192.0.2.1"', "192.0.2.1 10.0.0.2", "-", "10.0.0.2;"])
@pytest.mark.parametrize("form", ["{}", "6.6.6.6, {}", "6.6.6.6, {}, 10.0.0.2"])
def test_what_hides_the_client(bad: str, form: str) -> None:
    """S-21: where an entry on the way is no address, nothing left of it is believed: the client is the peer."""
    found = claim(("X-Forwarded-For", form.format(bad)))
    assert found.client == NEAR


@pytest.mark.parametrize("lines", [[], [""], [" , ,"], ["", ""]])
def test_nothing_said(lines: list[str]) -> None:
    """S-21: a trusted proxy that says nothing of the client is the client."""
    assert claim(*(("X-Forwarded-For", line) for line in lines)).client == NEAR


def test_limit() -> None:
    """S-21: the client is found within ``limit`` entries, or not at all; what is beyond it costs nothing."""
    assert client("192.0.2.1" + ", 10.0.0.2" * 4, limit=5) == "192.0.2.1"
    assert client("192.0.2.1" + ", 10.0.0.2" * 5, limit=5) == "10.0.0.1"
    assert client("10.0.0.9" + ", 10.0.0.2" * 4, limit=5) == "10.0.0.9"
    assert client("10.0.0.9" + ", 10.0.0.2" * 5, limit=5) == "10.0.0.1"
    assert client("6.6.6.6, " * 10_000 + "192.0.2.1, 10.0.0.2", limit=2) == "192.0.2.1"
    assert client(*["6.6.6.6"] * 10_000, "192.0.2.1", limit=1) == "192.0.2.1"


def test_a_list_of_commas() -> None:
    """S-21: a list that is mostly commas is not searched for ever: what lies behind them is not believed."""
    assert client("192.0.2.1" + "," * 100_000) == "10.0.0.1"
    assert client("," * 100_000 + "192.0.2.1") == "192.0.2.1"


POOL = st.sampled_from(
    [
        *("10.0.0.2", "10.0.0.3:80", "2001:db8:a::2", "[2001:db8:a::3]:80", "::ffff:10.0.0.4"),
        *("192.0.2.1", "192.0.2.2:80", "2001:db8::1", "[2001:db8::2]", "unknown", "_x", "garbage", "", " ", "1.2.3"),
    ]
)


@given(st.lists(st.lists(POOL, max_size=5), max_size=5), st.integers(1, 8), st.sampled_from([",", ", ", " ,\t"]))
def test_walk_as_written_down(lines: list[list[str]], limit: int, comma: str) -> None:
    """S-21: the walk over any lines finds what a plain reading of the rule finds."""
    written = [comma.join(line) for line in lines]
    assume(",".join(written).count(",") <= 4 * limit)
    trusted = ["10.0.0.2", "10.0.0.3:80", "2001:db8:a::2", "[2001:db8:a::3]:80", "::ffff:10.0.0.4"]
    said = [entry for line in lines for entry in line if entry.strip()]
    expected = "10.0.0.1"
    for steps, entry in enumerate(reversed(said), 1):
        address = parse_address(entry)
        if steps > limit or address is None:
            expected = "10.0.0.1"
            break
        expected = str(address[0])
        if entry not in trusted:
            break
    assert client(*written, limit=limit) == expected


@given(st.lists(st.text(), max_size=4), st.sampled_from(["X-Forwarded-For", "Forwarded"]))
def test_any_value(lines: list[str], field: TrustedField) -> None:
    """S-21: whatever the field says, a claim is made, whose client has an address."""
    assert claim(*((field, line) for line in lines), field=field).client.ip is not None


@given(st.lists(st.text(alphabet=", \ta1"), max_size=5), st.integers(1, 5))
def test_entries(lines: list[str], limit: int) -> None:
    """RFC 9110 section 5.6.1: the elements of a list, from the right, empty ones left out, one more than ``limit``."""
    assume(",".join(lines).count(",") <= 4 * limit)
    plain = [entry.strip(" \t") for entry in ",".join(lines).split(",") if entry.strip(" \t")]
    assert entries(lines, limit) == plain[-limit - 1 :]


# X-Forwarded-Proto and -Host.


@pytest.mark.parametrize(
    ("steps", "protos", "scheme"),
    [
        (1, ["https"], "https"),
        (1, ["HTTPS"], "https"),
        (1, ["http, https"], "https"),
        (1, ["http", "https"], "https"),
        (2, ["https"], "https"),
        (2, ["https, http"], "http"),
        (2, ["http, http, https"], "https"),
        (1, [], None),
        (1, [""], None),
        (1, ["ftp"], None),
        (1, ["https ftp"], None),
        (1, ["https\x85"], None),
        (1, ["http\u017f"], None),
    ],
)
def test_scheme(steps: int, protos: list[str], scheme: str | None) -> None:
    """F-36, S-22: the scheme is the last one, which only the nearest proxy can have said or let stand. What is neither
    http nor https is none."""
    lines = [("X-Forwarded-Proto", proto) for proto in protos]
    for_ = "192.0.2.1" + ", 10.0.0.2" * (steps - 1)
    assert claim(("X-Forwarded-For", for_), *lines).scheme == scheme


@pytest.mark.parametrize(
    ("steps", "hosts", "host"),
    [
        (1, ["a.test"], "a.test"),
        (1, ["[::1]:8080"], "[::1]:8080"),
        (1, ["evil.test, a.test:81"], "a.test:81"),
        (2, ["evil.test", "a.test, b.test"], "b.test"),
        (2, ["a.test"], "a.test"),
        (1, [], None),
        (1, ["a.test, u@b.test"], None),
        (1, ["a b"], None),
        (1, ["a/../b"], None),
        (1, ['a"b'], None),
        (1, ["a" * 321], None),
    ],
)
def test_host(steps: int, hosts: list[str], host: str | None) -> None:
    """F-36, S-25: the host likewise; what is not one host is not believed."""
    lines = [("X-Forwarded-Host", each) for each in hosts]
    for_ = "192.0.2.1" + ", 10.0.0.2" * (steps - 1)
    assert claim(("X-Forwarded-For", for_), *lines).host == host


def test_without_a_client() -> None:
    """F-36: a trusted proxy that says the scheme and the host, but no address, is believed that much: the nearest."""
    lines = [("X-Forwarded-Proto", "http, https"), ("X-Forwarded-Host", "evil.test, a.test")]
    assert claim(*lines) == Claim(NEAR, "https", "a.test")
    assert claim(("X-Forwarded-For", "unknown"), *lines) == Claim(NEAR, "https", "a.test")


def test_the_other_field_is_not_believed() -> None:
    """S-21: of ``X-Forwarded-*`` and ``Forwarded`` only the one counts that the proxies are said to write."""
    lines = [
        *[("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "x.test")],
        ("Forwarded", 'for=192.0.2.2;proto=http;host="f.test"'),
    ]
    x = Claim(ClientAddress(ip_address("192.0.2.1"), None, "x-forwarded-for"), "https", "x.test")
    f = Claim(ClientAddress(ip_address("192.0.2.2"), None, "forwarded"), "http", "f.test")
    assert claim(*lines) == x
    assert claim(*lines, field="Forwarded") == f
    assert claim(*lines[3:]) == Claim(NEAR)
    assert claim(*lines[:3], field="Forwarded") == Claim(NEAR)


# Forwarded.


@pytest.mark.parametrize(
    ("lines", "elements"),
    [
        ([], []),
        ([""], []),
        ([" , ,\t"], []),
        (["for=192.0.2.1"], [{"for": "192.0.2.1"}]),
        (["FOR=a;Proto=https;hOsT=b"], [{"for": "a", "proto": "https", "host": "b"}]),
        (['for="[2001:db8::1]:80"'], [{"for": "[2001:db8::1]:80"}]),
        (["for=[2001:db8::1]:80"], [{"for": "[2001:db8::1]:80"}]),
        (["for=_hidden, for=unknown"], [{"for": "_hidden"}, {"for": "unknown"}]),
        (['for="a, b; c"; by=d , for=e'], [{"for": "a, b; c", "by": "d"}, {"for": "e"}]),
        ([r'for="a\"b\\c\d"'], [{"for": r'a"b\cd'}]),
        (['for=""'], [{"for": ""}]),
        (["for=a", "for=b, for=c"], [{"for": "a"}, {"for": "b"}, {"for": "c"}]),
        (['for="a', 'b"'], [{"for": "a,b"}]),
        (["for=a;", ";for=b;;by=c"], [{"for": "a"}, {"for": "b", "by": "c"}]),
        (["x=1,,y=2"], [{"x": "1"}, {"y": "2"}]),
        (['for="\udce9\t"'], [{"for": "\udce9\t"}]),
    ],
)
def test_parse_forwarded(lines: list[str], elements: list[dict[str, str]]) -> None:
    """F-36: lines are one list; names have no case; a quoted string may hold commas, semicolons and quoted pairs."""
    assert parse_forwarded(lines) == elements


@pytest.mark.parametrize(
    "line",
    [
        *("for", "for=", "=a", "for =a", "for= a", "for=a b", "for=a b=c", "for=a=b", "for=a/b", "for=a@b", "for=(a)"),
        *('for="', 'for="a', 'for="a\\', 'for="a\\"', 'for="a"b', 'for="a" "b"', 'for=a"b"', '"for"=a', 'for="\0"'),
        *("for=a;for=b", "for=a;FOR=a", "for=a;by=b;for=c", 'for="a\nb"', 'for="a\\\nb"', "for=\udce9", "f\u00f6r=a"),
        *("for=a, for", "for, for=a", "for=a, for=b;for=c", "for=a\n", "for=a\r\n", "for=a\x0b", "for=a\u2003"),
    ],
)
def test_malformed_forwarded(line: str) -> None:
    """S-21: an element that is malformed, or that names a parameter twice, spoils the whole field: who wrote which part
    of it cannot be told."""
    assert parse_forwarded([line]) is None
    assert claim(("Forwarded", f"for=192.0.2.1, {line}"), field="Forwarded") == Claim(NEAR)


TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def by_the_letter(text: str) -> list[dict[str, str]] | None:
    """``Forwarded`` read by the grammar of RFC 7239 section 4, one character after the other."""
    at = 0
    elements: list[dict[str, str]] = []
    element: dict[str, str] = {}

    def white() -> None:
        nonlocal at
        while at < len(text) and text[at] in " \t":
            at += 1

    def span(allowed: frozenset[str]) -> str:
        nonlocal at
        start = at
        while at < len(text) and text[at] in allowed:
            at += 1
        return text[start:at]

    while True:
        white()
        if at < len(text) and text[at] not in ";,":
            name = span(TOKEN).lower()
            if not name or text[at : at + 1] != "=" or name in element:
                return None
            at += 1
            if text[at : at + 1] == '"':
                at += 1
                value = ""
                while text[at : at + 1] != '"':
                    if text[at : at + 1] == "\\":
                        at += 1
                    if at >= len(text) or (text[at] < " " and text[at] != "\t") or text[at] == "\x7f":
                        return None
                    value += text[at]
                    at += 1
                at += 1
            else:
                value = span(TOKEN | frozenset(":[]"))
                if not value:
                    return None
            element[name] = value
            white()
        if at < len(text) and text[at] == ";":
            at += 1
            continue
        if element:
            elements.append(element)
        element = {}
        if at >= len(text):
            return elements
        if text[at] != ",":
            return None
        at += 1


WORDS = ["for", "FOR", "by", "proto", "=", "=", ";", ",", " ", "\t", '"', "\\", "a", "192.0.2.1", "[::1]:80", "_h"]
WORDS += ['for="[2001:db8::1]"', "for=a", 'host="b, c"', "\x7f", "\0", "é", "\udce9", "@"]


@given(st.one_of(st.lists(st.sampled_from(WORDS), max_size=20).map("".join), st.text(max_size=40)))
@example('for="a\\\\";by=b')
@example("for=a;;")
@example(";,;for=a")
def test_forwarded_by_the_letter(text: str) -> None:
    """F-36, S-21: any text is read as the grammar says, character by character, or refused as it says."""
    assert parse_forwarded([text]) == by_the_letter(text)
    assert parse_forwarded([text, text]) == by_the_letter(f"{text},{text}")


@given(
    st.lists(
        st.dictionaries(
            st.text("abcdefgh-", min_size=1, max_size=4),
            st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF).filter(lambda c: c != "\x7f"), max_size=8),
            min_size=1,
            max_size=3,
        ),
        max_size=4,
    )
)
def test_forwarded_round_trip(elements: list[dict[str, str]]) -> None:
    """F-36: what is written in quoted strings, with all that needs it quoted, is read back."""
    written = [
        ";".join(
            '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in each.items()
        )
        for each in elements
    ]
    assert parse_forwarded([", ".join(written)]) == elements
    assert parse_forwarded(written) == elements


@pytest.mark.parametrize(
    "text",
    [
        *("for=a," * 40_000, "for=a;" * 40_000, "a" * 250_000, 'for="' + "x" * 250_000, 'for="' + "\\x" * 125_000),
        *("," * 250_000, ";" * 250_000, " " * 250_000 + "x", " ," * 125_000 + "=", 'for="' * 50_000, "for=" * 62_500),
        *("for=" + "[" * 250_000, 'for="' + "x" * 250_000 + '"', "\t" * 250_000, 'for="\\' * 40_000),
    ],
    ids=lambda text: f"{text[:6]!r}...",
)
def test_forwarded_takes_no_time(text: str) -> None:
    """S-21: a quarter of a million characters of anything are read, or refused, in a moment: no text costs more than
    in proportion to its length."""
    start = time.perf_counter()
    parse_forwarded([text])
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ("for=6.6.6.6, for=192.0.2.1", "192.0.2.1"),
        ('for=6.6.6.6, for="[2001:db8::1]:4711", for=10.0.0.2', "2001:db8::1"),
        ("for=192.0.2.1:80;by=10.0.0.2, for=10.0.0.2;by=10.0.0.1", "192.0.2.1"),
        ("for=10.0.0.3, for=10.0.0.2", "10.0.0.3"),
        ('for="192.0.2.1, 10.0.0.2"', "10.0.0.1"),
        ("for=6.6.6.6, for=unknown", "10.0.0.1"),
        ("for=6.6.6.6, for=_hidden, for=10.0.0.2", "10.0.0.1"),
        ("for=6.6.6.6, proto=https", "10.0.0.1"),
        ("for=6.6.6.6, by=10.0.0.2, for=10.0.0.2", "10.0.0.1"),
        ('for=192.0.2.1;secret="a,for=6.6.6.6"', "192.0.2.1"),
        ("by=192.0.2.1", "10.0.0.1"),
    ],
)
def test_walk_of_forwarded(line: str, found: str) -> None:
    """S-21, F-36: ``Forwarded`` is walked the same way; an element without ``for`` hides who was before it."""
    assert client(line, field="Forwarded") == found


def test_limit_of_forwarded() -> None:
    """S-21: the limit holds for ``Forwarded``, too."""
    assert client("for=192.0.2.1" + ", for=10.0.0.2" * 4, limit=5, field="Forwarded") == "192.0.2.1"
    assert client("for=192.0.2.1" + ", for=10.0.0.2" * 5, limit=5, field="Forwarded") == "10.0.0.1"
    assert client("for=10.0.0.9" + ", for=10.0.0.2" * 5, limit=5, field="Forwarded") == "10.0.0.1"


def test_what_forwarded_says_beside() -> None:
    """F-36, S-25: scheme and host are those of the element that names the client, and of no other."""
    line = 'for=6.6.6.6;host=evil.test;proto=http, for=192.0.2.1;proto=HTTPS;host="a.test:81", for=10.0.0.2;host=in'
    assert claim(("Forwarded", line), field="Forwarded") == Claim(
        ClientAddress(ip_address("192.0.2.1"), None, "forwarded"), "https", "a.test:81"
    )
    for said in ("proto=ftp", 'host="u@a.test"', 'host="a.test, b.test"', "proto=http;host=b~c"):
        found = claim(("Forwarded", f"for=192.0.2.1:7;{said}"), field="Forwarded")
        assert found.client == ClientAddress(ip_address("192.0.2.1"), 7, "forwarded")
        assert found.host is None
        assert found.scheme in (None, "http")


# One host.


@pytest.mark.parametrize(
    "host",
    [
        *("a", "a.test", "a.test.", "A-b.TEST", "a_b.test", "_dmarc.test", "1", "192.0.2.1", "xn--bcher-kva.test"),
        *("a:80", "a:", "a:0", "a:1", "a:65535", "a:08", "[::1]", "[::1]:443", "[::ffff:192.0.2.1]", "a" * 320),
    ],
)
def test_one_host(host: str) -> None:
    """F-14: a name (underscores and a last dot included) or an address, with or without a port, is one host."""
    assert is_authority(host)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            " ",
            "a b",
            " a",
            "a ",
            "a\t",
            "a\n",
            "a,b",
            "a, b",
            "u@a",
            "u:p@a",
            "@a",
            "a@",
            "a/",
            "a/../b",
            "/",
            "//a",
        ),
        *(
            "a?b",
            "a#b",
            "a\\b",
            "a;b",
            "a%41",
            "a'b",
            'a"b',
            "a<b>",
            "(a)",
            "*",
            "*.a",
            "-a",
            ".a",
            ".",
            "a\0",
            "a\x7f",
        ),
        *(
            ":80",
            ":",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:99999",
            "a:100000",
            "a:-1",
            "a:+1",
            "a: 80",
            "a:٨",
            "::1",
            "[::1",
        ),
        *("[]", "[]:80", "[::1]80", "[::1]x", "[::1%eth0]", "[::1%25eth0]", "[v1.a]", "[a.test]x", "[[::1]]", "é.test"),
        *("http://a", "\udce9", "\uff41", "a" * 321, "a" * 100_000, "[" * 100_000, "a:" * 50_000),
    ],
)
def test_not_one_host(host: str) -> None:
    """F-14, S-25: user information, lists, spaces, paths, other ports than 0 to 65535, names that are not ASCII, and
    nothing at all are not one host."""
    assert not is_authority(host)


@given(
    st.one_of(
        st.text("aZ09_-.:@/ ,\\[]%", max_size=12),
        st.builds("{}:{}".format, st.sampled_from(["a", "a.b_c", "1.2.3.4", "[::1]"]), st.integers(-1, 70000)),
        st.ip_addresses(v=6).map("[{}]".format),
        st.text(max_size=8),
    )
)
def test_one_host_as_written_down(host: str) -> None:
    """F-14: any text is one host or not as a plain reading of the rule says."""
    name, port = host, ""
    if ":" in host and not host.endswith("]"):
        name, _, port = host.rpartition(":")
    fine = not port or (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535)
    if name.startswith("["):
        address = parse_address(name)
        assume(address is not None or not set(name[1:-1]) <= set("0123456789abcdefABCDEF:."))
        fine = fine and address is not None and "%" not in name
    else:
        fine = fine and bool(name) and name[0] not in "-." and all(c in TOKEN and c not in "!#$%&'*+^`|~" for c in name)
    assert is_authority(host) == fine
