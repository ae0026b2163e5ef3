"""Origins as browsers say them: the one reading of ``Origin``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address

from multidict import istr

from ..message import Inbound
from ..trust import is_authority

__all__ = ["ORIGIN", "checked", "is_own", "origin_of", "said_by"]

ORIGIN = istr("Origin")

_PORTS = {"http": "80", "https": "443"}
_SERIALISED = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*+)://(?P<host>[^/?#@:\[\]]++|\[[^\]]++\])(?::(?P<port>[0-9]*+))?"
)
_NO_PAGES = frozenset({"file", "ws", "wss"})
"""What no page is of, or one whose origin browsers say as ``null``."""


def origin_of(said: str) -> str | None:
    """``said`` in the form that browsers give an origin (RFC 6454 section 6.2): in lower case, without the port that is
    the scheme's own; ``None`` if it is no origin, and for ``null``. Any scheme will do that a page can be of, since
    extensions and applications in a web view have their own."""
    match = _SERIALISED.fullmatch(said) if len(said) <= 512 and said.isascii() else None
    if match is None or not is_authority(said[match.start("host") :]):
        return None
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"] or ""
    if scheme in _NO_PAGES:
        return None
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            return None
    port = port and str(int(port))
    return f"{scheme}://{host}" if port in ("", _PORTS.get(scheme)) else f"{scheme}://{host}:{port}"


def checked(parameter: str, origins: Iterable[str]) -> frozenset[str]:
    """``origins``, as a developer has written them. Raises ``ValueError`` for what is none."""
    found = set()
    for each in origins:
        if not each.isascii() or "*" in each:
            raise ValueError(
                f"{parameter}: {each!r}: no wildcards, and international names in their ASCII form (xn--...)"
            )
        origin = origin_of(each)
        if origin is None:
            raise ValueError(f"{parameter}: {each!r} is no origin, as https://example.com is")
        found.add(origin)
    return frozenset(found)


def said_by(lines: Sequence[str]) -> str | None:
    """The origin that these lines of ``Origin`` say; ``None`` for several, ``null`` and what is none."""
    return origin_of(lines[0]) if len(lines) == 1 else None


def is_own(inbound: Inbound, origin: str) -> bool:
    """Whether ``origin`` is that which the request itself is for, by its scheme and host."""
    return origin == origin_of(f"{inbound.scheme}://{inbound.host}")
