"""Secrets that are changed while they are in use: several at a time, the first of them for what is made anew."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["MAX_KEYS", "check_key", "ring_of"]

MAX_KEYS = 8
"""Keys of a ring at most; what nobody has made is tried with each."""
_LEAST = 32


def check_key(what: str, key: object) -> bytes:
    """``key``. Raises ``TypeError`` and ``ValueError`` that name the parameter ``what`` for what is none of at least 32
    bytes."""
    if not isinstance(key, bytes):
        raise TypeError(f"{what} must be bytes, got {type(key).__name__}")
    if len(key) < _LEAST:
        raise ValueError(f"{what} must have at least {_LEAST} bytes, got {len(key)}")
    return key


def ring_of(keys: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
    """One key or several, as a ring. Raises ``TypeError`` and ``ValueError`` that name ``keys``."""
    if isinstance(keys, str | bytearray | memoryview):
        raise TypeError(f"keys must be bytes, got {type(keys).__name__}")
    ring = (keys,) if isinstance(keys, bytes) else tuple(keys)
    if not 1 <= len(ring) <= MAX_KEYS:
        raise ValueError(f"keys must be 1 to {MAX_KEYS} keys, got {len(ring)}")
    for key in ring:
        check_key("keys", key)
    if len(set(ring)) != len(ring):
        raise ValueError("keys: one is there twice")
    return ring
