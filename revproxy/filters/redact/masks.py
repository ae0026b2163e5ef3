"""What stands in the place of a secret.

All are printable ASCII without quotes, backslashes, ``<``, ``>`` or ``&``, so that no text is broken by one, whatever
it is written in.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from ...key_ring import check_key

__all__ = ["Fixed", "LastFour", "Mask", "SameLength", "Token"]

_FORBIDDEN = b"\"'\\<>&`"
_LONGEST = 64
_SHOWN = 4
_SHOWN_OF = 12
_DIGITS = b"0123456789"


class Mask(ABC):
    """Base of the masks.

    ``keeps_length``
        Whether what is masked takes as many bytes as before, always. ``Content-Length`` is kept then.
    ``reveals``
        Whether it shows a part of the secret. It does not where another one overlaps with it, or is cut off.
    """

    __slots__ = ()

    keeps_length: ClassVar[bool] = False
    reveals: ClassVar[bool] = False

    @abstractmethod
    def of(self, secret: bytes, room: int) -> bytes:
        """What stands in the place of ``secret``, which took up ``room`` bytes as it was written, escapes and all. A
        ``secret`` of nothing is one that no part is to be shown of."""

    def rest(self, room: int) -> bytes:
        """What stands in the place of ``room`` more bytes of a secret that was begun."""
        return b""

    def number(self, secret: bytes) -> bytes:
        """What stands in the place of a ``secret`` that is written as a number of JSON, without quotes: each digit is a
        9, so that it is a number still, of as many digits."""
        return bytes(0x39 if each in _DIGITS else each for each in secret)


@dataclass(frozen=True, slots=True)
class Fixed(Mask):
    """Always the same text: ``Fixed("[card]")``.

    Raises ``ValueError`` for a text of more than 64 characters, or with some that may break what it stands in.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(f"text must be a str, got {self.text!r}")
        if len(self.text) > _LONGEST or not _is_harmless(self.text):
            raise ValueError(
                f"text must be at most {_LONGEST} printable ASCII characters without quotes, \\, <, > and &,"
                f" got {self.text!r}"
            )

    def of(self, secret: bytes, room: int) -> bytes:
        return self.text.encode()


@dataclass(frozen=True, slots=True)
class SameLength(Mask):
    """As many of ``fill`` as there were bytes.

    Raises ``ValueError`` for a ``fill`` that is not one harmless character.
    """

    fill: str = "*"

    keeps_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_fill(self.fill)

    def of(self, secret: bytes, room: int) -> bytes:
        return self.fill.encode() * room

    def rest(self, room: int) -> bytes:
        return self.fill.encode() * room


@dataclass(frozen=True, slots=True)
class LastFour(Mask):
    """As many of ``fill`` as there were bytes, but for the last four, if they are letters and digits of ASCII, and the
    secret is at least 12 bytes long.

    Raises ``ValueError`` for a ``fill`` that is not one harmless character.
    """

    fill: str = "*"

    keeps_length: ClassVar[bool] = True
    reveals: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_fill(self.fill)

    def of(self, secret: bytes, room: int) -> bytes:
        shown = _shown(secret)
        return self.fill.encode() * (room - len(shown)) + shown

    def rest(self, room: int) -> bytes:
        return self.fill.encode() * room

    def number(self, secret: bytes) -> bytes:
        hidden = Mask.number(self, secret)
        shown = _shown(secret)
        return hidden[: len(hidden) - len(shown)] + shown


@dataclass(frozen=True, slots=True)
class Token(Mask):
    """A name for the secret, the same wherever it is found: ``tok-`` and ``length`` hexadecimal digits of its
    HMAC-SHA256 (RFC 2104) under ``key``. Without the key nobody finds out what it stands for, not even of a secret of
    which there are few, as telephone numbers; with it, anybody does who can try them all.

    ``key``
        At least 32 random bytes, the same in every process whose tokens are to be compared.
    ``length``
        8 to 64.

    Raises ``ValueError`` or ``TypeError`` that names the parameter.
    """

    key: bytes = field(repr=False)
    length: int = 20

    def __post_init__(self) -> None:
        check_key("key", self.key)
        if type(self.length) is not int or not 8 <= self.length <= 64:
            raise ValueError(f"length must be 8 to 64, got {self.length!r}")

    def of(self, secret: bytes, room: int) -> bytes:
        return b"tok-" + hmac.digest(self.key, secret, "sha256").hex()[: self.length].encode()

    def number(self, secret: bytes) -> bytes:
        """Digits from the same HMAC, none of them 0."""
        named = hmac.digest(self.key, secret, "sha256")
        return bytes(
            0x31 + named[place % len(named)] % 9 if each in _DIGITS else each for place, each in enumerate(secret)
        )


def _shown(secret: bytes) -> bytes:
    last = secret[-_SHOWN:]
    return last if len(secret) >= _SHOWN_OF and last.isalnum() else b""


def _is_harmless(text: str) -> bool:
    return text.isascii() and text.isprintable() and not any(each in _FORBIDDEN for each in text.encode())


def _check_fill(fill: object) -> None:
    if not isinstance(fill, str) or len(fill) != 1 or fill == " " or not _is_harmless(fill):
        raise ValueError(f"fill must be one printable ASCII character that is no quote, \\, <, > or &, got {fill!r}")
