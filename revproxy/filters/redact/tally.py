"""What was found in one response."""

from __future__ import annotations

from collections.abc import Callable

from .detector import Detector

__all__ = ["Tally"]


class Tally:
    """Counts what was found, and has it told in one line, at the end or where somebody asks for it.

    ``tell``
        Is given what the log may know: names and numbers.
    """

    __slots__ = ("_found", "_tell", "_where")

    def __init__(self, tell: Callable[[str], None], where: str) -> None:
        self._tell = tell
        self._where = where
        self._found: dict[str, int] = {}

    def count(self, detector: Detector) -> None:
        """One more was found."""
        self._found[detector.name] = self._found.get(detector.name, 0) + 1

    def told(self) -> None:
        """Tell of what was found since this was last called, if anything was."""
        if self._found:
            found, self._found = self._found, {}
            self._tell(", ".join(f"{name} {count}" for name, count in sorted(found.items())) + f" in {self._where}")

    def __repr__(self) -> str:
        return f"<Tally of {self._where}: {self._found}>"
