"""A table, for people or for a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

NONE = "–"
"""A cell without a figure."""


@dataclass(slots=True)
class Table:
    """The first column is of words, the others of figures; the title stands above."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def text(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        drawn = []
        for line in lines:
            cells = [line[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
            drawn.append("  ".join(cells).rstrip())
        drawn.insert(1, "-" * max(map(len, drawn)))
        return "\n".join([self.title, *drawn])

    def markdown(self) -> str:
        rule = ["---", *("---:" for _ in self.columns[1:])]
        lines = ["| " + " | ".join(line) + " |" for line in (self.columns, rule, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines])
