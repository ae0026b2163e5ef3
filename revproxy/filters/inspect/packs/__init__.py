"""Packs of signatures, one family of attacks each."""

from ..pack import Pack
from .commands import COMMAND_INJECTION
from .lookups import LOOKUPS
from .nosql import NOSQL_INJECTION
from .protocol import PROTOCOL
from .scanners import SCANNERS
from .sql import SQL_INJECTION
from .ssrf import SSRF
from .template import TEMPLATE_INJECTION
from .traversal import TRAVERSAL
from .xss import XSS

__all__ = [
    "ALL",
    "COMMAND_INJECTION",
    "LOOKUPS",
    "NOSQL_INJECTION",
    "PROTOCOL",
    "SCANNERS",
    "SQL_INJECTION",
    "SSRF",
    "TEMPLATE_INJECTION",
    "TRAVERSAL",
    "XSS",
]

ALL: tuple[Pack, ...] = (
    SQL_INJECTION,
    NOSQL_INJECTION,
    XSS,
    TRAVERSAL,
    COMMAND_INJECTION,
    TEMPLATE_INJECTION,
    SSRF,
    LOOKUPS,
    PROTOCOL,
    SCANNERS,
)
"""Every pack that there is."""
