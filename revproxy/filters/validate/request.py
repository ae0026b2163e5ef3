"""Requests that say what they have to, before a server sees anything of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from multidict import istr

from ...body import EMPTY, Body
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import (
    BodyTooLarge,
    Overloaded,
    ProxyError,
    ResponseBodyTooLarge,
    UnsupportedMediaType,
)
from ...exchange import Exchange
from ...handler import Component, Handler
from ...limiters.body_budget import BodyBudget
from ...media_types import media_ranges, media_type
from ...message import Request, Response
from ...security_log import LOGGER, Refusals, Severity
from ..peeked import Peeked
from .judge import BodyJudge, QueryJudge, bad
from .measured import AtMost
from .schema import Document, Schema, schema_of
from .strict_json import JsonLimits

__all__ = ["ValidateRequest"]

_CONTENT_TYPE, _CONTENT_ENCODING = istr("Content-Type"), istr("Content-Encoding")
_JSON_TYPES = ("application/json", "application/*+json")
_SCHEMA_SIZE = 1 << 20
_NO_LIMITS = JsonLimits()


class ValidateRequest(Component):
    """Refuses requests whose content type, size, body or query is not what it has to be. ::

        Pipeline(ValidateRequest(body={"type": "object", "required": ["name"]}), handler=api)

    ``content_types``
        What a body may be: ``"application/json"``, ``"image/*"``, ``"application/*+json"``. Neither case nor parameters
        make a difference; what is no media type, a second ``Content-Type``, and a body without one are refused. Else:
        415, with the types in ``Accept``. With a ``body`` they have to be JSON, and are any of it by default.
    ``max_size``
        Bytes of a body at most, as it is sent: 413. One whose length is not declared is counted as it passes, and cut.
        ``None``: no limit, but 1 MiB with a ``body``.
    ``body``
        A JSON Schema, or a ``Schema``. The body is read first, and then sent on byte for byte. What is no JSON with one
        reading (see ``read_json``), and no body: 400. What does not fit: 422. Another charset than UTF-8, and any
        ``Content-Encoding``: 415, as nobody would see what is in it.
    ``query``
        A JSON Schema of an object, or a ``Schema``, that the query has to fit: 422. See ``QueryReader`` for how text
        becomes numbers and arrays. What has two readings: 400.
    ``optional``
        Whether with a ``body`` requests without one pass, too.
    ``limits``
        Of the JSON; see ``JsonLimits``.
    ``budget``
        What is held of a body counts there until the exchange is over; where there is no room, 503 (``BudgetSpent``).
    ``severity``
        The level of the line in the security log; ``None``: none. See ``Refusals``, also for ``logger`` and ``fold``.
    ``shadow``
        Refuses nobody, and only logs; what it would have to refuse for want of room it does not look at.
    ``name``
        What the log calls it.

    It looks at the draft, which is what goes upstream: filters that edit that stand outside. The client is told where
    (``errors`` in the problem document), by pointers into what it sent and by keywords; never a value, never a name
    that the schema does not have. Bodies of more than 64 KiB are judged in threads, two at once; where 64 wait the
    answer is 503 (``Overloaded``). ``body`` and ``query`` need the extra ``schema``.

    Raises ``ImportError`` without it, ``TypeError`` or ``ValueError`` that names the parameter and its value.
    """

    guards = True

    def __init__(
        self,
        *,
        content_types: Iterable[str] | None = None,
        max_size: int | None = None,
        body: Schema | Document | None = None,
        query: Schema | Document | None = None,
        optional: bool = False,
        limits: JsonLimits = _NO_LIMITS,
        budget: BodyBudget | None = None,
        severity: Severity | None = Severity.WARNING,
        shadow: bool = False,
        name: str = "validate request",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if content_types is None and max_size is None and body is None and query is None:
            raise ValueError("content_types, max_size, body, query: one of them must be given")
        if isinstance(content_types, str):
            raise TypeError(f"content_types must be several, got {content_types!r}")
        if max_size is not None and (type(max_size) is not int or max_size < 0):
            raise ValueError(f"max_size must be an integer of at least 0 or None, got {max_size!r}")
        if not isinstance(limits, JsonLimits):
            raise TypeError(f"limits: {limits!r} is not a JsonLimits object")
        if budget is not None and not isinstance(budget, BodyBudget):
            raise TypeError(f"budget: {budget!r} is not a BodyBudget object")
        if body is None and (optional or budget is not None):
            raise ValueError("optional and budget are for a body with a schema")
        types = tuple(content_types or ())
        if content_types is not None and not types:
            raise ValueError("content_types must not be empty")
        if body is not None and content_types is None:
            types = _JSON_TYPES
        self._ranges = re.compile("|".join(sorted(media_ranges(types, "content_types"))))
        if body is not None and not all(_is_json(each) for each in types):
            raise ValueError(f"content_types must all be JSON for a body with a schema, got {types}")
        self.content_types: tuple[str, ...] = types
        self._limit = _SCHEMA_SIZE if max_size is None else max_size
        self.max_size: int | None = max_size if body is None else self._limit
        self._judge = None if body is None else BodyJudge(schema_of("body", body), limits, budget)
        self._query = None if query is None else QueryJudge(schema_of("query", query))
        self._optional = optional
        self._budget = budget
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)

    @property
    def refused(self) -> int:
        """How many were refused, ever; in shadow, how many would have been."""
        return self._refusals.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        draft = exchange.request
        has_body = draft.body is not EMPTY and (draft.body.data is None or bool(draft.body.data))
        wrong = None if self._query is None else self._query.wrong_in(draft.target)
        if wrong is None:
            wrong = self._wrong_head(draft) if has_body else self._missing()
        if wrong is not None:
            self._refuse(exchange, wrong)
        elif has_body:
            if self._judge is not None:
                return self._judged(exchange, handler, self._judge)
            if self.max_size is not None and draft.body.data is None and draft.body.length is None:
                over = partial(self._refuse, exchange, _too_large(self.max_size))
                draft.body = draft.body.through(AtMost(self.max_size, over))
        return handler(exchange)

    def _refuse(self, exchange: Exchange, error: ProxyError) -> None:
        self._refusals.refuse(exchange, error, detail=str(error))

    # What is known before anything of the body was read.

    def _missing(self) -> ProxyError | None:
        if self._judge is None or self._optional:
            return None
        return bad("body: there is none", {"in": "body", "reason": "missing"})

    def _wrong_head(self, draft: Request) -> ProxyError | None:
        body = draft.body
        size = body.length if body.data is None else len(body.data)
        if self.max_size is not None and size is not None and size > self.max_size:
            return _too_large(self.max_size)
        if not self.content_types:
            return None
        said = media_type(draft.headers.getall(_CONTENT_TYPE, ()))
        if said is None or self._ranges.fullmatch(said.name) is None:
            return _unsupported(_CONTENT_TYPE, {"Accept": ", ".join(self.content_types)})
        if self._judge is not None:
            if said.parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
                return _unsupported(_CONTENT_TYPE, {"Accept": ", ".join(self.content_types)})
            codings = draft.headers.getall(_CONTENT_ENCODING, ())
            if any(each.strip(" \t").lower() not in ("", "identity") for each in codings):
                return _unsupported(_CONTENT_ENCODING, {"Accept-Encoding": "identity"})
        return None

    # The body.

    async def _judged(self, exchange: Exchange, handler: Handler, judge: BodyJudge) -> Response:
        wrong: ProxyError | None
        if self._refusals.shadow:
            wrong = await self._wrong_in_passing(exchange, judge)
        else:
            wrong = await self._wrong_body(exchange, judge)
        if wrong is not None:
            self._refuse(exchange, wrong)
        return await handler(exchange)

    async def _wrong_body(self, exchange: Exchange, judge: BodyJudge) -> ProxyError | None:
        draft = exchange.request
        length = draft.body.length
        try:
            if self._budget is None:
                data = await draft.body.read(self._limit)
            else:
                data = await self._budget.read(exchange, draft.body, self._limit)
        except (BodyTooLarge, ResponseBodyTooLarge):  # whose it is depends on where the body comes from
            return _too_large(self._limit)
        draft.body = Body.unsized(data) if length is None else Body(data)
        return await judge.wrong_in(data)

    async def _wrong_in_passing(self, exchange: Exchange, judge: BodyJudge) -> ProxyError | None:
        """As much as can be said of a body that goes on in any case."""
        draft = exchange.request
        data = draft.body.data
        try:
            if data is None:
                length = draft.body.length
                if self._budget is not None:
                    self._budget.hold(exchange, self._limit if length is None else length)
                draft.body = peeked = Peeked(draft.body)
                data = await peeked.peek(self._limit)
                if data is None:
                    return _too_large(self._limit)
                draft.body = Body.unsized(data) if length is None else Body(data)
            return await judge.wrong_in(data)
        except Overloaded:
            return None

    async def stop(self) -> None:
        self._refusals.flush()
        if self._judge is not None:
            self._judge.reset()

    def __repr__(self) -> str:
        said = [", ".join(self.content_types) or "any type"]
        said += [f"{self.max_size} bytes"] if self.max_size is not None else []
        said += ["body"] if self._judge is not None else []
        said += ["query"] if self._query is not None else []
        state = "shadow, " if self._refusals.shadow else ""
        return f"<ValidateRequest {self._refusals.name!r}: {'; '.join(said)}; {state}{self.refused} refused>"


def _is_json(media_range: str) -> bool:
    name = media_range.lower()
    return name in ("application/json", "text/json") or name.endswith("+json")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"body: more than {limit} bytes")


def _unsupported(field: istr, fields: dict[str, str]) -> UnsupportedMediaType:
    error = UnsupportedMediaType(f"{field}: not one that is taken", fields=fields)
    error.members = {"errors": [{"in": "header", "name": str(field)}]}
    return error
