"""A text whose parts are read one by one: lines of JSON, events."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from .engine import Engine
from .formats import Ends, Format
from .stream import Noted, Unit

__all__ = ["Parts", "reader"]


class Parts:
    """Each part of a text is a ``Unit`` by itself, and is handed out as soon as it has ended."""

    __slots__ = ("_carried", "_ends", "_engine", "_spelling", "_unit")

    def __init__(self, engine: Engine, format: Format, ends: Ends, noted: Noted) -> None:
        self._engine = engine
        self._spelling = format.spelling
        self._ends = ends
        self._unit = Unit(engine, format.spelling, noted, json=format.json)
        self._carried = b""
        """The end of what came, if it may be the beginning of the end of a part."""

    def feed(self, text: bytes, *, last: bool) -> bytes:
        """Take more of it, and return what is certain by now; all, if it is the ``last``."""
        pieces: list[bytes] = []
        if self._carried:
            text, self._carried = self._carried + text, b""
        elif self._unit.is_fresh and self._ends.leading:
            text, came = text.lstrip(self._ends.leading), text
            pieces.append(came[: len(came) - len(text)])
        ends = [match.span() for match in self._ends.end.finditer(text)]
        begin = 0
        if ends and not self._unit.is_fresh:
            begin = self._end(text, begin, ends.pop(0), pieces)
        if ends:
            begin = self._many(text, begin, ends, pieces)
        rest = text[begin:] if begin else text
        if not last:
            held = self._ends.unfinished.search(rest, max(0, len(rest) - 3))
            if held is not None:
                self._carried = held[0]
                rest = rest[: held.start()]
        if rest or last:
            pieces.append(self._unit.feed(rest, last=last))
        return b"".join(pieces)

    def _end(self, text: bytes, begin: int, end: tuple[int, int], pieces: list[bytes]) -> int:
        """Hand out a part that ends; where the next begins."""
        pieces.append(self._unit.feed(text[begin : end[0]], last=True))
        pieces.append(text[slice(*end)])
        return end[1]

    def _many(self, text: bytes, begin: int, ends: list[tuple[int, int]], pieces: list[bytes]) -> int:
        """Hand out whole parts, at once those next to each other in which nothing can be."""
        whole = text[begin : ends[-1][1]]
        suspects = self._engine.suspects(self._spelling.read(whole, last=True))
        starts = [0, *(end - begin for _, end in ends)]
        passed = 0
        if suspects is None:
            suspects = list(pairwise(starts))
        for first, last in suspects:
            at = max(bisect_right(starts, first) - 1, 0)
            while at < len(ends) and starts[at] < last:
                if starts[at] >= passed:
                    pieces.append(whole[passed : starts[at]])
                    passed = self._end(whole, starts[at], (ends[at][0] - begin, ends[at][1] - begin), pieces)
                at += 1
        pieces.append(whole[passed:])
        return ends[-1][1]

    def __repr__(self) -> str:
        return f"<Parts: {self._unit!r}>"


def reader(engine: Engine, format: Format, noted: Noted) -> Unit | Parts:
    """What takes the secrets out of a text of this ``format``."""
    if format.ends is None:
        return Unit(engine, format.spelling, noted, json=format.json)
    return Parts(engine, format, format.ends, noted)
