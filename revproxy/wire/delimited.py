"""Where a response body ends: one reader for each way of delimiting it (RFC 9112 section 6.3)."""

from __future__ import annotations

from typing import Protocol

from .chunks import ChunkedReader
from .framing import CHUNKED, UNTIL_CLOSE, Framing

__all__ = ["BodyReader", "body_reader"]


class BodyReader(Protocol):
    """Takes what follows a response head, gives the content in it.

    ``complete``: the end was there. ``excess``: something stood behind it. ``open_ended``: the end of the connection is
    that of the body.
    """

    complete: bool
    excess: bool

    @property
    def open_ended(self) -> bool: ...

    def feed(self, data: bytes) -> bytes:
        """The content that ``data`` brings. Raises ``Truncated`` for what cannot be a body."""
        ...


class _LengthReader:
    __slots__ = ("_remaining", "complete", "excess")
    open_ended = False

    def __init__(self, length: int) -> None:
        self._remaining = length
        self.complete = self.excess = False

    def feed(self, data: bytes) -> bytes:
        self._remaining -= len(data)
        if self._remaining > 0:
            return data
        self.complete = True
        if self._remaining < 0:
            self.excess = True
            data = data[: self._remaining]
        return data


class _OpenEndedReader:
    __slots__ = ("complete", "excess")
    open_ended = True

    def __init__(self) -> None:
        self.complete = self.excess = False

    def feed(self, data: bytes) -> bytes:
        return data


def body_reader(framing: Framing, bound: int) -> BodyReader:
    """The reader of a body that ``framing`` delimits. ``bound``: of what is neither content nor needed, in bytes."""
    if framing is CHUNKED:
        return ChunkedReader(bound)
    if framing is UNTIL_CLOSE:
        return _OpenEndedReader()
    assert isinstance(framing, int), "there is a body"
    return _LengthReader(framing)
