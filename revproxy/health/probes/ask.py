"""One request on a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from multidict import CIMultiDict, CIMultiDictProxy

from ...clock import SYSTEM_CLOCK
from ...endpoint import Endpoint
from ...exchange import Attempt, Exchange
from ...headers import is_token
from ...message import Fields, Inbound, Request, Response
from ...wire.connection import Connection
from ...wire.dial import dial
from ...wire.head import request_head
from ...wire.settings import Limits, Timeouts, Tls

__all__ = ["BODY", "asked", "connected", "probe_request"]

BODY = 65536
"""Bytes that are read of a body at most, and of a head."""

_LIMITS = Limits(head_bytes=BODY, read_buffer=BODY)

_TIMEOUTS = Timeouts(head=86400.0, idle=86400.0)
"""As good as none: whoever makes a probe bounds all of it."""


@asynccontextmanager
async def connected(endpoint: Endpoint, tls: Tls | None) -> AsyncIterator[Connection]:
    """A connection to ``endpoint`` that nobody else uses. Raises what ``dial`` does."""
    connection = await dial(endpoint, _connection, tls=tls, timeout=None)
    try:
        yield connection
    except BaseException:
        connection.abort()
        raise
    finally:
        connection.close()


def _connection() -> Connection:
    return Connection(timeouts=_TIMEOUTS, limits=_LIMITS, clock=SYSTEM_CLOCK, on_free=Connection.close)


@asynccontextmanager
async def asked(endpoint: Endpoint, request: Request, tls: Tls | None) -> AsyncIterator[Response]:
    """What ``endpoint`` answers to ``request``. What has not come by the end is not waited for.

    Raises the ``ProxyError`` that says what went wrong.
    """
    head = request_head(request, endpoint)
    async with connected(endpoint, tls) as connection:
        now = SYSTEM_CLOCK.now()
        inbound = Inbound(request.method, request.target, CIMultiDictProxy(CIMultiDict()), request.target)
        exchange = Exchange(inbound, request, now)
        try:
            yield await connection.exchange(Attempt(endpoint, exchange, request, 1, now), head, now)
        finally:
            exchange.finish()


def probe_request(method: str, path: str, host: str | None, headers: Fields) -> Request:
    """What is sent. Raises ``ValueError`` that names the parameter and its value."""
    if not is_token(method) or method == "CONNECT":
        raise ValueError(f"method: {method!r} is no method to probe with")
    if not path.startswith("/") or "#" in path:
        raise ValueError(f"path must begin with a slash and have no fragment, got {path!r}")
    request = Request(method, path, CIMultiDict(headers))
    if host is not None:
        request.headers["Host"] = host
    request.headers.setdefault("User-Agent", "revproxy-probe")
    try:
        request_head(request, Endpoint("http://probe"))
    except ValueError as error:
        raise ValueError(f"path, host or headers: {error}") from None
    return request
