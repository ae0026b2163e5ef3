"""What a token claims, and whether it is good here and now (RFC 7519 section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["ClaimPath", "Claims", "ClaimsPolicy", "path_of", "strings_at", "value_at"]

Claims: TypeAlias = Mapping[str, Any]
"""The claims of a token, as JSON has them."""

ClaimPath: TypeAlias = str | Sequence[str]
"""Where a claim is: ``"scope"``, ``"realm_access.roles"``, or, for names with dots, ``("https://a.test/roles",)``."""


def path_of(what: str, path: ClaimPath) -> tuple[str, ...]:
    """The names on the way to a claim. Raises ``ValueError`` that names the parameter ``what``."""
    found = tuple(path.split(".") if isinstance(path, str) else path)
    if not found or not all(type(each) is str and each for each in found):
        raise ValueError(f"{what}: {path!r} is no path of claims, as 'realm_access.roles' is")
    return found


def value_at(claims: Claims, path: Iterable[str]) -> Any:
    """What stands there, or ``None``."""
    found: Any = claims
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def strings_at(claims: Claims, path: Iterable[str]) -> frozenset[str]:
    """The words that stand there: a list of strings, or one string with spaces between them, as ``scope`` has it (RFC
    8693 section 4.2). What is neither says nothing."""
    found = value_at(claims, path)
    if isinstance(found, str):
        return frozenset(found.split())
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()


class ClaimsPolicy:
    """Which claims are good. Without I/O: it is told what time it is.

    ``issuer``, ``audience``
        Of which ``iss`` must be one, and ``aud`` must have one; ``None``: that is not looked at.
    ``leeway``
        Seconds by which clocks may differ.
    ``required``
        Claims that must be there.

    Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        issuer: str | Collection[str] | None,
        audience: str | Collection[str] | None,
        *,
        leeway: float,
        required: Collection[str],
    ) -> None:
        if not 0 <= leeway < float("inf"):
            raise ValueError(f"leeway must be at least 0 and finite, got {leeway}")
        if isinstance(required, str) or not all(type(each) is str and each for each in required):
            raise ValueError(f"required must be names of claims, got {required!r}")
        self._issuers = _named("issuer", issuer)
        self._audiences = _named("audience", audience)
        self._leeway = leeway
        self._required = tuple(required)
        self._checks: tuple[Callable[[Claims, float], str | None], ...] = (
            self._presence,
            self._times,
            self._issuer,
            self._audience,
        )

    def refuses(self, claims: Claims, now: float) -> str | None:
        """Why the claims are not good at ``now`` (seconds since the epoch), or ``None``."""
        for check in self._checks:
            why = check(claims, now)
            if why is not None:
                return why
        return None

    def ends(self, claims: Claims) -> float:
        """Until when claims that are good stay so, in seconds since the epoch."""
        ends = claims.get("exp")
        return float("inf") if ends is None else float(ends) + self._leeway

    def _presence(self, claims: Claims, now: float) -> str | None:
        for name in self._required:
            if claims.get(name) is None:
                return f"it has no {name}"
        return None

    def _times(self, claims: Claims, now: float) -> str | None:
        for name in ("exp", "nbf", "iat"):
            said = claims.get(name)
            if said is None:
                if name in claims:
                    return f"its {name} is no time"
            elif not isinstance(said, int | float) or isinstance(said, bool) or not 0 <= said < 2**53:
                return f"its {name} is no time"
            elif name == "exp":
                if now >= said + self._leeway:
                    return f"it has expired {now - said:.0f} s ago"
            elif now < said - self._leeway:
                return f"its {name} is {said - now:.0f} s ahead"
        return None

    def _issuer(self, claims: Claims, now: float) -> str | None:
        if self._issuers is None:
            return None
        said = claims.get("iss")
        return None if isinstance(said, str) and said in self._issuers else "it is of another issuer"

    def _audience(self, claims: Claims, now: float) -> str | None:
        if self._audiences is None:
            return None
        said = claims.get("aud")
        named = said if isinstance(said, list) else [said]
        if all(isinstance(each, str) for each in named) and not self._audiences.isdisjoint(named):
            return None
        return "it is for another audience"


def _named(what: str, names: str | Collection[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    found = frozenset([names] if isinstance(names, str) else names)
    if not found or not all(type(each) is str and each for each in found):
        raise ValueError(f"{what} must be a name, several, or None, got {names!r}")
    return found
