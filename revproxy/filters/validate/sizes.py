"""How large a response is, as far as that is known before it is read."""

from __future__ import annotations

from multidict import istr

from ...body import EMPTY
from ...message import Response

__all__ = ["size_of", "size_of_head"]

_CONTENT_ENCODING = istr("Content-Encoding")


def size_of(response: Response) -> int | None:
    """Bytes of the content without its coding, if they are known."""
    body = response.body
    if body is EMPTY:
        return 0
    codings = ",".join(response.headers.getall(_CONTENT_ENCODING, ())).split(",")
    if any(each.strip(" \t").lower() not in ("", "identity") for each in codings):
        return None
    return body.length if body.data is None else len(body.data)


def size_of_head(response: Response) -> int:
    if response.lines is not None:
        return len(response.lines)
    return sum(len(name) + len(value) + 4 for name, value in response.headers.items())
