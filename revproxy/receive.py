"""Reading a request from aiohttp: what the client sent, and the first draft of what goes upstream."""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import attrgetter, itemgetter

from aiohttp import HttpVersion10, HttpVersion11, web
from multidict import CIMultiDictProxy, istr

from ._aiohttp import arrived, has_body, on_unix
from .canonical import below, canonical
from .client_body import client_body
from .errors import BadFraming, BadRequest, ClientDisconnected, HeadTooLarge, InternalError, ProxyError
from .facts import ClientAddress
from .forwarded import Introduction
from .headers import passed_on
from .message import Inbound, Request, request_of_lines
from .paths import Reading
from .ranges import is_sane
from .strict import check_head, hops_left, protocol_asked, split_target
from .trust import Claim, is_authority

__all__ = ["receive"]

_CONNECTION = istr("Connection")
_CONTENT_LENGTH = istr("Content-Length")
_HOST = istr("Host")
_IF_RANGE = istr("If-Range")
_MAX_FORWARDS = istr("Max-Forwards")
_RANGE = istr("Range")
_VIA = istr("Via")
MAX_FIELDS = 65536
"""Bytes of request fields at most; beyond: 431."""
MAX_LENGTH = 10**18 - 1
"""Bytes that a body may declare, as of responses. What counts in 64 bits makes something else of more: aiohttp's parser
takes the largest number for no body at all."""
_UNREAD = Reading("", "", None)
_USUAL = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_name = itemgetter(0)
_of_head = attrgetter("method", "path", "version", "headers", "raw_headers", "chunked", "upgrade")


def receive(
    request: web.BaseRequest,
    read: Callable[[str], Reading],
    strip: str,
    inside: str,
    introduction: Introduction,
    max_body: int | None,
    upgrades: Collection[str],
) -> tuple[Inbound, Request, ProxyError | None]:
    """What the client sent, the draft made of it, and why it must not go on, if it must not.

    Hop-by-hop fields and what the client claims of its own origin are not in the draft; the ``introduction`` says what
    is known. ``read`` is what ``PathPolicy.bind`` made, ``strip`` the path to take off the target, ``inside`` one that
    it must be below once it is read, ``max_body`` the bytes of a body at most, ``upgrades`` the protocols that a client
    may ask for.
    """
    head, peer, secure = arrived(request)
    method, target, version, headers, raw_headers, coded, upgrade = _of_head(head)
    scheme = "https" if secure else "http"
    address = None
    gone = False
    if type(peer) is tuple:
        address = peer[0]
    elif on_unix(request):
        peer = peer if isinstance(peer, str | bytes) else ""
    else:  # nobody knows any more who that was, and what is decided by the address would be decided wrongly
        peer, gone = None, True
    host = headers.get(_HOST, "")
    connection = headers.getall(_CONNECTION, ())
    declared = headers.get(_CONTENT_LENGTH)
    length = None if declared is None else int(declared.lstrip("0") or "0")
    names = introduction.names
    claim: Claim | None = None
    if introduction.trusted is not None:
        claim = introduction.trusted.claim(ClientAddress.of_peer(peer), headers)
        if claim is not None:
            names = introduction.trusted_names
    reading = _UNREAD
    refused: ProxyError | None = None
    lines: list[bytes] = []
    seldom = False
    protocol: str | None = None
    try:
        if gone:
            raise ClientDisconnected("the client went away before its request was read")
        if length is not None and length > MAX_LENGTH:
            raise BadFraming(f"Content-Length {length}")
        lines = passed_on(raw_headers, connection, names)
        # Whether there is any of the fields that few requests have: one question instead of one for each.
        seldom = not names.seldom.isdisjoint(map(_name, raw_headers))
        if seldom or coded or upgrade or connection or version is not HttpVersion11 or method not in _USUAL:
            check_head(method, version, headers, connection, coded=coded, upgrade=upgrade)
            if upgrade:
                protocol = protocol_asked(method, version, headers, upgrades)
        origin = target
        if target[:1] != "/":
            named, origin = split_target(method, target)
            host = host if named is None else named
        reading = read(origin)
        if strip:
            reading = _stripped(strip, reading, origin)
        if inside and reading.target != origin:
            _check_inside(inside, reading)
        if not host and version != HttpVersion10:
            raise BadRequest("no host")
        if claim is None:
            lines.append(introduction[address, host, scheme, strip])
        else:
            if host and not is_authority(host):
                raise BadRequest("the host is not one host with or without a port")
            scheme, host = claim.scheme or scheme, claim.host or host
            lines.append(introduction.continued(address, host, scheme, strip, headers, claim.client))
        if introduction.via is not None:
            if version is not HttpVersion11 and version == HttpVersion10:
                lines[-1] = b"Via: 1.0 ".join(lines[-1].rsplit(b"Via: 1.1 ", 1))
            if seldom:
                introduction.check_hops(headers.getall(_VIA, ()))
    except ProxyError as error:
        refused = error
        lines = []
    upstream_target, path, query = reading
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
    if claim is not None:
        inbound.introduce(claim.client)
    joined = b"\r\n".join(lines)
    if len(joined) > MAX_FIELDS and refused is None:
        refused = HeadTooLarge(f"{len(joined)} bytes of fields")
    draft = request_of_lines(method, upstream_target, joined, length)
    if strip:
        draft.moves = ((canonical(strip).rstrip("/"), ""),)
    if seldom and refused is None:
        refused = _edit(method, headers, draft)
    if declared is not None and declared != str(length):
        draft.headers[_CONTENT_LENGTH] = str(length)  # "007" has two readings, it is told some servers
    if protocol is not None and refused is None:
        if has_body(request):
            refused = BadFraming("a body in a request for another protocol")  # whose first bytes it could be
        draft.upgrade = protocol
    elif refused is None and (declared is not None or has_body(request)):
        try:
            draft.body = client_body(request, draft, length, max_body)
        except ProxyError as error:
            refused = error
    return inbound, draft, refused


def _edit(method: str, headers: CIMultiDictProxy[str], draft: Request) -> ProxyError | None:
    """Edit what few requests have in the draft; say why it must not go on, if it must not."""
    if method == "OPTIONS":
        try:
            hops = hops_left(headers)
        except ProxyError as error:
            return error
        if hops is not None:
            draft.headers[_MAX_FORWARDS] = str(hops)
    ranges = headers.get(_RANGE)
    if ranges is not None and "," in ranges and not is_sane(ranges):
        draft.headers.popall(_RANGE, None)  # as if nobody had asked: the whole (RFC 9110 section 14.2)
        draft.headers.popall(_IF_RANGE, None)
    return None


def _check_inside(inside: str, reading: Reading) -> None:
    """Raise ``BadRequest`` if dot segments that a policy resolves have led out of where aiohttp has found the proxy."""
    prefix = canonical(inside).rstrip("/")
    if reading.path != prefix and not reading.path.startswith(f"{prefix}/"):
        raise BadRequest("dot segments lead out of where the proxy is mounted")


def _stripped(strip: str, reading: Reading, origin: str) -> Reading:
    """``reading``, of ``origin``, with the segments of ``strip`` taken off its target."""
    prefix = canonical(strip).rstrip("/")
    rest = below(prefix, reading.path, reading.target)
    if rest is None:
        if reading.target != origin:
            _check_inside(strip, reading)
        raise InternalError(f"strip: {prefix!r} is no prefix of {reading.path!r}")
    return reading._replace(target=rest)
