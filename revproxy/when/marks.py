"""What tells conditions apart that never hold together: so that in a large table few rules need be compared."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias

from .implication import PATHS, Form, forms_of
from .pieces import Piece, lower

__all__ = ["Marks", "are_apart", "marks_of"]

Marks: TypeAlias = tuple[frozenset[str] | None, ...]
"""The first segment of the path, the first two, and so on, and the host: all that a condition may hold for, in lower
case; ``None``: whatever they are."""

_SEGMENTS = 6
_UNKNOWN: Marks = (None,) * (_SEGMENTS + 1)


def marks_of(form: Form) -> Marks:
    """Those of a condition, by its form."""
    kind, value = form
    if kind == "&":
        return reduce(_both, map(marks_of, value), _UNKNOWN)
    if kind == "|":
        return reduce(_either, map(marks_of, value))
    if kind in PATHS:
        forms = [lower(each) for each in forms_of(kind, value)]
        return (*(_beginnings(forms, count) for count in range(1, _SEGMENTS + 1)), None)
    if kind == "host" and not any(name[0] == "*" for name in value):
        return (*_UNKNOWN[1:], value)
    return _UNKNOWN


def are_apart(one: Marks, other: Marks) -> bool:
    """Whether conditions with these never hold for one exchange."""
    for left, right in zip(one, other, strict=True):
        if left is not None and right is not None and left.isdisjoint(right):
            return True
    return False


def _beginnings(forms: Sequence[Sequence[Piece]], count: int) -> frozenset[str] | None:
    found: set[str] = set()
    for form in forms:
        first = form[:count]
        if any(kind != "text" for kind, _ in first):
            return None
        found.add("/".join(text for _, text in first) + "/" * (len(first) < count))
    return frozenset(found)


def _both(one: Marks, other: Marks) -> Marks:
    return tuple(
        right if left is None else left if right is None else left & right
        for left, right in zip(one, other, strict=True)
    )


def _either(one: Marks, other: Marks) -> Marks:
    return tuple(
        None if left is None or right is None else left | right for left, right in zip(one, other, strict=True)
    )
