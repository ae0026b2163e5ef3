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

    A condition on what is not known is false, and so refuses: as long as it says who may. ``~`` makes it true, and
    ``~when.key(PRINCIPAL, is_banned)`` lets in whoever is nobody; say ``when.key(PRINCIPAL, is_welcome)``, or
    ``when.key(PRINCIPAL, lambda principal: not is_banned(principal))``.

    A key that no filter outside of it provides is an error when the proxy is made. With a condition on the path, a
    target with two readings does not pass (see ``PathPolicy``). Raises ``TypeError`` for what is no condition.
    """

    guards = True

    def __init__(self, when: When) -> None:
        if not isinstance(when, When):
            raise TypeError(f"when: {when!r} is not a condition: wrap a function in when.check()")
        self._when = when
        self._test = when.test
        self._refusals = Refusals("Authorize")
        self.reads_path: bool = when.reads_path
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
