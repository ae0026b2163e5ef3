"""Another path, segment by segment."""

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
from revproxy.filters import PathTemplate
from revproxy.filters.rewriting import check
from revproxy.testing import exchange

from .rewritten import answer, refuses, targets

read = PathPolicy().bind(conditions=True)
read_open = PathPolicy().bind(conditions=False)


@pytest.mark.parametrize(
    ("template", "replacement", "target", "sent"),
    [
        ("/users/{id}/posts", "/posts/by/{id}", "/users/7/posts", "/posts/by/7"),
        ("/users/{id}/posts", "/posts/by/{id}", "/users/7/posts/?a=b", "/posts/by/7/?a=b"),
        ("/users/{id}/posts/", "/posts/by/{id}/", "/users/7/posts?", "/posts/by/7/?"),
        ("/users/{id}/posts", "/posts/by/{id}/", "/users/7/posts/", "/posts/by/7/"),
        ("/{a}/{b}", "/{b}-{a}/{b}", "/x/y", "/y-x/y"),
        ("/a/{b}", "/c", "/a/x?y", "/c?y"),
        ("/a", "/", "/a/", "/"),
        ("/", "/home", "/", "/home"),
        ("/", "/home", "/?q", "/home?q"),
        ("/old/{rest...}", "/new/{rest...}", "/old", "/new"),
        ("/old/{rest...}", "/new/{rest...}", "/old/?", "/new/?"),
        ("/old/{rest...}", "/new/{rest...}", "/old/a//b/?c", "/new/a//b/?c"),
        ("/old/{rest...}", "/{rest...}", "/old", "/"),
        ("/old/{rest...}", "/{rest...}", "/old/x", "/x"),
        ("/{rest...}", "/new/{rest...}", "/", "/new/"),
        ("/{id}/{rest...}", "/{rest...}?id={id}", "/7/x/y?z", "/x/y?id=7&z"),
        ("/{rest...}", "/index.html", "/any/where/", "/index.html"),
        ("/old/{rest...}", "/index.html", "/old/", "/index.html"),
        ("/u/{id:int}/{x...}", "/{x...}?id={id}", "/u/007/y", "/y?id=007"),
        ("/u/{id:[A-F]{2}}", "/{id}", "/u/%41B", "/%41B"),
        ("/caf\xe9/{a}", "/caf\xe9/{a}", "/caf%c3%a9/%7e", "/caf%C3%A9/%7e"),
    ],
)
def test_rewritten(template: str, replacement: str, target: str, sent: str) -> None:
    """A path of the template's form becomes the replacement; a slash at the end and the query stay."""
    assert PathTemplate(template, replacement).rewrite(target) == sent


@pytest.mark.parametrize("target", ["/", "/a", "/a/", "/a//", "/a//b", "/a/x/y", "/a/x//", "/A/x", "/b/x", "/a%2Fx"])
async def test_another_form(target: str) -> None:
    """F-05: what has more segments, fewer, an empty one or others passes as it is, or is a 404."""
    asked = exchange("GET", target)
    await PathTemplate("/a/{b}", "/c/{b}")(asked, answer)
    assert asked.request.target == target
    with pytest.raises(NoRoute):
        await PathTemplate("/a/{b}", "/c/{b}", otherwise="refuse")(asked, answer)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/%61dmin/x", "/y/x"),
        ("/a%64min/%7e%c3%a9\udce9é{", "/y/%7e%c3%a9\udce9é{"),
        ("/admin/a%2fb;c?%zz", "/y/a%2fb;c?%zz"),
    ],
)
def test_canonical_and_raw(target: str, sent: str) -> None:
    """F-02, F-12, S-38: segments are matched in canonical form, and captured as they came."""
    assert PathTemplate("/admin/{x}", "/y/{x}").rewrite(target) == sent


