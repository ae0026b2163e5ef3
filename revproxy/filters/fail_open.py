"""Going on where a filter has broken."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ProxyError
from ..events import Event
from ..exchange import Exchange, Key
from ..handler import Component, Filter, Handler, name, walk
from ..message import Response
from .content import ContentFilter

__all__ = ["FailOpen", "FilterFailed"]

_log = logging.getLogger("revproxy.error")

_QUIET = 10.0
"""Seconds in which what breaks again is only counted."""


@dataclass(frozen=True, slots=True)
class FilterFailed(Event):
    """A filter in a ``FailOpen`` has raised what is no ``ProxyError``, and the request went on without it. Told of the
    first in ten seconds; ``FailOpen.failed`` counts them. ``why``: the exception, as ``repr`` has it."""

    level: ClassVar[int] = logging.ERROR

    why: str

    def __str__(self) -> str:
        return f"{self.source}: a request went on without it: {self.why}"


class FailOpen(Component):
    """Has ``filter`` do its work, and goes on without it where it breaks. ::

        Pipeline(FailOpen(audit), handler=site)

    Whatever else breaks fails closed: a filter that raises, be it a bug, is a 500, and nothing is forwarded. That is
    right for what guards, and for what reads what responses say (``ContentFilter``), which is refused here. It is not
    for what only counts, tags or decorates.

    To break is to raise what is no ``ProxyError``: those are decisions, and stand. So does what the handler further in
    raises. If the filter breaks before it has asked that, it is asked with the draft and the values (``exchange[KEY]``)
    as they came to the filter, unless the body has been read meanwhile: then nothing is left to send, and the error
    stands. If it breaks afterwards, the answer is the handler's own.

    A key that the filter provides may be missing then: conditions on it need another filter that provides it, or are
    refused when the proxy is made. Each failure is in the log ``revproxy.error`` with its traceback, the first in ten
    seconds; ``FilterFailed`` is told.

    Raises ``TypeError`` for what is not callable, ``ValueError`` for what guards, or holds what does, and for a
    ``ContentFilter``: what it should take out would leave where it breaks.
    """

    provides: frozenset[Key[object]] = frozenset()

    def __init__(self, filter: Filter, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if not callable(filter):
            raise TypeError(f"filter: {filter!r} is no filter: it is not callable")
        for part in walk(filter):
            if part.guards:
                raise ValueError(f"filter: {part!r} guards: what it should refuse would pass where it breaks")
            if isinstance(part, ContentFilter):
                raise ValueError(
                    f"filter: {part!r} reads what responses say, which would leave as it came where it breaks"
                )
        self._filter = filter
        self._clock = clock
        self._told_at = float("-inf")
        held: object = filter
        self.shortcuts: bool = isinstance(held, Component) and held.shortcuts
        self.failed: int = 0
        """How many requests went on without it, ever."""

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        draft = exchange.request
        kept, body, values = draft.copy(draft.body), draft.body, exchange.values
        asked = _Asked(handler)
        try:
            return await self._filter(exchange, asked)
        except ProxyError:
            raise
        except Exception as error:
            if error is asked.error:
                raise
            self._note(error)
            if asked.response is not None:
                return asked.response
            if asked.is_asked or (body.taken and body.data is None):
                raise
        exchange.request, exchange.values = kept, values
        return await handler(exchange)

    def parts(self) -> Iterable[object]:
        return (self._filter,)

    def _note(self, error: Exception) -> None:
        self.failed += 1
        now = self._clock.now()
        if now - self._told_at >= _QUIET:
            self._told_at = now
            _log.error("%s: a request goes on without it", name(self._filter), exc_info=error)
            self.tell(FilterFailed(name(self._filter), ascii(repr(error))[1:-1][:500]))

    def __repr__(self) -> str:
        return f"FailOpen({name(self._filter)})"


class _Asked:
    """The handler, and what has come of it."""

    __slots__ = ("_handler", "error", "is_asked", "response")

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.is_asked = False
        self.response: Response | None = None
        self.error: BaseException | None = None

    async def __call__(self, exchange: Exchange) -> Response:
        self.is_asked = True
        try:
            self.response = await self._handler(exchange)
        except BaseException as error:
            self.error = error
            raise
        return self.response
