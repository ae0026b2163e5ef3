"""Texts that a pattern matches, drawn by chance."""

from __future__ import annotations

import re
from functools import cache
from random import Random
from typing import Any

from revproxy.filters.redact.outline import outline
from revproxy.pattern_tree import parsed

__all__ = ["matches"]


def matches(pattern: bytes, chance: Random, count: int) -> list[tuple[bytes, int]]:
    """Texts with a match in them, and where it begins."""
    regex = re.compile(pattern)
    drawn: list[tuple[bytes, int]] = []
    for _ in range(60 * count):
        before = bytes(chance.choices(b' "\n<>=xA1-.', k=chance.randint(0, 5)))
        after = bytes(chance.choices(b' "\n<>=&,e', k=chance.randint(1, 5)))
        text = before + _of(parsed(pattern), regex.flags, chance) + after
        match = regex.match(text, len(before))
        if match is not None:
            drawn.append((text, len(before)))
            if len(drawn) == count:
                break
    return drawn


def _of(tree: Any, flags: int, chance: Random) -> bytes:
    return b"".join(_step(str(operation), value, flags, chance) for operation, value in tree)


def _step(operation: str, value: Any, flags: int, chance: Random) -> bytes:
    match operation:
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return b""
        case "BRANCH":
            return _of(chance.choice(value[1]), flags, chance)
        case "SUBPATTERN":
            return _of(value[3], (flags | value[1]) & ~value[2], chance)
        case "ATOMIC_GROUP":
            return _of(value, flags, chance)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            most = chance.choice([least, min(least + 3, most), min(most, least + 60)])
            return b"".join(_of(inner, flags, chance) for _ in range(chance.randint(least, most)))
    [[atom]] = outline([(operation, value)], flags)
    return bytes([chance.choice(_members(atom.bytes))])


@cache
def _members(bits: int) -> list[int]:
    return [each for each in range(256) if bits >> each & 1]
