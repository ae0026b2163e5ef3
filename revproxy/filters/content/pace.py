"""Transforms that let others have their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

from ...codings.base import PIECE
from .stages import Stages

__all__ = ["Pace"]

_FIRST, _LEAST = 4096, 2048
_SHORT, _LONG = 0.005, 0.01


class Pace:
    """Feeds ``stages`` as much at once as takes them some milliseconds, whatever they do and whatever the content is
    made to cost. What comes out does not depend on how it is cut.

    ``now``
        The time in seconds.
    """

    __slots__ = ("_at_once", "_now", "_spent", "_stages")

    def __init__(self, stages: Stages, now: Callable[[], float] = perf_counter) -> None:
        self._stages = stages
        self._now = now
        self._at_once = _FIRST
        self._spent = 0.0

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """What comes out, bit by bit; ``None`` where others should have their turn before the next."""
        start = 0
        while start < len(piece):
            if self._spent > _SHORT:
                self._spent = 0.0
                yield None
            part = piece[start : start + self._at_once]
            start += len(part)
            begun = self._now()
            edited = self._stages.feed(part)
            took = self._now() - begun
            self._spent += took
            if took > _LONG:
                self._at_once = max(_LEAST, int(len(part) * _LONG / took))
            elif took < _SHORT and len(part) == self._at_once:
                self._at_once = min(PIECE, 2 * self._at_once)
            yield edited

    def __repr__(self) -> str:
        return f"<Pace: {self._at_once} bytes at once>"
