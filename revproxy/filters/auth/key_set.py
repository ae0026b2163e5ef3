"""A set of keys as an issuer publishes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from .jwk import KeyRefused, VerifyingKey, key_of_jwk

__all__ = ["MAX_BYTES", "MAX_KEYS", "KeySet", "SetRefused"]

MAX_BYTES = 256 * 1024
"""Bytes of a document at most."""
MAX_KEYS = 64
"""Keys of a set at most. Issuers have two to ten."""
_NAMELESS = 4
"""Keys at most that are tried where a token does not say which: each costs a verification."""


class SetRefused(Exception):
    """What was fetched is no set of keys that can be used; the message says why."""


class KeySet:
    """Keys, found by the name and the algorithm that a token says. Never changed once made.

    ``prints``: a digest of each key, its name and its algorithms, by which two sets are compared; and its name.
    """

    __slots__ = ("_by_kid", "_keys", "prints")

    def __init__(self, keys: Sequence[VerifyingKey], prints: Mapping[bytes, str] | None = None) -> None:
        self._keys = tuple(keys)
        self._by_kid: dict[str | None, list[VerifyingKey]] = {}
        for key in keys:
            self._by_kid.setdefault(key.kid, []).append(key)
        self.prints: Mapping[bytes, str] = prints or {}

    @classmethod
    def read(cls, document: bytes) -> KeySet:
        """The set in a JSON document (RFC 7517 section 5). Keys that cannot be used are passed over, as that section
        asks for. Raises ``SetRefused``."""
        try:
            said: Any = json.loads(document)
        except (ValueError, RecursionError):
            raise SetRefused("it is no JSON") from None
        named = said.get("keys") if isinstance(said, dict) else None
        if not isinstance(named, list):
            raise SetRefused("it is no set of keys")
        if len(named) > MAX_KEYS:
            raise SetRefused(f"it has {len(named)} keys, over {MAX_KEYS}")
        keys: list[VerifyingKey] = []
        prints: dict[bytes, str] = {}
        refused = ""
        for jwk in named:
            try:
                if not isinstance(jwk, dict):
                    raise KeyRefused("it is no object")
                key = key_of_jwk(jwk)
            except KeyRefused as error:
                refused = refused or f": {error}"
                continue
            public = {name: jwk.get(name) for name in ("kty", "kid", "alg", "crv", "n", "e", "x", "y")}
            prints[sha256(json.dumps(public, sort_keys=True).encode()).digest()] = key.kid or "(without a name)"
            keys.append(key)
        if not keys:
            raise SetRefused(f"none of its {len(named)} keys can be used{refused}")
        return cls(keys, prints)

    def candidates(self, kid: str | None, algorithm: str) -> Sequence[VerifyingKey]:
        """The keys that may have signed a token that says ``kid`` and ``algorithm``: those of that name, or, where it
        says none, all that fit, if they are few. A key without a name may have signed any."""
        if kid is None:
            found = [key for key in self._keys if algorithm in key.algorithms]
        else:
            named = (*self._by_kid.get(kid, ()), *self._by_kid.get(None, ()))
            found = [key for key in named if algorithm in key.algorithms]
        return found if len(found) <= _NAMELESS else ()

    @property
    def algorithms(self) -> frozenset[str]:
        """All that some key fits."""
        return frozenset[str]().union(*(key.algorithms for key in self._keys))

    def __iter__(self) -> Iterator[VerifyingKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeySet of {len(self)}>"
