"""Responses that are what they have to be, before a client sees anything of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from multidict import istr

from ...body import Body, Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import Overloaded, ResponseRefused
from ...exchange import Exchange, Key
from ...handler import Handler
from ...limiters.body_budget import BodyBudget
from ...logged import escaped, type_said
from ...media_types import MediaType, media_ranges, media_type
from ...message import Response
from ...security_log import LOGGER, Refusals, Severity
from ..content import ContentFilter, Handling
from ..content.handling import SHADOW
from ..content.kind import is_endless
from ..content.stages import Stages
from ..peeked import Peeked
from .collected import Collected
from .each import EachEvent, EachLine
from .header_rules import HeaderRules
from .judge import INLINE, BodyJudge
from .measured import AtMost
from .schema import Document, Schema, schema_of
from .sizes import size_of, size_of_head
from .statuses import Status, by_status, is_by_status, statuses_of
from .strict_json import JsonLimits

__all__ = ["ValidateResponse"]

_CONTENT_TYPE = istr("Content-Type")
_SCHEMA_SIZE = 1 << 20
_ALL = 1 << 62
_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/stream+json"})
_EVENTS = "text/event-stream"
_WITHOUT_CONTENT = frozenset({101, 204, 304})
_NO_LIMITS = JsonLimits()


class ValidateResponse(ContentFilter):
    """Refuses responses whose status, fields, content type, size or content is not what it has to be: 502, and the
    client learns nothing of it. ::

        order = {"type": "object", "required": ["id"], "additionalProperties": False, "properties": {"id": {}}}
        Pipeline(ValidateResponse(statuses=[200, "4xx"], body={200: order}), handler=api)

    ``statuses``
        Those that may be, as ``200`` or ``"4xx"``. An upgrade is a 101.
    ``content_types``
        What a content may be: ``"application/json"``, ``"image/*"``, ``"application/*+json"``. What is no media type, a
        second ``Content-Type``, and a content without one are refused.
    ``headers``
        Rules for the fields, as they are once the servers are hidden (``HideUpstream``); see ``HeaderRules``.
    ``max_size``
        Bytes of content at most, without its coding. ``None``: no limit, but 1 MiB of what has a schema.
    ``max_head``
        Bytes of the field lines at most.
    ``body``
        A JSON Schema, or a ``Schema``, for the contents of all 2xx; or several, by status or class:
        ``{200: order, "4xx": problem}``. What has one must be JSON with one reading (see ``read_json``), in UTF-8. It
        is read as a whole, through its coding, before the head goes out, and goes on byte for byte. Of
        ``application/x-ndjson`` and the like each line, of ``text/event-stream`` the data of each event is judged as it
        comes, of 64 KiB at most.
    ``limits``
        Of the JSON; see ``JsonLimits``.
    ``hold``
        Bytes of a content of unknown length with a ``max_size`` that are read before the head goes out.
    ``budget``
        What is held of contents with a schema counts there; where there is no room, 503 (``BudgetSpent``).
    ``handling``
        What becomes of what cannot be read. By default a coding that cannot be undone is refused where the content has
        to be looked at, a bomb is ``BadContent``, and ranges are asked for only where there is no ``body``; in
        ``shadow`` all of it goes on. A coding that is broken is ``BadContent`` in any case.
    ``severity``
        The level of the line in the security log; ``None``: none. See ``Refusals``, also for ``logger`` and ``fold``.
    ``shadow``
        Refuses nothing, and only logs.
    ``name``
        What the log calls it.

    Where the head has gone out already (what is too large and was not known to be, a line, an event), the client's
    connection is cut. Answers to ``HEAD``, 204 and 304 have no content to look at; interim responses are not looked at.
    The log is told where (``detail``), by pointers and keywords as of ``ValidateRequest``; never a value. ``body``
    needs the extra ``schema``.

    Raises ``ImportError`` without it, ``TypeError`` or ``ValueError`` that names the parameter and its value.
    """

    edits: bool = False
    reads_text: ClassVar[bool] = False

    def __init__(
        self,
        *,
        statuses: Collection[Status] | None = None,
        content_types: Iterable[str] | None = None,
        headers: HeaderRules | None = None,
        max_size: int | None = None,
        max_head: int | None = None,
        body: Schema | Document | Mapping[Any, Schema | Document] | None = None,
        limits: JsonLimits = _NO_LIMITS,
        hold: int = 65536,
        budget: BodyBudget | None = None,
        handling: Handling | None = None,
        severity: Severity | None = Severity.WARNING,
        shadow: bool = False,
        name: str = "validate response",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if handling is None:
            handling = SHADOW if shadow else Handling(ranges="keep" if body is None else "strip")
        super().__init__(handling=handling, clock=clock)
        if all(each is None for each in (statuses, content_types, headers, max_size, max_head, body)):
            raise ValueError("statuses, content_types, headers, max_size, max_head, body: one of them must be given")
        if isinstance(content_types, str):
            raise TypeError(f"content_types must be several, got {content_types!r}")
        for parameter, value in (("max_size", max_size), ("max_head", max_head), ("hold", hold)):
            if value is not None and (type(value) is not int or value < 0):
                raise ValueError(f"{parameter} must be an integer of at least 0, got {value!r}")
        if headers is not None and not isinstance(headers, HeaderRules):
            raise TypeError(f"headers: {headers!r} is not a HeaderRules object")
        if not isinstance(limits, JsonLimits):
            raise TypeError(f"limits: {limits!r} is not a JsonLimits object")
        if budget is not None and not isinstance(budget, BodyBudget):
            raise TypeError(f"budget: {budget!r} is not a BodyBudget object")
        types = None if content_types is None else tuple(content_types)
        if types == ():
            raise ValueError("content_types must not be empty")
        self.statuses: frozenset[int] | None = None if statuses is None else statuses_of("statuses", statuses)
        if self.statuses == frozenset():
            raise ValueError("statuses must not be empty")
        self.content_types: tuple[str, ...] | None = types
        self.max_size: int | None = max_size
        self.max_head: int | None = max_head
        self._ranges = None if types is None else re.compile("|".join(sorted(media_ranges(types, "content_types"))))
        self._headers = headers
        self._limit = _SCHEMA_SIZE if max_size is None else max_size
        self._hold = hold
        self._budget = budget
        self._judges = _judges(body, limits, budget)
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)
        self._state: Key[_State] = Key(name)

    @property
    def refused(self) -> int:
        """How many were refused, ever; in shadow, how many would have been."""
        return self._refusals.count

    @property
    def hold(self) -> int:
        return self._hold

    @property
    def narrows(self) -> bool:
        return not self._refusals.shadow and (bool(self._judges) or self.max_size is not None)

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        state = exchange[self._state] = _State()
        response = await super().__call__(exchange, partial(self._asked, handler))
        if state.collected is None:
            return response
        try:
            return await self._judged(exchange, response, state.collected, self._judges[response.status])
        except BaseException:
            response.body.close()
            raise

    # The head.

    async def _asked(self, handler: Handler, exchange: Exchange) -> Response:
        response = await handler(exchange)
        wrong = self._wrong_head(exchange, response)
        if wrong is not None:
            try:
                self._refuse(exchange, wrong)
            except BaseException:
                response.body.close()
                if response.tunnel is not None:
                    response.tunnel.close()
                raise
        return response

    def _refuse(self, exchange: Exchange, detail: str) -> None:
        state = exchange[self._state]
        if not state.is_over:
            state.is_over = True
            self._refusals.refuse(exchange, ResponseRefused(f"{self._refusals.name}: {escaped(detail)}"), detail=detail)

    def _wrong_head(self, exchange: Exchange, response: Response) -> str | None:
        if self.statuses is not None and response.status not in self.statuses:
            return f"status {response.status}"
        if self.max_head is not None and size_of_head(response) > self.max_head:
            return f"head: more than {self.max_head} bytes"
        if self._headers is not None and (wrong := self._headers.wrong_in(response.headers)) is not None:
            return f"header: {wrong}"
        if response.status in _WITHOUT_CONTENT:
            return None
        is_head = exchange.inbound.method == "HEAD"
        size = None if is_head else size_of(response)
        judge = self._judges.get(response.status)
        if size == 0 and response.status == 205:
            return None
        said = response.headers.getall(_CONTENT_TYPE, ())
        kind = media_type(said)
        if size == 0 and judge is not None and not is_endless(kind):
            return "body: there is none"
        limit = self.max_size if judge is None or is_endless(kind) else self._limit
        if limit is not None and size is not None and size > limit:
            return f"body: more than {limit} bytes"
        if not said and (is_head or size == 0):
            return None
        if self._ranges is not None and (kind is None or self._ranges.fullmatch(kind.name) is None):
            return f"Content-Type: not one that may be: {type_said(said)}"
        if judge is not None and not _is_json(kind):
            return f"Content-Type: not JSON: {type_said(said)}"
        return None

    # The content.

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        state = exchange[self._state]
        if state.is_over or exchange.inbound.method == "HEAD" or (self._refusals.shadow and response.status == 206):
            return None
        judge = self._judges.get(response.status)
        if judge is None:
            return None if self.max_size is None or size_of(response) is not None else self._counted(exchange)
        if kind is not None and is_endless(kind):
            each = EachEvent if kind.name == _EVENTS else EachLine
            judged = each(partial(self._one, exchange, judge), INLINE, self._over(exchange, INLINE, "a document of "))
            return judged if self.max_size is None else Stages((self._counted(exchange), judged))
        over = self._over(exchange, self._limit)
        state.collected = Collected(exchange, self._limit, over, self._budget, shadow=self._refusals.shadow)
        return state.collected

    def _counted(self, exchange: Exchange) -> AtMost:
        limit = self.max_size or 0
        return AtMost(limit, self._over(exchange, limit))

    def _over(self, exchange: Exchange, limit: int, what: str = "") -> Callable[[], None]:
        return partial(self._refuse, exchange, f"body: {what}more than {limit} bytes")

    def _one(self, exchange: Exchange, judge: BodyJudge, data: bytes) -> None:
        if not exchange[self._state].is_over:
            wrong = judge.wrong_at_once(data)
            if wrong is not None:
                self._refuse(exchange, str(wrong))

    async def _judged(self, exchange: Exchange, response: Response, collected: Collected, judge: BodyJudge) -> Response:
        body = response.body
        if body.data is None:
            response.body = peeked = Peeked(body)
            # All of it comes at once, at the end: what is held is bounded by what is collected.
            limit = self._limit if self._refusals.shadow else _ALL
            data = await peeked.peek_until(exchange.deadline, limit, self._time)
            if data is not None:
                response.body = Body.unsized(data) if body.length is None else Body(data)
        if collected.data is not None:
            try:
                wrong = await judge.wrong_in(collected.data)
            except Overloaded:
                if not self._refusals.shadow:
                    raise
                wrong = None
            if wrong is not None:
                self._refuse(exchange, str(wrong))
        return response

    async def stop(self) -> None:
        self._refusals.flush()
        for judge in self._judges.values():
            judge.reset()

    def __repr__(self) -> str:
        said = [f"{len(self.statuses)} statuses"] if self.statuses is not None else []
        said += [", ".join(self.content_types)] if self.content_types is not None else []
        said += [repr(self._headers)] if self._headers is not None else []
        said += [f"{self.max_size} bytes"] if self.max_size is not None else []
        said += [f"head of {self.max_head} bytes"] if self.max_head is not None else []
        said += ["body"] if self._judges else []
        state = "shadow, " if self._refusals.shadow else ""
        return f"<ValidateResponse {self._refusals.name!r}: {'; '.join(said)}; {state}{self.refused} refused>"


class _State:
    """Of one response: whether a decision was made, and what is read of it as a whole."""

    __slots__ = ("collected", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self.collected: Collected | None = None


def _judges(
    body: Schema | Document | Mapping[Any, Schema | Document] | None, limits: JsonLimits, budget: BodyBudget | None
) -> dict[int, BodyJudge]:
    """Who judges contents, by status."""
    if body is None:
        return {}
    if not is_by_status(body):
        return dict.fromkeys(range(200, 300), BodyJudge(schema_of("body", body), limits, budget))
    return by_status(
        "body",
        {status: BodyJudge(schema_of(f"body[{status!r}]", schema), limits, budget) for status, schema in body.items()},
    )


def _is_json(kind: MediaType | None) -> bool:
    if kind is None or kind.parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        return False
    return kind.is_json or kind.name in _LINES or kind.name == _EVENTS
