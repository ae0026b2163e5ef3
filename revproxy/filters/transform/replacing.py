"""Replacement in a text as it comes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from ...errors import ResponseRefused
from .searchers import Found, Searcher

__all__ = ["END_OF_LINE", "END_OF_LINE_IN_BYTES", "ByLine", "Replacing"]

T = TypeVar("T", str, bytes)

_MOST = 1 << 24
END_OF_LINE = re.compile(r"[\r\n]")
END_OF_LINE_IN_BYTES = re.compile(rb"[\r\n]")


class Replacing(Generic[T]):
    """Replaces what ``searchers`` find: from the left, what begins first; of what begins at one place, what the first
    searcher finds. What was put in is not looked into. After ``finish`` a new text may begin.

    ``by_line``
        Whether it makes a difference if each line is a text of its own.

    Raises ``ResponseRefused`` where what is put in at once is out of all proportion: more than 16 Mi characters, and
    four times what came.
    """

    __slots__ = ("_before", "_behind", "_empty", "_searchers", "_text", "by_line")

    def __init__(self, searchers: Sequence[Searcher[T]], empty: T) -> None:
        self._searchers: Sequence[Searcher[T]] = searchers
        self._behind = max(each.behind for each in searchers)
        self.by_line: bool = any(each.by_line for each in searchers)
        self._empty: T = empty
        self._text: T = empty
        self._before = 0
        """So much of the text has gone out already, and is there for what looks behind."""

    def feed(self, piece: T) -> T:
        text = self._text + piece if self._text else piece
        place = self._before
        end = min([each.open_at(text, place) for each in self._searchers])
        return self._replaced(text, place, end)

    def finish(self) -> T:
        return self.ended(self._empty)

    def ended(self, piece: T) -> T:
        """The rest of a text that ends with ``piece``."""
        text = self._text + piece if self._text else piece
        if not text:
            return text
        out = self._replaced(text, self._before, len(text))
        self._text, self._before = self._empty, 0
        return out

    def _replaced(self, text: T, place: int, end: int) -> T:
        """What is certain of ``text`` from ``place`` on: nothing that begins at ``end`` or behind it."""
        out: list[T] = []
        most = max(_MOST, 4 * len(text))
        found: list[Found[T] | None] = [each.find(text, place) for each in self._searchers]
        while True:
            first = None
            for each in found:
                if each is not None and (first is None or each.start < first.start):
                    first = each
            if first is None or first.start >= end:
                break
            instead = first.text()
            most -= len(instead)
            if most < 0:
                raise ResponseRefused("what would be put in is far more than what came")
            out += (text[place : first.start], instead)
            place = first.end
            for at, each in enumerate(found):
                if each is not None and each.start < place:
                    found[at] = self._searchers[at].find(text, place)
        if place < end:
            out.append(text[place:end])
            place = end
        self._before = min(place, self._behind)
        self._text = text[place - self._before :]
        return self._empty.join(out)

    def __repr__(self) -> str:
        return f"<Replacing, {len(self._text) - self._before} held>"


class ByLine(Generic[T]):
    """A text of which each line is replaced in by itself, so that none waits for the next."""

    __slots__ = ("_line", "_replacing")

    def __init__(self, replacing: Replacing[T], line: re.Pattern[T]) -> None:
        self._replacing: Replacing[T] = replacing
        self._line: re.Pattern[T] = line

    def feed(self, piece: T) -> T:
        replacing = self._replacing
        out: list[T] = []
        begin = 0
        for found in self._line.finditer(piece):
            out += (replacing.ended(piece[begin : found.start()]), found[0])
            begin = found.end()
        out.append(replacing.feed(piece[begin:] if begin else piece))
        return piece[:0].join(out)

    def finish(self) -> T:
        return self._replacing.finish()

    def __repr__(self) -> str:
        return f"<ByLine of {self._replacing!r}>"
