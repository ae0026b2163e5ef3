"""Limits of single endpoints that follow from how they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..errors import ResponseTimeout
from ..exchange import Attempt
from ..health import HealthPolicy, Verdict, Verdicts
from .base import Limit
from .gradient import Gradient

__all__ = ["EndpointLimits"]

_TOO_MANY = 429


class EndpointLimits(HealthPolicy):
    """Gives each endpoint of an upstream a limit of its own, and moves ``Endpoint.cap`` by it: a slow server gets fewer
    requests than its peers, and none while it has as many as it can take. It is given to an upstream as one of its
    ``health`` policies, and ejects nobody::

        Upstream("http://10.0.0.1", "http://10.0.0.2", health=[EndpointLimits()])

    ``make``
        Makes the limit of an endpoint. By default ``Gradient``.

    Where all are at their caps the upstream raises ``NoEndpoint``; a ``filters.ConcurrencyLimit`` around it makes
    requests wait for a short time. One serves one upstream. Raises ``TypeError`` for what makes no limit.
    """

    interval: float | None = 0.1

    def __init__(self, make: Callable[[], Limit] = Gradient, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if not callable(make):
            raise TypeError(f"make: {make!r} is no function that makes a limit")
        self._make = make
        self._clock = clock
        self._limits: dict[Endpoint, Limit] = {}
        self._verdicts: Verdicts | None = None

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        if self._verdicts is not None and self._verdicts is not verdicts:
            raise ValueError(f"health: {self!r} serves another upstream already")
        self._verdicts = verdicts if endpoints else None
        known, self._limits = self._limits, {}
        for each in endpoints:
            self._limits[each] = known.pop(each) if each in known else self._limit()
        for each in known:
            each.cap = None
        self.judge(endpoints, self._clock.now())

    def _limit(self) -> Limit:
        limit: object = self._make()
        if not isinstance(limit, Limit):
            raise TypeError(f"make: {self._make!r} made {limit!r}, which is no Limit")
        return limit

    def settled(self, attempt: Attempt) -> Verdict | None:
        endpoint = attempt.endpoint
        limit = self._limits.get(endpoint)
        until = attempt.first_byte
        if isinstance(attempt.error, ResponseTimeout):
            until = attempt.ended
        elif attempt.status is None or attempt.status >= 500 or attempt.status == _TOO_MANY:
            until = None
        if limit is not None and until is not None:
            limit.answered(attempt.started, until, endpoint.in_flight + 1)
            endpoint.cap = limit.allowed(self._clock.now())
        return None

    def judge(self, endpoints: Sequence[Endpoint], now: float) -> Iterable[Verdict]:
        for endpoint, limit in self._limits.items():
            endpoint.cap = limit.allowed(now)
        return ()

    def __repr__(self) -> str:
        return f"EndpointLimits({', '.join(f'{each.name}: {each.cap}' for each in self._limits)})"
