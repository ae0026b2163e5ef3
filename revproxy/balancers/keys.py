"""What a request is hashed by, or counted for: typed extractors of a key."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TypeAlias

from multidict import istr

from ..exchange import Exchange
from ..headers import is_token
from ..identity import PRINCIPAL
from ..path_values import PATH_VALUES

__all__ = [
    "HashKey",
    "client_address",
    "cookie",
    "everyone",
    "first_of",
    "hash_of",
    "header",
    "path",
    "path_value",
    "principal",
    "query",
]

HashKey: TypeAlias = Callable[[Exchange], str | bytes | None]
"""What requests have in common that shall go to the same endpoint; ``None``: nothing, so any endpoint will do."""


def hash_of(key: str | bytes) -> int:
    """64 bits that are the same in every process, on every machine."""
    if isinstance(key, str):
        key = key.encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(key, digest_size=8).digest())


def client_address(*, v4: int = 32, v6: int = 64) -> HashKey:
    """The client's address, or the first ``v4`` or ``v6`` bits of it: who moves within a network stays where he is. One
    household or phone has a /64 of IPv6, as a rule.

    The client is who ``ProxyHandler(trusted=...)`` says it is. ``None`` for one without an address (a Unix socket).
    """
    if not 0 < v4 <= 32 or not 0 < v6 <= 128:
        raise ValueError(f"v4 must be 1 to 32 and v6 1 to 128, got {v4} and {v6}")
    whole = v4 == 32

    def key(exchange: Exchange) -> bytes | None:
        packed = exchange.inbound.client.packed
        if packed is None:
            return None
        if len(packed) == 4:
            return packed if whole else _first(packed, v4)
        return _first(packed, v6)

    return key


def _first(packed: bytes, bits: int) -> bytes:
    size = 8 * len(packed)
    return (int.from_bytes(packed) >> (size - bits)).to_bytes(len(packed))


def header(name: str) -> HashKey:
    """The value of a header field, all of its lines joined; ``None`` without one."""
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a field name")
    field = istr(name)

    def key(exchange: Exchange) -> str | None:
        values = exchange.inbound.headers.getall(field, None)
        return None if values is None else ", ".join(values)

    return key


def cookie(name: str) -> HashKey:
    """The value of a cookie, of several of that name the first; ``None`` without one."""
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a cookie's name")
    return lambda exchange: exchange.inbound.cookies.get(name)


def path() -> HashKey:
    """The path, in its one canonical reading, without the query."""
    return lambda exchange: exchange.inbound.path


def path_value(name: str) -> HashKey:
    """What the condition of the rule that answers has captured from the path as ``name`` (``when.path_template``), as
    text; ``None`` if nothing: for filters and upstreams within that rule, not for filters around the table.
    """
    if not name.isidentifier():
        raise ValueError(f"name: {name!r} is not the name of anything captured")

    def key(exchange: Exchange) -> str | None:
        values = exchange.get(PATH_VALUES)
        value = None if values is None else values.get(name)
        return None if value is None else str(value)

    return key


def query(name: str) -> HashKey:
    """The value of a query parameter, of several of that name the first; ``None`` without one."""
    return lambda exchange: exchange.inbound.query.get(name)


def principal() -> HashKey:
    """Who asks, by name, as an authentication further out has found out (``PRINCIPAL``); ``None`` for nobody."""

    def key(exchange: Exchange) -> str | None:
        found = exchange.get(PRINCIPAL)
        return None if found is None else found.name

    return key


def everyone() -> HashKey:
    """The same for all: what is counted for it is counted of all requests together."""
    return lambda exchange: b""


def first_of(*keys: HashKey) -> HashKey:
    """The first of ``keys`` that is there; ``None`` if none is. What two of them say is never the same key."""
    for each in keys:
        if not callable(each):
            raise TypeError(f"keys: {each!r} is no function of an exchange")

    def key(exchange: Exchange) -> str | bytes | None:
        for number, each in enumerate(keys):
            value = each(exchange)
            if value is not None:
                return f"{number}:{value}" if isinstance(value, str) else b"%d:%s" % (number, value)
        return None

    return key
