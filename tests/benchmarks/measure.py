"""Rounds: every subject in turn, over and over, so that a change in the machine's mood meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .cases import Case
from .children import StartFailed
from .cpu import Memory, cpu_seconds, family, memory
from .load import WRK, Generator, LoadFailed
from .subjects import NotPresent, Running, Subject, start


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject, one case, one round."""

    round: int
    cpu: float
    """Microseconds of the processor per unit of the case, which is a request in most."""
    busy: float
    """Share of one processor that the subject had: below 1, something else was the bottleneck."""
    rate: float
    p50: float
    p99: float


@dataclass(slots=True)
class Results:
    """All that was measured, by the subject's key and the case's name."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    idle: dict[str, Memory] = field(default_factory=dict)
    loaded: dict[str, Memory] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Subjects that could not be measured at all, and why."""
    troubles: list[str] = field(default_factory=list)
    """What went wrong under load; nothing of it is left out of the report."""
    troubled: set[tuple[str, str]] = field(default_factory=set)
    """Where it did: by the subject's key and the case's name."""

    def trouble(self, key: str, case: Case, when: str, words: str) -> None:
        self.troubles.append(f"{key}, {case.title}, {when}: {words}")
        self.troubled.add((key, case.name))

    def middle(self, key: str, case: str, figure: Callable[[Sample], float]) -> float | None:
        samples = self.samples.get((key, case))
        return median(map(figure, samples)) if samples else None


def start_all(
    subjects: Sequence[Subject],
    directory: Path,
    backend: int,
    stack: ExitStack,
    results: Results,
    progress: Callable[[str], None],
) -> list[Running]:
    """Those that can be; the others are noted as absent."""
    running: list[Running] = []
    for subject in subjects:
        progress(f"starting {subject.key}")
        try:
            running.append(start(subject, directory, backend, stack))
        except NotPresent as error:
            results.absent[subject.key] = f"not present ({error})"
        except StartFailed as error:
            results.absent[subject.key] = f"failed to start ({error})"
    return running


def check_all(
    running: Sequence[Running], cases: Sequence[Case], results: Results, generator: Generator
) -> dict[str, set[str]]:
    """Which cases each subject answers right; only these are measured. Then note the memory before the load."""
    right: dict[str, set[str]] = {}
    for one in running:
        key = one.subject.key
        right[key] = set()
        for case in cases:
            if one.subject.takes(case):
                try:
                    generator.check(one.port, case)
                except LoadFailed as error:
                    results.trouble(key, case, "not measured", str(error))
                else:
                    right[key].add(case.name)
        if one.child.alive:
            results.idle[key] = memory(family(one.child.pid))
    return right


def measure(
    running: Sequence[Running],
    cases: Sequence[Case],
    results: Results,
    *,
    rounds: int,
    seconds: float,
    warm_up: float,
    progress: Callable[[str], None],
    generator: Generator = WRK,
) -> None:
    right = check_all(running, cases, results, generator)
    for number in range(rounds + 1):
        for case in cases:
            turn = number % len(running) if running else 0  # another one begins in every round
            for one in (*running[turn:], *running[:turn]):
                key = one.subject.key
                if case.name not in right[key]:
                    continue
                progress(f"round {number} of {rounds}" if number else "warming up")
                sample = _sample(one, case, number, seconds if number else warm_up, results, generator)
                if number and sample is not None:
                    results.samples.setdefault((key, case.name), []).append(sample)
                if not one.child.alive:
                    results.trouble(key, case, f"round {number}", f"it ended: {one.child.last_words()}")
                    right[key].clear()
    for one in running:
        if one.child.alive:
            results.loaded[one.subject.key] = memory(family(one.child.pid))


def _sample(
    one: Running, case: Case, number: int, seconds: float, results: Results, generator: Generator
) -> Sample | None:
    when = f"round {number}" if number else "warming up"
    pids = family(one.child.pid)
    try:
        with generator.ready(one.port, case) as put_load:
            before = cpu_seconds(pids)
            load = put_load(seconds)
            time.sleep(0.05)  # what it still has to do for the connections that were cut is its work too
            spent = cpu_seconds(pids) - before
    except (LoadFailed, OSError) as error:
        results.trouble(one.subject.key, case, when, str(error))
        return None
    if load.trouble:
        results.trouble(one.subject.key, case, when, load.trouble)
    if not load.requests:
        return None
    return Sample(
        round=number,
        cpu=spent / load.requests * 1e6,
        busy=spent / load.seconds,
        rate=load.requests / load.seconds,
        p50=load.p50,
        p99=load.p99,
    )
