"""Bytes that may be held of bodies, by all that hold some."""

from __future__ import annotations

from functools import partial

from ..body import Body
from ..errors import BudgetSpent
from ..exchange import Exchange

__all__ = ["BodyBudget"]


class BodyBudget:
    """At most ``total`` bytes of bodies are held at once, by everything that is given it. Each single body has its
    limit where it is read; without this as many of them may be there as there are requests.

    Whoever holds what somebody else has read asks ``take``, and gives it back by ``give``. A filter that reads a body
    has ``read`` do both::

        data = await budget.read(exchange, exchange.request.body, 1 << 20)

    ``filters.ReserveBody`` is for filters that know nothing of it. Bodies that only pass are not held. Raises
    ``ValueError`` for a ``total`` that is no integer of at least 1.
    """

    __slots__ = ("held", "total")

    def __init__(self, total: int) -> None:
        if type(total) is not int or total < 1:
            raise ValueError(f"total must be an integer of at least 1, got {total!r}")
        self.total: int = total
        self.held: int = 0
        """Bytes that are held now."""

    def take(self, size: int) -> bool:
        """Hold ``size`` bytes more. Whether there is room for them."""
        if self.held + size > self.total:
            return False
        self.held += size
        return True

    def keep(self, size: int) -> None:
        """Hold ``size`` bytes that are there already, and stay longer than was known, whether or not there is room."""
        self.held += size

    def give(self, size: int) -> None:
        """These are not held any more."""
        self.held -= size

    def hold(self, exchange: Exchange, size: int) -> None:
        """Hold ``size`` bytes until ``exchange`` is over. Raises ``BudgetSpent`` where there is no room for them."""
        if not self.take(size):
            raise self.spent(size)
        exchange.defer(partial(self.give, size))

    async def read(self, exchange: Exchange, body: Body, limit: int) -> bytes:
        """The whole ``body``, of at most ``limit`` bytes, which are held until ``exchange`` is over. A length that is
        declared is reserved before anything is read, so that no two bodies wait for each other's room.

        Raises what ``Body.read`` does, and ``BudgetSpent``; the rest of the body is given up then.
        """
        length = body.length if body.data is None else len(body.data)
        if length is not None:
            if length <= limit:
                self._holding(exchange, body).add(length)
            return await body.read(limit)
        parts: list[bytes] = []
        holding = self._holding(exchange, body)
        async for chunk in body:
            if holding.size + len(chunk) > limit:
                body.close()
                raise body.overflow(f"a body exceeds the limit of {limit} bytes")
            holding.add(len(chunk))
            parts.append(chunk)
        return b"".join(parts)

    def _holding(self, exchange: Exchange, body: Body) -> _Holding:
        holding = _Holding(self, body)
        exchange.defer(holding.end)
        return holding

    def spent(self, size: int) -> BudgetSpent:
        """That there is no room for ``size`` bytes more."""
        return BudgetSpent(f"{size} bytes more than the {self.held} of {self.total} that are held")

    def __repr__(self) -> str:
        return f"<BodyBudget {self.held} of {self.total} bytes held>"


class _Holding:
    """What is held of one body."""

    __slots__ = ("_body", "_budget", "size")

    def __init__(self, budget: BodyBudget, body: Body) -> None:
        self._budget = budget
        self._body = body
        self.size = 0

    def add(self, size: int) -> None:
        if not self._budget.take(size):
            self._body.close()
            raise self._budget.spent(size)
        self.size += size

    def end(self) -> None:
        self._budget.give(self.size)
        self.size = 0
