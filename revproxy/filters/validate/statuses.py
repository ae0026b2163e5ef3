"""Statuses, and what is said by status."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypeGuard, TypeVar

__all__ = ["Status", "by_status", "is_by_status", "statuses_of"]

T = TypeVar("T")

Status: TypeAlias = int | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]
"""One status, or all of a class."""

_CLASSES = {f"{first}xx": range(first * 100, first * 100 + 100) for first in range(1, 6)}


def statuses_of(parameter: str, given: Collection[Status]) -> frozenset[int]:
    """All statuses that are ``given``. Raises ``ValueError`` or ``TypeError`` that names the ``parameter``."""
    if isinstance(given, str | int):
        raise TypeError(f"{parameter} must be several, got {given!r}")
    return frozenset(status for each in given for status in _those(parameter, each))


def is_by_status(given: object) -> TypeGuard[Mapping[Status, Any]]:
    """Whether it is a mapping of statuses, and not a schema."""
    return isinstance(given, Mapping) and bool(given) and all(type(each) is int or each in _CLASSES for each in given)


def by_status(parameter: str, given: Mapping[Status, T]) -> dict[int, T]:
    """What is given for each status: for it, else for its class. Raises ``ValueError`` that names the ``parameter``."""
    found: dict[int, T] = {}
    for each in sorted(given, key=lambda each: type(each) is int):  # statuses over their class
        found.update(dict.fromkeys(_those(parameter, each), given[each]))
    return found


def _those(parameter: str, status: Status) -> Iterable[int]:
    if isinstance(status, str) and status in _CLASSES:
        return _CLASSES[status]
    if type(status) is int and 100 <= status <= 599:
        return (status,)
    raise ValueError(f"{parameter}: {status!r} is neither a status from 100 to 599, nor '1xx' to '5xx'")
