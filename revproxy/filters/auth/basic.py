"""Names and passwords."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from secrets import token_bytes

from multidict import istr

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import Overloaded
from ...exchange import Exchange
from ...handler import Handler
from ...message import Response
from .base import Authentication, principals

__all__ = ["BasicAuth", "hash_of"]

_AUTHORIZATION = istr("Authorization")
_COST, _BLOCK, _SALT, _LENGTH = 2**14, 8, 16, 32
_AT_ONCE, _WAITING, _KEPT = 2, 64, 1024
_LARGEST = 2**31 - 1
"""Bytes at most that scrypt may take: what OpenSSL can be told."""


class BasicAuth(Authentication):
    """Lets in who knows a password (RFC 7617). Only over TLS: it goes over the wire as it is. ::

        BasicAuth({"ada": "scrypt$16384$8$..."}, realm="staff")

    ``users``
        Names, and for each what ``hash_of(password)`` says: scrypt, so that who reads the configuration has to guess
        for long.
    ``realm``
        What browsers show.
    ``remember``
        Seconds for which a password that was right is known by a digest with a key of this process, without the 50 ms
        that scrypt takes. 0: it is asked each time.
    ``roles``
        Of each name, for ``Authorize``.
    ``optional``, ``field``
        See ``Authentication``. ``Authorization`` is not passed on.

    Passwords are checked in threads, two at once; where more than 64 wait the answer is 503 (``Overloaded``), lest
    guessing costs everybody time. A client that leaves meanwhile gives up its place only when its check is over. Put a
    rate limit before it.

    A name that nobody has takes as long as a wrong password, by the costliest hash of all: where some are cheaper than
    others, as after a change of ``hash_of``, time tells whose those are.

    Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        realm: str = "proxy",
        remember: float = 300.0,
        roles: Mapping[str, Iterable[str]] | None = None,
        optional: bool = False,
        field: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not users:
            raise ValueError("users must not be empty")
        if not realm.isascii() or not realm.isprintable() or '"' in realm or "\\" in realm:
            raise ValueError(f"realm must be printable ASCII without quotes, got {realm!r}")
        if not 0 <= remember < float("inf"):
            raise ValueError(f"remember must be at least 0 and finite, got {remember}")
        challenge = f'Basic realm="{realm}", charset="UTF-8"'
        super().__init__(optional=optional, field=field, challenge=challenge, shown_in=(_AUTHORIZATION,))
        self._principals = principals(users, roles or {}, "basic")
        if any(":" in name for name in users):
            raise ValueError("users: a name has no colon")
        self._hashes = {name: _Hash.read(name, text) for name, text in users.items()}
        self._nobody = max(self._hashes.values(), key=lambda each: each.work).nobodys()
        self._remember = remember
        self._secret = token_bytes(32)
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._checks: asyncio.Semaphore | None = None
        self._waiting = 0
        self._clock = clock

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        said = exchange.inbound.headers.getall(_AUTHORIZATION, ())
        credentials = _credentials(said[0]) if len(said) == 1 else None
        name = None if credentials is None else await self._who(*credentials)
        self.admit(exchange, None if name is None else self._principals[name], shown=bool(said))
        if said:
            exchange.request.headers.popall(_AUTHORIZATION, None)
        return await handler(exchange)

    async def _who(self, name: str, password: str) -> str | None:
        """``name``, if that is his password."""
        digest = hmac.digest(self._secret, f"{name}:{password}".encode("utf-8", "surrogateescape"), "sha256")
        known = self._known.get(digest)
        if known is not None and self._clock.now() < known[1]:
            return known[0]
        if not await self._check(self._hashes.get(name, self._nobody), password) or name not in self._hashes:
            return None
        if self._remember:
            self._known[digest] = name, self._clock.now() + self._remember
            self._known.move_to_end(digest)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return name

    async def _check(self, hashed: _Hash, password: str) -> bool:
        if self._waiting >= _WAITING:
            raise Overloaded("too many passwords wait to be checked", retry_after=1.0)
        if self._checks is None:
            self._checks = asyncio.Semaphore(_AT_ONCE)
        checks = self._checks
        self._waiting += 1
        try:
            await checks.acquire()
            check = asyncio.get_running_loop().run_in_executor(None, hashed.is_of, password)
            # Whoever waits for it may be cancelled, but the thread is not: it is over when it is over.
            check.add_done_callback(lambda _: checks.release())
            return await asyncio.shield(check)
        finally:
            self._waiting -= 1

    async def stop(self) -> None:
        await super().stop()
        self._checks = None  # which belongs to one event loop
        self._known.clear()

    def __repr__(self) -> str:
        return f"<BasicAuth of {len(self._principals)}>"


def hash_of(password: str) -> str:
    """What ``BasicAuth`` is told of ``password``, with a salt of its own each time."""
    return str(_Hash.of(password, token_bytes(_SALT)))


class _Hash:
    """A password's scrypt (RFC 7914)."""

    __slots__ = ("_block", "_cost", "_hash", "_salt")

    def __init__(self, cost: int, block: int, salt: bytes, hash: bytes) -> None:
        self._cost, self._block, self._salt, self._hash = cost, block, salt, hash

    @classmethod
    def of(cls, password: str, salt: bytes) -> _Hash:
        return cls(_COST, _BLOCK, salt, _scrypt(password, _COST, _BLOCK, salt))

    @classmethod
    def read(cls, name: str, text: str) -> _Hash:
        try:
            kind, cost, block, salt, hashed = text.split("$")
            found = cls(int(cost), int(block), b64decode(salt, validate=True), b64decode(hashed, validate=True))
        except (ValueError, AttributeError):
            kind, found = "", cls(0, 0, b"", b"")
        power = found._cost.bit_count() == 1
        if kind != "scrypt" or not power or not _COST <= found._cost <= 2**20 or not 1 <= found._block <= 16:
            raise ValueError(f"users: that of {name!r} is no hash, as hash_of() makes them")
        if _memory(found._cost, found._block) > _LARGEST:
            raise ValueError(f"users: that of {name!r} costs too much memory: {found._cost} times {found._block}")
        if len(found._hash) != _LENGTH or len(found._salt) < 8:
            raise ValueError(f"users: that of {name!r} is no hash, as hash_of() makes them")
        return found

    @property
    def work(self) -> int:
        """What it costs to compute, in proportion."""
        return self._cost * self._block

    def nobodys(self) -> _Hash:
        """One that costs as much, and of no password."""
        return _Hash(self._cost, self._block, token_bytes(len(self._salt)), token_bytes(_LENGTH))

    def is_of(self, password: str) -> bool:
        return hmac.compare_digest(_scrypt(password, self._cost, self._block, self._salt), self._hash)

    def __str__(self) -> str:
        return f"scrypt${self._cost}${self._block}${b64encode(self._salt).decode()}${b64encode(self._hash).decode()}"


def _scrypt(password: str, cost: int, block: int, salt: bytes) -> bytes:
    data = password.encode("utf-8", "surrogateescape")
    return hashlib.scrypt(data, salt=salt, n=cost, r=block, p=1, maxmem=_memory(cost, block), dklen=_LENGTH)


def _memory(cost: int, block: int) -> int:
    """Bytes that scrypt takes: its table, and a few blocks (RFC 7914 section 5)."""
    return 128 * block * (cost + 4)


def _credentials(said: str) -> tuple[str, str] | None:
    scheme, _, encoded = said.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 2048:
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None
