"""Which addresses may be connected to: kinds, embeddings, spellings, and what a developer may open."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from revproxy.addresses import AddressPolicy
from revproxy.networks import IPAddress

DEFAULT = AddressPolicy()


def refused(address: str, policy: AddressPolicy = DEFAULT) -> str | None:
    return policy.refuses(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "193.0.6.139", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888", "2620:fe::fe"),
        *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255"),
        *("fd00::1", "fc00::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1", "11.0.0.0"),
    ],
)
def test_good(address: str) -> None:
    """By default, addresses of the Internet and private ones are good, as back ends live at both; also an IPv4 address
    of the Internet by way of NAT64 (RFC 6052)."""
    assert refused(address) is None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        *((each, "loopback") for each in ("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1")),
        *((each, "unspecified") for each in ("0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0")),
        *((each, "link-local") for each in ("169.254.0.1", "169.254.255.255", "fe80::1", "febf::1", "fe80::1%eth0")),
        *((each, "multicast") for each in ("224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1%2")),
        ("255.255.255.255", "broadcast"),
        *((each, "reserved") for each in ("240.0.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1")),
        *((each, "reserved") for each in ("203.0.113.1", "2001:db8::1", "3fff::1", "2001:20::1", "fec0::1", "100::1")),
        *((each, "reserved") for each in ("5f00::1", "::8.8.8.8", "4000::1", "200::1", "64:ff9b:2::1")),
        *((each, "an address of a tunnel") for each in ("2002:808:808::1", "2001::1", "192.88.99.1", "64:ff9b:1::1")),
    ],
)
def test_kinds(address: str, kind: str) -> None:
    """S-41: addresses of every other kind are refused, and it is said of what kind they are."""
    why = refused(address)
    assert why is not None
    assert why.endswith(f"is {kind}")


METADATA = [
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fe80::a9fe:a9fe"),
]


@pytest.mark.parametrize("address", METADATA)
def test_metadata(address: str) -> None:
    """S-41: where clouds hand out credentials is refused, also where the networks around it are allowed; who wants to
    go there names that address."""
    wide = AddressPolicy(allow=["0.0.0.0/0", "::/0", "169.254.0.0/16", "fd00:ec2::/32", "100.64.0.0/10"])
    for policy in (DEFAULT, wide):
        why = refused(address, policy)
        assert why is not None
        assert why.endswith("is a cloud's metadata service")
    assert refused(address, AddressPolicy(allow=[address])) is None


# Embeddings.

EMBEDDINGS: dict[str, Callable[[int], int]] = {
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "compatible": lambda v4: v4,
    "nat64": lambda v4: 0x0064_FF9B << 96 | v4,
    "local nat64": lambda v4: 0x0064_FF9B_0001 << 80 | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "teredo server": lambda v4: 0x2001_0000 << 96 | v4 << 64 | 0xFFFFFFFF ^ 0x08080808,
    "teredo client": lambda v4: 0x2001_0000 << 96 | 0x08080808 << 64 | 0xFFFFFFFF ^ v4,
    "isatap": lambda v4: 0x2A00_1450 << 96 | 0x5EFE << 32 | v4,
    "isatap, unique": lambda v4: 0x2A00_1450 << 96 | 0x0200_5EFE << 32 | v4,
}

SPECIAL_V4 = [
    *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32"),
]
SPECIAL_V6 = [
    *("::/128", "::1/128", "fe80::/10", "ff00::/8", "fec0::/10", "2001:db8::/32", "2001::/23", "2002::/16", "100::/64"),
    *("::/96", "3fff::/20", "fd00:ec2::254/128"),
]


def within(networks: list[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from(networks).flatmap(lambda network: st.ip_addresses(network=network))


@given(within(SPECIAL_V4), st.sampled_from(sorted(EMBEDDINGS)))
def test_no_special_address_slips_through_an_embedding(ip: IPv4Address, way: str) -> None:
    """S-41: no IPv4 address of a special kind is good, nor inside an IPv6 address, in any way to put it there; not even
    where the IPv6 addresses around are allowed."""
    around = AddressPolicy(
        allow=["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "2a00:1450::/32", "2001::/23"]
    )
    inside = EMBEDDINGS[way](int(ip))
    assume(inside > 1)
    for policy in (DEFAULT, around):
        assert policy.refuses(ip) is not None
        assert policy.refuses(IPv6Address(inside)) is not None


@given(st.ip_addresses(network="10.0.0.0/8"), st.sampled_from(sorted(set(EMBEDDINGS) - {"mapped"})))
def test_no_private_address_slips_through_an_embedding(ip: IPv4Address, way: str) -> None:
    """RFC 6052 section 3.1: what is held must be of the Internet; only a mapped address is the address itself."""
    assert DEFAULT.refuses(IPv6Address(EMBEDDINGS[way](int(ip)))) is not None
    assert DEFAULT.refuses(IPv6Address(EMBEDDINGS["mapped"](int(ip)))) is None


@given(within(SPECIAL_V6))
def test_no_special_address(ip: IPv6Address) -> None:
    """S-41: nor is one of IPv6."""
    assert DEFAULT.refuses(ip) is not None


@given(st.ip_addresses())
def test_every_address(ip: IPAddress) -> None:
    """S-41: whatever is good is, by ``ipaddress``, of the Internet or private, and nothing else; whatever holds an IPv4
    address is good only if that is."""
    if DEFAULT.refuses(ip) is not None:
        return
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    elif ip in ip_network("64:ff9b::/96"):
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    assert not any((ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_unspecified, ip.is_reserved))
    private = [
        ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    ]
    assert ip.is_global or any(ip in each for each in private)
    if isinstance(ip, IPv6Address):
        assert ip.sixtofour is None
        assert ip.teredo is None


# What a developer says.


def test_private_and_public() -> None:
    """Either may be refused."""
    inside = AddressPolicy(public=False)
    outside = AddressPolicy(private=False)
    assert refused("8.8.8.8", inside) == "8.8.8.8 is public"
    assert refused("64:ff9b::808:808", inside) == "64:ff9b::808:808 is public"
    assert refused("10.0.0.1", inside) is None
    assert refused("10.0.0.1", outside) == "10.0.0.1 is private"
    assert refused("::ffff:10.0.0.1", outside) == "10.0.0.1 is private"
    assert refused("fd00::1", outside) == "fd00::1 is private"
    assert refused("100.64.0.1", outside) == "100.64.0.1 is private"
    only = AddressPolicy(private=False, public=False, allow=["10.1.0.0/16"])
    assert [refused(each, only) is None for each in ("10.1.2.3", "10.2.0.1", "8.8.8.8")] == [True, False, False]


def test_allow_and_deny() -> None:
    """``allow`` opens any kind, ``deny`` closes, and has the last word; of an embedding, both ends."""
    policy = AddressPolicy(allow=["127.0.0.1", "::1", "fe80::/10"], deny=["10.66.0.0/16", "fe80::66/128"])
    for good in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "10.0.0.1"):
        assert refused(good, policy) is None
    for bad in ("127.0.0.2", "10.66.1.1", "::ffff:10.66.1.1", "fe80::66"):
        assert refused(bad, policy) is not None
    assert refused("64:ff9b::7f00:1", policy) is None
    assert refused("64:ff9b::7f00:2", policy) == "64:ff9b::7f00:2 holds 127.0.0.2, which is loopback"
    assert refused("64:ff9b::808:808", AddressPolicy(deny=["8.8.8.8"])) is not None
    assert refused("8.8.8.8", AddressPolicy(allow=["8.8.8.8"], deny=["8.8.0.0/16"])) == "8.8.8.8 is denied"


def test_urls() -> None:
    """What is written is judged by its scheme, its port, and its host, if that is an address."""
    policy = AddressPolicy(ports=[443, *range(8000, 8100)], schemes=["https"])
    assert policy.refuses_url("https", "api.internal", 443) is None
    assert policy.refuses_url("https", "10.0.0.1", 8099) is None
    assert policy.refuses_url("http", "10.0.0.1", 443) == "http: is not allowed"
    assert policy.refuses_url("https", "10.0.0.1", 22) == "port 22 is not allowed"
    assert policy.refuses_url("https", "127.0.0.1", 443) == "127.0.0.1 is loopback"
    assert policy.refuses_url("unix", "localhost", 0) == "unix: is not allowed"
    assert DEFAULT.refuses_url("unix", "localhost", 0) == "unix: is not allowed"
    assert AddressPolicy(schemes=["unix"], ports=[80]).refuses_url("unix", "localhost", 0) is None


@pytest.mark.parametrize(
    "host",
    [
        *("0x7f000001", "2130706433", "127.1", "0177.0.0.1", "0x7f.1", "127.0.0.1.", "127.0.0.01", "017700000001"),
        *("0X7F000001", "1", "0x", "256.256.256.256", "10.0.0.1.", "1.2.3.4.5", "٣", "a.0x1", "a.1."),
    ],
)
def test_odd_spellings(host: str) -> None:
    """S-40: a number that is no address in its usual form is none: what it means, some resolver decides."""
    assert DEFAULT.refuses_url("http", host, 80) == f"{host!r} is a number, and no address"


@pytest.mark.parametrize(
    "host", ["localhost", "a.b", "0x7g", "1a", "deadbeef", "api.internal.", "x1", "a.0xg", ".", ""]
)
def test_names(host: str) -> None:
    """A name is none of that; it is judged by what it resolves to."""
    assert DEFAULT.refuses_url("http", host, 80) is None


@pytest.mark.parametrize("host", ["::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:0:0:1", "fe80::1%eth0", "::"])
def test_addresses_as_hosts(host: str) -> None:
    """S-40: an IPv6 address is seen in every spelling."""
    assert DEFAULT.refuses_url("http", host, 80) is not None


@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        ({"allow": "10.0.0.0/8"}, TypeError, "allow must be a set of networks, got '10.0.0.0/8'"),
        ({"deny": "10.0.0.0/8"}, TypeError, "deny"),
        ({"allow": ["10.0.0.1/8"]}, ValueError, "allow: .*host bits"),
        ({"deny": ["x"]}, ValueError, "deny: "),
        ({"ports": [0]}, ValueError, "ports must be integers from 1 to 65535, got 0"),
        ({"ports": [65536]}, ValueError, "ports"),
        ({"ports": [True]}, ValueError, "ports"),
        ({"ports": 443}, TypeError, "ports must be a set of ports, got 443"),
        ({"schemes": "https"}, TypeError, "schemes"),
        ({"schemes": ["ftp"]}, ValueError, "schemes must be of .* got .'ftp'."),
    ],
)
def test_bad_policies(bad: dict[str, Any], error: type[Exception], said: str) -> None:
    """They say which parameter is wrong."""
    with pytest.raises(error, match=said):
        AddressPolicy(**bad)


def test_repr() -> None:
    """It shows what differs from the default."""
    assert repr(DEFAULT) == "AddressPolicy()"
    policy = AddressPolicy(private=False, allow=["::1"], deny=["10.0.0.0/8"], ports=[443, 80], schemes=["http"])
    assert repr(policy) == (
        "AddressPolicy(private=False, allow=['::1/128'], deny=['10.0.0.0/8'], ports=[80, 443], schemes=['http'])"
    )
