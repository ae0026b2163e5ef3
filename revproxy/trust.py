"""Who the client is, where proxies stand before this one: whose word counts, and how far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from multidict import CIMultiDictProxy, istr

from .facts import ClientAddress
from .networks import IPAddress, IPNetwork, Networks, parse_address

__all__ = ["Claim", "TrustedField", "TrustedProxies", "is_authority"]

TrustedField: TypeAlias = Literal["X-Forwarded-For", "Forwarded"]

_FORWARDED = istr("Forwarded")
_FOR = istr("X-Forwarded-For")
_HOST = istr("X-Forwarded-Host")
_PROTO = istr("X-Forwarded-Proto")

_AUTHORITY = re.compile(
    r"""
    (?: [A-Za-z0-9_] [A-Za-z0-9._-]*+                 # a name or an IPv4 address
      | \[ [0-9A-Fa-f:.]++ \] )                       # an IPv6 address
    (?: : (?: [0-9]{1,4} | [1-5][0-9]{4} | 6[0-4][0-9]{3} | 65[0-4][0-9]{2} | 655[0-2][0-9] | 6553[0-5] )? )?
    """,
    re.VERBOSE,
)


def is_authority(host: str) -> bool:
    """Whether ``host`` is one host, with or without a port, as ``Host`` must have it (RFC 9112 section 3.2): no user
    information, no list, no path, no space. Names are in ASCII (RFC 5890)."""
    if len(host) > 320 or _AUTHORITY.fullmatch(host) is None:
        return False
    return not host.startswith("[") or parse_address(host.rstrip(":")) is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """What is believed of a request that a trusted proxy has passed on: the client, and the scheme and the authority
    that it used, as far as the proxy said so."""

    client: ClientAddress
    scheme: str | None = None
    host: str | None = None


class TrustedProxies:
    """The proxies before this one whose word about the client counts.

    ``networks``
        Their addresses: ``"10.0.0.0/8"``, ``"192.0.2.7"``; ``"unix"`` is every peer on a Unix socket.
    ``field``
        Which field they write, ``"X-Forwarded-For"`` (with ``X-Forwarded-Proto`` and ``-Host`` beside it) or
        ``"Forwarded"`` (RFC 7239). The other one is never believed: a client could have sent it.
    ``limit``
        Entries at most that are looked at.

    The field is read from the right, as every proxy appends the address that it saw: the client is the first address
    that is not a trusted proxy's, or the leftmost. Where an entry on the way is no address (``unknown`` and names that
    hide one included), or there are more than ``limit`` of them, no address is believed, and the client is the peer. Of
    ``X-Forwarded-Proto`` and ``-Host`` it is the last value that counts: a proxy must replace them, or hand on what
    it trusts itself.

    Raises ``ValueError`` that names the parameter and its value.
    """

    def __init__(self, *networks: str | IPNetwork, field: TrustedField = "X-Forwarded-For", limit: int = 32) -> None:
        if not networks:
            raise ValueError("networks: at least one is needed")
        if field not in get_args(TrustedField):
            raise ValueError(f"field must be one of {', '.join(map(repr, get_args(TrustedField)))}, got {field!r}")
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self._networks = Networks(network for network in networks if network != "unix")
        self._unix = "unix" in networks
        self.field = field
        self.limit = limit
        self._said = ", ".join(map(str, networks))

    def trusts(self, peer: ClientAddress) -> bool:
        """Whether the proxy believes ``peer``, the other end of a connection."""
        return self._unix and peer.is_unix if peer.ip is None else peer.ip in self._networks

    def claim(self, peer: ClientAddress, headers: CIMultiDictProxy[str]) -> Claim | None:
        """What is believed of a request from ``peer`` with ``headers``; ``None``: ``peer`` is not trusted."""
        if not self.trusts(peer):
            return None
        if self.field == "Forwarded":
            return self._by_forwarded(peer, headers)
        return self._by_x_forwarded(peer, headers)

    def _by_x_forwarded(self, peer: ClientAddress, headers: CIMultiDictProxy[str]) -> Claim:
        found = self._walk(entries(headers.getall(_FOR, ()), self.limit))
        client = peer if found is None else ClientAddress(*found[0], "x-forwarded-for")
        return Claim(client, _scheme(_last(headers, _PROTO)), _host(_last(headers, _HOST)))

    def _by_forwarded(self, peer: ClientAddress, headers: CIMultiDictProxy[str]) -> Claim:
        elements = parse_forwarded(headers.getall(_FORWARDED, ()))
        if elements is None:
            return Claim(peer)
        found = self._walk([element.get("for", "") for element in elements[-self.limit - 1 :]])
        if found is None:
            return Claim(peer)
        (ip, port), steps = found
        element = elements[-steps]
        return Claim(ClientAddress(ip, port, "forwarded"), _scheme(element.get("proto")), _host(element.get("host")))

    def _walk(self, found: Sequence[str]) -> tuple[tuple[IPAddress, int | None], int] | None:
        """The client among addresses, the nearest last, and how many steps away it is."""
        address: tuple[IPAddress, int | None] | None = None
        for steps, text in enumerate(reversed(found), 1):
            if steps > self.limit:
                return None
            address = parse_address(text)
            if address is None:
                return None
            if address[0] not in self._networks:
                return address, steps
        return None if address is None else (address, len(found))

    def __repr__(self) -> str:
        return f"TrustedProxies({self._said}, field={self.field!r})"


def entries(lines: Sequence[str], limit: int) -> list[str]:
    """The elements of a list field (RFC 9110 section 5.6.1) from the right, at most one more than ``limit``; empty ones
    do not count. In a list that is mostly commas the rest is one element, and none that anybody would believe."""
    parts = ",".join(lines).rsplit(",", 4 * limit)
    return [entry for part in parts if (entry := part.strip(" \t"))][-limit - 1 :]


def _last(headers: CIMultiDictProxy[str], name: istr) -> str | None:
    """The last value of a field, which is the peer's own word, or what it has let stand. Those before it could be
    anybody's: how many proxies have added to one field says nothing of another."""
    found = entries(headers.getall(name, ()), 1)
    return found[-1] if found else None


