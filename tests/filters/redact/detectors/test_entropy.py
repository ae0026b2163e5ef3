"""Whether a text was drawn at random."""

from __future__ import annotations

import string
from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors.entropy import bits, is_drawn, spelt
from tests.filters.redact.corpus.drawing import BASE32, BASE62, HEX, LOWER36, URL64, base64_of, text_of, uuid


@given(st.binary(min_size=1, max_size=200))
def test_bits(text: bytes) -> None:
    """It is Shannon's entropy, as it is defined."""
    each = [text.count(value) / len(text) for value in set(text)]
    assert bits(text) == pytest.approx(sum(share * log2(1 / share) for share in each))
    assert 0 <= bits(text) <= log2(len(text)) + 1e-9


def test_of_nothing() -> None:
    """A text without a byte has no entropy, and is not spelt."""
    assert bits(b"") == spelt(b"") == 0


@pytest.mark.parametrize(
    ("alphabet", "length", "least"),
    [
        pytest.param(HEX, 32, 0.999, id="hex-32"),
        pytest.param(HEX, 16, 0.97, id="hex-16"),
        pytest.param(BASE62, 16, 0.99, id="base62-16"),
        pytest.param(BASE62, 32, 0.999, id="base62-32"),
        pytest.param(URL64, 43, 0.999, id="url64-43"),
        pytest.param(LOWER36, 24, 0.98, id="base36-24"),
        pytest.param(LOWER36, 32, 0.98, id="base36-32"),
        pytest.param(BASE32, 32, 0.98, id="base32-32"),
        pytest.param(string.ascii_lowercase, 24, 0.95, id="letters-24"),
    ],
)
def test_keys_are_drawn(alphabet: str, length: int, least: float) -> None:
    """Of keys that were drawn, of whatever alphabet, nearly all are known for that."""
    rng = Random(7)
    drawn = sum(is_drawn(text_of(rng, alphabet, length).encode()) for _ in range(2000))
    assert drawn / 2000 >= least


def test_more_forms() -> None:
    """So are UUIDs and base64."""
    rng = Random(7)
    assert all(is_drawn(uuid(rng).encode()) for _ in range(200))
    assert all(is_drawn(base64_of(rng, 24).encode()) for _ in range(200))


@pytest.mark.parametrize(
    "text",
    [
        b"internationalization",
        b"correct-horse-battery-staple",
        b"user_2fa_step1",
        b"default-token-refresh-2",
        b"MyApplicationSettings",
        b"getElementById2",
        b"production-us-east-1-primary",
        b"btn-primary-lg-2x",
        b"com.example.app.Main1",
        b"2026-11-28T13:06:23.000Z",
        b"10.15.7-beta.12345678",
        b"https://example.com/a1b2c3d4e5f6a7b8",
        b"/run/secrets/a1b2c3d4e5f6a7b8",
        b"order-20261128-000123",
        b"1234567890123456",
        b"aaaaaaaaaaaaaaaaaaaa1",
        b"customer_portal_v2_enabled",
    ],
)
def test_what_is_written(text: bytes) -> None:
    """Words, names, versions, times, places and numbers were not drawn."""
    assert not is_drawn(text)
