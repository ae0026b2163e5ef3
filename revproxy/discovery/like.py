"""Endpoints that are alike but for where they are."""

from __future__ import annotations

from ipaddress import ip_address

from ..endpoint import Endpoint
from ..networks import IPAddress

__all__ = ["at", "host_of"]


def host_of(like: Endpoint) -> str:
    """The name in the URL of ``like``, as DNS has it. Raises ``ValueError`` where there is none."""
    host = like.url.raw_host
    if like.socket_path is not None or like.address is not None or not host or _is_ip(host):
        raise ValueError(f"endpoint: {like.identity!r} has no host name to look up")
    return host


def at(like: Endpoint, ip: IPAddress, *, port: int = 0, weight: int = 0, priority: int | None = None) -> Endpoint:
    """An endpoint like ``like`` at the address ``ip``; with another port, weight or priority where one is given."""
    where, authority = str(ip), like.authority
    if port:
        where = f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"
        authority = f"{like.url.raw_host}:{port}"
    query = f"?{like.query}" if like.query else ""
    return Endpoint(
        f"{like.url.scheme}://{authority}{like.prefix}{query}",  # not by the URL, which reads "%2f" in its own way
        address=str(ip),
        name=f"{like.name} at {where}",
        weight=weight or like.weight,
        priority=like.priority if priority is None else priority,
        zone=like.zone,
        region=like.region,
        location=like.location,
        labels=like.labels,
        limit=like.limit,
    )


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
