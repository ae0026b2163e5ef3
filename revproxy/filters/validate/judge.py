"""Whether a body or a query fits a schema, and what the client is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ...errors import BadRequest, Overloaded, ProxyError, UnprocessableContent
from ...limiters.body_budget import BodyBudget
from .query import BadQuery, QueryReader
from .schema import Schema, Violation
from .strict_json import JsonLimits, Malformed, read_json

__all__ = ["INLINE", "BodyJudge", "QueryJudge", "bad"]

INLINE = 65536
"""Bytes that are judged at once: 1.5 ms of ordinary JSON, under 4 of the worst to read, and some 10 of the
worst for ``uniqueItems``, numbers with exponents (with ``JsonLimits.big_integers`` that is seconds). More goes to a
thread. While one step of that lasts the loop waits all the same: of 1 MiB, that takes 25 ms in all, for 10 ms."""
_AT_ONCE, _WAITING = 2, 64
_COMPARED = 256
"""Integers of 16 digits or more that ``uniqueItems`` is asked of. It tells them apart by their doubles first, and of
those near 2⁶³ a thousand have one in common: each is compared with all others. 64 KiB of them took 0.2 s."""


class BodyJudge:
    """Reads bodies and asks ``schema`` of them: up to 64 KiB at once, larger ones in threads, two at a time. What a
    thread has at hand when its client leaves counts in ``budget`` until it is done."""

    def __init__(self, schema: Schema, limits: JsonLimits, budget: BodyBudget | None = None) -> None:
        self._schema = schema
        self._limits = limits
        self._budget = budget
        self._turns: asyncio.Semaphore | None = None
        self._works: set[asyncio.Task[ProxyError | None]] = set()
        self._waiting = 0

    async def wrong_in(self, data: bytes) -> ProxyError | None:
        """What the client is told of ``data``; ``None``: nothing is wrong. Raises ``Overloaded`` where 64 large ones
        are waiting."""
        if len(data) <= INLINE:
            return self.wrong_at_once(data)
        if self._waiting >= _WAITING:
            raise Overloaded("too many large bodies wait to be validated", retry_after=1.0)
        if self._turns is None:
            self._turns = asyncio.Semaphore(_AT_ONCE)
        turns = self._turns
        self._waiting += 1
        try:
            await turns.acquire()
            return await self._in_thread(data, turns)
        finally:
            self._waiting -= 1

    async def _in_thread(self, data: bytes, turns: asyncio.Semaphore) -> ProxyError | None:
        work = asyncio.create_task(asyncio.to_thread(self.wrong_at_once, data))
        work.add_done_callback(lambda _: turns.release())  # nothing ends a thread: the turn is over when it is
        self._works.add(work)
        work.add_done_callback(self._works.discard)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            budget, size = self._budget, len(data)
            if budget is not None and not work.done():
                budget.keep(size)
                work.add_done_callback(lambda _: budget.give(size))
            raise

    def wrong_at_once(self, data: bytes) -> ProxyError | None:
        """The same, whatever its size, without waiting."""
        try:
            reading = read_json(data, self._limits)
        except Malformed as error:
            said: dict[str, object] = {"in": "body", "reason": error.reason}
            if error.offset is not None:
                said["offset"] = error.offset
            return bad(f"body: {error}", said)
        if reading.long_integers > _COMPARED and self._schema.compares and not self._limits.big_integers:
            return bad("body: number", {"in": "body", "reason": "number"})
        if self._schema.is_valid(reading.value):
            return None
        return _unprocessable("body", self._schema.violations(reading.value, values=reading.values))

    def reset(self) -> None:
        """Forget what belongs to one event loop."""
        self._turns = None


class QueryJudge:
    """Reads the queries of targets and asks ``schema`` of them. Raises ``ValueError`` as ``QueryReader`` does."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._reader = QueryReader(schema)

    def wrong_in(self, target: str) -> ProxyError | None:
        """What the client is told of the query of ``target``; ``None``: nothing is wrong."""
        try:
            found = self._reader.read(target.partition("?")[2])
        except BadQuery as error:
            return bad(f"query: {error}", {"in": "query", "reason": error.reason})
        if self._schema.is_valid(found):
            return None
        return _unprocessable("query", self._schema.violations(found, values=len(found)))


def bad(message: str, said: Mapping[str, object]) -> BadRequest:
    """That something cannot be read, and where."""
    error = BadRequest(message)
    error.members = {"errors": [said]}
    return error


def _unprocessable(where: str, violations: list[Violation]) -> UnprocessableContent:
    first = f": {violations[0].get('keyword', 'something')} at {violations[0]['pointer']}"
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    members = {"errors": [{"in": where, **each} for each in violations]}
    return UnprocessableContent(f"{where}{first}{more}", members=members)
