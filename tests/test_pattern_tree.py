"""What a pattern is made of."""

from __future__ import annotations

import re

import pytest

from revproxy.pattern_tree import Tree, inner_of, parsed


def literals(tree: Tree) -> str:
    """All letters in it, however deep."""
    return "".join(
        chr(value) if str(operation) == "LITERAL" else "".join(map(literals, inner_of(operation, value)))
        for operation, value in tree
    )


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("ab", "ab"),
        ("(?:ab){2,3}c*?d++", "abcd"),
        ("(ab(?P<x>c))(?i:d)", "abcd"),
        ("(?>ab)c", "abc"),
        ("(?:ab|cd|[ef]|g)", "abcdg"),
        ("(?=ab)(?!cd)(?<=e)(?<!f)", "abcdef"),
        ("(a)?(?(1)bc|d)(?(1)e)", "abcde"),
        (r"\Aa\b[xy].$", "a"),
    ],
)
def test_nothing_is_left_out(pattern: str, said: str) -> None:
    """Whatever the operation, all that stands in it is found; of a pattern of bytes, too."""
    assert literals(parsed(pattern)) == said
    assert literals(parsed(pattern.encode())) == said


def test_how_wide_it_is() -> None:
    """The tree knows, with the flags that it is read by."""
    assert parsed("a{2,5}b?").getwidth() == (2, 6)
    assert literals(parsed("a b # c", re.VERBOSE)) == "ab"
