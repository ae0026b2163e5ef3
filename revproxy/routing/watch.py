"""What comes of the exchanges down the lanes of a split that has a guard-rail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import ceil

from ..clock import Clock
from ..errors import ProxyError
from ..exchange import Exchange
from ..handler import Handler
from ..message import Response
from .guard_rail import GuardRail, LaneClosed
from .passage import Passage
from .recent import Recent
from .trial import Trial

__all__ = ["Watch"]

_WINDOW = 10
"""How many times the values that a quantile needs are kept for it."""


class Watch:
    """Has the exchanges down the stable lane and the ``canaries`` count in the trials of those that are open.

    ``close`` is called with what there is to tell of a lane that is worse, and has the watch ``follow`` weights without
    it.
    """

    def __init__(
        self,
        rail: GuardRail,
        canaries: Collection[str],
        close: Callable[[LaneClosed], None],
        *,
        source: str,
        clock: Clock,
    ) -> None:
        self._rail = rail
        self._close = close
        self._source = source
        self._clock = clock
        self._is_failure = rail.is_failure
        self._factor = rail.latency
        least = max(ceil(1 / (1 - rail.quantile) - 1e-9), rail.minimum)
        self._recent = Recent(rail.quantile, _WINDOW * least, least)
        self._trials: dict[str, Trial] = {}
        self._open: tuple[Trial, ...] = ()
        self._canaries = tuple(canaries)
        self.lanes: frozenset[str] = frozenset({rail.stable, *canaries})

    # Lanes.

    def follow(self, weights: Mapping[str, int]) -> None:
        """Have a trial of every canary that is open while there is a stable lane to compare it with, and of no other: a
        new one where there was none."""
        is_open = {lane: bool(weights[lane] and weights[self._rail.stable]) for lane in self._canaries}
        for lane, trial in self._trials.items():
            trial.is_open = is_open[lane]
        self._trials = {
            lane: self._trials.get(lane) or Trial(lane, self._rail) for lane in self._canaries if is_open[lane]
        }
        self._open = tuple(self._trials.values())

    # Exchanges.

    async def __call__(self, exchange: Exchange, lane: str, handler: Handler) -> Response:
        """What ``handler`` answers, for an exchange down ``lane``, which is one of the ``lanes``."""
        now = self._clock.now
        passage = Passage(exchange, now())
        if lane == self._rail.stable:
            exchange.defer(partial(self._settle_stable, passage, self._open))
        else:
            exchange.defer(partial(self._settle, passage, self._trials.get(lane)))
        try:
            response = await handler(exchange)
        except BaseException as error:
            passage.seconds = now() - passage.started
            if isinstance(error, ProxyError):
                passage.error = error
            raise
        passage.seconds = now() - passage.started
        passage.status = response.status
        return response

    def _settle_stable(self, passage: Passage, trials: tuple[Trial, ...]) -> None:
        """An exchange down the stable lane is over; ``trials`` are those that were open as it began."""
        bad, is_answered = passage.outcome(self._is_failure)
        if self._rail.errors is None:
            bad = None
        slow = None
        if self._factor is not None:
            recent = self._recent
            seconds, limit = passage.seconds, recent.value
            if seconds is None:
                seconds = self._clock.now() - passage.started
            if limit is not None and (is_answered or seconds > limit):
                slow = seconds > limit
            if is_answered or slow:
                recent.add(seconds)
        for trial in trials:
            if trial.is_open and trial.count_stable(bad, slow):
                self._end(trial)

    def _settle(self, passage: Passage, trial: Trial | None) -> None:
        """An exchange down a canary's lane is over; ``trial`` is the one that was open as it began."""
        if trial is None or not trial.is_open:
            return
        bad, is_answered = passage.outcome(self._is_failure)
        if self._rail.errors is None:
            bad = None
        slow = None
        limit = self._recent.value
        if self._factor is not None and limit is not None:
            seconds = self._clock.now() - passage.started if passage.seconds is None else passage.seconds
            slow = seconds > self._slow(limit)
            if not slow and not is_answered:
                slow = None  # it failed, or was given up, before that could be known
        if trial.count(bad, slow):
            self._end(trial)

    def _slow(self, limit: float) -> float:
        """Above how many seconds an answer of a canary is slow, if one of the stable lane is above ``limit``."""
        return max(limit * (self._factor or 1.0), limit + self._rail.slack)

    def _end(self, trial: Trial) -> None:
        """``trial`` has found its lane worse."""
        stable = self._rail.stable
        if trial.errors.conclusive:
            count, bad, stable_count, stable_bad = trial.errors.seen
            event = LaneClosed(self._source, trial.lane, stable, "errors", bad, count, stable_bad, stable_count)
        else:
            count, bad, stable_count, stable_bad = trial.latency.seen
            limit = self._recent.value or 0.0
            slow = self._slow(limit)
            event = LaneClosed(
                self._source, trial.lane, stable, "latency", bad, count, stable_bad, stable_count, slow, limit
            )
        self._close(event)

    def __repr__(self) -> str:
        return f"<Watch on {list(self._open)!r}>"
