"""Sessions: requests that belong together go to the endpoint that the first of them has gone to."""

from .base import SESSION, Affinity, Gone, Session
from .cookie import CookieAffinity
from .header import HeaderAffinity
from .table import TableAffinity, set_cookie
from .token import TokensRefused

__all__ = [
    "SESSION",
    "Affinity",
    "CookieAffinity",
    "Gone",
    "HeaderAffinity",
    "Session",
    "TableAffinity",
    "TokensRefused",
    "set_cookie",
]
