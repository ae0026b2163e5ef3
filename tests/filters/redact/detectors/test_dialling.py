"""Country codes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from revproxy.filters.redact.detectors import PHONE
from revproxy.filters.redact.detectors.dialling import NUMBERS

from .found import found

CODES = sorted({code.decode() for _, _, codes in NUMBERS for code in codes.split(b"|")})


def test_no_code_begins_another() -> None:
    """One knows where a country code ends (ITU-T E.164, annex A)."""
    assert not any(second.startswith(first) for first, second in pairwise([*CODES, "1"]))
    assert all(1 <= len(code) <= 3 and not code.startswith(("0", "1")) for code in CODES)


def test_lengths() -> None:
    """With its country code no number has more than 15 digits (E.164, 6.2.1)."""
    for least, most, codes in NUMBERS:
        assert 4 <= least <= most
        assert all(len(code) + most <= 15 for code in codes.split(b"|"))


@pytest.mark.parametrize(
    ("code", "digits"),
    [("33", 9), ("44", 10), ("49", 11), ("86", 11), ("55", 11), ("91", 10), ("81", 10), ("61", 9), ("7", 10),
     ("352", 6),
     ("47", 8), ("65", 8), ("234", 10), ("225", 10), ("971", 9), ("386", 8),
     ("358", 9), ("62", 11), ("54", 11)],
)  # fmt: skip
def test_numbers(code: str, digits: int) -> None:
    """Mobile numbers of countries are found whole, and not with a digit in front of what belongs to them."""
    number = f"+{code}{'9876543210987'[:digits]}"
    assert found(PHONE, f"tel {number}, x") == [number.encode()]
    assert found(PHONE, f"+{code}{'9' * 13}") == []
