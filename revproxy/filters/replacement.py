"""What a path becomes: text of the developer's, and pieces of what it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .rewriting import check_constant, encoded

__all__ = ["Replacement"]

_SEPARATES = re.compile("[&+;=]")
"""What stands for itself in a path, and separates in a query (or is a space there)."""


class Replacement:
    """A path, with or without a query, and the places in it for captures.

    ``written``
        What the developer wrote, for messages.
    ``pieces``
        Text, and numbers of captures, in order. What URLs cannot hold is percent-encoded in the text.

    Raises ``ValueError`` for text that is refused in a target. What captures make of it is known at run time only.
    """

    def __init__(self, written: str, pieces: Iterable[str | int]) -> None:
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

    def fill(self, captures: Sequence[str], query: str | None, *, slash: bool = False) -> str:
        """The new target. In the path ``captures`` stand as they came, in the query encoded, so that each stays one
        value; behind it follows ``query``, the request's own (``None``: it has none). ``slash``: with one at the end of
        the path."""
        path = "".join([piece if isinstance(piece, str) else captures[piece] for piece in self._path]) or "/"
        if slash and not path.endswith("/"):
            path += "/"
        if self._query is not None:
            own = "".join([piece if isinstance(piece, str) else _value(captures[piece]) for piece in self._query])
            query = f"{own}&{query}" if query else own
        return path if query is None else f"{path}?{query}"


def _value(captured: str) -> str:
    return _SEPARATES.sub(lambda found: f"%{ord(found[0]):02X}", captured)
