"""How far a pattern reaches."""

from __future__ import annotations

import pytest

from revproxy.pattern_width import width_of


@pytest.mark.parametrize(
    ("pattern", "width"),
    [
        (rb"abc", (3, 0, 0)),
        (rb"a{2,9}|b", (9, 0, 0)),
        (rb"(?<=ab)c(?!d{5})", (1, 2, 5)),
        (rb"(?<=(?<=abc)d)e", (1, 4, 0)),
        (rb"(?=a(?=bc))d", (1, 0, 3)),
        (rb"(?:(?>\ba)|b(?<!c)){1,3}+", (3, 1, 1)),
        (rb"(a)?(?(1)b(?=cd)|e)", (2, 0, 2)),
    ],
)
def test_width(pattern: bytes, width: tuple[int, int, int]) -> None:
    """The longest match, and what is looked at before and behind it, added up where one looks from within another."""
    assert width_of(pattern, multiline=False) == width


def test_lines() -> None:
    """The end of a line is seen by one byte; that of a text cannot be."""
    assert width_of(rb"^a$", multiline=True) == (1, 1, 1)
    for pattern in (rb"^a", rb"a$", rb"\Aa", rb"a\Z"):
        with pytest.raises(ValueError, match="asks where the text begins or ends"):
            width_of(pattern, multiline=False)
    with pytest.raises(ValueError, match="asks where the text begins or ends"):
        width_of(rb"(?:x|(?=a\Z))b", multiline=True)
