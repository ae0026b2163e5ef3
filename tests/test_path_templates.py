"""Templates of paths: what they match, what they capture, what they refuse to be made of."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.canonical import canonical
from revproxy.path_templates import Capture, PathValue, Template
from revproxy.paths import PathPolicy

from .test_paths import reading, targets

read = PathPolicy().bind(conditions=False)
ID = "0123abcd-4567-89AB-cdef-000000000000"


def values(template: str, target: str) -> dict[str, PathValue] | None:
    form = Template(template)
    captures = form.match(read(target).path)
    return None if captures is None else form.values(captures)


@pytest.mark.parametrize(
    ("template", "target", "expected"),
    [
        ("/", "/", {}),
        ("/", "/a", None),
        ("/a", "/a/", {}),
        ("/a/", "/a", {}),
        ("/a", "/a//", None),
        ("/u/{id}", "/u/7", {"id": "7"}),
        ("/u/{id}", "/u/7/", {"id": "7"}),
        ("/u/{id:str}", "/u/caf%c3%a9%20%2F", {"id": "café /"}),
        ("/u/{id}", "/u/%ff", {"id": "\udcff"}),
        ("/u/{id}", "/u/", None),
        ("/u/{id}", "/u//", None),
        ("/u/{id}", "/u", None),
        ("/u/{id}", "/u/7/x", None),
        ("/u/{id}", "/U/7", None),
        ("/%75/{id}", "/u/%37", {"id": "7"}),
        ("/u/{id:int}", "/u/7", {"id": 7}),
        ("/u/{id:int}", "/u/0", {"id": 0}),
        ("/u/{id:int}", "/u/000", {"id": 0}),
        ("/u/{id:int}", "/u/007", {"id": 7}),
        ("/u/{id:int}", "/u/" + "0" * 5000 + "7", {"id": 7}),
        ("/u/{id:int}", "/u/9999999999999999999", {"id": 9999999999999999999}),
        ("/u/{id:int}", "/u/10000000000000000000", None),
        ("/u/{id:int}", "/u/" + "9" * 5000, None),
        ("/u/{id:int}", "/u/-7", None),
        ("/u/{id:int}", "/u/7.0", None),
        ("/u/{id:int}", "/u/%D9%A1", None),  # a digit, but no decimal one of ASCII
        ("/u/{id:int}", "/u/7%0A", None),
        ("/u/{id:uuid}", f"/u/{ID}", {"id": UUID(ID)}),
        ("/u/{id:uuid}", f"/u/{ID.replace('-', '')}", None),
        ("/u/{id:uuid}", f"/u/{{{ID}}}", None),
        ("/u/{id:[a-z]{2}}", "/u/de", {"id": "de"}),
        ("/u/{id:[a-z]{2}}", "/u/dex", None),
        ("/u/{id:(?i)[a-z]+(?:%20[a-z]+)?}", "/u/a%20B", {"id": "a B"}),
        ("/u/{id:.*}", "/u/a/b", None),
        ("/u/{id:.*}", "/u/", None),
        ("/{a}/{b:int}/x", "/p/2/x", {"a": "p", "b": 2}),
        ("/f/{name...}", "/f", {"name": ""}),
        ("/f/{name...}", "/f/", {"name": ""}),
        ("/f/{name...}", "/f/a/%c3%a9/", {"name": "a/%C3%A9/"}),
        ("/f/{name...}", "/f//a", {"name": "/a"}),
        ("/f/{name...}", "/fx", None),
        ("/{name...}", "/", {"name": ""}),
        ("/{name...}", "*", None),
        ("/", "*", None),
        ("/a%2Fb/{x}", "/a%2fb/c", {"x": "c"}),
    ],
)
def test_values(template: str, target: str, expected: dict[str, Any] | None) -> None:
    """F-12, S-38, S-39: segment by segment, on the canonical path; a value is what a segment says, of its kind."""
    assert values(template, target) == expected


@given(targets, st.sampled_from(["/{a}/{b}", "/a/{b...}", "/{a}", "/{a:int}/{b...}", "/a/b.c/{x:[a-z.]+}", "/"]))
@example("/%2561", "/{a}")
def test_like_a_naive_matcher(target: str, template: str) -> None:
    """For any path, what is captured is what plain comparison of segments finds."""
    found = reading(read, target)
    if found is None:
        return
    wanted, came = [each for each in template.split("/")[1:] if each], found.path.split("/")[1:]
    expected: dict[str, PathValue] | None = {}
    for at, segment in enumerate(wanted):
        assert expected is not None
        name, _, kind = segment.strip("{}").partition(":")
        if name.endswith("..."):
            expected[name[:-3]] = "/".join(came[at:])
            came = came[:at]
            break
        if at >= len(came) or not came[at]:
            expected = None
            break
        if "{" not in segment:
            if canonical(segment) != came[at]:
                expected = None
                break
            continue
        pattern = {"int": "[0-9]{1,19}", "": ".*"}.get(kind, kind)
        if re.fullmatch(pattern, came[at]) is None:
            expected = None
            break
        text = unquote(came[at], errors="surrogateescape")
        expected[name] = int(text) if kind == "int" else text
    else:
        if came[len(wanted) :] not in ([], [""]):
            expected = None
    assert values(template, target) == expected


def test_raw_paths() -> None:
    """F-02: of a path that is not canonical, pieces are captured byte for byte, and matched in canonical form."""
    template = Template("/a/{x:int}/{y}/{z...}")
    assert template.match("/%61/%37/%c3%a9/%7e/", canonical) == ["%37", "%c3%a9", "/%7e/"]
    assert template.match("/%61/%37/%c3%a9") is None
    assert (template.names, template.tail, template.prefix) == (("x", "y", "z"), "z", "/a")
    assert [type(segment) for segment in template.segments] == [str, Capture, Capture]


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("a", "template must begin with a slash, got 'a'"),
        ("/a?b", "template must be a path without a query"),
        ("/a/../b", "template: dot segment in the path: '/a/../b'"),
        ("/a//b", "template: empty segment"),
        ("/%zz", "template: bad percent-encoding"),
        ("/a\\b", "template: backslash"),
        ("/x{a}", "template: 'x{a}' is neither text nor one {name}, in '/x{a}'"),
        ("/{a}x", "template: '{a}x' is neither"),
        ("/{a:}", "template: '{a:}' is neither"),
        ("/{a b}", "template: control character, space"),
        ("/{1a}", "template: '{1a}' is neither"),
        ("/{a:[^/]+}", "template: '{a:[^' is neither"),
        ("/{a}/{a:int}", "template: {a} is there twice"),
        ("/{a}/{a...}", "template: {a} is there twice"),
        ("/{a...}/b", "template: {a...} must be the last segment"),
        ("/{a:integer}", "template: 'integer' is neither one of str, int, uuid nor a regular expression"),
        ("/{a:(}", "template: '(' is no regular expression"),
        ("/{a:[é]}", "template: paths are matched percent-encoded, in ASCII"),
        ("/{a:(x+)+y}", "template: '(x+)+y' has a choice within a loop"),
        ("/{a:.*x.*y}", "template: '.*x.*y' has 2 loops that may share a text"),
    ],
)
def test_bad_templates(template: str, why: str) -> None:
    """S-53: what can match nothing, or at too high a cost, is a ValueError that says which and why."""
    with pytest.raises(ValueError, match=re.escape(why)):
        Template(template)


def test_what_is_no_text() -> None:
    """Anything but text is a TypeError; a template prints itself."""
    with pytest.raises(TypeError, match="template must be a path, got None"):
        Template(None)  # type: ignore[arg-type]
    assert repr(Template("/a/{b:int}")) == "Template('/a/{b:int}')"


@pytest.mark.parametrize("path", ["/a" * 4095, "/" * 8190, "/" + "0" * 8189, "/" + "a-" * 4094, "/a/" + "%25" * 2700])
def test_time_is_linear(path: str) -> None:
    """S-53: the longest path that a server lets in takes hardly any time."""
    before = time.perf_counter()
    for text in ("/{a:int}", "/{a:(?:[a-z]-)*}", "/a/{b}", "/{a}/{b...}", "/{a:uuid}"):
        template = Template(text)
        captures = template.match(path)
        if captures is not None:
            template.values(captures)
    assert time.perf_counter() - before < 0.5
