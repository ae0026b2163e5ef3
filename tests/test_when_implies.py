"""Whether one condition follows from another: never wrongly, and where anybody sees it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revproxy import when
from revproxy.exchange import Exchange, Key
from revproxy.facts import Place
from revproxy.geography import PLACE
from revproxy.testing.exchange import exchange
from revproxy.when import When

TENANT: Key[str] = Key("tenant")


def is_odd(subject: Exchange) -> bool:
    return len(subject.inbound.path) % 2 == 1


ATOMS = [
    when.anything,
    *map(when.path, ["/", "/*", "/a", "/a/*", "/a/b", "/a/*/b", "/a/**/b", "/*/b", "/**/b/*", "/a*", "/a*/*", "/b*b"]),
    *(when.path(text, case_sensitive=False) for text in ["/A/*", "/a/B", "/*/B", "/A*"]),
    *(when.path("/a/*", "/b"), when.path("/b", "/a/b"), when.path("/%2A/*"), when.path("/a/7", "/a/007/*")),
    *map(when.path_template, ["/a/{x}", "/{x}/{y}", "/a/{x:int}", "/{x:int}/b", "/a/{x...}", "/{x:[a-z]+}/b", "/a/b"]),
    *map(
        when.path_regex,
        ["/a/.*", "/a/[0-9]+", "/(?P<x>a|b)(?:/.*)?", "/a", r"/\*/.*", "(?i)/A/.*", "/.*", ".*", r"\*", "."],
    ),
    *(when.method("GET"), when.method("PUT"), when.method("GET", "PUT"), when.scheme("http"), when.scheme("https")),
    *map(when.host, ["a.test", "*.test", "*.a.test", "b.a.test", "[::1]"]),
    *(when.host("a.test", "b.a.test"), when.host("*.test", "[0::1]")),
    *map(when.client_in, ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "::/0", "10.0.0.0/9", "10.128.0.0/9"]),
    when.client_in("0.0.0.0/1", "128.0.0.0/1"),
    *(when.header("X"), when.header("x", "a"), when.header("X", re.compile("[ab]")), when.header("X", "b")),
    *(when.query("q"), when.query("q", "1"), when.query("q", re.compile("[0-9]+"))),
    *(when.cookie("c"), when.cookie("c", "1")),
    *(when.content_length(at_least=1), when.content_length(at_least=2, at_most=9), when.content_length(at_most=5)),
    *(when.content_type("text/plain"), when.content_type("text/*"), when.content_type("text/plain", "image/png")),
    *(when.country("DE"), when.country("DE", "CH"), when.continent("EU"), when.asn(1)),
    *(when.upgrade("websocket"), when.upgrade("websocket", "tcp")),
    *(when.key(TENANT, "a"), when.key(TENANT, lambda tenant: tenant == "a"), when.check(is_odd)),
]

conditions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map(lambda each: ~each),
        st.tuples(st.sampled_from("&|"), inner, inner).map(lambda made: join(*made)),
    ),
    max_leaves=6,
)


def join(sign: str, left: When, right: When) -> When:
    if sign == "|":
        return left | right
    try:
        return left & right
    except ValueError:  # both capture something of one name
        return left


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    """Any request that some of the conditions hold for."""
    segments = st.sampled_from(["a", "b", "A", "B", "ab", "bb", "7", "007", "%2a", "x", ""])
    target = "/" + "/".join(draw(st.lists(segments, max_size=4)))
    target = draw(st.sampled_from([target, "*"])) if not draw(st.integers(0, 15)) else target
    if target != "*":
        target += draw(st.sampled_from(["", "?q", "?q=1", "?q=x&q=12"]))
    headers = draw(st.lists(st.sampled_from([("X", "a"), ("x", "b"), ("X", ""), ("Cookie", "c=1")]), max_size=3))
    body = draw(st.sampled_from([b"", b"x", b"1234567"]))
    if body:
        headers.append(("Content-Type", draw(st.sampled_from(["text/plain", "text/html", "image/png"]))))
    made = exchange(
        draw(st.sampled_from(["GET", "PUT", "POST"])),
        target,
        headers=headers,
        body=body,
        client=draw(st.sampled_from(["10.1.2.3", "10.200.0.1", "192.0.2.1", "::1", None])),
        scheme=draw(st.sampled_from(["http", "https"])),
        host=draw(st.sampled_from(["a.test", "b.a.test", "c.test", "[::1]", "x"])),
        upgrade=draw(st.sampled_from([None, None, "websocket", "tcp"])) if not body else None,
    )
    country = draw(st.sampled_from([None, "DE", "CH", "FR"]))
    if country is not None:
        made[PLACE] = Place(country=country, continent="EU", asn=draw(st.sampled_from([None, 1, 2])))
    if draw(st.booleans()):
        made[TENANT] = draw(st.sampled_from(["a", "b"]))
    return made


@given(conditions, conditions, st.lists(exchanges(), min_size=1, max_size=5))
def test_never_wrongly(one: When, other: When, subjects: list[Exchange]) -> None:
    """Whenever one condition is said to follow from another, no exchange contradicts it; nor does any make two hold
    that are said to be apart."""
    for subject in subjects:
        if one.implies(other) and one(subject):
            assert other(subject)
        if one.is_apart_from(other):
            assert not (one(subject) and other(subject))


@given(conditions, st.lists(conditions, max_size=4), exchanges())
def test_several_never_wrongly(one: When, others: list[When], subject: Exchange) -> None:
    """Whenever one of several is said to follow, one of them holds."""
    if one.implies_one_of(others) and one(subject):
        assert any(other(subject) for other in others)


@settings(max_examples=20)
@given(st.sampled_from(ATOMS), st.data())
@example(ATOMS[0], None)
def test_atoms_never_wrongly(one: When, data: st.DataObject | None) -> None:
    """So with every two conditions of single factories, and twenty exchanges that the first holds for."""
    followers = [other for other in ATOMS if one.implies(other)]
    assert one in followers
    apart = [other for other in ATOMS if one.is_apart_from(other)]
    for _ in range(20 if data is not None else 0):
        assert data is not None
        subject = data.draw(exchanges())
        if one(subject):
            assert [other for other in followers if not other(subject)] == []
            assert [other for other in apart if other(subject)] == []


@given(conditions)
def test_laws(one: When) -> None:
    """A condition implies itself, whatever it is joined with; and everything implies what always holds."""
    assert one.implies(when.anything)
    assert one.implies(~~one)
    assert (when.check(is_odd) & one).implies(one)
    assert one.implies(one | when.check(is_odd))
    assert one.implies_one_of([~one, one])
    assert when.anything.implies_one_of([one, ~one])


A, B, C = when.check(is_odd), when.method("GET"), when.header("X")
path, template = when.path, when.path_template


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A & B, A),
        (A & B & C, C & A),
        (A, A | B),
        (A & B, A | C),
        ((A & B) | (A & C), A),
        ((A | B) & (A | C), A | (B & C)),
        (~(A | B), ~A),
        (~A, ~(A & B)),
        (A & ~B, ~(~A | B)),
        (when.method("GET"), when.method("PUT", "GET")),
        (when.method("GET"), ~when.method("PUT")),
        (when.method("GET", "HEAD"), when.method("GET") | when.method("HEAD")),
        (path("/a/b"), path("/a/*")),
        (path("/a/x/*"), path("/a/*")),
        (path("/a"), path("/a/*")),
        (path("/a/b", "/c"), path("/c", "/a/*", "/d")),
        (path("/a/b", "/c"), path("/c") | path("/a/*")),
        (path("/a/b"), path("/A/*", case_sensitive=False)),
        (path("/a/*/c/*"), path("/**/c/*")),
        (path("/img-1.png"), path("/img-*.png")),
        (path("/a/b"), path("/*/b")),
        (path("/a*"), path("/*")),
        (path("/a/b") & B, path("/a/*")),
        (template("/a/{x}"), path("/a/*")),
        (template("/a/{x:int}/b"), path("/a/*/b")),
        (template("/a/{x:int}"), template("/a/{y}")),
        (template("/a/{x:uuid}"), template("/{y...}")),
        (template("/a/{x:[a-z]+}"), template("/a/{y:[a-z]+}")),
        (path("/a/7"), template("/a/{x:int}")),
        (path("/a/*/c"), template("/a/{x}/c")),
        (path("/a/*"), template("/a/{x...}")),
        (when.path_regex("/.*"), path("/*")),
        (when.path_regex("/api/v1/.*"), path("/api/*")),
        (when.path_regex("/api/v[12]/.*"), template("/api/{rest...}")),
        (when.client_in("10.1.0.0/16", "10.2.0.0/16"), when.client_in("10.0.0.0/8")),
        (when.client_in("10.0.0.0/8"), when.client_in("10.0.0.0/9", "10.128.0.0/9")),
        (when.country("DE"), when.country("DE", "CH")),
        (when.asn(1), when.asn(1, 2)),
        (when.host("a.b.test"), when.host("*.test")),
        (when.host("*.b.test", "c.test"), when.host("*.test")),
        (when.header("X", "a"), when.header("x")),
        (when.query("q", "12"), when.query("q", re.compile("[0-9]+"))),
        (when.content_length(at_least=2, at_most=3), when.content_length(at_least=1)),
        (when.client_certificate(dns="a", email="b"), when.client_certificate(dns="a")),
        (when.client_certificate(dns="a"), when.client_certificate()),
        (when.content_type("text/plain"), when.content_type("text/plain", "image/png")),
    ],
)
def test_implied(one: When, other: When) -> None:
    """What anybody sees is seen; and the other way round it is not said, where it is not so."""
    assert one.implies(other)
    assert (one == other) == (one.implies(other) and other.implies(one)) or other.implies(one)
    assert one.implies_one_of([B & ~B, other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, A & B),
        (A | B, A),
        (~A, A),
        (path("/a/*"), path("/a")),
        (path("/ab"), path("/a/*")),
        (path("/a/*"), path("/a/*/b")),
        (path("/a", "/b"), path("/a")),
        (path("/A/b"), path("/a/*")),
        (path("/a/b", case_sensitive=False), path("/a/*")),
        (path("/*"), when.anything & path("/a/*")),
        (path("/a/**/b"), path("/a/*/b")),
        (path("/a/*/b"), path("/a/b")),
        (path("/a%2A"), path("/b*")),
        (path("/*/x"), template("/{a:int}/x")),
        (template("/a/{x}"), template("/a/{x:int}")),
        (template("/a/{x:int}"), template("/a/{x:uuid}")),
        (template("/a/{x...}"), template("/a/{x}")),
        (template("/{x...}"), path("/a/*")),
        (when.path_regex(".*"), path("/*")),
        (when.path_regex("(?i).*"), path("/**/*")),
        (when.path_regex("."), template("/{rest...}")),
        (when.path_regex(r"\*"), path("/*")),
        (when.path_regex(r"\*"), path("/*", case_sensitive=False)),
        (when.path_regex("/a.*"), path("/a/*")),
        (when.path_regex("(?i)/a/.*"), path("/a/*")),
        (path("/a/b"), when.path_regex("/a/.*")),
        (when.anything, path("/*")),  # OPTIONS *
        (when.client_in("10.0.0.0/8"), when.client_in("10.0.0.0/9")),
        (when.client_in("10.0.0.0/8"), when.client_in("::/0")),
        (when.host("test"), when.host("*.test")),
        (when.host("*.test"), when.host("a.test")),
        (when.header("X"), when.header("X", "a")),
        (when.header("X", "a"), when.query("X", "a")),
        (when.header("X", re.compile("a+")), when.header("X", "a")),
        (when.header("X", "a") & ~when.header("X", "b"), when.header("X", "c")),
        (when.header("X", "a") & when.header("X", "b"), when.header("X", "c")),  # a field has several values
        (when.content_length(at_least=1), when.content_length(at_least=1, at_most=9)),
        (when.client_certificate(dns="a"), when.client_certificate(dns="b")),
        (when.key(TENANT, "a"), when.key(TENANT, lambda tenant: True)),
        (when.check(lambda subject: True), A),
        (when.scheme("http"), when.scheme("https")),
    ],
)
def test_not_implied(one: When, other: When) -> None:
    """What does not follow, or is not known to, is not said to."""
    assert not one.implies(other)


def test_its_work_is_bounded() -> None:
    """What has too many cases is left alone: it takes milliseconds, and says no."""
    left, right = when.anything, ~when.anything
    for number in range(40):
        left &= when.header(f"A{number}") | when.header(f"B{number}")
        right |= when.query(f"A{number}") & when.query(f"B{number}")
    assert not left.implies(right)
    assert left.implies(left)


def test_pieces_of_long_paths() -> None:
    """However many segments a pattern has."""
    long: Any = "/a" * 200
    assert path(long).implies(path("/a/*"))
    assert path("/**/a" * 40).implies(path("/**/a" * 20 + "/*"))
