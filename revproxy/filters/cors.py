"""Which pages of other origins may read the answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from multidict import CIMultiDict, istr

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ForbiddenOrigin
from ..exchange import Exchange
from ..handler import Component, Handler, name
from ..headers import is_token
from ..message import Response
from ..security_log import LOGGER, Refusals, Severity
from .edited import edited, vary
from .origins import ORIGIN, checked, is_own, said_by

__all__ = ["Cors"]

_ASKED_METHOD = istr("Access-Control-Request-Method")
_ALLOWED = "Access-Control-Allow-Origin"
_FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_NEVER_EXPOSED = frozenset({"set-cookie", "set-cookie2"})


class Cors(Component):
    """Cross-origin resource sharing (WHATWG Fetch, section 3.3): tells browsers which pages of other origins may read
    what is answered here. Preflights are answered by the proxy with 204, and go no further. ::

        Cors("https://app.example.com", methods=["GET", "PUT"], headers=["Content-Type"], credentials=True)

    ``origins``
        Whole ones, as ``"https://app.example.com"``, without wildcards; functions of an origin, in the form that
        browsers give it, that return whether it is one; or ``"*"`` alone: every page may read, and nobody's credentials
        count. ``null`` is no origin, and can only be meant by ``"*"``.
    ``methods``
        Which may be used. A browser asks only for others than ``GET``, ``HEAD`` and ``POST``.
    ``headers``
        Request fields that pages may set, beside those that they always may. ``Content-Type`` is one of them for JSON.
    ``expose_headers``
        Response fields that pages may read, beside those that they always may.
    ``credentials``
        Whether requests count that are sent with cookies, certificates or passwords.
    ``max_age``
        Seconds for which a browser keeps what a preflight said; browsers have limits of their own. ``None``: theirs.
    ``enforce``
        Whether requests that name another origin are refused (403, ``ForbiddenOrigin``), too. By default they go on,
        and it is the browser that keeps their answers from the page. The origin that the request itself is for always
        passes.
    ``severity``, ``name``, ``logger``, ``fold``
        Of what is refused, for the security log: see ``Rules``; ``None``: nothing is logged.

    In ``methods``, ``headers`` and ``expose_headers`` a ``"*"`` stands for all, but not with ``credentials``, where
    browsers take it for a name; and never for ``Authorization``.

    Preflights of other origins are refused with 403. What the upstream says of all that is dropped, so that there is
    one voice. Every answer that comes by here has ``Vary: Origin``, to requests without ``Origin`` and errors included,
    since a cache would give one page what was said to another; with ``"*"`` all are answered alike. What the proxy
    refuses before any filter sees it, as a malformed request's 400, no page can read. Let it stand outside of
    authentication, since preflights have no credentials, and outside of limits, so that pages can read why they are
    refused.

    That a page may not read an answer does not keep it from asking: see ``Csrf``. Access to private networks is for the
    user to permit by now, and no field answers for it. Raises ``ValueError`` or ``TypeError`` that names the parameter
    and its value; a function that returns no ``bool`` ends the exchange with 500.
    """

    def __init__(
        self,
        *origins: str | Callable[[str], bool],
        methods: Collection[str] = ("GET", "HEAD", "POST"),
        headers: Collection[str] = (),
        expose_headers: Collection[str] = (),
        credentials: bool = False,
        max_age: int | None = 600,
        enforce: bool = False,
        severity: Severity | None = Severity.WARNING,
        name: str = "CORS",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not origins:
            raise ValueError("origins: there is none")
        self._is_for_all = "*" in origins
        if self._is_for_all and (len(origins) > 1 or credentials or enforce):
            raise ValueError(f"origins: '*' stands alone, without credentials and enforce, got {origins!r}")
        for given in origins:
            each: object = given
            if not isinstance(each, str) and (not callable(each) or iscoroutinefunction(each)):
                raise TypeError(f"origins: {each!r} is neither an origin nor a function of one")
        if max_age is not None and (type(max_age) is not int or not 0 <= max_age < 2**31):
            raise ValueError(f"max_age must be seconds, an integer of at least 0, or None, got {max_age!r}")
        self.origins = origins
        self._listed = checked("origins", [each for each in origins if isinstance(each, str) and each != "*"])
        self._functions = [each for each in origins if not isinstance(each, str)]
        self._enforce = enforce
        self.guards: bool = enforce
        self._refusals = Refusals(name, severity=severity, logger=logger, fold=fold, clock=clock)
        granted = {"Access-Control-Allow-Credentials": "true"} if credentials else {}
        exposed = _list("expose_headers", expose_headers, credentials, but=_NEVER_EXPOSED)
        allowed = _list("headers", headers, credentials)
        self._answered = granted | ({"Access-Control-Expose-Headers": exposed} if exposed else {})
        self._preflighted = granted | {"Access-Control-Allow-Methods": _methods(methods, credentials)}
        if allowed:
            self._preflighted["Access-Control-Allow-Headers"] = allowed
        if max_age is not None:
            self._preflighted["Access-Control-Max-Age"] = str(max_age)

    @property
    def refused(self) -> int:
        """How many preflights, and with ``enforce`` requests, were refused, ever."""
        return self._refusals.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        inbound = exchange.inbound
        said = inbound.headers.getall(ORIGIN, ())
        allowed = self._allowed(said)
        if said and inbound.method == "OPTIONS" and _ASKED_METHOD in inbound.headers:
            return self._preflight(exchange, said, allowed)
        if self._enforce and said and allowed is None:
            origin = said_by(said)
            if origin is None or not is_own(inbound, origin):
                self._refuse(exchange, said, "a request")
        return edited(exchange, handler, partial(self._edit, allowed))

    def _allowed(self, said: Sequence[str]) -> str | None:
        """What the answer says of who may read it; ``None``: nobody."""
        if self._is_for_all:
            return "*"
        if len(said) == 1 and said[0] in self._listed:  # as browsers say it
            return said[0]
        origin = said_by(said)
        if origin is None or not (origin in self._listed or any(_asked(each, origin) for each in self._functions)):
            return None
        return said[0]  # browsers compare the bytes

    async def _preflight(self, exchange: Exchange, said: Sequence[str], allowed: str | None) -> Response:
        if allowed is None:
            self._refuse(exchange, said, "a preflight")
        fields = CIMultiDict({_ALLOWED: allowed or "", **self._preflighted})
        if not self._is_for_all:
            vary(fields, "Origin")
        return Response(204, fields)

    def _refuse(self, exchange: Exchange, said: Sequence[str], what: str) -> None:
        where = f"{what} with Origin: {', '.join(said)[:256]!r}"
        error = ForbiddenOrigin(where)
        error.fields = {"Vary": "Origin"}
        self._refusals.refuse(exchange, error, detail=where)

    def _edit(self, allowed: str | None, headers: CIMultiDict[str]) -> None:
        for field in [each for each in headers if each.lower().startswith("access-control-")]:
            headers.popall(field, None)
        if not self._is_for_all:
            vary(headers, "Origin")
        if allowed is not None:
            headers[_ALLOWED] = allowed
            headers.update(self._answered)

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        enforce = ", enforce=True" if self._enforce else ""
        return (
            f"Cors({', '.join(repr(each) if isinstance(each, str) else name(each) for each in self.origins)}{enforce})"
        )


def _asked(function: Callable[[str], bool], origin: str) -> bool:
    answer: object = function(origin)
    if not isinstance(answer, bool):
        raise TypeError(f"{name(function)} must return a bool, not a {type(answer).__name__}")
    return answer


def _list(parameter: str, names: Collection[str], credentials: bool, but: Collection[str] = ()) -> str:
    for each in names:
        if isinstance(names, str) or not is_token(each) or each.lower() in but:
            raise ValueError(f"{parameter} must be names that a page may know, got {names!r}")
        if each == "*" and (credentials or len(names) > 1):
            raise ValueError(f"{parameter}: '*' stands alone, and without credentials, got {names!r}")
    return ", ".join(names)


def _methods(methods: Collection[str], credentials: bool) -> str:
    if not methods:
        raise ValueError("methods must not be empty")
    said = _list("methods", methods, credentials)
    for each in methods:
        if each != each.upper() or each in _FORBIDDEN_METHODS:  # browsers ask for no such one
            raise ValueError(f"methods: {each!r} is none that a page may use; they are in capital letters")
    return said
