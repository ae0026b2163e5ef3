"""What those owe for whom a table has no room: a sketch, whose size does not depend on how many they are."""

from __future__ import annotations

from array import array
from typing import Final

from .limiter import LimiterKey

__all__ = ["Debts"]

_ROWS: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)
"""What a hash is multiplied by for the cell in each row (multiply-shift hashing, Dietzfelbinger and others 1997)."""
_64_BITS: Final = (1 << 64) - 1
_LEAST: Final = 1024


class Debts:
    """Until when each of many keys owes something, never too early: a count-min sketch (Cormode and Muthukrishnan
    2005) that keeps the latest time in each cell where theirs keeps a sum, and answers with the earliest of the cells
    of a key. So what is in it decays by itself: a time that has passed says nothing any more.

    A key that was never added is taken for one that owes only if each of its 4 cells was written for somebody else who
    still does: among ``n`` of those, with ``width`` cells a row, with a probability of (1 - exp(-n / width))^4; that is
    10⁻⁴ for a tenth as many as cells in a row, and 0.16 for as many. It owes the least of what those four do then. Many
    more keys than there are cells are told apart no more: they share no less than what ``width`` keys have. Cells are
    chosen by ``hash``, which Python keys anew for each process: nobody outside can aim at them, unless
    ``PYTHONHASHSEED`` is set.

    Takes 32 bytes for each cell of a row, from the first key on. ``width`` is rounded up to a power of two, of at least
    1024.
    """

    __slots__ = ("_cells", "_shift", "_until")

    def __init__(self, width: int) -> None:
        self._shift = 64 - (max(width, _LEAST) - 1).bit_length()
        self._cells: array[float] | None = None
        self._until = float("-inf")

    @property
    def width(self) -> int:
        """Cells of a row."""
        return 1 << 64 - self._shift

    def add(self, key: LimiterKey, until: float) -> None:
        """``key`` owes something until then."""
        cells = self._cells
        if cells is None:
            cells = self._cells = array("d", [float("-inf")]) * (len(_ROWS) * self.width)
        for cell in self._places(key):
            if cells[cell] < until:
                cells[cell] = until
        self._until = max(self._until, until)

    def until(self, key: LimiterKey, now: float) -> float:
        """Until when ``key`` owes something, or ``now`` if that is later."""
        if self._until <= now:
            return now
        assert self._cells is not None
        cells = self._cells
        return max(now, min([cells[cell] for cell in self._places(key)]))

    def _places(self, key: LimiterKey) -> list[int]:
        hashed, shift, width = hash(key), self._shift, self.width
        return [((hashed * odd & _64_BITS) >> shift) + row * width for row, odd in enumerate(_ROWS)]

    def __repr__(self) -> str:
        return f"<Debts {len(_ROWS)} × {self.width} cells{', none used' if self._cells is None else ''}>"
