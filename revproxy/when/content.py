"""Conditions on what a request says of its body."""

from __future__ import annotations

import re

from multidict import istr

from ..exchange import Exchange
from .condition import When, call, some

__all__ = ["content_length", "content_type"]

_CONTENT_LENGTH, _CONTENT_TYPE = istr("Content-Length"), istr("Content-Type")
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*+"'
_MEDIA_TYPE = re.compile(rf"({_TOKEN})/({_TOKEN})(?:[ \t]*;[ \t]*(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*+[ \t]*")
"""RFC 9110 section 8.3.1, with the empty parameters that senders leave behind."""


def content_type(*types: str) -> When:
    """The body's media type (RFC 9110 section 8.3.1) is one of ``types``: ``"application/json"``, ``"image/*"``,
    ``"application/*+json"``. Neither case nor parameters make a difference.

    A request without ``Content-Type``, with two of them, or with one that is none has no type that it could be: then it
    does not hold. To let nothing else in, ``block`` where ``~when.content_type(...)``.
    """
    wanted = frozenset(map(_pattern, some("types", types)))
    matches = re.compile("|".join(sorted(wanted))).fullmatch

    def test(exchange: Exchange) -> bool:
        said = exchange.inbound.headers.getall(_CONTENT_TYPE, ())
        if len(said) != 1:
            return False
        found = _MEDIA_TYPE.fullmatch(said[0])
        return found is not None and matches(f"{found[1]}/{found[2]}".lower()) is not None

    return When(call("content_type", *types), test, form=("content_type", wanted))


def _pattern(text: str) -> str:
    kind, slash, sub = text.partition("/")
    plain = sub.removeprefix("*+") if sub.startswith("*+") else "" if sub == "*" else sub
    for part in (kind, plain) if plain else (kind,):
        if re.fullmatch(_TOKEN, part) is None or "*" in part:
            raise ValueError(f"types: {text!r} is no media type: type/subtype, type/* or type/*+suffix, no parameters")
    if not slash or not sub:
        raise ValueError(f"types: {text!r} is no media type: type/subtype, type/* or type/*+suffix, no parameters")
    end = re.escape(plain.lower())
    return f"{re.escape(kind.lower())}/{'[^/]+' if sub == '*' else rf'[^/]+[+]{end}' if sub != plain else end}"


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
