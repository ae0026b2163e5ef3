"""Health by asking: every endpoint is probed, whether or not it has requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from random import Random
from typing import Literal, get_args

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from .base import Await, Eject, HealthPolicy, Restore, Verdict, Verdicts
from .checkup import Checkup, Place, place_of
from .probes.base import Probe, ProbeFailed
from .probes.elsewhere import elsewhere
from .tally import Tally

__all__ = ["ActiveHealth", "First"]

First = Literal["optimistic", "wait"]
"""What an endpoint gets before a probe of it has succeeded: requests, or none."""

_TEXT = 200
"""Characters that are kept of why a probe has failed."""

_PATIENCE = 5.0
"""Seconds that a probe has to end once it is cancelled, when everything stops."""


class ActiveHealth(HealthPolicy):
    """Probes each endpoint time and again, on connections of its own, and ejects those that fail::

        health = ActiveHealth(HttpProbe("/healthz"), interval=5.0)
        Upstream("http://10.0.0.1:8080", "http://10.0.0.2:8080", health=[health])

    One object serves any number of upstreams, also of several proxies: a server is probed once, by its URL and address,
    however many of them have it, and all of them learn of it.

    ``probe``
        ``HttpProbe``, ``TcpProbe``, ``TlsProbe``, ``WebSocketProbe``, or an async function of an endpoint: what it
        raises is a failure, and so is what it returns, other than ``None`` or ``True``.
    ``interval``, ``jitter``
        Seconds from one probe of an endpoint to the next, and by what part of that, by chance, it may be more or less.
        The first one is made at once, the second one after any part of the interval: so many endpoints are not probed
        at one moment. With a jitter of 0 they are.
    ``fast_interval``
        The same while the last probe has failed or the endpoint is ejected. Default: 1 s, or the interval if that is
        less.
    ``timeout``
        Seconds that a probe may take, from resolving the name to the last byte that is read.
    ``rise``, ``fall``
        How many successes in a row take an ejected endpoint back, and how many failures in a row eject one.
    ``port``, ``scheme``
        Where else than at its own port, and by ``"http"`` or ``"https"``, an endpoint is probed. A Unix socket has
        neither. An ``AddressPolicy`` is asked for that port, too.
    ``first``
        ``"wait"``: a member gets nothing before its first success, not even in panic. ``"optimistic"``: it gets its
        share until it is known that it is down.
    ``overrules``
        A success of an endpoint that is up also ends what other policies, those that watch the requests, had ejected it
        for when that probe began.
    ``at_once``
        Probes that are under way at most. Beyond that they queue up.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    yields = False

    def __init__(
        self,
        probe: Probe,
        *,
        interval: float = 5.0,
        jitter: float = 0.2,
        timeout: float = 2.0,
        rise: int = 2,
        fall: int = 3,
        fast_interval: float | None = None,
        port: int | None = None,
        scheme: Literal["http", "https"] | None = None,
        first: First = "optimistic",
        overrules: bool = True,
        at_once: int = 64,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if not callable(probe):
            raise TypeError(f"probe: {probe!r} is not a probe: it is not callable")
        if fast_interval is None:
            fast_interval = min(1.0, interval)
        for name, seconds in (("interval", interval), ("timeout", timeout), ("fast_interval", fast_interval)):
            if not 0 < seconds < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {seconds}")
        if fast_interval > interval:
            raise ValueError(f"fast_interval must be at most the interval of {interval}, got {fast_interval}")
        if not 0 <= jitter < 1:
            raise ValueError(f"jitter must be at least 0 and below 1, got {jitter}")
        for name, count in (("rise", rise), ("fall", fall), ("at_once", at_once)):
            if type(count) is not int or count < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {count!r}")
        if port is not None and (type(port) is not int or not 0 < port < 65536):
            raise ValueError(f"port must be 1 to 65535, got {port!r}")
        if scheme not in (None, "http", "https"):
            raise ValueError(f"scheme must be 'http' or 'https', got {scheme!r}")
        if first not in get_args(First):
            raise ValueError(f"first must be one of {', '.join(map(repr, get_args(First)))}, got {first!r}")
        self._probe = probe
        self._interval = interval
        self._fast_interval = fast_interval
        self._jitter = jitter
        self._timeout = timeout
        self._rise, self._fall = rise, fall
        self._port, self._scheme = port, scheme
        self._waits = first == "wait"
        self._overrules = overrules
        self._at_once = at_once
        self._clock = clock
        self._rng = rng or Random()
        self._bound: dict[Verdicts, dict[Endpoint, Checkup]] = {}
        self._checkups: dict[Place, Checkup] = {}
        self._queue: deque[Checkup] = deque()
        self._busy: set[Checkup] = set()
        self._runs = False

    # Who is probed.

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        before = self._bound.pop(verdicts, {})
        bound = {each: before.get(each) or self._checkup(each) for each in endpoints}
        if bound:
            self._bound[verdicts] = bound
        for endpoint, checkup in before.items():
            if endpoint not in bound:
                del checkup.members[verdicts]
        joined = [(endpoint, checkup) for endpoint, checkup in bound.items() if endpoint not in before]
        for endpoint, checkup in joined:
            checkup.members[verdicts] = endpoint
        for checkup in before.values():
            if not checkup.members and self._checkups.get(checkup.place) is checkup:
                del self._checkups[checkup.place]
                checkup.drop()
        for endpoint, checkup in joined:
            if self._waits and not checkup.tally.proven:
                verdicts(Await(endpoint))
            if checkup.tally.up is False:
                verdicts(self._ejection(endpoint, checkup))

    def _checkup(self, endpoint: Endpoint) -> Checkup:
        place = place_of(endpoint)
        checkup = self._checkups.get(place)
        if checkup is None:
            checkup = self._checkups[place] = Checkup(place, Tally(self._rise, self._fall))
            self._plan(checkup)
        return checkup

    async def ready(self, endpoints: Sequence[Endpoint]) -> None:
        """Return when it is known of each of ``endpoints`` whether it is up: it has succeeded once, or failed as often
        as it takes. Those that leave are not waited for."""
        for each in endpoints:
            checkup = self._checkups.get(place_of(each))
            if checkup is not None:
                await checkup.known.wait()

    def up(self, endpoint: Endpoint) -> bool | None:
        """Whether ``endpoint`` is up; ``None``: nobody knows yet, or it is none that is probed."""
        checkup = self._checkups.get(place_of(endpoint))
        return None if checkup is None else checkup.tally.up

    def parts(self) -> Iterable[object]:
        return (self._probe,)

    async def start(self) -> None:
        self._runs = True
        for checkup in self._checkups.values():
            self._plan(checkup)

    async def stop(self) -> None:
        self._runs = False
        self._queue.clear()
        for checkup in {*self._checkups.values(), *self._busy}:
            checkup.drop()
        tasks = [each.task for each in self._busy if each.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
        # What is known now is worth nothing when it starts again.
        self._busy.clear()
        self._checkups.clear()
        for verdicts, bound in self._bound.items():
            for endpoint in bound:
                bound[endpoint] = self._checkup(endpoint)
                bound[endpoint].members[verdicts] = endpoint

    # When. Nothing below awaits but the probe itself.

    def _plan(self, checkup: Checkup) -> None:
        """Have the next probe made in time: so long after the last one began, or, if that took longer, now."""
        if not self._runs or self._checkups.get(checkup.place) is not checkup:
            return
        fresh, checkup.fresh = checkup.fresh, False
        if fresh:
            wait = self._jitter * self._fast_interval * self._rng.random()
        else:
            wait = max(checkup.begun + self._wait(checkup) - self._clock.now(), 0.0)
        checkup.timer = self._clock.call_later(wait, partial(self._due, checkup))

    def _wait(self, checkup: Checkup) -> float:
        if checkup.tally.hurries:
            wait = self._fast_interval
        elif checkup.tally.row == 1 and self._jitter:
            return self._interval * self._rng.random()
        else:
            wait = self._interval
        return wait * (1 + self._jitter * (2 * self._rng.random() - 1))

    def _due(self, checkup: Checkup) -> None:
        checkup.timer = None
        self._queue.append(checkup)
        self._fill()

    def _fill(self) -> None:
        while self._runs and self._queue and len(self._busy) < self._at_once:
            checkup = self._queue.popleft()
            if checkup.members:  # else it has left meanwhile
                self._begin(checkup)

    def _begin(self, checkup: Checkup) -> None:
        members = tuple(checkup.members.values())
        checkup.begun = self._clock.now()
        checkup.held = tuple(each for each in members if each.held)
        checkup.told = False
        self._busy.add(checkup)
        checkup.task = task = asyncio.create_task(self._ask(members[0]), name=f"probe of {checkup.place[0]}")
        task.add_done_callback(partial(self._ended, checkup))
        checkup.timer = self._clock.call_later(self._timeout, partial(self._late, checkup))

    async def _ask(self, endpoint: Endpoint) -> str | None:
        """Why the probe of ``endpoint`` has failed, if it has."""
        try:
            answer: object = await self._probe(elsewhere(endpoint, port=self._port, scheme=self._scheme))
        except ProbeFailed as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None if answer is None or answer is True else f"the probe returned {answer!r}"

    def _late(self, checkup: Checkup) -> None:
        """The probe that is under way has had its time. It is cancelled, and counts again if it goes on."""
        again, checkup.told = checkup.told, True
        checkup.timer = self._clock.call_later(self._fast_interval, partial(self._late, checkup))
        if checkup.task is not None:
            checkup.task.cancel()
        self._found(checkup, "the probe does not end" if again else f"no answer within {self._timeout:g} s")

    def _ended(self, checkup: Checkup, task: asyncio.Task[str | None]) -> None:
        why = "the probe was cancelled" if task.cancelled() else _outcome(task)
        checkup.task = None
        self._busy.discard(checkup)
        if checkup.timer is not None:
            checkup.timer.cancel()
        try:
            if not checkup.told:
                checkup.told = True
                self._found(checkup, why)
        finally:  # whatever is made of the result, there will be another one
            self._plan(checkup)
            self._fill()

    # What follows.

    def _found(self, checkup: Checkup, why: str | None) -> None:
        """A probe has failed, because of ``why``, or succeeded."""
        tally = checkup.tally
        changed = tally.note(failed=why is not None)
        if why is not None:
            checkup.why = why[:_TEXT]
        elif tally.up:
            checkup.why = ""
        if tally.up is not None:
            checkup.known.set()
        for verdicts, endpoint in list(checkup.members.items()):
            verdict = self._verdict(checkup, endpoint, changed)
            if verdict is not None and checkup.members.get(verdicts) is endpoint:
                verdicts(verdict)

    def _verdict(self, checkup: Checkup, endpoint: Endpoint, changed: bool) -> Verdict | None:
        if not checkup.tally.up:
            return self._ejection(endpoint, checkup) if changed else None
        overrules = self._overrules and not checkup.tally.failed and endpoint in checkup.held
        if not changed and not overrules:
            return None
        row = checkup.tally.row if changed else 1
        return Restore(endpoint, f"{row} probe{'s' * (row > 1)} succeeded", overrules=overrules)

    def _ejection(self, endpoint: Endpoint, checkup: Checkup) -> Eject:
        row = checkup.tally.row if checkup.tally.failed else self._fall
        return Eject(endpoint, f"{row} probe{'s' * (row > 1)} failed: {checkup.why}")

    def __str__(self) -> str:
        return f"ActiveHealth({_name(self._probe)})"

    def __repr__(self) -> str:
        states = [each.tally.up for each in self._checkups.values()]
        known = f"up={states.count(True)} down={states.count(False)} unknown={states.count(None)}"
        return f"<ActiveHealth {_name(self._probe)} {known}{'' if self._runs else ' stopped'}>"


def _outcome(task: asyncio.Task[str | None]) -> str | None:
    error = task.exception()
    return task.result() if error is None else f"{type(error).__name__}: {error}"


def _name(probe: object) -> str:
    return getattr(probe, "__qualname__", None) or repr(probe)
