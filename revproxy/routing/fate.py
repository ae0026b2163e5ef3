"""How shadows end."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Fate"]


class Fate(StrEnum):
    """What became of a shadow."""

    ANSWERED = "answered"
    FAILED = "failed"
    """Its handler raised an error, or its body did."""
    LATE = "late"
    """It was not over within the deadline."""
    BUSY = "busy"
    """As many as may be were under way: it was not sent."""
    TOO_MUCH = "too much"
    """More of its request's body would have had to be held than the budget allows."""
    INCOMPLETE = "incomplete"
    """The client sent only a part of the request's body, or the primary did not want all of it."""
    STOPPED = "stopped"
    """The mirror was stopped."""
