"""Sets of IP networks, and addresses as they are written in fields."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

__all__ = ["IPAddress", "IPNetwork", "Networks", "parse_address"]

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network


class Networks:
    """A set of networks: ``"10.0.0.0/8"``, ``"2001:db8::/32"``, ``"192.0.2.7"``, or objects of ``ipaddress``.

    To ask for an address costs one look-up for each length of prefix. An IPv4 address is one, also where it came in
    over IPv6. Raises ``ValueError`` for a network with host bits set.
    """

    __slots__ = ("_v4", "_v6", "all")

    def __init__(self, networks: Iterable[str | IPNetwork]) -> None:
        self.all: frozenset[IPNetwork] = frozenset(map(_network, networks))
        self._v4 = _prefixes(self.all, 4)
        self._v6 = _prefixes(self.all, 6)

    def __contains__(self, ip: IPAddress) -> bool:
        number = int(ip)
        for shift, prefixes in self._v4 if isinstance(ip, IPv4Address) else self._v6:
            if number >> shift in prefixes:
                return True
        return False

    def __repr__(self) -> str:
        return f"Networks({sorted(map(str, self.all))})"


def _network(network: str | IPNetwork) -> IPNetwork:
    try:
        parsed = ip_network(str(network))
    except ValueError as error:
        raise ValueError(f"networks: {error}") from None
    if isinstance(parsed, IPv6Network) and parsed.prefixlen >= 96:
        mapped = parsed.network_address.ipv4_mapped
        if mapped is not None:  # such a client's address is known as IPv4
            return IPv4Network((int(mapped), parsed.prefixlen - 96))
    return parsed


def _prefixes(networks: Iterable[IPNetwork], version: int) -> list[tuple[int, frozenset[int]]]:
    """For each length of prefix: the number of bits below it, and the prefixes. One look-up a length."""
    table: dict[int, set[int]] = {}
    for network in networks:
        if network.version == version:
            shift = network.max_prefixlen - network.prefixlen
            table.setdefault(shift, set()).add(int(network.network_address) >> shift)
    return [(shift, frozenset(prefixes)) for shift, prefixes in table.items()]


def parse_address(text: str) -> tuple[IPAddress, int | None] | None:
    """An address and its port, in any form that proxies write: ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1``,
    ``[2001:db8::1]``, ``[2001:db8::1]:80``. A zone is dropped, an IPv4-mapped address becomes IPv4. ``None`` for
    everything else.
    """
    host, port = text, ""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return None
        port = port[1:] if port else ""
        if ":" not in host:
            return None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        if not port:
            return None
    address, zone, _ = host.partition("%")
    if zone and ":" not in address:
        return None
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        return None
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip, int(port) if port else None
