"""Forms of paths, piece by piece, and whether all paths of one form are of another: for ``When.implies``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from ..path_templates import Template
from . import globs

__all__ = ["Piece", "lower", "of_glob", "of_prefix", "of_template", "within"]

Piece: TypeAlias = tuple[str, Any]
"""``("text", "a")``: that segment of a canonical path. ``("kind", pattern)``: one that the pattern matches in full, and
not an empty one. ``("glob", "a*")``: one that the glob matches. ``("one", "")``: any but an empty one. ``("many",
"")``: any number of segments, empty ones too. A slash at the end is no piece."""

ONE: Piece = ("one", "")
MANY: Piece = ("many", "")
ANYTHING: Piece = ("anything", "")
"""Whatever there is, ``*`` included, which is of no other form."""


def of_glob(pattern: str) -> tuple[Piece, ...]:
    """Those of a pattern of ``when.path`` in its normal form."""
    segments = [] if pattern == "/" else pattern.split("/")[1:]
    pieces = list(map(_of_segment, segments))
    if segments and segments[-1] == "*":
        pieces[-1] = MANY
    return tuple(pieces)


def _of_segment(segment: str) -> Piece:
    if segment == "**":
        return MANY
    if segment == "*":
        return ONE
    return ("glob", segment) if "*" in segment else ("text", globs.literal_text(segment))


def of_template(template: Template) -> tuple[Piece, ...]:
    """Those of a template, whatever it calls what it captures."""
    pieces: list[Piece] = []
    for segment in template.segments:
        if isinstance(segment, str):
            pieces.append(("text", segment))
        else:
            pieces.append(ONE if segment.pattern is None else ("kind", segment.pattern))
    return (*pieces, MANY) if template.tail is not None else tuple(pieces)


def of_prefix(prefix: str) -> tuple[Piece, ...]:
    """Those of all that begins with ``prefix``, characters of a canonical path. Without one that
    may be ``*``, of which there is no form."""
    if not prefix.startswith("/"):
        return (ANYTHING,)
    pieces: list[Piece] = []
    for segment in prefix.split("/")[1:-1]:
        if not segment:
            break
        pieces.append(("text", segment))
    return (*pieces, MANY)


def lower(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Those of the same paths with ASCII letters in lower case; of kinds, which have a case of their own, any."""
    return tuple(ONE if kind == "kind" else (kind, text.lower()) for kind, text in pieces)


def within(inner: Sequence[Piece], outer: Sequence[Piece]) -> bool:
    """Whether every path of the form ``inner`` is of the form ``outer``, as far as their pieces show: it may be so
    though the answer is no. Takes time in proportion to the product of their lengths."""
    if ANYTHING in inner:
        return False
    known: dict[tuple[int, int], bool] = {}

    def covers(at: int, by: int) -> bool:
        found = known.get((at, by))
        if found is None:
            found = known[at, by] = _covers(at, by)
        return found

    def _covers(at: int, by: int) -> bool:
        if by == len(outer):
            return at == len(inner)
        if outer[by] == MANY:
            return covers(at, by + 1) or (at < len(inner) and covers(at + 1, by))
        return at < len(inner) and _is_one_of(inner[at], outer[by]) and covers(at + 1, by + 1)

    return covers(0, 0)


def _is_one_of(inner: Piece, outer: Piece) -> bool:
    """Whether every segment of the piece ``inner`` is one of ``outer``, which takes one."""
    if inner == outer:
        return inner != MANY
    match outer:
        case ("one", _):
            return inner != MANY
        case ("kind", pattern):
            return inner[0] == "text" and pattern.fullmatch(inner[1]) is not None
        case ("glob", glob):
            return inner[0] == "text" and _of_one(glob).fullmatch(f"/{inner[1]}") is not None
    return False


@lru_cache(maxsize=1024)
def _of_one(glob: str) -> re.Pattern[str]:
    return re.compile(globs.segment_regex(glob))
