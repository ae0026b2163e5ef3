"""What a regular expression may cost, as far as its syntax shows."""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from .pattern_tree import Tree, inner_of, parsed

__all__ = ["check_cost", "literal_prefix", "path_pattern"]

Loops: TypeAlias = dict[object, tuple[frozenset[str], frozenset[frozenset[str]]]]
"""Loops that may give back what comes next in a pattern: the characters that each of them takes, and what stands behind
it in any case, character by character."""

MOST = 2
"""Loops that may share a text: ``re`` tries the square of its length then."""
FEW = 4
"""A repetition of which the number varies by no more than this is no loop."""

_BEYOND = frozenset("\u00a0\u00b7\u00e9")
"""What is not ASCII, whatever it is: a space, neither space nor letter, a letter."""
_CHARACTERS = frozenset(map(chr, range(0x80))) | _BEYOND
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


def check_cost(pattern: re.Pattern[str], *, linear: bool = False, lines: bool = False) -> None:
    """Raise ``ValueError`` for a loop within which the next character does not say how to go on (what says it is called
    one-unambiguous: Brüggemann-Klein and Wood, "One-Unambiguous Regular Languages", 1998), and for more than two loops
    that may share a text: ``re`` tries every way. (Where something stands between two that the second cannot take, what
    it takes from one beginning never overlaps with what it takes from another.) What is possessive or atomic gives
    nothing back, and ``.*`` at the end takes whatever there is: it costs nothing to come so far, for ``fullmatch``.
    ``lines``: the text may have ends of lines, which ``.`` does not take without ``re.DOTALL``.

    ``linear``: also for two loops that may share a text, for a loop in what is looked for ahead or behind within a
    loop, and for a back reference, so that the time is in proportion to the length of the text.

    What may take nothing is such a choice, too, where within a loop it may be repeated or left out: ``(?:(?:b*+)?a)*``.

    It errs on the side of caution, but for back references, and short choices one behind the other outside of loops.
    """
    try:
        _Walk(linear=linear, lines=lines and not pattern.flags & re.DOTALL).through(
            parsed(pattern.pattern, pattern.flags), {}, looped=False, last=True
        )
    except _Costly as error:
        raise ValueError(f"pattern: {pattern.pattern!r} has {error} (costly=True)") from None


def literal_prefix(pattern: re.Pattern[str]) -> str:
    """What everything begins with that ``pattern`` matches; as little as ``""``."""
    prefix = ""
    for operation, value in parsed(pattern.pattern, pattern.flags):
        if str(operation) == "LITERAL" and not pattern.flags & re.IGNORECASE:
            prefix += chr(value)
        elif str(operation) != "AT":
            break
    return prefix


def path_pattern(pattern: object) -> re.Pattern[str]:
    """``pattern``, a string or compiled, for canonical paths. Raises ``ValueError`` or ``TypeError`` that names
    ``pattern``."""
    if isinstance(pattern, str):
        try:
            pattern = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"pattern: {pattern!r} is no regular expression: {error}") from None
    text = getattr(pattern, "pattern", None)
    if not isinstance(pattern, re.Pattern) or not isinstance(text, str):
        raise TypeError(f"pattern must be a str or a compiled pattern of str, got {pattern!r}")
    if not text.isascii():
        raise ValueError(f"pattern: paths are matched percent-encoded, in ASCII (é is %C3%A9), got {text!r}")
    return pattern


_CHOICE = "a choice within a loop, which may take for ever"


class _Costly(Exception):
    """What a pattern has that costs too much."""


