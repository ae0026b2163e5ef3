"""Values that say what is known about a request, found by filters or the edge and read by matchers."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeAlias

__all__ = ["ClientAddress", "IPAddress"]

IPAddress: TypeAlias = IPv4Address | IPv6Address


@dataclass(slots=True)
class ClientAddress:
    """Where a request comes from, and how that is known.

    ``ip`` is ``None`` for a peer without one (a Unix socket). ``source`` says whose word it is: ``"peer"`` is the
    address of the TCP connection itself.
    """

    ip: IPAddress | None
    port: int | None = None
    source: Literal["peer"] = "peer"

    @classmethod
    def of_peer(cls, peername: object) -> ClientAddress:
        """From what ``transport.get_extra_info("peername")`` returns. An IPv4-mapped IPv6 address becomes IPv4."""
        match peername:
            case (str() as host, int() as port, *_):
                try:
                    ip = ip_address(host.partition("%")[0])
                except ValueError:
                    return cls(None)
                if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
                    ip = ip.ipv4_mapped
                return cls(ip, port)
            case _:
                return cls(None)

    def __str__(self) -> str:
        return "-" if self.ip is None else str(self.ip)
