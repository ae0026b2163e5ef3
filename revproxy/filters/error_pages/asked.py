"""Asking a handler for a page."""

from __future__ import annotations

import asyncio

from multidict import CIMultiDict

from ...body import Body
from ...clock import Clock
from ...exchange import Exchange
from ...headers import encode_fields
from ...message import Response
from ..edited import vary
from ..fallback import INSTEAD_OF
from .page import PageFrom

__all__ = ["asked"]

_OF_ANOTHER_STATUS = (
    "Accept-Ranges",
    "Age",
    "Cache-Control",
    "Content-Range",
    "ETag",
    "Expires",
    "Last-Modified",
    "Pragma",
    "Set-Cookie",
)
"""What a page says of how long it may be kept, and what it is a version of, is not true of an error."""


class _NoPage(Exception):
    pass


async def asked(source: PageFrom, exchange: Exchange, status: int, fields: CIMultiDict[str], clock: Clock) -> Response:
    """What the handler answers, whole, with ``fields`` where it has none. Raises whatever it raises, and for an answer
    that is no page."""
    now = clock.now()
    forked = exchange.fork(source.draft(exchange, status), now, now + source.timeout)
    forked.id = exchange.id
    forked.spent, forked.paid = None, ()  # it is another request, which was not sent before
    forked[INSTEAD_OF] = exchange[INSTEAD_OF]
    async with asyncio.timeout(None) as scope:
        timer = clock.call_later(source.timeout, lambda: scope.reschedule(0.0))
        try:
            response = await source.handler(forked)
            body = response.body
            try:
                if not 200 <= response.status <= 599:
                    raise _NoPage(f"its answer is {response.status}")
                encode_fields(response.headers)  # raises for what must not reach a wire
                if source.status == "kept" and response.status not in (200, 203, status):
                    raise _NoPage(f"its answer is {response.status}")
                data = await body.read(source.limit)
            finally:
                body.close()
        finally:
            timer.cancel()
            forked.finish()
    headers = response.headers.copy()
    if source.status == "kept":
        for each in _OF_ANOTHER_STATUS:
            headers.popall(each, None)
        headers["Cache-Control"] = "no-store"
        headers["X-Content-Type-Options"] = "nosniff"
    for name in dict.fromkeys(fields):
        if name not in headers:
            for value in fields.getall(name):
                headers.add(name, value)
    vary(headers, "Accept")
    return Response(status if source.status == "kept" else response.status, headers, Body(data))
