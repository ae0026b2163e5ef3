"""Tokens that an issuer has signed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

from multidict import istr

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ProxyError, Unauthorized
from ...exchange import Exchange, Key
from ...facts import Principal
from ...handler import Handler
from ...headers import is_token
from ...identity import PRINCIPAL
from ...message import Response
from .base import Authentication, is_name, roles_of
from .claims import ClaimPath, Claims, ClaimsPolicy, path_of, strings_at, value_at
from .cookies import without_cookie
from .jwk import KeyLike, VerifyingKey, check_extra, verifying_keys
from .jwks import Jwks
from .key_set import KeySet
from .verifier import MAX_TOKEN, TokenRefused, Verifier, checked_algorithms, is_token_like

__all__ = ["CLAIMS", "Jwt"]

CLAIMS: Key[Claims] = Key("claims")
"""What the token of who asks has claimed, verified: as JSON has it, and not to be changed: the next request with the
token has the same."""

_AUTHORIZATION = istr("Authorization")


class _Known(NamedTuple):
    """A token that was good."""

    principal: Principal
    claims: Claims
    ends: float
    """Until when it is, in seconds since the epoch."""
    keys: KeySet
    """Among which was the one that has signed it."""


class Jwt(Authentication):
    """Lets in who shows a token (RFC 7519) that one of the keys has signed, and that is good here and now. ::

        issuer = Upstream("https://login.example.com", name="login")
        Jwt(
            Jwks(issuer, "/.well-known/jwks.json"),
            algorithms=["RS256"],
            issuer="https://login.example.com",
            audience="orders",
            roles="realm_access.roles",
            field="X-User",
        )

    ``keys``
        Where the keys come from: ``Jwks``; or the keys themselves: a public key or certificate in PEM, a secret as
        ``bytes``, a JSON Web Key as a mapping; one, several, or several by their names (``kid``).
    ``algorithms``
        Those that are taken, ``"RS256"`` and its kin. A key verifies those of its own kind alone, so that a public key
        is never taken for a secret; ``none`` is refused. What a token itself says of its keys (``jku``, ``jwk``,
        ``x5u``, ``x5c``) is not looked at.
    ``issuer``, ``audience``
        One or several, of which ``iss`` must be one, and ``aud`` must have one. ``None`` says that you do not check:
        then a token that was made for another service will do.
    ``leeway``
        Seconds by which the issuer's clock and this one may differ, for ``exp``, ``nbf`` and ``iat``.
    ``required``
        Claims that must be there. Without ``exp`` among them a token may be good for ever.
    ``typ``
        What the token's header must say, as ``"at+jwt"`` (RFC 9068); ``None``: anything, or nothing.
    ``header``, ``scheme``, ``cookie``
        The request field with the token, and what stands before it; or the cookie that it is.
    ``name``, ``roles``
        Where the principal's name is among the claims, and his roles (a list, or words with spaces between them), such
        as ``"scope"`` or ``"realm_access.roles"``; or functions of the claims.
    ``forward``
        Whether servers get the token, too.
    ``cached``
        Tokens at most that are known by their SHA-256, until they expire or the keys change, without the 50 to 400 µs
        that it takes to verify one. 0: each is verified each time.
    ``optional``, ``field``
        See ``Authentication``.

    The claims are in ``exchange[CLAIMS]``. A token has 8 KiB at most. Who shows none, two, or a wrong one is told 401
    (RFC 6750 section 3), and not why: that is in the log. Where there are no keys the answer is 503
    (``AuthenticationUnavailable``). Needs the extra ``jwt``. Raises ``ImportError`` without it, and ``ValueError`` that
    names the parameter.
    """

    provides: frozenset[Key[Any]] = frozenset({PRINCIPAL, CLAIMS})

    def __init__(
        self,
        keys: Jwks | KeyLike | Sequence[KeyLike] | Mapping[str, KeyLike],
        *,
        algorithms: Collection[str],
        issuer: str | Collection[str] | None,
        audience: str | Collection[str] | None,
        leeway: float = 30.0,
        required: Collection[str] = ("exp",),
        typ: str | None = None,
        header: str = "Authorization",
        scheme: str = "Bearer",
        cookie: str | None = None,
        name: ClaimPath | Callable[[Claims], str] = "sub",
        roles: ClaimPath | Callable[[Claims], Iterable[str]] | None = None,
        forward: bool = False,
        cached: int = 1024,
        optional: bool = False,
        field: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        check_extra("Jwt")
        for what, value in (("header", header), ("scheme", scheme or "x"), ("cookie", cookie or "x")):
            if not is_token(value):
                raise ValueError(f"{what}: {value!r} is not a token")
        if type(cached) is not int or cached < 0:
            raise ValueError(f"cached must be a whole number of at least 0, got {cached!r}")
        shown_in = (header,) if cookie is None else ()
        super().__init__(optional=optional, field=field, challenge="Bearer", shown_in=shown_in)
        self._jwks = keys if isinstance(keys, Jwks) else None
        self._keys = None if isinstance(keys, Jwks) else KeySet(verifying_keys(keys))
        self._verifier = Verifier(
            checked_algorithms(algorithms, self._keys),
            ClaimsPolicy(issuer, audience, leeway=leeway, required=required),
            typ,
        )
        self._header = istr(header)
        self._scheme = scheme.lower()
        self._cookie = cookie
        self._name = name if callable(name) else _name_at(path_of("name", name))
        self._roles = roles if callable(roles) else None if roles is None else _roles_at(path_of("roles", roles))
        self._forward = forward
        self._cached = cached
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._clock = clock

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        shown, token = self._shown(exchange)
        if token is None:
            return self._answer(exchange, handler, None, shown, "there is not one token, as there should be")
        digest = sha256(token.encode("ascii")).digest()
        known = self._recall(digest)
        if known is not None:
            return self._answer(exchange, handler, known, shown)
        try:
            kid, algorithm = self._verifier.peek(token)
        except TokenRefused as refused:
            return self._answer(exchange, handler, None, shown, str(refused))
        keys = self._current()
        candidates = keys.candidates(kid, algorithm)
        if not candidates and self._jwks is not None and self._jwks.fetch_early():
            return self._later(exchange, handler, token, digest, kid, algorithm)
        return self._decided(exchange, handler, token, digest, keys, candidates)

    async def _later(
        self, exchange: Exchange, handler: Handler, token: str, digest: bytes, kid: str | None, algorithm: str
    ) -> Response:
        """The same with the keys that are being fetched."""
        assert self._jwks is not None
        await self._jwks.fetched()
        keys = self._current()
        return await self._decided(exchange, handler, token, digest, keys, keys.candidates(kid, algorithm))

    # Nothing below awaits.

    def _current(self) -> KeySet:
        """The keys. Raises ``AuthenticationUnavailable`` where there are none."""
        if self._jwks is not None:
            return self._jwks.check()
        assert self._keys is not None
        return self._keys

    def _recall(self, digest: bytes) -> _Known | None:
        """What is known of a token that was good and still is: the key that has signed it may be gone by now."""
        known = self._known.get(digest)
        if known is None:
            return None
        if known.keys is not self._current() or self._clock.wall() >= known.ends:
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return known

    def _decided(
        self,
        exchange: Exchange,
        handler: Handler,
        token: str,
        digest: bytes,
        keys: KeySet,
        candidates: Sequence[VerifyingKey],
    ) -> Coroutine[Any, Any, Response]:
        try:
            claims = MappingProxyType(self._verifier.verify(token, candidates, self._clock.wall()))
            known = _Known(self._principal(claims), claims, self._verifier.policy.ends(claims), keys)
        except TokenRefused as refused:
            return self._answer(exchange, handler, None, True, str(refused))
        if self._cached:
            self._known[digest] = known
            if len(self._known) > self._cached:
                self._known.popitem(last=False)
        return self._answer(exchange, handler, known, True)

    def _answer(
        self, exchange: Exchange, handler: Handler, known: _Known | None, shown: bool, why: str = ""
    ) -> Coroutine[Any, Any, Response]:
        """Let it pass, or raise."""
        self.admit(exchange, None if known is None else known.principal, shown=shown, why=why if shown else "")
        if known is not None:
            exchange[CLAIMS] = known.claims
        if shown and not self._forward:
            if self._cookie is None:
                exchange.request.headers.popall(self._header, None)
            else:
                without_cookie(exchange.request.headers, self._cookie)
        return handler(exchange)

    def refusal(self, why: str, *, shown: bool) -> ProxyError:
        # Who has shown nothing is told no error (RFC 6750 section 3.1).
        return Unauthorized(why, challenge='Bearer error="invalid_token"' if shown else "Bearer")

    def _shown(self, exchange: Exchange) -> tuple[bool, str | None]:
        """Whether something is shown, and the token, if it is exactly one, and looks like one."""
        if self._cookie is not None:
            said: Sequence[str] = exchange.inbound.cookies.getall(self._cookie, ())
        else:
            said = exchange.inbound.headers.getall(self._header, ())
        if len(said) != 1 or len(said[0]) > MAX_TOKEN + 64:
            return bool(said), None
        token = said[0]
        if self._cookie is None and self._scheme:
            scheme, _, token = token.partition(" ")
            if scheme.lower() != self._scheme:
                return True, None
        token = token.strip(" ")
        return True, token if is_token_like(token) else None

    def _principal(self, claims: Claims) -> Principal:
        try:
            name = self._name(claims)
            roles = frozenset[str]() if self._roles is None else roles_of(name, self._roles(claims))
        except Exception as error:  # a function of the developer's, of claims that it did not expect
            raise TokenRefused(f"no principal can be made of its claims: {type(error).__name__}") from error
        if type(name) is not str or not is_name(name):
            raise TokenRefused("it names nobody")
        return Principal(name, "jwt", roles)

    def parts(self) -> Iterable[object]:
        return () if self._jwks is None else (self._jwks,)

    async def stop(self) -> None:
        await super().stop()
        self._known.clear()

    def __repr__(self) -> str:
        keys = repr(self._keys if self._jwks is None else self._jwks)
        return f"<Jwt {', '.join(sorted(self._verifier.algorithms))} {keys} cached={len(self._known)}>"


def _name_at(path: tuple[str, ...]) -> Callable[[Claims], str]:
    def name(claims: Claims) -> str:
        found = value_at(claims, path)
        return found if isinstance(found, str) else ""

    return name


def _roles_at(path: tuple[str, ...]) -> Callable[[Claims], Iterable[str]]:
    return lambda claims: strings_at(claims, path)
