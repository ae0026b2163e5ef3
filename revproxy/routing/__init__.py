"""Handlers that hand on to one of several handlers, and a filter that has one more of them see the same."""

from .compared import Answer, Compare, difference
from .failover import Failover
from .fate import Fate
from .guard_rail import GuardRail, LaneClosed, LaneReopened
from .mirror import Mirror, ShadowDiffers, ShadowLost
from .split import LANE, Lane, Split

__all__ = [
    "LANE",
    "Answer",
    "Compare",
    "Failover",
    "Fate",
    "GuardRail",
    "Lane",
    "LaneClosed",
    "LaneReopened",
    "Mirror",
    "ShadowDiffers",
    "ShadowLost",
    "Split",
    "difference",
]
