"""What a service is asked about a request."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, TypeAlias, get_args

from multidict import CIMultiDict, istr

from ...exchange import Exchange
from ...headers import is_token
from ...message import Request

__all__ = ["Question", "ToldField", "alias", "field_names"]

ToldField: TypeAlias = Literal[
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Uri"
]
"""What a service may be told of the request that it is asked about."""

_OF_THE_WIRE = frozenset(
    {
        *("connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    }
)
_INTRODUCED = frozenset({*(each.lower() for each in get_args(ToldField)), "forwarded", "via"})


class Question:
    """Makes requests without a body to a service, about other requests; see ``ForwardAuth``."""

    __slots__ = ("_method", "_path", "_send", "_told")

    def __init__(self, method: str, path: str, send: Collection[str], told: Collection[ToldField]) -> None:
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or "#" in path or " " in path:
            raise ValueError(f"path must begin with a slash, percent-encoded and without a fragment, got {path!r}")
        if not is_token(method) or method in ("CONNECT", "HEAD", "TRACE"):
            raise ValueError(f"method must be one whose answer has a body, got {method!r}")
        if isinstance(told, str) or not set(told) <= set(get_args(ToldField)):
            raise ValueError(f"told must be of {', '.join(get_args(ToldField))}, got {told!r}")
        self._method = method
        self._path = path
        self._send = field_names("send", send, but=_INTRODUCED)
        self._told = frozenset(told)

    def about(self, exchange: Exchange) -> Request:
        """The question about ``exchange``, as its draft is now."""
        inbound, headers = exchange.inbound, exchange.request.headers
        fields: CIMultiDict[str] = CIMultiDict()
        for field in self._send:
            fields.extend([(str(field), value) for value in headers.getall(field, ())])
        query = "" if inbound.query_string is None else f"?{inbound.query_string}"
        facts = {
            "X-Forwarded-For": "" if inbound.client.ip is None else str(inbound.client),
            "X-Forwarded-Host": inbound.host,
            "X-Forwarded-Method": inbound.method,
            "X-Forwarded-Proto": inbound.scheme,
            "X-Forwarded-Uri": inbound.path + query,
        }
        fields.extend([(field, value) for field, value in facts.items() if field in self._told and value])
        return Request(self._method, self._path, fields)

    def __repr__(self) -> str:
        return f"{self._method} {self._path}"


def field_names(parameter: str, names: Collection[str], but: Collection[str] = ()) -> tuple[istr, ...]:
    """Names of fields. Raises ``ValueError`` for what is none, and for those of the connection, and those in ``but``:
    they are written anew."""
    for each in names:
        if isinstance(names, str) or not is_token(each) or each.lower() in _OF_THE_WIRE or each.lower() in but:
            raise ValueError(f"{parameter} must be fields that are handed on as they are, got {names!r}")
    return tuple(istr(each) for each in names)


def alias(name: str) -> str:
    """What servers make of a field's name that read several characters as one (CGI, WSGI)."""
    return re.sub("[^a-z0-9]", "-", name.lower())
