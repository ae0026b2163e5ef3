"""When a lane is closed because what goes down it fares worse than what goes down another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..events import Event

__all__ = ["GuardRail", "LaneClosed", "LaneReopened", "is_server_error"]


def is_server_error(status: int) -> bool:
    """Whether a server says by ``status`` that it has failed (RFC 9110 section 15.6): 500 to 599."""
    return 500 <= status <= 599


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRail:
    """Closes a canary's lane of a ``Split`` when it is worse than the stable one, by more than is tolerated.

    ``stable``, ``canary``
        The lane to compare with, and the lane or lanes that are watched; ``()``: all others.
    ``errors``
        By how much the rate of failures may be above that of the stable lane: 0.01 is one in a hundred requests.
        ``None`` does not look at it.
    ``latency``
        By what factor answers may be slower than those of the stable lane, at the quantile ``quantile`` of those: with
        1.5 and 0.95, it is closed if a larger part of its answers takes 1.5 times what 95 % of the stable lane's stay
        within than of the stable lane's takes longer than that. It is the time to the answer's head. ``None`` does not
        look at it.
    ``slack``
        Seconds by which it must be slower than that quantile at least, whatever the factor: a lane that gets little
        opens connections more often.
    ``minimum``
        Outcomes of either lane before anything is decided.
    ``significance``
        The chance that a lane that is *not* worse by more than that is ever closed, errors and latency together,
        however long it runs; see ``Evidence`` for how. At each opening it is counted anew.
    ``failure``
        Which statuses are failures: a collection, or a function of the status. By default 500 to 599.

    A request has failed if it is answered with such a status or ends with an error of the upstream or of the proxy, in
    the middle of the body included. What the client did never counts: that it sent nonsense, or went away. If it went
    away, or all failed, after waiting longer than what is slow, that is a slow answer. What a policy has decided counts
    as the status that it answers with.

    An outage behind both lanes closes none: each outcome is compared with what came of the stable lane at the time.
    Three things are taken for the canary's fault that need not be. A client stays in its lane, so one that provokes
    failures, and asks more than the others, makes the lane worse; so does a lane with clients of another kind
    (``key``). And a lane that fails at once is seen to do so before one that fails by a time-out. Where that is to be
    expected, tolerate more.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    stable: str
    canary: str | Collection[str] = ()
    errors: float | None = 0.01
    latency: float | None = 1.5
    quantile: float = 0.95
    slack: float = 0.01
    minimum: int = 10
    significance: float = 0.01
    failure: Callable[[int], bool] | Collection[int] = field(default=is_server_error)

    def __post_init__(self) -> None:
        if self.errors is None and self.latency is None:
            raise ValueError("errors, latency: one of them must not be None, else nothing is watched")
        if self.errors is not None and not 0 <= self.errors < 1:
            raise ValueError(f"errors must be at least 0 and below 1, got {self.errors}")
        if self.latency is not None and not 1 <= self.latency < float("inf"):
            raise ValueError(f"latency must be a factor of at least 1, got {self.latency}")
        if not 0 < self.quantile <= 0.999:
            raise ValueError(f"quantile must be above 0 and at most 0.999, got {self.quantile}")
        if not 0 <= self.slack < float("inf"):
            raise ValueError(f"slack must be at least 0 and finite, got {self.slack}")
        if type(self.minimum) is not int or self.minimum < 1:
            raise ValueError(f"minimum must be an integer of at least 1, got {self.minimum!r}")
        if not 0 < self.significance < 1:
            raise ValueError(f"significance must be between 0 and 1, got {self.significance}")
        if not callable(self.failure):
            for status in self.failure:
                if type(status) is not int or not 100 <= status <= 599:
                    raise ValueError(f"failure: {status!r} is no status")

    @property
    def canaries(self) -> tuple[str, ...]:
        """The names of the lanes that are watched; none: all others."""
        return (self.canary,) if isinstance(self.canary, str) else tuple(self.canary)

    @property
    def is_failure(self) -> Callable[[int], bool]:
        """Whether a status is one."""
        return self.failure if callable(self.failure) else frozenset(self.failure).__contains__


@dataclass(frozen=True, slots=True)
class LaneClosed(Event):
    """A ``GuardRail`` has closed the lane ``lane``.

    ``measure``
        What it was closed for: ``"errors"`` or ``"latency"``.
    ``bad``, ``count``, ``stable_bad``, ``stable_count``
        What the decision rests on, as it was counted since the lane began to look worse: how many requests failed, or
        were slow, of how many; and the same of the stable lane.
    ``slow``, ``stable_slow``
        With ``"latency"``: above how many seconds an answer was slow.
    """

    level: ClassVar[int] = logging.WARNING

    lane: str
    stable: str
    measure: Literal["errors", "latency"]
    bad: int
    count: int
    stable_bad: int
    stable_count: int
    slow: float | None = None
    stable_slow: float | None = None

    def __str__(self) -> str:
        what = "failed" if self.slow is None else f"took over {1000 * self.slow:.3g} ms"
        than = "" if self.stable_slow is None else f" over {1000 * self.stable_slow:.3g} ms"
        return (
            f"{self.source}: lane {self.lane} is closed: {_share(self.bad, self.count)} of its requests {what}, "
            f"{_share(self.stable_bad, self.stable_count)} of those down {self.stable}{than}"
        )


@dataclass(frozen=True, slots=True)
class LaneReopened(Event):
    """The lane ``lane``, which a ``GuardRail`` had closed, has the weight ``weight`` again."""

    lane: str
    weight: int

    def __str__(self) -> str:
        return f"{self.source}: lane {self.lane} is open again, with a weight of {self.weight}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:.3g} % ({part:,} of {whole:,})"
