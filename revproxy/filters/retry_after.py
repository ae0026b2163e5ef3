"""How long a server would have everybody wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

from multidict import CIMultiDict

__all__ = ["retry_after"]

_SECONDS = re.compile(r"[0-9]{1,9}")


def retry_after(fields: Mapping[str, str], wall: float) -> float | None:
    """What ``Retry-After`` says (RFC 9110 section 10.2.3), in seconds from ``wall``, in seconds since the epoch; at
    least 0. ``None``: there is none, or it says nothing that is understood. Of several the longest counts."""
    fields = fields if isinstance(fields, CIMultiDict) else CIMultiDict(fields)
    said = [_seconds(value.strip(" \t"), wall) for value in fields.getall("Retry-After", ())]
    return max((each for each in said if each is not None), default=None)


def _seconds(value: str, wall: float) -> float | None:
    if _SECONDS.fullmatch(value) is not None:
        return float(value)
    if len(value) > 64 or not value[:1].isalpha():
        return None
    try:
        date = parsedate_tz(value)
        # A date without a zone is in UTC (RFC 9110 section 5.6.7), not in that of this machine.
        return None if date is None else max(mktime_tz((*date[:9], date[9] or 0)) - wall, 0.0)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
