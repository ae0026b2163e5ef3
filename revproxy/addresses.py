"""Where a proxy may connect to, when it was told where from outside the program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from .networks import IPAddress, IPNetwork, Networks

__all__ = ["AddressPolicy"]

_PUBLIC, _PRIVATE = "public", "private"

_KINDS: Mapping[str, tuple[str, ...]] = {
    _PUBLIC: ("0.0.0.0/0", "2000::/3", "64:ff9b::/96"),
    _PRIVATE: ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "broadcast": ("255.255.255.255/32",),
    "an address of a tunnel": ("2001::/32", "2002::/16", "192.88.99.0/24", "64:ff9b:1::/48"),
    "reserved": (
        *("192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("::/0", "2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
"""IANA's registries of special-purpose addresses (RFC 6890, as of 2026). The longest prefix counts."""

_METADATA = Networks(
    [
        "169.254.169.254",  # AWS, Azure, Google Cloud, OpenStack and most others
        "169.254.170.2",  # AWS ECS
        "169.254.170.23",  # AWS EKS
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure, which is a public address
        "192.0.0.192",  # Oracle Cloud
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS EKS
        "fd20:ce::254",  # Google Cloud
        "fd00:42::42",  # Scaleway
        "fe80::a9fe:a9fe",  # OpenStack
    ]
)
"""Where clouds hand out credentials to whoever asks from inside a machine."""

_SCHEMES = frozenset({"http", "https", "unix"})


def _table(version: int) -> list[tuple[int, dict[int, str]]]:
    """For each length of prefix, the longest first: the number of bits below it, and the kinds."""
    table: dict[int, dict[int, str]] = {}
    for kind, networks in _KINDS.items():
        for network in map(ip_network, networks):
            if network.version == version:
                shift = network.max_prefixlen - network.prefixlen
                table.setdefault(shift, {})[int(network.network_address) >> shift] = kind
    return sorted(table.items())


_V4, _V6 = _table(4), _table(6)


