"""Replacement in pieces is replacement in the whole."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import ResponseRefused
from revproxy.filters.transform.given import searchers_of
from revproxy.filters.transform.replacing import END_OF_LINE, ByLine, Replacing


def replacing(replacements: dict[Any, Any], *, ignore_case: bool = False) -> Replacing[str]:
    return Replacing(searchers_of(replacements, str, ignore_case=ignore_case, costly=False), "")


def in_pieces(replacements: dict[Any, Any], text: str, cuts: list[int] | range, **options: bool) -> str:
    subject = replacing(replacements, **options)
    out, place = "", 0
    for cut in (*cuts, len(text)):
        out += subject.feed(text[place:cut])
        place = cut
    return out + subject.finish()


def plainly(replacements: dict[str, str], text: str, flags: int = 0) -> str:
    """One expression over the whole text: the longest first."""
    longest_first = sorted(replacements, key=len, reverse=True)
    whole = re.compile("|".join(map(re.escape, longest_first)), flags)
    lowered = {key.lower(): value for key, value in reversed(replacements.items())} if flags else replacements
    return whole.sub(lambda match: lowered[match[0].lower() if flags else match[0]], text)


@pytest.mark.parametrize("pieces", [1, 100, 10_000])
def test_out_of_proportion(pieces: int) -> None:
    """A text that is all of what is replaced by much more does not fill the memory."""
    subject = replacing({"a": "x" * 100_000})
    with pytest.raises(ResponseRefused, match="far more than what came"):
        subject.feed("a" * 10_000)
    small = replacing({"a": "xx"})
    assert "".join(small.feed("a" * pieces) for _ in range(10)) + small.finish() == "xx" * 10 * pieces


TEXTS = st.text("abcé\n", max_size=40)
LITERALS = st.dictionaries(st.text("abcé", min_size=1, max_size=5), st.text("abX", max_size=4), min_size=1, max_size=4)


@given(LITERALS, TEXTS, st.lists(st.integers(0, 40), max_size=4))
def test_texts(replacements: dict[str, str], text: str, cuts: list[int]) -> None:
    """Any split gives what one expression over the whole gives (S-65): leftmost, then longest."""
    wanted = plainly(replacements, text)
    for pieces in (range(0), range(1, len(text)), sorted(min(cut, len(text)) for cut in cuts)):
        assert in_pieces(replacements, text, pieces) == wanted


@given(LITERALS, st.text("abcABC", max_size=30))
def test_ignoring_case(replacements: dict[str, str], text: str) -> None:
    """So it does where case does not count."""
    wanted = plainly(replacements, text, re.IGNORECASE)
    for pieces in (range(0), range(1, len(text))):
        assert in_pieces(replacements, text, pieces, ignore_case=True) == wanted


PATTERNS = [
    r"a{1,3}",
    r"\bab?\b",
    r"(?<=ab)c",
    r"(?<!a)b(?!c)",
    r"(?m)^a",
    r"(?m)c$",
    r"[a-c]{2}(?=\n)",
    r"(a)(b)?",
    r"a{1,4}?b",
    r"(?i:B)c|ca",
    r"\Bb",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(st.text("abc\né ", max_size=24), st.lists(st.integers(0, 24), max_size=3))
def test_patterns(pattern: str, text: str, cuts: list[int]) -> None:
    """A pattern sees behind and ahead of itself what it would see in the whole."""
    regex = re.compile(pattern)
    wanted = regex.sub(lambda match: f"<{match[0].upper()}>", text)
    replacements = {regex: lambda match: f"<{match[0].upper()}>"}
    for pieces in (range(0), range(1, len(text)), sorted(min(cut, len(text)) for cut in cuts)):
        assert in_pieces(replacements, text, pieces) == wanted


def test_texts_come_before_patterns() -> None:
    """What begins first is replaced; at one place the longest text, then the first pattern. What is put in is not
    looked into."""
    replacements = {re.compile("[ab]{1,9}"): "P", re.compile("a"): "Q", "ab": "ba", "abb": "T"}
    for pieces in (range(0), range(1, 12)):
        assert in_pieces(replacements, "abbab aac bab", pieces) == "Tba Pc P"


def test_templates() -> None:
    """A template is that of ``re.sub``, with groups; a text stands for itself."""
    replacements = {re.compile(r"(?P<a>x)(y)?"): r"[\g<a>|\2|\n]", "z": r"\1"}
    assert in_pieces(replacements, "xy x z", range(1, 6)) == "[x|y|\n] [x||\n] \\1"


def test_what_is_held() -> None:
    """Held back is only what a text may begin with, or what a pattern may reach."""
    subject = replacing({"http://internal": "x"})
    assert subject.feed("see http:/") == "see "
    assert repr(subject) == "<Replacing, 6 held>"
    assert subject.feed("x") == "http:/x"
    assert subject.feed("no beginning of it") == "no beginning of it"
    wide = replacing({re.compile("a{1,10}"): "x"})
    assert wide.feed("b" * 100) == "b" * 91


@given(LITERALS, TEXTS, st.lists(st.integers(0, 40), max_size=4))
def test_lines_that_make_no_difference(replacements: dict[str, str], text: str, cuts: list[int]) -> None:
    """Of texts within a line it makes no difference whether each line is a text of its own, so that it is not asked."""
    subject = replacing(replacements)
    assert not subject.by_line
    assert replacing({re.compile("a"): ""}).by_line
    assert replacing({"a\nb": ""}).by_line
    by_line, place, out = ByLine(subject, END_OF_LINE), 0, ""
    for cut in (*sorted(min(cut, len(text)) for cut in cuts), len(text)):
        out += by_line.feed(text[place:cut])
        place = cut
    assert out + by_line.finish() == in_pieces(replacements, text, range(0))


def test_by_line() -> None:
    """Lines by themselves wait for nothing, and nothing goes beyond one."""
    subject = ByLine(replacing({"ab": "X", "a\nb": "Y"}), END_OF_LINE)
    assert subject.feed("xab a\n") == "xX a\n"
    assert subject.feed("b\r\na") == "b\r\n"
    assert subject.feed("b\r") == "X\r"
    assert subject.feed("\n\n") == "\n\n"
    assert subject.feed("a") + subject.finish() == "a"
    assert repr(subject) == "<ByLine of <Replacing, 0 held>>"
