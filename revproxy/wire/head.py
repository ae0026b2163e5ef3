"""Message heads without I/O: writing a request's, reading a response's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..body import EMPTY, Body
from ..endpoint import Endpoint
from ..errors import ProtocolError, ResponseHeadTooLarge
from ..headers import MAX_CONNECTION, PLAIN_CONNECTION, RESPONSE_DROPPED, is_protocol, is_token, nominated
from ..message import Request
from .framing import Framing, framing

__all__ = ["ResponseHead", "read_head", "request_head"]

_VERSION = b" HTTP/1.1\r\n"
_TARGET = re.compile(rb"[!-~\x80-\xff]++")
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def request_head(request: Request, endpoint: Endpoint, host: str = "") -> bytes:
    """The head that is sent to ``endpoint`` for ``request``, with ``host`` as its ``Host`` if there is one and the
    request does not name another; else the endpoint's own.

    The framing follows from the body: no field for none, ``Content-Length`` for a known length, else chunked (RFC
    9112 section 6). Raises ``ValueError`` for a method, target or field that must not reach a wire.
    """
    method, target, body = request.method, request.target, request.body
    if target is not request.came_target or method not in _KNOWN_METHODS:
        _check_start(method, target)
    if endpoint.rebases:
        target = endpoint.target(target)
    start = f"{method} {target}".encode("utf-8", "surrogateescape")
    length = None if body is EMPTY else body.length
    lines = request.lines
    version_and_host = f" HTTP/1.1\r\nHost: {host}\r\n".encode("ascii") if host else endpoint.version_and_host
    if lines is not None and request.came_declared == length:
        start += version_and_host
    else:
        start += _VERSION if request.names_host else version_and_host
        lines = request.field_lines(length)
    if request.upgrade is not None:
        lines += _switch(request, body)
    if body is not EMPTY:
        if body.expects:
            lines += b"Expect: 100-continue\r\n"
        if length is None:
            lines += b"Transfer-Encoding: chunked\r\n"
    return start + lines + b"\r\n"


def _switch(request: Request, body: Body) -> bytes:
    """The fields that ask for another protocol (RFC 9110 section 7.8)."""
    protocol = request.upgrade
    if body is not EMPTY or protocol is None or not is_protocol(protocol):
        raise ValueError(f"upgrade: {protocol!r} with {body!r}, but it has to be a protocol, and there may be no body")
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocol.encode("ascii")


def _check_start(method: str, target: object) -> None:
    if method not in _KNOWN_METHODS and (method == "CONNECT" or not is_token(method)):
        raise ValueError(f"{method!r} is not a method")
    if not isinstance(target, str) or _TARGET.fullmatch(target.encode("utf-8", "surrogateescape")) is None:
        raise ValueError(f"{target!r} is not a request target")


_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t -~\x80-\xff]*+))?+\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+)(?<=\n)\r\n"
)
"""A response head as RFC 9112 sections 4 and 5 have it, in one possible way: no bare line ends, no folded lines, no
white space around a name, no control characters."""

_SPECIAL = re.compile(
    b"\n(" + b"|".join(sorted(name.encode() for name in RESPONSE_DROPPED | {"content-length", "date"})) + b"):"
)
"""The fields that mean something here, in lower-cased field lines behind a line end."""


@dataclass(slots=True)
class ResponseHead:
    """A response head, read and judged.

    ``lines`` has the end-to-end fields only, as they came. ``declared``: what ``Content-Length`` says there.
    ``persistent``: the connection may be used again once the body has ended. ``dated``: there is a ``Date``.
    ``protocol``: what a 101 switches to, lower-cased; empty if it says so by halves only.
    """

    status: int
    reason: str
    lines: bytes
    declared: int | None
    framing: Framing
    persistent: bool
    dated: bool
    protocol: str


def read_head(raw: bytes, method: str, max_fields: int) -> ResponseHead:
    """Read a response head: all bytes up to and including the empty line, for a request of ``method``.

    Raises ``ProtocolError`` for what RFC 9112 does not allow, and ``ResponseHeadTooLarge`` beyond ``max_fields``.
    """
    match = _HEAD.fullmatch(raw)
    if match is None:
        raise ProtocolError(f"malformed response head: {_trouble(raw)}")
    minor, code, phrase, lines = match.groups()
    count = lines.count(b"\n")
    if count > max_fields:
        raise ResponseHeadTooLarge(f"a response head of {count} fields exceeds the limit of {max_fields}")
    status = int(code)
    # Several lines of one field are as good as one with a list (RFC 9110 section 5.3).
    length: str | None = None
    coding: str | None = None
    connection: str | None = None
    upgrade: str | None = None
    dated = False
    kept = lines
    removed = 0
    # Nearly every response has two or three of these, and most fields are none: so one search, not a look at each.
    for found in _SPECIAL.finditer(b"\n" + lines.lower()):
        name = found[1]
        if name == b"date":
            dated = True
            continue
        start, end = found.start(), lines.index(b"\r", found.end() - 1)
        value = lines[found.end() - 1 : end].decode("latin-1").strip(" \t")
        if name == b"content-length":
            length = value if length is None else f"{length}, {value}"
            if status >= 200 and status != 204:
                continue
        elif name == b"connection":
            connection = value if connection is None else f"{connection}, {value}"
        elif name == b"transfer-encoding":
            coding = value if coding is None else f"{coding}, {value}"
        elif name == b"upgrade":
            upgrade = value if upgrade is None else f"{upgrade}, {value}"
        kept = kept[: start - removed] + kept[end + 2 - removed :]
        removed += end + 2 - start
    persistent = minor == b"1"
    protocol = ""
    if connection is not None:
        if connection in PLAIN_CONNECTION:
            persistent = connection in ("keep-alive", "Keep-Alive")
        else:
            if len(connection) > MAX_CONNECTION:
                raise ProtocolError(f"over {MAX_CONNECTION} characters of Connection")
            options = {option.strip(" \t").lower() for option in connection.split(",")}
            persistent = "close" not in options and (persistent or "keep-alive" in options)
            if upgrade is not None and "upgrade" in options:
                protocol = upgrade.lower()
            dropped = nominated((connection,))
            kept = _without(kept, dropped)
            dated = dated and "date" not in dropped
    delimiter = framing(method, status, (1, int(minor)), length, coding)
    declared = None if length is None or status < 200 or status == 204 else int(length)
    reason = "" if phrase is None else phrase.decode("utf-8", "surrogateescape")
    return ResponseHead(status, reason, kept, declared, delimiter, persistent, dated, protocol)


def _without(lines: bytes, dropped: set[str]) -> bytes:
    return b"".join(
        [
            line
            for line in lines.splitlines(keepends=True)
            if line.partition(b":")[0].decode("latin-1").lower() not in dropped
        ]
    )


def _trouble(raw: bytes) -> str:
    """Which line of a malformed head it is that cannot be read, for the log."""
    status_line, *lines = raw.split(b"\r\n")
    if _HEAD.fullmatch(status_line + b"\r\n\r\n") is None:
        return f"status line {status_line[:80]!r}"
    for line in lines[:-2]:
        if _HEAD.fullmatch(b"HTTP/1.1 200\r\n" + line + b"\r\n\r\n") is None:
            return f"field line {line[:80]!r}"
    return "its line ends"
