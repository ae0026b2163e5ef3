"""What a simulation reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from ...endpoint import Endpoint
from ...errors import ProxyError
from ...events import Event
from ...exchange import Attempt

__all__ = ["Outcome", "Served", "Simulation"]


@dataclass(slots=True)
class Outcome:
    """What became of one request.

    ``at``, ``seconds``: when it arrived, and how long it took until it was answered or had failed. ``client``: who has
    asked; ``None`` where nobody tells clients apart. ``attempts``: what the upstream tried, in order; their times are
    those of the simulation. ``status``, ``error``: how it ended.
    """

    at: float
    seconds: float
    client: str | None
    attempts: tuple[Attempt, ...]
    status: int | None
    error: ProxyError | None

    @property
    def failed(self) -> bool:
        """By an error, or an answer of 500 and above."""
        return self.status is None or self.status >= 500


@dataclass(slots=True)
class Served:
    """What one server did. Attempts are counted, so a request that was tried twice counts twice."""

    endpoint: Endpoint
    requests: int = 0
    failures: int = 0
    most: int = 0
    """Requests in flight at most, those that waited included."""


@dataclass
class Simulation:
    """How it went: ``outcomes`` has every request, in the order in which they arrived; ``events`` what the components
    told meanwhile, each with its time; ``seconds`` is how long it took, of virtual time."""

    servers: Sequence[Served]
    outcomes: Sequence[Outcome]
    seconds: float
    events: Sequence[tuple[float, Event]] = field(default_factory=tuple)

    @cached_property
    def times(self) -> list[float]:
        """How long requests took, in line and served, sorted; failures are not in it."""
        return sorted(each.seconds for each in self.outcomes if not each.failed)

    def percentile(self, percent: float) -> float:
        """The time that ``percent`` per cent of the requests took at most (nearest rank). Raises ``ValueError`` if none
        succeeded, and for what is no percentage."""
        if not 0 < percent <= 100:
            raise ValueError(f"percent must be above 0 and at most 100, got {percent}")
        if not self.times:
            raise ValueError("no request succeeded")
        return self.times[ceil(len(self.times) * percent / 100) - 1]

    @property
    def fairness(self) -> float:
        """Jain's index of the requests per weight: 1 where all got their share, 1/n where one got everything (Jain,
        Chiu and Hawe, "A Quantitative Measure of Fairness", 1984). Servers that came or went count in full."""
        loads = [each.requests / each.endpoint.weight for each in self.servers]
        squares = sum(load * load for load in loads)
        return sum(loads) ** 2 / (len(loads) * squares) if squares else 1.0

    @property
    def failures(self) -> int:
        """Requests that failed."""
        return sum(each.failed for each in self.outcomes)

    @property
    def errors(self) -> Counter[str]:
        """Why they did: names of errors, and statuses of 500 and above."""
        return Counter(
            str(each.status) if each.error is None else type(each.error).__name__
            for each in self.outcomes
            if each.failed
        )

    @property
    def attempts(self) -> int:
        """What the servers were asked; more than there are requests where some were tried again."""
        return sum(len(each.attempts) for each in self.outcomes)

    @property
    def disruption(self) -> float:
        """The share of clients of whom some request went to another server than the one before. 0 where nobody tells
        clients apart."""
        last: dict[str, Endpoint] = {}
        moved: set[str] = set()
        for each in self.outcomes:
            if each.client is not None and each.attempts:
                endpoint = each.attempts[-1].endpoint
                if last.setdefault(each.client, endpoint) is not endpoint:
                    moved.add(each.client)
                last[each.client] = endpoint
        return len(moved) / len(last) if last else 0.0

    def between(self, start: float, end: float) -> Simulation:
        """The same of the requests alone that arrived from ``start`` until before ``end``, in seconds. ``most`` stays
        that of the whole simulation."""
        if not start < end:
            raise ValueError(f"start must be before end, got {start} and {end}")
        outcomes = [each for each in self.outcomes if start <= each.at < end]
        servers = served({each.endpoint: each.most for each in self.servers}, outcomes)
        events = [(at, event) for at, event in self.events if start <= at < end]
        return Simulation(servers, outcomes, min(end, self.seconds) - max(start, 0.0), events)

    def __str__(self) -> str:
        said = [f"{len(self.outcomes)} requests"]
        if self.times:
            said[0] += ": " + ", ".join(
                f"p{percent:g} {1000 * self.percentile(percent):.1f} ms" for percent in (50, 90, 99, 99.9)
            )
        said.append(f"fairness {self.fairness:.3f}")
        if any(each.client is not None for each in self.outcomes):
            said.append(f"disruption {self.disruption:.3f}")
        return "; ".join([*said, f"{self.failures} failures"])

    def __repr__(self) -> str:
        return f"<Simulation of {self.seconds:.1f} s: {self}>"


def served(most: dict[Endpoint, int], outcomes: Iterable[Outcome]) -> list[Served]:
    """What each of the endpoints did, of which ``most`` has the requests in flight at most."""
    servers = {endpoint: Served(endpoint, most=peak) for endpoint, peak in most.items()}
    for outcome in outcomes:
        for attempt in outcome.attempts:
            each = servers[attempt.endpoint]
            each.requests += 1
            each.failures += attempt.error is not None or (attempt.status or 0) >= 500
    return list(servers.values())
