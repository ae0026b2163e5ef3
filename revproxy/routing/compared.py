"""Two answers to one request, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from multidict import CIMultiDict

from ..body import Body
from ..errors import Interrupted, Origin, ProxyError
from ..exchange import Exchange
from ..headers import decode_fields
from ..message import Response
from .held import Budget, Kept
from .tee import Tee

__all__ = ["Answer", "Compare", "Comparison", "difference"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a request, by the primary or by its shadow.

    ``exchange``
        That of the primary or that of the shadow: ``inbound`` is the same.
    ``status``, ``headers``
        As its handler returned them, before outer filters; ``None`` and no fields if it failed.
    ``body``
        All of it; ``None`` if there was more than is held to compare, or no end of it.
    ``error``
        How it failed.
    """

    exchange: Exchange
    status: int | None
    headers: CIMultiDict[str]
    body: bytes | None
    error: ProxyError | None = None


Compare: TypeAlias = Callable[[Answer, Answer], str | None]
"""Says what differs between the primary's answer and the shadow's; ``None``: nothing that matters. Must not block."""


def difference(primary: Answer, shadow: Answer) -> str | None:
    """Whether status and body are the same, byte for byte: what to compare by if nothing in them depends on when, or by
    whom, a request is answered."""
    if primary.status != shadow.status:
        return f"status {shadow.status or shadow.error!r} instead of {primary.status or primary.error!r}"
    if primary.body is None or shadow.body is None or primary.body == shadow.body:
        return None
    return f"a body of {len(shadow.body)} bytes that is not the one of {len(primary.body)}"


class Comparison:
    """The answers of the ``primary`` and of the ``shadow`` to one request, in whichever order they come."""

    __slots__ = ("_compare", "_over", "primary", "shadow")

    def __init__(self, primary: Exchange, shadow: Exchange, budget: Budget, compare: Compare) -> None:
        self.primary: Watched = Watched(primary, budget)
        self.shadow: Watched = Watched(shadow, budget)
        self._compare = compare
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def over(self) -> None:
        """The primary's exchange is over."""
        if not self._over.done():
            self._over.set_result(None)

    async def difference(self) -> str | None:
        """What differs, as soon as the primary's exchange is over; ``None``: nothing, or there are no two answers. To
        be asked when the shadow's is. Raises what ``compare`` does."""
        await self._over
        primary, shadow = self.primary.answer(), self.shadow.answer()
        return None if primary is None or shadow is None else self._compare(primary, shadow)

    def drop(self) -> None:
        """Hold nothing of either any more."""
        self.primary.drop()
        self.shadow.drop()

    def __repr__(self) -> str:
        return f"<Comparison of {self.primary!r} and {self.shadow!r}>"


class Watched:
    """The answer of one handler to ``exchange``, as it is given and as its body is delivered."""

    __slots__ = ("_error", "_exchange", "_fields", "_kept", "_status")

    def __init__(self, exchange: Exchange, budget: Budget) -> None:
        self._exchange = exchange
        self._kept = Kept(budget)
        self._status: int | None = None
        self._fields: bytes | CIMultiDict[str] = b""
        self._error: ProxyError | None = None

    def failed(self, error: ProxyError) -> None:
        """The handler has raised ``error``."""
        self._error = error

    def answered(self, response: Response) -> Body:
        """The handler has returned ``response``: what is to be delivered as its body."""
        self._status = response.status
        # Lines that nobody has decoded yet stay so: they are sent as they came.
        self._fields = response.headers.copy() if response.lines is None else response.lines
        body = response.body
        if body.data is None:
            return Tee(body, self._kept)
        self._kept.feed(body.data)
        self._kept.end()
        return body

    def answer(self) -> Answer | None:
        """What there is to compare; ``None`` if that is not all, or the client is to blame for it. To be asked when the
        body is delivered."""
        fields, error = self._fields, self._error
        if error is not None:
            if error.origin is Origin.CLIENT or isinstance(error, Interrupted):
                return None
        elif self._status is None or not (self._kept.ended or self._kept.is_over):
            return None
        headers = decode_fields(fields) if isinstance(fields, bytes) else fields
        return Answer(self._exchange, self._status, headers, self._kept.data, error)

    def drop(self) -> None:
        """Hold nothing of it any more."""
        self._kept.drop()

    def __repr__(self) -> str:
        return f"<Watched {self._status or self._error!r} {self._kept!r}>"
