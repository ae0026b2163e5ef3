"""Checksums that vendors write into their tokens."""

from __future__ import annotations

import string
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors.base62 import has_crc32

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def by_hand(text: str) -> str:
    number, written = crc32(text.encode()), ""
    for power in range(5, -1, -1):
        digit, number = divmod(number, 62**power)
        written += DIGITS[digit]
    return written


@given(st.text(DIGITS, max_size=40))
def test_is_the_checksum(text: str) -> None:
    """The CRC-32 in base 62, with zeros before it, is right, and with any digit changed it is not."""
    checksum = by_hand(text)
    assert has_crc32((text + checksum).encode())
    assert not has_crc32((text + checksum[:-1] + ("0" if checksum[-1] != "0" else "1")).encode())


@pytest.mark.parametrize("text", [b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17", b"0o0o0o0o0o0o0o0o0o0o0o0o0o0o0o2hrCZf"])
def test_an_example(text: bytes) -> None:
    """A published example of GitHub's is right; a made-up one is not."""
    assert has_crc32(text) == (text[-6:] == by_hand(text[:-6].decode()).encode())
    assert has_crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17")
