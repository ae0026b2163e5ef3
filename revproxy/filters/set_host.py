"""The host that the back end is asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

from multidict import istr

from ..errors import InternalError
from ..exchange import Exchange
from ..handler import Component, Handler, name
from ..message import Response
from ..trust import is_authority

__all__ = ["SetHost"]

_HOST = istr("Host")


class SetHost(Component):
    """Sets ``Host`` of what goes upstream, whatever ``Upstream(host=...)`` says. ``X-Forwarded-Host`` still says what
    the client asked for.

    ``host``: a host, with or without a port, ``"shop.internal:8080"``; or a function of the exchange that returns one.
    Names are in ASCII (``xn--...``). Where a connection goes, and the name that TLS asks for, do not depend on it.

    Raises ``ValueError`` or ``TypeError`` for what is no host; a call raises ``InternalError`` (500) if the function
    returns such a thing.
    """

    def __init__(self, host: str | Callable[[Exchange], str]) -> None:
        given: object = host
        if isinstance(host, str):
            if not is_authority(host):
                raise ValueError(f"host must be one host with or without a port, in ASCII, got {host!r}")
        elif not callable(given) or iscoroutinefunction(given):
            raise TypeError(f"host must be a str or a function of the exchange, got {host!r}")
        self.host = host

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        host: object = self.host if isinstance(self.host, str) else self.host(exchange)
        if not isinstance(host, str) or not is_authority(host):
            raise InternalError(f"{self!r} returned {str(host)[:256]!r}, which is no host")
        exchange.request.headers[_HOST] = host
        return handler(exchange)

    def __repr__(self) -> str:
        return f"SetHost({name(self.host)})"
