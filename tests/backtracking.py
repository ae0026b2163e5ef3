"""What ``re`` does with a pattern, counted: a backtracking matcher of its own, slow and plain, over the same syntax."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["TooManySteps", "fullmatch"]

_DEEP = 20_000


class TooManySteps(Exception):
    """More than were allowed."""


def fullmatch(pattern: str, text: str, *, most: int) -> tuple[bool, int]:
    """Whether all of ``text`` matches, and after how many steps. Raises ``TooManySteps`` beyond ``most``."""
    subject = _Match(text, most)
    tree = list(import_module("re._parser").parse(pattern))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)
    try:
        return subject.goes_on(tree, 0, 0, lambda at: at == len(text)), subject.steps
    finally:
        sys.setrecursionlimit(limit)


Then = Callable[[int], bool]


class _Match:
    def __init__(self, text: str, most: int) -> None:
        self.text = text
        self.most = most
        self.steps = 0

    def goes_on(self, tree: list[Any], step: int, at: int, then: Then) -> bool:
        """Whether the steps of ``tree`` from ``step`` on match from ``at`` on, and ``then`` goes on from there."""
        self.steps += 1
        if self.steps > self.most:
            raise TooManySteps
        if step == len(tree):
            return then(at)
        operation, value = str(tree[step][0]), tree[step][1]

        def rest(at: int) -> bool:
            return self.goes_on(tree, step + 1, at, then)

        match operation:
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, inner = value
                return self.repeats(least, most, list(inner), at, rest, greedy=operation == "MAX_REPEAT")
            case "POSSESSIVE_REPEAT":
                least, most, inner = value
                count = 0
                while count < most:
                    end = self.once(list(inner), at)
                    if end is None or (end == at and count >= least):
                        break
                    count, at = count + 1, end
                return count >= least and rest(at)
            case "ATOMIC_GROUP":
                end = self.once(list(value), at)
                return end is not None and rest(end)
            case "ASSERT" | "ASSERT_NOT":
                assert value[0] == 1, "ahead only"
                return (self.once(list(value[1]), at) is not None) is (operation == "ASSERT") and rest(at)
            case "SUBPATTERN":
                return self.goes_on(list(value[-1]), 0, at, rest)
            case "FAILURE":  # what newer parsers make of ``(?!)``
                return False
            case "BRANCH":
                return any(self.goes_on(list(each), 0, at, rest) for each in value[1])
            case "AT":
                return re.compile({"AT_BOUNDARY": r"\b", "AT_END": "$"}[str(value)]).match(
                    self.text, at
                ) is not None and rest(at)
        return at < len(self.text) and _is(operation, value, self.text[at]) and rest(at + 1)

    def once(self, tree: list[Any], at: int) -> int | None:
        """Where the first way ends in which ``tree`` matches; no other is tried."""
        ends: list[int] = []

        def keep(end: int) -> bool:
            ends.append(end)
            return True

        return ends[0] if self.goes_on(tree, 0, at, keep) else None

    def repeats(self, least: int, most: int, inner: list[Any], at: int, rest: Then, *, greedy: bool) -> bool:
        def again(count: int, at: int, before: int) -> bool:
            def once_more() -> bool:
                return self.goes_on(inner, 0, at, lambda end: again(count + 1, end, at))

            if count < least:
                return once_more()
            if count >= most or at == before:  # what has taken nothing is not repeated
                return rest(at)
            return (once_more() or rest(at)) if greedy else (rest(at) or once_more())

        return again(0, at, -1)


def _is(operation: str, value: Any, character: str) -> bool:
    match operation:
        case "LITERAL":
            return character == chr(value)
        case "NOT_LITERAL":
            return character != chr(value)
        case "ANY":
            return character != "\n"
        case "RANGE":
            return bool(value[0] <= ord(character) <= value[1])
        case "CATEGORY":
            return re.match({"CATEGORY_WORD": r"\w", "CATEGORY_DIGIT": r"\d"}[str(value)], character) is not None
        case "IN":
            negated = str(value[0][0]) == "NEGATE"
            return any(_is(str(each), inner, character) for each, inner in value[negated:]) is not negated
    raise AssertionError(f"{operation} is not known here")
