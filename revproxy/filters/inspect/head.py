"""The values of a request's head."""

from __future__ import annotations

from urllib.parse import unquote

from multidict import istr

from ...message import Inbound
from .value import Part, Value

__all__ = ["head_texts", "head_values"]

_PROTOCOL = frozenset(
    (
        "connection",
        "content-length",
        "cookie",
        "host",
        "transfer-encoding",
    )
)
"""Fields that only the protocol reads, or that are looked at otherwise."""

_NAMED = {"user-agent": Part.USER_AGENT, "referer": Part.REFERER}


_COOKIE = istr("Cookie")
_AUTHORIZATION = istr("Authorization")


def head_texts(inbound: Inbound) -> list[str]:
    """All that ``head_values`` makes values of but those of fields, and more; at a fraction of what that takes."""
    path = inbound.path
    texts = [inbound.target, unquote(path, errors="replace") if "%" in path else path]
    query = inbound.query_string
    if query:
        if "%" in query or "+" in query:
            for pair in inbound.query.items():
                texts += pair
        else:
            for raw in query.split("&"):
                name, _, value = raw.partition("=")
                texts += (name, value)
    shown = inbound.headers.get(_AUTHORIZATION)
    if shown is not None:
        texts.append(shown.rpartition(" ")[2])
    for line in inbound.headers.getall(_COOKIE, ()):
        if '"' in line:
            for pair in inbound.cookies.items():
                texts += pair
            texts += map(str.strip, line.split(";"))
            continue
        for raw in line.split(";"):
            name, _, value = raw.partition("=")
            texts += (name.strip(" \t"), value.strip(" \t"))
    return texts


def head_values(inbound: Inbound) -> list[Value]:
    """Target, path, query, cookies and fields of a request."""
    path = inbound.path
    values = [
        Value(Part.TARGET, "", inbound.target),
        Value(Part.PATH, "", unquote(path, errors="replace") if "%" in path else path),
    ]
    if inbound.query_string:
        for name, text in inbound.query.items():
            values.append(Value(Part.NAME, name, name))
            if text:
                values.append(Value(Part.VALUE, name, text))
    cookies = False
    for field, text in inbound.headers.items():
        name = field.lower()
        if name in _PROTOCOL:
            cookies = cookies or name == "cookie"
        elif name == "authorization":  # behind the scheme there may be Base64
            values.append(Value(Part.FIELD, name, text))
            values.append(Value(Part.FIELD, name, text.rpartition(" ")[2]))
        else:
            values.append(Value(_NAMED.get(name, Part.FIELD), name, text))
    if cookies:
        for name, text in inbound.cookies.items():
            values.append(Value(Part.COOKIE_NAME, name, name))
            values.append(Value(Part.COOKIE, name, text))
        for line in inbound.headers.getall(_COOKIE, ()):
            pieces = (piece.strip(" \t") for piece in line.split(";") if "=" not in piece)
            values.extend(Value(Part.COOKIE, "", text) for text in pieces if text)  # to some, cookies without a name
    return values