def _scheme(said: str | None) -> str | None:
    scheme = said.lower() if said is not None else None
    return scheme if scheme in ("http", "https") else None


def _host(said: str | None) -> str | None:
    return said if said is not None and is_authority(said) else None


_PAIR = re.compile(
    r"""
    [ \t]*+
    (?: (?P<name> [!\#$%&'*+\-.^_`|~0-9A-Za-z]++ ) =
        (?: (?P<token> [!\#$%&'*+\-.^_`|~0-9A-Za-z:\[\]]++ )
          | " (?P<quoted> (?: [^"\\\x00-\x08\x0a-\x1f\x7f] | \\[\t -~\x80-\U0010ffff] )* ) " )
    )?
    [ \t]*+ (?P<end> [;,] | \Z )
    """,
    re.VERBOSE,
)
MAX_FORWARDED = 16384
"""Characters of ``Forwarded`` at most; more counts as malformed."""
_QUOTED_PAIR = re.compile(r"\\(.)")


def parse_forwarded(lines: Sequence[str]) -> list[dict[str, str]] | None:
    """The elements of ``Forwarded`` (RFC 7239 section 4), each as its parameters by lower-cased name; ``None`` if it is
    malformed or names a parameter twice in an element. Addresses in tokens, which many send, are let pass."""
    text = ",".join(lines)
    if len(text) > MAX_FORWARDED:
        return None
    elements: list[dict[str, str]] = []
    element: dict[str, str] = {}
    at = 0
    while at <= len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            return None
        name = pair["name"]
        if name is not None:
            name = name.lower()
            if name in element:
                return None
            quoted = pair["quoted"]
            element[name] = pair["token"] if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        if pair["end"] != ";":
            if element:
                elements.append(element)
            element = {}
        at = pair.end()
        if not pair["end"]:
            break
    return elements
