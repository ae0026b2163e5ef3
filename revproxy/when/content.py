"""Conditions on what a request says of its body."""

from __future__ import annotations

import re

from multidict import istr

from ..exchange import Exchange
from ..media_types import media_ranges, media_type
from .condition import When, call, some

__all__ = ["content_length", "content_type"]

_CONTENT_LENGTH, _CONTENT_TYPE = istr("Content-Length"), istr("Content-Type")
_TRANSFER_ENCODING = istr("Transfer-Encoding")


def content_type(*types: str) -> When:
    """The body's media type (RFC 9110 section 8.3.1) is one of ``types``: ``"application/json"``, ``"image/*"``,
    ``"application/*+json"``. Neither case nor parameters make a difference.

    A request without ``Content-Type``, with two of them, or with one that is none has no type that it could be: then it
    does not hold. To let nothing else in, ``block`` where ``~when.content_type(...)``.
    """
    wanted = media_ranges(some("types", types))
    matches = re.compile("|".join(sorted(wanted))).fullmatch

    def test(exchange: Exchange) -> bool:
        said = media_type(exchange.inbound.headers.getall(_CONTENT_TYPE, ()))
        return said is not None and matches(said.name) is not None

    return When(call("content_type", *types), test, form=("content_type", wanted))


def content_length(*, at_least: int = 0, at_most: int | None = None) -> When:
    """The request has a body whose length it declares, or none at all (0), from ``at_least`` to ``at_most`` bytes.

    A body in chunks declares none: then it does not hold. To refuse what is too large ``ProxyHandler(max_body=...)``
    counts those as well.
    """
    for name, value in (("at_least", at_least), ("at_most", at_most)):
        if value is not None and (type(value) is not int or value < 0):
            raise ValueError(f"{name} must be an integer of at least 0, got {value!r}")
    if at_most is not None and at_most < at_least:
        raise ValueError(f"at_most must be at least at_least ({at_least}), got {at_most}")
    if not at_least and at_most is None:
        raise ValueError("at_least and at_most: one of them must be given")
    most = float("inf") if at_most is None else at_most

    def test(exchange: Exchange) -> bool:
        headers = exchange.inbound.headers
        declared = headers.get(_CONTENT_LENGTH, "0")
        if _TRANSFER_ENCODING in headers or not (declared.isascii() and declared.isdigit()):
            return False
        return at_least <= int(declared[:20]) <= most

    said = [f"at_least={at_least}"] if at_least else []
    said += [f"at_most={at_most}"] if at_most is not None else []
    return When(f"when.content_length({', '.join(said)})", test, form=("content_length", (at_least, at_most)))
