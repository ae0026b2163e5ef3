"""Only pages of these origins may open WebSockets."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from multidict import istr

from ..errors import ForbiddenOrigin
from ..exchange import Exchange
from ..handler import Component, Handler
from ..message import Response

__all__ = ["AllowedOrigins"]

_ORIGIN = istr("Origin")
_PORTS = {"http": "80", "https": "443"}


class AllowedOrigins(Component):
    """Refuses handshakes of WebSockets by pages of other origins with 403 (RFC 6455 section 10.2).

    A browser lets every page open a WebSocket to every host, cookies included, and says in ``Origin`` whose page it is.
    Without a look at it, any site that a user visits can speak to the back end in his name. What is not a browser says
    nothing, and passes.

    ``origins``: whole ones, scheme and host, with a port where it is not the scheme's own: ``"https://example.com"``.
    There are no wildcards. The page's own origin, the scheme and host that the handshake itself is for, is always
    allowed: let ``AllowedHosts`` stand outside, unless somebody else checks names. ``Origin: null`` never is allowed.

    Raises ``ValueError`` for what is no origin.
    """

    guards = True

    def __init__(self, *origins: str) -> None:
        self.origins = origins
        self._allowed = frozenset(_normal(origin) for origin in origins)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if (exchange.request.upgrade or "").lower() == "websocket":
            said = exchange.inbound.headers.getall(_ORIGIN, ())
            if said and not (len(said) == 1 and self._allows(exchange, said[0])):
                raise ForbiddenOrigin(f"Origin: {', '.join(said)[:256]!r}")
        return handler(exchange)

    def _allows(self, exchange: Exchange, said: str) -> bool:
        inbound = exchange.inbound
        try:
            origin = _normal(said)
            return origin in self._allowed or origin == _normal(f"{inbound.scheme}://{inbound.host}")
        except ValueError:
            return False

    def __repr__(self) -> str:
        return f"AllowedOrigins({', '.join(map(repr, self.origins))})"


def _normal(origin: str) -> str:
    """``origin`` in one form: lower-cased, with its port (RFC 6454 section 4)."""
    if not origin.isascii() or "*" in origin:
        raise ValueError(f"origins: {origin!r}: no wildcards, and international names in their ASCII form (xn--...)")
    parts = urlsplit(origin)
    host, port = parts.hostname, parts.port
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        raise ValueError(f"origins: {origin!r} is no origin, as https://example.com is")
    return f"{parts.scheme}://{host}:{_PORTS[parts.scheme] if port is None else port}"
