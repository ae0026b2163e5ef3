"""The command: ``python -m tests.benchmarks.websockets``. Takes less than three minutes, with ``--quick`` a
quarter of one.

It needs neither ``wrk`` nor ``nginx``: load and back end are its own. It ends with 1 where something could not be
measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ..cases import KIB
from ..children import Child, StartFailed, end_on_signals, free_port, listens
from ..load import LoadFailed
from ..measure import Results, measure, start_all
from ..report import Report
from ..subjects import LOOPS, NotPresent, Subject, python_program, start
from ..table import NONE, Table
from ..terminal import progress, some_of
from .cases import CASES
from .idle import allow_open_files, idle_memory
from .load import LOOP, WEBSOCKETS

IDLE = "idle"
LIMIT = 18 * KIB
"""What an idle WebSocket may take in the library."""
SUBJECTS = (
    ("revproxy", "revproxy", "library"),
    ("messages", "revproxy, messages", "messages"),
    ("relay", "relay of messages", "relay"),
    ("splice", "bare splice", "splice"),
)


def main() -> int:
    options = _options()
    end_on_signals()
    cases = [case for case in CASES if case.name in options.cases]
    subjects = [
        Subject(name, title, python_program(module, loop), loop, frozenset(options.cases))
        for loop in options.loops
        for name, title, module in SUBJECTS
        if name in options.subjects
    ]
    results = Results()
    idle: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="revproxy-websockets-") as name:
        directory = Path(name)
        if IDLE in options.cases:
            allow_open_files(options.sockets)
            for subject in subjects:
                progress(f"{options.sockets} idle WebSockets, {subject.key}")
                _measure_idle(subject, directory, options.sockets, options.settle, results, idle)
        with ExitStack() as stack:
            backend = start_backend(directory, stack)
            measure(
                start_all(subjects if cases else [], directory, backend, stack, results, progress),
                cases,
                results,
                rounds=options.rounds,
                seconds=options.seconds,
                warm_up=options.seconds,
                progress=progress,
                generator=WEBSOCKETS,
            )
    progress("")
    report = Report(results, subjects, cases, options.loops)
    tables = [report.ratios("through a WebSocket"), *map(report.figures, cases)]
    if IDLE in options.cases:
        tables.append(_idle_table(idle, subjects, options.loops, options.sockets))
    parts = [table.markdown() if options.markdown else table.text() for table in tables if table.rows]
    print("\n\n".join(part for part in [*parts, *report.notes("- " if options.markdown else "")] if part))
    if failed := [*results.absent.items(), *results.troubles]:
        print(f"{len(failed)} errors: see the end of the report", file=sys.stderr)
    return 1 if failed else 0


def start_backend(directory: Path, stack: ExitStack) -> int:
    """Its port."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.benchmarks.websockets.backend", "--port", str(port), "--loop", LOOP]
    child = stack.enter_context(Child(argv, log=directory / "backend.log"))
    child.until_ready(listens(port))
    return port


def _measure_idle(
    subject: Subject, directory: Path, sockets: int, settle: float, results: Results, idle: dict[str, float]
) -> None:
    """In a process of its own for every figure, as a process keeps what memory it once had."""
    with ExitStack() as stack:
        try:
            running = start(subject, directory, start_backend(directory, stack), stack)
            idle[subject.key] = idle_memory(running, sockets, settle)
        except NotPresent as error:
            results.absent[subject.key] = f"not present ({error})"
        except (LoadFailed, StartFailed, OSError) as error:
            results.troubles.append(f"{subject.key}, {sockets} idle WebSockets: {error}")


def _idle_table(idle: dict[str, float], subjects: Sequence[Subject], loops: Sequence[str], sockets: int) -> Table:
    """As with ratios, the target is for the first loop."""
    table = Table(f"Resident memory per WebSocket, {sockets:,} of them idle, KiB", ["", *loops, "target", ""])
    for name, title in {subject.name: subject.title for subject in subjects}.items():
        found = [idle.get(f"{name}@{loop}") for loop in loops]
        cells = [NONE if size is None else f"{size / KIB:.1f}" for size in found]
        target, verdict = NONE, NONE
        if name == "revproxy":
            target = f"≤ {LIMIT / KIB:.0f}"
            verdict = (
                "not measured" if found[0] is None else "met" if round(found[0] / KIB, 1) * KIB <= LIMIT else "NOT MET"
            )
        table.rows.append([title, *cells, target, verdict])
    return table


def _options() -> argparse.Namespace:
    names = [name for name, _, _ in SUBJECTS]
    case_names = [IDLE, *(case.name for case in CASES)]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.websockets",
        description="WebSockets: processor time and memory of this library, a relay of messages and a bare splice.",
    )
    parser.add_argument("--rounds", type=int, help="rounds that are measured; medians are shown (default 7)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of load per subject, case and round (default 0.5)")
    parser.add_argument("--sockets", type=int, default=5000, help="that are idle (default 5000)")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds before memory is looked at (default 1)")
    parser.add_argument("--loops", type=some_of(LOOPS), help="default uvloop,asyncio; the targets are for the first")
    parser.add_argument("--subjects", type=some_of(names), default=names, help=f"some of {','.join(names)}")
    parser.add_argument("--cases", type=some_of(case_names), default=case_names, help=f"some of {','.join(case_names)}")
    parser.add_argument("--quick", action="store_true", help="one round, on uvloop, unless said otherwise")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 7)
    options.loops = options.loops or (LOOPS[:1] if options.quick else LOOPS)
    if options.rounds < 1 or options.seconds <= 0 or options.sockets < 1:
        parser.error("--rounds, --seconds and --sockets must be above 0")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
