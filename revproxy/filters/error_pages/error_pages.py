"""Errors in the application's own words, whoever they are of."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, ClassVar

from multidict import CIMultiDict, istr

from ...body import Body
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import InternalError, ProxyError
from ...events import Event
from ...exchange import Exchange, Key
from ...handler import Component, Handler
from ...handler import name as name_of
from ...media_types import MediaType, media_ranges, media_type
from ...message import Response
from ...problems import leaning, problem
from ...when import When
from ..edited import vary
from ..fallback import INSTEAD_OF
from .asked import asked
from .debug_pages import DebugPages, DebugPageShown
from .drained import drained
from .fields import KEPT, Kept
from .page import Function, Page, PageFrom, made
from .table import Pages, Status, Table, phrase, statuses_of

__all__ = ["ErrorPages", "PageFailed"]

_log = logging.getLogger("revproxy.error")
_CACHE_CONTROL = istr("Cache-Control")
_CONTENT_TYPE = istr("Content-Type")
_CONTENT_TYPE_OPTIONS = istr("X-Content-Type-Options")
_GRPC = "application/grpc"
_FOR_PEOPLE = frozenset({"text/html", "text/plain", "application/xhtml+xml"})
_MADE: Key[Body] = Key("page")
"""The content of the page that stands: another such filter further out leaves it."""
_QUIET = 10.0
"""Seconds in which pages that fail again are only counted."""
_PATIENCE = 0.5
"""Seconds that the rest of an answer may take that is read for its connection's sake alone."""


@dataclass(frozen=True, slots=True)
class PageFailed(Event):
    """An error page could not be made, and the client got the plain form of the error. Told of the first in ten
    seconds; ``ErrorPages.failed`` counts them. ``why``: what was raised, as ``repr`` has it."""

    level: ClassVar[int] = logging.ERROR

    why: str

    def __str__(self) -> str:
        return f"{self.source}: no page was made: {self.why}"


