"""Filters that stand around a handler."""

from .add_prefix import AddPrefix
from .allowed_hosts import AllowedHosts
from .allowed_origins import AllowedOrigins
from .chaos import Abort, Chaos, Delay, Throttle, Truncate
from .deadline import Deadline, TimeLeft
from .geo_ip import GeoIp
from .path_rewrite import PathRewrite
from .path_template import PathTemplate
from .set_host import SetHost
from .signed import Signed
from .strip_prefix import StripPrefix

__all__ = [
    "Abort",
    "AddPrefix",
    "AllowedHosts",
    "AllowedOrigins",
    "Chaos",
    "Deadline",
    "Delay",
    "GeoIp",
    "PathRewrite",
    "PathTemplate",
    "SetHost",
    "Signed",
    "StripPrefix",
    "Throttle",
    "TimeLeft",
    "Truncate",
]
