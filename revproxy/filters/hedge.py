"""A second attempt beside one that takes long."""

from __future__ import annotations

from collections.abc import Collection, Coroutine
from typing import Any

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange, Key
from ..handler import Component, Handler
from ..headers import is_token
from ..limiters.retry_budget import RetryBudget
from ..message import Response
from ..routing.recent import Recent
from .race import Race

__all__ = ["Hedge"]

_HEDGED: Key[bool] = Key("hedged")
"""A hedge is at work further out."""

_KEPT = 10
"""How many times the answers that are needed are remembered."""


class Hedge(Component):
    """Asks a second time, at another endpoint if there is any, where an answer takes longer than most do; takes the
    first good one, and cancels the other. It is for the few requests that meet a server in a bad moment. ::

        Pipeline(Hedge(), handler=upstream)

    "Longer than most" is the ``quantile`` of the times of the last answers (Dean and Barroso, The Tail at Scale, 2013):
    with 0.95 one request in twenty may be asked twice, if the ``budget`` allows it.

    ``quantile``
        Of the times until the response head, above 0 and below 1.
    ``least``
        How many good answers have to be seen before it is known.
    ``after``
        Seconds that count until then. By default there is no second attempt until then.
    ``methods``
        Which requests. Both servers do what is asked, so that it must be safe to do twice (RFC 9110 section 9.2.1).
        Never those whose body is not in memory, nor upgrades.
    ``budget``
        How many second attempts there may be beside the requests. By default 5 % of those of the last minute: none
        before the twentieth.

    An answer below 500 is good. Where neither is, what has become of the first attempt stands; where that fails before
    its time is over there is no second: that is for ``Retry``, inside of it. Once an interim answer (1xx) went to the
    client there is no second either, for the final one has to come from the same server.

    Observers are told of the attempts of both, and ``exchange.attempts`` has them when it is over. The one that was
    cancelled has neither status nor error, and says nothing about its endpoint.

    The answer is there when the other attempt has come to its end, and has given back all it held: a filter further in
    that waits for something when it is cancelled has the client wait for that, too.

    It shortcuts: put it inside the rules, next to what it asks. Raises ``ValueError`` or ``TypeError`` that names the
    parameter and its value.
    """

    shortcuts = True

    def __init__(
        self,
        *,
        quantile: float = 0.95,
        least: int = 100,
        after: float | None = None,
        methods: Collection[str] = ("GET", "HEAD"),
        budget: RetryBudget | None = None,
        name: str = "hedge",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not 0 < quantile < 1:
            raise ValueError(f"quantile must be above 0 and below 1, got {quantile}")
        if type(least) is not int or not 1 <= least <= 1000:
            raise ValueError(f"least must be an integer from 1 to 1000, got {least!r}")
        if after is not None and not 0 <= after < float("inf"):
            raise ValueError(f"after must be at least 0 and finite, or None, got {after}")
        if isinstance(methods, str) or not all(map(is_token, methods)):
            raise ValueError(f"methods must be methods, one string each, got {methods!r}")
        if not isinstance(budget, RetryBudget | None):
            raise TypeError(f"budget: {budget!r} is not a RetryBudget object")
        self.name: str = name
        self.budget: RetryBudget = budget or RetryBudget(0.05, reserve=0.0, ttl=60.0)
        self.hedged: int = 0
        """How many second attempts were made, ever."""
        self.refused: int = 0
        """How many were not, for want of a budget."""
        self._times = Recent(quantile, _KEPT * least, least)
        self._after = after
        self._methods = frozenset(methods)
        self._clock = clock

    @property
    def delay(self) -> float | None:
        """After how many seconds a request is asked a second time; ``None``: that is not known yet."""
        return self._after if self._times.value is None else self._times.value

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        request = exchange.request
        if (
            request.method not in self._methods
            or request.upgrade is not None
            or request.body.data is None
            or exchange.get(_HEDGED)
        ):
            return handler(exchange)
        return self._timed(exchange, handler)

    async def _timed(self, exchange: Exchange, handler: Handler) -> Response:
        started = self._clock.now()
        if self.budget not in exchange.paid:
            exchange.paid += (self.budget,)
            self.budget.deposit(started)
        delay = self.delay
        if delay is None or (exchange.deadline is not None and started + delay >= exchange.deadline):
            response = await handler(exchange)
        else:
            exchange[_HEDGED] = True
            try:
                race = Race(exchange, handler, is_good=_is_good, clock=self._clock)
                response = await race.run(delay, self._may_ask)
            finally:
                exchange[_HEDGED] = False
        if _is_good(response):
            # Of one that was asked twice it is the least that the first would have taken, which is beyond the quantile
            # as it stands, so that the quantile does not come down by itself.
            self._times.add(self._clock.now() - started)
        return response

    def _may_ask(self) -> bool:
        if not self.budget.withdraw(self._clock.now()):
            self.refused += 1
            return False
        self.hedged += 1
        return True

    def __repr__(self) -> str:
        delay = "unknown" if self.delay is None else f"{self.delay:.3g} s"
        return f"<Hedge {self.name} after {delay} hedged={self.hedged} {self.budget!r}>"


def _is_good(response: Response) -> bool:
    return response.status < 500