class ErrorPages(Component):
    """Has errors look alike, whoever they are of: a page of the application's own stands in place of what an upstream
    says of its failure, and of what the proxy itself would say. ::

        sorry = '<!doctype html><title>Sorry</title><p>This does not work now.'
        ProxyHandler(site, filters=[ErrorPages({"5xx": sorry, 404: PageFrom(static, "/404.html")})])

    Programs get a problem document (RFC 9457), people the page: by what the client accepts, and where it has no opinion
    by what the upstream has answered with, JSON or a text. The status stays, and the answer is not stored by caches.

    ``pages``
        What people get: one page for all statuses, or some by status (``404``) or class (``"5xx"``). A page is text or
        bytes of HTML; a ``Page``; a function of the exchange and the status that makes one (``exchange.id`` is what the
        log knows the request by); or a handler (``PageFrom``). What the request says has to be escaped in HTML
        (``html.escape``). Without one it is a line of text.
    ``problems``
        The same for programs. Without one it is a problem document that says the status, its phrase and the id.
    ``statuses``
        Those of upstreams, and of handlers in general, that are replaced, as ``404`` or ``"5xx"``, for people and
        programs alike. By default all from 500 on; and those that ``pages`` names for people, those that ``problems``
        names for programs: what is below 500 is an application's answer to what was asked, and often something to
        read. With ``()`` only the proxy's own errors are.
    ``unless``
        Where it holds, everything stays as it is.
    ``unless_types``
        Answers of these media types stay: ``"application/problem+json"``, ``"application/*+json"``. Those of gRPC stay
        in any case: its errors are in trailers. Its clients get the plain form of the proxy's own errors.
    ``fields``
        The fields of an upstream's error that its page has, too; all others are dropped, cookies among them. By default
        ``KEPT``: what a client needs to ask better, or later, and what lets pages of other origins read the status.
    ``own``
        Whether it is also for the proxy's own errors, as far as there is a page for their status. All their fields
        stay. Logs and observers learn of the error as ever.
    ``traces``
        Whether an answer of any status that begins with a debug page or a stack trace is replaced, too, by the page for
        500, and noted in the security log: ``True``, or a ``DebugPages`` that says more.
    ``drain``
        Bytes at most of an answer that is not wanted that are read so that its connection can be used again, within
        half a second.

    Attempts, health, retries and ``Proxy-Status`` see the status that there was. A page that cannot be made is in the
    log ``revproxy.error`` and told of (``PageFailed``); the client gets the plain form.

    Let it stand outside of what may refuse, and inside of ``Cors`` and ``SecurityHeaders``, whose fields pages should
    have. What the proxy refuses before any filter sees it (a malformed request's 400, a head's 431, a declared length's
    413) has no page.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        pages: Pages | None = None,
        *,
        problems: Pages | None = None,
        statuses: Collection[Status] | None = None,
        unless: When | None = None,
        unless_types: Collection[str] = (),
        fields: Collection[str] = KEPT,
        own: bool = True,
        traces: bool | DebugPages = False,
        drain: int = 65536,
        name: str = "error-pages",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._pages = Table("pages", pages)
        self._problems = Table("problems", problems)
        given = frozenset(range(500, 600)) if statuses is None else statuses_of("statuses", statuses)
        if unless is not None and not isinstance(unless, When):
            raise TypeError(f"unless: {unless!r} is no condition: wrap a function in when.check()")
        if isinstance(unless_types, str):
            raise TypeError(f"unless_types: several of them, in a list, got {unless_types!r}")
        if type(drain) is not int or drain < 0:
            raise ValueError(f"drain must be an integer of at least 0, got {drain!r}")
        if not isinstance(traces, bool | DebugPages):
            raise TypeError(f"traces: {traces!r} is neither a bool nor a DebugPages")
        if not name:
            raise ValueError("name must not be empty")
        self.name: str = name
        self.replaced: int = 0
        """How many answers were replaced, ever, and how many of the proxy's errors got a page."""
        self.failed: int = 0
        """How many pages could not be made, ever."""
        self._of_people: frozenset[int] = given if statuses is not None else given | self._pages.named
        self._of_programs: frozenset[int] = given if statuses is not None else given | self._problems.named
        self._statuses = self._of_people | self._of_programs
        self._unless = unless
        types = "|".join(sorted(media_ranges(unless_types, "unless_types")))
        self._unless_types = re.compile(types) if types else None
        self._kept = Kept(fields)
        self._own = own
        self._traces = DebugPages(unless=unless, clock=clock) if traces is True else traces or None
        self._drain = drain
        self._clock = clock
        self._told_at = float("-inf")
        self.requires: frozenset[Key[Any]] = frozenset() if unless is None else unless.requires
        self.reads_path: bool = unless is not None and unless.reads_path

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        try:
            response = await (handler(exchange) if self._traces is None else self._traces(exchange, handler))
        except DebugPageShown as shown:
            await self._replace(exchange, shown)
            raise
        except ProxyError as error:
            if self._own:
                await self._dress(exchange, error)
            raise
        except Exception as bug:
            if not self._own:
                raise
            unexpected = InternalError(f"{type(bug).__name__}: {bug}")
            await self._dress(exchange, unexpected)
            raise unexpected from bug
        status = response.status
        if status not in self._statuses or response.body is exchange.get(_MADE) or self._is_exempt(exchange):
            return response
        kind = media_type(response.headers.getall(_CONTENT_TYPE, ()))
        if kind is not None and self._stands(kind):
            return response
        is_read = _is_read(exchange, kind)
        if status not in (self._of_people if is_read else self._of_programs):
            return _for_one(response)
        await drained(response.body, self._drain, _PATIENCE, self._clock)
        self.replaced += 1
        fields = CIMultiDict(self._kept.of(status, response.headers))
        page = await self._page(exchange, status, (self._pages if is_read else self._problems)[status], status, fields)
        answer = self._plain(exchange, status, is_read, fields) if page is None else page
        exchange[_MADE] = answer.body
        return answer

    async def _dress(self, exchange: Exchange, error: ProxyError) -> None:
        """Give ``error`` an answer of its own, if there is a page for it: so it is still what has happened."""
        status = error.status
        if status is None or status < 400 or error.answer is not None or self._is_exempt(exchange):
            return
        if exchange.inbound.headers.get(_CONTENT_TYPE, "")[: len(_GRPC)].lower() == _GRPC:
            return
        both, is_read = (self._problems[status], self._pages[status]), _is_read(exchange, None)
        fields = CIMultiDict(error.fields)
        page = await self._page(exchange, status, both[is_read], error, fields)
        if page is not None:
            self.replaced += 1
            error.answer, error.fields = page, page.headers
        elif both != (None, None):  # the other form has a page, or this one would have
            vary(fields, "Accept")
            error.fields = fields

    async def _replace(self, exchange: Exchange, shown: DebugPageShown) -> None:
        """Give what was caught an answer of its own, page or no page."""
        if shown.answer is not None or self._is_exempt(exchange):
            return
        self.replaced += 1
        status = max(shown.came, 500)
        is_read, fields = _is_read(exchange, shown.kind), CIMultiDict(shown.fields)
        page = await self._page(exchange, status, (self._pages if is_read else self._problems)[status], shown, fields)
        shown.answer = self._plain(exchange, status, is_read, fields) if page is None else page
        shown.fields = shown.answer.headers

    def _is_exempt(self, exchange: Exchange) -> bool:
        return self._unless is not None and self._unless.test(exchange)

    def _stands(self, kind: MediaType) -> bool:
        if kind.name.startswith(_GRPC):
            return True
        return self._unless_types is not None and self._unless_types.fullmatch(kind.name) is not None

    # Making it.

    async def _page(
        self,
        exchange: Exchange,
        status: int,
        source: Page | Function | PageFrom | None,
        why: ProxyError | int,
        fields: CIMultiDict[str],
    ) -> Response | None:
        """The answer that ``source`` makes for ``status``, with ``fields``; ``None`` if it makes none."""
        if source is None:
            return None
        exchange[INSTEAD_OF] = why
        try:
            if isinstance(source, PageFrom):
                return await asked(source, exchange, status, fields, self._clock)
            page = source if isinstance(source, Page) else await _called(source, exchange, status)
        except (Exception, asyncio.CancelledError) as failure:  # of what the page waited for, that is
            task = asyncio.current_task()
            if not isinstance(failure, Exception) and (task is None or task.cancelling()):
                raise
            self._note(source, failure)
            return None
        headers = _with_form(fields)
        headers[_CONTENT_TYPE] = page.content_type
        headers.update(page.headers)
        return Response(status if page.status is None else page.status, headers, Body(page.data))

    def _plain(self, exchange: Exchange, status: int, is_read: bool, fields: CIMultiDict[str]) -> Response:
        made = problem(exchange, status, phrase(status), text=is_read)
        headers = _with_form(fields)
        headers.update(made.headers)
        return Response(status, headers, made.body)

    def _note(self, source: Page | Function | PageFrom, failure: BaseException) -> None:
        self.failed += 1
        now = self._clock.now()
        if now - self._told_at >= _QUIET:
            self._told_at = now
            _log.error("%s: no page from %s", self.name, ascii(name_of(source))[1:-1], exc_info=failure)
            self.tell(PageFailed(self.name, ascii(repr(failure))[1:-1][:500]))

    def parts(self) -> Iterable[object]:
        return (*self._pages.parts(), *self._problems.parts(), *([] if self._traces is None else [self._traces]))

    def __repr__(self) -> str:
        low = sorted(each for each in self._statuses if each < 500)
        said = ", ".join(map(str, low)) + (", " if low else "") + f"{len(self._statuses) - len(low)} from 500 on"
        unless = "" if self._unless is None else f" unless {self._unless.outline}"
        return f"<ErrorPages {self.name}: {said}{unless}, {self.replaced} replaced, {self.failed} failed>"


async def _called(source: Function, exchange: Exchange, status: int) -> Page:
    content: object = source(exchange, status)
    if isinstance(content, Awaitable) or isawaitable(content):
        content = await content
    return made(name_of(source), content)


def _is_read(exchange: Exchange, kind: MediaType | None) -> bool:
    """Whether a person is to read it, who would rather have a page than JSON."""
    lean = leaning(exchange)
    return lean > 0 if lean else kind is not None and kind.name in _FOR_PEOPLE


def _for_one(response: Response) -> Response:
    """``response``, in whose place others would have got something else."""
    headers = response.headers.copy()  # the answer may be its handler's to give out again
    vary(headers, "Accept")
    return Response(response.status, headers, response.body, response.reason)


def _with_form(fields: CIMultiDict[str]) -> CIMultiDict[str]:
    """``fields`` of an answer in one of two forms that is about this request, now."""
    headers = fields.copy()
    vary(headers, "Accept")
    headers[_CACHE_CONTROL] = "no-store"
    headers[_CONTENT_TYPE_OPTIONS] = "nosniff"
    return headers
