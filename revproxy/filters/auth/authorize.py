"""Who may."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ...errors import Forbidden
from ...exchange import Exchange, Key
from ...handler import Component, Handler
from ...message import Response
from ...security_log import Refusals
from ...when import When

__all__ = ["Authorize"]


class Authorize(Component):
    """Refuses with 403 (``Forbidden``) where ``when`` does not hold. ::

        Authorize(when.key(PRINCIPAL, lambda principal: "admin" in principal.roles))

    What is not known makes a condition false, and so refuses. A key that no filter outside of it provides is an error
    when the proxy is made. Raises ``TypeError`` for what is no condition.
    """

    guards = True

    def __init__(self, when: When) -> None:
        if not isinstance(when, When):
            raise TypeError(f"when: {when!r} is not a condition: wrap a function in when.check()")
        self._when = when
        self._test = when.test
        self._refusals = Refusals("Authorize")
        self.requires: frozenset[Key[Any]] = when.requires

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if not self._test(exchange):
            why = f"{self._when!r} does not hold"
            error = Forbidden(why)
            self._refusals.refuse(exchange, error, detail=why)
            raise error
        return handler(exchange)

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        return f"Authorize({self._when!r})"
