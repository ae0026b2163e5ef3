"""A filter that has a shadow see the requests that its handler answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, ClassVar

from multidict import CIMultiDict

from ..balancers.keys import HashKey, hash_of
from ..clock import SYSTEM_CLOCK, Clock, Timer
from ..errors import ProxyError
from ..events import Event
from ..exchange import Exchange, Key
from ..handler import Component, Handler, name
from ..headers import encode_fields, is_token
from ..limiters.body_budget import BodyBudget
from ..logged import without_values
from ..message import Fields, Response
from .compared import Compare, Comparison
from .fate import Fate
from .held import Budget, CopiedBody
from .shadow import Shadow
from .tee import Tee

__all__ = ["Mirror", "ShadowDiffers", "ShadowLost"]

_log = logging.getLogger("revproxy.error")


@dataclass(frozen=True, slots=True)
class ShadowLost(Event):
    """A shadow was not answered, or not even sent. Told of the first that had this ``fate`` since the mirror was
    started; ``Mirror.fates`` counts them. ``why`` says more, if there is more to say."""

    level: ClassVar[int] = logging.WARNING

    fate: Fate
    why: str = ""

    def __str__(self) -> str:
        return f"{self.source}: a shadow was lost: {self.fate}{f', {self.why}' if self.why else ''}; told once"


@dataclass(frozen=True, slots=True)
class ShadowDiffers(Event):
    """The shadow's answer is not the primary's: ``difference``, as ``compare`` says."""

    method: str
    target: str
    difference: str

    def __str__(self) -> str:
        return f"{self.source}: {self.method} {without_values(self.target)[:256]}: {self.difference[:512]}"


class Mirror(Component):
    """Sends a copy of requests to ``shadow``, too, while the handler that it stands around answers them. What the
    shadow answers is dropped, or compared. Nobody waits for it: a shadow that is slow, stuck, or fails changes nothing.

    ``share``
        Of all requests that can be mirrored, from 0 to 1. It may be set while it runs.
    ``key``
        What requests have in common that are mirrored all, or none of them; see ``balancers.keys``. By default, and for
        those that have no key, it is by chance.
    ``methods``
        Which are mirrored. By default the safe ones (RFC 9110 section 9.2.1): with another one the shadow does twice
        what is done once. ``HEAD`` and WebSockets never are.
    ``limit``
        Shadows under way at most; above it requests are not mirrored.
    ``budget``, ``total``
        Bytes that are held for a shadow, of its request's body and of each of two answers that are compared; and for
        all shadows together. A body passes to the primary at the primary's pace; what the shadow has not taken is held,
        and if that is more than the budget the shadow is given up. So is one whose request's body is in memory and
        larger.
    ``bodies``
        What is held counts there, too; where that has no room a shadow is given up, as above. By default nowhere else.
    ``deadline``
        Seconds for a shadow, from the request's arrival to the end of its answer, and of the primary's if they are
        compared.
    ``answer``
        Bytes of a shadow's answer that are read before it is cut.
    ``fields``
        Set on the shadow's request, so that its back end can tell.
    ``host_suffix``
        With ``"-shadow"`` its ``Host`` is that which the client asked for, with this behind the name, as Envoy has it.
        By default ``Host`` is what the shadow's upstream makes of it.
    ``compare``
        Compares the primary's ``Answer`` with the shadow's when both are over: ``difference``, or a function of one's
        own, which must not block. What it returns is told as ``ShadowDiffers``.
    ``name``
        For events.

    A shadow is an exchange of its own, ``Exchange.fork``: for the same ``inbound``, with the draft and the values as
    they are when the mirror is reached. It has its own attempts, of which observers are not told. ``fates`` counts what
    has become of shadows.

    It shortcuts: put it inside the rules, next to what it mirrors. Raises ``ValueError`` or ``TypeError`` that names
    the parameter and its value.
    """

    shortcuts = True

    def __init__(
        self,
        shadow: Handler,
        *,
        share: float = 1.0,
        key: HashKey | None = None,
        methods: Collection[str] = ("GET", "OPTIONS"),
        limit: int = 100,
        budget: int = 64 * 1024,
        total: int = 4 * 1024 * 1024,
        bodies: BodyBudget | None = None,
        deadline: float = 10.0,
        answer: int = 16 * 1024 * 1024,
        fields: Fields = (("X-Shadow", "1"),),
        host_suffix: str = "",
        compare: Compare | None = None,
        name: str = "mirror",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if not callable(shadow):
            raise TypeError(f"shadow: {shadow!r} is no handler: it is not callable")
        if not isinstance(bodies, BodyBudget | None):
            raise TypeError(f"bodies: {bodies!r} is not a BodyBudget object")
        if isinstance(methods, str) or "HEAD" in methods or not all(map(is_token, methods)):
            raise ValueError(f"methods must be methods other than HEAD, one string each, got {methods!r}")
        for parameter, value in (("limit", limit), ("budget", budget), ("total", total), ("answer", answer)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{parameter} must be an integer of at least 1, got {value!r}")
        if not 0 < deadline < float("inf"):
            raise ValueError(f"deadline must be above 0 and finite, got {deadline}")
        if not re.fullmatch(r"[A-Za-z0-9._-]*", host_suffix):
            raise ValueError(f"host_suffix must be what a host's name is made of, got {host_suffix!r}")
        self.name: str = name
        self.share = share
        self._shadow = shadow
        self._key = key
        self._methods = frozenset(methods)
        self._limit = limit
        self._budget = Budget(budget, total, bodies)
        self._deadline = deadline
        self._most = answer
        self._fields = CIMultiDict(fields)
        encode_fields(self._fields)  # raises for what must not reach a wire
        self._host_suffix = host_suffix
        self._compare = compare
        self._clock = clock
        self._rng = rng or Random()
        self._is_stopped = False
        self._mirrored: Key[bool] = Key(f"mirrored by {name}")
        self._shadows: set[Shadow] = set()
        self._fates: Counter[Fate] = Counter()
        self._told: set[Fate] = set()

    @property
    def share(self) -> float:
        """How much of what can be mirrored is. Raises ``ValueError`` if it is set to what is not from 0 to 1."""
        return self._share

    @share.setter
    def share(self, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {share}")
        self._share = share

    @property
    def fates(self) -> Mapping[Fate, int]:
        """What has become of how many shadows."""
        return dict(self._fates)

    @property
    def in_flight(self) -> int:
        """Shadows that are under way."""
        return len(self._shadows)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        request = exchange.request
        if (
            request.method in self._methods
            and request.upgrade is None
            and not self._is_stopped
            and self._mirrored not in exchange
        ):
            try:
                exchange[self._mirrored] = True  # drawn once, however often a retry further out asks
                if self._is_drawn(exchange):
                    comparison = self._cast(exchange)
                    if comparison is not None:
                        return _compared(exchange, handler, comparison)
            except Exception as error:  # a key of the user's: no matter of the client's
                _log.error("%s: not mirrored: %s", self.name, ascii(repr(error))[1:-1], exc_info=error)
        return handler(exchange)

    def _is_drawn(self, exchange: Exchange) -> bool:
        value = None if self._key is None else self._key(exchange)
        drawn = self._rng.random() if value is None else hash_of(value) / _RANGE
        return drawn < self._share

    def _cast(self, exchange: Exchange) -> Comparison | None:
        """Begin a shadow of ``exchange``, if there is room for one. What it is to be compared by, if it is."""
        if len(self._shadows) >= self._limit:
            self._lost(Fate.BUSY, f"{self._limit} are under way")
            return None
        source, budget = exchange.request.body, self._budget
        held = 0 if source.data is None else len(source.data)
        if not budget.take(held):
            self._lost(Fate.TOO_MUCH, _TOO_MUCH)
            return None
        copied = None
        if source.data is None:
            copied = CopiedBody(source.length, budget, lambda fate: shadow.give_up(fate))
        now = self._clock.now()
        forked = exchange.fork(exchange.request.copy(copied or source), now, now + self._deadline)
        comparison = None if self._compare is None else Comparison(exchange, forked, budget, self._compare)
        shadow = Shadow(forked, self._answer, self._most, comparison)
        self._shadows.add(shadow)
        timer = self._clock.call_later(self._deadline, partial(shadow.give_up, Fate.LATE))
        shadow.task.add_done_callback(lambda task: self._over(shadow, timer, held, copied))
        if copied is not None:
            exchange.request.body = Tee(source, copied)
            exchange.defer(copied.broken)
        return comparison

    def _answer(self, forked: Exchange) -> Coroutine[Any, Any, Response]:
        """In the shadow's own time: what it says of itself."""
        headers = forked.request.headers
        for field in self._fields:
            headers.popall(field, None)
        headers.extend(self._fields)
        host = headers.get("Host") or forked.inbound.host
        if self._host_suffix and host:
            headers["Host"] = _with_suffix(host, self._host_suffix)
        return self._shadow(forked)

    def _over(self, shadow: Shadow, timer: Timer, held: int, copied: CopiedBody | None) -> None:
        timer.cancel()
        self._shadows.discard(shadow)
        self._budget.give(held)
        if copied is not None:
            copied.close()
        if shadow.comparison is not None:
            shadow.comparison.drop()
        fate = shadow.fate or Fate.STOPPED
        why = "" if shadow.error is None else repr(shadow.error)
        self._lost(fate, _TOO_MUCH if fate is Fate.TOO_MUCH else why)
        if shadow.difference is not None:
            inbound = shadow.exchange.inbound
            self.tell(ShadowDiffers(self.name, inbound.method, inbound.target, shadow.difference))

    def _lost(self, fate: Fate, why: str) -> None:
        self._fates[fate] += 1
        if fate in _TOLD and fate not in self._told:
            self._told.add(fate)
            self.tell(ShadowLost(self.name, fate, why))

    async def start(self) -> None:
        self._is_stopped = False
        self._told.clear()

    async def stop(self) -> None:
        self._is_stopped = True
        shadows = tuple(self._shadows)
        for shadow in shadows:
            shadow.give_up(Fate.STOPPED)
        await asyncio.gather(*(shadow.task for shadow in shadows), return_exceptions=True)
        await asyncio.sleep(0)  # gather does not wait for what follows the end of a task, since Python 3.12

    def parts(self) -> Iterable[object]:
        return (self._shadow,)

    def __repr__(self) -> str:
        fates = "".join(f", {count} {fate}" for fate, count in self._fates.items())
        return f"<{self.name} of {self._share:.4g} to {name(self._shadow)}: {len(self._shadows)} in flight{fates}>"


_RANGE = 1 << 64
_TOLD = frozenset({Fate.FAILED, Fate.LATE, Fate.BUSY, Fate.TOO_MUCH})
_TOO_MUCH = "its request's body exceeds what may be held"


def _with_suffix(host: str, suffix: str) -> str:
    """``host`` with ``suffix`` behind its name, before a port. An IPv6 address has no name to put it behind."""
    if host.startswith("["):
        return host
    name, colon, port = host.partition(":")
    return f"{name}{suffix}{colon}{port}"


async def _compared(exchange: Exchange, handler: Handler, comparison: Comparison) -> Response:
    exchange.defer(comparison.over)
    primary = comparison.primary
    try:
        response = await handler(exchange)
    except ProxyError as error:
        primary.failed(error)
        raise
    response.body = primary.answered(response)
    return response
