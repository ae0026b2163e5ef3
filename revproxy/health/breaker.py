"""A circuit breaker for each endpoint of an upstream."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..exchange import Attempt
from .base import Eject, HealthPolicy, Verdict, Verdicts
from .blame import has_failed, who_asked
from .circuit import Circuit, CircuitState
from .events import CircuitClosed
from .trip import Trip

__all__ = ["EndpointBreaker"]


class EndpointBreaker(HealthPolicy):
    """Has a circuit breaker for each endpoint of an upstream: while one is open its endpoint is ejected, and others get
    its requests. Half open, it gets a growing share of them, and is ejected again by the first that fails. ::

        Upstream("http://10.0.0.1", "http://10.0.0.2", health=[EndpointBreaker()])

    ``trip``
        When they open, for how long, and how they close.
    ``max_ejected``
        The share of the endpoints that may be ejected at once, of 1. With 1, all: unless the upstream's ``panic`` lets
        everybody in, requests then fail with ``NoEndpoint`` at once.

    Other than with ``OutlierDetection`` an endpoint is not compared with its peers, and it has to show by requests that
    it is well again: a probe that succeeds does not end the ejection. What the client did never counts.

    ``EndpointEjected`` is told when one opens, ``EndpointRestored`` when it is half open, ``CircuitClosed`` at last.

    One serves one upstream. Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    yields: bool = False

    def __init__(
        self,
        trip: Trip | None = None,
        *,
        max_ejected: float = 1.0,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if trip is not None and not isinstance(trip, Trip):
            raise TypeError(f"trip: {trip!r} is not a Trip object")
        if not 0 <= max_ejected <= 1:
            raise ValueError(f"max_ejected must be 0 to 1, got {max_ejected}")
        self.max_ejected: float = max_ejected
        self._trip = trip or Trip()
        self._clock = clock
        self._rng = rng or Random()
        self._circuits: dict[Endpoint, Circuit] = {}
        self._serves: Verdicts | None = None

    def state(self, endpoint: Endpoint) -> CircuitState:
        """The state of the circuit of ``endpoint``. Raises ``KeyError`` for what is no member."""
        return self._circuits[endpoint].look(self._clock.now())

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        if self._serves is not None and self._serves is not verdicts:
            raise ValueError(f"health: {self!r} serves another upstream already")
        self._serves = verdicts if endpoints else None
        self._circuits = {each: self._circuits.get(each) or self._circuit(each) for each in endpoints}

    def _circuit(self, endpoint: Endpoint) -> Circuit:
        return Circuit(self._trip, rng=self._rng, changed=partial(self._changed, endpoint))

    def _changed(self, endpoint: Endpoint, state: CircuitState, why: str, seconds: float) -> None:
        if state is CircuitState.CLOSED:
            self.tell(CircuitClosed(endpoint.name, why, seconds))

    def settled(self, attempt: Attempt) -> Verdict | None:
        circuit = self._circuits.get(attempt.endpoint)
        failed = has_failed(attempt)
        if circuit is None or failed is None:
            return None
        now = self._clock.now()
        circuit.look(now)
        if attempt.started < circuit.since:
            return None  # it began before, and says nothing new
        until = attempt.first_byte or attempt.ended or now
        slow = until - attempt.started > self._trip.slow_after
        why = circuit.record(now, who_asked(attempt), failed=failed, slow=slow)
        return None if why is None else Eject(attempt.endpoint, why, circuit.until - now, circuit.share)

    def __repr__(self) -> str:
        open_ = ", ".join(
            f"{each.name}: {circuit.state.value}"
            for each, circuit in self._circuits.items()
            if circuit.state is not CircuitState.CLOSED
        )
        return f"EndpointBreaker({open_})"
