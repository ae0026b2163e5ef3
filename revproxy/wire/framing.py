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


def framing(method: str, status: int, version: tuple[int, int], length: str | None, coding: str | None) -> Framing:
    """How the body of a response is delimited.

    ``method``: the request's; ``length``, ``coding``: the values of ``Content-Length`` and ``Transfer-Encoding``,
    several lines joined by commas. Raises ``ProtocolError`` where they contradict each other or cannot be trusted.
    """
    bodiless = method == "HEAD" or status == 304
    never = status < 200 or status == 204
    if coding is not None:
        if version != (1, 1):
            raise ProtocolError("Transfer-Encoding in an HTTP/1.0 response")
        if length is not None:
            raise ProtocolError("both Transfer-Encoding and Content-Length")
        if coding.lower() != "chunked":
            raise ProtocolError(f"Transfer-Encoding {coding!r} is not exactly chunked")
        if never:
            raise ProtocolError(f"Transfer-Encoding in a {status} response")
        return NO_BODY if bodiless else CHUNKED
    if length is not None:
        if len(length) > 18 or not (length.isascii() and length.isdigit()) or str(int(length)) != length:
            raise ProtocolError(f"Content-Length {length!r}")
        if never:
            # "Content-Length: 0" says nothing wrong, only something that should not be said; it is dropped.
            if int(length):
                raise ProtocolError(f"Content-Length {length} in a {status} response")
            return NO_BODY
        return NO_BODY if bodiless else int(length)
    return NO_BODY if bodiless or never else UNTIL_CLOSE
