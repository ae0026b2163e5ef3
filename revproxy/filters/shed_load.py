"""Refusing what is least important while the event loop is behind."""

from __future__ import annotations

from random import Random

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import Overloaded
from ..exchange import Exchange
from ..handler import Component, Handler
from ..limiters.loop_lag import LoopLag
from ..limiters.priority import Priority, rank
from ..limiters.queue import CLASSES
from ..limiters.shedding import Shedding
from ..message import Response

__all__ = ["ShedLoad"]


class ShedLoad(Component):
    """Refuses requests while the event loop of this process is behind, the least important first: 503, with
    ``Retry-After`` (``Overloaded``). Put it outermost, where a request has cost nothing yet::

        ProxyHandler(rules, filters=[ShedLoad(priority=importance, classes=3), ...])

    ``lag``
        What measures it; by default a ``LoopLag`` of its own.
    ``start``, ``full``
        Seconds that the loop is behind: from ``start`` on some are refused, from ``full`` on all. What is between is
        divided among the classes: first more and more of the least important one, when all of that are refused then of
        the next.
    ``priority``, ``classes``
        How important a request is, from 0, the most important, to 7; and how many classes that tells apart, the least
        important being ``classes - 1``. By default all are of one class.
    ``retry_after``
        Seconds after which those that are refused may come again.
    ``name``
        For events: ``SheddingBegan`` and ``SheddingEnded``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        *,
        lag: LoopLag | None = None,
        start: float = 0.05,
        full: float = 0.25,
        priority: Priority | None = None,
        classes: int = 1,
        retry_after: float = 1.0,
        name: str = "load shedding",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if lag is not None and not isinstance(lag, LoopLag):
            raise TypeError(f"lag: {lag!r} is not a LoopLag object")
        if not 0 < start < full < float("inf"):
            raise ValueError(f"start and full must be 0 < start < full, got {start} and {full}")
        if type(classes) is not int or not 1 <= classes <= CLASSES:
            raise ValueError(f"classes must be an integer of 1 to {CLASSES}, got {classes!r}")
        if priority is not None and not callable(priority):
            raise TypeError(f"priority: {priority!r} is no function of an exchange")
        if (priority is None) != (classes == 1):
            raise ValueError(f"priority and classes: one is of no use without the other, got {priority!r}, {classes}")
        if not 0 < retry_after < float("inf"):
            raise ValueError(f"retry_after must be above 0 and finite, got {retry_after}")
        self.lag: LoopLag = LoopLag(clock=clock) if lag is None else lag
        self._start = start
        self._step = (full - start) / classes
        self._priority = priority
        self._classes = classes
        self._retry_after = retry_after
        self._rng = rng or Random()
        self._shedding = Shedding(name, tell=self.tell, clock=clock)
        self.name: str = name

    @property
    def refused(self) -> int:
        """How many were refused, ever."""
        return self._shedding.count

    def share(self, priority: int) -> float:
        """The share of requests of this ``priority`` that is refused now, of 1."""
        return self._share(self.lag.seconds, priority)

    def _share(self, lag: float, priority: int) -> float:
        above = self._classes - 1 - min(priority, self._classes - 1)  # classes that are refused before
        return min(max((lag - self._start) / self._step - above, 0.0), 1.0)

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        lag = self.lag.seconds
        if lag > self._start:
            share = self._share(lag, rank(self._priority, exchange))
            if share and self._rng.random() < share:
                why = f"the event loop is {1000 * lag:.0f} ms behind"
                self._shedding.shed(why)
                raise Overloaded(f"{self.name}: {why}", retry_after=self._retry_after)
        return await handler(exchange)

    def parts(self) -> tuple[object, ...]:
        return (self.lag,)

    async def stop(self) -> None:
        self._shedding.stop()

    def __repr__(self) -> str:
        return f"<ShedLoad {self.lag!r}, refused {self.refused}>"
