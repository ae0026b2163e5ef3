"""What was found in a body: values, in bounded number."""

from __future__ import annotations

from ..subject import Subject
from ..value import Part, Value

__all__ = ["MOST", "Found"]

MOST = 8192
"""Values of one body that are looked at."""


class Found:
    """The values of a body of ``subject``. A name that was met is not looked at again."""

    __slots__ = ("_names", "_subject", "values")

    def __init__(self, subject: Subject) -> None:
        self.values: list[Value] = []
        self._names: set[str] = set()
        self._subject = subject

    def name(self, path: str, name: str) -> None:
        if name not in self._names:
            self._names.add(name)
            self._add(Part.NAME, path, name)

    def value(self, path: str, text: str) -> None:
        if text:
            self._add(Part.VALUE, path, text)

    def file(self, path: str, text: str) -> None:
        self._add(Part.FILE, path, text)

    def trouble(self, kind: str, words: str) -> None:
        self._subject.trouble(kind, words)

    def _add(self, part: Part, path: str, text: str) -> None:
        if len(self.values) >= MOST:
            self.trouble("values", "more values than are looked at")
            return
        self.values.append(Value(part, path, text))
