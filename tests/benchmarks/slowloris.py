"""The command ``python -m tests.benchmarks.slowloris``: ``wrk`` through a guarded proxy, without and with thousands of
clients that never end their heads.

The throughput of the one over that of the other, in turns, so that the machine's moods are in both; and how old the
slow clients were when they were cut. It ends with 1 if that is not at their deadline, or if an honest request failed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from revproxy.guard import Guard

from .backend import start_backend
from .cases import CASES
from .children import end_on_signals
from .load import LoadFailed, put_load, require_wrk
from .subjects import LOOPS, NotPresent, Subject, python_program, start
from .table import Table
from .terminal import progress, some_of

CASE = next(each for each in CASES if each.name == "small")
DEADLINE = Guard().head or 0.0
LATE = 2.5
"""Seconds that a client may live longer on a machine that is busy to the limit."""


def attacked(port: int, count: int, seconds: float) -> tuple[float, str, list[float]]:
    """Requests a second beside so many slow clients, what went wrong, and the ages of those that were cut."""
    argv = [sys.executable, "-m", "tests.benchmarks.slow_clients", "--port", str(port), "--count", str(count)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        try:
            assert clients.stdout is not None
            if clients.stdout.readline().strip() != "ready":
                raise LoadFailed("the slow clients could not all connect")
            load = put_load(port, CASE, seconds)
            output, _ = clients.communicate("", timeout=60)
        finally:
            clients.kill()
    told = json.loads(output)
    trouble = load.trouble
    if told["open"] < 0.9 * count:
        trouble = f"{trouble}; only {told['open']} slow clients were open".lstrip("; ")
    return load.requests / load.seconds, trouble, told["ages"]


def main() -> int:
    options = _options()
    require_wrk()
    end_on_signals()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    title = f"{options.count:,} clients that never end their heads, beside {CASE.connections} connections that do"
    table = Table(title, ["", "req/s without", "req/s with", "ratio", "least", "cut", "youngest s", "oldest s"])
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="revproxy-slowloris-") as name, ExitStack() as stack:
        child, backend = start_backend(Path(name))
        stack.enter_context(child)
        for loop in options.loops:
            subject = Subject("guarded", "revproxy", python_program("library", loop, "--guarded"), loop)
            try:
                running = start(subject, Path(name), backend, stack)
                put_load(running.port, CASE, 1.0)
                pairs, ages = list[tuple[float, float]](), list[float]()
                for number in range(options.rounds):
                    progress(f"{subject.key}: round {number + 1} of {options.rounds}")
                    alone = put_load(running.port, CASE, options.seconds)
                    rate, trouble, cut = attacked(running.port, options.count, options.seconds)
                    failures += [f"{loop}: {each}" for each in (alone.trouble, trouble) if each]
                    pairs.append((alone.requests / alone.seconds, rate))
                    ages += cut
                    time.sleep(1.0)
            except (NotPresent, LoadFailed) as error:
                failures.append(f"{loop}: {error}")
                continue
            running.child.stop()
            table.rows.append(_row(loop, pairs, ages))
            if not ages or min(ages) < DEADLINE - 0.1 or max(ages) > DEADLINE + LATE:
                failures.append(f"{loop}: slow clients were not cut at {DEADLINE:g} s")
    progress("")
    print(table.markdown() if options.markdown else table.text())
    print("\n" + ("\n".join(failures) if failures else "No failed request; every slow client cut at its deadline."))
    return 1 if failures else 0


def _row(loop: str, pairs: list[tuple[float, float]], ages: list[float]) -> list[str]:
    without, beside = (median(each) for each in zip(*pairs, strict=True))
    return [
        f"revproxy, {loop}",
        f"{without:,.0f}",
        f"{beside:,.0f}",
        f"{beside / without:.2f}",
        f"{min(two / one for one, two in pairs):.2f}",
        f"{len(ages):,}",
        f"{min(ages, default=0):.2f}",
        f"{max(ages, default=0):.2f}",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.slowloris",
        description="Throughput of honest clients beside thousands that never end their heads.",
    )
    parser.add_argument("--count", type=int, default=5000, help="slow clients (default 5000)")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--seconds", type=float, default=12.0, help="of load in each (default 12)")
    parser.add_argument("--loops", type=some_of(LOOPS), default=LOOPS, help="default uvloop,asyncio")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    if options.count < 1 or options.rounds < 1 or options.seconds <= 0:
        parser.error("--count, --rounds and --seconds must be above 0")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
