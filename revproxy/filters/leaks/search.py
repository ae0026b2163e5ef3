"""The search for signatures in contents, as they come or as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ..inspect.finding import SCORES, Finding, Inspection, redacted
from ..prefilter import PrefilterName
from ..prefilter import prefilter as prefilter_of
from .form import QUOTE, START, UNQUOTE, Form
from .pack import LeakPack
from .signature import LeakSignature
from .words import TextPrefilter

__all__ = ["Search", "Watch", "checked_packs"]

_AT_ONCE = 65536


class Search:
    """Signatures up to a level of ``paranoia``, to be looked for in contents. Pure: it neither waits nor logs. ::

        traces = Search(packs.TRACES)
        if traces.whole(data, quotes=False).findings: ...

    ``without``
        Ids that are not looked for at all.
    ``enough``
        A score from which on nothing more is looked for.
    ``prefilter``
        As of ``Inspect``: what is found is the same with each.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        packs: Iterable[LeakPack],
        *,
        paranoia: int = 1,
        without: Collection[str] = frozenset(),
        prefilter: PrefilterName = "auto",
        enough: int = 64,
    ) -> None:
        packs = checked_packs(packs)
        if paranoia not in (1, 2, 3, 4):
            raise ValueError(f"paranoia must be 1 to 4, got {paranoia!r}")
        self.paranoia: int = paranoia
        self.enough: int = enough
        self.signatures: Sequence[LeakSignature] = [
            each for pack in packs for each in pack if each.paranoia <= paranoia and each.id not in without
        ]
        self._reach = max((each.width for each in self.signatures), default=1) - 1
        self._prefilter = prefilter_of(prefilter, self.signatures, TextPrefilter)

    def whole(self, data: bytes, *, quotes: bool = True, json: bool | None = None) -> Inspection:
        """What is found in ``data``. The parameters are those of ``watch``."""
        watch = self.watch(quotes=quotes, json=json)
        watch.feed(data)
        watch.finish()
        return watch.inspection

    def watch(self, *, quotes: bool = True, json: bool | None = None, left_out: Collection[str] = frozenset()) -> Watch:
        """The search in one content, as it comes.

        ``quotes``: whether it is a document that may quote what is quotable, other than an error; it makes no
        difference from the second level of paranoia on. ``json``: whether its strings are JSON's, ``None`` if that is
        to be seen. ``left_out``: the ids that are not looked for.
        """
        return Watch(self, Form(json=json), quotes and self.paranoia == 1, left_out)

    def suspects(self, text: str) -> Iterable[int]:
        """The places among ``signatures`` of those that may be found in ``text``, and maybe others."""
        return self._prefilter.suspects(text)

    @property
    def reach(self) -> int:
        """Characters that have to be kept of what was searched, as a match may begin there."""
        return self._reach

    def __len__(self) -> int:
        return len(self.signatures)

    def __repr__(self) -> str:
        return f"<Search: {len(self)} signatures, {self._prefilter!r}>"


def checked_packs(packs: Iterable[LeakPack]) -> tuple[LeakPack, ...]:
    """``packs``, of which each has another name. Raises ``ValueError`` or ``TypeError``."""
    packs = tuple(packs)
    for pack in packs:
        if not isinstance(pack, LeakPack):
            raise TypeError(f"packs: {pack!r} is not a LeakPack")
    names = [pack.name for pack in packs]
    if len(set(names)) < len(names):
        raise ValueError(f"packs: two of the same name, of {', '.join(names)}")
    return packs


class Watch:
    """The search in one content. What is found, and where the score reaches a threshold, does not depend on how it is
    split; no more of it is kept than a match may be long.

    ``score``, ``findings``
        So far, each signature once.
    """

    __slots__ = (
        *("_done", "_form", "_is_quoted", "_left_out", "_maybe", "_quotes", "_search", "_window"),
        *("findings", "score"),
    )

    def __init__(self, search: Search, form: Form, quotes: bool, left_out: Collection[str]) -> None:
        self._search = search
        self._form = form
        self._quotes = quotes
        self._left_out = left_out
        self._done: set[int] = set()
        self._maybe: dict[int, str] = {}  # found where a quotation has begun, which has yet to end
        self._window = START
        self._is_quoted = False  # at the beginning of the window
        self.score: int = 0
        self.findings: list[Finding] = []

    def feed(self, chunk: bytes) -> None:
        """Look at what comes next."""
        for start in range(0, len(chunk), _AT_ONCE):
            self._look(self._form.feed(chunk[start : start + _AT_ONCE]))

    def finish(self, *, cut: bool = False) -> None:
        """That was all. What was begun as a quotation and never ended was none, unless more of it is not looked at
        (``cut``)."""
        self._look(self._form.finish() + " ")
        for place, matched in () if cut else self._maybe.items():
            if place not in self._done:
                self._found(place, matched)
        self._maybe = {}

    def _look(self, text: str) -> None:
        search = self._search
        if not text or self.score >= search.enough:
            return
        if self._maybe and UNQUOTE in text:
            self._maybe = {}
        window = self._window + text
        for place in search.suspects(window):
            if place not in self._done:
                self._try(place, search.signatures[place], window)
        gone = len(window) - search.reach
        if gone > 0:
            self._is_quoted = self._quoted_at(window, gone)
            window = window[gone:]
        self._window = window

    def _try(self, place: int, signature: LeakSignature, window: str) -> None:
        found = signature.search(window)
        while found is not None and self._quotes and signature.quotable and self._quoted_at(window, found.start()):
            ends = window.find(UNQUOTE, found.start())
            if ends < 0:
                self._maybe.setdefault(place, found[0])
                return
            found = signature.search(window, ends + 1)
        if found is not None:
            self._found(place, found[0])

    def _found(self, place: int, matched: str) -> None:
        signature = self._search.signatures[place]
        self._done.add(place)
        if signature.id not in self._left_out:
            self.score += SCORES[signature.severity]
            self.findings.append(
                Finding(signature.id, signature.about, signature.severity, "body", "", redacted(_shown(matched)))
            )

    def _quoted_at(self, window: str, at: int) -> bool:
        opened = window.rfind(QUOTE, 0, at)
        closed = window.rfind(UNQUOTE, 0, at)
        return self._is_quoted if opened < 0 and closed < 0 else opened > closed

    @property
    def inspection(self) -> Inspection:
        """What was found so far, the gravest first."""
        return Inspection(self.score, tuple(sorted(self.findings, key=lambda each: -each.severity)))


def _shown(matched: str) -> str:
    return matched.strip(f" {START}{QUOTE}{UNQUOTE}")
