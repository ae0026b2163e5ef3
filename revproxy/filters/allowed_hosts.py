"""Only the hosts that are served here."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ..errors import MisdirectedRequest
from ..exchange import Exchange
from ..handler import Component, Handler
from ..message import Response
from ..security_log import Refusals
from ..when import host

__all__ = ["AllowedHosts"]


class AllowedHosts(Component):
    """Refuses requests for other hosts than ``names`` with 421 (RFC 9110 section 15.5.20): what a back end does with a
    ``Host`` that it does not expect, links in mails and caches above all, is then nobody's to choose.

    ``names`` are as for ``when.host``: ``"example.com"``, ``"*.example.com"``. Case, port and a final dot make no
    difference. Raises ``ValueError`` for none, or for one that is no host.
    """

    guards = True

    def __init__(self, *names: str) -> None:
        self.names = names
        self._test = host(*names).test
        self._refusals = Refusals("AllowedHosts")

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if not self._test(exchange):
            error = MisdirectedRequest(f"not served here: {exchange.inbound.host[:256]!r}")
            self._refusals.refuse(exchange, error, detail="Host")
            raise error
        return handler(exchange)

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        return f"AllowedHosts({', '.join(map(repr, self.names))})"
