"""A content that is read as a whole before any of it goes out."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import BudgetSpent
from ...exchange import Exchange
from ...limiters.body_budget import BodyBudget

__all__ = ["Collected"]

_STEP = 65536


class Collected:
    """Lets go of nothing before the end. ``over`` is called once there are more than ``limit`` bytes; if that raises
    nothing, all of it goes on, unread.

    ``budget``: where what is held counts until ``exchange`` is over. Where it has no room, that is an error; in
    ``shadow`` all goes on, unread.

    ``data``: the whole; ``None`` as long as it is not there, or if it was too much.
    """

    __slots__ = ("_budget", "_exchange", "_limit", "_over", "_parts", "_reserved", "_shadow", "_size", "data")

    def __init__(
        self,
        exchange: Exchange,
        limit: int,
        over: Callable[[], None],
        budget: BodyBudget | None = None,
        *,
        shadow: bool = False,
    ) -> None:
        self._exchange = exchange
        self._limit = limit
        self._over = over
        self._budget = budget
        self._shadow = shadow
        self._reserved = 0
        self._size = 0
        self._parts: list[bytes] | None = []
        self.data: bytes | None = None

    def feed(self, chunk: bytes) -> bytes:
        parts = self._parts
        if parts is None:
            return chunk
        self._size += len(chunk)
        parts.append(chunk)
        if self._size > self._limit:
            self._over()
        elif self._has_room():
            return b""
        self._parts = None
        return b"".join(parts)

    def _has_room(self) -> bool:
        if self._budget is None or self._size <= self._reserved:
            return True
        more = max(self._size - self._reserved, _STEP)
        try:
            self._budget.hold(self._exchange, more)
        except BudgetSpent:
            if not self._shadow:
                raise
            return False
        self._reserved += more
        return True

    def finish(self) -> bytes:
        if self._parts is None:
            return b""
        self.data = b"".join(self._parts)
        self._parts = None
        return self.data
