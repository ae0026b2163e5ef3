"""The same number, always."""

from __future__ import annotations

from .base import Limit

__all__ = ["Fixed"]


class Fixed(Limit):
    """``limit`` requests at once. It may be set while it runs. Raises ``ValueError`` for what is no integer of at least
    1."""

    learns = False

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @property
    def limit(self) -> int:
        """How many at most."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        if type(limit) is not int or limit < 1:
            raise ValueError(f"limit must be an integer of at least 1, got {limit!r}")
        self._limit = limit

    def allowed(self, now: float) -> int:
        return self._limit

    def __repr__(self) -> str:
        return f"Fixed({self._limit})"
