"""Contents in which signatures are found, and others that look like them. The files say so above each: ``====
sql-error-01 !file-05`` is one in which the first is found and the second is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FILES", "Sample", "samples"]

FILES = sorted(Path(__file__).parent.glob("*.txt"))


@dataclass(frozen=True, slots=True)
class Sample:
    """A content: the ids that are found in it, and those that are not."""

    place: str
    found: tuple[str, ...]
    not_found: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.place


def samples() -> Iterator[Sample]:
    for path in FILES:
        for number, part in enumerate(path.read_text("utf-8").split("==== ")[1:], 1):
            ids, _, text = part.partition("\n")
            found = tuple(each for each in ids.split() if each[0] != "!")
            not_found = tuple(each[1:] for each in ids.split() if each[0] == "!")
            yield Sample(f"{path.stem}-{number}", found, not_found, text)
