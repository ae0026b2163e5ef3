"""What an attempt says of its endpoint, and what an error says of who was asked."""

from __future__ import annotations

from ..balancers.keys import HashKey, client_address
from ..errors import (
    ConnectFailed,
    ConnectTimeout,
    Interrupted,
    NoEndpoint,
    Origin,
    ProxyError,
    ResponseTimeout,
    SessionLost,
)
from ..exchange import Attempt, Exchange
from ..patience import was_hurried

__all__ = ["client_of", "has_failed", "is_failure", "who_asked"]

client_of: HashKey = client_address()
"""Who has sent an exchange: an address, or a /64 of IPv6, within which one client has as many as he likes."""


_SAYS_NOTHING = (Interrupted, NoEndpoint, SessionLost)


def has_failed(attempt: Attempt) -> bool | None:
    """Whether the endpoint has failed; ``None``: nobody knows, as the client went away before, or would not wait."""
    error = attempt.error
    if error is not None:
        if isinstance(error, ResponseTimeout | ConnectTimeout) and _is_hurried(attempt):
            return None
        # What the proxy itself lacks (a free connection) says nothing about the endpoint; that it is not there does.
        return True if error.origin is Origin.UPSTREAM or isinstance(error, ConnectFailed) else None
    return None if attempt.status is None else attempt.status >= 500


def _is_hurried(attempt: Attempt) -> bool:
    try:
        return was_hurried(attempt.exchange, attempt.deadline)
    except ReferenceError:
        return False


def is_failure(error: Exception, exchange: Exchange | None = None) -> bool:
    """Whether a handler that has raised ``error`` has failed; else it says nothing about it, for the client or a policy
    is to blame, or health policies know already that nobody is there: they will know when somebody is, too."""
    if not isinstance(error, ProxyError):
        return True
    if isinstance(error, ResponseTimeout | ConnectTimeout) and exchange is not None and exchange.attempts:
        return not was_hurried(exchange, exchange.attempts[-1].deadline)
    return error.origin in (Origin.UPSTREAM, Origin.PROXY) and not isinstance(error, _SAYS_NOTHING)


def who_asked(attempt: Attempt) -> str | bytes | None:
    """The client of ``attempt``; ``None``, too, if its exchange is gone."""
    try:
        return client_of(attempt.exchange)
    except ReferenceError:
        return None
