"""What carries the sets of a source to its upstream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, ClassVar

from yarl import URL

from ..addresses import AddressPolicy
from ..clock import Clock, Timer
from ..endpoint import Endpoint
from ..events import Event
from .base import Discovery, DiscoveryFailed, Found

__all__ = ["EndpointsRefused", "Feed", "SourceFailed", "SourceRecovered"]

_PAUSE = 0.1
"""Seconds from one set that is put in place to the next: a balancer builds its tables anew each time."""

_BREATH = 0.01
"""Seconds from one set that is taken to the next, so that a source that always has another leaves time for the rest."""

_AGAIN = 5.0
"""Seconds from one telling of a failure to the next, if it has another reason by then."""

_SHOWN = 10
"""Refused endpoints at most that an event names."""

_TEXT = 500
"""Characters at most of what a source has said of its failure."""


@dataclass(frozen=True, slots=True)
class SourceFailed(Event):
    """``discovery`` gives no good set of endpoints any more: ``error`` says why. Told once until it does again,
    and once more whenever there is another reason.
    ``kept``: how many endpoints from before stay in use."""

    level: ClassVar[int] = logging.WARNING

    discovery: str
    error: str
    kept: int

    def __str__(self) -> str:
        return f"{self.source}: {self.discovery} failed, {self.kept} endpoints stay in use: {self.error}"


@dataclass(frozen=True, slots=True)
class SourceRecovered(Event):
    """``discovery`` gives good sets again, after ``seconds``."""

    discovery: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.source}: {self.discovery} is well again, after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class EndpointsRefused(Event):
    """``discovery`` names endpoints that an ``AddressPolicy`` refuses, and that are left out: ``count``, of which
    ``refused`` says the first ten, and why. Told again when it is others."""

    level: ClassVar[int] = logging.WARNING

    discovery: str
    count: int
    refused: tuple[str, ...]

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.refused)} more" if self.count > len(self.refused) else ""
        return f"{self.source}: refused of what {self.discovery} names: {'; '.join(self.refused)}{more}"


class Feed:
    """Hands what ``source`` finds to ``take``, checked: an upstream's other end of a ``Discovery``.

    ``take`` makes the endpoints the members, in one step, and raises what it does not like. It is not called where a
    set is the same as the one before. ``members``: how many there are.
    """

    def __init__(
        self,
        source: Discovery,
        *,
        name: str,
        policy: AddressPolicy,
        take: Callable[[tuple[Endpoint, ...]], object],
        members: Callable[[], int],
        tell: Callable[[Event], None],
        clock: Clock,
        rng: Random,
    ) -> None:
        self._source = source
        self._name = name
        self._policy = policy
        self._take = take
        self._members = members
        self._tell = tell
        self._clock = clock
        self._rng = rng
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._latest: Found = ()
        self._timer: Timer | None = None
        self._not_before = float("-inf")
        self._taken: list[tuple[str, tuple[Any, ...]]] | None = None
        """The last good set: who was in it, with what settings."""
        self._refused: list[str] = []
        self._good = 0
        self._failures = 0
        self._since: float | None = None
        """Since when it has failed (monotonic seconds), while it has."""
        self._error = "it said nothing"
        self._told = ""
        self._told_at = float("-inf")
        """Which failure was told, and when."""

    async def start(self) -> None:
        """Begin. Where there are no members, wait for the first set as the source says (``Discovery.initial``); raises
        ``DiscoveryFailed`` if there is none by then."""
        self._taken, self._failures, self._since = None, 0, None
        initial = None if self._members() else self._source.initial
        first = None if initial is None else asyncio.get_running_loop().create_future()
        self._first = first
        self._task = asyncio.create_task(self._run(), name=f"discovery of {self._name}")
        if initial is None or first is None:
            return
        timer = self._clock.call_later(initial, lambda: self._give_up(f"within {initial:g} s"))
        try:
            await first
        except BaseException:
            await self.stop()
            raise
        finally:
            timer.cancel()

    async def stop(self) -> None:
        """End, and close what the source has opened."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        task = asyncio.current_task()
        while True:
            try:
                good = await self._follow()
                if good and not self._source.reopens:
                    return
                raise DiscoveryFailed("it ended" if good else "it ended without a good set")
            except (Exception, asyncio.CancelledError) as error:
                if task is not None and task.cancelling():
                    raise  # else it is what the source waited for that was cancelled
                self._fail(error)
            if not self._source.reopens:
                self._give_up("and it cannot be asked again")
                return
            await self._clock.sleep(self._source.backoff.delay(self._failures, self._rng))

    async def _follow(self) -> bool:
        """Take sets until the source ends; whether one of them was good."""
        before = self._good
        iterator = aiter(self._source.snapshots())
        try:
            async for found in iterator:
                self._offer(found)
                await self._clock.sleep(_BREATH)
        finally:
            if self._timer is not None:  # what it said last counts, however it ended
                self._timer.cancel()
                self._apply()
            close: Callable[[], Awaitable[object]] | None = getattr(iterator, "aclose", None)
            if close is not None:
                await close()
        return self._good > before

    # Below, nothing awaits.

    def _offer(self, found: Found) -> None:
        """Put ``found`` in place: now, or when it is time, unless there is a newer one by then."""
        self._latest = found
        if self._timer is None:
            wait = self._not_before - self._clock.now()
            if wait <= 0:
                self._apply()
            else:
                self._timer = self._clock.call_later(wait, self._apply)

    def _apply(self) -> None:
        self._timer = None
        self._not_before = self._clock.now() + _PAUSE
        found, self._latest = self._latest, ()
        try:
            members = self._admitted(found)
            taken = [(each.identity, each.settings) for each in members]
            if taken != self._taken:
                self._take(members)
                self._taken = taken
        except Exception as error:  # whatever it is, it is about what came from outside
            self._fail(error)
        else:
            self._succeed()

    def _admitted(self, found: Found) -> tuple[Endpoint, ...]:
        """The endpoints of ``found`` that the policy does not refuse. Raises ``DiscoveryFailed`` where there are none,
        or too many, and ``ValueError`` or ``TypeError`` for what is no endpoint."""
        if isinstance(found, str | URL | Endpoint):
            raise TypeError(f"a set of endpoints is wanted, got {found!r}")
        limit = self._source.limit
        named = [_endpoint(each) for each in islice(found, limit + 1)]
        if len(named) > limit:
            raise DiscoveryFailed(f"there are more than {limit} endpoints")
        if not named and not self._source.allow_empty:
            raise DiscoveryFailed("there are no endpoints")
        refusals = [each.refused_by(self._policy) for each in named]
        admitted = tuple(each for each, why in zip(named, refusals, strict=True) if why is None)
        refused = [f"{each.name}: {why}" for each, why in zip(named, refusals, strict=True) if why is not None]
        if named and not admitted:
            why = "; ".join(refused[:_SHOWN])
            raise DiscoveryFailed(f"all are refused: {why} (AddressPolicy(allow=...) lets them in)")
        for each in admitted:
            each.policy = self._policy
        if refused and refused != self._refused:
            self._tell(EndpointsRefused(self._name, repr(self._source), len(refused), tuple(refused[:_SHOWN])))
        self._refused = refused
        return admitted

    def _succeed(self) -> None:
        self._good += 1
        self._failures = 0
        self._told = ""
        since, self._since = self._since, None
        if since is not None:
            self._tell(SourceRecovered(self._name, repr(self._source), self._clock.now() - since))
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self._failures += 1
        kind = "" if isinstance(error, DiscoveryFailed) else f"{type(error).__name__}: "
        self._error = f"{kind}{error}"[:_TEXT]
        now = self._clock.now()
        if self._since is None:
            self._since, self._told_at = now, float("-inf")
        if self._error != self._told and now - self._told_at >= _AGAIN:
            self._told, self._told_at = self._error, now
            self._tell(SourceFailed(self._name, repr(self._source), self._error, self._members()))

    def _give_up(self, why: str) -> None:
        """Nobody need wait for a first set any more."""
        if self._first is not None and not self._first.done():
            self._first.set_exception(
                DiscoveryFailed(f"{self._name}: {self._source!r} names no endpoints, {why}: {self._error}")
            )

    def __repr__(self) -> str:
        state = "failed" if self._since is not None else "new" if self._taken is None else "well"
        return f"<Feed {self._source!r} of {self._name} {state}>"


def _endpoint(named: object) -> Endpoint:
    if isinstance(named, Endpoint):
        return named
    if isinstance(named, str | URL):
        return Endpoint(named)
    raise TypeError(f"endpoints must be URLs or Endpoint objects, got {named!r}")
