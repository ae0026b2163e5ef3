"""Addresses of networks that nobody outside can reach."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address, IPv6Network

from ..detector import Detector

__all__ = ["INTERNAL_IPV4", "INTERNAL_IPV6"]

_OCTET = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d)"
_INTERNAL = tuple(map(IPv6Network, ("fc00::/7", "fe80::/10", "::1/128")))


def _is_internal(text: bytes) -> bool:
    try:
        address = IPv6Address(text.partition(b"%")[0].decode())
    except AddressValueError:
        return False
    return any(address in network for network in _INTERNAL)


_NO_VERSION = (
    rb"(?<![<>=~!]=)(?<![0-9A-Za-z]@)(?<![Vv]ersion[ =:/])(?<!ersion: )(?<!ersion\": \")(?<!ersion\":\")(?<!ersion=\")"
    rb"(?<!ersion\\\": \\\")(?<!ersion\\\":\\\")"
    rb"(?<!ersion>)(?<![A-Z][a-z]{3}/)(?<![a-z]{4}/)"
)
_NO_PATH = rb"(?!(?<=\.\d )[0-9.]{7,15}(?: -?\d{0,3}\.\d))(?!(?<=\.\d\d )[0-9.]{7,15} -?\d{0,3}\.\d)"
"""Not of the numbers of an SVG path, which go without what separates them: ``30.4 10.2.8.2 1.6``."""

INTERNAL_IPV4 = Detector(
    "internal-ipv4",
    rb"(?=1)(?<![0-9A-Za-z_.](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))(?<![A-Za-z_]-)"
    + _NO_VERSION
    + _NO_PATH
    + rb"(?:10\."
    + _OCTET
    + rb"|172\.(?:1[6-9]|2\d|3[01])|192\.168|127\."
    + _OCTET
    + rb"|169\.254|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\."
    + _OCTET
    + rb"\."
    + _OCTET
    + rb"(?![0-9A-Za-z_])(?!\.\d)(?!-[A-Za-z])(?!-\d{1,3}(?:\.\d{1,3})?(?![0-9.]))(?!\+)",
)
"""IPv4 addresses of private networks (RFC 1918), of the machine itself, of links (RFC 3927) and of carriers (RFC 6598).
Not what is a version by what stands around it."""

INTERNAL_IPV6 = Detector(
    "internal-ipv6",
    rb"(?=[Ff:])(?<![0-9A-Za-z_:.](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))"
    rb"(?:(?:[Ff][CcDd][0-9A-Fa-f]{2}|[Ff][Ee][89ABab][0-9A-Fa-f])(?::[0-9A-Fa-f]{0,4}){2,7}"
    rb"(?:%[a-z][0-9a-z._-]{0,14})?|::1)(?![0-9A-Za-z_:])(?!\.\d)",
    valid=_is_internal,
)
"""IPv6 addresses of local networks (ULA, RFC 4193) and links (with their zone), and the loopback address."""
