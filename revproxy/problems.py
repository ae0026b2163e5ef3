"""What a client is told when the proxy answers for itself: a problem document (RFC 9457), or a line of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from multidict import CIMultiDict, istr

from .body import Body
from .exchange import Exchange
from .message import Response

__all__ = ["problem"]

_ACCEPT = istr("Accept")
_CACHE_CONTROL = istr("Cache-Control")
_CONTENT_TYPE = istr("Content-Type")
_CONTENT_TYPE_OPTIONS = istr("X-Content-Type-Options")

_JSON = ("application/problem+json", "application/json")
_TEXT = ("text/plain", "text/html")
"""Who asks for HTML is a person, who would rather read text than JSON."""

_WITHOUT_CONTENT = frozenset({204, 205, 304})


def problem(
    exchange: Exchange,
    status: int,
    title: str,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> Response:
    """An answer of ``status`` that says ``title`` and the exchange's id, and nothing of the inside.

    As ``application/problem+json`` with the members ``title``, ``status`` and ``id``, or as plain text if the client's
    ``Accept`` prefers that. Never stored by caches, never sniffed for another type. ``headers`` are added, and win;
    ``members`` are what else the document has (RFC 9457 section 3.2), or a line of JSON each.
    """
    fields = CIMultiDict([(_CACHE_CONTROL, "no-store")])
    if status in _WITHOUT_CONTENT:
        fields.update(headers or {})
        return Response(status, fields)
    if _wants_text(", ".join(exchange.inbound.headers.getall(_ACCEPT, ()))):
        more = "".join(f"{name}: {json.dumps(value)}\n" for name, value in (members or {}).items())
        content_type, text = "text/plain; charset=utf-8", f"{status} {title}\nid: {exchange.id}\n{more}"
    else:
        content_type = "application/problem+json"
        text = json.dumps({**(members or {}), "title": title, "status": status, "id": exchange.id})
    fields[_CONTENT_TYPE] = content_type
    fields[_CONTENT_TYPE_OPTIONS] = "nosniff"
    fields.update(headers or {})
    return Response(status, fields, Body(text.encode("utf-8", "backslashreplace")))


def _wants_text(accept: str) -> bool:
    # It is the client's word: what is kept of it, and what is looked at, is bounded.
    return _kept(accept) if len(accept) <= 256 else _prefers_text(accept[:32768])


def _prefers_text(accept: str) -> bool:
    """Whether ``Accept`` (RFC 9110 section 12.5.1) wants text more than JSON. With no preference it is JSON.

    Parameters other than ``q`` are passed over. A comma inside a quoted one splits it: no more than the form of an
    error message depends on that.
    """
    if not accept:
        return False
    weights: dict[str, float] = {}
    for element in accept.split(","):
        media_range, *parameters = element.split(";")
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip(" \t").lower() == "q":
                weight = _weight(value.strip(" \t"))
        weights[media_range.strip(" \t").lower()] = weight
    return max(_quality(weights, each) for each in _TEXT) > max(_quality(weights, each) for each in _JSON)


_kept = lru_cache(maxsize=256)(_prefers_text)


def _quality(weights: Mapping[str, float], media_type: str) -> float:
    """The weight of ``media_type``: that of the most specific range that holds it."""
    for media_range in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0


def _weight(text: str) -> float:
    """A weight of 0 to 1; what is none counts as 0."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
