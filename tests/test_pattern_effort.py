"""How many ways a pattern may be tried at one place."""

from __future__ import annotations

import pytest

from revproxy.pattern_effort import effort


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        ("abc", 1),
        ("a?", 2),
        ("a{0,40}", 41),
        ("a{0,40}b{0,40}", 41 * 41),
        ("a{0,40}+b", 1),
        ("(?:a|b?){0,3}", 3**3 * 4),
        ("(?:select|insert)", 1),
        ("(?:select|set)", 1),
        ("(?:a.|a?b|c)", 3),
        ("(?=a?)b", 2),
        ("(?>a?)b", 2),
        ("(a?)(?:b?)", 4),
    ],
)
def test_ways(pattern: str, ways: int) -> None:
    """S-53: at least as many as there are."""
    assert ways <= effort(pattern) <= 4 * ways


@pytest.mark.parametrize("pattern", ["a*", "a+b", "(?:ab)+", "[a-z]{3,}", "a*?"])
def test_no_bound(pattern: str) -> None:
    """S-53: what may go on for ever is refused, with a hint."""
    with pytest.raises(ValueError, match="without a bound"):
        effort(pattern)


def test_back_reference() -> None:
    """S-53: nor is what no automaton finds."""
    with pytest.raises(ValueError, match="back reference"):
        effort(r"(a)\1")
