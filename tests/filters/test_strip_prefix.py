"""Off with the first segments of the path."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy import PathPolicy
from revproxy.canonical import canonical
from revproxy.errors import BadRequest, NoRoute
from revproxy.filters import AddPrefix, StripPrefix
from revproxy.testing import exchange

from .rewritten import answer, refuses, targets

read = PathPolicy().bind(conditions=True)
read_open = PathPolicy().bind(conditions=False)


@pytest.mark.parametrize(
    ("target", "left"),
    [
        ("/api", "/"),
        ("/api/", "/"),
        ("/api?", "/?"),
        ("/api/?", "/?"),
        ("/api?a=/api/b", "/?a=/api/b"),
        ("/api/x", "/x"),
        ("/api/x/", "/x/"),
        ("/api/api/x", "/api/x"),
        ("/api/x?a&a=%zz;+", "/x?a&a=%zz;+"),
        ("/%61pi/x", "/x"),
        ("/a%70%69?x", "/?x"),
        ("/api/%61%7e%c3%a9\udce9/é", "/%61%7e%c3%a9\udce9/é"),
        ("/api/a%2Fb", "/a%2Fb"),
        ("/api/%2f", "/%2f"),
        ("/api/x//y//", "/x//y//"),
        ("/api/;x", "/;x"),
        ("/api/...", "/..."),
    ],
)
def test_stripped(target: str, left: str) -> None:
    """F-05, F-02, F-03: whole segments go, however they are encoded; the rest stays byte for byte, the query too."""
    assert StripPrefix("/api").rewrite(target) == StripPrefix("/api/").rewrite(target) == left


@pytest.mark.parametrize(
    "target",
    ["/", "/ap", "/api2", "/api2/x", "/API/x", "/x/api", "/api%2Fx", "/api%2F", "//api/x", "/api;v=1/x", "/?/api/"],
)
async def test_not_below(target: str) -> None:
    """F-05: what only begins alike is not below the prefix: 404, or as it is."""
    with pytest.raises(NoRoute) as caught:
        await StripPrefix("/api")(exchange("GET", target), answer)
    assert caught.value.status == 404
    asked = exchange("GET", target)
    await StripPrefix("/api", otherwise="pass", forwarded=True)(asked, answer)
    assert asked.request.target == target
    assert "X-Forwarded-Prefix" not in asked.request.headers


@pytest.mark.parametrize("target", ["/a/b/c?d", "/%61/%62/c?d"])
def test_several_segments(target: str) -> None:
    """F-05: a prefix may have several segments, with text that needs encoding."""
    assert StripPrefix("/a/b").rewrite(target) == "/c?d"
    assert StripPrefix("/a/b").rewrite("/a%2Fb/c") is None
    assert StripPrefix("/a/b").rewrite("/a/bc") is None
    assert StripPrefix("/café/~x").rewrite("/caf%c3%a9/%7Ex/y") == "/y"
    assert StripPrefix("/caf%c3%a9").rewrite("/café") == "/"


@pytest.mark.parametrize("target", ["/api//evil.test/x", "/api//", "/api///x", "/%61pi//evil.test"])
async def test_no_host_arises(target: str) -> None:
    """F-04, S-36: where a policy lets ``//`` in, none is moved to the beginning, where a back end could take what
    follows for a host."""
    with pytest.raises(BadRequest, match=re.escape("StripPrefix('/api'): two slashes")):
        await StripPrefix("/api")(exchange("GET", target), answer)


async def test_the_root() -> None:
    """Everything is below ``/``, and nothing is taken off."""
    for target in ("/", "/x?", "//evil.test/x"):
        asked = exchange("GET", target)
        await StripPrefix("/", forwarded=True)(asked, answer)
        assert asked.request.target == target
        assert "X-Forwarded-Prefix" not in asked.request.headers


@given(targets, st.sampled_from(["/api", "/a/b.c", "/café", "/a"]))
@example("/?", "/api")
def test_there_and_back(target: str, prefix: str) -> None:
    """F-05, F-02: a prefix that is put before any target and taken off again leaves every byte of it."""
    try:
        target = read_open(target).target
    except BadRequest:
        return
    there = AddPrefix(prefix).rewrite(target)
    if target.startswith("//"):
        assert refuses(StripPrefix(prefix), there)
    else:
        assert StripPrefix(prefix).rewrite(there) == target


@given(targets, st.sampled_from(["/api", "/%61pi", "/a%50i", "/a/b.c", "/%C3%A9", "/%c3%a9", "/é"]))
def test_what_is_left(rest: str, written: str) -> None:
    """F-02, F-05: what is left of any target below a prefix has kept every byte, however the prefix is written."""
    try:
        target = read_open(written + rest).target
    except BadRequest:
        return
    filter = StripPrefix(canonical(written))
    if rest.startswith("//"):
        assert refuses(filter, target)
    else:
        assert filter.rewrite(target) == rest


@given(targets)
def test_one_reading(target: str) -> None:
    """S-35, S-36, S-37: what has one reading has one when it is stripped; its path is that of the rest."""
    try:
        reading = read(f"/api{target}")
    except BadRequest:
        return
    left = StripPrefix("/api").rewrite(reading.target)
    assert left is not None
    assert read(left).target == left
    assert read(left).path == (reading.path.removeprefix("/api") or "/")


# X-Forwarded-Prefix.


@pytest.mark.parametrize(("outer", "said"), [(None, "/v1/api"), ("/app", "/app/v1/api"), ("/app/", "/app/v1/api")])
async def test_forwarded(outer: str | None, said: str) -> None:
    """F-36: what was taken off is told, behind what was taken off before."""
    asked = exchange("GET", "/v1/%61pi/x", headers={"X-Forwarded-Prefix": "/evil"})
    if outer is not None:
        asked.request.headers["X-Forwarded-Prefix"] = outer
    await StripPrefix("/v1/api", forwarded=True)(asked, answer)
    assert asked.request.headers.getall("X-Forwarded-Prefix") == [said]
    assert asked.request.target == "/x"


async def test_not_forwarded() -> None:
    """S-22: unless asked to it says nothing, and a client's word is not there."""
    asked = exchange("GET", "/api/x", headers={"X-Forwarded-Prefix": "/evil"})
    await StripPrefix("/api")(asked, answer)
    assert "X-Forwarded-Prefix" not in asked.request.headers