@pytest.mark.parametrize(
    ("template", "replacement", "target", "why"),
    [
        ("/go/{x}", "/.{x}", "/go/;a", "dot segment"),
        ("/go/{x}", "/{x}.", "/go/.a", "->/.a."),
        ("/{rest...}", "/{rest...}", "//evil.test", "->//evil.test"),
        ("/go/{rest...}", "/{rest...}", "/go//evil.test/x", "two slashes"),
        ("/go/{x}", "/{x}", "/go/%2F%2Fevil.test", "->/%2F%2Fevil.test"),
        ("/go/{x}", "/?u={x}", "/go/a%2fb", "->/?u=a%2fb"),
    ],
)
async def test_captures_are_read(template: str, replacement: str, target: str, why: str) -> None:
    """S-26, S-35, S-36, F-04: whatever stood in a segment, nothing is sent that was not let in: 400."""
    filter = PathTemplate(template, replacement)
    asked = exchange("GET", target)
    if why.startswith("->"):
        await filter(asked, answer)
        assert asked.request.target == why.removeprefix("->")
        return
    with pytest.raises(BadRequest, match=why) as caught:
        await filter(asked, answer)
    assert str(caught.value).startswith(repr(filter))


TEMPLATES = [
    ("/{rest...}", "/{rest...}"),
    ("/{a}/{rest...}", "/{rest...}"),
    ("/{a}/{rest...}", "/x/{a}/{rest...}"),
    ("/{a}/{b}", "/.{b}/{a}"),
    ("/{a}/{b}", "/{b}{a}?{a}={b}"),
    ("/a/{b}", "/x-{b}"),
    ("/{a}", "/{a}{a}"),
]


@given(targets, st.sampled_from(TEMPLATES))
@example("/a;/;b", TEMPLATES[3])
def test_one_reading(target: str, form: tuple[str, str]) -> None:
    """S-26, S-35, S-36, S-37, S-38: of any target that has one reading, any template makes one that has, or a 400.
    Where the policy lets more in, it makes none that the policy would not let in as well."""
    for reader in (read, read_open):
        try:
            target = reader(target).target
        except BadRequest:
            continue
        filter = PathTemplate(*form)
        if refuses(filter, target):
            continue
        sent = filter.rewrite(target)
        try:
            check(target, sent or "/")
        except BadRequest:
            continue
        if sent is not None:
            assert reader(sent).target == sent
            assert not sent.startswith("//") or target.startswith("//")
            for second in ("//", "%2F"):
                assert second not in reader(sent).path or second in reader(target).path


@given(targets, st.sampled_from(["/{a}/{b}/x", "/a/{b}", "/{a}", "/", "/%7E/{c}"]))
def test_like_a_naive_matcher(target: str, template: str) -> None:
    """It matches what has as many segments, each of them the template's, or any that is not empty."""
    try:
        reading = read_open(target)
    except BadRequest:
        return
    wanted = [segment for segment in template.split("/")[1:] if segment]
    came = reading.path.removesuffix("/").split("/")[1:]
    fits = len(wanted) == len(came) and all(
        part if segment.startswith("{") else part == canonical(segment)
        for segment, part in zip(wanted, came, strict=True)
    )
    sent = PathTemplate(template, "/z").rewrite(reading.target)
    assert (sent is not None) == fits


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/u/7&admin=1", "/user?id=7%26admin%3D1"),
        ("/u/a+b;c/?x", "/user?id=a%2Bb%3Bc&x"),
        ("/u/7?id=admin&i%64%5Bx%5D=1&a", "/user?id=7&a"),
    ],
)
def test_query(target: str, sent: str) -> None:
    """F-06, S-26: what is captured stays one value of a query, and the client's own of that name is gone."""
    assert PathTemplate("/u/{id}", "/user?id={id}").rewrite(target) == sent


def test_without_the_requests_query() -> None:
    """``keep_query=False`` drops it."""
    assert PathTemplate("/u/{id}", "/user/{id}", keep_query=False).rewrite("/u/7?x=1") == "/user/7"
    assert PathTemplate("/u/{id}", "/user?id={id}", keep_query=False).rewrite("/u/7?x=1") == "/user?id=7"


@pytest.mark.parametrize(
    ("template", "replacement", "target", "sent"),
    [
        ("/", "/index.html", "/", "/index.html"),
        ("/robots", "/static/robots.txt", "/robots/", "/static/robots.txt"),
        ("/x/{a}", "/y/{a}", "/x/7/", "/y/7/"),
        ("/x/{a}", "/y/{a}.txt", "/x/7/", "/y/7.txt"),
    ],
)
def test_a_slash_at_the_end(template: str, replacement: str, target: str, sent: str) -> None:
    """F-03: it stays behind a capture; behind text it would make another path of it."""
    assert PathTemplate(template, replacement).rewrite(target) == sent


