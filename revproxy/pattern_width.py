"""How far a pattern reaches: over what it matches, and beyond both of its ends."""

from __future__ import annotations

from typing import TypeAlias

from .pattern_tree import Tree, inner_of, parsed

__all__ = ["Width", "width_of"]

Width: TypeAlias = tuple[int, int, int]
"""The longest match of a pattern, and how far it looks behind its beginning and ahead of its end at most; in bytes, or
in characters of a ``str``."""

_AT = {
    "AT_BOUNDARY": (1, 1),
    "AT_NON_BOUNDARY": (1, 1),
    "AT_BEGINNING_LINE": (1, 0),
    "AT_END_LINE": (0, 1),
}


def width_of(pattern: bytes | str, *, multiline: bool, flags: int = 0) -> Width:
    """The ``Width`` of ``pattern``. ``multiline``: ``^`` and ``$`` stand for the ends of lines.

    Raises ``ValueError`` for what asks where the text begins or ends, which nobody knows of a part of it.
    """
    tree = parsed(pattern, flags)
    behind, ahead = _reach(tree, pattern, multiline=multiline)
    return int(tree.getwidth()[1]), behind, ahead


def _reach(tree: Tree, pattern: bytes | str, *, multiline: bool) -> tuple[int, int]:
    behind = ahead = 0
    for operation, value in tree:
        back = forth = 0
        match str(operation):
            case "AT":
                place = str(value)
                if multiline and place in ("AT_BEGINNING", "AT_END"):
                    place += "_LINE"
                if place not in _AT:
                    raise ValueError(
                        f"pattern: {pattern!r} asks where the text begins or ends: (?m)^ and $ do for lines"
                    )
                back, forth = _AT[place]
            case "ASSERT" | "ASSERT_NOT":
                direction, inner = value
                inside = _reach(inner, pattern, multiline=multiline)
                long = int(inner.getwidth()[1])
                back, forth = (long + inside[0], inside[1]) if direction < 0 else (inside[0], long + inside[1])
            case _:
                for inner in inner_of(operation, value):
                    inside = _reach(inner, pattern, multiline=multiline)
                    back, forth = max(back, inside[0]), max(forth, inside[1])
        behind, ahead = max(behind, back), max(ahead, forth)
    return behind, ahead
