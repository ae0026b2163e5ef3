"""What is outside of the strings of JSON: numbers, and what JSON is made of."""

from __future__ import annotations

import re

from .masks import Mask

__all__ = ["is_number", "mask_literals", "mask_rest", "quotes"]

_AROUND = 64
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_NUMBER = re.compile(rb"[0-9+.eE-]+")
_OF_A_NUMBER = b"0123456789+-.eE"
_SPACE = b" \t\r\n"
_BEFORE_A_NUMBER = (b":", b",", b"[")
_PIECES = re.compile(rb'"|(?:[^"\\]|\\.)++|\\', re.DOTALL)
_VALUE = rb"(?:[0-9+.eE-]++|true|false|null)?+"
_OUTSIDE = re.compile(rb"\s*+%b(?:\s*+[,:\[\]{}]\s*+%b)*+\s*+" % (_VALUE, _VALUE))
_STRUCTURE = b',:[]{}"'
_KEPT = frozenset(_STRUCTURE + _SPACE + b".")
_NINES = bytes(each if each in _KEPT else 0x39 for each in range(256))


def quotes(text: bytes) -> int:
    """How many quotes there are that are not escaped."""
    return (text if b"\\" not in text else _ESCAPED.sub(b"", text)).count(b'"')


def is_number(text: bytes, begin: int, end: int) -> bool:
    """Whether what stands there, outside of the strings, is of a number."""
    if _NUMBER.fullmatch(text, begin, end) is None:
        return False
    before = text[max(0, begin - _AROUND) : begin].rstrip(_OF_A_NUMBER).rstrip(_SPACE)
    return not before or before.endswith(_BEFORE_A_NUMBER)


def mask_literals(text: bytes, mask: Mask, value: bytes, *, is_inside: bool) -> bytes | None:
    """A secret that is no part of one string: what is in strings is masked, each by itself, numbers become others, and
    the rest stays. ``None`` where this cannot be JSON.

    ``is_inside``
        Whether it begins in a string.
    """
    masked: list[bytes] = []
    has_structure = False
    for piece in _PIECES.findall(text):
        if piece == b'"':
            is_inside, has_structure = not is_inside, True
            masked.append(piece)
        elif is_inside:
            masked.append(mask.of(b"" if mask.reveals else value, len(piece)))
        elif _OUTSIDE.fullmatch(piece) is None:
            return None
        else:
            has_structure = has_structure or any(each in _STRUCTURE for each in piece)
            masked.append(Mask.number(mask, piece))
    return b"".join(masked) if has_structure else None


def mask_rest(text: bytes, mask: Mask, *, is_inside: bool) -> bytes:
    """The rest of such a secret: nothing of it is left but what JSON is made of. All else outside of the strings
    becomes nines."""
    masked: list[bytes] = []
    for piece in _PIECES.findall(text):
        if piece == b'"':
            is_inside = not is_inside
            masked.append(piece)
        else:
            masked.append(mask.rest(len(piece)) if is_inside else piece.translate(_NINES))
    return b"".join(masked)
