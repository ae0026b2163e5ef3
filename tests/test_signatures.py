"""Signatures of requests: what fits is believed, and nothing else."""

from __future__ import annotations

import string
import time
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.signatures import BadSignature, Verified, component, sign, verify

KEYS = {"old": b"o" * 32, "proxy": b"k" * 32}
NOW = 1_700_000_000
RFC_KEY = b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
RFC_SAID = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
RFC_SIGNATURE = "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="
RFC_REQUEST = [
    ("Host", "example.com"),
    ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("Content-Type", "application/json"),
    (
        "Content-Digest",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    ),
    ("Content-Length", "18"),
    ("Signature-Input", f"sig-b25={RFC_SAID}"),
    ("Signature", f"sig-b25=:{RFC_SIGNATURE}:"),
]


def test_rfc_9421() -> None:
    """The example of RFC 9421, appendix B.2.5: a request signed with ``hmac-sha256``, both ways."""
    parts = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
    ]
    assert sign(RFC_KEY, parts, RFC_SAID.partition(")")[2]) == (RFC_SAID, RFC_SIGNATURE)
    said = verify(
        *("POST", "/foo?param=Value&Pet=dog", RFC_REQUEST, {"test-shared-secret": RFC_KEY}),
        now=1618884473,
        label="sig-b25",
        components=["date", "@authority"],
    )
    assert said == Verified("test-shared-secret", 1618884473, {"date": parts[0][1], "content-type": parts[2][1]})


def signed(
    method: str = "GET",
    target: str = "/a?b",
    fields: list[tuple[str, str]] | None = None,
    *,
    names: tuple[str, ...] = ("@method", "@path", "@query", "x-user"),
    parameters: str = f';created={NOW};keyid="proxy";alg="hmac-sha256"',
    key: bytes = KEYS["proxy"],
    label: str = "proxy",
) -> list[tuple[str, str]]:
    """A request's fields with a signature."""
    fields = [("Host", "a.test"), ("X-User", "ann")] if fields is None else fields

    def values(name: str) -> list[str]:
        return [value for each, value in fields if each.lower() == name]

    said, signature = sign(key, [(name, component(name, method, target, values(name))) for name in names], parameters)
    return [*fields, ("Signature-Input", f"{label}={said}"), ("Signature", f"{label}=:{signature}:")]


def check(fields: list[tuple[str, str]], method: str = "GET", target: str = "/a?b", **options: Any) -> Verified:
    options = {"now": NOW, **options}
    return verify(method, target, fields, KEYS, **options)


def test_what_fits() -> None:
    """With any key of the ring; beside signatures of others; in several lines."""
    assert check(signed()) == Verified("proxy", NOW, {"x-user": "ann"})
    old = signed(key=KEYS["old"], parameters=f';created={NOW};keyid="old"')
    assert check(old).keyid == "old"
    fields = signed()
    others = [
        ("signature-input", 'sig1=("a";sf "b";key="x, y");created=1;tag="q\\"uoted", x'),
        ("signature", "sig1=:AAAA:;p=?1, x;y=1.5"),
    ]
    assert check([*others, *fields]) == check([*fields, *others]) == check(fields)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"method": "get"},
        {"target": "/a"},
        {"target": "/a?b&c"},
        {"target": "/b?b"},
        {"target": "/a/?b"},
        {"target": "/%61?b"},
    ],
)
def test_another_request(change: dict[str, str]) -> None:
    """S-24: a signature that was made for another method, path or query fits no other."""
    with pytest.raises(BadSignature, match="it does not fit the request"):
        check(signed(), **change)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([("X-User", "bob")], "it does not fit the request"),
        ([("X-User", "ann"), ("x-user", "bob")], "it does not fit the request"),
        ([("X-User", "ann ann")], "it does not fit the request"),
        ([("X-User", "Ann")], "it does not fit the request"),
        ([], "x-user is signed, and not there"),
    ],
)
def test_other_fields(fields: list[tuple[str, str]], why: str) -> None:
    """S-24: a field that is signed is as it was, in case, value and number."""
    with pytest.raises(BadSignature, match=why):
        check([*fields, *signed()[2:]])


