"""Words of which one must be in a text for a pattern to be found in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.pattern_words import needs_of, words_of


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("union select", {"union select"}),
        (r"\bunion\b ?select", {"select"}),
        ("(?:select|insert) [a-z]{1,9}", {"select ", "insert "}),
        ("x?", set()),
        (r"a|\w", set()),
        (r"[<>]script", {"<script", ">script"}),
        (r"(?:ab){1,3}", {"ab"}),
        (r"(?:ab){0,3}", set()),
        (r"(?=abc)x", {"x"}),
        (r"\d{1,3}", set()),
    ],
)
def test_words(pattern: str, words: set[str]) -> None:
    """The longest that can be had."""
    found = words_of(pattern)
    assert all(any(word in each for each in words) for word in found) if words else not found - {""}
    assert found or not words


atoms = st.sampled_from(["a", "b", "c", "ab", "[ab]", r"\w", ".", "(?:a|bc)", "(?:ab?|c)"])
patterns = st.lists(
    st.tuples(atoms, st.sampled_from(["", "?", "{0,2}", "{1,2}", "{1,2}+"])).map("".join), min_size=1, max_size=5
).map("".join)


@given(patterns, st.text(alphabet="abc", max_size=8))
def test_no_match_without_a_word(pattern: str, text: str) -> None:
    """Where a pattern is found, so is one of its words."""
    words = words_of(pattern)
    if re.search(pattern, text) is not None and words:
        assert any(word in text for word in words)


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("abc[0-9]{1,3}def", [["abc", "def"]]),
        ("abc|x[0-9]y", [["abc"], ["x", "y"]]),
        ("ab(?:c|d)", [["abc abd"]]),
        ("ab(?:cd)?[^x]ef", [["ab", "ef"]]),
        ("[a-z]{1,3}", [[]]),
    ],
)
def test_all_that_is_needed(pattern: str, needs: list[list[str]]) -> None:
    """Of each alternative all is told that a text must have: of each set one."""
    said = [[" ".join(sorted(words)) for words in each] for each in needs_of(pattern)]
    assert said == needs
