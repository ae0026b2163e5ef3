"""What a client is told when the proxy answers for itself: a problem document (RFC 9457), or a line of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from multidict import CIMultiDict, istr

from .body import Body
from .errors import ProxyError
from .exchange import Exchange
from .message import Response

__all__ = ["leaning", "problem", "told"]

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
    text: bool | None = None,
) -> Response:
    """An answer of ``status`` that says ``title`` and the exchange's id, and nothing of the inside.

    As ``application/problem+json`` with the members ``title``, ``status`` and ``id``, or as plain text if the client's
    ``Accept`` prefers that. Never stored by caches, never sniffed for another type. ``headers`` are added, and win;
    ``members`` are what else the document has (RFC 9457 section 3.2), or a line of JSON each. ``text``: whether it is
    text, whatever the client prefers.
    """
    fields = CIMultiDict([(_CACHE_CONTROL, "no-store")])
    if status in _WITHOUT_CONTENT:
        fields.update(headers or {})
        return Response(status, fields)
    if leaning(exchange) > 0 if text is None else text:
        more = "".join(f"{name}: {json.dumps(value)}\n" for name, value in (members or {}).items())
        content_type, said = "text/plain; charset=utf-8", f"{status} {title}\nid: {exchange.id}\n{more}"
    else:
        content_type = "application/problem+json"
        said = json.dumps({**(members or {}), "title": title, "status": status, "id": exchange.id})
    fields[_CONTENT_TYPE] = content_type
    fields[_CONTENT_TYPE_OPTIONS] = "nosniff"
    fields.update(headers or {})
    return Response(status, fields, Body(said.encode("utf-8", "backslashreplace")))


def told(exchange: Exchange, error: ProxyError) -> Response:
    """What the client is told of ``error``: its own answer, if somebody has given it one, else a problem document."""
    if error.status is None:
        raise ValueError(f"{error!r} is one that the client is told nothing of")
    if error.answer is None:
        return problem(exchange, error.status, error.title, headers=error.fields, members=error.members)
    return Response(error.answer.status, CIMultiDict(error.fields), error.answer.body)


def leaning(exchange: Exchange) -> float:
    """How much more the client's ``Accept`` (RFC 9110 section 12.5.1) wants text than JSON: 0 if it has no opinion,
    below 0 if it would rather have JSON."""
    # It is the client's word: what is kept of it, and what is looked at, is bounded.
    accept = ", ".join(exchange.inbound.headers.getall(_ACCEPT, ()))
    return _kept(accept) if len(accept) <= 256 else _leaning(accept[:32768])


def _leaning(accept: str) -> float:
    """Parameters other than ``q`` are passed over. A comma inside a quoted one splits it: no more than the form of an
    error message depends on that."""
    if not accept:
        return 0.0
    weights: dict[str, float] = {}
    for element in accept.split(","):
        media_range, *parameters = element.split(";")
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip(" \t").lower() == "q":
                weight = _weight(value.strip(" \t"))
        weights[media_range.strip(" \t").lower()] = weight
    return max(_quality(weights, each) for each in _TEXT) - max(_quality(weights, each) for each in _JSON)


_kept = lru_cache(maxsize=256)(_leaning)


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
