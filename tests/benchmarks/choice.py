"""The command ``python -m tests.benchmarks.choice``: what a balancer's choice costs, beside forwarding a request.

Measured in this process: an upstream's choice, a request counted there and off again, and what the balancer learns of
it, the fastest of several runs; and how long a change of membership takes. Beside it, in the same run, the processor
time of the library for a whole small request, under load as ``python -m tests.benchmarks`` has it. It ends with 1 where
a target is not met.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from revproxy import Attempt, Endpoint, Upstream
from revproxy.balancers import (
    P2C,
    Balancer,
    Least,
    Maglev,
    PeakEwma,
    PowerOfD,
    Ring,
    RoundRobin,
    Snapshot,
    WeightedRandom,
)
from revproxy.testing import FakeClock, FakeTransport, exchange

from .backend import start_backend
from .cases import CASES
from .children import end_on_signals
from .load import require_wrk
from .measure import Results, measure, start_all
from .subjects import Subject, python_program
from .table import NONE, Table
from .terminal import progress

NUMBERS = (10, 1_000, 10_000)
SHARE = 4.0
"""Per cent of a forward that a choice may take, at any number of endpoints."""
BINDING = 50.0
"""Milliseconds that a change of membership may take at 1,000 endpoints."""


@dataclass(frozen=True, slots=True)
class Candidate:
    title: str
    make: Callable[[], Balancer]
    bounded: bool = True
    """It must not cost more for more endpoints."""


CANDIDATES = (
    Candidate("RoundRobin()", RoundRobin),
    Candidate("P2C()", P2C),
    Candidate("P2C(PeakEwma())", lambda: P2C(PeakEwma())),
    Candidate("PowerOfD(3)", lambda: PowerOfD(3)),
    Candidate("WeightedRandom()", WeightedRandom),
    Candidate("Maglev()", Maglev),
    Candidate("Ring()", Ring),
    Candidate("Least()", Least, bounded=False),
)
TARGETS = ("RoundRobin()", "P2C()", "Maglev()")
NOT_MET = "NOT MET"
_CHOICES = 200
"""In a row, of which the time is taken."""


def endpoints(count: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(f"http://10.{number >> 8}.{number & 255}.1") for number in range(count))


def choice_cost(balancer: Balancer, count: int, seconds: float) -> float:
    """Microseconds for a choice among ``count`` endpoints, with what an upstream does to take and to give back."""
    clock = FakeClock()
    upstream = Upstream(*endpoints(count), balancer=balancer, transport=FakeTransport(), clock=clock)
    asked, now, best = exchange(), clock.now(), float("inf")
    attempt = Attempt(upstream.endpoints[0], asked, asked.request, 1, now)
    attempt.first_byte = attempt.ended = now + 0.01
    attempt.status = 200
    choose, learns, settled = upstream.choose, balancer.learns, balancer.settled
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        began = time.perf_counter()
        for _ in range(_CHOICES):
            attempt.endpoint = endpoint = choose(asked, now)
            endpoint.in_flight += 1
            endpoint.in_flight -= 1
            if learns:
                settled(attempt)
        best = min(best, (time.perf_counter() - began) / _CHOICES)
    return 1e6 * best


def binding_cost(make: Callable[[], Balancer], count: int, times: int = 3) -> float:
    """Milliseconds for a change of membership that leaves ``count`` endpoints."""
    members, best = Snapshot(endpoints(count)), float("inf")
    for _ in range(times):
        balancer = make()
        began = time.perf_counter()
        balancer.bind(members)
        best = min(best, time.perf_counter() - began)
    return 1e3 * best


def forward_cost(rounds: int, seconds: float) -> float | None:
    """Microseconds of processor time for a whole request, or ``None`` if it could not be measured."""
    results = Results()
    case = next(each for each in CASES if each.name == "small")
    subject = Subject("revproxy", "revproxy", python_program("library", "uvloop"), "uvloop")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="revproxy-benchmark-")))
        backend, port = start_backend(directory)
        stack.enter_context(backend)
        running = start_all([subject], directory, port, stack, results, progress)
        measure(running, [case], results, rounds=rounds, seconds=seconds, warm_up=seconds, progress=progress)
    progress("")
    for trouble in (*results.absent.items(), *results.troubles):
        print(trouble, file=sys.stderr)
    return results.middle(subject.key, case.name, lambda sample: sample.cpu)


def table(forward: float | None, seconds: float, numbers: Sequence[int] = NUMBERS) -> Table:
    title = "A choice, and the request counted there and off again, µs"
    if forward is not None:
        title += f" (a whole request: {forward:.1f} µs of processor time)"
    columns = ["", *(f"{number:,} endpoints" for number in numbers), "of a request", "target", ""]
    drawn = Table(title, [*columns, "bound at 1,000, ms", "target", ""])
    for candidate in CANDIDATES:
        costs = [choice_cost(candidate.make(), number, seconds) for number in numbers]
        share = None if forward is None else 100 * max(costs) / forward
        binding = binding_cost(candidate.make, 1000)
        drawn.rows.append(
            [
                f"{candidate.title}{'' if candidate.bounded else ', which looks at all'}",
                *(f"{cost:.2f}" for cost in costs),
                NONE if share is None else f"{share:.1f} %",
                *_judged(None if share is None else round(share, 1), SHARE, "%", candidate.title in TARGETS),
                f"{binding:.1f}",
                *_judged(round(binding, 1), BINDING, "ms", candidate.title == "Maglev()"),
            ]
        )
    return drawn


def _judged(value: float | None, limit: float, unit: str, wanted: bool) -> tuple[str, str]:
    """The target, and whether it is met."""
    if not wanted:
        return NONE, NONE
    return f"≤ {limit:.0f} {unit}", NONE if value is None else "met" if value <= limit else NOT_MET


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.choice",
        description="What a balancer's choice costs, beside the forwarding of a request, in one run.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="of load, for the request (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure (default 0.5)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    require_wrk()
    end_on_signals()
    forward = forward_cost(options.rounds, options.seconds)
    drawn = table(forward, options.seconds)
    print(drawn.markdown() if options.markdown else drawn.text())
    return 1 if forward is None or any(NOT_MET in row for row in drawn.rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
