"""All detectors together."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from revproxy.filters.redact import detectors
from revproxy.filters.redact.detector import Detector
from revproxy.filters.redact.detectors import ALL, KEYS, NATIONAL_PHONE, PERSONAL
from revproxy.filters.redact.engine import Engine

EVERY = (*ALL, NATIONAL_PHONE)
REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "detectors.md"


def by_name(detector: Detector) -> str:
    return detector.name


def test_groups() -> None:
    """Every public detector is in ``ALL`` but one, each once, and the groups have nothing else in them."""
    public = {value for name in detectors.__all__ if isinstance(value := getattr(detectors, name), Detector)}
    assert public == set(EVERY)
    assert len(ALL) == len(set(ALL)) == len({each.name for each in ALL})
    assert {*PERSONAL, *KEYS, *detectors.INTERNAL_ADDRESSES} == set(ALL)
    for name in detectors.__all__:
        group = getattr(detectors, name)
        if isinstance(group, tuple):
            assert set(group) <= set(ALL), name


def test_one_engine() -> None:
    """They work together in one engine, and none reaches further than 512 bytes."""
    engine = Engine(EVERY, "words")
    assert engine.reach <= 1024
    assert all(each.longest <= 512 for each in EVERY)


@pytest.mark.parametrize("detector", EVERY, ids=by_name)
def test_documented(detector: Detector) -> None:
    """The table in the reference has it."""
    assert f"`{detector.name}`" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("detector", EVERY, ids=by_name)
def test_words(detector: Detector) -> None:
    """Without a word of those that it names, it finds nothing: what it finds in a text of ordinary pieces has one."""
    rng = Random(detector.name)
    pieces = [
        b"key",
        b"token",
        b": ",
        b"=",
        b'"',
        b"password",
        b"a1B2c3D4e5F6g7H8",
        b"10.0.0.1",
        b"@example.com",
        b"x",
        b" ",
        b"-",
        b"://",
        b":",
        b"4111111111111111",
    ]
    for _ in range(300):
        text = b"".join(rng.choices(pieces, k=12))
        match = detector.regex.search(text)
        if match is not None and detector.needed:
            assert any(word in match[0].lower() for word in detector.needed)


ADVERSARIAL = {
    "digits": b"4" * 100_000, "groups": b"4111 " * 20_000, "letters": b"a" * 100_000, "dots": b"10." * 30_000,
    "at": b"a@" * 50_000, "local": b"a." * 50_000, "plus": b"+1 " * 30_000, "colons": b"fd00:" * 20_000,
    "equals": b"password=" * 11_000,
    "quotes": b'"token":"' * 11_000, "urls": b"x://a:" * 16_000, "userinfo": b"x://" + b"a" * 100_000,
    "jwt": b"eyJ" * 33_000, "begin": b"-----BEGIN PRIVATE KEY-----\n" * 3_500,
    "headers": b"-----BEGIN RSA PRIVATE KEY-----\n" + b"Aaaa: b\n" * 12_000, "semicolons": b"Server=a;" * 11_000,
    "jdbc": b"jdbc:a:b?" + b"c=d&" * 25_000, "words": b"host=a " * 14_000, "tags": b"token<a><a><a>" * 7_000,
    "spaces": b"secret" + b" " * 100_000, "iban": b"DE89 " * 20_000, "hex": b"0123456789abcdef" * 6_000,
    "base64": b"AZaz09+/" * 12_000, "escapes": b"\\\\\\" * 33_000, "high": b"\xc3\xa9" * 50_000,
    "sk": b"sk-" * 33_000, "bearer": b"Bearer " * 14_000, "gh": b"ghp_" * 25_000, "ssn": b"ssn" * 33_000,
    "underscores": b"password_" * 11_000,
}  # fmt: skip


@pytest.mark.parametrize("text", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_no_text_is_slow(text: bytes) -> None:
    """No text of 100 kB takes any of them longer than is in proportion; S-53."""
    slowest = 0.0
    for detector in EVERY:
        began = time.process_time()
        at = 0
        while (match := detector.regex.search(text, at)) is not None:
            at = match.end()
        slowest = max(slowest, time.process_time() - began)
    assert slowest < 2
