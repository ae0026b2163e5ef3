"""Where detectors can match at all.

A prefilter errs on one side only: it may name a place where nothing is found, never leave out one where something is.
What is found is said by the detectors themselves, so that every prefilter gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..prefilter import HyperscanPrefilter, PrefilterName, by_name
from .detector import Detector
from .expression import Expression, expressions_of

if TYPE_CHECKING:
    import hyperscan

__all__ = ["HyperscanPlaces", "Places", "Starts", "WordPlaces", "places"]

Starts: TypeAlias = Sequence[tuple[int, int]] | None
"""Where matches begin, if there are any: from a place, and before another one; in ascending order, none touching the
next. ``None``: it may be anywhere."""


class Places(Protocol):
    """See the module."""

    def starts(self, text: bytes) -> Mapping[int, Starts]:
        """What may be found in ``text``, by its place among the detectors."""
        ...


class WordPlaces:
    """By words of which one must be there."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._always: dict[int, Starts] = {at: None for at, each in enumerate(detectors) if not each.needed}
        self._needed = [(at, each.needed) for at, each in enumerate(detectors) if each.needed]

    def starts(self, text: bytes) -> Mapping[int, Starts]:
        found = self._always.copy()
        lowered = text.lower()
        for at, words in self._needed:
            for word in words:
                if word in lowered:
                    found[at] = None
                    break
        return found

    def __repr__(self) -> str:
        return f"<WordPlaces: {len(self._needed)} detectors with words, {len(self._always)} without>"


class HyperscanPlaces:
    """By all patterns at once (Wang et al., "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs", 2019), in
    time linear in the text. Functions are looked for by their words.

    Raises ``ImportError`` where it is not installed, ``RuntimeError`` where it is a version that overlooks matches.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        HyperscanPrefilter(())  # says what is wrong with it
        import hyperscan

        self._expressions: list[Expression] = []
        self._detectors: list[int] = []
        others: list[int] = []
        for at, each in enumerate(detectors):
            found = expressions_of(each.pattern) if each.find is None else []
            self._expressions += found
            self._detectors += [at] * len(found)
            if not found:
                others.append(at)
        self._failed: type[Exception] = hyperscan.error
        self._all: dict[int, Starts] = dict.fromkeys(range(len(detectors)))
        self._others = others
        self._words = WordPlaces([detectors[at] for at in others])
        self._database: hyperscan.Database | None = None
        if self._expressions:
            self._database = hyperscan.Database()
            try:
                self._compile(0)
            except hyperscan.error:  # too large for it, unless it may find more
                self._compile(hyperscan.HS_FLAG_PREFILTER)

    def _compile(self, flags: int) -> None:
        assert self._database is not None
        self._database.compile(
            expressions=[expression.text for expression in self._expressions],
            ids=list(range(len(self._expressions))),
            elements=len(self._expressions),
            flags=flags,
        )

    def starts(self, text: bytes) -> Mapping[int, Starts]:
        hits: list[tuple[int, int]] = []

        def note(which: int, _: int, end: int, *rest: object) -> None:
            hits.append((which, end))

        if self._database is not None:
            try:
                self._database.scan(text, match_event_handler=note)
            except self._failed:  # as where another thread is using it
                return self._all
        if not hits and not self._others:
            return {}
        found: dict[int, Starts] = self._placed(hits)
        for at in self._words.starts(text) if self._others else ():
            found[self._others[at]] = None
        return found

    def _placed(self, hits: Sequence[tuple[int, int]]) -> dict[int, Starts]:
        spans: dict[int, list[tuple[int, int]]] = {}
        for which, end in hits:
            _, nearest, farthest = self._expressions[which]
            spans.setdefault(self._detectors[which], []).append((end - farthest, end - nearest + 1))
        return {at: _joined(each) if len(each) > 1 else each for at, each in spans.items()}

    def __repr__(self) -> str:
        return f"<HyperscanPlaces: {len(self._expressions)} expressions>"


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """``spans`` in order, those that touch each other made one."""
    spans.sort()
    joined = [spans[0]]
    for first, last in spans[1:]:
        if first > joined[-1][1]:
            joined.append((first, last))
        elif last > joined[-1][1]:
            joined[-1] = joined[-1][0], last
    return joined


def places(name: PrefilterName, detectors: Sequence[Detector]) -> Places:
    """The prefilter of this name; see ``by_name``."""

    def hyperscan() -> Places:
        return HyperscanPlaces(detectors)

    def words() -> Places:
        return WordPlaces(detectors)

    return by_name(name, hyperscan, words, "redaction")
