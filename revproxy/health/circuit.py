"""A circuit breaker as a machine of three states, without I/O and without a clock."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from random import Random
from typing import TypeAlias

from .outcomes import Counts, Outcomes
from .trip import Trip

__all__ = ["Call", "Change", "Circuit", "CircuitState"]


_OTHERS = 4
"""Failures of one client that are not counted in a trial for each call of others that ends well."""


class CircuitState(StrEnum):
    """Who is let in."""

    CLOSED = "closed"
    """All, as electricity through a closed circuit."""
    OPEN = "open"
    """Nobody."""
    HALF_OPEN = "half open"
    """A few, more and more, to find out whether all is well again."""


Change: TypeAlias = Callable[[CircuitState, str, float], object]
"""Is told the new state, why, and seconds: for how long it will be open, or was not closed."""


class Circuit:
    """Lets calls in while they fare well (Nygard, "Release It!", 2nd edition 2018, section 5.2). ::

        call = circuit.admit(now)       # None: open
        ...
        call.end(now, client, failed=False)

    While it is half open, calls in flight are at most one more than have ended well: the first goes alone, so that
    nothing piles up before a handler that hangs, and their number doubles with each round. The share of calls that are
    let in grows by time, as in oxy's circuit breaker, but up to all of them. A call that does not end well opens it
    again, see ``Trip.opens``.

    A call is of the state that it was let in by: in a later one its end neither counts, nor frees a place. So a place
    is neither lost nor given twice; who lets go of one without a result says ``drop``, and the place of a call that has
    not ended after ``Trip.seconds`` is given to another, though it counts when it ends.

    It does not open for one client's failures: where without the client that fares worst there are ``Trip.trials``
    calls in the window, those have to be bad enough, too. In a trial, where few calls have to do, the first failure
    counts, whoever's it is; but whose call has ended one trial does not end the next one, unless nobody else is there.

    All times are monotonic seconds.
    """

    __slots__ = (
        "_alone",
        "_away",
        "_blamed",
        "_broke",
        "_changed",
        "_credit",
        "_flying",
        "_ignored",
        "_outcomes",
        "_rng",
        "_times",
        "_trial",
        "_trip",
        "_well",
        "epoch",
        "since",
        "state",
        "until",
    )

    def __init__(self, trip: Trip, *, rng: Random, changed: Change | None = None) -> None:
        self._trip = trip
        self._rng = rng
        self._changed = changed
        self._outcomes = Outcomes(trip.window)
        self._trial = Counts()  # by what counts: what does not open it is not among them
        self._flying: dict[Call, float] = {}  # calls of the trial, the oldest first, with when they were let in
        self._credit = 0.0  # what each call adds its share to, and one that is let in takes 1 from
        self._well = 0  # calls of the trial that were neither
        self._alone = True  # whether it was one client whose calls have opened it
        self._blamed: object = None  # whose call has ended the trial before
        self._ignored = 0  # calls of that client that have failed in this one
        self._times = 0  # opened so often in a row
        self._broke = 0.0  # when it was last closed no more
        self._away = 0.0  # for how long it was not closed then
        self.state: CircuitState = CircuitState.CLOSED
        self.epoch: int = 0
        """Grows by one with each change of the state."""
        self.since: float = float("-inf")
        """When that was."""
        self.until: float = float("-inf")
        """Where it is open: when it will be half open."""

    @property
    def counts(self) -> Counts:
        """What has come of the calls in the window; where it is half open, of those of the trial."""
        return self._trial if self.state is CircuitState.HALF_OPEN else self._outcomes.all

    @property
    def in_trial(self) -> int:
        """Calls in flight that the trial waits for."""
        return len(self._flying)

    def admit(self, now: float) -> Call | None:
        """Let a call in, which has to end or be dropped; ``None``: it is refused."""
        if self.state is CircuitState.CLOSED:
            return Call(self, now)
        state = self.look(now)
        if state is CircuitState.CLOSED:
            return Call(self, now)
        if state is CircuitState.OPEN:
            return None
        self._credit = min(self._credit + self._trip.share(now - self.since), 2.0)
        if self._credit < 1 or (len(self._flying) > self._well and not self._gives_up(now)):
            return None
        self._credit -= 1
        call = Call(self, now)
        self._flying[call] = now
        return call

    def look(self, now: float) -> CircuitState:
        """The state at ``now``: time alone ends the open one, and may end the trial."""
        if self.state is CircuitState.OPEN and now >= self.until:
            self._try(now)
        elif self.state is CircuitState.HALF_OPEN:
            self._close_in_time(now)
        return self.state

    def wait(self, now: float) -> float:
        """Seconds until it is worth asking again, if a call is refused at ``now``."""
        return max(self.until - now, 0.0) if self.state is CircuitState.OPEN else 1.0

    def record(
        self, now: float, client: object, *, failed: bool, slow: bool = False, ended: float | None = None
    ) -> str | None:
        """A call of this state has ended, of one who does not ask by ``admit``; or one that had ended well, at
        ``ended``, has failed after all. Returns why it opens, if it does."""
        failed, slow = failed and self._trip.failures > 0, slow and self._trip.slow > 0
        if self.state is CircuitState.CLOSED:
            if ended is None:
                self._outcomes.add(now, client, failed=failed, slow=slow)
            elif failed:
                self._outcomes.spoil(now, client, ended)
            why = self._trip.opens(self._outcomes.all) if failed or slow else None
            if why is not None and self._is_one_clients():
                why = None
        elif self.state is CircuitState.HALF_OPEN:
            if (failed or slow) and self._may_ignore(client):
                return None
            calls = 1 if ended is None else 0
            self._trial.calls += calls
            self._trial.failed += failed
            self._trial.slow += slow
            self._well = max(self._well + calls - (failed or slow), 0)
            why = self._trip.opens(self._trial, trial=True) if failed or slow else None
        else:
            return None
        if why is not None:
            self._open(now, why, client)
        elif self.state is CircuitState.HALF_OPEN:
            self._close_in_time(now)
        return why

    def share(self, now: float) -> float:
        """The share of calls that may go on at ``now``: for those who do not ask by ``admit``."""
        state = self.look(now)
        if state is CircuitState.CLOSED:
            return 1.0
        # Below 1 to the last, for from 1 on nobody asks any more; and never 0, lest nobody begins.
        return 0.0 if state is CircuitState.OPEN else min(max(self._trip.share(now - self.since), 0.05), 0.99)

    # Of the trial.

    def _gives_up(self, now: float) -> bool:
        """Give up the oldest call of the trial if it takes too long; whether it has."""
        oldest = next(iter(self._flying))
        if now - self._flying[oldest] < self._trip.seconds:
            return False
        self._drop(oldest)
        return True

    def _drop(self, call: Call) -> None:
        if self._flying.pop(call, None) is not None:
            self._credit += 1

    def _end(self, call: Call, now: float, client: object, *, failed: bool, slow: bool) -> None:
        """A call of this state is over."""
        if self.state is CircuitState.CLOSED and not failed and not slow:
            self._outcomes.add(now, client, failed=False, slow=False)
            return
        self._flying.pop(call, None)
        self.record(now, client, failed=failed, slow=slow)

    def _spoil(self, call: Call, now: float, client: object, ended: float) -> None:
        if call.epoch == self.epoch:
            self.record(now, client, failed=True, ended=ended)

    def _may_ignore(self, client: object) -> bool:
        """Whether a call of ``client`` that has failed need not end the trial: it ended the one before, too. So many
        may be, for each call of others that has ended well, and some more before the first one has."""
        if client is None or client != self._blamed:
            return False
        self._ignored += 1
        return self._ignored <= self._trip.trials + _OTHERS * self._well

    # Changes of the state.

    def _is_one_clients(self) -> bool:
        every, others = self._outcomes.all, self._outcomes.others()
        if every.failed + every.slow - others.failed - others.slow < 2:
            return False
        return others.calls >= min(self._trip.trials, self._trip.least) and not self._trip.opens(others, trial=True)

    def _open(self, now: float, why: str, client: object) -> None:
        if self.state is CircuitState.CLOSED:
            if now - self.since > self._away:
                self._times = 0
            self._broke = now
            self._alone = not self._outcomes.others().calls
            self._blamed = None
        elif not self._alone:
            self._blamed = client
        self._times += 1
        seconds = self._trip.time(self._times) * (1 + self._rng.random() * self._trip.jitter)
        self.until = now + seconds
        self._become(CircuitState.OPEN, now, why, seconds)

    def _try(self, now: float) -> None:
        self._trial = Counts()
        self._well, self._ignored, self._credit = 0, 0, 1.0  # the first is let in at once
        self._become(CircuitState.HALF_OPEN, now, "its time is over", now - self._broke)

    def _close_in_time(self, now: float) -> None:
        if now - self.since >= self._trip.ramp and self._well >= self._trip.trials:
            self._away = now - self._broke
            self._become(CircuitState.CLOSED, now, f"{self._well} calls ended well", self._away)

    def _become(self, state: CircuitState, now: float, why: str, seconds: float) -> None:
        self.state = state
        self.epoch += 1
        self.since = now
        self._flying.clear()
        self._outcomes.clear()
        if self._changed is not None:
            self._changed(state, why, seconds)

    def __repr__(self) -> str:
        return f"<Circuit {self.state.value}: {self.counts}>"


class Call:
    """One call that was let in. ``end`` or ``drop`` it, once; what comes after that is ignored."""

    __slots__ = ("_circuit", "_client", "_ended", "_over", "epoch", "started")

    def __init__(self, circuit: Circuit, now: float) -> None:
        self._circuit = circuit
        self._over = False
        self._ended: float | None = None  # when it ended well
        self._client: object = None  # whose it was then
        self.epoch: int = circuit.epoch
        self.started: float = now
        """When it was let in."""

    def end(self, now: float, client: object, *, failed: bool, slow: bool = False) -> None:
        """It is over, and was a ``client``'s."""
        if self._over:
            return
        self._over = True
        circuit = self._circuit
        if self.epoch == circuit.epoch:
            circuit._end(self, now, client, failed=failed, slow=slow)
            if not failed:
                self._ended, self._client = now, client

    def drop(self) -> None:
        """It is over, and nobody knows how it went."""
        if not self._over:
            self._over = True
            self._circuit._drop(self)

    def spoil(self, now: float) -> None:
        """It seemed to have ended well, but has failed after all: once. Of others, nothing."""
        ended, self._ended = self._ended, None
        if ended is not None:
            self._circuit._spoil(self, now, self._client, ended)

    def __repr__(self) -> str:
        return f"<Call{', over' if self._over else ''} of {self._circuit!r}>"
