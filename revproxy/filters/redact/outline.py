"""What a pattern is made of, where it looks around nothing: so many bytes of a class, one class behind the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, TypeAlias

from ...pattern_tree import Tree

__all__ = ["Atom", "Way", "outline", "without_many", "word_of"]

_EVERY = (1 << 256) - 1
_MOST_WAYS = 48
_UNROLLED = 8
_WORD = 3
_INFINITE = 1 << 16


class Atom(NamedTuple):
    """``least`` to ``most`` bytes of a class, which is a bit for each byte in it."""

    bytes: int
    least: int
    most: int

    @property
    def is_letter(self) -> bool:
        """Whether it is one certain byte, or two, at least once."""
        return self.least > 0 and self.bytes.bit_count() <= 2


Way: TypeAlias = tuple[Atom, ...]


def outline(tree: Tree, flags: int) -> list[Way]:
    """The ways in which a pattern can match, and others. What looks around is left out, and what is too manifold is as
    many bytes of any that may be in it."""
    return list(dict.fromkeys(_ways(tree, flags)))


def _ways(tree: Tree, flags: int) -> list[Way]:
    ways: list[Way] = [()]
    for operation, value in tree:
        after = _of(str(operation), value, flags)
        if len(after) * len(ways) > _MOST_WAYS:
            after = without_many(after)
        if len(after) * len(ways) > _MOST_WAYS:
            after = merged(after)
        if len(after) * len(ways) > _MOST_WAYS:
            after = [(_any_of(after),)]
        ways = [(*before, *way) for before in ways for way in after]
    return ways


def _of(operation: str, value: Any, flags: int) -> list[Way]:
    match operation:
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return [()]
        case "BRANCH":
            return [way for branch in value[1] for way in _ways(branch, flags)]
        case "SUBPATTERN":
            return _ways(value[3], (flags | value[1]) & ~value[2])
        case "ATOMIC_GROUP":
            return _ways(value, flags)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = value
            return _repeated(least, most, repeated, flags)
        case "GROUPREF" | "GROUPREF_EXISTS":
            return [(Atom(_EVERY, 0, _INFINITE),)]
    return [(Atom(_class(operation, value, flags), 1, 1),)]


def _repeated(least: int, most: int, tree: Tree, flags: int) -> list[Way]:
    ways = _ways(tree, flags)
    if len(ways) == 1 and len(ways[0]) == 1 and ways[0][0][1:] == (1, 1):
        return [(Atom(ways[0][0].bytes, least, most),)]
    ways = merged(ways)
    every = _any_of(ways)
    times = least if least <= _UNROLLED and len(ways) ** least <= _MOST_WAYS else 0
    rest = Atom(every.bytes, (least - times) * every.least, (most - times) * every.most)
    unrolled: list[Way] = [()]
    for _ in range(times):
        unrolled = [(*before, *way) for before in unrolled for way in ways]
    return [(*way, rest) for way in unrolled] if rest.most else unrolled


def _any_of(ways: Sequence[Way]) -> Atom:
    return Atom(
        reduce(or_, (atom.bytes for way in ways for atom in way), 0),
        min(sum(atom.least for atom in way) for way in ways),
        max(sum(atom.most for atom in way) for way in ways),
    )


def word_of(way: Way) -> int | None:
    """Where in it the first word begins: three letters or other bytes, each in either case; ``None``: there is none."""
    run = 0
    for at, atom in enumerate(way):
        run = run + 1 if atom.is_letter else 0
        if run == _WORD:
            return at - _WORD + 1
    return None


def without_many(ways: Iterable[Way]) -> list[Way]:
    """``ways``, those without a word merged."""
    ways = list(dict.fromkeys(ways))
    return [
        *(way for way in ways if word_of(way) is not None),
        *merged(way for way in ways if word_of(way) is None),
    ]


def merged(ways: Iterable[Way]) -> list[Way]:
    """One way for all that have the same lengths."""
    alike: dict[tuple[tuple[int, int], ...], list[Way]] = {}
    for way in ways:
        alike.setdefault(tuple((atom.least, atom.most) for atom in way), []).append(way)
    return [
        tuple(
            Atom(reduce(or_, (atom.bytes for atom in atoms)), atoms[0].least, atoms[0].most)
            for atoms in zip(*same, strict=True)
        )
        for same in alike.values()
    ]


def _class(operation: str, value: Any, flags: int) -> int:
    found = _exactly(operation, value)
    if flags & re.IGNORECASE:
        for upper in range(0x41, 0x5B):
            both = 1 << upper | 1 << upper + 32
            if found & both:
                found |= both
    return found


def _exactly(operation: str, value: Any) -> int:
    match operation:
        case "LITERAL":
            return 1 << int(value)
        case "NOT_LITERAL":
            return _EVERY & ~(1 << int(value))
        case "RANGE":
            return reduce(or_, (1 << each for each in range(value[0], value[1] + 1)))
        case "CATEGORY":
            return _CATEGORIES[str(value)]
        case "IN":
            negated = str(value[0][0]) == "NEGATE"
            found = reduce(or_, (_exactly(str(kind), each) for kind, each in value[negated:]), 0)
            return _EVERY & ~found if negated else found
    return _EVERY


_CATEGORIES = {
    f"CATEGORY_{name}": reduce(or_, (1 << each for each in range(256) if re.match(escape, bytes([each]))))
    for name, escape in (
        ("DIGIT", rb"\d"),
        ("NOT_DIGIT", rb"\D"),
        ("SPACE", rb"\s"),
        ("NOT_SPACE", rb"\S"),
        ("WORD", rb"\w"),
        ("NOT_WORD", rb"\W"),
    )
}
