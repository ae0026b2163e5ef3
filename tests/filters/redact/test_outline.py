"""What a pattern is made of."""

from __future__ import annotations

import re

from revproxy.filters.redact.outline import Atom, outline, without_many, word_of
from revproxy.pattern_tree import parsed


def bits(members: bytes) -> int:
    return sum(1 << each for each in set(members))


def ways(pattern: bytes) -> list[tuple[Atom, ...]]:
    return outline(parsed(pattern), re.compile(pattern).flags)


def test_ways() -> None:
    """Each way that a pattern can match is there, without what looks around."""
    assert ways(rb"(?<!x)a[0-9]{2,4}\b") == [(Atom(bits(b"a"), 1, 1), Atom(bits(b"0123456789"), 2, 4))]
    assert ways(rb"(?:a|bc)d") == [
        (Atom(bits(b"a"), 1, 1), Atom(bits(b"d"), 1, 1)),
        (Atom(bits(b"b"), 1, 1), Atom(bits(b"c"), 1, 1), Atom(bits(b"d"), 1, 1)),
    ]
    assert ways(rb"(?i)k") == [(Atom(bits(b"kK"), 1, 1),)]
    assert ways(rb"(?i:k)k") == [(Atom(bits(b"kK"), 1, 1), Atom(bits(b"k"), 1, 1))]
    assert ways(rb"(?:ab){2,3}") == [
        (*(Atom(bits(each), 1, 1) for each in (b"a", b"b", b"a", b"b")), Atom(bits(b"ab"), 0, 2))
    ]


def test_words() -> None:
    """A word is three certain bytes, one behind the other, in either case."""
    assert word_of(ways(rb"\d{3}(?i:key)=")[0]) == 1
    assert word_of(ways(rb"\d{3}ab\dcd")[0]) is None


def test_those_without_words_are_merged() -> None:
    """Of ways that have the same lengths one is made, unless words would be lost by it."""
    assert len(without_many(ways(rb"[a-c]\d|[x-z]\d|tokenA|tokenB|\d{3}"))) == 4
    merged = without_many(ways(rb"(?:[abc]1|[def]2)x"))
    assert merged == [(Atom(bits(b"abcdef"), 1, 1), Atom(bits(b"12"), 1, 1), Atom(bits(b"x"), 1, 1))]
