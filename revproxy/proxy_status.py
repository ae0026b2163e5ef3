"""``Proxy-Status`` (RFC 9209): what a proxy says of how it came to an answer."""

from __future__ import annotations

import re

from .errors import ProxyError
from .exchange import Exchange

__all__ = ["member", "name_of"]

_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~:/0-9A-Za-z]*")


def name_of(proxy: str) -> str:
    """The name of a proxy as RFC 9209 section 2 writes it: a token or a string of RFC 8941. Raises ``ValueError`` for
    one with characters that neither can have."""
    if not proxy or not proxy.isascii() or not proxy.isprintable():
        raise ValueError(f"proxy_status: {proxy!r} is not a name of printable ASCII")
    if _TOKEN.fullmatch(proxy) is not None:
        return proxy
    escaped = proxy.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def member(name: str, exchange: Exchange, error: ProxyError | None) -> str:
    """This proxy's member of the field: the kind of an error, and the status that the upstream has answered with."""
    said = name if error is None else f"{name}; error={error.token}"
    status = exchange.attempts[-1].status if exchange.attempts else None
    return said if status is None else f"{said}; received-status={status}"
