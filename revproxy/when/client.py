"""Conditions on where a request comes from."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from ..exchange import Exchange
from .condition import When, call, some

__all__ = ["client_in"]


def client_in(*networks: str | IPv4Network | IPv6Network) -> When:
    """The client's address is in one of ``networks``: ``"10.0.0.0/8"``, ``"2001:db8::/32"``, ``"192.0.2.7"``.

    False for a client without an address (a Unix socket). An IPv4 client is one, also where it came in over IPv6.
    Raises ``ValueError`` for a network with host bits set.
    """
    parsed = frozenset(map(_network, some("networks", networks)))
    v4, v6 = _prefixes(parsed, 4), _prefixes(parsed, 6)

    def test(exchange: Exchange) -> bool:
        ip = exchange.inbound.client.ip
        if ip is None:
            return False
        number = int(ip)
        for shift, prefixes in v4 if isinstance(ip, IPv4Address) else v6:  # noqa: SIM110 - a generator costs more than the loop
            if number >> shift in prefixes:
                return True
        return False

    return When(call("client_in", *map(str, networks)), test, form=("client_in", parsed))


def _network(network: str | IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    try:
        parsed = ip_network(str(network))
    except ValueError as error:
        raise ValueError(f"networks: {error}") from None
    if isinstance(parsed, IPv6Network) and parsed.prefixlen >= 96:
        mapped = parsed.network_address.ipv4_mapped
        if mapped is not None:  # such a client's address is known as IPv4
            return IPv4Network((int(mapped), parsed.prefixlen - 96))
    return parsed


def _prefixes(networks: Collection[IPv4Network | IPv6Network], version: int) -> list[tuple[int, frozenset[int]]]:
    """For each length of prefix: the number of bits below it, and the prefixes. One look-up a length."""
    table: dict[int, set[int]] = {}
    for network in networks:
        if network.version == version:
            shift = network.max_prefixlen - network.prefixlen
            table.setdefault(shift, set()).add(int(network.network_address) >> shift)
    return [(shift, frozenset(prefixes)) for shift, prefixes in table.items()]
