"""A quantile of what was measured last."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

__all__ = ["Recent"]


class Recent:
    """The last ``size`` values of a stream, and the quantile ``quantile`` of them, exactly.

    ``value``
        The smallest that at least so large a part of all does not exceed; ``None`` before there were ``least``.
    """

    __slots__ = ("_least", "_order", "_quantile", "_values", "value")

    def __init__(self, quantile: float, size: int, least: int) -> None:
        self._quantile = quantile
        self._values: deque[float] = deque(maxlen=size)
        self._order: list[float] = []
        self._least = least
        self.value: float | None = None

    def add(self, value: float) -> None:
        """The next value; the oldest is forgotten if there are too many."""
        values, order = self._values, self._order
        count = len(order)
        if count == values.maxlen:
            del order[bisect_left(order, values[0])]
        else:
            count += 1
        values.append(value)
        insort(order, value)
        if count >= self._least:
            self.value = order[min(int(self._quantile * count), count - 1)]

    def __repr__(self) -> str:
        return f"<Recent {self.value} at {self._quantile:g} of {len(self._order)}>"
