"""What a regular expression may cost, as far as its syntax shows."""

from __future__ import annotations

import re
import time

import pytest

from revproxy.filters.pattern_cost import check_cost, literal_prefix

LOOPED = "a choice within a loop"
SHARED = "loops that may share a path"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(/.*)+/x", LOOPED),
        ("/(a+)+b", LOOPED),
        ("/(?:(?P<x>a+))*b", LOOPED),
        ("/((?:a|b+)c*)*", LOOPED),
        ("/(a{2,})*", LOOPED),
        ("/((a*)?)+b", LOOPED),
        ("/(a?a)*b", LOOPED),
        ("/(a|bb?)(?:ab?|b)*c", LOOPED),
        ("/(a*a*/)*b", LOOPED),
        ("/(a|ab|b)*c", LOOPED),
        ("/(ab?|b)*c", LOOPED),
        ("/(a|)*b", LOOPED),
        ("/(?i:(a|A[ab]|b)*)c", LOOPED),
        ("/(x)((?(2)a*|b)*)c", LOOPED),
        ("/(?:(?>(a+)+b))", LOOPED),
        ("/(?=(a+)+b).*", LOOPED),
        ("/(?:(a+)+b)++", LOOPED),
        ("/(.*){5}x", LOOPED),
        ("/(.{0,500}){0,5}x", LOOPED),
        ("/(.*)/(.*)/(.*)/x", SHARED),
        ("/.*?.*?.*?x", SHARED),
        (r"/(\S+)(\D+)([^a]+)", SHARED),
        (r"/[\s\S]*[\S]*[!-~]*x", SHARED),
        ("/[^/]*[^/]*[^/]*x", SHARED),
        (r"/\w*\w*\w*\w*x", SHARED),
        ("/([^/]*/?){3}x", SHARED),
        ("/(.*){3}x", SHARED),
        ("/.*.*.*+x", SHARED),
        ("/(?:a|[ab]*[ab]*c)++x", SHARED),
        ("/(?:ab)*[ab]*(?:a|bb)*", SHARED),
        ("/(a*|b*)(?:a*|b)(a|b)*x", SHARED),
        ("/a*(-)?a*(-)?a*x", SHARED),
        ("/(?:.*)(?=.*)(?:.*).*", SHARED),
    ],
)
def test_too_much(pattern: str, why: str) -> None:
    """S-53: refused is what takes exponential time, and what takes more than the square of a path's length."""
    with pytest.raises(ValueError, match=f"pattern: {re.escape(repr(pattern))} has .*{why}"):
        check_cost(re.compile(pattern))


ADEQUATE = [
    "/(.*)/(.*)/x",
    "/(.+)\\.(jpg|png)",
    "/([^/]+)/([^/]+)/([^/]+)/([^/]+)",
    r"/(\w+)-(\w+)-(\w+)\.html",
    "(/[^/]+)*",
    "((?:/[^/]+)*)/([^/]+)",
    "(?:/[^/]++)*",
    "(/[^/]+){2,4}/(.*)",
    "(?:(?:/a)+b)*",
    "/(?:(?:x*)y)+",
    "/(?:a|b+c)*",
    "(/(?>a+))+",
    "/(?:a+)++b",
    r"/(\d{1,3}\.){3}\d{1,3}(/.*)?",
    "/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/.*)?",
    "/(en|de|fr)/(.*)",
    r"/\(.*\)*",
    "/[.*+]+(.+)",
    "/(ab)+(cd)*",
    "(?x) / ( a+ )  # a+ )* ",
    r"/(?P<a>\w+)/(?P=a)(?!x)(?<=a)\b(?(a)x|y)(.*)$",
]


@pytest.mark.parametrize("pattern", ADEQUATE)
def test_adequate(pattern: str) -> None:
    """S-53: what is let pass takes at most the square of a path's length, whatever the path."""
    compiled = re.compile(pattern)
    check_cost(compiled)
    for unit in ("a", "/a", "ab", "/", "1", "-a", "x", "xy", "."):
        before = time.perf_counter()
        compiled.fullmatch(("/" + unit * 2048)[:2047] + "%")
        assert time.perf_counter() - before < 0.5


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("/old/(.*)", "/old/"),
        ("^/old$", "/old"),
        (r"/a\.b(c)", "/a.b"),
        ("/ab*", "/a"),
        ("/ab?c", "/a"),
        ("/ab{2}", "/a"),
        (r"/a\.*", "/a"),
        (r"/a\x2eb", "/a.b"),
        ("/a|/b", "/"),
        ("/a|", ""),
        ("/(?i:a)b", "/"),
        ("(?i)/a", ""),
        ("(?x) / a b", "/ab"),
        (".*", ""),
        ("[/]b", "/b"),
        (r"/\d+", "/"),
    ],
)
def test_what_a_pattern_begins_with(pattern: str, prefix: str) -> None:
    """What everything begins with that it matches: a path that does not is not for it, however long."""
    assert literal_prefix(re.compile(pattern)) == prefix
    assert literal_prefix(re.compile(pattern, re.IGNORECASE)) == ""
