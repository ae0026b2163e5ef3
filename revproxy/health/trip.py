"""When a circuit opens, for how long, and how it closes."""

from __future__ import annotations

from dataclasses import dataclass

from .outcomes import Counts

__all__ = ["Trip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """When a circuit breaker opens, and how it closes again.

    ``failures``
        The share of calls that fail, of 1, from which it opens. 0: failures do not open it.
    ``slow``, ``slow_after``
        The share of calls that take longer than ``slow_after`` seconds to answer, of 1, from which it opens. 0: slow
        calls do not. With both, either does.
    ``window``, ``least``
        Seconds that count, and the calls in them below which it does not open.
    ``seconds``, ``most``, ``jitter``
        For how many seconds it is open: twice as long each time that it opens again, up to ``most``, with up to a share
        of ``jitter`` more by chance. It begins anew once it was closed for longer than it was open.
    ``ramp``, ``trials``
        Half open, a share of the calls is let in that grows evenly, to all of them after ``ramp`` seconds. It closes
        then, if at least ``trials`` calls have ended well. A ``ramp`` of 0: after those calls.

    Raises ``ValueError`` that names the parameter and its value.
    """

    failures: float = 0.5
    slow: float = 0.0
    slow_after: float = 1.0
    window: float = 10.0
    least: int = 20
    seconds: float = 5.0
    most: float = 60.0
    jitter: float = 0.1
    ramp: float = 5.0
    trials: int = 5

    def __post_init__(self) -> None:
        for name, share in (("failures", self.failures), ("slow", self.slow), ("jitter", self.jitter)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {share}")
        if not self.failures and not self.slow:
            raise ValueError(f"failures and slow: with {self.failures} and {self.slow} it would never open")
        for name, value in (("slow_after", self.slow_after), ("window", self.window), ("seconds", self.seconds)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        if not self.seconds <= self.most < float("inf"):
            raise ValueError(f"most must be at least seconds ({self.seconds}) and finite, got {self.most}")
        if not 0 <= self.ramp < float("inf"):
            raise ValueError(f"ramp must be at least 0 and finite, got {self.ramp}")
        for name, number in (("least", self.least), ("trials", self.trials)):
            if type(number) is not int or number < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {number!r}")

    def opens(self, counts: Counts, *, trial: bool = False) -> str | None:
        """Why a circuit with ``counts`` opens; ``None``: it does not. In a trial even few calls count, but of fewer
        than ``least`` it takes half: the first one that fails, or the second of four."""
        calls = counts.calls
        floor = 0.0
        if calls < self.least:
            if not trial or not calls:
                return None
            floor = 0.5
        if self.failures and counts.failed >= max(self.failures, floor) * calls:
            return f"{counts.failed} of {calls} calls failed"
        if self.slow and counts.slow >= max(self.slow, floor) * calls:
            return f"{counts.slow} of {calls} calls took longer than {self.slow_after:.3g} s"
        return None

    def share(self, seconds: float) -> float:
        """The share of calls that is let in after ``seconds`` of a trial, of 1."""
        return 1.0 if seconds >= self.ramp else max(seconds, 0.0) / self.ramp

    def time(self, times: int) -> float:
        """Seconds that it is open for the ``times``-th time in a row, from 1; without what chance adds."""
        return min(self.seconds * 2.0 ** min(times - 1, 60), self.most)
