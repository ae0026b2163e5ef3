"""What clients do not learn of the servers behind: their programs, addresses, paths and cookies' domains."""

from .cookies import Cookies
from .hide import HideUpstream
from .public_origin import PublicOrigin

__all__ = ["Cookies", "HideUpstream", "PublicOrigin"]
