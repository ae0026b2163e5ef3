"""Which signatures can be found in a text at all, and in which line.

A prefilter errs on one side only: it may name a signature that is not found, never leave out one that is. What is found
is said by the signatures themselves, so that every prefilter gives the same results.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

from ..pattern_widened import widened
from ..pattern_words import words_of

if TYPE_CHECKING:
    import hyperscan

__all__ = [
    "HasPattern",
    "HyperscanPrefilter",
    "Prefilter",
    "PrefilterName",
    "Suspects",
    "WordPrefilter",
    "by_name",
    "prefilter",
]

_log = logging.getLogger("revproxy.error")

T = TypeVar("T")
PrefilterName = Literal["auto", "hyperscan", "words"]
Suspects: TypeAlias = Mapping[int, Iterable[str]]
"""The places in a sequence of signatures of those that may be found, each with the lines to look at."""

_THREE = 3


class HasPattern(Protocol):
    """A signature, as far as a prefilter has to know it."""

    @property
    def pattern(self) -> str: ...


class Prefilter(Protocol):
    """See the module."""

    def suspects(self, text: str) -> Suspects:
        """What may be found in ``text``, of which each line is a value in one of the forms."""
        ...


class WordPrefilter:
    """By words of which one must be there; see ``words_of``. Of each word three letters are looked up first, among all
    threes of the text: most words are not there, and so need not be looked for."""

    def __init__(self, signatures: Sequence[HasPattern]) -> None:
        self._always: list[int] = []
        words: dict[str, list[int]] = {}
        for place, signature in enumerate(signatures):
            needed = words_of(signature.pattern)
            if not needed or "" in needed:
                self._always.append(place)
            for word in needed - {""}:
                words.setdefault(word, []).append(place)
        self._short = tuple((word, places) for word, places in words.items() if len(word) < _THREE)
        self._long: dict[str, list[tuple[str, list[int]]]] = {}
        for word, places in words.items():
            if len(word) >= _THREE:
                self._long.setdefault(word[-_THREE:], []).append((word, places))
        self._count = len(words)

    def suspects(self, text: str) -> Suspects:
        met: dict[int, list[str]] = {}
        for word, places in self._short:
            if word in text:
                for place in places:
                    met.setdefault(place, []).append(word)
        threes = {text[start : start + _THREE] for start in range(len(text) - _THREE + 1)}
        for three in self._long.keys() & threes:
            for word, places in self._long[three]:
                if word in text:
                    for place in places:
                        met.setdefault(place, []).append(word)
        if not met and not self._always:
            return {}
        lines = text.split("\n")
        found: dict[int, Iterable[str]] = dict.fromkeys(self._always, lines)
        for place, words in met.items():
            found[place] = dict.fromkeys(line for word in words for line in lines if word in line)
        return dict(sorted(found.items()))

    def __repr__(self) -> str:
        return f"<WordPrefilter: {self._count} words, {len(self._always)} signatures that need none>"


class HyperscanPrefilter:
    """By all patterns at once (Wang et al., "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs", 2019), in
    time linear in the text.

    Raises ``ImportError`` where it is not installed, ``RuntimeError`` where it is a version that overlooks matches.
    """

    def __init__(self, signatures: Sequence[HasPattern]) -> None:
        try:
            import hyperscan
        except ImportError as error:
            raise ImportError("this needs hyperscan: pip install 'aiohttp-revproxy[inspect]'") from error
        if not _finds(hyperscan):
            raise RuntimeError("this hyperscan overlooks matches: pip install 'aiohttp-revproxy[inspect]'")
        self._all = range(len(signatures))
        self._failed: type[Exception] = hyperscan.error
        self._database: hyperscan.Database | None = None
        if signatures:
            self._database = hyperscan.Database()
            expressions = [(each, place) for place in self._all for each in widened(signatures[place].pattern)]
            try:
                self._compile(expressions, hyperscan.HS_FLAG_SINGLEMATCH)
            except hyperscan.error:  # too large for it, unless it may find more
                self._compile(expressions, hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_PREFILTER)

    def _compile(self, expressions: Sequence[tuple[str, int]], flags: int) -> None:
        assert self._database is not None
        self._database.compile(
            expressions=[expression.encode() for expression, _ in expressions],
            ids=[place for _, place in expressions],
            elements=len(expressions),
            flags=flags,
        )

    def suspects(self, text: str) -> Suspects:
        if self._database is None:
            return {}
        found: set[int] = set()

        def note(place: int, *rest: object) -> None:
            found.add(place)

        try:
            self._database.scan(f"\n{text}\n".encode("ascii", "replace"), match_event_handler=note)
        except self._failed:  # as where another thread is using it
            found.update(self._all)
        return dict.fromkeys(sorted(found), text.split("\n")) if found else {}

    def __repr__(self) -> str:
        return f"<HyperscanPrefilter: {len(self._all)} patterns>"


def _finds(hyperscan: ModuleType) -> bool:
    """Whether the engine finds what it is known to overlook where Vectorscan 5.4.12 is in it (hyperscan 0.7.23 to
    0.9.1, on x86 with AVX-512): a pair of characters of which the first is of a class, 15 bytes or more behind the
    beginning."""
    database = hyperscan.Database()
    pattern = rb"[$#*@~]\{[^{}]{0,20}(?:new [a-z.]{3,40}\(|\.getmethod)"
    database.compile(expressions=[pattern], ids=[0], elements=1, flags=0)
    found: list[int] = []
    database.scan(b"x" * 64 + b"${new date()}", match_event_handler=lambda place, *rest: found.append(place))
    return bool(found)


def prefilter(
    name: PrefilterName,
    signatures: Sequence[HasPattern],
    words: Callable[[Sequence[HasPattern]], Prefilter] = WordPrefilter,
) -> Prefilter:
    """The prefilter of this name for ``signatures``; see ``by_name``. ``words`` makes the one without hyperscan."""
    return by_name(name, lambda: HyperscanPrefilter(signatures), lambda: words(signatures), "inspection")


def by_name(name: PrefilterName, hyperscan: Callable[[], T], words: Callable[[], T], what: str) -> T:
    """What is made by ``hyperscan`` or by ``words``; with ``"auto"`` by the former where it is installed. ``what`` is
    slower otherwise.

    Raises ``ImportError`` where hyperscan is asked for and is not there, ``RuntimeError`` where it overlooks matches,
    ``ValueError`` for another name.
    """
    if name == "words":
        return words()
    if name == "hyperscan":
        return hyperscan()
    if name != "auto":
        raise ValueError(f"prefilter must be 'auto', 'hyperscan' or 'words', got {name!r}")
    try:
        return hyperscan()
    except ImportError:
        return words()
    except RuntimeError as error:
        _log.warning("%s; %s goes on without it, slower", error, what)
        return words()
