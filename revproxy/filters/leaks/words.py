"""Which signatures can be found in a long text, by its words alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from ...pattern_words import Words, needs_of
from ..prefilter import HasPattern, Suspects

__all__ = ["TextPrefilter"]

_TOKEN = re.compile(r"[a-z0-9_]{3,}")
_PIECES = re.compile(r"[a-z0-9_]+")
_THREE = 3
_MOST, _LONGEST = 16384, 32
"""Words of texts that are remembered, and the characters of each."""


class TextPrefilter:
    """By what must be there (``needs_of``). Of the rarest of it the longest pieces are looked up among the words that
    the text is made of: most of these have been in others before it, and what can be in them is remembered."""

    def __init__(self, signatures: Sequence[HasPattern]) -> None:
        self._always: list[int] = []
        self._short: list[_Need] = []
        self._by_piece: dict[str, list[_Need]] = {}
        for place, signature in enumerate(signatures):
            needs = [sorted(each, key=_rarity) for each in needs_of(signature.pattern)]
            if not all(needs):
                self._always.append(place)
                continue
            for *others, rarest in needs:
                need = _Need(place, [rarest, *reversed(others)])
                pieces = {_piece(word) for word in rarest}
                if "" in pieces:
                    self._short.append(need)
                else:
                    for piece in pieces:
                        self._by_piece.setdefault(piece, []).append(need)
                for piece in need.pieces:
                    self._by_piece.setdefault(piece, [])
        self._by_three: dict[str, tuple[str, ...]] = {}
        for piece in self._by_piece:
            self._by_three[piece[-_THREE:]] = (*self._by_three.get(piece[-_THREE:], ()), piece)
        self._known: dict[str, tuple[str, ...]] = {}

    def suspects(self, text: str) -> Suspects:
        """What may be found in ``text``."""
        pieces: set[str] = set()
        for token in set(_TOKEN.findall(text)):
            pieces.update(self._pieces(token))
        needs = dict.fromkeys(need for piece in pieces for need in self._by_piece[piece])
        found = {*self._always, *(need.place for need in (*self._short, *needs) if need.is_met(text, pieces))}
        return dict.fromkeys(sorted(found), (text,))

    def _pieces(self, token: str) -> Iterable[str]:
        """The pieces that are in ``token``."""
        known = self._known.get(token)
        if known is None:
            threes = {token[start : start + _THREE] for start in range(len(token) - _THREE + 1)}
            met = self._by_three.keys() & threes
            known = tuple(piece for three in met for piece in self._by_three[three] if piece in token)
            if len(token) <= _LONGEST:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[token] = known
        return known

    def __repr__(self) -> str:
        pieces = len(self._by_piece) + len(self._short)
        return f"<TextPrefilter: {pieces} pieces, {len(self._always)} signatures that need none>"


class _Need:
    """What one alternative of the signature at ``place`` needs: of ``each`` of several sets one word.

    ``pieces``: what of them is looked up.
    """

    __slots__ = ("_each", "pieces", "place")

    def __init__(self, place: int, each: Sequence[Words]) -> None:
        self.place: int = place
        self._each = [[(word, _piece(word)) for word in words] for words in each]
        self.pieces: frozenset[str] = frozenset(piece for words in self._each for _, piece in words if piece)

    def is_met(self, text: str, pieces: Set[str]) -> bool:
        """Whether all of it may be in ``text``, in which these pieces are."""
        return all(
            any((not piece or piece in pieces) and (piece == word or word in text) for word, piece in words)
            for words in self._each
        )


def _piece(word: str) -> str:
    """What of ``word`` is looked up; empty: nothing of it is long enough."""
    piece = max(_PIECES.findall(word), key=len, default="")
    return piece if len(piece) >= _THREE else ""


def _rarity(words: Words) -> tuple[int, int]:
    """The more, the longer the shortest of them is, which is likely to be the most frequent, and the fewer they are."""
    return min(map(len, words)), -len(words)
