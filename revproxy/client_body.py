"""Request bodies: in memory if all of it is there, else as they arrive from the client."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import HttpVersion10, web
from aiohttp.web_protocol import RequestPayloadError
from multidict import istr

from ._aiohttp import (
    already_read,
    has_body,
    is_continued,
    is_decompressed,
    is_touched,
    is_untouched,
    more_chunks,
    watch_body,
)
from .body import Body
from .errors import BadRequest, BodyTooLarge, ClientDisconnected, InternalError, Phase, ProxyError
from .message import Request

__all__ = ["client_body"]

_CONTENT_ENCODING = istr("Content-Encoding")
_EXPECT = istr("Expect")
MAX_TINY_CHUNKS = 4096
"""Chunks of a request body that may be smaller than 8 bytes on average; more are an attack on whoever reads them."""


def client_body(request: web.BaseRequest, draft: Request, length: int | None, limit: int | None) -> Body:
    """The body of ``request``: in memory if all of it is there, else streaming.

    Raises ``BodyTooLarge`` for a declared ``length`` over ``limit`` bytes, ``InternalError`` if something else has
    taken a part of the body from the stream.
    """
    if not has_body(request):
        return Body()
    data = already_read(request)
    content = request.content
    if is_decompressed(content):
        # The server has undone the coding: what is forwarded is the content itself.
        draft.headers.popall(_CONTENT_ENCODING, None)
        length = None
    if data is None:
        if is_touched(content):
            raise InternalError("something has read a part of the request body before it was forwarded")
        if limit is not None and length is not None and length > limit:
            raise BodyTooLarge(f"a request body of {length} bytes exceeds the limit of {limit}")
        if not content.is_eof() or content.exception() is not None:
            watch_body(request)
            return _ClientBody(request, length, limit)
        data = content.read_nowait()
    if limit is not None and len(data) > limit:
        raise BodyTooLarge(f"a request body of {len(data)} bytes exceeds the limit of {limit}")
    return _ReceivedBody(data, sized=length is not None)


class _ReceivedBody(Body):
    """A request body that was there at once."""

    __slots__ = ()

    def __init__(self, data: bytes, *, sized: bool) -> None:
        super().__init__(data)
        if not sized:
            self.length = None

    @property
    def overflow(self) -> type[ProxyError]:
        return BodyTooLarge


class _ClientBody(Body):
    """A request body as it arrives from the client."""

    __slots__ = ("_content", "_limit", "_request", "_taken", "expects")

    expects: bool  # type: ignore[misc]  # here it depends

    def __init__(self, request: web.BaseRequest, length: int | None, limit: int | None) -> None:
        self.data = None
        self.length = length
        self._request = request
        self._content = request.content
        self._limit = limit
        self._taken = False
        # HTTP/1.0 knows nothing of it, and who sends already need not be told (RFC 9110 section 10.1.1).
        self.expects = (
            _EXPECT in request.headers
            and request.version != HttpVersion10
            and is_untouched(request)
            and not is_continued(request)
        )

    @property
    def overflow(self) -> type[ProxyError]:
        return BodyTooLarge

    @property
    def taken(self) -> bool:
        return self._taken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        if self.expects:
            self.expects = False
            transport = self._request.transport
            if transport is not None and is_untouched(self._request) and not self._request.writer.output_size:
                transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        content = self._content
        size = chunks = 0
        while True:
            try:
                if self.length is None:
                    chunk, ended = await content.readchunk()
                    chunks += ended
                    if more_chunks(content):
                        parts = [chunk]
                        while more_chunks(content):
                            parts.append((await content.readchunk())[0])
                        chunks += len(parts) - 1
                        chunk = b"".join(parts)
                    if not chunk and ended and not content.at_eof():
                        continue
                else:
                    chunk = await content.readany()
            except RequestPayloadError as error:
                raise BadRequest(f"malformed request body: {error}") from None
            except Exception as error:
                failure = ClientDisconnected(f"the client went away in the middle of its request body: {error}")
                failure.phase = Phase.REQUEST
                raise failure from None
            if not chunk:
                return
            size += len(chunk)
            if self._limit is not None and size > self._limit:
                raise BodyTooLarge(f"a request body exceeds the limit of {self._limit} bytes")
            if chunks > MAX_TINY_CHUNKS and size < 8 * chunks:
                raise BadRequest(f"{chunks} chunks of {size / chunks:.1f} bytes on average")
            yield chunk
