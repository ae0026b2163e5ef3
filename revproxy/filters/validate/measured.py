"""Bodies that are bounded on their way."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["AtMost"]


class AtMost:
    """A transform that lets ``limit`` bytes through, and calls ``over`` once there are more. Whatever that raises ends
    the body; if it raises nothing, all of it goes on."""

    __slots__ = ("_left", "_over")

    def __init__(self, limit: int, over: Callable[[], None]) -> None:
        self._left: int | None = limit
        self._over = over

    def feed(self, chunk: bytes) -> bytes:
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0:
                self._left = None
                self._over()
        return chunk

    def finish(self) -> bytes:
        return b""
