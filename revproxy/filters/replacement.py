"""What a path becomes: text of the developer's, and pieces of what it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

from .rewriting import check_constant, encoded

__all__ = ["Replacement"]

_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_SEPARATORS = re.compile("[&;]")
_SEPARATES = re.compile("[&+;=]")
"""What stands for itself in a path, and separates in a query (or is a space there)."""


class Replacement:
    """A path, with or without a query, and the places in it for captures.

    ``written``
        What the developer wrote, for messages.
    ``pieces``
        Text, and numbers of captures, in order. What URLs cannot hold is percent-encoded in the text.

    ``keep_query``
        Whether the request's own query stays behind it.

    Raises ``ValueError`` for text that is refused in a target. What captures make of it is known at run time only.
    """

    def __init__(self, written: str, pieces: Iterable[str | int], *, keep_query: bool) -> None:
        self._keeps_query = keep_query
        self._path: list[str | int] = []
        self._query: list[str | int] | None = None
        into, sample = self._path, ""
        for piece in pieces:
            if isinstance(piece, int):
                sample += "x" if sample else "/x"
                into.append(piece)
                continue
            sample += piece
            text = encoded(piece)
            if self._query is None and "?" in text:
                path, _, text = text.partition("?")
                into.append(path)
                into = self._query = []
            into.append(text)
        check_constant("replacement", sample, written)
        own = sample.partition("?")[2]
        if _BAD_PERCENT.search(own) is not None:
            raise ValueError(f"replacement: bad percent-encoding in the query: {written!r}")
        self._keys = frozenset(map(_key, _SEPARATORS.split(own))) if own else frozenset()
        # A slash at the end is what the client wrote behind a capture; behind text it would be somebody else's path.
        self._ends_in_text = bool(self._path) and isinstance(self._path[-1], str) and bool(self._path[-1])

    def fill(self, captures: Sequence[str], query: str | None, *, slash: bool = False) -> str:
        """The new target. In the path ``captures`` stand as they came, in the query encoded, so that each stays one
        value. Behind it follows ``query``, the request's own (``None``: it has none), without the parameters that the
        replacement sets. ``slash``: with one at the end of the path, if a capture is there."""
        path = "".join([piece if isinstance(piece, str) else captures[piece] for piece in self._path]) or "/"
        if slash and not self._ends_in_text and not path.endswith("/"):
            path += "/"
        if not self._keeps_query:
            query = None
        if self._query is not None:
            own = "".join([piece if isinstance(piece, str) else _value(captures[piece]) for piece in self._query])
            if query:
                query = "&".join([each for each in query.split("&") if self._keys.isdisjoint(_keys(each))])
            query = f"{own}&{query}" if query else own
        return path if query is None else f"{path}?{query}"


def _keys(pair: str) -> Iterable[str]:
    """What servers may take for the name of a parameter in ``pair``: some separate by semicolons, too."""
    return map(_key, pair.split(";"))


def _key(pair: str) -> str:
    """The name, decoded; PHP takes ``id[]`` and `` id`` for ``id``."""
    return unquote_plus(pair.partition("=")[0], errors="surrogateescape").partition("[")[0].strip()


def _value(captured: str) -> str:
    return _SEPARATES.sub(lambda found: f"%{ord(found[0]):02X}", captured)