class AddressPolicy:
    """Says which destinations are good, and why others are not.

    It is asked for every address, also for each one that a name resolves to, right before it is connected to; what it
    has checked is what is dialled. So no answer of a name server, and no odd spelling of an address, leads elsewhere.

    ``private``, ``public``
        Whether the usual kinds of addresses are good: private ones, where back ends live (RFC 1918, RFC 4193, RFC
        6598), and those of the Internet. Every other kind (loopback, link-local, multicast, unspecified, broadcast,
        reserved, those of 6to4 and Teredo) is refused.
    ``allow``
        Networks that are good whatever their kind: ``"127.0.0.1"``, ``"10.0.0.0/8"``. An address at which a cloud hands
        out credentials (169.254.169.254 and the like) must be named by itself; a network around it is not enough.
    ``deny``
        Networks that are refused, whatever else is said.
    ``ports``
        Those that are good; ``None``: all.
    ``schemes``
        Of ``"http"``, ``"https"`` and ``"unix"``, a socket in the file system.

    An IPv6 address that holds an IPv4 address (mapped, NAT64, 6to4, Teredo, ISATAP) is judged by both; one that is
    held, mapped ones apart, must be public or in ``allow`` (RFC 6052 section 3.1).

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    __slots__ = ("_allow", "_alone", "_deny", "ports", "private", "public", "schemes")

    def __init__(
        self,
        *,
        private: bool = True,
        public: bool = True,
        allow: Iterable[str | IPNetwork] = (),
        deny: Iterable[str | IPNetwork] = (),
        ports: Iterable[int] | None = None,
        schemes: Iterable[str] = ("http", "https"),
    ) -> None:
        self.private: bool = private
        self.public: bool = public
        self._allow = _networks("allow", allow)
        self._deny = _networks("deny", deny)
        self._alone = Networks(each for each in self._allow.all if each.prefixlen == each.max_prefixlen)
        self.ports: frozenset[int] | None = None if ports is None else _ports(ports)
        if isinstance(schemes, str):
            raise TypeError(f"schemes must be a set of schemes, got {schemes!r}")
        self.schemes: frozenset[str] = frozenset(schemes)
        if not self.schemes <= _SCHEMES:
            raise ValueError(f"schemes must be of {sorted(_SCHEMES)}, got {sorted(self.schemes)}")

    def refuses(self, ip: IPAddress) -> str | None:
        """Why ``ip`` may not be connected to, or ``None``."""
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:  # it *is* that address, for the kernel
            ip = ip.ipv4_mapped
        why = self._judge(ip, private=self.private)
        if why is not None:
            return f"{ip} is {why}"
        if isinstance(ip, IPv6Address):
            for held in _held(ip):
                why = self._judge(held, private=False)
                if why is not None:
                    return f"{ip} holds {held}, which is {why}"
        return None

    def refuses_url(self, scheme: str, host: str, port: int) -> str | None:
        """Why what is written so may not be connected to, or ``None``; a name is good until it is resolved."""
        if scheme not in self.schemes:
            return f"{scheme}: is not allowed"
        if scheme == "unix":
            return None
        if self.ports is not None and port not in self.ports:
            return f"port {port} is not allowed"
        try:
            ip = ip_address(host)
        except ValueError:
            return f"{host!r} is a number, and no address" if _is_number(host) else None
        return self.refuses(ip)

    def _judge(self, ip: IPAddress, *, private: bool) -> str | None:
        if ip in self._deny:
            return "denied"
        if ip in self._alone:
            return None
        if ip in _METADATA:
            return "a cloud's metadata service"
        if ip in self._allow:
            return None
        kind = _kind(ip)
        if (kind == _PRIVATE and private) or (kind == _PUBLIC and self.public):
            return None
        return kind

    def __repr__(self) -> str:
        said = [f"{name}=False" for name in ("private", "public") if not getattr(self, name)]
        said += [f"{name}={sorted(map(str, each.all))}" for name, each in self._named() if each.all]
        if self.ports is not None:
            said.append(f"ports={sorted(self.ports)}")
        if self.schemes != {"http", "https"}:
            said.append(f"schemes={sorted(self.schemes)}")
        return f"AddressPolicy({', '.join(said)})"

    def _named(self) -> tuple[tuple[str, Networks], ...]:
        return ("allow", self._allow), ("deny", self._deny)


def _kind(ip: IPAddress) -> str:
    number = int(ip)
    return next(
        kinds[number >> shift]
        for shift, kinds in (_V4 if isinstance(ip, IPv4Address) else _V6)
        if number >> shift in kinds
    )


def _held(ip: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that ``ip`` holds, by any of the ways to put one into it."""
    number = int(ip)
    low = IPv4Address(number & 0xFFFF_FFFF)
    if ip.sixtofour is not None:  # RFC 3056
        yield ip.sixtofour
    if ip.teredo is not None:  # RFC 4380: the server's, and the client's
        yield from ip.teredo
    if number >> 32 == _NAT64 or number >> 80 == _LOCAL_NAT64:
        yield low
    if number >> 32 == 0 and number > 1:  # "IPv4-compatible", RFC 4291 section 2.5.5.1
        yield low
    if (number >> 32) & 0xFDFF_FFFF == 0x5EFE:  # ISATAP, RFC 5214 section 6.1
        yield low


_NAT64 = 0x0064_FF9B << 64
"""RFC 6052 section 2.1."""

_LOCAL_NAT64 = 0x0064_FF9B_0001
"""RFC 8215. How it holds addresses is the operator's choice; this is the usual one, with a prefix of 96 bits."""


def _is_number(host: str) -> bool:
    """Whether the last part of a name is a number, as that of no name is: ``0x7f000001``, ``127.1``, ``127.0.0.1.``
    (WHATWG URL, "ends in a number"). What they mean, if anything, differs from one resolver to the next."""
    last = host.removesuffix(".").rpartition(".")[2].lower()
    digits = last.removeprefix("0x")
    return last.isdecimal() or (digits != last and all(each in "0123456789abcdef" for each in digits))


def _networks(name: str, networks: Iterable[str | IPNetwork]) -> Networks:
    if isinstance(networks, str):
        raise TypeError(f"{name} must be a set of networks, got {networks!r}")
    try:
        return Networks(networks)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _ports(ports: Iterable[int]) -> frozenset[int]:
    if not isinstance(ports, Iterable):
        raise TypeError(f"ports must be a set of ports, got {ports!r}")
    found = frozenset(ports)
    for each in found:
        if type(each) is not int or not 1 <= each <= 65535:
            raise ValueError(f"ports must be integers from 1 to 65535, got {each!r}")
    return found
