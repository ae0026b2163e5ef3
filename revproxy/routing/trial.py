"""A canary's lane from its opening to its closing."""

from __future__ import annotations

from .evidence import Evidence
from .guard_rail import GuardRail

__all__ = ["Trial"]


class Trial:
    """What has come of the lane ``lane`` since it was opened, compared with the stable one."""

    __slots__ = ("_minimum", "counted", "counted_stable", "errors", "is_open", "lane", "latency")

    def __init__(self, lane: str, rail: GuardRail) -> None:
        # The chance of a mistake is shared by what can make one.
        significance = rail.significance / ((rail.errors is not None) + (rail.latency is not None))
        self.lane: str = lane
        self.errors: Evidence = Evidence(rail.errors or 0.0, significance)
        # What is tolerated is in what counts as slow.
        self.latency: Evidence = Evidence(0.0, significance)
        self.counted: int = 0
        self.counted_stable: int = 0
        """Outcomes, of this lane and of the stable one."""
        self.is_open: bool = True
        self._minimum = rail.minimum

    def count(self, bad: bool | None, slow: bool | None) -> bool:
        """The next outcome of the lane: whether it failed, whether it was slow; ``None``: not to be counted. Whether
        the lane is to be closed now."""
        self.counted += 1
        is_worse = bad is not None and self.errors.candidate(bad)
        if slow is not None and self.latency.candidate(slow):
            is_worse = True
        return is_worse and self.counted >= self._minimum <= self.counted_stable

    def count_stable(self, bad: bool | None, slow: bool | None) -> bool:
        """The same of the stable lane."""
        self.counted_stable += 1
        is_worse = bad is not None and self.errors.reference(bad)
        if slow is not None and self.latency.reference(slow):
            is_worse = True
        return is_worse and self.counted >= self._minimum <= self.counted_stable

    def __repr__(self) -> str:
        return f"<Trial of {self.lane} errors={self.errors!r} latency={self.latency!r}>"
