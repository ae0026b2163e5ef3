"""The one reading of a media type."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.media_types import MediaType, media_ranges, media_type

TOKENS = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("said", "name", "parameters"),
    [
        ("application/json", "application/json", {}),
        ("APPLICATION/Json", "application/json", {}),
        ("application/json ; charset=x", "application/json", {"charset": "x"}),
        ("application/json\t", "application/json", {}),
        ("application/json\t;\tcharset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('a/b;CHARSET="utf-8"', "a/b", {"charset": "utf-8"}),
        ('a/b; x="; y=z"; y="\\"\\\\\t"', "a/b", {"x": "; y=z", "y": '"\\\t'}),
        ("a/b;", "a/b", {}),
        ("a/b;;x=1; ;", "a/b", {"x": "1"}),
        ('a/b;x="caf\u00e9\udcff"', "a/b", {"x": "caf\u00e9\udcff"}),
    ],
)
def test_what_it_says(said: str, name: str, parameters: dict[str, str]) -> None:
    """S-44: type and parameters, whatever their case, quotes and spaces."""
    read = media_type([said])
    assert read == MediaType(name, parameters)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "application",
        "application/",
        "/json",
        "application/json charset=x",
        "application/json, text/plain",
        "application/json; charset",
        "application/json; charset=",
        "application/json; charset =x",
        "application/json; charset= x",
        'application/json; charset="x',
        'application/json; charset="x"y',
        'application/json; charset="\x01"',
        "application/json; charset=x; Charset=y",
        "application /json",
        "application/json\x0b",
        "application/json\n",
        "application/json/x",
        "applicati\u00f6n/json",
    ],
)
def test_what_is_none(said: str) -> None:
    """S-44: what does not follow the grammar, or says a thing twice, is no media type at all."""
    assert media_type([said]) is None


def test_how_many() -> None:
    """S-44: none and two are none: who reads the first and who reads the last would not agree."""
    assert media_type([]) is None
    assert media_type(["a/b", "a/b"]) is None


@given(st.text(max_size=40))
@example("a/b" + ";" * 30)
def test_any_text(said: str) -> None:
    """Whatever is read begins with what it is said to be."""
    read = media_type([said])
    if read is not None:
        assert said.strip(" \t").lower().startswith(read.name)


@given(
    TOKENS,
    TOKENS,
    st.dictionaries(
        TOKENS.map(str.lower),
        st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=8),
        max_size=4,
    ),
)
def test_there_and_back(kind: str, sub: str, parameters: dict[str, str]) -> None:
    """What the grammar lets a sender say is what is read."""
    said = f"{kind}/{sub}"
    for name, value in parameters.items():
        quoted = re.sub(r'(["\\])', r"\\\1", value)
        said += f' ; {name}="{quoted}"'
    assert media_type([said]) == MediaType(f"{kind}/{sub}".lower(), parameters)


@pytest.mark.parametrize("said", ["a/b" + ' ;\t; ;x="' * 5000, "a/b;" + "x" * 60000, 'a/b;x="' + "\\" * 60001])
def test_linear(said: str) -> None:
    """S-44: what a client may send at length is read in linear time."""
    assert media_type([said]) is None


@pytest.mark.parametrize(
    ("name", "json"),
    [
        ("application/json", True),
        ("text/json", True),
        ("application/ld+json", True),
        ("application/jsonp", False),
        ("text/x-json", False),
    ],
)
def test_json(name: str, json: bool) -> None:
    """RFC 6839 section 3.1: what ends in +json is JSON."""
    assert MediaType(name, {}).is_json is json


def test_ranges() -> None:
    """A type, all of a kind, or all with a suffix."""
    (any_image,) = media_ranges(["image/*"])
    assert re.fullmatch(any_image, "image/png")
    (suffix,) = media_ranges(["application/*+JSON"])
    assert re.fullmatch(suffix, "application/ld+json")
    assert not re.fullmatch(suffix, "application/json")
    with pytest.raises(ValueError, match="kinds: 'json'"):
        media_ranges(["json"], "kinds")
