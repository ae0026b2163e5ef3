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
_NOT_ASCII = re.compile(
    r"utf-?(?:7|16|32)|ucs-?[24]|iso-10646|iso-2022|hz-|cp?(?:037|500|1047|1140)|ibm|ebcdic|csunicode"
)


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


def is_readable_text(kind: MediaType | None) -> bool:
    """Whether its characters are ASCII where they can be, by all that it says."""
    return kind is None or _NOT_ASCII.match(kind.parameters.get("charset", "").lower()) is None
