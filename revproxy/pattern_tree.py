"""What a pattern is made of, as Python's own parser has it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, TypeAlias

__all__ = ["Tree", "inner_of", "parsed"]

Tree: TypeAlias = Iterable[tuple[object, Any]]
"""What Python's own parser of patterns makes of one: operations, which print as their names, and their values."""


def parsed(pattern: bytes | str, flags: int = 0) -> Any:
    """The ``Tree`` of ``pattern``, which knows besides how wide it is (``getwidth``)."""
    # The module is not public: only whoever uses a pattern depends on it, and tests have every operation.
    return import_module("re._parser").parse(pattern, flags)


def inner_of(operation: object, value: Any) -> list[Tree]:
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
