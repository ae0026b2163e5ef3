"""Reserving what a filter will hold of a request's body."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ..exchange import Exchange
from ..handler import Component, Handler
from ..limiters.body_budget import BodyBudget
from ..message import Response

__all__ = ["ReserveBody"]


class ReserveBody(Component):
    """Reserves of ``budget`` what filters further in may hold of a request's body, until the exchange is over: its
    length, or where that is not known, or is more, ``limit``, beyond which they do not read. Where there is no room the
    client is told 503 (``BudgetSpent``), before anything of the body was read. ::

        Pipeline(ReserveBody(budget, 1 << 20), verify_signature, handler=upstream)

    For filters that call ``body.read`` themselves; one of your own can ask ``budget.read`` instead, and holds no more
    than there is. Raises ``TypeError`` or ``ValueError`` that names the parameter and its value.
    """

    def __init__(self, budget: BodyBudget, limit: int) -> None:
        if not isinstance(budget, BodyBudget):
            raise TypeError(f"budget: {budget!r} is not a BodyBudget object")
        if type(limit) is not int or not 0 < limit <= budget.total:
            raise ValueError(f"limit must be an integer of 1 to the budget's total, {budget.total}, got {limit!r}")
        self._budget = budget
        self._limit = limit

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        length = exchange.request.body.length
        size = self._limit if length is None else min(length, self._limit)
        if size:
            self._budget.hold(exchange, size)
        return handler(exchange)

    def __repr__(self) -> str:
        return f"ReserveBody({self._budget!r}, {self._limit})"
