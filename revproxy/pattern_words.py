"""Words of which one must be in a text for a pattern to be found in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from .pattern_tree import Tree, parsed

__all__ = ["Words", "needs_of", "words_of"]

Words = frozenset[str]
_MOST = 48


def words_of(pattern: str) -> Words:
    """Every text that ``pattern`` is found in has one of these; empty: it may be found in any. The longest are taken
    that can be had, as those are rare."""
    return _of(parsed(pattern))


def needs_of(pattern: str) -> list[list[Words]]:
    """The same for each alternative of ``pattern``, and all that is known of it: a text that it is found in has one of
    each of these, for one of the alternatives."""
    tree = list(parsed(pattern))
    for place, (operation, value) in enumerate(tree):
        if str(operation) == "BRANCH":
            alternatives = [[*tree[:place], *branch, *tree[place + 1 :]] for branch in value[1]]
            break
    else:
        alternatives = [tree]
    return [[words for words in _each(each) if words and "" not in words] for each in alternatives]


def _of(tree: Tree) -> Words:
    return reduce(_rarer, _each(tree), frozenset())


def _each(tree: Tree) -> list[Words]:
    found: list[Words] = []
    run: Words = frozenset({""})  # what the literals that stand side by side make
    for operation, value in tree:
        follows = _single(str(operation), value)
        if follows is not None:
            joined = frozenset(before + each for before in run for each in follows)
            if len(joined) <= _MOST:
                run = joined
                continue
        found.append(run)
        run = frozenset({""}) if follows is None or len(follows) > _MOST else follows
        found.append(_within(str(operation), value))
    found.append(run)
    return found


def _single(operation: str, value: object) -> Words | None:
    """All that this can be, where that is a few short words."""
    if operation == "LITERAL":
        return frozenset({chr(value)})  # type: ignore[arg-type]  # of the parser's own
    if operation == "IN":
        found = set()
        for kind, each in value:  # type: ignore[attr-defined]
            if str(kind) == "LITERAL":
                found.add(chr(each))
            elif str(kind) == "RANGE" and each[1] - each[0] < 4:
                found |= {chr(code) for code in range(each[0], each[1] + 1)}
            else:
                return None
        return frozenset(found) if len(found) <= 4 else None
    if operation == "AT":
        return frozenset({""})
    return None


def _within(operation: str, value: object) -> Words:
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, inner = value  # type: ignore[misc]
        return _of(inner) if least else frozenset()  # type: ignore[has-type]
    if operation == "SUBPATTERN":
        return _of(value[3])  # type: ignore[index]
    if operation == "ATOMIC_GROUP":
        return _of(value)  # type: ignore[arg-type]
    if operation == "BRANCH":
        return _any(_of(branch) for branch in value[1])  # type: ignore[index]
    return frozenset()


def _any(branches: Iterable[Words]) -> Words:
    found: set[str] = set()
    for words in branches:
        if not words:
            return frozenset()
        found |= words
    return frozenset(found) if len(found) <= _MOST else frozenset()


def _rarer(one: Words, other: Words) -> Words:
    """Whichever says more: that whose shortest word is longer."""
    return max(one, other, key=lambda words: (min(map(len, words), default=0), -len(words)))