@pytest.mark.parametrize("wrong", [None, b"/a", 7])
def test_what_is_no_text(wrong: Any) -> None:
    """Anything but text is a ``TypeError`` that names the parameter."""
    with pytest.raises(TypeError, match=f"template must be a path, got {wrong!r}"):
        PathTemplate(wrong, "/x")
    with pytest.raises(TypeError, match=f"replacement must be a path, got {wrong!r}"):
        PathTemplate("/x", wrong)


@pytest.mark.parametrize("path", ["/a" * 4095, "/" * 8190, "/%61" * 2047, "/" + "a" * 8189])
def test_time_is_linear(path: str) -> None:
    """S-53: the longest path that a server lets in takes hardly any time."""
    before = time.perf_counter()
    for template, replacement in TEMPLATES:
        refuses(PathTemplate(template, replacement), path)
    assert time.perf_counter() - before < 0.5


@pytest.mark.parametrize(
    ("template", "replacement", "why"),
    [
        ("a/{b}", "/c", "template must begin with a slash"),
        ("", "/c", "template must begin with a slash"),
        ("{a}", "/c", "template must begin with a slash"),
        ("/a?b", "/c", "template must be a path without a query"),
        ("/a/../b", "/c", "template: dot segment"),
        ("/a//b", "/c", "template: empty segment"),
        ("/a b", "/c", "template: control character, space"),
        ("/a/img-{n}", "/c", "template: 'img-{n}' is neither text nor one {name}"),
        ("/a/{n:integer}", "/c", "template: 'integer' is neither one of str, int, uuid nor a regular expression"),
        ("/a/{n:[a-z}", "/c", "template: '[a-z' is no regular expression"),
        ("/a/{n:(a+)+}", "/c", "template: '(a+)+' has a choice within a loop"),
        ("/a/{1}", "/c", "template: '{1}' is neither"),
        ("/a/{}", "/c", "template: '{}' is neither"),
        ("/a/}", "/c", "template: '}' is neither"),
        ("/{a}/{a}", "/c", "template: {a} is there twice"),
        ("/{a...}/b", "/c", "template: {a...} must be the last"),
        ("/{a...}/{b}", "/c", "template: {a...} must be the last"),
        ("/{a}", "c", "replacement must begin with a slash"),
        ("/{a}", "", "replacement must begin with a slash"),
        ("/{a}", "/..", "replacement: dot segment"),
        ("/{a}", "/b%2Fc", "replacement: encoded slash"),
        ("/{a}", "//b", "replacement: empty segment"),
        ("/{a}", "/b#c", "replacement: control character, space or fragment"),
        ("/{a}", "/%{a}", "replacement: bad percent"),
        ("/{a}", "/{b}", "replacement: {b} is not in the template"),
        ("/{a}", "/{a", "replacement: a brace"),
        ("/{a}", "/{a}?x={", "replacement: a brace"),
        ("/{a}", "/{a...}", "replacement: {a...} is written otherwise"),
        ("/{a...}", "/{a}", "replacement: {a} is written otherwise"),
        ("/{a...}", "/b{a...}", "replacement: {a...} must be the last segment"),
        ("/{a...}", "/{a...}/b", "replacement: {a...} must be the last segment"),
        ("/{a...}", "/b?/{a...}", "replacement: {a...} must be the last segment"),
    ],
)
def test_bad_templates(template: str, replacement: str, why: str) -> None:
    """S-26: what must not be sent, and what can mean nothing, is refused when it is made; it says which and why."""
    with pytest.raises(ValueError, match=re.escape(why)):
        PathTemplate(template, replacement)


def test_it_prints_itself() -> None:
    """It prints what it was made with."""
    assert repr(PathTemplate("/a/{b}", "/{b}")) == "PathTemplate('/a/{b}', '/{b}')"
    assert repr(PathTemplate("/a", "/b", otherwise="refuse")) == "PathTemplate('/a', '/b', otherwise='refuse')"
