"""What was said between a client, the proxy and an upstream, for the reader of a row that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

__all__ = ["Transcript"]

_SHOWN = 1200
"""Bytes of what one side said in one go that are shown."""


class Transcript:
    """Who said what, in order. ``row`` and ``claim``: what is looked into."""

    def __init__(self, row: str, claim: str) -> None:
        self._row, self._claim = row, claim
        self._said: list[_Said] = []
        self.errors: Sequence[Exception] = ()
        """What the upstream finds wrong with what it gets."""

    def note(self, who: str, data: bytes) -> None:
        """``who`` (and a verb) said ``data``."""
        if not self._said or self._said[-1].who != who:
            self._said.append(_Said(who))
        last = self._said[-1]
        last.size += len(data)
        last.data += data[: _SHOWN - len(last.data)]

    def remark(self, text: str) -> None:
        """Something happened that is no bytes."""
        self._said.append(_Said(text))

    def fail(self, should: str, was: str) -> NoReturn:
        """Raises ``AssertionError``: the row does not hold."""
        lines = [f"{self._row} does not hold: {self._claim}", ""]
        for said in self._said:
            lines += said.lines()
        lines += [f"-- the upstream finds fault: {error}" for error in self.errors]
        lines += ["", f"Should be: {should}", f"Was:       {was}"]
        raise AssertionError("\n".join(lines))


class _Said:
    def __init__(self, who: str) -> None:
        self.who, self.data, self.size = who, bytearray(), 0

    def lines(self) -> list[str]:
        if not self.size:
            return [f"-- {self.who}"]
        shown = [f"    {repr(bytes(line))[2:-1]}".rstrip() for line in self.data.split(b"\r\n")]
        if self.data.endswith(b"\r\n"):
            shown.pop()
        more = self.size - len(self.data)
        return [f"-- {self.who}", *shown, *([f"    ... and {more} bytes more"] if more else [])]
