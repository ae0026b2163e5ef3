"""Keys of an issuer, fetched and kept fresh."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from ...clock import SYSTEM_CLOCK, Clock
from ...discovery import Backoff
from ...errors import AuthenticationUnavailable
from ...events import Event
from ...handler import Component, Handler
from .document import document
from .jwk import check_extra
from .key_set import KeySet, SetRefused

__all__ = ["Jwks", "JwksChanged", "JwksFailed", "JwksMissing", "JwksRecovered"]

_WAITING = 64
"""Requests at most that wait for one fetch."""
_SHOWN = 8
"""Keys at most that an event names."""
_AGAIN = 60.0
"""Seconds from one telling of a failure to the next, if it has another reason by then."""


class JwksMissing(Exception):
    """There are no keys at the start. The message is for the operator's log."""


@dataclass(frozen=True, slots=True)
class JwksChanged(Event):
    """There is another set of keys, of ``count``: ``added`` and ``removed`` name up to eight of them each."""

    count: int
    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __str__(self) -> str:
        more = f", new {', '.join(self.added)}" if self.added else ""
        less = f", gone {', '.join(self.removed)}" if self.removed else ""
        return f"{self.source}: {self.count} keys{more}{less}"


@dataclass(frozen=True, slots=True)
class JwksFailed(Event):
    """No keys could be fetched: ``error`` says why. Told once until they can be, and once more where there is another
    reason. ``kept``: how many from before stay in use, for ``seconds`` more; then the answer to tokens is 503."""

    level: ClassVar[int] = logging.WARNING

    error: str
    kept: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.source}: no keys: {self.error}; {self.kept} stay in use for {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class JwksRecovered(Event):
    """Keys can be fetched again, after ``seconds``."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.source}: keys can be fetched again, after {self.seconds:.1f} s"


class Jwks(Component):
    """The keys that an issuer publishes (JSON Web Key Set, RFC 7517 section 5), for ``Jwt``. ::

        issuer = Upstream("https://login.example.com", name="login")
        Jwt(Jwks(issuer, "/.well-known/jwks.json"), algorithms=["RS256"], issuer=..., audience=...)

    ``handler``
        What is asked: an ``Upstream``, with its certificates, health and timeouts, or anything around one.
    ``path``
        What it is asked for. Redirects are not followed.
    ``interval``
        Seconds from one fetch to the next; a tenth of them is left to chance.
    ``cooldown``
        A token with a key that is not known has the keys fetched at once, and waits for them, but once in so many
        seconds at most: anybody can make up a key's name. Until then it is refused.
    ``keep``
        Seconds for which keys stay in use when none can be fetched; after that, 503 (``AuthenticationUnavailable``).
    ``timeout``
        Seconds that a fetch may take.
    ``initial``
        Seconds that the start waits for the first keys; then it fails, with ``JwksMissing``. ``None``: it does not
        wait, and tokens are answered with 503 until there are keys.
    ``backoff``
        When it is tried again after a failure.

    What is no good set leaves the one before in use: another status than 200, more than 256 KiB or 64 keys, none that
    could be used. Of a set only those keys count that are public, for signatures, and of a kind that is known; secrets
    (``oct``) never do. One object may serve several filters.

    ``JwksChanged``, ``JwksFailed`` and ``JwksRecovered`` are told. Needs the extra ``jwt``; raises ``ImportError``
    without it, and ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        handler: Handler,
        path: str = "/.well-known/jwks.json",
        *,
        name: str = "",
        interval: float = 600.0,
        cooldown: float = 30.0,
        keep: float = 3600.0,
        timeout: float = 5.0,
        initial: float | None = 10.0,
        backoff: Backoff = Backoff(),  # noqa: B008 - frozen
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        check_extra("Jwks")
        if not callable(handler):
            raise TypeError(f"handler: {handler!r} is no handler: it is not callable")
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path or "#" in path:
            raise ValueError(f"path must begin with a slash and be a target of a request, got {path!r}")
        for what, seconds in (("interval", interval), ("keep", keep), ("timeout", timeout), ("initial", initial)):
            if seconds is not None and not 0 < seconds < float("inf"):
                raise ValueError(f"{what} must be above 0 and finite, got {seconds}")
        if keep < interval:
            raise ValueError(f"keep must be at least interval, lest keys are too old between two fetches, got {keep}")
        if not 1 <= cooldown < float("inf"):
            raise ValueError(f"cooldown must be at least 1 and finite, got {cooldown}")
        self.name: str = name or f"jwks {path}"
        self._handler = handler
        self._path = path
        self._interval = interval
        self._cooldown = cooldown
        self._keep = keep
        self._timeout = timeout
        self._initial = initial
        self._backoff = backoff
        self._clock = clock
        self._rng = rng or Random()
        self._keys: KeySet | None = None
        self._good_at = 0.0
        self._early_at = float("-inf")
        self._failures = 0
        self._failed_at = 0.0
        self._error = ""
        self._told, self._told_at = "", float("-inf")
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self._wanted: asyncio.Event | None = None
        self._next: asyncio.Future[None] | None = None
        """What those wait for whose tokens are of no known key: the end of the next fetch."""
        self._now: asyncio.Future[None] | None = None
        """The same, of the fetch that is under way, if it is because of a token."""
        self._first: asyncio.Future[None] | None = None

    # For who verifies. Nothing of this awaits, but for ``fetched``.

    def check(self) -> KeySet:
        """The keys as they are now; the same object for as long as they do not change.

        Raises ``AuthenticationUnavailable`` where there are none, or they are too old."""
        keys = self._keys
        if keys is None or self._clock.now() - self._good_at > self._keep:
            why = f": {self._error}" if self._error else ""
            raise AuthenticationUnavailable(f"{self.name}: there are no keys{why}")
        return keys

    def fetch_early(self) -> bool:
        """Whether the keys are being fetched because of a token now. Once in ``cooldown``."""
        now = self._clock.now()
        if self._wanted is None:
            return False
        if now - self._early_at >= self._cooldown:
            self._early_at = now
            if self._next is None:
                self._next = asyncio.get_running_loop().create_future()
            self._wanted.set()
        return self._next is not None or self._now is not None

    async def fetched(self) -> None:
        """Return when the fetch is over that a token has asked for, however it went.

        Raises ``AuthenticationUnavailable`` where too many wait already."""
        over = self._now if self._next is None else self._next
        if over is None:
            return
        if self._waiting >= _WAITING:
            raise AuthenticationUnavailable(f"{self.name}: {_WAITING} requests wait for keys already")
        self._waiting += 1
        try:
            await asyncio.shield(over)
        finally:
            self._waiting -= 1

    # Its life.

    def parts(self) -> Iterable[object]:
        return (self._handler,)

    async def start(self) -> None:
        self._wanted = asyncio.Event()
        self._early_at = float("-inf")
        initial = self._initial
        first = self._first = None if initial is None else asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"keys of {self.name}")
        if initial is None or first is None:
            return

        def give_up() -> None:
            if not first.done():
                error = self._error or "no answer"
                first.set_exception(JwksMissing(f"{self.name}: no keys within {initial:g} s: {error}"))

        timer = self._clock.call_later(initial, give_up)
        try:
            await first
        except BaseException:
            await self.stop()
            raise
        finally:
            timer.cancel()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        self._wanted = None
        self._now, self._next = self._next, None
        self._over()
        self._keys = None  # by the next start they are old
        self._failures, self._error, self._told = 0, "", ""

    async def _run(self) -> None:
        wanted = self._wanted
        assert wanted is not None
        while True:
            # Who wishes for a fetch while one is under way is told what the next one brings: the issuer may have
            # written this one's answer before it had the key.
            wanted.clear()
            self._now, self._next = self._next, None
            try:
                await self._refresh()
            finally:
                self._over()
            if self._failures:
                delay = self._backoff.delay(self._failures, self._rng)
            else:
                delay = self._interval * (1 - self._rng.random() / 10)
            timer = self._clock.call_later(delay, wanted.set)
            try:
                await wanted.wait()
            finally:
                timer.cancel()

    def _over(self) -> None:
        """Nobody need wait any more for what was under way."""
        over, self._now = self._now, None
        if over is not None and not over.done():
            over.set_result(None)

    # Fetching.

    async def _refresh(self) -> None:
        try:
            keys = KeySet.read(await document(self._handler, self._path, timeout=self._timeout, clock=self._clock))
        except SetRefused as error:
            self._fail(str(error))
        except Exception as error:  # whatever it is, it is about what came from outside
            self._fail(f"{type(error).__name__}: {error}")
        else:
            self._take(keys)

    # Below, nothing awaits.

    def _take(self, keys: KeySet) -> None:
        before = self._keys
        self._good_at = now = self._clock.now()
        if self._failures and self._told:
            self.tell(JwksRecovered(self.name, now - self._failed_at))
        self._failures, self._error, self._told = 0, "", ""
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        if before is None or before.prints != keys.prints:
            self._keys = keys
            old = {} if before is None else before.prints
            added = [name for each, name in keys.prints.items() if each not in old]
            removed = [name for each, name in old.items() if each not in keys.prints]
            self.tell(JwksChanged(self.name, len(keys), tuple(added[:_SHOWN]), tuple(removed[:_SHOWN])))

    def _fail(self, why: str) -> None:
        now = self._clock.now()
        if not self._failures:
            self._failed_at, self._told_at = now, float("-inf")
        self._failures += 1
        self._error = why[:500]
        if self._error != self._told and now - self._told_at >= _AGAIN:
            self._told, self._told_at = self._error, now
            kept = 0 if self._keys is None else len(self._keys)
            left = max(0.0, self._keep - (now - self._good_at)) if kept else 0.0
            self.tell(JwksFailed(self.name, self._error, kept if left else 0, left))

    def __repr__(self) -> str:
        state = "no keys" if self._keys is None else f"{len(self._keys)} keys"
        return f"<Jwks {self.name} {state}{' failing' if self._failures else ''}>"
