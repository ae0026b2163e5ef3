"""Transforms one behind the other, of a text that they can read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...body import Transform
from ...errors import InternalError, ResponseRefused

__all__ = ["Stages", "Text"]

_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_LOOKED_AT = 4


class Stages:
    """All of ``transforms`` as one, the first of them fed first."""

    __slots__ = ("_transforms",)

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self._transforms = transforms

    def feed(self, chunk: bytes) -> bytes:
        for transform in self._transforms:
            chunk = transform.feed(chunk)
            if type(chunk) is not bytes:
                _check(transform, "feed", chunk)
            if not chunk:
                break
        return chunk

    def finish(self) -> bytes:
        rest = b""
        for transform in self._transforms:
            fed, last = transform.feed(rest) if rest else b"", transform.finish()
            _check(transform, "feed", fed)
            _check(transform, "finish", last)
            rest = fed + last
        return rest


class Text:
    """A ``transform`` of a text: what begins like one whose characters have no ASCII among them (the byte order marks
    of UTF-16 and UTF-32, or a zero among the first four bytes) is refused, or passes it by if ``passes`` says so.

    Browsers believe such a mark more than what ``Content-Type`` says.
    """

    __slots__ = ("_begun", "_feed", "_passes", "_transform")

    def __init__(self, transform: Transform, *, passes: bool) -> None:
        self._transform = transform
        self._passes = passes
        self._begun: bytes | None = b""
        self._feed: Callable[[bytes], bytes] = transform.feed

    def feed(self, chunk: bytes) -> bytes:
        begun = self._begun
        if begun is None:
            return self._feed(chunk)
        begun += chunk
        if len(begun) < _LOOKED_AT:
            self._begun = begun
            return b""
        self._judge(begun)
        return self._feed(begun)

    def _judge(self, begun: bytes) -> None:
        self._begun = None
        if begun.startswith(_MARKS) or b"\x00" in begun[:_LOOKED_AT]:
            if not self._passes:
                raise ResponseRefused("its characters cannot be read: it begins like UTF-16 or UTF-32")
            self._feed = _same
            self._transform = _NOTHING

    def finish(self) -> bytes:
        begun = self._begun
        if not begun:
            return self._transform.finish()
        self._judge(begun)
        fed = self._feed(begun)
        _check(self, "feed", fed)
        last = self._transform.finish()
        _check(self, "finish", last)
        return fed + last


def _check(transform: Transform, method: str, given: object) -> None:
    if not isinstance(given, bytes | bytearray | memoryview):
        inner = transform._transform if isinstance(transform, Text) else transform
        what = "nothing" if given is None else type(given).__name__
        raise InternalError(f"{type(inner).__qualname__}.{method} must return bytes, and has returned {what}")


def _same(chunk: bytes) -> bytes:
    return chunk


class _Nothing:
    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> bytes:
        return b""


_NOTHING = _Nothing()
