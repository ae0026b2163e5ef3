"""Where clients find what an upstream serves."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import get_args

from multidict import istr

from ..canonical import canonical
from ..errors import BadRequest
from ..exchange import Attempt
from ..message import Move
from ..paths import PathPolicy
from ..trust import is_authority
from .authority import Authority, authority
from .names import KEPT, check_names
from .route import Route, route
from .translation import Internal, Translation

__all__ = ["PublicOrigin"]

_HOST = istr("Host")
_ORIGIN = re.compile(r"(https?)://([^/\\?#@]+)/?", re.IGNORECASE)
_read = PathPolicy(encoded_slash="refuse", empty_segments="refuse").bind(conditions=False)


class PublicOrigin:
    """Where clients find what an upstream serves: what becomes of the URLs that it says.

    ``origin``
        ``"https://shop.example"``: URLs that name the upstream become ones of that. By default they become paths, which
        a client reads as of the host that it has asked: nothing is ever built of what it says that host is.
    ``aliases``
        What the upstream calls itself besides: ``"http://app.internal:8080"``, ``"app.internal"``. Known is the
        endpoint's URL and address, whatever the scheme, and the ``Host`` that it was sent.
    ``prefix``, ``base``
        What stands before its paths where clients ask for them, and where it has them: ``prefix="/shop"``. Both are
        found out where ``mount(strip=True)``, ``StripPrefix``, ``AddPrefix``, the path of the endpoint's URL, a
        ``PathRewrite`` or ``PathTemplate`` that keeps all behind a fixed beginning, or a filter of yours has put or
        taken whole segments in front. What other rewriting has made of a path cannot be undone: then paths stay.
    ``internal``
        What becomes of URLs of other hosts that nobody outside could mean, by addresses that are not global, names
        without a dot or of a domain for use inside (``.internal``, ``.local``), or the endpoint's host at another port:
        ``"pass"``; ``"map"``, as if it was the upstream; or ``"remove"``, with the field.
    ``urls``
        Fields besides ``Location`` and ``Content-Location`` that have one URL for a value.

    URLs of other hosts pass untouched, also what they have in their queries. So does what is no URL, unless it names
    the upstream: that field is removed. Raises ``ValueError`` or ``TypeError`` that names the parameter.
    """

    def __init__(
        self,
        origin: str | None = None,
        *,
        prefix: str | None = None,
        base: str | None = None,
        aliases: Collection[str] = (),
        internal: Internal = "pass",
        urls: Collection[str] = (),
    ) -> None:
        if internal not in get_args(Internal):
            raise ValueError(f"internal must be 'pass', 'map' or 'remove', got {internal!r}")
        if isinstance(aliases, str) or not isinstance(aliases, Collection):
            raise TypeError(f"aliases must be origins or authorities, in a list or the like, got {aliases!r}")
        self.origin: str = "" if origin is None else _origin(origin)
        """Empty if there is none."""
        self.prefix: str | None = None if prefix is None else _path("prefix", prefix)
        self.base: str | None = None if base is None else _path("base", base)
        self.aliases: frozenset[Authority] = frozenset(map(_alias, aliases))
        self.internal: Internal = internal
        self.urls: tuple[str, ...] = check_names("urls", urls)
        for name in self.urls:
            if name.endswith("*") or name in KEPT:
                raise ValueError(f"urls: {name!r} has no URL for a value")

    def translation(self, attempt: Attempt) -> Translation:
        """What URLs mean in the response to ``attempt``."""
        inbound, endpoint, request = attempt.exchange.inbound, attempt.endpoint, attempt.request
        came = sent = inbound.path
        way: Route | None = None
        is_rewritten = request.moves or endpoint.prefix or request.target != inbound.target
        if is_rewritten or self.prefix is not None or self.base is not None:
            try:
                base = canonical(endpoint.prefix)
                sent = canonical(request.target.partition("?")[0])
                way = self._route(came, sent, request.moves, base)
                sent = base + sent
            except BadRequest:  # a filter of somebody's own has made something of it that is no path
                sent = came
        return Translation(
            partial(self._names, attempt),
            origin=self.origin,
            route=way,
            came=came,
            sent=sent,
            scheme=inbound.scheme,
            asked=inbound.host,
            internal=self.internal,
        )

    def _route(self, came: str, sent: str, moves: Sequence[Move | None], base: str) -> Route | None:
        if self.prefix is None and self.base is None:
            return route(came, sent, moves, base)
        return Route([(self.prefix or "", base if self.base is None else self.base)])

    def _names(self, attempt: Attempt) -> frozenset[Authority]:
        endpoint, request = attempt.endpoint, attempt.request
        names = [endpoint.authority, attempt.host]
        if endpoint.address is not None:
            address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
            names.append(f"{address}:{endpoint.port}")
        if request.names_host:
            names.append(request.headers[_HOST])
        return self.aliases.union(named for name in names if (named := authority(name)) is not None)

    def __repr__(self) -> str:
        said = [repr(self.origin)] if self.origin else []
        said += [f"{name}={value!r}" for name in ("prefix", "base") if (value := getattr(self, name)) is not None]
        if self.aliases:
            said.append(f"aliases={sorted(f'{host}:{port}' if port else host for host, port in self.aliases)}")
        if self.internal != "pass":
            said.append(f"internal={self.internal!r}")
        if self.urls:
            said.append(f"urls={list(self.urls)}")
        return f"PublicOrigin({', '.join(said)})"


def _origin(origin: object) -> str:
    if not isinstance(origin, str):
        raise TypeError(f"origin must be an origin as 'https://shop.example' or None, got {origin!r}")
    found = _ORIGIN.fullmatch(origin)
    if found is None or not is_authority(found[2]):
        raise ValueError(
            f"origin must be http: or https:, a host in ASCII and perhaps a port, got {origin!r}; a path is the prefix"
        )
    return f"{found[1]}://{found[2]}".lower()


def _alias(alias: object) -> Authority:
    if not isinstance(alias, str):
        raise TypeError(f"aliases must be origins or authorities, got {alias!r}")
    found = _ORIGIN.fullmatch(alias)
    text = alias if found is None else found[2]
    named = authority(text) if text.isascii() and is_authority(text) else None
    if named is None:
        raise ValueError(f"aliases must be origins or authorities, as 'http://app.internal:8080', got {alias!r}")
    return named


def _path(name: str, path: object) -> str:
    if not isinstance(path, str):
        raise TypeError(f"{name} must be a path, got {path!r}")
    if "?" in path or not path.startswith("/"):
        raise ValueError(f"{name} must be a path from '/', got {path!r}")
    try:
        return _read(path).path.rstrip("/")
    except BadRequest as error:
        raise ValueError(f"{name}: {error}: {path!r}") from None
