"""Another answer where there would be none."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..answers import Block, Fixed
from ..errors import (
    CircuitOpen,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Drop,
    NoEndpoint,
    NoRoute,
    Overloaded,
    Phase,
    ProtocolError,
    ProxyError,
    QueueFull,
    QueueTimeout,
    ResponseTimeout,
    SendTimeout,
)
from ..exchange import Exchange, Key
from ..group import Group
from ..handler import Component, Handler, name, walk
from ..message import Response
from ..routing.again import Begun, check_why, may_go_on

__all__ = ["INSTEAD_OF", "Fallback"]

INSTEAD_OF: Key[ProxyError | int] = Key("instead of")
"""What a fallback is asked for: the error, or the status of the answer that is passed over."""

_UNANSWERED: tuple[type[ProxyError], ...] = (
    NoEndpoint,
    QueueFull,
    QueueTimeout,
    Overloaded,
    CircuitOpen,
    DeadlineExceeded,
    ConnectFailed,
    ConnectionLost,
    ProtocolError,
    SendTimeout,
    ResponseTimeout,
)


class Fallback(Component):
    """Has another handler answer where the one that it stands around fails with one of the errors ``on``, or answers
    with one of the ``statuses``. ::

        Pipeline(Fallback(respond(503, "Back in a minute.")), CircuitBreaker(), handler=upstream)

    ``handler``
        Answers instead: ``respond(...)``, an ``Upstream``, or an async function, which finds out by
        ``exchange[INSTEAD_OF]`` what for. What it says stands; if it raises, that is the error.
    ``on``
        By default all that leaves a request without an answer: nobody to ask, no connection, an open circuit, too much
        load, no response in time, or none that can be understood. Not what the client did.
    ``statuses``
        From 400 to 599. By default none: what a server says is its answer.

    The answer that is passed over is closed, and all that was deferred for it is released, before the other handler is
    asked, which gets a copy of the draft as it came here, and the deadline. Where that sends the request to an
    ``Upstream``, a request that may have reached a server is sent again only if its method allows it and its body is in
    memory, as with ``routing.Failover``; otherwise the error or the answer stands. What has begun to be delivered, be
    it by an interim answer (1xx), cannot be replaced.

    ``Retry-After`` of the error is in its answer, if that is a failure, too, and has none.

    With errors or statuses by which rules refuse (``NoRoute``, ``Drop``, a status, but for ``respond(...)`` and
    ``block(...)`` in place of one from 500 on) it must not stand around them: it would answer what they forbid.

    Raises ``ValueError`` for what is no status, ``TypeError`` for what is no handler or no kind of ``ProxyError``.
    """

    def __init__(
        self, handler: Handler, *, on: Collection[type[ProxyError]] = _UNANSWERED, statuses: Collection[int] = ()
    ) -> None:
        if not callable(handler):
            raise TypeError(f"handler: {handler!r} is no handler: it is not callable")
        check_why(on, statuses)
        self._handler = handler
        self._on = tuple(on)
        self._statuses = frozenset(statuses)
        self._sends = any(isinstance(part, Group) for part in walk(handler))
        # What answers by itself gives nothing away, whatever refuses a request.
        tells = not isinstance(handler, Block | Fixed)
        self.shortcuts: bool = any(status < 500 or tells for status in statuses) or any(
            issubclass(refusal, self._on) for refusal in (NoRoute, Drop)
        )
        self.answered: int = 0
        """How often it was asked, ever."""

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        draft, deadline, interim = exchange.request, exchange.deadline, exchange.interim
        begun = Begun(interim)
        if interim is not None:
            exchange.interim = begun
        asked: object = handler
        if not isinstance(asked, Group):  # which edits no draft
            exchange.request = draft.copy(draft.body)
        attempted, mark = len(exchange.attempts), exchange.mark
        try:
            response = await handler(exchange)
        except self._on as error:
            is_spent = not may_go_on(exchange, attempted, draft.body, error)
            if begun.happened or (is_spent and self._sends):
                raise
            error.__traceback__ = None  # which holds the exchange, that holds the error
            why: ProxyError | int = error
        else:
            if response.status not in self._statuses or begun.happened:
                return response
            why = response.status
            is_spent = not may_go_on(exchange, attempted, draft.body, None)
            if is_spent and self._sends:
                return response
            response.body.close()
        finally:
            exchange.interim = interim
        for attempt in exchange.attempts[attempted:]:
            attempt.passed_over = True
        exchange.unwind(mark)
        exchange.request, exchange.deadline = draft.copy(draft.body), deadline
        exchange[INSTEAD_OF] = why
        self.answered += 1
        before = exchange.spent
        if is_spent:
            exchange.spent = why if isinstance(why, ProxyError) else _spent(why)
        try:
            response = await self._handler(exchange)
        finally:
            exchange.spent = before  # whoever asks again further out decides for itself
        after = why.fields.get("Retry-After") if isinstance(why, ProxyError) else None
        if after is not None and response.status >= 400 and "Retry-After" not in response.headers:
            response.headers["Retry-After"] = after
        return response

    def parts(self) -> Iterable[object]:
        return (self._handler,)

    def __repr__(self) -> str:
        said = [name(self._handler)]
        if self._on != _UNANSWERED:
            said.append(f"on=[{', '.join(kind.__name__ for kind in self._on)}]")
        if self._statuses:
            said.append(f"statuses={sorted(self._statuses)}")
        return f"Fallback({', '.join(said)})"


def _spent(status: int) -> ProxyError:
    """For a request that must not be sent again, for it was answered, if only with ``status``."""
    error = NoEndpoint(f"the request was answered with {status} already, and must not be sent again")
    error.phase = Phase.HEAD
    return error
