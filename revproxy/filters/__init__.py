"""Filters that stand around a handler."""

from .add_prefix import AddPrefix
from .allowed_hosts import AllowedHosts
from .allowed_origins import AllowedOrigins
from .geo_ip import GeoIp
from .path_rewrite import PathRewrite
from .path_template import PathTemplate
from .set_host import SetHost
from .signed import Signed
from .strip_prefix import StripPrefix

__all__ = [
    "AddPrefix",
    "AllowedHosts",
    "AllowedOrigins",
    "GeoIp",
    "PathRewrite",
    "PathTemplate",
    "SetHost",
    "Signed",
    "StripPrefix",
]
