"""Tokens that clients carry: which endpoint a session is at, readable and made by nobody but the proxy."""

from __future__ import annotations

import hmac
import secrets
from abc import abstractmethod
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from logging import WARNING
from typing import ClassVar

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..events import Event
from ..exchange import Attempt, Exchange
from ..key_ring import ring_of
from ..message import Response
from .base import SESSION, Affinity, Gone, Session

__all__ = ["Secret", "TokenAffinity", "TokensRefused"]

_CACHE_CONTROL = istr("Cache-Control")
_FOR_CACHES = tuple(map(istr, ("CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control")))
"""What tells some caches otherwise (RFC 9213)."""

_VERSION = b"\x01"
_NONCE, _ID, _TIME, _TAG = 12, 8, 6, 16
_SIZE = len(_VERSION) + _NONCE + _ID + _TIME + _TAG
LENGTH = -(-_SIZE * 4 // 3)
"""Characters of a token."""
MAX_AGE = 400 * 86400
"""Seconds that browsers keep a cookie at most (RFC 6265bis section 5.6.2)."""
_TOLD = 60.0
"""Seconds between two warnings of tokens that nobody has made."""
_TRIED = 4
"""Tokens of a request that are looked at: who can set a cookie for a parent domain can send several of one name."""


@dataclass(frozen=True, slots=True)
class TokensRefused(Event):
    """Clients have brought ``count`` tokens lately that were not made with any of the keys: forged, or made with a key
    that has left the ring. They were treated as clients without a session. Told once a minute at most."""

    level: ClassVar[int] = WARNING

    count: int

    def __str__(self) -> str:
        return f"{self.source}: {self.count} affinity tokens were made with none of the keys"


class Secret:
    """One key of the ring, for one ``purpose``. Seals and opens tokens::

        version (1) | nonce (12) | endpoint (8) and expiry (6), encrypted | tag (16)

    Encrypted with HMAC-SHA256 of the nonce as key stream, then authenticated with HMAC-SHA256 of all before the tag,
    cut to 128 bits (RFC 2104 section 5), each under a key of its own. Two tokens for one endpoint have nothing in
    common, so tokens tell neither the names nor the number of endpoints.
    """

    __slots__ = ("_authenticates", "_encrypts", "_names")

    def __init__(self, key: bytes, purpose: str) -> None:
        def derived(use: str) -> bytes:
            return hmac.digest(key, f"revproxy affinity, {use}: {purpose}".encode(), "sha256")

        self._encrypts, self._authenticates, self._names = map(derived, ("encryption", "authentication", "names"))

    def name(self, endpoint: Endpoint) -> bytes:
        """What a token calls ``endpoint``: the same in every process that has the key."""
        return hmac.digest(self._names, endpoint.identity.encode(), "sha256")[:_ID]

    def seal(self, name: bytes, expires: int, nonce: bytes) -> str:
        """A token for the endpoint of that ``name``; ``expires`` in seconds since the epoch, 0 for never."""
        if len(nonce) != _NONCE:
            raise ValueError(f"nonces must give as many bytes as they are asked for, {_NONCE}, got {len(nonce)}")
        plain = name + expires.to_bytes(_TIME)
        sealed = _VERSION + nonce + self._mixed(plain, nonce)
        return _text(sealed + self._tag(sealed))

    def open(self, raw: bytes) -> tuple[bytes, int] | None:
        """What is in a token, if this key has made it."""
        sealed, tag = raw[:-_TAG], raw[-_TAG:]
        if not hmac.compare_digest(tag, self._tag(sealed)):
            return None
        start = len(_VERSION)
        plain = self._mixed(sealed[start + _NONCE :], sealed[start : start + _NONCE])
        return plain[:_ID], int.from_bytes(plain[_ID:])

    def _mixed(self, data: bytes, nonce: bytes) -> bytes:
        stream = hmac.digest(self._encrypts, nonce, "sha256")[: len(data)]
        return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))

    def _tag(self, sealed: bytes) -> bytes:
        return hmac.digest(self._authenticates, sealed, "sha256")[:_TAG]


