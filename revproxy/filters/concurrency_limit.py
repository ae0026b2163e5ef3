"""How many requests may be in flight at once, and how long others wait."""

from __future__ import annotations

import asyncio
from functools import partial

from ..balancers.keys import HashKey
from ..clock import SYSTEM_CLOCK, Clock
from ..errors import DeadlineExceeded, Overloaded, ProxyError, ResponseTimeout
from ..exchange import Exchange
from ..handler import Component, Handler
from ..limiters.base import Limit
from ..limiters.fixed import Fixed
from ..limiters.priority import Priority, rank
from ..limiters.queue import Queue
from ..limiters.shedding import Shedding
from ..message import Response

__all__ = ["ConcurrencyLimit"]

_TOO_MANY = 429


class ConcurrencyLimit(Component):
    """Lets a number of requests through at once; the next ones wait for a short time, or are refused: 503, with
    ``Retry-After`` (``Overloaded``). ::

        Pipeline(ConcurrencyLimit(Gradient()), handler=upstream)

    ``limit``
        How many. A number; or a ``Gradient``, which finds out how many the handler can take.
    ``queue``
        How many may wait. 0: none does.
    ``target``, ``interval``
        Seconds that a request waits at most while there is always somebody waiting, and otherwise: see
        ``limiters.queue``, also for who comes next.
    ``priority``
        How important a request is, from 0, the most important, to 7. The more important is served first, and of those
        that wait the least important is refused first.
    ``fair``
        Who asks (``keys.header("X-Tenant")``): requests of one class are served in turn, one of each.
    ``retry_after``
        Seconds after which those that are refused may come again.
    ``name``
        For events: ``SheddingBegan`` and ``SheddingEnded``.

    A request counts until its response has ended, its body included; as a WebSocket only until it was switched, for
    ``Limits.tunnels`` counts those. It waits within ``exchange.deadline`` (``DeadlineExceeded``). Other than an
    ``Upstream``'s ``limits.waiting``, it stands where you put it: for a route, an upstream, or everything.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        limit: int | Limit,
        *,
        queue: int = 128,
        target: float = 0.005,
        interval: float = 0.1,
        priority: Priority | None = None,
        fair: HashKey | None = None,
        retry_after: float = 1.0,
        name: str = "concurrency limit",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not isinstance(limit, int | Limit):
            raise TypeError(f"limit must be an integer or a Limit object, got {limit!r}")
        if isinstance(limit, Limit) and limit.serves:
            raise ValueError(f"limit: {limit!r} serves {limit.serves!r} already, and has its state")
        if not 0 < retry_after < float("inf"):
            raise ValueError(f"retry_after must be above 0 and finite, got {retry_after}")
        for parameter, value in (("priority", priority), ("fair", fair)):
            if value is not None and not callable(value):
                raise TypeError(f"{parameter}: {value!r} is no function of an exchange")
        self._limit = limit if isinstance(limit, Limit) else Fixed(limit)
        self._limit.serves = name
        self._learns = self._limit.learns
        self._queue: Queue[_Waiter] = Queue(queue, target=target, interval=interval)
        self._priority = priority
        self._fair = fair
        self._retry_after = retry_after
        self._in_flight = 0
        self._clock = clock
        self._shedding = Shedding(name, tell=self.tell, clock=clock)
        self.name: str = name

    @property
    def limit(self) -> int:
        """How many may be in flight now."""
        return self._limit.allowed(self._clock.now())

    @property
    def in_flight(self) -> int:
        """How many are."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @property
    def refused(self) -> int:
        """How many were refused, ever."""
        return self._shedding.count

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        now, queue = self._clock.now(), self._queue
        if queue.is_behind:
            self._let_in(now)
        if not (queue.is_behind and queue) and self._in_flight < self._limit.allowed(now):
            queue.pop(now)
            self._in_flight += 1
        else:
            await self._wait(exchange, now)
            now = self._clock.now()
        release = _Slot(self).release
        exchange.defer(release)
        try:
            response = await handler(exchange)
        except BaseException as error:
            if isinstance(error, ResponseTimeout):
                self._answered(now)
            release()
            raise
        if self._learns and response.status < 500 and response.status != _TOO_MANY:
            self._answered(now)
        if response.status == 101:
            release()
        return response

    # None of what follows awaits, but for the wait itself: a slot is given, and taken back, in one step.

    async def _wait(self, exchange: Exchange, now: float) -> None:
        """Return with a slot that is this request's."""
        left = float("inf") if exchange.deadline is None else exchange.deadline - now
        if left <= 0:
            raise DeadlineExceeded(f"{self.name}: the time was over before it could wait")
        priority = rank(self._priority, exchange)
        tenant = None if self._fair is None else self._fair(exchange)
        patience = self._queue.patience(priority, now, tenant=tenant)
        waiter = _Waiter()
        gone = self._queue.push(waiter, now, priority=priority, tenant=tenant)
        if gone is waiter:
            raise self._refusal(f"{self._in_flight} in flight, {len(self._queue)} waiting")
        if gone is not None:
            gone.tell(self._refusal("another one was to be served before"))
        late = left < patience
        timer = self._clock.call_later(min(patience, left), partial(self._expired, waiter, late=late))
        try:
            refusal = await waiter.told
        except BaseException:
            if waiter.has_slot:
                self._leave()
            else:
                self._queue.remove(waiter)
            raise
        finally:
            timer.cancel()
        if refusal is not None:
            raise refusal

    def _expired(self, waiter: _Waiter, *, late: bool) -> None:
        self._let_in(self._clock.now())
        if self._queue.expire(waiter):
            waiter.tell(
                DeadlineExceeded(f"{self.name}: the time was over while it waited")
                if late
                else self._refusal(f"{self._in_flight} in flight, {len(self._queue)} waiting")
            )

    def _let_in(self, now: float) -> None:
        while self._queue and self._in_flight < self._limit.allowed(now):
            waiter = self._queue.pop(now)
            if waiter is not None and waiter.tell(None):
                self._in_flight += 1

    def _leave(self) -> None:
        self._in_flight -= 1
        if self._queue.is_behind:
            self._let_in(self._clock.now())

    def _answered(self, started: float) -> None:
        self._limit.answered(started, self._clock.now(), self._in_flight)

    def _refusal(self, why: str) -> Overloaded:
        self._shedding.shed(why)
        return Overloaded(f"{self.name}: {why}", retry_after=self._retry_after)

    async def stop(self) -> None:
        self._shedding.stop()

    def __repr__(self) -> str:
        return f"<ConcurrencyLimit {self._limit!r} in_flight={self._in_flight} waiting={len(self._queue)}>"


class _Slot:
    """The place of one request. Given back once, however often."""

    __slots__ = ("_held_of",)

    def __init__(self, limit: ConcurrencyLimit) -> None:
        self._held_of: ConcurrencyLimit | None = limit

    def release(self) -> None:
        limit, self._held_of = self._held_of, None
        if limit is not None:
            limit._leave()


class _Waiter:
    """A request that waits: for a slot (``None``), or for the error by which it is refused."""

    __slots__ = ("has_slot", "told")

    def __init__(self) -> None:
        self.told: asyncio.Future[ProxyError | None] = asyncio.get_running_loop().create_future()
        self.has_slot: bool = False

    def tell(self, refusal: ProxyError | None) -> bool:
        """Whether it still waited to be told."""
        if self.told.done():
            return False
        self.has_slot = refusal is None
        self.told.set_result(refusal)
        return True
