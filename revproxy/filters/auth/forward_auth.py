"""Asking a service who asks, and whether he may."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any, get_args

from multidict import CIMultiDict, istr

from ...body import EMPTY, Body
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import (
    AuthenticationUnavailable,
    DeadlineExceeded,
    Forbidden,
    ProxyError,
    ResponseBodyTooLarge,
    ResponseTimeout,
    StreamTimeout,
    Unauthorized,
)
from ...exchange import Exchange, Key
from ...facts import Principal
from ...handler import Component, Handler, name
from ...headers import is_plain
from ...identity import PRINCIPAL
from ...message import Request, Response
from .granted import Granted, Grants
from .question import Question, ToldField, alias, field_names

__all__ = ["ForwardAuth"]

_CREDENTIALS = frozenset({"authorization", "cookie"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CACHE_CONTROL = istr("Cache-Control")
_VIA = istr("Via")
_RETRY_AFTER = "Retry-After"
_GRACE = 0.05
"""Seconds more than a question may take until it is cancelled: so that a transport whose deadline it is says itself
what it has waited for, and its endpoint's health learns of it."""


class ForwardAuth(Component):
    """Asks a service about each request, before it goes on: what nginx calls ``auth_request``, Traefik ForwardAuth and
    Envoy external authorization over HTTP. ::

        ForwardAuth(Upstream("http://10.0.0.5:4180", name="auth"), path="/oauth2/auth", copy=["X-User"])

    An answer of 2xx lets the request pass. 401, 403, and a redirect with ``Location`` are what the client is answered,
    as the service says it. Anything else, and no answer in time, is 503 (``AuthenticationUnavailable``): nobody passes
    for want of an answer.

    ``service``
        Answers: an ``Upstream``, one within a pipeline of its own, or an async function.
    ``path``, ``method``
        What it is asked for. The question has no body.
    ``send``
        The request fields that it is shown, as they would go on to the server: credentials, and what else it decides
        by.
    ``told``
        What it is told of the request beside that: the client's address, the host, the method, the scheme, and in
        ``X-Forwarded-Uri`` the path, in its canonical form, with the query. What clients say there is nowhere.
    ``copy``
        The fields of its answer that go on to the server behind. What a client says in one of them is dropped, and so
        is any other name that a server could take for it (``X_User``), whatever comes of the request. But for what the
        service is shown, and for credentials, the proxy drops them on every route (``Component.reserves``).
    ``principal``, ``roles``
        The fields of its answer that say who asks, by name, and what he may, in a list divided by ``separator``: for
        ``Authorize``, rules and logs. Where the service names nobody there is no principal. What clients say in them is
        dropped, too.
    ``answer``
        The fields of a refusal that the client gets.
    ``timeout``
        Seconds for the question, to the end of the answer. The exchange's own deadline holds, too (504).
    ``limit``
        Bytes of a refusal's body at most; a longer one is no answer.
    ``remember``
        Seconds for which a grant is known by all that the service was shown and told, so that it is asked again if
        anything of that is different; refusals never are, and neither is what ``no-store`` forbids. By default it is
        asked each time. Tell it less, by ``told``, and more requests are alike: only what it does not decide by.
    ``name``
        For errors.

    The question is an exchange of its own: it has its own attempts, of which observers are not told, and ends with that
    of the client. The health of the service's endpoints learns of it as ever. WebSockets pass as requests do. A service
    that is in the program raises ``Unauthorized`` or ``Forbidden``, or returns such an answer.

    Since it may decide by the path, a target with two readings does not pass (see ``PathPolicy``). Raises
    ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    guards = True
    reads_path = True

    def __init__(
        self,
        service: Handler,
        *,
        path: str = "/",
        method: str = "GET",
        send: Collection[str] = ("Authorization", "Cookie"),
        told: Collection[ToldField] = get_args(ToldField),
        copy: Collection[str] = (),
        principal: str | None = None,
        roles: str | None = None,
        separator: str = ",",
        answer: Collection[str] = (
            *("Location", "Set-Cookie", "WWW-Authenticate", "Cache-Control"),
            *("Content-Type", "Content-Encoding", "Content-Language"),
        ),
        timeout: float = 5.0,
        limit: int = 64 * 1024,
        remember: float = 0.0,
        name: str = "forward auth",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not callable(service):
            raise TypeError(f"service: {service!r} is no handler: it is not callable")
        if roles is not None and principal is None:
            raise ValueError(f"roles: {roles!r} are nobody's without a principal")
        if not separator or separator.isspace():
            raise ValueError(f"separator must be what divides roles, got {separator!r}")
        if not 0 < timeout < float("inf"):
            raise ValueError(f"timeout must be above 0 and finite, got {timeout}")
        if not 0 <= remember < float("inf"):
            raise ValueError(f"remember must be at least 0 and finite, got {remember}")
        if type(limit) is not int or limit < 0:
            raise ValueError(f"limit must be an integer of at least 0, got {limit!r}")
        self.name: str = name
        self.asked: int = 0
        """How often the service was asked, ever."""
        self.refused: int = 0
        """How many requests it has refused."""
        self.failed: int = 0
        """How many were refused since it has not answered, or not so that it could be understood."""
        self._service = service
        self._question = Question(method, path, send, told)
        self._copy = field_names("copy", copy)
        if not all(map(is_plain, copy)):
            raise ValueError(f"copy must be fields of letters, digits and dashes, got {copy!r}")
        self._principal, self._roles = (
            None if each is None else field_names(parameter, [each])[0]
            for parameter, each in (("principal", principal), ("roles", roles))
        )
        self._separator = separator
        self._owned = frozenset(alias(each) for each in (*self._copy, self._principal, self._roles) if each is not None)
        self._answer = field_names("answer", answer)
        self._timeout = timeout
        self._limit = limit
        self._clock = clock
        self._grants = Grants(remember, clock)
        self.provides: frozenset[Key[Any]] = frozenset() if principal is None else frozenset({PRINCIPAL})
        shown = _CREDENTIALS.union(map(str.lower, send))
        self.reserves: frozenset[str] = frozenset(each for each in copy if each.lower() not in shown)

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        question = self._question.about(exchange)
        key = self._grants.key(question.headers.items())
        headers = exchange.request.headers
        for field in [each for each in headers if alias(each) in self._owned]:
            headers.popall(field, None)
        granted = self._grants.get(key)
        if granted is None:
            via = headers.getall(_VIA, ())
            question.headers.extend([("Via", each) for each in via])  # so that a request that goes in circles is found
            answered = await self._ask(exchange, question)
            if isinstance(answered, Response):
                self.refused += 1
                return answered
            granted, may_be_kept = answered
            if may_be_kept:
                self._grants.add(key, granted)
        headers.extend(granted.fields)
        if granted.principal is not None:
            exchange[PRINCIPAL] = granted.principal
        return await handler(exchange)

    async def _ask(self, exchange: Exchange, question: Request) -> Response | tuple[Granted, bool]:
        """What the client is answered, or what was granted, and whether that may be kept."""
        now = self._clock.now()
        ends = now + self._timeout
        if exchange.deadline is not None and exchange.deadline < ends:
            ends = exchange.deadline
        forked = exchange.fork(question, now, ends)
        forked.hide = None  # nothing but named fields goes on, and its URLs are not of what the client has asked for
        forked.id = exchange.id
        forked.spent, forked.paid = None, ()  # it is another request, which was not sent before
        self.asked += 1
        try:
            return await self._within(ends - now, forked)
        except (Unauthorized, Forbidden):
            self.refused += 1
            raise
        except (ProxyError, TimeoutError) as error:
            self.failed += 1
            if exchange.deadline is not None and self._clock.now() >= exchange.deadline:
                raise DeadlineExceeded(f"{self.name}: the time was over before there was an answer") from error
            if isinstance(error, AuthenticationUnavailable):
                raise
            said = str(error) or f"no answer within {self._timeout:g} s"
            raise self._unavailable(f"{type(error).__name__}: {said}", error) from error

    async def _within(self, seconds: float, forked: Exchange) -> Response | tuple[Granted, bool]:
        """The answer to ``forked``, of which nothing is left then. Raises ``TimeoutError``, too."""

        def expire() -> None:
            for each in forked.attempts[-1:]:
                if each.sent and each.error is None:  # or its endpoint would get away with it
                    each.error = (ResponseTimeout if each.status is None else StreamTimeout)("no answer in time")
            scope.reschedule(0.0)

        async with asyncio.timeout(None) as scope:
            timer = self._clock.call_later(seconds + _GRACE, expire)
            try:
                return await self._answered(forked)
            finally:
                timer.cancel()
                forked.finish()

    async def _answered(self, forked: Exchange) -> Response | tuple[Granted, bool]:
        response = await self._service(forked)
        body = response.body
        try:
            if 200 <= response.status < 300:
                granted = self._granted(response.headers)
                try:
                    await body.read(self._limit)  # so that the connection can be used again
                except ResponseBodyTooLarge:
                    pass
                stored = ",".join(response.headers.getall(_CACHE_CONTROL, ())).lower()
                return granted, "no-store" not in stored
            is_redirect = response.status in _REDIRECTS and "Location" in response.headers
            if not is_redirect and response.status not in (401, 403):
                raise self._unavailable(f"it has answered {response.status}")
            return self._refusal(response, await body.read(self._limit))
        finally:
            body.close()

    def _granted(self, headers: CIMultiDict[str]) -> Granted:
        """What an answer of 2xx says. Raises ``AuthenticationUnavailable`` for a principal that is none."""
        fields = tuple((str(field), value) for field in self._copy for value in headers.getall(field, ()))
        said = [] if self._principal is None else [each for each in headers.getall(self._principal, ()) if each]
        if not said:
            return Granted(None, fields)
        if len(said) > 1 or len(said[0]) > 255 or not said[0].isprintable():
            raise self._unavailable(f"{self._principal} names no one principal")
        lists = () if self._roles is None else headers.getall(self._roles, ())
        roles = {role for each in lists for part in each.split(self._separator) if (role := part.strip())}
        return Granted(Principal(said[0], "forward", frozenset(roles)), fields)

    def _refusal(self, response: Response, data: bytes) -> Response:
        headers = response.headers
        fields = CIMultiDict((str(field), each) for field in self._answer for each in headers.getall(field, ()))
        fields.setdefault(_CACHE_CONTROL, "no-store")  # it is about this client, now
        return Response(response.status, fields, Body(data) if data else EMPTY)

    def _unavailable(self, why: str, cause: Exception | None = None) -> AuthenticationUnavailable:
        error = AuthenticationUnavailable(f"{self.name}: {why}")
        after = cause.fields.get(_RETRY_AFTER) if isinstance(cause, ProxyError) else None
        if after is not None:
            error.fields = {**error.fields, _RETRY_AFTER: after}
        return error

    def parts(self) -> Iterable[object]:
        return (self._service,)

    async def stop(self) -> None:
        self._grants.clear()

    def __repr__(self) -> str:
        kept = f", {len(self._grants)} known" if len(self._grants) else ""
        counts = f"asked {self.asked} refused {self.refused} failed {self.failed}{kept}"
        return f"<ForwardAuth {self.name} by {self._question} of {name(self._service)}: {counts}>"
