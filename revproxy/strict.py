"""What of a request's head must not be forwarded, whatever the server has let in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from multidict import CIMultiDictProxy, istr

from .errors import (
    BadFraming,
    BadHandshake,
    BadRequest,
    CodingNotSupported,
    ExpectationFailed,
    LastHop,
    MethodNotAllowed,
    VersionNotSupported,
)
from .headers import MAX_CONNECTION
from .message import HttpVersion
from .wire.handshake import is_key

__all__ = ["check_head", "hops_left", "protocol_asked", "split_target"]

_CONTENT_LENGTH = istr("Content-Length")
_EXPECT = istr("Expect")
_MAX_FORWARDS = istr("Max-Forwards")
_UPGRADE = istr("Upgrade")
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_WEBSOCKET_KEY = istr("Sec-WebSocket-Key")
_WEBSOCKET_VERSION = istr("Sec-WebSocket-Version")
_VERSIONS = ((1, 1), (1, 0))

_REFUSED = {
    "CONNECT": "CONNECT is not for a reverse proxy (RFC 9110 section 9.3.6)",
    "TRACE": "TRACE would show fields that scripts must not see (RFC 9110 section 9.3.8)",
}


def check_head(
    method: str,
    version: HttpVersion,
    headers: CIMultiDictProxy[str],
    connection: Sequence[str],
    *,
    coded: bool,
    upgrade: bool,
) -> None:
    """Raise the ``ProxyError`` that says why a request is not forwarded, if it must not be.

    ``connection`` are the values of ``Connection`` among ``headers``; ``coded``: there is a transfer coding;
    ``upgrade``: the client asks for another protocol.
    """
    if version not in _VERSIONS:
        raise VersionNotSupported(f"HTTP/{version[0]}.{version[1]}")
    codings = headers.getall(_TRANSFER_ENCODING, None)
    if coded or codings is not None:
        _check_coding(codings or [], version)
    # Other tokens than the one that the server's parser takes for a switch (h2c above all) mean nothing here.
    if (
        upgrade
        and headers.get(_UPGRADE, "").lower() == "websocket"
        and (coded or headers.get(_CONTENT_LENGTH, "").strip("0"))
    ):
        raise BadFraming("a body in a request for another protocol")  # CVE-2026-58055 and its kin
    if connection and sum(map(len, connection)) > MAX_CONNECTION:
        raise BadRequest(f"over {MAX_CONNECTION} characters of Connection")
    expected = headers.getall(_EXPECT, None)
    if expected is not None and [each.lower() for each in expected] != ["100-continue"]:
        raise ExpectationFailed(f"Expect: {', '.join(expected)[:80]!r}")
    if method in _REFUSED:
        raise MethodNotAllowed(_REFUSED[method])


def _check_coding(codings: list[str], version: HttpVersion) -> None:
    """Refuse what aiohttp lets through (RFC 9112 section 6.1): other codings below chunked would be lost."""
    if version != (1, 1):
        raise BadFraming("Transfer-Encoding in an HTTP/1.0 request")
    if not any(codings):
        raise BadFraming("an empty Transfer-Encoding")
    if [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
        raise CodingNotSupported(f"Transfer-Encoding {', '.join(codings)!r} is not exactly chunked")


def split_target(method: str, target: str) -> tuple[str | None, str]:
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


def protocol_asked(
    method: str, version: HttpVersion, headers: CIMultiDictProxy[str], upgrades: Collection[str]
) -> str | None:
    """The token of the protocol that a client asks for by ``Upgrade``, if it is one of ``upgrades``, lower-cased. What
    is none, HTTP/1.0 or a list, is an ordinary request without it (RFC 9110 section 7.8).

    Raises ``BadHandshake`` for a WebSocket's that no server should take (RFC 6455 section 4.2.1).
    """
    tokens = headers.getall(_UPGRADE, ())
    protocol = tokens[0].lower() if len(tokens) == 1 else ""
    if protocol not in upgrades or version != (1, 1):
        return None
    if protocol == "websocket":
        if method != "GET":
            return None
        keys = headers.getall(_WEBSOCKET_KEY, ())
        if len(keys) != 1 or not is_key(keys[0]):
            raise BadHandshake(f"Sec-WebSocket-Key: {', '.join(keys)[:80]!r}")
        versions = headers.getall(_WEBSOCKET_VERSION, ())
        if versions != ["13"]:
            raise BadHandshake(f"Sec-WebSocket-Version: {', '.join(versions)[:80]!r}")
    return protocol


def hops_left(headers: CIMultiDictProxy[str]) -> int | None:
    """What ``Max-Forwards`` says to whoever is next (RFC 9110 section 7.6.2). At 0 the request ends here."""
    value = headers.get(_MAX_FORWARDS)
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= 9):
        return None
    if int(value) == 0:
        raise LastHop("Max-Forwards: 0")
    return int(value) - 1
