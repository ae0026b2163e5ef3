"""Paths: what they say, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given

from revproxy.json_stream import JsonPath, json_paths
from revproxy.json_stream.path import Step, Wild

from .reference import PATHS


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("a.b-c.d e", ("a", "b-c", "d e")),
        ("items[*].id", ("items", Wild.ELEMENT, "id")),
        ("[*][*]", (Wild.ELEMENT, Wild.ELEMENT)),
        ("*.**.*", (Wild.NAME, Wild.DEPTH, Wild.NAME)),
        ("**[*].é", (Wild.DEPTH, Wild.ELEMENT, "é")),
        ('"a.b"."c*"[*].""', ("a.b", "c*", Wild.ELEMENT, "")),
        (r'"\u0061\"\\"', ('a"\\',)),
    ],
)
def test_steps(text: str, steps: tuple[Step, ...]) -> None:
    """A path is steps: names, any name, elements, any depth."""
    assert JsonPath.of(text).steps == steps


@given(PATHS)
def test_spelling(path: JsonPath) -> None:
    """A path prints itself so that it can be read again."""
    assert JsonPath.of(str(path)) == path
    assert repr(path) == f"JsonPath.of({str(path)!r})"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "path '': it has no step"),
        ("a..b", r"path 'a\.\.b': a name, \* or \*\* is expected at 2"),
        (".a", r"path '\.a': a name, \* or \*\* is expected at 0"),
        ("a.", "is expected at 2"),
        ("a[0]", r"path 'a\[0\]': \. or \[\*\] is expected at 1"),
        ("a[*]b", r"\. or \[\*\] is expected at 4"),
        ("a*", r"\. or \[\*\] is expected at 1"),
        ("***", r"\. or \[\*\] is expected at 2"),
        ("a]", "is expected at 1"),
        ('a."b', "the quotes at 2 have no end"),
        (r'"\x"', "what is in quotes at 0 is no string of JSON"),
        (r'"\ud800"', "what is in quotes at 0 is no string of JSON"),
        (".".join("a" * 65), "it has 65 steps, of 64 at most"),
        ("a" * 257, "a name has more than 256 bytes"),
    ],
    ids=range(14),
)
def test_no_path(text: str, message: str) -> None:
    """What is no path says so, with the place."""
    with pytest.raises(ValueError, match=message):
        JsonPath.of(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("$.items[*].id", "items[*].id"),
        ("$[*].id", "[*].id"),
        ("$..password", "**.password"),
        ("$", "items[*].id"),
        ("$['items']", "items[*].id"),
        ("/items/id", "items.id"),
        ("/items/0/a.b", 'items[*]."a.b"'),
        ("/items/-/a~1b", "items[*].a/b"),
    ],
)
def test_other_languages(text: str, meant: str) -> None:
    """What is a path of RFC 9535 or RFC 6901 is none here, and is told how it is spelled. In quotes it is a name."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011  # its text is looked at
        JsonPath.of(text)
    assert f"paths begin without {text[0]!r}, as in {meant!r}" in str(raised.value)
    JsonPath.of(meant)


@pytest.mark.parametrize("path", [JsonPath(("$", "a")), JsonPath(("/a", "/")), JsonPath(("$ref",))], ids=str)
def test_names_like_those(path: JsonPath) -> None:
    """Names that begin like such paths are there in quotes, and print themselves so."""
    assert JsonPath.of(str(path)) == path


@pytest.mark.parametrize("path", ["\ud800", "a\udfff.b", '"\ud800"', '"\\ud800"'], ids=ascii)
def test_half_a_surrogate_pair(path: str) -> None:
    """What is no character is in no name, and is told like what else is wrong."""
    with pytest.raises(ValueError, match=r"^only: path "):
        json_paths("only", [path])


def test_several() -> None:
    """Several paths are each there once; errors name the parameter."""
    assert json_paths("only", ["a", JsonPath.of("b"), "a"]) == (JsonPath.of("a"), JsonPath.of("b"))
    with pytest.raises(TypeError, match=r"^only must be several paths, in a list, got 'a'"):
        json_paths("only", "a")
    with pytest.raises(ValueError, match=r"^without must not be empty"):
        json_paths("without", [])
    with pytest.raises(ValueError, match=r"^only: path 'a\.\.b'"):
        json_paths("only", ["a..b"])
    with pytest.raises(TypeError, match=r"^only: a path must be a str, got 1"):
        json_paths("only", [1])  # type: ignore[list-item]
