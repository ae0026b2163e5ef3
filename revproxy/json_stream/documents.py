"""Several documents in one body: a line each, or a record each."""

from __future__ import annotations

from .editor import JsonEditor
from .errors import JsonError

__all__ = ["JsonLines", "JsonSequence"]

_SPACE = b" \t\n\r"


class JsonLines:
    """A ``Transform`` of lines that are a document each (NDJSON, JSON Lines), by an ``editor``; blank ones stay. A
    document that was handed out, and that nothing took the place of, goes with its line."""

    __slots__ = ("_begun", "_editor")

    def __init__(self, editor: JsonEditor) -> None:
        self._editor = editor
        self._begun = False

    def feed(self, chunk: bytes) -> bytes:
        out: list[bytes] = []
        begin = 0
        while end := chunk.find(b"\n", begin) + 1:
            self._add(chunk[begin:end], out)
            self._end(out)
            begin = end
        self._add(chunk[begin:] if begin else chunk, out)
        return b"".join(out)

    def finish(self) -> bytes:
        out: list[bytes] = []
        self._end(out)
        return b"".join(out)

    def _add(self, piece: bytes, out: list[bytes]) -> None:
        editor = self._editor
        if not self._begun:
            begun = piece.lstrip(_SPACE)
            if len(begun) < len(piece):
                out.append(piece[: len(piece) - len(begun)])
                piece = begun
            if not piece:
                return
            self._begun = True
            editor.again()
        edited = editor.feed(piece)
        if not editor.empty:
            out.append(edited)

    def _end(self, out: list[bytes]) -> None:
        if self._begun:
            self._begun = False
            edited = self._editor.finish()
            if not self._editor.empty:
                out.append(edited)

    def __repr__(self) -> str:
        return f"<JsonLines{' in a document' if self._begun else ''}>"


class JsonSequence:
    """A ``Transform`` of a sequence of documents, with a record separator before each (RFC 7464), by an ``editor``. A
    document that was handed out, and that nothing took the place of, goes with its separator."""

    __slots__ = ("_begun", "_editor", "_held", "_separated")

    def __init__(self, editor: JsonEditor) -> None:
        self._editor = editor
        self._begun = False
        self._held = b""
        self._separated = False

    def feed(self, chunk: bytes) -> bytes:
        out: list[bytes] = []
        first, *others = chunk.split(b"\x1e")
        self._add(first, out)
        for piece in others:
            self._end(out)
            self._separated = True
            self._held = b"\x1e"
            self._add(piece, out)
        return b"".join(out)

    def finish(self) -> bytes:
        out: list[bytes] = []
        self._end(out)
        return b"".join(out)

    def _add(self, piece: bytes, out: list[bytes]) -> None:
        if not self._begun:
            piece = piece.lstrip(_SPACE)
            if not piece:
                return
            if not self._separated:
                raise JsonError("syntax", 0)
            self._begun = True
            self._editor.again()
        self._say(self._editor.feed(piece), out)

    def _say(self, edited: bytes, out: list[bytes]) -> None:
        if edited and not self._editor.empty:
            out.append(self._held + edited)
            self._held = b""

    def _end(self, out: list[bytes]) -> None:
        if self._begun:
            self._begun = False
            self._say(self._editor.finish(), out)
        self._held = b""

    def __repr__(self) -> str:
        return f"<JsonSequence{' in a document' if self._begun else ''}>"
