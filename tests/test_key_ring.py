"""Secrets that are changed while they are in use."""

from __future__ import annotations

import pytest

from revproxy.key_ring import MAX_KEYS, check_key, ring_of

ONE, TWO = b"1" * 32, b"2" * 32


def test_rings() -> None:
    """One or several, in their order."""
    assert ring_of(ONE) == (ONE,)
    assert ring_of([TWO, ONE]) == (TWO, ONE)
    assert check_key("key", ONE) == ONE


@pytest.mark.parametrize(
    ("keys", "error", "says"),
    [
        ([], ValueError, "keys must be 1 to 8 keys, got 0"),
        ([bytes([number]) * 32 for number in range(MAX_KEYS + 1)], ValueError, "keys must be 1 to 8 keys, got 9"),
        ([ONE, ONE], ValueError, "keys: one is there twice"),
        (ONE[:31], ValueError, "keys must have at least 32 bytes, got 31"),
        ("1" * 32, TypeError, "keys must be bytes, got str"),
        (bytearray(ONE), TypeError, "keys must be bytes, got bytearray"),
        (["1" * 32], TypeError, "keys must be bytes, got str"),
    ],
)
def test_bad_rings(keys: object, error: type[Exception], says: str) -> None:
    """It is said what is wrong, and nothing of a key."""
    with pytest.raises(error, match=says):
        ring_of(keys)  # type: ignore[arg-type]
