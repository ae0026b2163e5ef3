"""Server-sent events, whose data are a text each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from .errors import JsonError

__all__ = ["EventData"]

Edit: TypeAlias = Callable[[bytes], bytes | None]
"""Is given the data of an event, and returns what takes their place; ``None``: nothing does."""

_ENDS = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
_KNOWN = re.compile(rb"(?:data|event|id|retry)?+(?::|\Z)")
_OF_A_LINE = 32


class EventData:
    """A ``Transform`` of an event stream (HTML, section 9.2) that hands out the data of each event as a whole, of at
    most ``longest`` bytes. All else stays, and goes on at once where it does not stand behind data; events whose data
    nothing takes the place of keep the other fields, of which ``id`` is remembered by clients.

    ``strict``
        Lines of no known field go: the standard has clients ignore them, but some take ``Data:`` for data.

    Raises ``JsonError`` for more than ``longest`` bytes in a line, or in the lines of an event from its data on, where
    each after the first counts 32 more.
    """

    __slots__ = ("_after_cr", "_begun", "_edit", "_held", "_kept", "_lines", "_longest", "_rest", "_strict")

    def __init__(self, edit: Edit, *, strict: bool = False, longest: int = 1 << 20) -> None:
        self._edit = edit
        self._strict = strict
        self._longest = longest
        self._lines: list[tuple[bytes, bytes]] = []
        self._held = 0
        self._rest = bytearray()
        self._after_cr = False
        self._kept = True
        self._begun = False

    def feed(self, chunk: bytes) -> bytes:
        if not chunk:
            return b""
        out: list[bytes] = []
        if self._after_cr:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
                if not self._kept:
                    pass  # it goes with its line
                elif self._lines:
                    self._lines[-1] = self._lines[-1][0], b"\r\n"
                else:
                    out.append(b"\n")
        end = 0
        for found in _ENDS.finditer(chunk):
            line = piece = chunk[end : found.start()]
            end = found.end()
            if self._rest:
                line = bytes(self._rest) + piece
                self._held -= len(self._rest)
                self._rest.clear()
            self._after_cr = found[0] == b"\r" and end == len(chunk)
            self._line(line, found[0], out)
        if end < len(chunk):
            self._rest += chunk[end:]
            self._hold(len(chunk) - end)
        return b"".join(out)

    def finish(self) -> bytes:
        out: list[bytes] = []
        if self._rest:
            self._line(bytes(self._rest), b"", out)
        self._dispatch(out)
        return b"".join(out)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._longest:
            raise JsonError("size", self._held)

    def _line(self, line: bytes, end: bytes, out: list[bytes]) -> None:
        if not self._begun:
            self._begun = True
            if line.startswith(_MARK):
                out.append(_MARK)
                line = line[len(_MARK) :]
        self._kept = not (self._strict and line) or _KNOWN.match(line) is not None
        if not self._kept:
            return
        if not line:
            self._dispatch(out)
        elif self._lines or _is_data(line):
            self._hold(len(line) + (_OF_A_LINE if self._lines else 0))
            self._lines.append((line, end))
            return
        out.append(line + end)

    def _dispatch(self, out: list[bytes]) -> None:
        lines, self._lines, self._held = self._lines, [], 0
        if not lines:
            return
        data = b"\n".join([_value(line) for line, _ in lines if _is_data(line)])
        edited = self._edit(data)
        if edited == data:
            out += [line + end for line, end in lines]
            return
        first, end = lines[0]
        name = b"data: " if first.startswith(b"data: ") else b"data:"
        if edited is not None:
            parts = [name + _guarded(name, part) for part in _ENDS.split(edited)]
            out.append((end or b"\n").join(parts) + end)
        out += [line + end for line, end in lines if not _is_data(line)]

    def __repr__(self) -> str:
        return f"<EventData, {self._held} bytes held>"


def _is_data(line: bytes) -> bool:
    return line.startswith(b"data:") or line == b"data"


def _value(line: bytes) -> bytes:
    return line[6:] if line.startswith(b"data: ") else line[5:]


def _guarded(name: bytes, part: bytes) -> bytes:
    """``part``, whose first space is not to be taken for that behind the colon."""
    return b" " + part if name == b"data:" and part.startswith(b" ") else part
