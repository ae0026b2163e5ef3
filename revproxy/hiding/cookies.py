"""Cookies that an upstream sets, as clients should have them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal, get_args

from ..affinity.cookie import SameSite
from ..headers import is_token
from .authority import authority
from .translation import Translation

__all__ = ["Cookies"]

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"\.?((?=.{{1,253}}\Z)(?:{_LABEL}\.)*{_LABEL})")
_BLANK = " \t"


class Cookies:
    """What becomes of ``Set-Cookie``.

    A ``Domain`` that is the upstream's is removed, so that the cookie is for the host alone that the client has asked;
    one that the public host is in stays. ``Path`` is what clients call it. A cookie ``__Host-...`` must not have a
    ``Path`` other than ``/`` (RFC 6265bis section 4.1.3.2): so that stays, and it is sent to all of the host. All else
    of a cookie stays byte for byte, and so does what is no cookie.

    ``domains``
        What other domains become: ``{"shop.internal": "shop.example"}``; ``None``: none.
    ``secure``
        ``"tls"``: cookies are ``Secure`` where the client has come over TLS; ``"always"``, whatever it has come by;
        ``"keep"``: as the upstream says.
    ``http_only``
        All are ``HttpOnly``, but for those ``readable`` by name, which scripts of the site need to see.
    ``same_site``
        For those that say nothing. ``"None"`` needs ``secure="always"``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter.
    """

    def __init__(
        self,
        *,
        domains: Mapping[str, str | None] = MappingProxyType({}),
        secure: Literal["keep", "tls", "always"] = "keep",
        http_only: bool = False,
        readable: Collection[str] = (),
        same_site: SameSite | None = None,
    ) -> None:
        if not isinstance(domains, Mapping):
            raise TypeError(f"domains must be a mapping of domains, got {domains!r}")
        if secure not in ("keep", "tls", "always"):
            raise ValueError(f"secure must be 'keep', 'tls' or 'always', got {secure!r}")
        if same_site is not None and same_site not in get_args(SameSite):
            raise ValueError(f"same_site must be one of {', '.join(get_args(SameSite))} or None, got {same_site!r}")
        if same_site == "None" and secure != "always":
            raise ValueError("secure must be 'always' for same_site='None'")
        if isinstance(readable, str) or not isinstance(readable, Collection):
            raise TypeError(f"readable must be names of cookies, in a list or the like, got {readable!r}")
        if readable and not http_only:
            raise ValueError("readable: all cookies are, without http_only=True")
        for each in readable:
            if not is_token(each):
                raise ValueError(f"readable must be names of cookies, got {each!r}")
        self._domains = {_domain(given): None if put is None else _domain(put) for given, put in domains.items()}
        self._secure = secure
        self._http_only = http_only
        self._readable = frozenset(readable)
        self._same_site = same_site

    def edited(self, value: str, translation: Translation) -> str:
        """``value``, one ``Set-Cookie``, as the client should have it."""
        pair, *attributes = value.split(";")
        name = pair.partition("=")[0].strip(_BLANK)
        if not name or "=" not in pair:
            name = ""
        has_host_prefix = name.lower().startswith("__host-")
        kept: list[str | None] = [pair]
        domains: list[int] = []
        said: set[str] = set()
        for attribute in attributes:
            written, _, given = attribute.partition("=")
            key, given = written.strip(_BLANK).lower(), given.strip(_BLANK)
            said.add(key)
            if key == "domain" and given:
                domain, is_mapped = self._mapped(given, translation)
                if is_mapped:
                    for place in domains:  # of several the last counts (RFC 6265 section 5.3): none of those before
                        kept[place] = None
                    domains = []
                    if domain is None or has_host_prefix:
                        continue
                    attribute = f"{written}={domain}"
                domains.append(len(kept))
            elif key == "path" and not has_host_prefix:
                path = translation.path(given)
                if path != given:
                    kept.append(f"{written}={path.replace(';', '%3B')}")
                    continue
            kept.append(attribute)
        if "secure" not in said and (self._secure == "always" or (self._secure == "tls" and translation.is_secure)):
            kept.append(" Secure")
        if self._http_only and "httponly" not in said and name not in self._readable:
            kept.append(" HttpOnly")
        if self._same_site is not None and "samesite" not in said:
            kept.append(f" SameSite={self._same_site}")
        return ";".join(each for each in kept if each is not None)

    def _mapped(self, given: str, translation: Translation) -> tuple[str | None, bool]:
        """The domain in the place of ``given``, if any, and whether it is another one."""
        domain = given.removeprefix(".").lower()
        if domain in self._domains:
            return self._domains[domain], True
        named = authority(domain)  # with a port it is none that a client would take, and says where the upstream is
        return None, named is not None and translation.is_mine(named[0])

    def __repr__(self) -> str:
        said = [f"domains={self._domains}"] if self._domains else []
        if self._secure != "keep":
            said.append(f"secure={self._secure!r}")
        if self._http_only:
            said.append("http_only=True")
        if self._readable:
            said.append(f"readable={sorted(self._readable)}")
        if self._same_site is not None:
            said.append(f"same_site={self._same_site!r}")
        return f"Cookies({', '.join(said)})"


def _domain(text: object) -> str:
    found = _DOMAIN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"domains: {text!r} is not a domain")
    return found[1].lower()
