"""A pattern as hyperscan reads it."""

from __future__ import annotations

import re
from random import Random

import pytest

from revproxy.filters.redact.detectors import ALL
from revproxy.filters.redact.expression import Expression, expressions_of
from revproxy.filters.redact.outline import outline
from revproxy.pattern_tree import parsed

from .drawn import matches
from .samples import DETECTORS

PATTERNS = {each.name: each.pattern for each in (*ALL, *DETECTORS) if each.find is None}
ODD = [
    rb"(?i)ab[^c]d{2,4}\w",
    rb"(?s).x.{3}y",
    rb"(?:foo|b[ae]r|qu{1,4}x{0,3}){1,3}[0-9]{20,40}",
    rb"(?:a|bc|def|ghij){2}z?",
    rb"(?>ab|a)c{1,9}+d?(?=e)",
    rb"x(?i:y)Z(?-i:w)",
    rb"(?:(?:a|b)(?:c|de)(?:f|gh)(?:i|jk)){1,2}(?:l|mn)(?:o|pq)",
    rb"[\x80-\xff]{5,9}?end|\x00\d\D\s\S\W",
    rb"(?:ab?|c){0,9}de",
    rb"[^\x00-\x7f]{3}|[a-z]{1,200}@[a-z]{1,9}\.x",
]


@pytest.mark.parametrize("name", PATTERNS)
def test_no_match_is_missed(name: str) -> None:
    """Within each match of a detector one of its expressions is found, and where it ends says where the match may
    begin."""
    missed(PATTERNS[name], 40)


@pytest.mark.parametrize("pattern", ODD, ids=range(len(ODD)))
def test_no_match_is_missed_of_any(pattern: bytes) -> None:
    """So it is with whatever a pattern is made of."""
    missed(pattern, 200)


def missed(pattern: bytes, count: int) -> None:
    expressions = [(re.compile(each.text), each) for each in expressions_of(pattern)]
    drawn = matches(pattern, Random(7), count)
    assert len(drawn) >= min(count, 5), "the patterns are such that texts can be drawn"
    for text, begin in drawn:
        assert any(
            ended(regex, text, end)
            for regex, each in expressions
            for end in range(begin + each.nearest, min(begin + each.farthest, len(text)) + 1)
        ), text


def ended(regex: re.Pattern[bytes], text: bytes, end: int) -> bool:
    """Whether a match of ``regex`` ends there, as hyperscan names all ends."""
    return any(regex.fullmatch(text, start, end) is not None for start in range(end))


@pytest.mark.parametrize(
    ("pattern", "expressions"),
    [
        (rb"AKIA[A-Z0-9]{16}", [Expression(rb"\x41\x4b\x49\x41[\x30-\x39\x41-\x5a]{12}", 16, 16)]),
        (rb"(?<!\d)\d{4}(?!\d)", [Expression(rb"[\x30-\x39]{4}", 4, 4)]),
        (rb"[a-z]{2,90}@[a-z]{3,9}x?", [Expression(rb"\x40[\x61-\x7a]{3}", 6, 94)]),
        (rb"x{0,3}(?:a|b)[0-9]{2,5}", [Expression(rb"[\x61-\x62][\x30-\x39]{2}", 3, 6)]),
        (
            rb"(?i)key=\w{2}",
            [
                Expression(
                    rb"[\x4b-\x4b\x6b-\x6b][\x45-\x45\x65-\x65][\x59-\x59\x79-\x79]\x3d[\x30-\x39\x41-\x5a\x5f-\x5f\x61-\x7a]{2}",
                    6,
                    6,
                )
            ],
        ),
        (rb"a{0,3}|b", []),
    ],
    ids=range(6),
)
def test_expressions(pattern: bytes, expressions: list[Expression]) -> None:
    """A part of the pattern, with its word if it has one, no longer than needed; none where it may be nothing."""
    assert expressions_of(pattern) == expressions


def test_outline_has_a_bound() -> None:
    """However manifold a pattern is, there are few ways: what is too much is any byte that may be in it."""
    assert len(outline(parsed(rb"(?:a|bc|def){9}(?:(?:x|yz)(?:1|23)){7}"), 0)) <= 48
