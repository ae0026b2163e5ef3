"""The base of filters that edit, or watch, what responses say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from multidict import CIMultiDict, MultiMapping, istr

from ...body import EMPTY, Body, Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...codings import is_readable
from ...errors import ResponseRefused
from ...exchange import Exchange
from ...handler import Component, Handler
from ...media_types import MediaType
from ...message import Response
from ..peeked import Peeked
from .accept import narrow, narrowed
from .body import ContentBody
from .handling import Handling, stricter
from .kind import is_endless, is_readable_text, kind_of
from .stages import Text

__all__ = ["ContentFilter"]

_ACCEPT_ENCODING = istr("Accept-Encoding")
_CACHE_CONTROL = istr("Cache-Control")
_CONTENT_ENCODING = istr("Content-Encoding")
_CONTENT_LENGTH = istr("Content-Length")
_ETAG = istr("ETag")
_IF_NONE_MATCH = istr("If-None-Match")
_RANGE, _IF_RANGE = istr("Range"), istr("If-Range")
_OF_THE_BYTES = tuple(
    istr(name) for name in ("Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest")
)
_PARTS = frozenset({206, 226})
"""Statuses of what is a part, or a change, of something (RFC 9110 section 15.3.7, RFC 3229 section 10.4.1)."""
_AT_ONCE = 1 << 20
"""Bytes at most that are worked out at once of a body that is in memory."""


class ContentFilter(Component, ABC):
    """Base of filters that edit what responses say, or only watch it, as it streams, whatever coding it is in. ::

        class Upper(ContentFilter):
            def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
                return UpperCase() if kind is not None and kind.name == "text/plain" else None

    A subclass says by ``transform`` what it does; the rest is done here. Content codings are undone for it and put on
    again (``Handling``), once for several such filters around each other. What is edited loses what speaks of its
    bytes: a strong ``ETag`` becomes a weak one (RFC 9110 section 8.8.1), ``Content-MD5``, the digests of RFC 9530 and
    ``Accept-Ranges`` go, and ``Content-Length`` if it changes. Answers to ``HEAD`` and 304 have the same fields. A
    response that is none of the filter's business goes on as it came.

    ``edits``
        Whether it changes anything. One that only watches lets the bytes go on that came, coding and all, once its
        transform has let go of what they say; it may refuse the rest.
    ``reads_text``
        Whether it has to understand characters. Such as have no ASCII among them are ``Handling.unreadable`` then.
    ``handling``
        What becomes of what cannot simply be edited.

    An error that ``transform`` or the ``Transform`` raises, as ``ResponseRefused``, is the answer as long as the head
    has not gone out; later it cuts the client's connection, so that a part is not taken for the whole. What is held is
    there by ``exchange.deadline``, which ``clock`` tells, or it is ``DeadlineExceeded`` (504).

    Not in a ``FailOpen``: what was begun to be read cannot be given out as it came.

    Raises ``TypeError`` for a handling that is none.
    """

    edits: bool = True
    reads_text: ClassVar[bool] = True
    handling: Handling = Handling()
    _time: Clock = SYSTEM_CLOCK

    def __init__(self, *, handling: Handling | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        handling = Handling() if handling is None else handling
        if not isinstance(handling, Handling):
            raise TypeError(f"handling: {handling!r} is not a Handling")
        self.handling = handling
        self._time = clock

    @property
    def keeps_length(self) -> bool:
        """Whether what comes out is as long as what went in, always."""
        return not self.edits

    @property
    def hold(self) -> int:
        """Bytes that its transform has to let go of before the head goes out, or all if there are fewer, so that the
        client gets a proper answer where the rest is refused. It is no longer than ``hold`` anyway for what a client
        reads as it comes, as ``text/event-stream``: that waits for nothing. Where it only watches what is in a coding,
        they are counted as they are in that, so that more is watched."""
        return 0

    @property
    def narrows(self) -> bool:
        """Whether the upstream is told only of content codings that can be undone. A filter that reads nothing, or
        refuses nothing whatever it is, has no need of it."""
        return True

    @abstractmethod
    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        """What edits, or watches, what ``response`` says; a new one for each. ``None``: it is none of this filter's
        business.

        ``kind`` is its media type; ``None`` where there is none, or one that cannot be understood, or where it is
        several parts of something (``multipart/byteranges``). Called also where there is no content (``HEAD``).
        """

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        draft = exchange.request
        # To read the draft's own fields would cost their decoding, and they are what came as long as nobody has.
        asked: MultiMapping[str] = exchange.inbound.headers if draft.lines is not None else draft.headers
        accepted = asked.getall(_ACCEPT_ENCODING, ()) if self.narrows else ()
        if len(accepted) > 1 or (accepted and narrowed(accepted[0]) != accepted[0]):
            narrow(draft)
        if _RANGE in asked and self.handling.ranges == "strip":
            draft.headers.popall(_RANGE, None)
            draft.headers.popall(_IF_RANGE, None)
        response = await handler(exchange)
        status = response.status
        if status in (101, 204) or (status == 205 and response.body.length == 0):
            return response
        if status == 304:
            return self._not_modified(exchange, response)
        try:
            return await self._seen(exchange, response)
        except BaseException:
            response.body.close()
            raise

    async def _seen(self, exchange: Exchange, response: Response) -> Response:
        kind = kind_of(response)
        transform = self.transform(exchange, response, kind)
        if transform is None:
            return response
        handling, body = self.handling, response.body
        is_head = exchange.inbound.method == "HEAD"
        if response.status in _PARTS and not is_head:
            if handling.unreadable == "pass" and not self.edits:
                return response
            raise ResponseRefused("a part of what would have to be looked into as a whole")
        # A filter further in has undone the coding, and can do so for this one.
        inner = body if isinstance(body, ContentBody) and not body.taken else None
        coding = _coding(response.headers) if inner is None else inner.coding
        if coding is None or (self.reads_text and not is_readable_text(kind, response)):
            if handling.unreadable == "refuse":
                raise ResponseRefused("a content coding, or characters, that cannot be read")
            return response
        if self.edits and handling.no_transform != "edit" and _forbids(response.headers):
            if handling.no_transform == "refuse":
                raise ResponseRefused("it says no-transform")
            return response
        headers = response.headers
        if self.edits:
            headers = headers.copy()  # the answer may be its handler's to give out again
            self._edit(headers, coding)
        if not is_head:
            if self.reads_text:
                transform = Text(transform, passes=handling.unreadable == "pass")
            body = await self._body(exchange, body, inner, transform, coding, kind)
        return Response(response.status, headers, body, response.reason)

    async def _body(
        self,
        exchange: Exchange,
        came: Body,
        inner: ContentBody | None,
        transform: Transform,
        coding: str,
        kind: MediaType | None,
    ) -> Body:
        if came is EMPTY:
            came = Body()
        resizes = self.edits and (bool(coding) or not self.keeps_length)
        recode = not self.edits or self.handling.recode
        body = ContentBody(
            came if inner is None else inner.source,
            (transform,) if inner is None else (*inner.transforms, transform),
            coding=coding,
            edits=self.edits if inner is None else self.edits or inner.edits,
            recode=recode if inner is None else recode and inner.recode,
            handling=self.handling if inner is None else stricter(self.handling, inner.handling),
            length=None if resizes else came.length,
        )
        hold = 0 if is_endless(kind) else self.hold
        if came.data is not None:
            hold = max(hold, _AT_ONCE)
        if not hold:
            return body
        peeked = Peeked(body)
        data = await peeked.peek_until(exchange.deadline, hold, self._time)
        if data is None:
            return peeked
        return Body.unsized(data) if came.length is None else Body(data)

    def _edit(self, headers: CIMultiDict[str], coding: str) -> None:
        if coding or not self.keeps_length:
            headers.popall(_CONTENT_LENGTH, None)
        if not self.handling.recode:
            headers.popall(_CONTENT_ENCODING, None)
        for name in _OF_THE_BYTES:
            headers.popall(name, None)
        tag = headers.get(_ETAG)
        if tag is not None and not tag.startswith("W/"):
            headers[_ETAG] = f"W/{tag}"

    def _not_modified(self, exchange: Exchange, response: Response) -> Response:
        """What the client has is what was edited: known by a weak tag, if it was (RFC 9110 section 15.4.5)."""
        tag = response.headers.get(_ETAG) if self.edits and _IF_NONE_MATCH in exchange.inbound.headers else None
        if tag is None or f"W/{tag}" not in ",".join(exchange.inbound.headers.getall(_IF_NONE_MATCH)):
            return response
        headers = response.headers.copy()
        headers[_ETAG] = f"W/{tag}"
        return Response(304, headers, response.body, response.reason)


def _coding(headers: CIMultiDict[str]) -> str | None:
    """The one coding that the content is in, ``""`` for none; ``None`` if it cannot be undone."""
    said = [each.strip(" \t").lower() for each in ",".join(headers.getall(_CONTENT_ENCODING, ())).split(",")]
    codings = [each for each in said if each not in ("", "identity")]
    if not codings:
        return ""
    return codings[0] if len(codings) == 1 and is_readable(codings[0]) else None


def _forbids(headers: CIMultiDict[str]) -> bool:
    said = ",".join(headers.getall(_CACHE_CONTROL, ())).lower()
    return "no-transform" in (each.strip(" \t") for each in said.split(","))