def raw_of(token: str) -> bytes | None:
    """The bytes of a token in its one form, or ``None``."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-LENGTH % 4))
    except ValueError:
        return None
    return raw if raw.startswith(_VERSION) and _text(raw) == token else None


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


class TokenAffinity(Affinity):
    """Tells the client where its session is, in a token that only the holders of ``keys`` can make or read. An answer
    that brings one says ``Cache-Control: private``, beside what it says otherwise, and nothing to caches in particular:
    a shared cache that gave it out would send everybody to one endpoint.

    ``keys``
        One key or a ring of them, at least 32 bytes each: the first one makes tokens, all of them are believed. To
        change the key without losing a session: add the new one at the end everywhere, then move it to the front, and
        drop the old one when the tokens made with it have expired. ``rekey`` does each step while the proxy runs.
    ``max_age``
        Seconds that a token is good for, 400 days at most; in the second half of them the client gets a new one with
        an answer, unless its endpoint drains: so a draining endpoint has no sessions left after ``max_age``. ``None``:
        for as long as the client keeps it.
    ``gone``
        See ``Gone``.
    """

    def __init__(
        self,
        keys: bytes | Sequence[bytes],
        purpose: str,
        *,
        max_age: float | None,
        gone: Gone,
        clock: Clock = SYSTEM_CLOCK,
        nonces: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        super().__init__(gone)
        if max_age is not None and not 1 <= max_age <= MAX_AGE:
            raise ValueError(f"max_age must be 1 to {MAX_AGE} seconds (400 days) or None, got {max_age}")
        self._purpose = purpose
        self._max_age = max_age
        self._clock = clock
        self._nonces = nonces
        self._endpoints: tuple[Endpoint, ...] = ()
        self._tables: dict[Secret, dict[bytes, Endpoint]] = {}
        self._refused = 0
        self._told: float | None = None
        self.rekey(keys)

    def rekey(self, keys: bytes | Sequence[bytes]) -> None:
        """Another key ring from now on. Raises as the constructor does, and changes nothing then."""
        self._tables = {Secret(key, self._purpose): {} for key in ring_of(keys)}
        self.bind(self._endpoints)

    def bind(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)
        self._tables = {secret: {secret.name(each): each for each in endpoints} for secret in self._tables}

    @abstractmethod
    def brought(self, exchange: Exchange) -> Iterable[str]:
        """What stands where a token should be in what the client sent."""

    @abstractmethod
    def clean(self, response: Response) -> None:
        """Take out of ``response`` what a back end has put where a token should be: it is not a back end's to say."""

    @abstractmethod
    def give(self, token: str, attempt: Attempt, response: Response) -> None:
        """Have ``response`` bring ``token`` to the client."""

    def find(self, exchange: Exchange) -> Session | None:
        gone: Session | None = None
        for token in islice(self.brought(exchange), _TRIED):
            session = self._read(token)
            if session is not None:
                if session.endpoint is not None:
                    return session
                gone = gone or session
        return gone

    def _read(self, token: str) -> Session | None:
        raw = raw_of(token)
        if raw is not None:
            for rank, (secret, table) in enumerate(self._tables.items()):
                opened = secret.open(raw)
                if opened is not None:
                    name, expires = opened
                    left = expires - self._clock.wall() if expires else 0.0
                    if expires and left <= 0:
                        return None
                    stale = bool(rank) or (self._max_age is not None and left < self._max_age / 2)
                    return Session(table.get(name), stale)
        self._refuse()
        return None

    def keep(self, attempt: Attempt, response: Response) -> None:
        session = attempt.exchange.get(SESSION)
        self.clean(response)
        endpoint = attempt.endpoint
        if session is not None and session.endpoint is endpoint and (endpoint.drains or not session.stale):
            return
        secret = next(iter(self._tables))
        expires = 0 if self._max_age is None else int(self._clock.wall() + self._max_age)
        self.give(secret.seal(secret.name(endpoint), expires, self._nonces(_NONCE)), attempt, response)
        for field in _FOR_CACHES:
            response.headers.popall(field, None)
        response.headers.add(_CACHE_CONTROL, "private")

    def _refuse(self) -> None:
        self._refused += 1
        now = self._clock.now()
        if self._told is None or now - self._told >= _TOLD:
            self.tell(TokensRefused(self.serves or type(self).__name__, self._refused))
            self._told, self._refused = now, 0