class _Walk:
    """A walk through the syntax of a pattern."""

    def __init__(self, *, linear: bool, lines: bool) -> None:
        self._linear = linear
        self._lines = lines
        self._most = 1 if linear else MOST

    def through(self, tree: Tree, loops: Loops, *, looped: bool, last: bool = False) -> Loops:
        """Which loops may give back what follows ``tree``, of ``loops`` before it and those in it; ``looped``: all of
        that is in a loop; ``last``: nothing comes behind it."""
        steps = list(tree)
        end = max((at for at, step in enumerate(steps) if not _is_end(*step)), default=-1)
        for at, (operation, value) in enumerate(steps):
            loops = self._step(str(operation), value, loops, looped=looped, last=last and at == end)
        return loops

    def _step(self, operation: str, value: Any, loops: Loops, *, looped: bool, last: bool) -> Loops:
        match operation:
            case "MAX_REPEAT" | "MIN_REPEAT":
                if last and not self._lines and _takes_all(value):
                    return loops
                least, most, repeated = value
                return self._repeat(least, most, repeated, loops, looped=looped, last=last)
            case "SUBPATTERN":
                return self.through(value[-1], loops, looped=looped, last=last)
            case "BRANCH" | "GROUPREF_EXISTS":
                branches = inner_of(operation, value)
                if looped and sum(map(len, map(_first, branches))) > len(reduce(or_, map(_first, branches))):
                    raise _Costly(_CHOICE)
                return reduce(_either, [self.through(each, loops, looped=looped, last=last) for each in branches])
            case "POSSESSIVE_REPEAT":
                within = loops
                if value[1] - value[0] > FEW and not looped:  # it gives nothing back, but is gone through each time
                    takes = _taken(value[2])
                    self._check_sharing(takes, loops)
                    within = {**loops, object(): (takes, frozenset())}
                self.through(value[2], within, looped=looped)
            case "ATOMIC_GROUP" | "ASSERT" | "ASSERT_NOT":
                for each in inner_of(operation, value):
                    if self._linear and looped and operation != "ATOMIC_GROUP" and _has_loop(each):
                        raise _Costly("a loop within what is looked for within a loop")
                    self.through(each, loops, looped=looped)
            case "AT":
                pass
            case "GROUPREF":
                if self._linear:
                    raise _Costly("a back reference, which is compared in every way")
            case _:
                takes = _characters(operation, value)
                loops = {key: (loop, behind | {takes}) for key, (loop, behind) in loops.items() if loop & takes}
                if looped and loops:
                    raise _Costly(_CHOICE)
        return loops

    def _repeat(self, least: int, most: int, tree: Tree, loops: Loops, *, looped: bool, last: bool) -> Loops:
        takes = _taken(tree)
        varies = most - least > (0 if looped else FEW)
        if varies and looped and (any(loop & takes for loop, _ in loops.values()) or _may_be_empty(tree)):
            raise _Costly(_CHOICE)
        if varies:
            self._check_sharing(takes, loops)
        if most > FEW:  # each time round there is the same choice again
            self.through(tree, self.through(tree, {}, looped=True), looped=True)
        after = loops
        for time in range(most if most <= FEW else 1):
            went_round = self.through(tree, after, looped=looped, last=last and most == 1)
            after = went_round if time < least else _either(after, went_round)
        if most > FEW:
            after = {key: loop for key, loop in after.items() if key in loops}
        if varies:
            after = {**after, object(): (takes, frozenset())}
        return after

    def _check_sharing(self, takes: frozenset[str], loops: Loops) -> None:
        sharing = sum(1 for loop, behind in loops.values() if loop & takes and all(each & takes for each in behind))
        if sharing >= self._most:
            raise _Costly(f"{sharing + 1} loops that may share a text in any way, which takes too long")


def _either(one: Loops, other: Loops) -> Loops:
    """The loops of two ways; behind those of both stands what does so in both."""
    both = {key: (loop, behind & other[key][1]) for key, (loop, behind) in one.items() if key in other}
    return {**one, **other, **both}


def _is_end(operation: object, value: Any) -> bool:
    return str(operation) == "AT" and str(value) in ("AT_END", "AT_END_STRING")


def _may_be_empty(tree: Tree) -> bool:
    """Whether ``tree`` may match without taking anything: then once more and once less are the same."""
    return all(_is_optional(str(operation), value) for operation, value in tree)


def _is_optional(operation: str, value: Any) -> bool:
    if operation in ("AT", "ASSERT", "ASSERT_NOT", "GROUPREF"):
        return True
    if "REPEAT" in operation and value[0] == 0:
        return True
    return any(map(_may_be_empty, inner_of(operation, value)))


def _takes_all(repeated: tuple[int, int, Any]) -> bool:
    least, most, tree = repeated
    return least <= 1 and most > 1 << 16 and [str(operation) for operation, _ in tree] == ["ANY"]


def _has_loop(tree: Tree) -> bool:
    for operation, value in tree:
        inner = inner_of(operation, value)
        if "REPEAT" in str(operation) and value[1] - value[0] > FEW:
            return True
        if any(map(_has_loop, inner)):
            return True
    return False


def _taken(tree: Tree) -> frozenset[str]:
    """The characters that ``tree`` may take."""
    found: frozenset[str] = frozenset()
    for operation, value in tree:
        inner = inner_of(operation, value)
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
        inner = inner_of(operation, value)
        return reduce(or_, map(_first, inner)) if inner else _characters(operation, value)
    return _CHARACTERS


def _characters(operation: object, value: Any) -> frozenset[str]:
    """What one character may be, letters in either case: the flags of groups are not followed here."""
    found = _exactly(operation, value)
    return found | frozenset(map(str.swapcase, found))


def _exactly(operation: object, value: Any) -> frozenset[str]:
    match str(operation):
        case "LITERAL":
            return frozenset(chr(value)) if value < 0x80 else _BEYOND
        case "NOT_LITERAL":
            return _CHARACTERS - frozenset(chr(value)) if value < 0x80 else _CHARACTERS
        case "RANGE":
            ascii_ = frozenset(map(chr, range(value[0], min(value[1], 0x7F) + 1)))
            return ascii_ if value[1] < 0x80 else ascii_ | _BEYOND
        case "CATEGORY":
            return _CATEGORIES[str(value)]
        case "IN":
            negated = str(value[0][0]) == "NEGATE"
            found = reduce(or_, [_exactly(*each) for each in value[negated:]])
            if not negated:
                return found
            # Of what is not ASCII, only a category leaves nothing of its kind.
            only = [each for each in value[1:] if str(each[0]) == "CATEGORY"]
            return (_CHARACTERS - found) | (_BEYOND - reduce(or_, [_exactly(*each) for each in only], frozenset()))
        case "AT" | "GROUPREF":
            return frozenset()
    return _CHARACTERS
