"""Response heads out of what a connection receives, without I/O."""

from __future__ import annotations

import re
from typing import TypeAlias

from ..errors import ProtocolError, ResponseHeadTooLarge
from ..headers import RESPONSE_DROPPED
from ..message import Response, response_of_lines
from .framing import Framing
from .head import read_head
from .settings import Limits

__all__ = ["HeadReader", "Received"]

Received: TypeAlias = tuple[Response, Framing, bool, bytes]
"""A response without its body, how that is delimited, whether the connection may be used again once it has ended, and
what came behind the head."""

_VALUE = r"[\t -~\x80-\xff]*+"
_SPECIAL = sorted(RESPONSE_DROPPED | {"content-length", "date"})
_INITIALS = "".join(sorted({name[0] + name[0].upper() for name in _SPECIAL}))

_PLAIN = re.compile(
    rf"""
    HTTP/1\.1[ ] (?!204|304) ( [2-5][0-9][0-9] (?:[ ]{_VALUE})?+ ) \r\n
    ( (?:
        (?! (?=[{_INITIALS}]) (?i:{"|".join(_SPECIAL)}): ) [!\#$%&'*+\-.^_`|~0-9A-Za-z]++:{_VALUE}\r\n
      | (?(3)(?!)) (?i:date)(:){_VALUE}\r\n
      | (?(4)(?!)) (?i:content-length):[ \t]*+(0|[1-9][0-9]{{0,17}})[ \t]*+\r\n
      | (?(5)(?!)) ((?i:connection:[ \t]*+keep-alive[ \t]*+)\r\n)
    )*+ )
    (?<=\n)\r\n
    """.encode("latin-1"),
    re.VERBOSE,
)
"""The response head that nearly every server sends, read and judged by one match: HTTP/1.1, a status with a body, once
at most ``Date``, ``Content-Length`` and ``Connection: keep-alive``, and nothing else that means something here. What
does not match may still be a good head: ``read_head`` knows. What matches it reads the same way.

Before 3.11.5 Python stays where a possessive group has failed (CPython issue 106052): so the empty line is looked for
behind a line end only."""


_MAX_INTERIMS = 32


class _Statuses(dict[bytes, tuple[int, str]]):
    """Status and reason phrase of status lines, without the version. What is kept is bounded in number and in size."""

    def __missing__(self, line: bytes) -> tuple[int, str]:
        read = int(line[:3]), line[4:].decode("utf-8", "surrogateescape")
        if len(self) < 256 and len(line) <= 64:
            self[line] = read
        return read


_STATUSES = _Statuses()


class HeadReader:
    """Reads the heads of one connection, one after the other, however they are split.

    ``feed`` raises ``ProtocolError`` or ``ResponseHeadTooLarge`` as soon as it is certain that no head will come of
    it. Nothing can be read after that.
    """

    __slots__ = ("_fresh", "_held", "_interims", "_max_bytes", "_max_fields", "_small", "protocol")

    def __init__(self, limits: Limits) -> None:
        self._max_bytes = limits.head_bytes
        self._max_fields = limits.head_fields
        self._small = min(limits.head_bytes, 4 * limits.head_fields)  # no field line takes less than four bytes
        self._held = b""
        self._interims = 0
        self.protocol: str = ""
        """What the last 101 switches to, lower-cased; empty if it says so by halves only."""
        self._fresh = True  # nothing is held, and the last head was a final one

    @property
    def begun(self) -> bool:
        """Whether a part of a head is there."""
        return self._held != b""

    def feed(self, data: bytes, method: str) -> Received | None:
        """Take what came, in answer to a request of ``method``; ``None``: the head has not ended yet."""
        match = _PLAIN.match(data)
        if match is not None and self._fresh and method != "HEAD":
            line, lines, dated, declared = match.group(1, 2, 3, 4)
            end = match.end()
            if declared is not None and (end <= self._small or self._within_limits(end, lines)):
                start, stop = match.span(5)
                if start >= 0:
                    lines = data[len(line) + 11 : start] + data[stop : end - 2]
                status, reason = _STATUSES[line]
                length = int(declared)
                return (
                    response_of_lines(status, reason, lines, length, dated is not None),
                    length,
                    True,
                    data[end:],
                )
        return self._feed(data, method)

    def _within_limits(self, size: int, lines: bytes) -> bool:
        return size <= self._max_bytes and lines.count(b"\n") <= self._max_fields

    def _feed(self, data: bytes, method: str) -> Received | None:
        known = max(len(self._held) - 3, 0)
        data = self._held + data
        end = data.find(b"\r\n\r\n", known) + 4
        if end > self._max_bytes or (end < 4 and len(data) > self._max_bytes):
            raise ResponseHeadTooLarge(f"a response head of over {self._max_bytes} bytes")
        if end < 4:
            # What is no head is refused now, not when its end has not come for a minute: another protocol, bare LF.
            bare = data.count(b"\n", known) != data.count(b"\r\n", max(known - 1, 0))
            if bare or not data.startswith(b"HTTP/1."[: len(data)]):
                raise ProtocolError(f"not an HTTP/1.1 response: {data[:20]!r}")
            self._held = data
            self._fresh = False
            return None
        self._held = b""
        head = read_head(data[:end], method, self._max_fields)
        self.protocol = head.protocol
        self._fresh = head.status >= 200
        self._interims = 0 if self._fresh else self._interims + 1
        if self._interims > _MAX_INTERIMS:
            raise ProtocolError(f"more than {_MAX_INTERIMS} interim responses")
        response = response_of_lines(head.status, head.reason, head.lines, head.declared, head.dated)
        return response, head.framing, head.persistent, data[end:]
