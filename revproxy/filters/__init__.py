"""Filters that stand around a handler."""

from .allowed_hosts import AllowedHosts
from .allowed_origins import AllowedOrigins
from .geo_ip import GeoIp
from .signed import Signed

__all__ = ["AllowedHosts", "AllowedOrigins", "GeoIp", "Signed"]
