"""Contents that consist of several documents, each of which is judged as soon as it is there."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["EachEvent", "EachLine"]

_Judge: TypeAlias = Callable[[bytes], None]
_END = re.compile(rb"[\r\n]")


class _Each(ABC):
    """Watches a content, and lets go of it as far as what is in it was judged.

    ``judge``: is given each document, and raises what is to end the content. ``most``: bytes at most of a line, or of
    all lines of an event; ``over`` is called for more, and if that raises nothing, all of the rest goes on.
    """

    __slots__ = ("_judge", "_most", "_over", "_passes", "_rest")

    def __init__(self, judge: _Judge, most: int, over: Callable[[], None]) -> None:
        self._judge = judge
        self._most = most
        self._over = over
        self._rest = bytearray()
        self._passes = False

    def feed(self, chunk: bytes) -> bytes:
        if self._passes:
            return chunk
        rest = self._rest
        seen = len(rest)
        rest += chunk
        whole = self._judged(rest, seen)
        if len(rest) - whole > self._most:
            self._over()
            self._passes = True
            whole = len(rest)
        gone = bytes(rest[:whole])
        del rest[:whole]
        return gone

    @abstractmethod
    def _judged(self, rest: bytearray, seen: int) -> int:
        """How many bytes of ``rest`` are whole documents, which were judged; of its first ``seen`` bytes it is known
        that they are not all of one."""

    @abstractmethod
    def finish(self) -> bytes:
        """Judge what is left, though nothing says that it is whole: somebody may take it for that."""


class EachLine(_Each):
    """Lines, as of ``application/x-ndjson``. Empty ones are none."""

    __slots__ = ()

    def _judged(self, rest: bytearray, seen: int) -> int:
        start = 0
        while (end := rest.find(b"\n", max(start, seen))) >= 0:
            self._one(rest[start:end])
            start = end + 1
        return start

    def _one(self, line: bytearray) -> None:
        if len(line) > self._most:
            self._over()
        elif said := bytes(line).strip(b" \t\r"):
            self._judge(said)

    def finish(self) -> bytes:
        if not self._passes:
            self._one(self._rest)
        return bytes(self._rest)


class EachEvent(_Each):
    """Events of ``text/event-stream`` (WHATWG HTML section 9.2.6): the ``data`` of each, its lines joined. One without
    ``data`` is none. Comments between them keep a connection alive, and wait for nothing."""

    __slots__ = ("_at", "_data", "_is_begun", "_is_first", "_skips")

    def __init__(self, judge: _Judge, most: int, over: Callable[[], None]) -> None:
        super().__init__(judge, most, over)
        self._at = 0  # where in the rest the line begins that is not whole
        self._data: list[bytes] = []
        self._is_begun = False
        self._skips = False  # a newline that belongs to the carriage return before it
        self._is_first = True

    def _judged(self, rest: bytearray, seen: int) -> int:
        whole, start = 0, self._at
        at = max(start, seen)
        while True:
            if self._skips and start < len(rest):
                self._skips = False
                if rest[start] == 0x0A:
                    whole += whole == start
                    start += 1
            at = max(at, start)
            found = _END.search(rest, at)
            if found is None:
                break
            end = found.start()
            self._skips = rest[end] == 0x0D
            if end - whole > self._most:
                self._over()
            if self._line(bytes(rest[start:end])):
                whole = end + 1
            start = end + 1
        self._at = start - whole
        return whole

    def _line(self, line: bytes) -> bool:
        """Whether what came so far may go on: an event ends with it, or none has begun."""
        if self._is_first:
            self._is_first = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            self._end()
            return True
        if not self._is_begun and line.startswith(b":"):
            return True
        self._is_begun = True
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return False

    def _end(self) -> None:
        data, self._data = b"\n".join(self._data), []
        self._is_begun = False
        if data:
            self._judge(data)

    def finish(self) -> bytes:
        if not self._passes:
            self._line(bytes(self._rest[self._at :]))
            self._end()
        return bytes(self._rest)