def test_a_field_that_is_not_signed() -> None:
    """S-24: is not among those that are to be believed; who asks for it is told that it is missing."""
    anonymous = signed(fields=[], names=("@method", "@path", "@query"))
    assert check([*anonymous, ("X-User", "root")]).fields == {}
    with pytest.raises(BadSignature, match="it does not cover x-user"):
        check([*anonymous, ("X-User", "root")], components=["X-User"])
    with pytest.raises(BadSignature, match="it does not cover @method, @query"):
        check(signed(names=("@path", "x-user")))


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (-5, True), (-6, False), (35, True), (36, False), (1e9, False), (-1e9, False)]
)
def test_age(seconds: float, good: bool) -> None:
    """Neither older than ``max_age``, nor from the future, but for the clocks' difference."""
    if good:
        check(signed(), now=NOW + seconds)
    else:
        with pytest.raises(BadSignature, match="it was made"):
            check(signed(), now=NOW + seconds)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (f';created={NOW};keyid="nobody"', "its key is not known"),
        (f";created={NOW}", "its key is not known"),
        (f";created={NOW};keyid=proxy", "its key is not known"),
        (f';created={NOW};keyid="proxy";alg="rsa-v1_5-sha256"', "its algorithm is not hmac-sha256"),
        (f';created={NOW};keyid="proxy";alg=hmac-sha256', "its algorithm is not hmac-sha256"),
        (f';created={NOW};keyid="old"', "it does not fit the request"),
        (';keyid="proxy"', "it does not say when it was made"),
        (';created="1";keyid="proxy"', "it does not say when it was made"),
        (';created=-1;keyid="proxy"', "it does not say when it was made"),
        (f';created={"1" * 5000};keyid="proxy"', "it does not say when it was made"),
        (f';created={NOW};expires={NOW - 6};keyid="proxy"', "it was made 0 s ago"),
        (f';created={NOW};expires=x;keyid="proxy"', "it does not say when it was made"),
    ],
)
def test_parameters(parameters: str, why: str) -> None:
    """What a signature says of itself has to be known, of the right type, and true."""
    with pytest.raises(BadSignature, match=why):
        check(signed(parameters=parameters))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("@method", "@path", "@query", "x-user", "x-user"), "it covers 'x-user', which is not understood"),
        (("@method", "@path", "@query", "X-User"), "it covers 'X-User', which is not understood"),
        (("@method", "@path", "@query", "@target-uri"), "it covers '@target-uri', which is not understood"),
        (("@method", "@path", "@query", "@authority"), ""),
    ],
)
def test_components(names: tuple[str, ...], why: str) -> None:
    """What is covered has to be understood, and be there once (RFC 9421 section 2.5)."""
    if why:
        with pytest.raises(BadSignature, match=why):
            check(signed(names=names))
    else:
        with pytest.raises(BadSignature, match="it does not fit"):  # as it was signed without a host
            check(signed(names=names))


@pytest.mark.parametrize(
    ("said", "signature", "why"),
    [
        (None, None, "it is not signed"),
        ("proxy=()", None, "it is not signed"),
        ("other=()", "other=:AAAA:", "signature-input has no proxy"),
        ("proxy", "proxy=:AAAA:", "it is not well-formed"),
        ('proxy="x"', "proxy=:AAAA:", "it is not well-formed"),
        ("proxy=()", "proxy=:AAAA:", "it is not well-formed"),
        ("proxy=()", f"proxy=:{'A' * 43}=:", "it does not cover @method, @path, @query"),
        ('proxy=("a";sf)', f"proxy=:{'A' * 43}=:", "it is not well-formed"),
        ('proxy=("a")  x', f"proxy=:{'A' * 43}=:", "signature-input is not well-formed"),
        ('proxy=("a"', f"proxy=:{'A' * 43}=:", "signature-input is not well-formed"),
        ("proxy=(),", f"proxy=:{'A' * 43}=:", "signature-input is not well-formed"),
        ("proxy=(),proxy=()", f"proxy=:{'A' * 43}=:", "signature-input has proxy twice"),
        ("proxy=()", "proxy=:AAAA:, proxy=:AAAA:", "signature has proxy twice"),
        ("proxy=(" + '"a" ' * 4000 + ")", "proxy=:AAAA:", "signature-input is too long"),
        ("\u00e4=()", "proxy=:AAAA:", "signature-input is not well-formed"),
    ],
)
def test_bad_fields(said: str | None, signature: str | None, why: str) -> None:
    """None, others, and what is not well-formed."""
    fields = [
        (name, value) for name, value in (("Signature-Input", said), ("Signature", signature)) if value is not None
    ]
    with pytest.raises(BadSignature, match=why):
        check(fields)


_TEXT = st.text(string.printable[:95], max_size=60)


@given(_TEXT, _TEXT)
def test_any_fields(said: str, signature: str) -> None:
    """Whatever stands there, nothing but ``BadSignature`` comes of it."""
    for prefix in ("", "proxy=", 'proxy=("@method" "@path" "@query")'):
        with pytest.raises(BadSignature):
            check([("Signature-Input", prefix + said), ("Signature", "proxy=" + signature)])


@given(st.integers(0, 31), st.integers(1, 255))
def test_any_byte(at: int, byte: int) -> None:
    """No byte of it can be another."""
    fields = dict(signed())
    raw = bytearray(b64decode(fields["Signature"].removeprefix("proxy=:").removesuffix(":")))
    raw[at] ^= byte
    fields["Signature"] = f"proxy=:{b64encode(raw).decode()}:"
    with pytest.raises(BadSignature, match="it does not fit the request"):
        check(list(fields.items()))


def test_much_of_little() -> None:
    """S-50: fields that are made to take long to read do not."""
    started = time.perf_counter()
    for said in (
        'proxy=("' + '" "' * 2500,
        "a=" * 4000,
        "proxy=" + "(" * 8000,
        "a;" * 4000,
        'a="' + "\\" * 8000,
        "a;b=1" * 1600,
    ):
        with pytest.raises(BadSignature):
            check([("Signature-Input", said), ("Signature", said)])
    assert time.perf_counter() - started < 2


def test_bad_keys() -> None:
    """A key that is too short is a mistake, and is not used."""
    with pytest.raises(ValueError, match="keys must have at least 32 bytes, got 3"):
        verify("GET", "/", [], {"a": b"abc"}, now=NOW)
    with pytest.raises(TypeError, match="keys must be bytes, got str"):
        verify("GET", "/", [], {"a": "a" * 32}, now=NOW)  # type: ignore[dict-item]
