"""The media type of a response, without decoding its fields."""

from __future__ import annotations

import re

from multidict import istr

from ...media_types import MediaType, media_type
from ...message import Response

__all__ = ["is_endless", "is_readable_text", "kind_of"]

_CONTENT_TYPE = istr("Content-Type")
_LINE = re.compile(rb"\n[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Tt][Yy][Pp][Ee]:([^\r\n]*)")
_MOST, _LONGEST = 256, 128
_known: dict[bytes, MediaType | None] = {}
_PARTS = "multipart/byteranges"
_ENDLESS = frozenset(
    {
        *("text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl"),
        *("application/json-seq", "application/stream+json", "multipart/x-mixed-replace"),
    }
)
_NOT_ASCII = (
    r"(?:x-)?(?:utf[-_]?(?:7|16|32)|ucs[-_]?[24]|iso[-_]10646|(?:cs)?iso[-_]?2022|hz-|cp?(?:037|500|1047|1140)|ibm|ebcdic"
    r"|unicode(?!-1-1-utf-8|11utf8|20utf8)|csunicode|scsu|bocu)"
)
_no_ascii = re.compile(_NOT_ASCII)
_maybe_no_ascii = re.compile(rf"charset[\s\"'=]*{_NOT_ASCII}")
"""Of what is not understood: others may find a charset in it all the same."""


def kind_of(response: Response) -> MediaType | None:
    """What ``response`` says it is; ``None`` if it says nothing, or what cannot be understood, or that it is several
    parts of something (``multipart/byteranges``)."""
    lines = response.lines
    if lines is None:
        kind = media_type(response.headers.getall(_CONTENT_TYPE, ()))
        return None if kind is not None and kind.name == _PARTS else kind
    said = _LINE.findall(b"\n" + lines)
    if len(said) != 1:
        return None
    value: bytes = said[0]
    try:
        return _known[value]
    except KeyError:
        kind = media_type((value.decode("utf-8", "surrogateescape"),))
        if kind is not None and kind.name == _PARTS:
            kind = None
        if len(_known) < _MOST and len(value) <= _LONGEST:
            _known[value] = kind
        return kind


def is_endless(kind: MediaType | None) -> bool:
    """Whether a client reads such a response as it comes, and nobody should wait for more of it."""
    return kind is not None and kind.name in _ENDLESS


def is_readable_text(kind: MediaType | None, response: Response) -> bool:
    """Whether the characters of ``response``, which is of this ``kind``, are ASCII where they can be, by all that it
    says."""
    if kind is not None:
        return _no_ascii.match(kind.parameters.get("charset", "").strip("\t\n\f\r '\"").lower()) is None
    said = response.headers.getall(_CONTENT_TYPE, ())
    return not any(_maybe_no_ascii.search(each.lower()) for each in said)
