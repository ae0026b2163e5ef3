"""What a regular expression may cost, as far as its syntax shows."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revproxy.pattern_cost import check_cost, literal_prefix

from .backtracking import TooManySteps, fullmatch

LOOPED = "a choice within a loop"
SHARED = "loops that may share a text"


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
        ("/(?:(?:b*+)*a)*", LOOPED),
        ("/(?:(?:b*+)+a)*c", LOOPED),
        ("/(?:(?>b*)*a)*c", LOOPED),
        ("/(?:(?:b*+)?a)*c", LOOPED),
        ("/(?:(?:b*+)??a)*c", LOOPED),
        ("/(?:(?:b?+)*a)*?c", LOOPED),
        ("/(?:(?:)*a)*c", LOOPED),
        ("/(?:(?:b*+){0,3}a)*c", LOOPED),
        (r"/(?:(?:\b)*a)*c", LOOPED),
        ("/(?:(?:(b*+)(?=a)(?>b?))*a)*c", LOOPED),
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
        ("/(?:.*)(?=.*)(?:.*).*x", SHARED),
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
    "/(?:b*+a)*c",
    "/(?:(?:b*+){3}a)*c",
    "/(?:(?:b++)*a)*c",
    "/(?:(?:b*+)*+a)*c",
    "/(?:(?:/[a-z]*+)*;)*x",
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


LINEAR = [
    "/([^/]+)/([0-9]+)/x",
    r"/.*\.(php|asp)x?",
    ".*(?:bot|crawler).*",
    "(?i)mozilla/.*curl.*$",
    r"https?://.*\.example\.com(?:/.*)?",
    "(?:/[^/]+)*",
    "(?>.*?foo)(?>.*?bar).*",
    r"\w+-\w+(?:,.*|;)",
    ".*/users/([0-9]+)",
    ".*/users/([0-9]+)/(a+)x",
    ".*/[a-z]+(?:-[0-9]+|\\.[a-z]+)x",
]


@pytest.mark.parametrize("pattern", LINEAR)
def test_linear(pattern: str) -> None:
    """S-53: what counts as linear takes time in proportion to the text: 100 kB of whatever it looks for in no time."""
    compiled = re.compile(pattern)
    check_cost(compiled, linear=True)
    for unit in ("a", "/a", "foo", "https://a.example.com/", "botcrawler", "mozilla/curl", "-a", "a.php"):
        before = time.perf_counter()
        compiled.fullmatch((unit * 100_000)[:100_000] + "%")
        assert time.perf_counter() - before < 0.5


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(.*)/(.*)/x", SHARED),
        (".*a[a-z]*", SHARED),
        (".*a.*b.*", SHARED),
        (".*/?[0-9]+x", SHARED),
        (".*(?:/|[0-9])[0-9]+x", SHARED),
        (".*(?:/[a-z]|7)[0-9]+x", SHARED),
        (".*(?:/x){0,2}[0-9]+x", SHARED),
        (".*/[0-9]*[/a-z]+;", SHARED),
        (r".*a.*\b", SHARED),
        (".*a.*(?<=x)", SHARED),
        (r"\s*\s*x", SHARED),
        (r" *[ \t]*x", SHARED),
        ("[^a]*\u00fc*x", SHARED),
        ("[\u00e0-\u00ff]*\u00fc*x", SHARED),
        (r"[^\u0100]*\w*x", SHARED),
        (r"[^\s]*\u00fc*x", SHARED),
        ("(?:a(?=.*))*", "a loop within what is looked for within a loop"),
        (r"(.*)\1x", "a back reference"),
    ],
)
def test_more_than_linear(pattern: str, why: str) -> None:
    """S-53: what takes the square of a text's length is refused where time must be linear, whatever the characters."""
    compiled = re.compile(pattern)
    check_cost(compiled)
    with pytest.raises(ValueError, match=f"pattern: {re.escape(repr(pattern))} has .*{why}"):
        check_cost(compiled, linear=True)


