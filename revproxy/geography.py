"""Where clients are, as filters have found out."""

from __future__ import annotations

from .exchange import Key
from .facts import Place

__all__ = ["PLACE"]

PLACE: Key[Place] = Key("place")
"""Where the client is. ``filters.GeoIp`` sets it, and so may a filter of your own."""
