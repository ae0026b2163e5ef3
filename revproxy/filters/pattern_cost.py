"""What a regular expression may cost, as far as its syntax shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any, TypeAlias

__all__ = ["check_cost", "literal_prefix"]

Tree: TypeAlias = Iterable[tuple[object, Any]]
"""What Python's own parser of patterns makes of one: operations, which print as their names, and their values."""

Loops: TypeAlias = dict[object, frozenset[str]]
"""Loops that may give back what comes next in a pattern, and the characters that each of them takes."""

MOST = 2
"""Loops that may share a text: ``re`` tries the square of its length then."""
FEW = 4
"""A repetition of which the number varies by no more than this is no loop."""

_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F)))
_CATEGORIES = {
    f"CATEGORY_{name}": frozenset(each for each in _CHARACTERS if re.match(escape, each))
    for name, escape in (
        ("DIGIT", r"\d"),
        ("NOT_DIGIT", r"\D"),
        ("SPACE", r"\s"),
        ("NOT_SPACE", r"\S"),
        ("WORD", r"\w"),
        ("NOT_WORD", r"\W"),
    )
}


def check_cost(pattern: re.Pattern[str]) -> None:
    """Raise ``ValueError`` for a loop within which the next character does not say how to go on (what says it is called
    one-unambiguous: Brüggemann-Klein and Wood, "One-Unambiguous Regular Languages", 1998), and for more than two loops
    that may share a text: ``re`` tries every way. What is possessive or atomic gives nothing back.

    It errs on the side of caution, but for back references, and short choices one behind the other outside of loops.
    """
    try:
        _walk(_parsed(pattern), {}, looped=False)
    except _Costly as error:
        raise ValueError(f"pattern: {pattern.pattern!r} has {error} (costly=True)") from None


def literal_prefix(pattern: re.Pattern[str]) -> str:
    """What everything begins with that ``pattern`` matches; as little as ``""``."""
    prefix = ""
    for operation, value in _parsed(pattern):
        if str(operation) == "LITERAL" and not pattern.flags & re.IGNORECASE:
            prefix += chr(value)
        elif str(operation) != "AT":
            break
    return prefix


_CHOICE = "a choice within a loop, which may take for ever"


class _Costly(Exception):
    """What a pattern has that costs too much."""


def _parsed(pattern: re.Pattern[str]) -> Tree:
    # The module is not public: only whoever makes a PathRewrite depends on it, and a test has every operation.
    tree: Tree = import_module("re._parser").parse(pattern.pattern, pattern.flags)
    return tree


def _walk(tree: Tree, loops: Loops, *, looped: bool) -> Loops:
    """Which loops may give back what follows ``tree``, of ``loops`` before it and those in it; ``looped``: all of that
    is in a loop."""
    for operation, value in tree:
        match str(operation):
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, repeated = value
                loops = _repeat(least, most, repeated, loops, looped=looped)
            case "SUBPATTERN":
                loops = _walk(value[-1], loops, looped=looped)
            case "BRANCH" | "GROUPREF_EXISTS":
                branches = _inner(operation, value)
                if looped and sum(map(len, map(_first, branches))) > len(reduce(or_, map(_first, branches))):
                    raise _Costly(_CHOICE)
                loops = reduce(or_, [_walk(each, loops, looped=looped) for each in branches])
            case "POSSESSIVE_REPEAT":
                within = loops
                if value[1] - value[0] > FEW and not looped:  # it gives nothing back, but is gone through each time
                    takes = _taken(value[2])
                    _check_sharing(takes, loops)
                    within = {**loops, object(): takes}
                _walk(value[2], within, looped=looped)
            case "ATOMIC_GROUP" | "ASSERT" | "ASSERT_NOT":
                for each in _inner(operation, value):
                    _walk(each, loops, looped=looped)
            case "AT" | "GROUPREF":
                pass
            case _:
                takes = _characters(operation, value)
                loops = {key: loop for key, loop in loops.items() if loop & takes}
                if looped and loops:
                    raise _Costly(_CHOICE)
    return loops


def _repeat(least: int, most: int, tree: Tree, loops: Loops, *, looped: bool) -> Loops:
    takes = _taken(tree)
    varies = most - least > (0 if looped else FEW)
    if varies and looped and any(loop & takes for loop in loops.values()):
        raise _Costly(_CHOICE)
    if varies:
        _check_sharing(takes, loops)
    if most > FEW:  # each time round there is the same choice again
        _walk(tree, _walk(tree, {}, looped=True), looped=True)
    after = loops
    for time in range(most if most <= FEW else 1):
        went_round = _walk(tree, after, looped=looped)
        after = went_round if time < least else after | went_round
    if most > FEW:
        after = {key: loop for key, loop in after.items() if key in loops}
    if varies:
        after = {**after, object(): takes}
    return after


def _check_sharing(takes: frozenset[str], loops: Loops) -> None:
    sharing = sum(1 for loop in loops.values() if loop & takes)
    if sharing >= MOST:
        raise _Costly(f"{sharing + 1} loops that may share a path in any way, which takes seconds")


def _inner(operation: object, value: Any) -> list[Tree]:
    """The trees that an operation is made of."""
    match str(operation):
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [value[2]]
        case "SUBPATTERN" | "ASSERT" | "ASSERT_NOT":
            return [value[-1]]
        case "ATOMIC_GROUP":
            return [value]
        case "BRANCH":
            return list(value[1])
        case "GROUPREF_EXISTS":
            return [value[1], value[2] or []]
    return []


def _taken(tree: Tree) -> frozenset[str]:
    """The characters that ``tree`` may take."""
    found: frozenset[str] = frozenset()
    for operation, value in tree:
        inner = _inner(operation, value)
        found |= reduce(or_, map(_taken, inner)) if inner else _characters(operation, value)
    return found


def _first(tree: Tree) -> frozenset[str]:
    """The characters that ``tree`` may begin with: all, if it may be empty."""
    for operation, value in tree:
        match str(operation):
            case "AT":
                continue
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" if value[0] == 0:
                return _CHARACTERS
            case "ASSERT" | "ASSERT_NOT":
                return _CHARACTERS
        inner = _inner(operation, value)
        return reduce(or_, map(_first, inner)) if inner else _characters(operation, value)
    return _CHARACTERS


def _characters(operation: object, value: Any) -> frozenset[str]:
    """What one character may be, letters in either case: the flags of groups are not followed here."""
    found = _exactly(operation, value)
    return found | frozenset(map(str.swapcase, found))


def _exactly(operation: object, value: Any) -> frozenset[str]:
    match str(operation):
        case "LITERAL":
            return frozenset(chr(value))
        case "NOT_LITERAL":
            return _CHARACTERS - {chr(value)}
        case "RANGE":
            return frozenset(map(chr, range(value[0], min(value[1], 0x7E) + 1)))
        case "CATEGORY":
            return _CATEGORIES[str(value)]
        case "IN":
            negated = str(value[0][0]) == "NEGATE"
            found = reduce(or_, [_exactly(*each) for each in value[negated:]])
            return _CHARACTERS - found if negated else found
        case "AT" | "GROUPREF":
            return frozenset()
    return _CHARACTERS
