"""Keys that programs show."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterable, Mapping
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from multidict import istr

from ...exchange import Exchange
from ...handler import Handler
from ...headers import is_token
from ...message import Response
from .base import Authentication, principals

__all__ = ["ApiKey", "digest_of", "new_key"]

_DIGEST = re.compile("[0-9a-f]{64}")


class ApiKey(Authentication):
    """Lets in who shows one of the keys. ::

        ApiKey({"robot": "9f86d081884c7d65..."}, field="X-User")

    ``keys``
        Names, and for each the digest of the key (``digest_of``): the keys themselves are nowhere here, so that who
        reads the configuration has none. Keys must not be guessable: make them with ``new_key``. That is why a fast
        digest will do, and a table is asked: the time that it takes says nothing of a key.
    ``header``
        The request field with the key. It is not passed on.
    ``scheme``
        What stands before the key, as in ``Authorization: Bearer``; by default nothing.
    ``roles``
        Of each name, for ``Authorize``.
    ``optional``, ``field``
        See ``Authentication``.

    Who shows none, two, or a wrong one is told 401. Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        header: str = "X-Api-Key",
        scheme: str = "",
        roles: Mapping[str, Iterable[str]] | None = None,
        optional: bool = False,
        field: str | None = None,
    ) -> None:
        if not keys:
            raise ValueError("keys must not be empty")
        if not is_token(header):
            raise ValueError(f"header: {header!r} is not a field name")
        if scheme and not is_token(scheme):
            raise ValueError(f"scheme: {scheme!r} is not a scheme")
        super().__init__(optional=optional, field=field, challenge=scheme or "ApiKey", shown_in=(header,))
        found = principals(keys, roles or {}, "api-key")
        for name, digest in keys.items():
            if _DIGEST.fullmatch(digest) is None:
                raise ValueError(f"keys: that of {name!r} is no digest, as digest_of() makes them")
        if len(set(keys.values())) < len(keys):
            raise ValueError("keys: two names have the same key")
        self._principals = {bytes.fromhex(digest): found[name] for name, digest in keys.items()}
        self._header = istr(header)
        self._scheme = scheme.lower()

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        said = exchange.inbound.headers.getall(self._header, ())
        principal = None
        if len(said) == 1:
            key = self._key(said[0])
            principal = None if key is None else self._principals.get(sha256(key.encode("utf-8", "replace")).digest())
        self.admit(exchange, principal, shown=bool(said))
        if said:
            exchange.request.headers.popall(self._header, None)
        return handler(exchange)

    def _key(self, said: str) -> str | None:
        if not self._scheme:
            return said
        scheme, _, key = said.partition(" ")
        return key.strip() if scheme.lower() == self._scheme else None

    def __repr__(self) -> str:
        return f"<ApiKey of {len(self._principals)}>"


def new_key() -> str:
    """A key that nobody guesses: 256 bits by chance, in 43 characters that need no quoting."""
    return token_urlsafe(32)


def digest_of(key: str) -> str:
    """What ``ApiKey`` is told of ``key``: the hexadecimal SHA-256. Raises ``ValueError`` for a key of fewer than 16
    characters, which somebody might guess."""
    if len(key) < 16:
        raise ValueError("key: it has fewer than 16 characters")
    return sha256(key.encode()).hexdigest()
