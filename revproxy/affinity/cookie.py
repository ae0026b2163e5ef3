"""Sessions by a cookie of the proxy's own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from typing import Literal, get_args

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Attempt, Exchange
from ..headers import is_token
from ..message import Response
from .base import Gone
from .token import TokenAffinity

__all__ = ["CookieAffinity", "SameSite"]

SameSite = Literal["Strict", "Lax", "None"]

_SET_COOKIE = istr("Set-Cookie")
_PATH = re.compile(r"/[!-:<-~]*")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


class CookieAffinity(TokenAffinity):
    """A browser stays at one endpoint, by a cookie that the proxy sets with the first answer::

        Upstream("http://10.0.0.1", "http://10.0.0.2", affinity=CookieAffinity(key))

    The cookie is authenticated and says nothing that others could read: a forged, altered or expired one is as good as
    none. The same ``keys`` in several proxies make one believe the other's.

    ``keys``, ``gone``
        See ``TokenAffinity`` and ``Gone``.
    ``name``
        The cookie's; one for each upstream. With the prefix ``__Host-`` or ``__Secure-`` the browser makes sure that it
        came over TLS, and the first that no other host has set it (RFC 6265bis section 4.1.3).
    ``max_age``
        Seconds that the browser keeps it, 400 days at most; when less than half of that is left it gets a new one.
        ``None``: until the browser is closed.
    ``path``, ``domain``
        Where the browser sends it. Without a ``domain``, to this host only.
    ``secure``
        ``Secure``; ``None``: if the request came over TLS (behind a trusted proxy: if that says so).
    ``same_site``
        ``"None"``, for use within pages of others, needs ``secure=True``.

    It is always ``HttpOnly``.

    Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        keys: bytes | Sequence[bytes],
        *,
        name: str = "affinity",
        max_age: float | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool | None = None,
        same_site: SameSite = "Lax",
        gone: Gone = "redistribute",
        clock: Clock = SYSTEM_CLOCK,
        nonces: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if not is_token(name):
            raise ValueError(f"name: {name!r} is not a cookie's name")
        if not _PATH.fullmatch(path):
            raise ValueError(f"path must begin with a slash and have no semicolon, got {path!r}")
        if domain is not None and not _DOMAIN.fullmatch(domain):
            raise ValueError(f"domain: {domain!r} is not a host name")
        if same_site not in get_args(SameSite):
            raise ValueError(f"same_site must be one of {', '.join(map(repr, get_args(SameSite)))}, got {same_site!r}")
        if secure is not True and (same_site == "None" or name.lower().startswith(("__secure-", "__host-"))):
            raise ValueError(f"secure must be True for {'same_site=None' if same_site == 'None' else name}")
        if name.lower().startswith("__host-") and (path != "/" or domain is not None):
            raise ValueError(f"path must be '/', and domain None, for {name}")
        purpose = f"cookie {name}; {path}; {(domain or '').lower()}"
        super().__init__(keys, purpose, max_age=max_age, gone=gone, clock=clock, nonces=nonces)
        self.mark: str = f"cookie {name}"  # whatever its path: browsers send one of "/" to "/a", too
        self._name = name
        self._needle = name.encode("ascii")
        self._secure = secure
        self._attributes = f"; Path={path}; HttpOnly; SameSite={same_site}"
        if domain is not None:
            self._attributes += f"; Domain={domain}"

    def brought(self, exchange: Exchange) -> Iterable[str]:
        return exchange.inbound.cookies.getall(self._name, ())

    def clean(self, response: Response) -> None:
        if response.lines is None or self._needle in response.lines:
            headers = response.headers
            lines = headers.getall(_SET_COOKIE, ())
            kept = [line for line in lines if line.partition("=")[0].strip(" \t") != self._name]
            if len(kept) != len(lines):
                headers.popall(_SET_COOKIE)
                for line in kept:
                    headers.add(_SET_COOKIE, line)

    def give(self, token: str, attempt: Attempt, response: Response) -> None:
        said = f"{self._name}={token}{self._attributes}"
        if self._max_age is not None:
            expires = formatdate(int(self._clock.wall() + self._max_age), usegmt=True)
            said += f"; Max-Age={int(self._max_age)}; Expires={expires}"
        secure = attempt.exchange.inbound.scheme == "https" if self._secure is None else self._secure
        response.headers.add(_SET_COOKIE, f"{said}; Secure" if secure else said)

    def __repr__(self) -> str:
        return f"CookieAffinity(name={self._name!r}, gone={self.gone!r})"
