"""A pattern as hyperscan reads it."""

from __future__ import annotations

import pytest

from revproxy.pattern_widened import widened


@pytest.mark.parametrize(
    ("pattern", "expressions"),
    [
        ("abc", ["abc"]),
        ("^abc$", [r"\nabc\n"]),
        (r"\Aa|b\Z", [r"\na", r"b\n"]),
        ("^[^'x]{0,200}+['x]a", ["['x]a"]),
        ("^ ?(?:ab?){0,2}c", ["c"]),
        ("a{0,3}", ["a{0,3}"]),
        ("x[^a-]{2,40}+y", [r"x[^\na-]{2,}y"]),
        ("x[^]a]y", [r"x[^\n\]a]y"]),
        ("x[^-a]y", [r"x[^\n\-a]y"]),
        ("(?>a|b)++c?+d", ["(?:a|b)+c?d"]),
        ("(?<!x)a(?!b(c))d(?=e)", ["(?:)a(?:)d(?:)"]),
        ("a(?:$|;)", [r"a(?:\n|;)"]),
        ("a(?:b$|;)c?$", [r"a(?:b(?:)|;)c?\n"]),
        ("(?:^|;)a", [r"(?:\n|;)a"]),
        ("x(?:^|;)a", ["x(?:(?:)|;)a"]),
        ("a(?: ?(?:$|;)|&$)", [r"a(?: ?(?:\n|;)|&\n)"]),
        (r"a\+\+[+]+", [r"a\+\+[+]+"]),
        (r"a{2}+b{1,5}?", [r"a{2}b{1,5}?"]),
    ],
)
def test_widened(pattern: str, expressions: list[str]) -> None:
    """S-53: what hyperscan is given finds no less."""
    assert widened(pattern) == expressions
