"""The command: ``python -m tests.benchmarks``. Takes about five minutes, with ``--quick`` less than one."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from .backend import start_backend
from .cases import CASES
from .children import end_on_signals
from .load import require_wrk
from .machine import facts
from .measure import Results, measure, start_all
from .report import Report
from .subjects import LOOPS, all_subjects
from .terminal import progress, some_of


def main() -> int:
    options = _options()
    require_wrk()
    end_on_signals()
    loops = options.loops
    subjects = [one for one in all_subjects(loops) if not options.subjects or one.name in options.subjects]
    cases = [case for case in CASES if not options.cases or case.name in options.cases]
    results = Results()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="revproxy-benchmark-")))
        backend, port = start_backend(directory)
        stack.enter_context(backend)
        measure(
            start_all(subjects, directory, port, stack, results, progress),
            cases,
            results,
            rounds=options.rounds,
            seconds=options.seconds,
            warm_up=min(0.5, options.seconds),
            progress=progress,
        )
    progress("")
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    report = Report(results, subjects, cases, loops, facts(), settings)
    print(report.markdown() if options.markdown else report.text())
    if options.json:
        options.json.write_text(json.dumps(report.json(), indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    names = list(dict.fromkeys(subject.name for subject in all_subjects(LOOPS)))
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Ratios of processor time: this library beside other proxies, all in one run, on this machine.",
    )
    parser.add_argument("--rounds", type=int, help="rounds that are measured; medians are shown (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of load per subject, case and round (default 1)")
    parser.add_argument("--loops", type=some_of(LOOPS), help="default uvloop,asyncio; the targets are for the first")
    parser.add_argument("--subjects", type=some_of(names), help=f"some of {','.join(names)}")
    case_names = [case.name for case in CASES]
    parser.add_argument("--cases", type=some_of(case_names), help=f"some of {','.join(case_names)}")
    parser.add_argument("--quick", action="store_true", help="one round, on uvloop, unless said otherwise")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured there")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.loops = options.loops or (LOOPS[:1] if options.quick else LOOPS)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds must be above 0")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
