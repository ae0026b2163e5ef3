"""What stands in the place of a secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact import Fixed, LastFour, Mask, SameLength, Token

KEY = b"k" * 32
MASKS = [Fixed("[x]"), SameLength(), LastFour(), Token(KEY)]
HARMLESS = frozenset(range(0x20, 0x7F)) - frozenset(b"\"'\\<>&`")


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: type(mask).__name__)
@given(secret=st.binary(max_size=40), more=st.integers(0, 40))
def test_harmless(mask: Mask, secret: bytes, more: int) -> None:
    """Whatever the secret is, its mask breaks no text: printable ASCII, no quotes, backslashes, <, > and &; as long as
    what it stands for, where it says so."""
    room = len(secret) + more
    for shown in (mask.of(secret, room), mask.of(b"", room)):
        assert HARMLESS.issuperset(shown)
        if mask.keeps_length:
            assert len(shown) == room
            assert len(mask.rest(room)) == room


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: type(mask).__name__)
@pytest.mark.parametrize("number", [b"4111111111111111", b"-0.000000000000", b"7", b"12e10", b".5"])
def test_numbers(mask: Mask, number: bytes) -> None:
    """A number stays one, of as many digits, none of which is a 0 but where the last four are shown."""
    shown = mask.number(number)
    assert len(shown) == len(number)
    for was, now in zip(number, shown, strict=True):
        assert bytes([now]).isdigit() == bytes([was]).isdigit()
        assert now != ord("0") or (mask.reveals and was == now)


def test_fixed() -> None:
    """Always the same, of nothing at least."""
    assert Fixed("[card]").of(b"4111", 4) == b"[card]"
    assert Fixed("").of(b"4111", 4) == Fixed("x").rest(9) == b""


def test_same_length() -> None:
    """As many as there were bytes, escapes and all."""
    assert SameLength("#").of(b"4111", 9) == b"#########"


@pytest.mark.parametrize(
    ("secret", "room", "shown"),
    [
        (b"4111111111111234", 16, b"************1234"),
        (b"4111111111111234", 21, b"*****************1234"),
        (b"1234", 4, b"****"),
        (b"12345678901", 11, b"***********"),
        (b"123456789 12", 12, b"************"),
        (b"", 16, b"****************"),
    ],
)
def test_last_four(secret: bytes, room: int, shown: bytes) -> None:
    """S-72: at most the last four, and of what is short nothing."""
    assert LastFour().of(secret, room) == shown


def test_token() -> None:
    """The same secret has the same token, and another one under another key: the name of its HMAC-SHA256, as RFC 4231
    section 4.3 has one."""
    token = Token(KEY)
    assert token.of(b"secret", 6) == token.of(b"secret", 99) == Token(KEY).of(b"secret", 6)
    assert token.of(b"secret", 6) != token.of(b"secreT", 6)
    assert token.of(b"secret", 6) != Token(b"K" * 32).of(b"secret", 6)
    assert len(Token(KEY, length=64).of(b"secret", 6)) == 68
    known = Token(b"\x0b" * 20 + b"\x00" * 12, length=64)  # HMAC pads its key with zeros: test case 1 of section 4.2
    assert known.of(b"Hi There", 8) == b"tok-b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    assert token.number(b"4111") == token.number(b"4111") != token.number(b"4112")
    assert "kkk" not in repr(token)


@pytest.mark.parametrize(
    ("make", "error", "what"),
    [
        (lambda: Fixed("a" * 65), ValueError, "text must be at most 64"),
        (lambda: Fixed('"'), ValueError, "text must be at most 64"),
        (lambda: Fixed("a\n"), ValueError, "text must be at most 64"),
        (lambda: Fixed("é"), ValueError, "text must be at most 64"),
        (lambda: Fixed(b"x"), TypeError, "text must be a str"),  # type: ignore[arg-type]
        (lambda: SameLength("**"), ValueError, "fill must be one"),
        (lambda: SameLength("<"), ValueError, "fill must be one"),
        (lambda: LastFour(" "), ValueError, "fill must be one"),
        (lambda: Token(b"short"), ValueError, "key must have at least 32 bytes, got 5"),
        (lambda: Token("k" * 32), TypeError, "key must be bytes"),  # type: ignore[arg-type]
        (lambda: Token(KEY, length=7), ValueError, "length must be 8 to 64, got 7"),
        (lambda: Token(KEY, length=True), ValueError, "length must be 8 to 64"),
    ],
    ids=range(12),
)
def test_bad_input(make: Any, error: type[Exception], what: str) -> None:
    """Whatever is wrong is named."""
    with pytest.raises(error, match=f"^{what}"):
        make()
