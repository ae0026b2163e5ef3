"""Two goes at the same, of which the first good answer is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from multidict import CIMultiDict

from ..clock import Clock
from ..exchange import Exchange
from ..handler import Handler
from ..message import Response

__all__ = ["Race"]


class Race:
    """Has ``handler`` answer ``exchange``; and, if it has not after a while, a twin of it beside it. The first answer
    for which ``is_good`` wins; if there is none, what has become of the first go stands. When it is over nothing of the
    other one is left: it is cancelled, which closes its connection, its answer is closed, and what it has deferred is
    released.

    The body of the request must be in memory.
    """

    def __init__(
        self, exchange: Exchange, handler: Handler, *, is_good: Callable[[Response], bool], clock: Clock
    ) -> None:
        self._exchange = exchange
        self._handler = handler
        self._is_good = is_good
        self._clock = clock
        self._interim = exchange.interim
        draft = exchange.request
        # Now, for filters further in leave their values and their deadlines on an exchange.
        self._twin = exchange.fork(draft.copy(draft.body), exchange.started, exchange.deadline)
        self._twin.retried = exchange.retried
        self._first: asyncio.Task[Response] | None = None
        self._second: asyncio.Task[Response] | None = None
        self._woken: asyncio.Future[None] | None = None
        self._is_over = False
        self._is_firsts = False
        """The client has a part of the first one's answer."""

    async def run(self, delay: float, may_ask: Callable[[], bool]) -> Response:
        """The answer. After ``delay`` seconds without one the second go begins, if it ``may_ask`` then."""
        exchange = self._exchange
        exchange.request = exchange.request.copy(exchange.request.body)
        if self._interim is not None:
            exchange.interim = self._begun
        mark = exchange.mark
        winner: asyncio.Task[Response] | None = None
        first = self._first = self._go(exchange)
        timer = self._clock.call_later(delay, lambda: self._ask_again(may_ask))
        try:
            winner = await self._winner(first)
        finally:
            self._is_over = True
            timer.cancel()
            goes = [each for each in (first, self._second) if each is not None and each is not winner]
            try:
                await _ended(goes)
            finally:
                self._settle(winner, goes, mark)
                self._first = self._second = None  # else they and their tracebacks held each other
                exchange.interim = self._interim
        return winner.result()

    def _go(self, exchange: Exchange) -> asyncio.Task[Response]:
        async def go() -> Response:
            return await self._handler(exchange)

        task = asyncio.get_running_loop().create_task(go())
        task.add_done_callback(self._wake)
        return task

    async def _winner(self, first: asyncio.Task[Response]) -> asyncio.Task[Response]:
        while True:
            second = self._second
            if self._has_won(first):
                return first
            if second is not None and not self._is_firsts and self._has_won(second):
                return second
            if first.done() and (second is None or second.done()):
                return first
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken

    def _has_won(self, go: asyncio.Task[Response]) -> bool:
        return go.done() and not go.cancelled() and go.exception() is None and self._is_good(go.result())

    # None of what follows awaits.

    def _ask_again(self, may_ask: Callable[[], bool]) -> None:
        if self._is_over or self._is_firsts or self._first is None or self._first.done() or not may_ask():
            return
        self._exchange.pair(self._twin)
        self._second = self._go(self._twin)

    def _begun(self, status: int, headers: CIMultiDict[str]) -> None:
        """The first go has an interim answer, which the client gets: the final one has to be of the same server."""
        if self._is_over:  # one that has lost, and has not ended yet
            return
        self._is_firsts = True
        if self._second is not None:
            self._second.cancel()
        if self._interim is not None:
            self._interim(status, headers)

    def _wake(self, _: asyncio.Task[Response]) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def _settle(
        self, winner: asyncio.Task[Response] | None, others: Iterable[asyncio.Task[Response]], mark: int
    ) -> None:
        """One go has won, the others have ended. All of it is done even if a release raises."""
        for each in others:
            if not each.cancelled() and each.exception() is None:
                each.result().body.close()
        if self._second is None:
            return
        won = winner is self._second
        try:
            if won:
                self._exchange.unwind(mark)
        finally:
            self._exchange.join(self._twin, won=won)


async def _ended(tasks: Iterable[asyncio.Task[Response]]) -> None:
    """Cancel ``tasks``, and return when they have ended: not before, even if this is cancelled, too."""
    left = [each for each in tasks if not each.done()]
    for each in left:
        each.cancel()
    cancelled: asyncio.CancelledError | None = None
    while left:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as error:
            cancelled = error
        left = [each for each in left if not each.done()]
    if cancelled is not None:
        raise cancelled
