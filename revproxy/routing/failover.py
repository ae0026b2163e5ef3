"""A handler that asks one handler after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..errors import ConnectFailed, NoEndpoint, ProxyError, QueueFull, QueueTimeout
from ..exchange import Exchange
from ..group import Group
from ..handler import Component, Handler, walk
from ..message import Response
from .again import Begun, check_why, may_go_on

__all__ = ["Failover"]

_NOT_SENT: tuple[type[ProxyError], ...] = (NoEndpoint, QueueFull, QueueTimeout, ConnectFailed)


class Failover(Component):
    """Asks ``handlers`` one after the other, until one does not fail with one of the errors ``on`` or answer with one
    of the ``statuses``. What the last one says stands.

    By default only what has certainly not reached a server goes to the next: no endpoint, no connection. With others
    (``ResponseTimeout``, ``ConnectionLost``, a status of 502, 503 or 504) a request may be asked twice; that is done
    for methods that allow it (RFC 9110 section 9.2.2) and bodies that are in memory, and otherwise the error or the
    answer stands. So it does where a filter has read a body that streams, and nothing was sent: let it read outside of
    the ``Failover``, so that all handlers have what it read.

    An answer that is passed over is closed, and all that was deferred for it is released, before the next handler is
    asked: it is no load any more. Each handler gets a copy of the draft, whatever filters before it have made of
    theirs, and the deadline as it was before. ``exchange.attempts`` has the attempts of all. Where anything went to the
    client, interim answers (1xx) included, nobody else is asked.

    Raises ``ValueError`` for fewer than two handlers, for what is no status from 400 to 599, and with ``statuses`` for
    a table of rules that is not the last, which refuses by them; ``TypeError`` for what is no handler or no kind of
    ``ProxyError``.
    """

    def __init__(
        self, *handlers: Handler, on: Collection[type[ProxyError]] = _NOT_SENT, statuses: Collection[int] = ()
    ) -> None:
        if len(handlers) < 2:
            raise ValueError(f"handlers: there must be at least two, got {handlers}")
        for each in handlers:
            if not callable(each):
                raise TypeError(f"handlers: {each!r} is no handler: it is not callable")
        check_why(on, statuses)
        guards = [part for each in handlers[:-1] for part in walk(each) if part.guards] if statuses else []
        if guards:
            raise ValueError(f"statuses: {guards[0]!r} refuses by an answer, which the next handler must not replace")
        self._handlers = handlers
        self._on = tuple(on)
        self._statuses = frozenset(statuses)

    async def __call__(self, exchange: Exchange) -> Response:
        *first, last = self._handlers
        draft, deadline, interim = exchange.request, exchange.deadline, exchange.interim
        begun = Begun(interim)
        if interim is not None:
            exchange.interim = begun
        # An upstream edits no draft: then that is for the first handler as it is, and only others have copies.
        asked: object = first[0]
        request = draft if isinstance(asked, Group) else draft.copy(draft.body)
        try:
            for handler in first:
                exchange.request = request
                attempted, mark = len(exchange.attempts), exchange.mark
                try:
                    response = await handler(exchange)
                except self._on as error:
                    if begun.happened or not may_go_on(exchange, attempted, draft.body, error):
                        raise
                    error.__traceback__ = None  # which holds the exchange, whose attempt holds the error
                else:
                    if (
                        response.status not in self._statuses
                        or begun.happened
                        or not may_go_on(exchange, attempted, draft.body, None)
                    ):
                        return response
                    response.body.close()
                for attempt in exchange.attempts[attempted:]:
                    attempt.passed_over = True
                exchange.unwind(mark)
                exchange.deadline, request = deadline, draft.copy(draft.body)
        finally:
            exchange.interim = interim
        exchange.request = request
        return await last(exchange)

    def parts(self) -> Iterable[object]:
        return self._handlers

    def __repr__(self) -> str:
        said = [repr(each) for each in self._handlers]
        if self._on != _NOT_SENT:
            said.append(f"on=[{', '.join(kind.__name__ for kind in self._on)}]")
        if self._statuses:
            said.append(f"statuses={sorted(self._statuses)}")
        return f"Failover({', '.join(said)})"