PARTS = ["a", "b", "/", "[ab]", ".", r"\w"]
patterns = st.recursive(
    st.tuples(st.sampled_from(PARTS), st.sampled_from(["", "", "*", "+", "?", "*?", "++", "{2,}"])).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["", "?", "*", "+"])).map(lambda made: f"(?:{made[0]}){made[1]}"),
        inner.map(lambda made: f"(?={made})"),
    ),
    max_leaves=6,
)


@given(patterns, st.text("ab/x", min_size=1, max_size=3), st.text("ab/x", max_size=2))
def test_linear_for_any_pattern(pattern: str, unit: str, end: str) -> None:
    """S-53: of any pattern that counts as linear, 16 kB of anything takes milliseconds: no square, no worse."""
    try:
        compiled = re.compile(pattern)
        check_cost(compiled, linear=True)
    except ValueError:
        return
    before = time.process_time()
    compiled.fullmatch((unit * 16_000)[:16_000] + end)
    assert time.process_time() - before < 0.05


NESTED = st.recursive(
    st.tuples(
        st.sampled_from(["a", "b", "[ab]", "[^b]", ".", r"\b", ""]),
        st.sampled_from(["", "", "*", "+", "?", "*?", "*+", "?+", "{0,3}"]),
    ).map(lambda made: f"(?:{made[0]}){made[1]}"),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.tuples(inner, inner).map("|".join).map("(?:{})".format),
        st.tuples(
            st.sampled_from(["(?:", "(?>", "(?=", "(?!"]), inner, st.sampled_from(["", "*", "*", "?", "*+", "{0,2}"])
        ).map(lambda made: f"(?:{made[0]}{made[1]})){made[2]}"),
    ),
    max_leaves=5,
)


@given(
    NESTED,
    st.sampled_from(["", "c", "$", ".*", "a"]),
    st.text("ab", min_size=1, max_size=3),
    st.text("abc!", max_size=2),
)
@example("(?:(?:b*+)*a)*", "", "a", "!")
@example("(?:(?:(?:b*+)?)a)*", "c", "a", "!")
@settings(deadline=None)
def test_steps_grow_with_the_text(pattern: str, end: str, unit: str, last: str) -> None:
    """S-53: of any pattern that counts as linear, the steps grow as the text does, of going forth and back as ``re``
    does: no square, no worse."""
    pattern += end
    try:
        compiled = re.compile(pattern)
        check_cost(compiled, linear=True)
    except ValueError:
        return
    assert _go_through(pattern, unit, last) is (compiled.fullmatch((unit * 12)[:12] + last) is not None)


def test_steps_of_what_is_refused() -> None:
    """The count tells what is linear from what is not: a square, and worse."""
    for pattern in (".*.*x", "(?:(?:b*+)*a)*", "(?:a+)+x", "(?:(?:b*+)?a)*c"):
        with pytest.raises(TooManySteps):
            _go_through(pattern, "a", "!")


def _go_through(pattern: str, unit: str, last: str) -> bool:
    """Whether the first of three texts matches, each twice as long as the one before. Raises ``TooManySteps`` where
    what is added to the steps does more than double with that: with a square it would be four times as many."""
    found, few = fullmatch(pattern, (unit * 12)[:12] + last, most=100_000)
    _, more = fullmatch(pattern, (unit * 24)[:24] + last, most=100_000)
    fullmatch(pattern, (unit * 48)[:48] + last, most=more + 5 * max(more - few, 0) // 2 + 100)
    return found


def test_ends_of_lines() -> None:
    """S-53: a dot does not take the end of a line, so that where there may be one ``.*`` does not end in any case."""
    check_cost(re.compile(".*a.*"), linear=True)
    check_cost(re.compile("(?s).*a.*"), linear=True, lines=True)
    with pytest.raises(ValueError, match=SHARED):
        check_cost(re.compile(".*a.*"), linear=True, lines=True)


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
