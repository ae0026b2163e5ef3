"""Conditions on when a request comes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time, tzinfo

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange
from .condition import When

__all__ = ["time_of_day"]


def time_of_day(
    start: time,
    end: time,
    *,
    weekdays: Collection[int] = range(7),
    zone: tzinfo = UTC,
    clock: Clock = SYSTEM_CLOCK,
) -> When:
    """It is ``start`` or later, and earlier than ``end``, in ``zone`` (``zoneinfo.ZoneInfo("Europe/Zurich")``), on one
    of ``weekdays`` (0 is Monday). ``end`` may be on the next day: from 22:00 to 06:00 is a night, which is that of the
    day on which it began.

    Clocks that are put forward or back move it with them. Raises ``ValueError`` or ``TypeError`` that names the
    parameter and its value.
    """
    moments: tuple[tuple[str, object], ...] = (("start", start), ("end", end))
    for name, value in moments:
        if not isinstance(value, time) or value.tzinfo is not None:
            raise TypeError(f"{name} must be a datetime.time without a zone, got {value!r}")
    if start == end:
        raise ValueError(f"end must not be start, got {end} for both")
    days = frozenset(weekdays)
    if not days or not days <= frozenset(range(7)):
        raise ValueError(f"weekdays must be some of 0 (Monday) to 6, got {weekdays!r}")
    kind: object = zone
    if not isinstance(kind, tzinfo):
        raise TypeError(f"zone must be a datetime.tzinfo, got {zone!r}")

    def test(exchange: Exchange) -> bool:
        now = datetime.fromtimestamp(clock.wall(), zone)
        at, day = now.time(), now.weekday()
        if start < end:
            return start <= at < end and day in days
        return (at >= start and day in days) or (at < end and (day - 1) % 7 in days)

    said = [repr(start), repr(end)]
    if len(days) < 7:
        said.append(f"weekdays={sorted(days)}")
    if zone is not UTC:
        said.append(f"zone={zone!r}")
    return When(f"when.time_of_day({', '.join(said)})", test, form=("time_of_day", (start, end, days, zone, id(clock))))
