"""Refusing at random while what is asked fails."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import Overloaded
from ..exchange import Exchange
from ..handler import Component, Handler
from ..health.blame import is_failure
from ..limiters.shedding import Shedding
from ..limiters.success import SuccessRate
from ..message import Response

__all__ = ["AdmissionControl"]


class AdmissionControl(Component):
    """Refuses a share of the requests while too many fail: 503, with ``Retry-After`` (``Overloaded``). A handler that
    is overloaded, or broken, gets less to do, and what it still gets tells when it is well again. ::

        Pipeline(AdmissionControl(), handler=upstream)

    ``threshold``
        The share of requests that succeed, of 1, below which others are refused.
    ``aggression``
        With 1 the share that is refused is that by which the successes are too few; with more it grows fast at first.
    ``window``
        Seconds that count.
    ``most``
        The largest share that is refused, below 1: somebody has to find out that all is well again.
    ``least``
        Requests within the window below which none is refused.
    ``is_failure``
        Which statuses are a failure. By default 500 and above.
    ``retry_after``
        Seconds after which those that are refused may come again.
    ``name``
        For events: ``SheddingBegan`` and ``SheddingEnded``.

    What is refused here is not asked, and does not count; neither does what the client did, or what somebody further in
    decided (``origin`` client or policy). Raises ``ValueError`` that names the parameter and its value.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.95,
        aggression: float = 1.0,
        window: float = 30.0,
        most: float = 0.8,
        least: int = 20,
        is_failure: Callable[[int], bool] = lambda status: status >= 500,
        retry_after: float = 1.0,
        name: str = "admission control",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
        if not 0 < most < 1:
            raise ValueError(f"most must be above 0 and below 1, got {most}")
        for parameter, value in (("aggression", aggression), ("window", window), ("retry_after", retry_after)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{parameter} must be above 0 and finite, got {value}")
        if type(least) is not int or least < 1:
            raise ValueError(f"least must be an integer of at least 1, got {least!r}")
        if not callable(is_failure):
            raise TypeError(f"is_failure: {is_failure!r} is no function of a status")
        self._rate = SuccessRate(window=window, threshold=threshold, aggression=aggression, most=most, least=least)
        self._is_failure = is_failure
        self._retry_after = retry_after
        self._clock = clock
        self._rng = rng or Random()
        self._shedding = Shedding(name, tell=self.tell, clock=clock)
        self.name: str = name

    @property
    def rejection(self) -> float:
        """The share of requests that is refused now, of 1."""
        return self._rate.rejection(self._clock.now())

    @property
    def refused(self) -> int:
        """How many were refused, ever."""
        return self._shedding.count

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        rejection = self._rate.rejection(self._clock.now())
        if rejection and self._rng.random() < rejection:
            why = f"{self._rate.succeeded} of {self._rate.asked} have succeeded"
            self._shedding.shed(why)
            raise Overloaded(f"{self.name}: {why}", retry_after=self._retry_after)
        try:
            response = await handler(exchange)
        except Exception as error:
            if is_failure(error, exchange):
                self._rate.add(self._clock.now(), success=False)
            raise
        self._rate.add(self._clock.now(), success=not self._is_failure(response.status))
        return response

    async def stop(self) -> None:
        self._shedding.stop()

    def __repr__(self) -> str:
        return f"<AdmissionControl {self._rate!r}, refuses {self.rejection:.0%}>"
