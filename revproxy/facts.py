"""Values that say what is known about a request, found by filters or the edge and read by matchers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from .networks import IPAddress, parse_address

__all__ = ["UNKNOWN", "ClientAddress", "IPAddress", "Place", "Principal"]


@dataclass(slots=True)
class ClientAddress:
    """Where a request comes from, and how that is known.

    ``ip`` is ``None`` for a peer without one: ``is_unix`` says that it is on a Unix socket, which has none; else nobody
    knows. ``source`` says whose word it is: ``"peer"`` is the address of the TCP connection itself;
    ``"x-forwarded-for"`` and ``"forwarded"`` are what a trusted proxy said in that field (see ``TrustedProxies``).
    """

    ip: IPAddress | None
    port: int | None = None
    source: Literal["peer", "x-forwarded-for", "forwarded"] = "peer"
    is_unix: bool = field(default=False, kw_only=True)
    packed: bytes | None = field(init=False, repr=False, compare=False)
    """The address as 4 or 16 bytes: what tables have it under."""

    def __post_init__(self) -> None:
        self.packed = None if self.ip is None else self.ip.packed

    @classmethod
    def of_peer(cls, peername: object) -> ClientAddress:
        """From what ``transport.get_extra_info("peername")`` returns: a path, mostly an empty one, for a Unix socket;
        ``None`` where the peer is gone. An IPv4-mapped IPv6 address becomes IPv4."""
        # The same connections ask again and again, and to read an address takes 4 µs. Those that are kept are shared.
        return _of_peer(peername) if type(peername) is tuple else cls(None, is_unix=isinstance(peername, str | bytes))

    def __str__(self) -> str:
        return "-" if self.ip is None else str(self.ip)


@lru_cache(4096)
def _of_peer(peername: tuple[object, ...]) -> ClientAddress:
    match peername:
        case (str() as host, int() as port, *_):
            found = parse_address(host)
            return ClientAddress(None) if found is None else ClientAddress(found[0], port)
        case _:
            return ClientAddress(None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client is, as far as it is known; what is not is ``None``.

    ``country``, ``continent``: codes of two letters (ISO 3166-1; AF, AN, AS, EU, NA, OC, SA). ``region``: ISO 3166-2
    without the country (``"BY"``). ``location``: latitude and longitude in degrees. ``asn``, ``organisation``: the
    network's number and whose it is.
    """

    country: str | None = None
    continent: str | None = None
    region: str | None = None
    city: str | None = None
    location: tuple[float, float] | None = None
    asn: int | None = None
    organisation: str | None = None

    def __post_init__(self) -> None:
        if self.location is not None:
            latitude, longitude = self.location
            if not (abs(latitude) <= 90 and abs(longitude) <= 180):
                raise ValueError(f"location must be latitude and longitude in degrees, got {self.location}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who has asked, as it was proved. ``name``: as the operator calls him; ``method``: how (``"basic"``,
    ``"api-key"``, ``"jwt"``, ``"certificate"``). ``roles``: what he may, in the operator's words. ``attributes``: what
    else was proved of him, by the filter's own names for it."""

    name: str
    method: str
    roles: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.method})"


UNKNOWN = Place()
"""Nowhere that anybody knows: private addresses, Unix sockets, what no database has."""
