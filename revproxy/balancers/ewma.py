"""Loads that learn from response times: averages that forget."""

from __future__ import annotations

from abc import abstractmethod
from math import exp

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..errors import Origin
from ..exchange import Attempt
from .base import Snapshot
from .load import Cost, Load

__all__ = ["PeakEwma", "ResponseTime", "Timed"]


class Average:
    """An average of seconds, and when it was last looked at or added to."""

    __slots__ = ("at", "value")

    def __init__(self, now: float) -> None:
        self.value: float = 0.0
        self.at: float = now


class Timed(Load):
    """Keeps an average of each endpoint's response times: from the start of an attempt to the response's head.

    ``decay``
        Seconds after which what was learnt counts for 1/e of what it did.
    ``failure``
        Seconds that an attempt counts for at least if the upstream failed: a server that refuses at once would
        otherwise be the fastest of all, and get everything.
    """

    def __init__(self, *, decay: float = 10.0, failure: float = 1.0, clock: Clock = SYSTEM_CLOCK) -> None:
        if not decay > 0:
            raise ValueError(f"decay must be above 0, got {decay}")
        if not failure >= 0:
            raise ValueError(f"failure must be at least 0, got {failure}")
        self._decay = decay
        self._failure = failure
        self._clock = clock
        self._averages: dict[Endpoint, Average] = {}

    def bind(self, snapshot: Snapshot) -> Cost:
        now, known = self._clock.now(), self._averages
        self._averages = averages = {each: known.get(each) or Average(now) for each in snapshot.endpoints}
        clock, cost = self._clock.now, self._cost
        return lambda endpoint: cost(endpoint, averages[endpoint], clock())

    def settled(self, attempt: Attempt) -> None:
        average = self._averages.get(attempt.endpoint)
        until = attempt.first_byte if attempt.first_byte is not None else attempt.ended
        if average is None or until is None:
            return
        seconds = max(until - attempt.started, 0.0)
        error = attempt.error
        if error is not None and error.origin is Origin.UPSTREAM:
            seconds = max(seconds, self._failure)
        elif attempt.first_byte is None:
            return  # it ended without an answer, and not by the upstream's fault: how long that would have taken
        self._learn(average, seconds, self._clock.now())

    @abstractmethod
    def _cost(self, endpoint: Endpoint, average: Average, now: float) -> float: ...

    @abstractmethod
    def _learn(self, average: Average, seconds: float, now: float) -> None: ...

    def __repr__(self) -> str:
        return f"{type(self).__name__}()" if self._decay == 10.0 else f"{type(self).__name__}(decay={self._decay:g})"


_UNKNOWN = 1e9
"""The cost of what has requests in flight, but has never answered."""


class PeakEwma(Timed):
    """Finagle's ``PeakEwma``: an average that jumps to every response time above it at once and comes down in time,
    times the requests in flight per weight and one more.

    An endpoint of which nothing is known costs nothing, so it is tried; once it has a request in flight it costs more
    than any other, until it has answered. Silence makes an endpoint cheaper, so that one that was slow is tried again.
    """

    def _cost(self, endpoint: Endpoint, average: Average, now: float) -> float:
        elapsed = now - average.at
        if elapsed > 0:
            average.value *= exp(-elapsed / self._decay)
            average.at = now
        if average.value == 0.0 and endpoint.in_flight:
            return _UNKNOWN * endpoint.in_flight / endpoint.weight
        return average.value * (1 + endpoint.in_flight / endpoint.weight)

    def _learn(self, average: Average, seconds: float, now: float) -> None:
        elapsed = max(now - average.at, 0.0)
        if seconds > average.value:
            average.value = seconds
        else:
            kept = exp(-elapsed / self._decay)
            average.value = average.value * kept + seconds * (1 - kept)
        average.at = max(now, average.at)


_LEAST = 1e-6
"""Seconds that every request takes, so that requests in flight count even where no time is known."""


class ResponseTime(Timed):
    """The average response time, times the requests in flight per weight and one more: what others call *least response
    time*.

    Unlike ``PeakEwma`` a slow answer does not count more than a fast one. An endpoint that gets no requests becomes
    cheaper with time, so that it is tried again.
    """

    def _cost(self, endpoint: Endpoint, average: Average, now: float) -> float:
        value = average.value * exp(min(average.at - now, 0.0) / self._decay)
        return (value + _LEAST) * (1 + endpoint.in_flight / endpoint.weight)

    def _learn(self, average: Average, seconds: float, now: float) -> None:
        kept = exp(min(average.at - now, 0.0) / self._decay) if average.value else 0.0
        average.value = average.value * kept + seconds * (1 - kept)
        average.at = now
