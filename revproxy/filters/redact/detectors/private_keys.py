"""Private keys."""

from __future__ import annotations

from base64 import urlsafe_b64decode

from ..detector import Detector
from .entropy import bits

__all__ = ["AGE_SECRET_KEY", "JWK_PRIVATE_KEY", "PRIVATE_KEY", "PUTTY_PRIVATE_KEY"]

_LINE = rb"(?:[\s\\\",]|(?<=\\)[rn]|%0[ADad]|%20|<br ?/?>)"
_BASE64 = rb"A-Za-z0-9+/=\\%<>\s"

PRIVATE_KEY = Detector(
    "private-key",
    rb"-{4,5} ?BEGIN (?:[A-Z0-9]{2,9} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{4,5}" + _LINE + rb"{0,8}+"
    rb"(?:[A-Z][A-Za-z-]{3,15}: ?[^\r\n\\]{0,48}[\r\n\\]"
    + _LINE
    + rb"{0,4}+){0,3}(?P<secret>[A-Za-z0-9+/]{1,64}+={0,2}+)"
    rb"(?:(?<=[A-Za-z0-9+/=]{16})|(?=[\\\r\n][\s\\rn]{0,3}-{4,5} ?END))",
    words=(b"PRIVATE KEY",),
    swallow=_BASE64,
)
"""What stands in PEM blocks that are private keys, in lines or one: PKCS #1, PKCS #8, SEC 1, OpenSSH, encrypted ones
(RFC 7468), and in those of OpenPGP (RFC 9580). What frames them is left, so that one sees what was there."""

PUTTY_PRIVATE_KEY = Detector(
    "putty-private-key",
    rb"Private-Lines: \d{1,3}" + _LINE + rb"{1,4}+(?P<secret>[A-Za-z0-9+/]{16,64})",
    swallow=_BASE64,
)
"""The private part of PuTTY's key files."""


def _is_number(text: bytes) -> bool:
    if text == text.lower() or text == text.upper() or bits(text) < 4:
        return False
    number = urlsafe_b64decode(text[: len(text) - len(text) % 4])
    return sum(0x20 <= byte < 0x7F for byte in number) * 3 < len(number) * 2  # not a text


JWK_PRIVATE_KEY = Detector(
    "jwk-private-key",
    rb"""["'](?:d|p|q|dp|dq|qi)\\{0,3}["']{1,2}[ \t]{0,4}:[ \t]{0,4}\\{0,3}["']{1,2}"""
    rb"(?P<secret>[A-Za-z0-9_-]{43,400})",
    valid=_is_number,
    words=(b'd"', b'p"', b'q"', b'i"', b"d'", b"p'", b"q'", b"i'", b"d\\", b"p\\", b"q\\", b"i\\"),
    swallow=rb"A-Za-z0-9_\-",
)
"""The private numbers of a JSON Web Key (RFC 7518, 6.2.2 and 6.3.2)."""

AGE_SECRET_KEY = Detector("age-secret-key", rb"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}(?![0-9A-Z])")
"""The identities of age."""
