"""Not asking for a while what has failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import CircuitOpen
from ..exchange import Attempt, Exchange
from ..handler import Component, Handler
from ..health.blame import client_of, has_failed, is_failure
from ..health.circuit import Call, Circuit, CircuitState
from ..health.events import CircuitClosed, CircuitOpened, CircuitTried
from ..health.trip import Trip
from ..message import Response

__all__ = ["CircuitBreaker"]


class CircuitBreaker(Component):
    """Does not ask a handler that fails too often, or takes too long: 503, with ``Retry-After`` (``CircuitOpen``), at
    once. After a while it lets a few through, then more, and all when they fare well. ::

        Pipeline(CircuitBreaker(name="api"), handler=upstream)

    It stands where you put it: before an upstream, or before a route of it that fails by itself.

    ``trip``
        When it opens, for how long, and how it closes.
    ``is_failure``
        Which statuses are a failure. By default 500 and above.
    ``name``
        For errors and events: ``CircuitOpened``, ``CircuitTried``, ``CircuitClosed``.

    A call takes until its response head; if the body of the answer breaks off later it has failed after all. An error
    counts if the upstream or the proxy is to blame. What the client did, or what somebody further in decided, does not,
    and neither does a call that the client did not wait for.

    Raises ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        trip: Trip | None = None,
        *,
        is_failure: Callable[[int], bool] = lambda status: status >= 500,
        name: str = "circuit breaker",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if trip is not None and not isinstance(trip, Trip):
            raise TypeError(f"trip: {trip!r} is not a Trip object")
        if not callable(is_failure):
            raise TypeError(f"is_failure: {is_failure!r} is no function of a status")
        self._trip = trip or Trip()
        self._circuit = Circuit(self._trip, rng=rng or Random(), changed=self._changed)
        self._is_failure = is_failure
        self._clock = clock
        self.name: str = name
        self.refused: int = 0
        """How many were refused, ever."""

    @property
    def state(self) -> CircuitState:
        """Who is let through now."""
        return self._circuit.look(self._clock.now())

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        circuit, now = self._circuit, self._clock.now()
        call = circuit.admit(now)
        if call is None:
            self.refused += 1
            raise CircuitOpen(f"{self.name}: the circuit is {circuit.state.value}", retry_after=circuit.wait(now))
        attempted = len(exchange.attempts)
        try:
            response = await handler(exchange)
        except BaseException as error:
            if isinstance(error, Exception) and is_failure(error, exchange):
                self._ended(call, exchange, failed=True)
            call.drop()
            raise
        else:
            failed = self._is_failure(response.status)
            self._ended(call, exchange, failed=failed)
            if not failed and len(exchange.attempts) > attempted:
                attempt = exchange.attempts[-1]
                # Unless it is over; or its answer, if there was one, is not that which is given.
                if attempt.ended is None and attempt.status is not None and attempt.error is None:
                    exchange.defer(partial(self._delivered, call, attempt))
            return response

    # None of what follows awaits.

    def _ended(self, call: Call, exchange: Exchange, *, failed: bool) -> None:
        now = self._clock.now()
        call.end(now, client_of(exchange), failed=failed, slow=now - call.started > self._trip.slow_after)

    def _delivered(self, call: Call, attempt: Attempt) -> None:
        """The answer of ``attempt`` is over: see whether it has broken off."""
        if attempt.error is not None and has_failed(attempt):
            call.spoil(self._clock.now())

    def _changed(self, state: CircuitState, why: str, seconds: float) -> None:
        if state is CircuitState.OPEN:
            self.tell(CircuitOpened(self.name, why, seconds))
        elif state is CircuitState.HALF_OPEN:
            self.tell(CircuitTried(self.name))
        else:
            self.tell(CircuitClosed(self.name, why, seconds))

    def __repr__(self) -> str:
        return f"<CircuitBreaker {self.name} {self._circuit!r}>"
