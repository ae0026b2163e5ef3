"""Internal addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors import INTERNAL_IPV4, INTERNAL_IPV6

from .found import found, only

V4 = tuple(
    map(
        IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")
    )
)
V6 = tuple(map(IPv6Network, ("fc00::/7", "fe80::/10", "::1/128")))


@given(
    st.one_of(
        st.integers(0, 2**32 - 1).map(IPv4Address),
        *(st.integers(int(net[0]), int(net[-1])).map(IPv4Address) for net in V4),
    )
)
def test_v4_networks(address: IPv4Address) -> None:
    """An address is found if and only if it is of one of the networks."""
    assert found(INTERNAL_IPV4, f"at {address}, ok") == (
        [str(address).encode()] if any(address in net for net in V4) else []
    )


@given(
    st.one_of(
        st.integers(0, 2**128 - 1).map(IPv6Address),
        *(st.integers(int(net[0]), int(net[-1])).map(IPv6Address) for net in V6),
    )
)
def test_v6_networks(address: IPv6Address) -> None:
    """An address is found, shortened or not, if and only if it is of one of the networks."""
    inside = any(address in net for net in V6)
    for text in (address.compressed, address.exploded) if address != IPv6Address("::1") else ("::1",):
        assert found(INTERNAL_IPV6, f"at [{text}]:80") == ([text.encode()] if inside else [])


@pytest.mark.parametrize(
    "text",
    [
        "http://[[10.0.0.5]]:8080/x",
        "[[10.0.0.5]].",
        "[[192.168.1.1]]/24",
        "x%3D[[10.0.0.5]]",
        "line\\n[[10.0.0.5]]",
        "::ffff:[[10.0.0.5]]",
        '"HTTP/1.1" 200 [[10.0.0.5]]:80 0.005',
        "range [[10.0.0.1]]-12.0.0.9",
    ],
)
def test_v4_found(text: str) -> None:
    """It is found in URLs, lists, with a port or a length."""
    assert only(INTERNAL_IPV4, text)


def test_v4_range() -> None:
    """Both ends of a range are found."""
    assert found(INTERNAL_IPV4, "10.0.0.1-10.0.0.9") == [b"10.0.0.1", b"10.0.0.9"]


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1-beta", "1.10.0.0.1", "10.0.0.1.2", "10.0.0", "10.0.0.256", "v10.0.0.1", "version 10.0.0.1",
        "Version=10.0.0.0, Culture=neutral", "pkg==10.0.0.1", "pkg>=10.0.0.1", "Chrome/10.0.0.1",
        '"version": "10.2.3.4"', "10.0.0.1+build", "010.0.0.1", "10.00.0.1", "10.0.19041.1", "172.15.0.1",
        "172.32.0.1", "100.128.0.1",
        "lib-10.0.0.1.jar", "23.7 8.6 30.4 10.2.8.2 1.6.3", "10.8.1.1-18.5-10.7",
    ],
)  # fmt: skip
def test_v4_not_found(text: str) -> None:
    """Versions, other networks and the numbers of a drawing are no internal addresses."""
    assert found(INTERNAL_IPV4, text) == []


@pytest.mark.parametrize(
    "text", ["[[fe80::1%eth0]] dev", "http://[ [[fd00::1]] ]/", "[[::1]]", "[[FD12:3456:789A::1]]"]
)
def test_v6_found(text: str) -> None:
    """It is found with its zone, and in either case."""
    assert only(INTERNAL_IPV6, text)


@pytest.mark.parametrize(
    "text",
    [
        "a::1",
        "fe80:",
        "00:1b:44:fd:12:34",
        "2001:db8::1",
        "fd00::1::2",
        "std::fe80",
        "fd::1",
        "::12",
        ":::1",
        "ffff:fd00::1",
    ],
)
def test_v6_not_found(text: str) -> None:
    """Scopes of code, MAC addresses and other networks are none."""
    assert found(INTERNAL_IPV6, text) == []
