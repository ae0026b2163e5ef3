"""How a response body is delimited: RFC 9112 section 6.3, decided here and nowhere else.

The tokeniser below lets through what must not pass; this is where it is refused.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from ..errors import ProtocolError

__all__ = ["CHUNKED", "NO_BODY", "UNTIL_CLOSE", "Delimiter", "Framing", "framing"]


class Delimiter(Enum):
    """What ends a body that does not end by a length."""

    NO_BODY = "no body"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


NO_BODY = Delimiter.NO_BODY
CHUNKED = Delimiter.CHUNKED
UNTIL_CLOSE = Delimiter.UNTIL_CLOSE

Framing: TypeAlias = int | Delimiter
"""A length in bytes, or how else the end is found."""


def framing(method: str, status: int, version: tuple[int, int], lengths: list[str], codings: list[str]) -> Framing:
    """How the body of a response is delimited.

    ``method``: the request's; ``lengths``, ``codings``: the values of all ``Content-Length`` and
    ``Transfer-Encoding`` lines. Raises ``ProtocolError`` where they contradict each other or cannot be trusted.
    """
    if codings:
        if version != (1, 1):
            raise ProtocolError("Transfer-Encoding in an HTTP/1.0 response")
        if lengths:
            raise ProtocolError("both Transfer-Encoding and Content-Length")
        if len(codings) > 1 or codings[0].strip(" \t").lower() != "chunked":
            raise ProtocolError(f"Transfer-Encoding {', '.join(codings)!r} is not exactly chunked")
        if status < 200 or status == 204:
            raise ProtocolError(f"Transfer-Encoding in a {status} response")
        return NO_BODY if method == "HEAD" or status == 304 else CHUNKED
    if lengths:
        value = lengths[0]
        if len(lengths) > 1 or len(value) > 18 or not (value.isascii() and value.isdigit()):
            raise ProtocolError(f"Content-Length {', '.join(lengths)!r}")
        length = int(value)
        if status < 200 or status == 204:
            # "Content-Length: 0" says nothing wrong, only something that should not be said; it is dropped.
            if length:
                raise ProtocolError(f"Content-Length {length} in a {status} response")
            return NO_BODY
        return NO_BODY if method == "HEAD" or status == 304 else length
    if method == "HEAD" or status < 200 or status in (204, 304):
        return NO_BODY
    return UNTIL_CLOSE
