"""What changes something is not done for pages of other origins."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ForbiddenOrigin
from ..exchange import Exchange, Key
from ..handler import Component, Handler
from ..message import Inbound, Response
from ..security_log import LOGGER, Refusals, Severity
from ..when import When
from .origins import ORIGIN, checked, is_own, said_by

__all__ = ["Csrf"]

_FETCH_SITE = istr("Sec-Fetch-Site")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Csrf(Component):
    """Refuses requests that may change something where a page of another origin has a browser send them, cookies
    included: cross-site request forgery. 403 (``ForbiddenOrigin``). It needs no tokens and no help of the back end.

    It decides as Go's ``http.CrossOriginProtection`` and the OWASP cheat sheet do. Safe methods pass (RFC 9110 section
    9.2.1: ``GET``, ``HEAD``, ``OPTIONS``), so they have to be safe. For the others ``Sec-Fetch-Site`` has the word,
    which no page can forge: ``same-origin`` passes, and ``none``, which is the user himself; ``same-site`` does not.
    Browsers from before 2023, and requests over plain HTTP, have ``Origin`` alone: it has to be the scheme, the host
    and the port that the request is for. Who says neither is no browser, and passes.

    ``trusted``
        Other origins whose pages may: ``"https://login.example.com"``. There are no wildcards; ``null`` never is.
    ``bypass``
        Requests that pass whatever their origin, as those with which another site's form is posted on purpose (a
        sign-on's answer): they must be safe by themselves.
    ``shadow``
        Refuses nothing, but logs what it would have refused.
    ``severity``, ``name``, ``logger``, ``fold``
        Of what is refused, for the security log: see ``Rules``; ``None``: nothing is logged.

    What the request is for is ``Host``: let ``AllowedHosts`` stand outside. Behind a server that ends TLS say so with
    ``TrustedProxies``, or the scheme is not the browser's. WebSockets are for ``AllowedOrigins``.

    Raises ``ValueError`` for what is no origin, ``TypeError`` for what is no condition.
    """

    guards = True

    def __init__(
        self,
        *trusted: str,
        bypass: When | None = None,
        shadow: bool = False,
        severity: Severity | None = Severity.WARNING,
        name: str = "CSRF",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if bypass is not None and not isinstance(bypass, When):
            raise TypeError(f"bypass: {bypass!r} is not a condition: wrap a function in when.check()")
        self.trusted = trusted
        self._trusted = checked("trusted", trusted)
        self._bypass = bypass
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)
        self.reads_path: bool = bypass is not None and bypass.reads_path
        self.requires: frozenset[Key[Any]] = frozenset() if bypass is None else bypass.requires

    @property
    def refused(self) -> int:
        """How many were refused, ever; in shadow, how many would have been."""
        return self._refusals.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if exchange.inbound.method not in _SAFE:
            why = self._why_not(exchange.inbound)
            if why is not None and (self._bypass is None or not self._bypass.test(exchange)):
                self._refusals.refuse(exchange, ForbiddenOrigin(why), detail=why)
        return handler(exchange)

    def _why_not(self, inbound: Inbound) -> str | None:
        """What speaks against a request that is not safe; ``None``: nothing."""
        sites, origins = inbound.headers.getall(_FETCH_SITE, ()), inbound.headers.getall(ORIGIN, ())
        if len(sites) == 1 and sites[0] in ("same-origin", "none"):
            return None
        if not sites and not origins:
            return None
        origin = said_by(origins)
        if origin is not None and (origin in self._trusted or (not sites and is_own(inbound, origin))):
            return None
        site = f"Sec-Fetch-Site: {', '.join(sites)[:80]!r}, " if sites else ""
        return f"{site}Origin: {', '.join(origins)[:256]!r}"

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        said = [*map(repr, self.trusted)]
        if self._bypass is not None:
            said.append(f"bypass={self._bypass!r}")
        if self._refusals.shadow:
            said.append("shadow=True")
        return f"Csrf({', '.join(said)})"
