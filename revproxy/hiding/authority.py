"""Authorities of URLs, to be compared."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeAlias
from urllib.parse import unquote

__all__ = ["Authority", "authority", "is_internal"]

Authority: TypeAlias = tuple[str, int]
"""Host and port. The default ports of http and https are 0 here: a server that is asked by the one may call itself by
the other."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]*)?\]|[^:\[\]@/\\?# ]+)(?::([0-9]{0,5}))?")
_INTERNAL = (
    *(".internal", ".local", ".localhost", ".localdomain", ".home.arpa", ".lan", ".intranet", ".private", ".corp"),
    *(".home", ".svc", ".consul"),
)
"""Ends of names that public DNS has not (RFC 6761, 6762, 8375; ICANN's .internal), and that are in use inside."""


@lru_cache(1024)
def authority(text: str) -> Authority | None:
    """``text``, an authority with or without user information, in the form in which it can be compared: names in lower
    case and without a dot at the end, in ASCII (RFC 5890) and not percent-encoded; addresses as RFC 5952 writes them.
    ``None`` if it is none.
    """
    found = _AUTHORITY.fullmatch(text.rpartition("@")[2])
    if found is None or len(text) > 1024:
        return None
    port = int(found[2] or 0)
    return _host(found[1]), 0 if port in (80, 443) else port


def _host(text: str) -> str:
    if text[0] == "[":
        text = text[1:-1].partition("%")[0]
    else:
        text = (unquote(text) if "%" in text else text).lower()
        if not text.isascii():
            try:
                text = text.encode("idna").decode("ascii").lower()
            except UnicodeError:
                pass
        text = text[:-1] if text.endswith(".") else text
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def is_internal(host: str) -> bool:
    """Whether ``host``, in that form, is one that nobody outside could mean: an address that is not global, a name
    without a dot, a name of a domain that is for use inside."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_INTERNAL)
