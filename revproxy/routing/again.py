"""Whether a request may be asked again."""

from __future__ import annotations

from collections.abc import Callable, Collection

from multidict import CIMultiDict

from ..body import Body
from ..errors import NoRoute, Phase, ProxyError
from ..exchange import Exchange
from ..message import Request

__all__ = ["IDEMPOTENT", "Begun", "check_why", "may_go_on", "sent_since"]

IDEMPOTENT: frozenset[str] = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods that may be asked twice (RFC 9110 section 9.2.2)."""

_UNSENT = frozenset({Phase.SELECT, Phase.CONNECT})


class Begun:
    """Passes interim responses (1xx) on to the client, and knows that there was one: then the final one has to come
    from the same server."""

    __slots__ = ("_interim", "happened")

    def __init__(self, interim: Callable[[int, CIMultiDict[str]], None] | None) -> None:
        self._interim = interim
        self.happened: bool = False

    def __call__(self, status: int, headers: CIMultiDict[str]) -> None:
        self.happened = True
        if self._interim is not None:
            self._interim(status, headers)


def check_why(on: Collection[type[ProxyError]], statuses: Collection[int]) -> None:
    """That those are kinds of ``ProxyError``, and these statuses of failures. Raises ``TypeError`` and ``ValueError``
    otherwise."""
    if not isinstance(on, Collection):
        raise TypeError(f"on must be kinds of ProxyError, in a list or the like, got {on!r}")
    if not isinstance(statuses, Collection):
        raise TypeError(f"statuses must be integers from 400 to 599, in a list or the like, got {statuses!r}")
    for kind in on:
        if not issubclass(kind, ProxyError):
            raise TypeError(f"on: {kind!r} is no kind of ProxyError")
    for status in statuses:
        if type(status) is not int or not 400 <= status <= 599:
            raise ValueError(f"statuses must be integers from 400 to 599, got {status!r}")


def sent_since(exchange: Exchange, attempted: int, error: ProxyError | None) -> Collection[Request]:
    """The requests that may have reached a server, after the attempts from ``attempted`` on, which have come to
    ``error``, or to an answer. Where that is not what the last attempt has come to it is of a handler of somebody's
    own, and only that knows: nothing was sent if it says so by the phase of the error, or had no rule for it."""
    attempts = exchange.attempts[attempted:]
    sent = [attempt.request for attempt in attempts if attempt.sent]
    if sent or error is None:
        return sent or (exchange.request,)
    is_known = error.phase in _UNSENT or isinstance(error, NoRoute) or (bool(attempts) and attempts[-1].error is error)
    return () if is_known else (exchange.request,)


def may_go_on(exchange: Exchange, attempted: int, body: Body, error: ProxyError | None) -> bool:
    """Whether the request may be asked again, with ``body``, after the attempts from ``attempted`` on."""
    sent = sent_since(exchange, attempted, error)
    if not sent:
        return not body.taken
    return body.replayable and IDEMPOTENT.issuperset(request.method for request in sent)
