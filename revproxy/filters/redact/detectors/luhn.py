"""The check digit of payment cards."""

from __future__ import annotations

__all__ = ["has_luhn_digit"]

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The sum of the digits of twice a digit."""


def has_luhn_digit(digits: bytes) -> bool:
    """Whether ``digits``, nothing but ASCII digits, end in the check digit of the others (ISO/IEC 7812-1, annex B)."""
    values = [digit - 0x30 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0
