"""Message heads without I/O: writing a request's, reading a response's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..body import EMPTY
from ..endpoint import Endpoint
from ..errors import ProtocolError, ResponseHeadTooLarge
from ..headers import PLAIN_CONNECTION, RESPONSE_DROPPED, RESPONSE_FIELDS, has_control, is_token, nominated
from ..message import Request
from .framing import Framing, framing

__all__ = ["ResponseHead", "read_head", "request_head"]

_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def request_head(request: Request, endpoint: Endpoint) -> bytes:
    """The head that is sent to ``endpoint`` for ``request``.

    The framing follows from the body: no field for none, ``Content-Length`` for a known length, else chunked (RFC
    9112 section 6). Raises ``ValueError`` for a method, target or field that must not reach a wire.
    """
    method, body = request.method, request.body
    if method not in _KNOWN_METHODS and not is_token(method):
        raise ValueError(f"{method!r} is not a method")
    target = endpoint.target(request.target)
    raw = target.encode("utf-8", "surrogateescape")
    if not raw or b" " in raw or has_control(raw):
        raise ValueError(f"{target!r} is not a request target")
    host = "" if request.names_host else f"Host: {endpoint.authority}\r\n"
    start = f"{method} {target} HTTP/1.1\r\n{host}".encode("utf-8", "surrogateescape")
    if body is EMPTY:
        return start + request.field_lines(None) + b"\r\n"
    if body.length is None:
        return start + request.field_lines(None) + b"Transfer-Encoding: chunked\r\n\r\n"
    return start + request.field_lines(body.length) + b"\r\n"


_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([\t -~\x80-\xff]*+))?+\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
"""A response head as RFC 9112 sections 4 and 5 have it, in one possible way: no bare line ends, no folded lines, no
white space around a name, no control characters."""

_LINES = re.compile(rb"(([^:]++):([^\r]*+)\r\n)")


@dataclass(slots=True)
class ResponseHead:
    """A response head, read and judged.

    ``lines`` has the end-to-end fields only, as they came. ``declared``: what ``Content-Length`` says there.
    ``persistent``: the connection may be used again once the body has ended. ``dated``: there is a ``Date``.
    """

    status: int
    reason: str
    lines: bytes
    declared: int | None
    framing: Framing
    persistent: bool
    dated: bool


def read_head(raw: bytes, method: str, max_fields: int) -> ResponseHead:
    """Read a response head: all bytes up to and including the empty line, for a request of ``method``.

    Raises ``ProtocolError`` for what RFC 9112 does not allow, and ``ResponseHeadTooLarge`` beyond ``max_fields``.
    """
    match = _HEAD.fullmatch(raw)
    if match is None:
        raise ProtocolError(f"malformed response head: {_trouble(raw)}")
    minor, code, phrase, lines = match.groups()
    fields = _LINES.findall(lines)
    if len(fields) > max_fields:
        raise ResponseHeadTooLarge(f"a response head of {len(fields)} fields exceeds the limit of {max_fields}")
    status = int(code)
    version = (1, 1) if minor == b"1" else (1, 0)
    lengths: list[str] = []
    codings: list[str] = []
    connection: list[str] = []
    dropped: set[str] = set()
    dated = False
    for _, name, value in fields:
        special = RESPONSE_FIELDS[name]
        if special is None:
            continue
        if special == "content-length":
            lengths.append(value.decode("latin-1").strip(" \t"))
        elif special == "date":
            dated = True
        else:
            dropped.add(special)
            if special == "connection":
                connection.append(value.decode("latin-1").strip(" \t"))
            elif special == "transfer-encoding":
                codings.append(value.decode("latin-1").strip(" \t"))
    persistent = minor == b"1"
    if connection:
        if len(connection) == 1 and connection[0] in PLAIN_CONNECTION:
            persistent = connection[0].lower() == "keep-alive"
        else:
            options = {option.strip(" \t").lower() for line in connection for option in line.split(",")}
            persistent = "close" not in options and (persistent or "keep-alive" in options)
            dropped |= nominated(connection)
    delimiter = framing(method, status, version, lengths, codings)
    declared = int(lengths[0]) if lengths else None
    if declared is not None and (status < 200 or status == 204):
        dropped.add("content-length")
        declared = None
    if dropped:
        lines = _without(fields, dropped)
    reason = "" if phrase is None else phrase.decode("utf-8", "surrogateescape")
    return ResponseHead(status, reason, lines, declared, delimiter, persistent, dated)


def _without(fields: list[tuple[bytes, bytes, bytes]], dropped: set[str]) -> bytes:
    if dropped <= RESPONSE_DROPPED:  # so it is in nearly every response: "Connection: keep-alive"
        return b"".join([line for line, name, _ in fields if RESPONSE_FIELDS[name] not in dropped])
    return b"".join([line for line, name, _ in fields if name.decode("latin-1").lower() not in dropped])


def _trouble(raw: bytes) -> str:
    """Which line of a malformed head it is that cannot be read, for the log."""
    status_line, *lines = raw.split(b"\r\n")
    if _HEAD.fullmatch(status_line + b"\r\n\r\n") is None:
        return f"status line {status_line[:80]!r}"
    for line in lines[:-2]:
        if _HEAD.fullmatch(b"HTTP/1.1 200\r\n" + line + b"\r\n\r\n") is None:
            return f"field line {line[:80]!r}"
    return "its line ends"
