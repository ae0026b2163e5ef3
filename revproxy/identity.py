"""Who has asked, as filters have found out."""

from __future__ import annotations

from .exchange import Key
from .facts import Principal

__all__ = ["PRINCIPAL"]

PRINCIPAL: Key[Principal] = Key("principal")
"""Who has asked. The filters of ``filters.auth`` set it, and so may a filter of your own."""
