"""What is looked for in a text of which there is only a part."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["Found", "Literal", "Pattern", "Searcher"]

T = TypeVar("T", str, bytes)


class Found(Generic[T]):
    """Something that was found: where it begins and ends, and what takes its place."""

    __slots__ = ("end", "start", "text")

    def __init__(self, start: int, end: int, text: Callable[[], T]) -> None:
        self.start: int = start
        self.end: int = end
        self.text: Callable[[], T] = text


class Searcher(Protocol[T]):
    """Looks for one thing."""

    @property
    def behind(self) -> int:
        """How far before where it begins that may depend on the text."""
        ...

    @property
    def by_line(self) -> bool:
        """Whether it may find something else where each line is a text of its own."""
        ...

    def find(self, text: T, place: int) -> Found[T] | None:
        """The first that begins at ``place`` or behind it."""
        ...

    def open_at(self, text: T, place: int) -> int:
        """From where on more text may change what is found, at ``place`` or behind it."""
        ...


class Literal(Generic[T]):
    """A literal text. Nothing is open but an end of the text that it may begin with."""

    __slots__ = ("_instead", "_length", "_looked_for", "by_line")

    behind: int = 0

    def __init__(self, looked_for: T, instead: T) -> None:
        self._looked_for: T = looked_for
        self._length = len(looked_for)
        self._instead: T = instead
        self.by_line: bool = looked_for.splitlines() != [looked_for]

    def find(self, text: T, place: int) -> Found[T] | None:
        start = text.find(self._looked_for, place)
        return None if start < 0 else Found(start, start + self._length, self._text)

    def _text(self) -> T:
        return self._instead

    def open_at(self, text: T, place: int) -> int:
        looked_for = self._looked_for
        first = looked_for[:1]
        end = len(text)
        start = text.find(first, max(place, end - self._length + 1))
        while start >= 0 and not looked_for.startswith(text[start:]):
            start = text.find(first, start + 1)
        return end if start < 0 else start


class Pattern(Generic[T]):
    """A regular expression that looks no further than ``reach`` from where it begins, and ``behind`` before it."""

    __slots__ = ("_instead", "_reach", "_regex", "behind")

    by_line: bool = True

    def __init__(self, regex: re.Pattern[T], instead: Callable[[re.Match[T]], T], *, reach: int, behind: int) -> None:
        self._regex: re.Pattern[T] = regex
        self._instead: Callable[[re.Match[T]], T] = instead
        self._reach = reach
        self.behind: int = max(behind, 1)  # what has gone before is no beginning

    def find(self, text: T, place: int) -> Found[T] | None:
        match = self._regex.search(text, place)
        return None if match is None else Found(match.start(), match.end(), lambda: self._text(match))

    def _text(self, match: re.Match[T]) -> T:
        instead = self._instead(match)
        kind = type(match.string)
        if not isinstance(instead, kind):
            raise TypeError(f"a replacement must be {kind.__name__}, got {instead!r} for {self._regex.pattern!r}")
        return instead

    def open_at(self, text: T, place: int) -> int:
        return max(place, len(text) - self._reach + 1)
