"""Values that say what is known about a request, found by filters or the edge and read by matchers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .networks import IPAddress, parse_address

__all__ = ["ClientAddress", "IPAddress"]


@dataclass(slots=True)
class ClientAddress:
    """Where a request comes from, and how that is known.

    ``ip`` is ``None`` for a peer without one (a Unix socket). ``source`` says whose word it is: ``"peer"`` is the
    address of the TCP connection itself; ``"x-forwarded-for"`` and ``"forwarded"`` are what a trusted proxy said in
    that field (see ``TrustedProxies``).
    """

    ip: IPAddress | None
    port: int | None = None
    source: Literal["peer", "x-forwarded-for", "forwarded"] = "peer"

    @classmethod
    def of_peer(cls, peername: object) -> ClientAddress:
        """From what ``transport.get_extra_info("peername")`` returns. An IPv4-mapped IPv6 address becomes IPv4."""
        match peername:
            case (str() as host, int() as port, *_):
                found = parse_address(host)
                return cls(None) if found is None else cls(found[0], port)
            case _:
                return cls(None)

    def __str__(self) -> str:
        return "-" if self.ip is None else str(self.ip)
