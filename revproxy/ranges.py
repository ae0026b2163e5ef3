"""``Range``: which requests for parts are no honest client's."""

from __future__ import annotations

import re

__all__ = ["is_sane"]

MAX_RANGES = 64
"""Parts that one request may ask for."""

_SPEC = re.compile("([0-9]{0,18})-([0-9]{0,18})")


def is_sane(value: str) -> bool:
    """Whether a ``Range`` may be passed on: not more than 64 parts, and not more than two that overlap (RFC 9110
    section 14.2). One of another unit than bytes, or one that is malformed, is for the upstream to judge."""
    unit, equals, text = value.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes":
        return value.count(",") < MAX_RANGES
    if text.count(",") >= MAX_RANGES:
        return False
    parts: list[tuple[int, int]] = []
    for each in text.split(","):
        spec = _SPEC.fullmatch(each.strip(" \t"))
        if spec is not None and spec[1]:
            parts.append((int(spec[1]), int(spec[2]) if spec[2] else 1 << 62))
    parts.sort()
    overlaps, end = 0, -1
    for first, last in parts:
        overlaps += first <= end
        end = max(end, last)
    return overlaps <= 2
