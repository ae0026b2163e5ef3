"""Checksums that vendors write into their tokens."""

from __future__ import annotations

from zlib import crc32

__all__ = ["has_crc32"]

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 6


def has_crc32(text: bytes) -> bool:
    """Whether the last six characters of ``text`` are the CRC-32 of those before, in base 62 (digits, capital letters,
    small letters): GitHub's tokens and npm's end so, what stands before their first underscore left out."""
    left = crc32(text[:-_LENGTH])
    written = bytearray()
    for _ in range(_LENGTH):
        left, digit = divmod(left, 62)
        written.append(_DIGITS[digit])
    return bytes(reversed(written)) == text[-_LENGTH:]
