"""Results as tables, text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .cases import MIB, Case
from .measure import Results, Sample
from .subjects import Subject
from .table import NONE, Table
from .targets import COMPARISONS, Comparison, Ratio, ratio


@dataclass(frozen=True, slots=True)
class Report:
    results: Results
    subjects: Sequence[Subject]
    cases: Sequence[Case]
    loops: Sequence[str]
    machine: dict[str, str] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        parts = [table.text() for table in self._tables()]
        parts.append("\n".join(f"{name}: {value}" for name, value in self.machine.items()))
        return "\n\n".join(part for part in [*parts, *self.notes("")] if part)

    def markdown(self) -> str:
        parts = [table.markdown() for table in self._tables()]
        parts.append("### The machine\n\n" + "\n".join(f"- {name}: {value}" for name, value in self.machine.items()))
        return "\n\n".join(part for part in [*parts, *self.notes("- ")] if part)

    def json(self) -> dict[str, Any]:
        results = self.results
        measured = [
            {"subject": key, "case": case, "rounds": [asdict(sample) for sample in samples]}
            for (key, case), samples in results.samples.items()
        ]
        ratios = []
        for loop in self.loops:
            for comparison in COMPARISONS:
                found = ratio(results, comparison, loop)
                if found is not None:
                    ratios.append({**asdict(comparison), "loop": loop, **asdict(found)})
        memory = {
            key: {"idle": asdict(idle), "loaded": asdict(results.loaded[key])}
            for key, idle in results.idle.items()
            if key in results.loaded
        }
        return {
            "machine": self.machine,
            "settings": self.settings,
            "ratios": ratios,
            "measured": measured,
            "memory": memory,
            "absent": results.absent,
            "troubles": results.troubles,
        }

    def _tables(self) -> list[Table]:
        tables = [self.ratios("per request"), *map(self.figures, self.cases), self._memory()]
        return [table for table in tables if table.rows]

    def notes(self, bullet: str) -> list[str]:
        absent = [f"{bullet}{key}: {why}" for key, why in self.results.absent.items()]
        troubles = [f"{bullet}{trouble}" for trouble in self.results.troubles]
        return [
            "\n".join(["Not measured:", "", *absent]) if absent else "",
            "\n".join(["Errors under load:", "", *troubles]) if troubles else "No error under load.",
        ]

    def ratios(self, of: str) -> Table:
        """The targets are for the first loop; the others stand beside it."""
        names = {subject.name: subject.title for subject in self.subjects}
        table = Table(
            f"Processor time {of}, as ratios (in brackets: least and greatest of single rounds)",
            ["", *self.loops, "target", ""],
        )
        for comparison in COMPARISONS:
            case = next((case for case in self.cases if case.name == comparison.case), None)
            if case is None or comparison.subject not in names or comparison.against not in names:
                continue
            found = [ratio(self.results, comparison, loop) for loop in self.loops]
            table.rows.append(
                [
                    f"{case.title}: {names[comparison.subject]} ÷ {names[comparison.against]}",
                    *(f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})" if one else NONE for one in found),
                    NONE if comparison.limit is None else f"≤ {comparison.limit:.2f}",
                    _verdict(comparison, found[0]),
                ]
            )
        return table

    def figures(self, case: Case) -> Table:
        figures: list[tuple[str, Callable[[Sample], float], Callable[[float], str]]] = [
            ("CPU µs", lambda sample: sample.cpu, lambda value: f"{value:,.0f}"),
            (case.rate, lambda sample: sample.rate, lambda value: f"{value:,.0f}"),
            ("p50 ms", lambda sample: sample.p50 * 1e3, lambda value: f"{value:.1f}"),
            ("p99 ms", lambda sample: sample.p99 * 1e3, lambda value: f"{value:.1f}"),
            ("busy", lambda sample: sample.busy, lambda value: f"{value:.0%}"),
        ]
        connections = f"{case.connections} connection{'s' if case.connections > 1 else ''}"
        columns = [f"{title} {loop}" for title, _, _ in figures for loop in self.loops]
        table = Table(
            f"{case.title}, {connections}: CPU µs per {case.unit}; busy: its share of one CPU",
            ["", *columns],
        )
        known = {subject.key for subject in self.subjects}
        for name, title in {subject.name: subject.title for subject in self.subjects if subject.takes(case)}.items():
            keys = (name, *(f"{name}@{loop}" for loop in self.loops))
            troubled = any((key, case.name) in self.results.troubled for key in keys)
            absent = all(key in self.results.absent for key in keys if key in known)
            cells = [f"{title} (errors: see below)" if troubled else f"{title} (not measured)" if absent else title]
            for _, figure, show in figures:
                for column, loop in enumerate(self.loops):
                    value = self.results.middle(f"{name}@{loop}", case.name, figure)
                    if value is None and column == 0:
                        value = self.results.middle(name, case.name, figure)  # has no loop: stands in the first column
                    cells.append(NONE if value is None else show(value))
            table.rows.append(cells)
        return table

    def _memory(self) -> Table:
        table = Table("Memory of the process, MiB", ["", "before the load", "after it", "peak", "growth to the peak"])
        for subject in self.subjects:
            idle, loaded = self.results.idle.get(subject.key), self.results.loaded.get(subject.key)
            if idle is not None and loaded is not None:
                sizes = (idle.resident, loaded.resident, loaded.peak, loaded.peak - idle.resident)
                title = f"{subject.title}, {subject.loop}" if subject.loop else subject.title
                table.rows.append([title, *(f"{size / MIB:.1f}" for size in sizes)])
        return table


def _verdict(comparison: Comparison, found: Ratio | None) -> str:
    if comparison.limit is None:
        return NONE
    if found is None:
        return "not measured"
    return "met" if round(found.value, 2) <= comparison.limit else "NOT MET"  # as it is shown
