"""Reading a request from aiohttp: what the client sent, and the first draft of what goes upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from operator import attrgetter

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.web_protocol import RequestPayloadError
from multidict import CIMultiDictProxy, istr

from ._aiohttp import (
    already_read,
    arrived,
    has_body,
    is_continued,
    is_decompressed,
    is_touched,
    is_untouched,
    more_chunks,
    watch_body,
)
from .body import Body
from .errors import (
    BadRequest,
    BodyTooLarge,
    ClientDisconnected,
    CodingNotSupported,
    ExpectationFailed,
    HeadTooLarge,
    InternalError,
    LastHop,
    MethodNotAllowed,
    Phase,
    ProxyError,
    VersionNotSupported,
)
from .facts import ClientAddress
from .forwarded import Introduction
from .headers import MAX_CONNECTION, REQUEST_FIELDS, TRUSTED_REQUEST_FIELDS, RequestFields, passed_on
from .message import HttpVersion, Inbound, Request, request_of_lines
from .paths import Reading, canonical
from .ranges import is_sane

__all__ = ["receive"]

_CONNECTION = istr("Connection")
_CONTENT_ENCODING = istr("Content-Encoding")
_CONTENT_LENGTH = istr("Content-Length")
_EXPECT = istr("Expect")
_HOST = istr("Host")
_IF_RANGE = istr("If-Range")
_MAX_FORWARDS = istr("Max-Forwards")
_RANGE = istr("Range")
_VIA = istr("Via")
MAX_TINY_CHUNKS = 4096
"""Chunks of a request body that may be smaller than 8 bytes on average; more are an attack on whoever reads them."""
_REFUSED = {
    "CONNECT": "CONNECT is not for a reverse proxy (RFC 9110 section 9.3.6)",
    "TRACE": "TRACE would show fields that scripts must not see (RFC 9110 section 9.3.8)",
}
MAX_FIELDS = 65536
"""Bytes of request fields at most; beyond: 431."""
_UNREAD = Reading("", "", None)
_of_head = attrgetter("method", "path", "version", "headers", "raw_headers", "chunked")
_VERSIONS = (HttpVersion11, HttpVersion10)


def receive(
    request: web.BaseRequest,
    read: Callable[[str], Reading],
    strip: str,
    introduction: Introduction,
    max_body: int | None,
) -> tuple[Inbound, Request, ProxyError | None]:
    """What the client sent, the draft made of it, and why it must not go on, if it must not.

    Hop-by-hop fields and what the client claims of its own origin are not in the draft; the ``introduction`` says what
    is known. ``read`` is what ``PathPolicy.bind`` made, ``strip`` the path to take off the target, ``max_body`` the
    bytes of a body at most.
    """
    head, peer, secure = arrived(request)
    method, target, version, headers, raw_headers, coded = _of_head(head)
    host: str | None = None
    hops: int | None = None
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
        expectation = headers.get(_EXPECT)
        if expectation is not None and expectation.lower() != "100-continue":
            raise ExpectationFailed(f"Expect: {expectation[:80]!r}")
        origin = target
        if method in _REFUSED:
            raise MethodNotAllowed(_REFUSED[method])
        if method == "OPTIONS":
            hops = _hops(headers)
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
    if not host and version is not HttpVersion10 and refused is None:
        refused = BadRequest("no host")
    address = peer[0] if type(peer) is tuple else None
    claim = None
    names: RequestFields = REQUEST_FIELDS
    if introduction.trusted is not None:
        claim = introduction.trusted.claim(ClientAddress.of_peer(peer), headers)
        if claim is not None:
            names, scheme, host = TRUSTED_REQUEST_FIELDS, claim.scheme or scheme, claim.host or host
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
    lines: list[bytes] = []
    if refused is None:
        try:
            lines = passed_on(raw_headers, connection, names)
            if claim is None:
                lines.append(introduction[address, host, scheme, strip])
            else:
                inbound.introduce(claim.client)
                lines.append(introduction.continued(address, host, scheme, strip, headers))
            if introduction.via is not None:
                if version is HttpVersion10:
                    lines[-1] = lines[-1].replace(b"\r\nVia: 1.1 ", b"\r\nVia: 1.0 ")
                via = headers.getall(_VIA, None)
                if via is not None:
                    introduction.check_hops(via)
        except ProxyError as error:
            refused = error
            lines = []
    declared = headers.get(_CONTENT_LENGTH)
    length = None if declared is None else int(declared.lstrip("0") or "0")
    joined = b"\r\n".join(lines)
    if len(joined) > MAX_FIELDS and refused is None:
        refused = HeadTooLarge(f"{len(joined)} bytes of fields")
    draft = request_of_lines(method, upstream_target, joined, length)
    if hops is not None:
        draft.headers[_MAX_FORWARDS] = str(hops)
    ranges = headers.get(_RANGE)
    if ranges is not None and "," in ranges and not is_sane(ranges):
        draft.headers.popall(_RANGE, None)  # as if nobody had asked: the whole (RFC 9110 section 14.2)
        draft.headers.popall(_IF_RANGE, None)
    if declared is not None and declared != str(length):
        draft.headers[_CONTENT_LENGTH] = str(length)  # "007" has two readings, it is told some servers
    if refused is None and (declared is not None or has_body(request)):
        try:
            draft.body = _body(request, draft, length, max_body)
        except ProxyError as error:
            refused = error
    return inbound, draft, refused


def _hops(headers: CIMultiDictProxy[str]) -> int | None:
    """What ``Max-Forwards`` says to whoever is next (RFC 9110 section 7.6.2). At 0 the request ends here."""
    value = headers.get(_MAX_FORWARDS)
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= 9):
        return None
    if int(value) == 0:
        raise LastHop("Max-Forwards: 0")
    return int(value) - 1


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
