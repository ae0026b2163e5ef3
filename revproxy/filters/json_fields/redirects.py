"""Redirects, whose content nobody reads."""

from __future__ import annotations

from multidict import istr

from ...body import EMPTY
from ...clock import Clock
from ...message import Response
from ..error_pages.drained import drained

__all__ = ["is_redirect", "without_content"]

_OF_CONTENT = tuple(
    istr(name)
    for name in (
        "Accept-Ranges",
        "Content-Digest",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Language",
        "Content-Length",
        "Content-MD5",
        "Content-Type",
        "Digest",
        "ETag",
        "Last-Modified",
        "Repr-Digest",
        "Trailer",
    )
)
_DRAIN = 65536
_PATIENCE = 0.5
"""Bytes, and seconds, that are spent on a content at most so that its connection can be used again."""


def is_redirect(response: Response) -> bool:
    """Whether it sends the client elsewhere. A 304 does not (RFC 9110 section 15.4)."""
    return 300 <= response.status <= 399 and response.status != 304


async def without_content(response: Response, clock: Clock) -> Response:
    """``response`` without its content, and the fields about that."""
    await drained(response.body, _DRAIN, _PATIENCE, clock)
    headers = response.headers.copy()  # the answer may be its handler's to give out again
    for name in _OF_CONTENT:
        headers.popall(name, None)
    return Response(response.status, headers, EMPTY, response.reason)
