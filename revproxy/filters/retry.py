"""Asking again where there was no answer, or none that counts."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from multidict import istr

from ..body import Body
from ..clock import SYSTEM_CLOCK, Clock
from ..errors import DeadlineExceeded, ProxyError
from ..events import Event
from ..exchange import Exchange
from ..group import Group
from ..handler import Component, Handler
from ..headers import is_token
from ..limiters.body_budget import BodyBudget
from ..limiters.retry_budget import RetryBudget
from ..message import Request, Response
from ..routing.again import IDEMPOTENT, Begun, check_why, sent_since
from .replay import ReplayBody
from .retry_after import retry_after

__all__ = ["Retry", "RetryBudgetSpent"]

_IDEMPOTENCY_KEY = istr("Idempotency-Key")


@dataclass(frozen=True, slots=True)
class RetryBudgetSpent(Event):
    """A request that could have been tried again was not, for the budget allows no more. Told of the first in each
    ``ttl`` of the budget; ``Retry.refused`` counts them. ``why``: what has gone wrong with that request."""

    level: ClassVar[int] = logging.WARNING

    why: str

    def __str__(self) -> str:
        return f"{self.source}: the retry budget is spent; one that was not tried again: {self.why}"


class Retry(Component):
    """Asks its handler again where a request went wrong: at most ``attempts`` times in all, at another endpoint if
    there is any. ::

        Pipeline(Retry(), handler=upstream)

    A request is tried again

    - after any error if nothing of it was sent, whatever its method;
    - if it may have reached a server, only if its method is idempotent (RFC 9110 section 9.2.2); so it may where a
      handler of your own was asked, unless the error says that nothing was sent (``Phase.SELECT``, ``Phase.CONNECT``);
    - with a body only as far as that is there: in memory, or kept as it was sent, up to ``replay`` bytes;
    - never after a byte of an answer went to the client, interim ones (1xx) included;
    - never beyond ``exchange.deadline``, which is that of all attempts together;
    - only while the ``budget`` allows it.

    Else the error or the answer stands, as that of the last attempt does.

    ``attempts``
        How often it is asked in all.
    ``on``
        After which errors. By default those that say that another attempt may help (``retryable``): no connection, a
        connection that was lost before an answer, no answer in time, no place in the queue; and that the time of one
        attempt was over before it was its turn.
    ``statuses``
        From 400 to 599: after which answers. By default none: what a server says is its answer. One that is passed over
        is closed, and its load is released, before the next attempt. ``Retry-After`` is waited for if that is within
        the deadline, or, where there is none, within ``patience`` seconds; otherwise the answer stands.
    ``methods``
        Which may be asked twice. Add ``"POST"`` only where doing it twice does no harm.
    ``idempotency_key``
        Whether a request of any method may be that has an ``Idempotency-Key``: where the servers know what it means.
    ``replay``
        Bytes of a request body at most that is sent again. One that streams is kept as it is sent; when it proves to be
        larger nothing of it is kept, and it is sent once.
    ``bodies``
        What is kept counts there; where that has no room nothing is. By default nowhere.
    ``per_try``
        Seconds in which the response head of each attempt has to be there, within what is left of the deadline.
    ``base``, ``cap``
        Before the n-th further attempt passes a time drawn evenly from 0 to ``base * 2 ** (n - 1)`` seconds, at most
        ``cap``: full jitter, as Envoy has it.
    ``budget``
        How many further attempts there may be beside the requests, by default ``RetryBudget()``: a fifth of them, and
        ten a second. Give all that ask the same servers the same one.
    ``field``
        A request field that tells the server the number of the attempt, from 1. By default none.
    ``name``
        For events: ``RetryBudgetSpent``.

    Each attempt has a copy of the draft, so that filters between the two see it as it came; ``exchange.attempts`` has
    all of them. One inside of another does nothing: the outer one decides.

    It shortcuts: put it inside the rules, next to what it asks. Raises ``ValueError`` or ``TypeError`` that names the
    parameter and its value.
    """

    shortcuts = True

    def __init__(
        self,
        attempts: int = 2,
        *,
        on: Collection[type[ProxyError]] | None = None,
        statuses: Collection[int] = (),
        methods: Collection[str] = IDEMPOTENT,
        idempotency_key: bool = False,
        replay: int = 64 * 1024,
        bodies: BodyBudget | None = None,
        per_try: float | None = None,
        base: float = 0.025,
        cap: float = 0.25,
        patience: float = 1.0,
        budget: RetryBudget | None = None,
        field: str | None = None,
        name: str = "retry",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        for parameter, number, least in (("attempts", attempts, 1), ("replay", replay, 0)):
            if type(number) is not int or number < least:
                raise ValueError(f"{parameter} must be an integer of at least {least}, got {number!r}")
        check_why(() if on is None else on, statuses)
        if isinstance(methods, str) or not all(map(is_token, methods)):
            raise ValueError(f"methods must be methods, one string each, got {methods!r}")
        if not isinstance(bodies, BodyBudget | None):
            raise TypeError(f"bodies: {bodies!r} is not a BodyBudget object")
        if not isinstance(budget, RetryBudget | None):
            raise TypeError(f"budget: {budget!r} is not a RetryBudget object")
        if per_try is not None and not 0 < per_try < float("inf"):
            raise ValueError(f"per_try must be above 0 and finite, or None, got {per_try}")
        for parameter, seconds in (("base", base), ("cap", cap), ("patience", patience)):
            if not 0 <= seconds < float("inf"):
                raise ValueError(f"{parameter} must be at least 0 and finite, got {seconds}")
        if field is not None and not is_token(field):
            raise ValueError(f"field: {field!r} is not a field name")
        self.name: str = name
        self.budget: RetryBudget = budget or RetryBudget()
        self.retried: int = 0
        """How many further attempts were made, ever."""
        self.refused: int = 0
        """How many were not, for want of a budget."""
        self._attempts = attempts
        self._on = None if on is None else tuple(on)
        self._statuses = frozenset(statuses)
        self._methods = frozenset(methods)
        self._by_key = idempotency_key
        self._replay = replay
        self._bodies = bodies
        self._per_try = per_try
        self._base, self._cap = base, cap
        self._patience = patience
        self._field = None if field is None else istr(field)
        self._edits = field is not None or per_try is not None
        self._clock = clock
        self._rng = rng or Random()
        self._told_at: float | None = None

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        if exchange.retried:
            return await handler(exchange)
        draft, deadline, interim = exchange.request, exchange.deadline, exchange.interim
        body, kept = draft.body, None
        if body.data is None:
            kept = self._kept(body)
            if kept is not None:
                body = kept
                exchange.defer(kept.end)
        begun = Begun(interim)
        if interim is not None:
            exchange.interim = begun
        exchange.retried = True
        if self.budget not in exchange.paid:
            exchange.paid += (self.budget,)
            self.budget.deposit(self._clock.now())
        number = 1
        # An upstream edits no draft: then that is for the first attempt as it is, and only others have copies.
        asked: object = handler
        request = draft if kept is None and self._field is None and isinstance(asked, Group) else draft.copy(body)
        try:
            while True:
                exchange.request = request
                if self._edits:
                    self._edit(exchange, number, deadline)
                attempted, mark = len(exchange.attempts), exchange.mark
                try:
                    response = await handler(exchange)
                except ProxyError as error:
                    is_early, exchange.deadline = exchange.deadline != deadline, deadline
                    if (
                        begun.happened
                        or not self._calls_for_another(error, is_early=is_early)
                        or not self._may_follow(exchange, attempted, body, number, error)
                    ):
                        raise
                    wait = self._wait(exchange, number, error.fields, repr(error))
                    if wait is None:
                        raise
                    error.__traceback__ = None  # which holds the exchange, whose attempt holds the error
                else:
                    exchange.deadline = deadline
                    status = response.status
                    if status not in self._statuses or begun.happened:
                        return response
                    if not self._may_follow(exchange, attempted, body, number, None):
                        return response
                    wait = self._wait(exchange, number, response.headers, f"status {status}")
                    if wait is None:
                        return response
                    response.body.close()
                for attempt in exchange.attempts[attempted:]:
                    attempt.passed_over = True
                exchange.unwind(mark)
                await self._clock.sleep(wait)
                self.retried += 1
                number += 1
                request = draft.copy(body)
        finally:
            exchange.deadline, exchange.interim = deadline, interim
            exchange.retried = False
            if kept is not None:
                await kept.leave()

    # None of what follows awaits.

    def _kept(self, body: Body) -> ReplayBody | None:
        """``body``, which streams, as one that can be sent again; ``None``: it is never."""
        if body.taken or self._attempts == 1 or (body.length or 0) > self._replay:
            return None
        return ReplayBody(body, self._replay, self._bodies)

    def _edit(self, exchange: Exchange, number: int, deadline: float | None) -> None:
        """Mark ``exchange`` as the attempt of this number."""
        if self._field is not None:
            exchange.request.headers[self._field] = str(number)
        if self._per_try is not None:
            latest = self._clock.now() + self._per_try
            if deadline is None or latest < deadline:
                exchange.deadline = latest

    def _may_follow(
        self, exchange: Exchange, attempted: int, body: Body, number: int, error: ProxyError | None
    ) -> bool:
        """Whether there may be another attempt, and it does no harm, after those from ``attempted`` on."""
        if number >= self._attempts:
            return False
        sent = sent_since(exchange, attempted, error)
        if not sent:
            return not body.taken
        if not body.replayable or (body.data is not None and len(body.data) > self._replay):
            return False
        return all(map(self._may_repeat, sent))

    def _calls_for_another(self, error: ProxyError, *, is_early: bool) -> bool:
        """``is_early``: the deadline was that of this attempt alone; there may be time for another."""
        if self._on is not None:
            return isinstance(error, self._on)
        return error.retryable or (is_early and isinstance(error, DeadlineExceeded))

    def _may_repeat(self, request: Request) -> bool:
        return request.method in self._methods or (self._by_key and _IDEMPOTENCY_KEY in request.headers)

    def _wait(self, exchange: Exchange, number: int, fields: Mapping[str, str], why: str) -> float | None:
        """Seconds until the next attempt; ``None``: there is none, for want of time or of a budget."""
        now, deadline = self._clock.now(), exchange.deadline
        seconds = self._rng.uniform(0.0, min(self._cap, self._base * 2.0 ** min(number - 1, 64)))
        asked = retry_after(fields, self._clock.wall()) if fields else None
        if asked is not None:
            if deadline is None and asked > self._patience:
                return None
            seconds += asked
        if deadline is not None and now + seconds >= deadline:
            return None
        if self.budget.withdraw(now):
            return seconds
        self.refused += 1
        if self._told_at is None or now - self._told_at >= self.budget.ttl:
            self._told_at = now
            self.tell(RetryBudgetSpent(self.name, why))
        return None

    def __repr__(self) -> str:
        return f"<Retry {self.name} attempts={self._attempts} retried={self.retried} {self.budget!r}>"
