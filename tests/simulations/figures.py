"""What the simulations measure of a run."""

from __future__ import annotations

from collections.abc import Iterator

from revproxy.health.events import EndpointEjected, EndpointRestored
from revproxy.testing.simulate import Simulation


def goodput(run: Simulation, start: float, end: float) -> float:
    """The share of the requests that were answered well, of those that came in these seconds."""
    part = run.between(start, end)
    return len(part.times) / len(part.outcomes)


def amplification(run: Simulation, start: float, end: float) -> float:
    """Attempts for a request, of those that came in these seconds."""
    part = run.between(start, end)
    return part.attempts / len(part.outcomes)


def share(run: Simulation, number: int, start: float, end: float) -> float:
    """The share of the attempts that one server got, of those of the requests that came in these seconds."""
    part = run.between(start, end)
    return part.servers[number].requests / part.attempts


def ejections(run: Simulation) -> list[EndpointEjected]:
    """All of them, the first one first."""
    return [event for _, event in run.events if isinstance(event, EndpointEjected)]


def ejected(run: Simulation) -> Iterator[frozenset[str]]:
    """Who was ejected, each time that it changed. With one policy alone: another one's ejection is not told apart."""
    out: frozenset[str] = frozenset()
    for _, event in run.events:
        if isinstance(event, EndpointEjected):
            out |= {event.endpoint}
        elif isinstance(event, EndpointRestored):
            out -= {event.endpoint}
        else:
            continue
        yield out
