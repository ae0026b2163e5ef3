"""Reading a request from aiohttp: what the client sent, and the first draft of what goes upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from operator import attrgetter

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestPayloadError
from multidict import istr

from ._aiohttp import already_read, arrived, has_body, is_decompressed, is_touched, watch_body
from .body import Body
from .errors import (
    BadRequest,
    BodyTooLarge,
    ClientDisconnected,
    CodingNotSupported,
    InternalError,
    MethodNotAllowed,
    Phase,
    ProxyError,
    VersionNotSupported,
)
from .headers import FORWARDED_LINES, MAX_CONNECTION, passed_on
from .message import HttpVersion, Inbound, Request, request_of_lines
from .paths import Reading, canonical

__all__ = ["receive"]

_CONNECTION = istr("Connection")
_CONTENT_ENCODING = istr("Content-Encoding")
_CONTENT_LENGTH = istr("Content-Length")
_HOST = istr("Host")
_UNREAD = Reading("", "", None)
_of_head = attrgetter("method", "path", "version", "headers", "raw_headers", "chunked")
_VERSIONS = (HttpVersion11, HttpVersion10)


def receive(
    request: web.BaseRequest, read: Callable[[str], Reading], strip: str, max_body: int | None
) -> tuple[Inbound, Request, ProxyError | None]:
    """What the client sent, the draft made of it, and why it must not go on, if it must not.

    Hop-by-hop fields and what the client claims of its own origin are not in the draft, ``X-Forwarded-*`` says what is
    known. ``read`` is what ``PathPolicy.bind`` made, ``strip`` the path to take off the target, ``max_body`` the bytes
    of a body at most.
    """
    head, peer, secure = arrived(request)
    method, target, version, headers, raw_headers, coded = _of_head(head)
    host: str | None = None
    reading = _UNREAD
    refused: ProxyError | None = None
    connection = headers.getall(_CONNECTION, ())
    try:
        if version not in _VERSIONS:
            raise VersionNotSupported(f"HTTP/{version.major}.{version.minor}")
        if coded:
            _check_coding(headers.getall("Transfer-Encoding", []), version)
        if connection and sum(map(len, connection)) > MAX_CONNECTION:
            raise BadRequest(f"over {MAX_CONNECTION} characters of Connection")
        origin = target
        if method == "CONNECT":
            raise MethodNotAllowed("CONNECT is not for a reverse proxy (RFC 9110 section 9.3.6)")
        if target[:1] != "/":
            host, origin = _authority_and_path(method, target)
        reading = read(origin)
        if strip:
            reading = _below(strip, reading)
    except ProxyError as error:
        refused = error
    upstream_target, path, query = reading
    scheme = "https" if secure else "http"
    if host is None:
        host = headers.get(_HOST, "")
    inbound = Inbound(
        method,
        target,
        headers,
        path,
        query,
        version,
        scheme,
        host,
        peer,
        request.get_extra_info,
    )
    lines = passed_on(raw_headers, connection)
    lines.append(FORWARDED_LINES[peer[0] if type(peer) is tuple else None, host, scheme])
    declared = headers.get(_CONTENT_LENGTH)
    length = None if declared is None else int(declared.lstrip("0") or "0")
    draft = request_of_lines(method, upstream_target, b"\r\n".join(lines), length)
    if declared is not None and declared != str(length):
        draft.headers[_CONTENT_LENGTH] = str(length)  # "007" has two readings, it is told some servers
    if refused is None and (declared is not None or coded):
        try:
            draft.body = _body(request, draft, length, max_body)
        except ProxyError as error:
            refused = error
    return inbound, draft, refused


def _check_coding(codings: list[str], version: HttpVersion) -> None:
    """Refuse what aiohttp lets through (RFC 9112 section 6.1): other codings below chunked would be lost."""
    if version != (1, 1):
        raise BadRequest("Transfer-Encoding in an HTTP/1.0 request")
    if [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
        raise CodingNotSupported(f"Transfer-Encoding {', '.join(codings)!r} is not exactly chunked")


def _authority_and_path(method: str, target: str) -> tuple[str | None, str]:
    """What a target names that is not in origin-form: absolute-form or ``*`` (RFC 9112 section 3.2)."""
    if target == "*":
        if method != "OPTIONS":
            raise BadRequest(f"the target * goes with OPTIONS only, not with {method}")
        return None, target
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        end = min((at for at in (rest.find(mark) for mark in "/?#") if at >= 0), default=len(rest))
        authority = rest[:end]
        if authority and "@" not in authority:
            return authority, rest[end:]
    raise BadRequest("the target is neither a path nor an http URL")


def _below(prefix: str, reading: Reading) -> Reading:
    """``reading`` with the first segments taken off its target, as many as ``prefix`` has."""
    prefix = canonical(prefix).rstrip("/")
    if reading.path != prefix and not reading.path.startswith(f"{prefix}/"):
        raise InternalError(f"strip: {prefix!r} is no prefix of {reading.path!r}")
    path, mark, query = reading.target.partition("?")
    for _ in range(prefix.count("/")):
        path = path[1:]
        cut = path.find("/")
        path = "" if cut < 0 else path[cut:]
    return reading._replace(target=(path or "/") + mark + query)


def _body(request: web.BaseRequest, draft: Request, length: int | None, limit: int | None) -> Body:
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
