"""Secrets that only their name tells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..detector import Detector
from .entropy import is_drawn
from .pieces import NAMES
from .placeholder import is_placeholder, is_template

__all__ = ["NAMED_PASSWORD", "NAMED_SECRET", "is_password", "is_secret"]

_OTHERS = (
    "page",
    "next",
    "continuation",
    "continue",
    "cursor",
    "sync",
    "pagination",
    "csrf",
    "csrfmiddleware",
    "xsrf",
    "authenticity",
    "verification",
    "forgery",
    "request",
    "idempotency",
    "cancel",
    "cancellation",
    "design",
    "syntax",
    "publishable",
    "public",
)
"""Names of tokens and keys that are no secrets: places in lists, what guards forms, what is published."""


_KEYS = (
    "api",
    "app",
    "auth",
    "access",
    "account",
    "admin",
    "master",
    "sign",
    "signing",
    "encrypt",
    "encryption",
    "private",
    "secret",
    "client",
    "service",
    "storage",
    "license",
    "subscription",
)
"""What a key is of that is a secret."""


def _behind(names: Iterable[str], word: str) -> bytes:
    """That ``word``, which was read, stands behind one of ``names``."""
    each = (rb"(?<=%s)" % (f"{name}{between}{word}").encode() for name in names for between in ("", "[_ -]"))
    return rb"(?i:" + b"|".join(each) + rb")"


def _not_behind(names: Iterable[str], word: str) -> bytes:
    each = (rb"(?<!%s)" % (f"{name}{between}{word}").encode() for name in names for between in ("", "[_-]"))
    return rb"(?i:" + b"".join(each) + rb")"


def _value(least: int) -> bytes:
    return (
        rb"""(?P<secret>(?!(?<=["']["'])[,;:)\]}>&+])(?:(?<=")[^\s"\\]{%d,200}+|(?<=['>])[^\s"'<>\\`]{%d,200}+)(?!\s)|"""
        rb"""(?<!["'>])[A-Za-z0-9!#$%%*+./:=?@^_|~-]{%d,200}+(?![(\[{]))""" % (least, least, least)
    )


_NAMES = re.compile(rb"[A-Za-z_$]{1,32}\d{0,2}(?:(?:\.|::|->|\?\.)[A-Za-z_$]{1,32}\d{0,2}){1,8}")
_PLACE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{1,15}://|(?:\.{1,2}|~)?/[a-z][a-z._-]{1,30}/|arn:|urn:|\d{4}-\d\d-\d\d")
_MARK = re.compile(rb"[0-9]|.[!#$%*+?@^|~=&].", re.DOTALL)


def is_secret(text: bytes) -> bool:
    """Whether ``text`` may be a key that stands behind its name."""
    return is_drawn(text) and not is_placeholder(text)


def is_password(text: bytes) -> bool:
    """Whether ``text`` may be a password that stands behind its name: with a digit or a sign within, so that it is no
    label, no message and no name of a member."""
    return _MARK.search(text) is not None and not (
        _NAMES.fullmatch(text) or _PLACE.match(text) or is_template(text) or b"|min:" in text or b"|max:" in text
    )


NAMED_SECRET = Detector(
    "named-secret",
    rb"(?:(?i:key)" + _behind(_KEYS, "key") + rb"|(?i:token)" + _not_behind(_OTHERS, "token") + rb"(?<![\"']_token)"
    rb"|(?i:secret|credentials?))"
    rb"(?i:[_-]?(?:key|value|string|base64|b64|hex|hash|prod|production|dev|test|staging|live))?(?:_?\d{1,2})?"
    + NAMES
    + rb"(?:(?:[Bb]earer|[Bb]asic|[Tt]oken) )?"
    + _value(16),
    valid=is_secret,
    words=(b"key", b"token", b"secret", b"credential"),
    swallow=rb"A-Za-z0-9!#$%*+./:=?@^_|~\-",
)
"""What was drawn at random and stands behind a name that tells: ``api_key``, ``secret``, ``token`` and the like, in
JSON, YAML, environments, fields, queries, code, XML and HTML; of at least 16 characters."""

NAMED_PASSWORD = Detector(
    "named-password",
    rb"(?:(?i:passw(?:or)?d|passphrase|passwort|pwd)|(?<=[_.-])(?i:pass))"
    rb"(?i:[_-]?(?:value|string|hash|prod|dev|test))?\d{0,2}" + NAMES + _value(6),
    valid=is_password,
    words=(b"pass", b"pwd"),
    swallow=rb"A-Za-z0-9!#$%*+./:=?@^_|~\-",
)
"""What stands behind ``password`` and the like, of at least 6 characters, with a digit or a sign within. Not
passphrases of words, and none with spaces in them."""
