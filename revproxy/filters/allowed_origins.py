"""Only pages of these origins may open WebSockets."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ForbiddenOrigin
from ..exchange import Exchange
from ..handler import Component, Handler
from ..message import Response
from ..security_log import LOGGER, Refusals, Severity
from .origins import ORIGIN, checked, is_own, said_by

__all__ = ["AllowedOrigins"]


class AllowedOrigins(Component):
    """Refuses handshakes of WebSockets by pages of other origins with 403 (RFC 6455 section 10.2).

    A browser lets every page open a WebSocket to every host, cookies included, and says in ``Origin`` whose page it is.
    Without a look at it, any site that a user visits can speak to the back end in his name. What is not a browser says
    nothing, and passes.

    ``origins``
        Whole ones, scheme and host, with a port where it is not the scheme's own: ``"https://example.com"``,
        ``"capacitor://localhost"``. There are no wildcards. The page's own origin, the scheme and host that the
        handshake itself is for, is always allowed: let ``AllowedHosts`` stand outside, unless somebody else checks
        names. ``Origin: null`` never is allowed.
    ``severity``, ``name``, ``logger``, ``fold``
        Of what is refused, for the security log: see ``Rules``; ``None``: nothing is logged.
    ``shadow``
        Refuses nothing, but logs what it would have refused.

    Raises ``ValueError`` for what is no origin.
    """

    guards = True

    def __init__(
        self,
        *origins: str,
        severity: Severity | None = Severity.WARNING,
        shadow: bool = False,
        name: str = "WebSocket origin",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.origins = origins
        self._allowed = checked("origins", origins)
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)

    @property
    def refused(self) -> int:
        """How many handshakes were refused, ever; in shadow, how many would have been."""
        return self._refusals.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if (exchange.request.upgrade or "").lower() == "websocket":
            said = exchange.inbound.headers.getall(ORIGIN, ())
            if said:
                origin = said_by(said)
                if origin is None or not (origin in self._allowed or is_own(exchange.inbound, origin)):
                    what = f"Origin: {', '.join(said)[:256]!r}"
                    self._refusals.refuse(exchange, ForbiddenOrigin(what), detail=what)
        return handler(exchange)

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        return f"AllowedOrigins({', '.join(map(repr, self.origins))})"
