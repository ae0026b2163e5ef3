"""Reading a request from aiohttp: what the client sent, and the first draft of what goes upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestPayloadError
from multidict import istr

from ._aiohttp import already_read, has_body, is_decompressed, is_touched, message, peername, secure, watch_body
from .body import EMPTY, Body
from .errors import BadRequest, BodyTooLarge, ClientDisconnected, InternalError, Phase, ProxyError
from .headers import forwarded_lines, passed_on
from .message import Inbound, Request
from .paths import Reading

__all__ = ["receive", "request_body", "split_absolute"]

_CONNECTION = istr("Connection")
_CONTENT_ENCODING = istr("Content-Encoding")
_CONTENT_LENGTH = istr("Content-Length")
_HOST = istr("Host")


def split_absolute(target: str) -> tuple[str, str] | None:
    """The authority and the origin-form of an absolute-form target (RFC 9112 section 3.2.2), or ``None``."""
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return None
    end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
    authority = rest[:end]
    return (authority, rest[end:]) if authority and "@" not in authority else None


def receive(request: web.BaseRequest, target: str, host: str | None, reading: Reading) -> tuple[Inbound, Request]:
    """What the client sent, and the draft made of it: hop-by-hop fields and what the client claims of its own origin
    are gone, ``X-Forwarded-*`` says what is known. The draft has no body yet.

    ``target`` is that of the request line, ``host`` the authority if the target named one, ``reading`` what
    ``PathPolicy`` makes of its origin-form.
    """
    head = message(request)
    headers = head.headers
    scheme = "https" if secure(request) else "http"
    peer = peername(request)
    if host is None:
        host = headers.get(_HOST, "")
    inbound = Inbound(
        head.method,
        target,
        headers,
        path=reading.path,
        query_string=reading.query,
        version=head.version,
        scheme=scheme,
        host=host,
        peer=peer,
        extra=request.get_extra_info,
    )
    connection = headers.getall(_CONNECTION) if _CONNECTION in headers else ()
    lines = passed_on(head.raw_headers, connection)
    lines.append(forwarded_lines(peer[0] if isinstance(peer, tuple) else None, host, scheme))
    declared = headers.get(_CONTENT_LENGTH)
    length = None if declared is None else int(declared.lstrip("0") or "0")
    draft = Request.of_lines(head.method, reading.target, b"\r\n".join(lines), length)
    if declared is not None and declared != str(length):
        draft.headers[_CONTENT_LENGTH] = str(length)  # "007" has two readings, it is told some servers
    return inbound, draft


def request_body(request: web.BaseRequest, draft: Request, limit: int | None) -> Body:
    """The body of ``request``: in memory if all of it is there, else streaming.

    Raises ``BodyTooLarge`` for a declared length over ``limit`` bytes, ``InternalError`` if something else has taken
    a part of the body from the stream.
    """
    declared = request.headers.get(_CONTENT_LENGTH)
    if not has_body(request):
        return EMPTY if declared is None else Body()
    data = already_read(request)
    content = request.content
    length = int(declared.lstrip("0") or "0") if declared is not None else None
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
            return _ClientBody(content, length, limit)
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

    __slots__ = ("_content", "_limit", "_taken")

    def __init__(self, content: StreamReader, length: int | None, limit: int | None) -> None:
        self.data = None
        self.length = length
        self._content = content
        self._limit = limit
        self._taken = False

    @property
    def overflow(self) -> type[ProxyError]:
        return BodyTooLarge

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        size = 0
        while True:
            try:
                chunk = await self._content.readany()
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
            yield chunk
