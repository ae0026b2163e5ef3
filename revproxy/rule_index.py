"""Which rows of a table need be looked at for a path: so that a long one costs what a short one does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .when import When

__all__ = ["by_path"]

R = TypeVar("R")

_FEW = 3
"""Rows that are looked at sooner than what they begin with."""
_ALTERNATIVES = 64


def by_path(conditions: Sequence[When], rows: Sequence[R]) -> Callable[[str], Sequence[R]]:
    """What gives, for a canonical path, those of ``rows`` whose condition may hold for it, in their order: all but
    those whose paths begin otherwise. Its time does not grow with the rows that do."""
    if len(rows) <= _FEW:
        return lambda path: rows
    always: list[int] = []
    levels: dict[int, dict[str, list[int]]] = {}
    for place, condition in enumerate(conditions):
        known = [
            (level, beginnings)
            for level, beginnings in enumerate(condition.beginnings, 1)
            if beginnings is not None and len(beginnings) <= _ALTERNATIVES
        ]
        if not known:
            always.append(place)
            continue
        level, beginnings = known[-1]
        for beginning in beginnings:
            levels.setdefault(level, {}).setdefault(beginning, []).append(place)
    if not levels:
        return lambda path: rows
    others = tuple(rows[place] for place in always)
    depths = tuple(sorted(levels.items()))

    def candidates(path: str) -> Sequence[R]:
        segments = path.lower().split("/")[1:]
        if segments and not segments[-1]:
            segments.pop()
        found: list[int] | None = None
        for depth, places in depths:
            beginning = "/".join(segments[:depth])
            more = places.get(beginning if len(segments) >= depth else beginning + "/")
            if more is not None:
                found = [*(always if found is None else found), *more]
        if found is None:
            return others
        return [rows[place] for place in sorted(found)]

    return candidates
