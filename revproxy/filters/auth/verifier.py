"""Whether a token is good: of the bytes alone, without I/O."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .claims import Claims, ClaimsPolicy
from .jwk import ALGORITHMS, VerifyingKey
from .key_set import KeySet

__all__ = ["MAX_TOKEN", "TokenRefused", "Verifier", "checked_algorithms", "is_token_like"]

MAX_TOKEN = 8192
"""Characters of a token at most. Longer ones are not looked at."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A signed token in compact form (RFC 7515 section 7.1): neither an encrypted one, nor one without a signature."""
_EXTENSIONS = ("crit", "b64")
"""What of a header would change what the token means; none of it is understood."""


class TokenRefused(Exception):
    """Why a token is not good, for the operator's log. Nothing of the token is in it."""


def is_token_like(text: str) -> bool:
    """Whether ``text`` could be a token, by its form."""
    return len(text) <= MAX_TOKEN and _TOKEN.fullmatch(text) is not None


class Verifier:
    """Verifies tokens with keys that others find. ``algorithms``: those that are taken; ``policy``: which claims are
    good; ``typ``: what the header must say."""

    def __init__(self, algorithms: frozenset[str], policy: ClaimsPolicy, typ: str | None) -> None:
        from jwt import PyJWS

        self.algorithms = algorithms
        self.policy = policy
        self._typ = None if typ is None else _type(typ)
        self._jws = PyJWS(sorted(algorithms))

    def peek(self, token: str) -> tuple[str | None, str]:
        """The key's name and the algorithm that a token says, which is not verified yet, but could be.

        Raises ``TokenRefused``."""
        segment = token.partition(".")[0]
        if len(segment) % 4 == 1:
            raise TokenRefused("it is not well-formed")
        header = _object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(kid, str | None):
            raise TokenRefused("its kid is no name")
        if not isinstance(algorithm, str) or algorithm not in self.algorithms:
            raise TokenRefused("its algorithm is not one that is taken")
        for name in _EXTENSIONS:
            if name in header:
                raise TokenRefused(f"its header has {name}, which is not understood")
        if self._typ is not None and _type(header.get("typ")) != self._typ:
            raise TokenRefused("it is of another type")
        return kid, algorithm

    def verify(self, token: str, keys: Sequence[VerifyingKey], now: float) -> Claims:
        """What a token claims that one of ``keys`` has signed, and that is good at ``now`` (seconds since the epoch).

        Raises ``TokenRefused``."""
        from jwt import PyJWTError

        if not keys:
            raise TokenRefused("no key is known that could have signed it")
        for key in keys:
            try:
                found = self._jws.decode_complete(token, key.material, sorted(key.algorithms & self.algorithms))
            except (PyJWTError, ValueError):
                continue
            claims = _object(found["payload"])
            why = self.policy.refuses(claims, now)
            if why is not None:
                raise TokenRefused(why)
            return claims
        raise TokenRefused("its signature is wrong")


def checked_algorithms(algorithms: Collection[str], keys: KeySet | None) -> frozenset[str]:
    """``algorithms``, if each has a key of ``keys`` that fits it, and each key one of them; ``None``: keys are fetched.

    Raises ``ValueError`` that names the parameter."""
    if isinstance(algorithms, str) or not algorithms:
        raise ValueError(f"algorithms must be names of algorithms, got {algorithms!r}")
    for each in algorithms:
        if each not in ALGORITHMS:
            raise ValueError(f"algorithms: {each!r} is none of {', '.join(sorted(ALGORITHMS))}")
        if keys is None and each.startswith("HS"):
            raise ValueError(f"algorithms: {each!r} is for secrets, and those are not fetched")
        if keys is not None and each not in keys.algorithms:
            raise ValueError(f"algorithms: no key is for {each!r}; they are for {', '.join(sorted(keys.algorithms))}")
    for key in () if keys is None else keys:
        if key.algorithms.isdisjoint(algorithms):
            raise ValueError(f"keys: {key!r} is for none of the algorithms")
    return frozenset(algorithms)


def _type(said: object) -> str | None:
    """A ``typ`` as it is compared (RFC 7515 section 4.1.9)."""
    return said.lower().removeprefix("application/") if isinstance(said, str) else None


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise TokenRefused("it is not well-formed") from None
    if not isinstance(found, dict):
        raise TokenRefused("it is not well-formed")
    return found
