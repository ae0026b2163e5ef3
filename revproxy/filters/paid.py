"""Who has paid into which budget: a request pays once, however many filters would have it do so."""

from __future__ import annotations

from ..exchange import Key
from ..limiters.retry_budget import RetryBudget

__all__ = ["PAID"]

PAID: Key[RetryBudget] = Key("paid")
"""The budget that the exchange has paid into last."""
