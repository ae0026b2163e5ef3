"""Conditions on where a request comes from."""

from __future__ import annotations

from ..exchange import Exchange
from ..networks import IPNetwork, Networks
from .condition import When, call, some

__all__ = ["client_in"]


def client_in(*networks: str | IPNetwork) -> When:
    """The client's address is in one of ``networks``: ``"10.0.0.0/8"``, ``"2001:db8::/32"``, ``"192.0.2.7"``.

    The client is who ``ProxyHandler(trusted=...)`` says it is: without trusted proxies, the peer of the connection.
    False for a client without an address (a Unix socket). An IPv4 client is one, also where it came in over IPv6.
    Raises ``ValueError`` for a network with host bits set.
    """
    members = Networks(some("networks", networks))

    def test(exchange: Exchange) -> bool:
        ip = exchange.inbound.client.ip
        return ip is not None and ip in members

    return When(call("client_in", *map(str, networks)), test, form=("client_in", members.all))
