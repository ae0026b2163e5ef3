"""Another path, by a regular expression."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy import PathPolicy
from revproxy.canonical import canonical
from revproxy.errors import BadRequest, NoRoute
from revproxy.filters import PathRewrite
from revproxy.filters.rewriting import check
from revproxy.testing import exchange

from .rewritten import answer, targets

read = PathPolicy().bind(conditions=True)
read_open = PathPolicy().bind(conditions=False)


@pytest.mark.parametrize(
    ("pattern", "replacement", "target", "sent"),
    [
        (r"/users/([^/]+)/posts", r"/posts/by/\1", "/users/7/posts", "/posts/by/7"),
        (r"/users/([^/]+)/posts", r"/posts/by/\1", "/users/7/posts?a=/users/b", "/posts/by/7?a=/users/b"),
        (r"/users/([^/]+)/posts", r"/posts/by/\1", "/users/7/posts?", "/posts/by/7?"),
        (r"^/a/(.*)$", r"/b/\1", "/a/x/y/", "/b/x/y/"),
        (r"(/[^/]+)/old(/.*)?", r"\1/new\2", "/x/old/y", "/x/new/y"),
        (r"(/[^/]+)/old(/.*)?", r"\1/new\2", "/x/old", "/x/new"),
        (r"/(?P<a>\w+)/(?P<b>\w+)", r"/\g<b>/\g<a>", "/x/y", "/y/x"),
        (r"/(\w)(\w)", r"/\g<1>0\2", "/ab", "/a0b"),
        (r"/a|/b(c)?", r"/z\g<1>", "/a", "/z"),
        (r"/.*", "/index.html", "/any/where?", "/index.html?"),
        (r"/" + r"(\w)" * 10, r"/\10\1", "/abcdefghij", "/ja"),
        (r"/x(.*)", r"/y\g<0>", "/x/1", "/y/x/1"),
        (r"/$metadata".replace("$", r"\$"), r"/$meta/caf" + "\xe9", "/$metadata", "/$meta/caf%C3%A9"),
    ],
)
def test_rewritten(pattern: str, replacement: str, target: str, sent: str) -> None:
    """The path is replaced by what groups have captured, as ``re`` has it; the query stays byte for byte."""
    assert PathRewrite(pattern, replacement).rewrite(target) == sent
    assert PathRewrite(re.compile(pattern), replacement).rewrite(target) == sent


@pytest.mark.parametrize("target", ["/", "/a", "/a/x/y", "/b/a/x", "/A/x", "/?/a/x", "/a%2Fx"])
async def test_what_does_not_match(target: str) -> None:
    """A pattern that matches a part of the path does not match: it passes as it is, or is a 404."""
    asked = exchange("GET", target)
    await PathRewrite(r"/a/([^/]*)", r"/b/\1")(asked, answer)
    assert asked.request.target == target
    with pytest.raises(NoRoute):
        await PathRewrite(r"/a/([^/]*)", r"/b/\1", otherwise="refuse")(asked, answer)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/%61dmin/x", "/y/x"),
        ("/a%64min/%78", "/y/%78"),
        ("/admin/%7e%c3%a9/\udce9é{", "/y/%7e%c3%a9/\udce9é{"),
        ("/admin/%3B;?%zz", "/y/%3B;?%zz"),
        ("/admin/a%2Fb%2f", "/y/a%2Fb%2f"),
    ],
)
def test_canonical_and_raw(target: str, sent: str) -> None:
    """F-02, F-12, S-38: what is matched is the canonical path, so encoding a letter is no way around a pattern; what is
    captured is sent as it came."""
    assert PathRewrite("/admin/(.*)", r"/y/\1").rewrite(target) == sent


@pytest.mark.parametrize("target", ["/%C3%A9", "/é", "/%c3%a9", "/\udcc3\udca9"])
@pytest.mark.parametrize("pattern", ["/(%)(C3%A9)", "/(%C)(.*)", "/(%C3)(%A9)", "/(.)(.*)"])
def test_no_half_characters(pattern: str, target: str) -> None:
    """S-38: a group that begins or ends within an encoded character is a 400, unless both of its ends are in what
    came."""
    filter = PathRewrite(pattern, r"/\1-\2")
    if pattern == "/(%C3)(%A9)" and target != "/é":
        assert filter.rewrite(target) == f"{target[: len(target) // 2 + 1]}-{target[len(target) // 2 + 1 :]}"
    else:
        with pytest.raises(BadRequest, match="within a percent-encoded character"):
            filter.rewrite(target)
    with pytest.raises(BadRequest, match="within a percent-encoded character"):
        PathRewrite("/%C(.*)", r"/\1").rewrite(target)  # it ends well


# What captures make of a path.


@pytest.mark.parametrize(
    ("pattern", "replacement", "target", "why"),
    [
        (r"/go/(.*)", r"/x/.\1", "/go/", "dot segment"),
        (r"/go/(.*)", r"/x/.\1", "/go/.x", "->/x/..x"),
        (r"/go/a(.*)", r"/x/.\1/y", "/go/a.", "dot segment"),
        (r"/go/a(.*)", r"/x/.\1", "/go/a%2e", "dot segment"),
        (r"/go/(.*)", r"/x/.\1", "/go/;x", "dot segment"),
        (r"/a(.*)b(.*)", r"/\1\2", "/a.b.", "dot segment"),
        (r"/a(.*)b(.*)", r"/\1\2", "/a%2Eb.;x", "dot segment"),
        (r"/go(.*)", r"/\1", "/go/evil.test", "empty segment"),
        (r"/go(.*)", r"/x/\1", "/go/y", "empty segment"),
        (r"/x/(.*)/y", r"/x/\1/y", "/x//y", "->/x//y"),
        (r"/x(.*)y", r"/a/\1/b", "/xy", "empty segment"),
        (r"/go/(.*)", r"/\1", "/go//evil.test/x", "two slashes"),
        (r"/go(.*)", r"\1", "/go//evil.test/x", "two slashes"),
        (r"/(/.*)", r"/\1", "//evil.test/x", "->//evil.test/x"),
        (r"/go/(.*)", r"\1", "/go/*", "no slash at the beginning"),
        (r"/(.*)", r"\1", "/*", "no slash at the beginning"),
        (r"/go/(.*)", r"\1", "/go/http://evil.test/", "no slash at the beginning"),
        (r"/go/(.*)", r"\1", "/go/", "->/"),
        (r"/(.*)25(.*)", r"/\1\2", "/a%252F", "within a percent"),
    ],
)
async def test_captures_are_read(pattern: str, replacement: str, target: str, why: str) -> None:
    """S-26, S-35, S-36, S-37, F-04: whatever a capture holds, nothing is sent that was not let in: a second reading
    that the client did not send is a 400."""
    filter = PathRewrite(pattern, replacement)
    asked = exchange("GET", target)
    if why.startswith("->"):
        await filter(asked, answer)
        assert asked.request.target == why.removeprefix("->")
        return
    with pytest.raises(BadRequest, match=why) as caught:
        await filter(asked, answer)
    assert str(caught.value).startswith(repr(filter))
    assert asked.request.target == target


PATTERNS = [
    (r"/(.*)", r"/\1"),
    (r"(.*)", r"\1"),
    (r"/([^/]*)(.*)", r"\2/\1"),
    (r"(/[^/]*)?(/[^/]*)?(/.*)?", r"\3\1\2"),
    (r"/(.)(.*)", r"/.\1\2"),
    (r"/(.*)(.)(.)", r"/\3\1\2/x"),
    (r"(.*)([a-z.])(.*)", r"/\1\3"),
    (r"/(.*)", r"/x?y=\1"),
]


@given(targets, st.sampled_from(PATTERNS))
@example("/%2E", PATTERNS[4])
@example("/a//b", PATTERNS[3])
def test_one_reading(target: str, form: tuple[str, str]) -> None:
    """S-26, S-35, S-36, S-37, S-38: of any target that has one reading, any rewriting makes one that has, or a 400.
    Where the policy lets more in, it makes none that the policy would not let in as well."""
    for reader in (read, read_open):
        try:
            target = reader(target).target
        except BadRequest:
            continue
        try:
            sent = PathRewrite(*form, otherwise="refuse").rewrite(target)
            check(target, sent or "/")
        except BadRequest:
            continue
        if sent is not None:
            assert reader(sent).target == sent
            assert sent.startswith("/")
            assert not sent.startswith("//") or target.startswith("//")
            for second in ("//", "%2F"):
                assert second not in reader(sent).path or second in reader(target).path


@given(targets, st.sampled_from(PATTERNS[:6]))
def test_like_re(target: str, form: tuple[str, str]) -> None:
    """The path is what ``re.sub`` makes of the canonical path, in canonical form; where it is plain, to the byte."""
    try:
        reading = read_open(target)
        sent = PathRewrite(*form).rewrite(reading.target)
    except BadRequest:
        return
    expected = re.sub(rf"\A(?:{form[0]})\Z", form[1], reading.path)
    if sent is not None:
        assert canonical(sent.partition("?")[0]) == canonical(expected) or not expected
        assert sent.partition("?")[1:] == target.partition("?")[1:]
        if reading.target.partition("?")[0] == reading.path:
            assert sent.partition("?")[0] == (expected or "/")


# A query.


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/u/7", "/user?id=7"),
        ("/u/7?", "/user?id=7"),
        ("/u/7?a=1&id=8", "/user?id=7&a=1"),
        ("/u/7?id[]=8&i%64=9&+id=3&b", "/user?id=7&b"),
        ("/u/7?a=1;id=8&b;c", "/user?id=7&b;c"),
        ("/u/7?ident=8", "/user?id=7&ident=8"),
        ("/u/7&admin=1", "/user?id=7%26admin%3D1"),
        ("/u/7;admin=1", "/user?id=7%3Badmin%3D1"),
        ("/u/a+b%26c%2Bd%20", "/user?id=a%2Bb%26c%2Bd%20"),
        ("/u/é", "/user?id=é"),
        ("/u/*?x", "/user?id=*&x"),
    ],
)
def test_query(target: str, sent: str) -> None:
    """F-06, F-07, S-26: a query of the replacement comes before the request's; what is captured stays one value of
    it, and cannot become another parameter."""
    assert PathRewrite("/u/([^/]+)", r"/user?id=\1").rewrite(target) == sent


def test_query_of_text() -> None:
    """What stands in the query of a replacement is kept, and encoded where a URL needs it."""
    assert PathRewrite("/a", "/b?x=é&y=/?%2a&").rewrite("/a?c") == "/b?x=%C3%A9&y=/?%2a&&c"
    assert PathRewrite("/a(.)", r"/b\1?\1=1?\1").rewrite("/a=") == "/b=?%3D=1?%3D"


# Bounds.


def test_length() -> None:
    """S-53: a path beyond the limit is refused before anything is matched; the query does not count."""
    filter = PathRewrite("(/x)+y", "/z", limit=20)
    assert PathRewrite("/x(/y)?", "/z", limit=20).rewrite("/" + "a" * 100) is None  # which it is not for
    assert filter.rewrite("/" + "a" * 19 + "?" + "q" * 1000) is None
    for target in ("/" + "a" * 20, "/x" * 4000, "/é/é/é"):
        with pytest.raises(BadRequest, match="at most 20 are matched"):
            filter.rewrite(target)
    with pytest.raises(BadRequest, match="at most 2048"):
        PathRewrite("/.*", "/").rewrite("/" + "a" * 2048)


@pytest.mark.parametrize("path", ["/a" * 1024, "/" + "a" * 2047, "/%41" * 512, "/%7e" * 1000, "/é" * 290])
def test_time(path: str) -> None:
    """S-53: the longest path takes milliseconds with a pattern that looks twice, and with segments hardly anything."""
    before = time.perf_counter()
    PathRewrite("/(.*)/(.*)/x", r"/\2/\1").rewrite(path)
    PathRewrite("((?:/[^/]++)*)", r"/y\1").rewrite(path)
    assert time.perf_counter() - before < 0.5


@pytest.mark.parametrize("pattern", ["/(.*)/(.*)/(.*)/x", "(/.*)+/x", re.compile("/(a+)+b")])
def test_patterns_that_cost_too_much(pattern: str | re.Pattern[str]) -> None:
    """S-53: a pattern whose cost is out of proportion is refused unless it is asked for (see test_pattern_cost)."""
    with pytest.raises(ValueError, match=r"pattern: .* has .*\(costly=True\)"):
        PathRewrite(pattern, "/")
    PathRewrite(pattern, "/", costly=True)


def test_without_the_requests_query() -> None:
    """``keep_query=False`` drops it."""
    assert PathRewrite("/a", "/b?x=1", keep_query=False).rewrite("/a?y=2") == "/b?x=1"
    assert PathRewrite("/a", "/b", keep_query=False).rewrite("/a?y=2") == "/b"


# What it is made with.


@pytest.mark.parametrize(
    ("pattern", "replacement", "why"),
    [
        ("/(", "/", "pattern: .* is no regular expression"),
        ("/é", "/", "pattern: .* in ASCII"),
        ("/a", "", "replacement must begin with a slash"),
        ("/a", "b", "replacement must begin with a slash"),
        ("/a", "?b", "replacement must begin with a slash"),
        ("/a", "http://evil.test/", "replacement must begin with a slash"),
        ("/(a)", r"x\1", "replacement must begin with a slash"),
        ("/a", "//evil.test", "replacement: empty segment"),
        ("/a", "/b//", "replacement: empty segment"),
        ("/a", "/../b", "replacement: dot segment"),
        ("/a", "/b/%2e%2e", "replacement: dot segment"),
        ("/a", "/%2F", "replacement: encoded slash"),
        ("/a", "/%5C", "replacement: backslash"),
        ("/a", "/%00", "replacement: NUL"),
        ("/a", "/b c", "replacement: control character, space"),
        ("/a", "/b\r\nX: y", "replacement: control character"),
        ("/a", "/b?c\r\nX: y", "replacement: control character"),
        ("/a", "/b#c", "replacement: .*fragment"),
        ("/a", "/b?c#d", "replacement: .*fragment"),
        ("/(a)", r"/%\1", "replacement: bad percent"),
        ("/(a)", r"/%4\1", "replacement: bad percent"),
        ("/(a)", r"/\2", r"replacement: .* has \\2, which is no group"),
        ("/(a)", r"/\10", r"replacement: .* has \\10, which is no group"),
        ("/u/(.*)", r"/user?id=%\1", "replacement: bad percent"),
        ("/u/(.*)", r"/user?id=%4\1", "replacement: bad percent"),
        ("/(a)", r"/\g<b>", "replacement: .*, which is no group"),
        ("/(a)", r"/\g<2>", "replacement: .*, which is no group"),
        ("/(a)", r"/\0", "replacement: groups are"),
        ("/(a)", r"/\n", "replacement: groups are"),
        ("/(a)", "/\\\\", "replacement: groups are"),
        ("/(a)", r"/?x=\n", "replacement: groups are"),
        ("/(a)", "/$1", "replacement: groups are"),
        ("/(a)", "/${1}", "replacement: groups are"),
    ],
)
def test_bad_rewriting(pattern: str, replacement: str, why: str) -> None:
    """S-26: what must not be sent, and what can mean nothing, is refused when it is made; it says which and why."""
    with pytest.raises(ValueError, match=why):
        PathRewrite(pattern, replacement)


@pytest.mark.parametrize("pattern", [b"/a", re.compile(b"/a"), None, 7])
def test_what_is_no_pattern(pattern: Any) -> None:
    """Anything but text is a ``TypeError``."""
    with pytest.raises(
        TypeError, match=f"pattern must be a str or a compiled pattern of str, got {re.escape(repr(pattern))}"
    ):
        PathRewrite(pattern, "/b")


@pytest.mark.parametrize("replacement", [b"/b", None, 7])
def test_what_is_no_replacement(replacement: Any) -> None:
    """Anything but text is a ``TypeError``."""
    with pytest.raises(TypeError, match=f"replacement must be a path, got {replacement!r}"):
        PathRewrite("/a", replacement)


@pytest.mark.parametrize("pattern", ["a?/b", "a*/b", "a{0}/b", "x|/b", r"\/b", "(?i)/B", "[/]b", "^/b"])
def test_patterns_that_may_match(pattern: str) -> None:
    """Only what cannot match a path is refused."""
    assert PathRewrite(pattern, "/c").rewrite("/b") == "/c"


def test_bad_options() -> None:
    """It says which parameter is wrong, and how."""
    wrong: list[Any] = [0, -1, "20", None, 20.0, True]
    for limit in wrong:
        with pytest.raises(ValueError, match=f"limit must be an integer of at least 1, got {limit!r}"):
            PathRewrite("/a", "/b", limit=limit)
    with pytest.raises(ValueError, match="otherwise must be"):
        PathRewrite("/a", "/b", otherwise="")  # type: ignore[arg-type]


def test_it_prints_itself() -> None:
    """It prints what it was made with."""
    assert repr(PathRewrite("/a/(.*)", r"/b/\1")) == r"PathRewrite('/a/(.*)', '/b/\\1')"
    assert repr(PathRewrite("/a", "/b", otherwise="refuse")) == "PathRewrite('/a', '/b', otherwise='refuse')"
