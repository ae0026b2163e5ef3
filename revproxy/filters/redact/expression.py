"""A pattern as hyperscan reads it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...pattern_tree import parsed
from .outline import Atom, Way, outline, without_many, word_of

__all__ = ["Expression", "expressions_of"]

_ENOUGH = 16
_MANY = 16
_RARE = frozenset(1 << each for each in b"@!#$*+?^`|~")


class Expression(NamedTuple):
    """What is found in every match of a pattern, or of one of its ways.

    ``nearest``, ``farthest``
        How many bytes before its end the match begins.
    """

    text: bytes
    nearest: int
    farthest: int


def expressions_of(pattern: bytes) -> list[Expression]:
    """Of these, one at least is found in each match of ``pattern``; none: no expression says where it is.

    They are a part of the pattern, of 16 bytes or so, and find more: what looks around is left out, and large bounds
    are none. What may be repeated at either end is there as seldom as it can be, so that a place is named once and not
    for every way to be longer. A way with a word in it begins there, as words are what is found fast.
    """
    ways = outline(parsed(pattern), re.compile(pattern).flags)
    found: dict[tuple[int, int], list[Way]] = {}
    for way in ways:
        begin = _begin(way)
        kept, last = _cut(way, begin)
        if not kept:
            return []
        before = way[:last]
        least, most = sum(atom.least for atom in before), sum(atom.most for atom in before)
        found.setdefault((least + kept[-1].least, most + kept[-1].least), []).append(kept)
    return [
        Expression(b"".join(map(_written, way)), nearest, farthest)
        for (nearest, farthest), alike in found.items()
        for way in without_many(alike)
    ]


def _begin(way: Way) -> int:
    """Where in it to begin: at a word, or at something rare behind what is long and common."""
    word = word_of(way)
    if word is not None:
        return word
    is_long = False
    for at, atom in enumerate(way):
        if is_long and atom.least and atom.bytes in _RARE:
            return at
        is_long = is_long or atom.most - atom.least > _MANY
    return 0


def _cut(way: Way, begin: int) -> tuple[Way, int]:
    """As much of ``way`` as is enough, and without what may be missing at either end; and where its last atom is."""
    while begin < len(way) and not way[begin].least:
        begin += 1
    kept: list[Atom] = []
    missing = _ENOUGH
    for atom in way[begin:]:
        if missing <= 0:
            break
        kept.append(atom if atom.least <= missing else Atom(atom.bytes, missing, missing))
        missing -= atom.least
    while kept and not kept[-1].least:
        kept.pop()
    for end in (0, -1) if kept else ():
        kept[end] = Atom(kept[end].bytes, kept[end].least, kept[end].least)
    return tuple(kept), begin + len(kept) - 1


def _written(atom: Atom) -> bytes:
    least, most = atom.least, atom.most
    if (least, most) == (1, 1):
        return _class(atom.bytes)
    if most - least >= _MANY:  # counting takes an automaton a state for each
        return _class(atom.bytes) + b"{%d,}" % least
    return _class(atom.bytes) + (b"{%d}" % least if least == most else b"{%d,%d}" % (least, most))


def _class(bits: int) -> bytes:
    members = [each for each in range(256) if bits >> each & 1]
    if len(members) == 1:
        return b"\\x%02x" % members[0]
    starts = [each for each in members if not (bits << 1) >> each & 1]
    ends = [each for each in members if not bits >> each + 1 & 1]
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % span for span in zip(starts, ends, strict=True)) + b"]"