# What it is made with.


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("", "begin with a slash"),
        ("api", "begin with a slash"),
        ("http://a.test/", "begin with a slash"),
        ("*", "begin with a slash"),
        ("/api?x", "query"),
        ("/api#x", "fragment"),
        ("/a b", "space"),
        ("/a\r\nX: y", "control character"),
        ("/a\0", "control character"),
        ("/a\ud800", "control character"),
        ("/../a", "dot segment"),
        ("/a/.", "dot segment"),
        ("/a/%2e%2E/", "dot segment"),
        ("/..;x", "dot segment"),
        ("/a\\b", "backslash"),
        ("/%5c", "backslash"),
        ("/%00", "NUL"),
        ("/%c0%ae", "overlong"),
        ("/%zz", "percent"),
        ("/a%", "percent"),
        ("//a", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a%2Fb", "encoded slash"),
    ],
)
@pytest.mark.parametrize("kind", [StripPrefix, AddPrefix])
def test_bad_prefixes(kind: Any, prefix: str, why: str) -> None:
    """S-26: what no honest client would send is no prefix; the message says which parameter, what and why."""
    with pytest.raises(ValueError, match=f"prefix.*{why}") as caught:
        kind(prefix)
    assert repr(prefix) in str(caught.value)


@pytest.mark.parametrize("kind", [StripPrefix, AddPrefix])
def test_what_is_no_text(kind: Any) -> None:
    """Anything but text is a ``TypeError``."""
    for wrong in (None, b"/api", 7):
        with pytest.raises(TypeError, match="prefix"):
            kind(wrong)


def test_bad_choice() -> None:
    """``otherwise`` is one of two words."""
    with pytest.raises(ValueError, match="otherwise must be 'pass' or 'refuse', got 'drop'"):
        StripPrefix("/api", otherwise="drop")  # type: ignore[arg-type]


def test_it_prints_itself() -> None:
    """It prints what it was made with."""
    assert repr(StripPrefix("/api/")) == "StripPrefix('/api')"
    assert repr(StripPrefix("/")) == "StripPrefix('/')"
    assert repr(StripPrefix("/é", otherwise="pass", forwarded=True)) == (
        "StripPrefix('/%C3%A9', otherwise='pass', forwarded=True)"
    )
    assert canonical(StripPrefix("/%7ea").prefix) == "/~a"
