"""Tokens by their structure."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as NotBase64
from json import loads

from ..detector import Detector
from .entropy import is_drawn
from .placeholder import is_placeholder

__all__ = ["BASIC_CREDENTIALS", "BEARER_TOKEN", "JWT"]

_ALGORITHM = re.compile(rb'"alg"[ \t\r\n]*:[ \t\r\n]*"[A-Za-z0-9+_-]{2,}"')


def _has_header(text: bytes) -> bool:
    header, dot, _ = text.partition(b".")
    try:
        said = urlsafe_b64decode(header[: len(header) - len(header) % 4] if not dot else header + b"==")
    except NotBase64:
        return False
    if _ALGORITHM.search(said) is None:
        return False
    if not dot:
        return True  # longer than what is looked at, as those are that have a certificate in them
    try:
        return isinstance(loads(said), dict)
    except (ValueError, RecursionError):
        return False


JWT = Detector(
    "jwt",
    rb"(?<![A-Za-z0-9_-](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt])(?<!ghs_))e(?:y[JA]|w[o0])"
    rb"[A-Za-z0-9_-]{9,479}(?:(?<=[A-Za-z0-9_-]{482})|\.[A-Za-z0-9_-]{0,8}(?:\.|(?<=[A-Za-z0-9_-]{4})))",
    valid=_has_header,
    words=(b"eyJ", b"eyA", b"ewo", b"ew0"),
    swallow=rb"A-Za-z0-9_.\-",
)
"""JSON Web Tokens, signed or encrypted (RFC 7515 and 7516, compact): their header is JSON and names an algorithm."""


def _is_token(text: bytes) -> bool:
    return is_drawn(text) and not is_placeholder(text)


BEARER_TOKEN = Detector(
    "bearer-token",
    rb"(?<![A-Za-z])(?:[Bb]earer|BEARER)(?:[ +]|%20)(?P<secret>[A-Za-z0-9_~+/=.-]{16,256})",
    valid=_is_token,
    swallow=rb"A-Za-z0-9_~+/=.\-",
)
"""What fields and their logs have behind ``Bearer`` (RFC 6750)."""


def _is_name_and_password(text: bytes) -> bool:
    try:
        said = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except NotBase64:
        return False
    _, colon, password = said.partition(b":")
    return bool(colon and password) and not (set(said) & set(range(0x20))) and not is_placeholder(password)


BASIC_CREDENTIALS = Detector(
    "basic-credentials",
    rb"(?<![A-Za-z])(?:[Bb]asic|BASIC)(?:[ +]|%20)(?P<secret>[A-Za-z0-9+/]{6,340}={0,2})(?![A-Za-z0-9+/=])",
    valid=_is_name_and_password,
)
"""What fields and their logs have behind ``Basic``: a name and a password (RFC 7617)."""
