"""The command ``python -m tests.benchmarks.lanes``: what handlers that hand on cost, beside forwarding a request.

Measured in this process: an exchange that is answered at once, by way of each of them and without, the fastest of
several runs; what is shown is the difference. Beside it, in the same run, the processor time of the library for a whole
small request, under load as ``python -m tests.benchmarks`` has it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from revproxy import Exchange, Handler, Pipeline, Response
from revproxy.balancers import keys
from revproxy.filters import Quota, RateLimit
from revproxy.limiters import Gcra
from revproxy.routing import Failover, GuardRail, Lane, Mirror, Split
from revproxy.testing import exchange

from .children import end_on_signals
from .choice import forward_cost
from .load import require_wrk
from .table import NONE, Table

SHARE = 5.0
"""Per cent of a forward that a guard-rail may take, and a rate limit."""
_REQUESTS = 200
"""In a row, of which the time is taken."""

_ANSWER = Response(200)


async def answer(exchange: Exchange) -> Response:
    """At once, always the same."""
    return _ANSWER


def split(guard: GuardRail | None) -> Split:
    return Split(Lane("stable", answer, 95), Lane("canary", answer, 5), guard=guard, rng=Random(1))


def limited(*limits: Quota, fields: bool = False) -> Handler:
    return Pipeline(RateLimit(*limits, fields=fields), handler=answer)


def quota(name: str = "client", *, all: bool = False) -> Quota:
    """One that is never used up."""
    return Quota(Gcra(1e9, 1e9), key=keys.everyone() if all else None, name=name)


CANDIDATES: tuple[tuple[str, Callable[[], Handler]], ...] = (
    ("Split, by the client's address", lambda: split(None)),
    ("the same, errors and latency guarded", lambda: split(GuardRail(stable="stable"))),
    ("the same, errors guarded", lambda: split(GuardRail(stable="stable", latency=None))),
    ("Failover, the first answers", lambda: Failover(answer, answer, statuses=(502, 503, 504))),
    ("Mirror, of none", lambda: Pipeline(Mirror(answer, share=0), handler=answer)),
    ("Mirror, of all, the shadow included", lambda: Pipeline(Mirror(answer, limit=_REQUESTS), handler=answer)),
    ("RateLimit, for each client", lambda: limited(quota())),
    ("RateLimit, for each client and for all", lambda: limited(quota(), quota("all", all=True))),
    ("RateLimit, the fields said", lambda: limited(quota(), fields=True)),
)


async def cost(handler: Handler, seconds: float) -> float:
    """Microseconds for an exchange, from before the handler to after its releases."""
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        asked = [exchange() for _ in range(_REQUESTS)]
        began = time.perf_counter()
        for each in asked:
            await handler(each)
            each.finish()
        shadows = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if shadows:
            await asyncio.wait(shadows)
        best = min(best, (time.perf_counter() - began) / _REQUESTS)
    return 1e6 * best


async def costs(seconds: float) -> dict[str, float]:
    """By title, beside what the answer itself takes."""
    bare = await cost(answer, seconds)
    return {title: await cost(make(), seconds) - bare for title, make in CANDIDATES}


def table(forward: float | None, seconds: float, run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run) -> Table:
    title = "Handing on, µs"
    if forward is not None:
        title += f" (a whole request: {forward:.1f} µs of processor time)"
    drawn = Table(title, ["", "µs", "of a request", "target", ""])
    found: dict[str, float] = run(costs(seconds))
    without = found[CANDIDATES[0][0]]
    for name, value in found.items():
        share = None if forward is None else 100 * value / forward
        row = [name, f"{value:.2f}", NONE if share is None else f"{share:.1f} %", NONE, NONE]
        if "guarded" in name and forward is not None:
            more = 100 * (value - without) / forward
            row[3:] = [f"≤ {SHARE:.0f} % more", "met" if round(more, 1) <= SHARE else "NOT MET"]
        elif "RateLimit, for" in name and share is not None:
            row[3:] = [f"≤ {SHARE:.0f} %", "met" if round(share, 1) <= SHARE else "NOT MET"]
        drawn.rows.append(row)
    return drawn


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.lanes",
        description="What handlers that hand on cost, beside the forwarding of a request, in one run.",
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
    return 1 if forward is None or any("NOT MET" in row for row in drawn.rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
