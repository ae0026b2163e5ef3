"""Filters that stand around a handler."""

from .allowed_hosts import AllowedHosts
from .allowed_origins import AllowedOrigins
from .signed import Signed

__all__ = ["AllowedHosts", "AllowedOrigins", "Signed"]
