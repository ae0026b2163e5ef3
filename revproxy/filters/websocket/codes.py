"""Status codes of Close frames (RFC 6455 section 7.4, and the registry that it began)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BAD_GATEWAY",
    "GOING_AWAY",
    "INTERNAL_ERROR",
    "INVALID_DATA",
    "POLICY_VIOLATION",
    "PROTOCOL_ERROR",
    "TOO_BIG",
    "is_close_code",
]

GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
BAD_GATEWAY: Final = 1014


def is_close_code(code: int) -> bool:
    """Whether a Close frame may have it. 1005, 1006 and 1015 stand for what was not said, and never are; 1004 and what
    nobody has registered yet means nothing."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
