"""Where a request comes from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.facts import ClientAddress, Principal


@pytest.mark.parametrize(
    ("peername", "ip", "port"),
    [
        (("192.0.2.1", 5000), "192.0.2.1", 5000),
        (("2001:db8::1", 5000, 0, 0), "2001:db8::1", 5000),
        (("fe80::1%eth0", 5000, 0, 2), "fe80::1", 5000),
        (("::ffff:192.0.2.1", 5000, 0, 0), "192.0.2.1", 5000),
        (("::ffff:c000:201", 5000, 0, 0), "192.0.2.1", 5000),
        (("::192.0.2.1", 5000, 0, 0), "::c000:201", 5000),
    ],
)
def test_of_peer(peername: object, ip: str, port: int) -> None:
    """S-21: the address of the connection: without a zone, and IPv4 as IPv4 also where it came in over IPv6."""
    address = ClientAddress.of_peer(peername)
    assert address == ClientAddress(ip_address(ip), port, "peer")
    assert str(address) == ip


@pytest.mark.parametrize("peername", [None, "", "/run/a.sock", b"\0abstract", (), ("a.test", 1), ("192.0.2.1",), 7])
def test_no_address(peername: object) -> None:
    """A Unix socket, a closed connection, a peer that is no address: none is known, and it prints as a dash."""
    address = ClientAddress.of_peer(peername)
    assert address.ip is None
    assert str(address) == "-"
    assert address.is_unix is isinstance(peername, str | bytes)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address(ip: object, port: int) -> None:
    """Every address is known, and none as an IPv4-mapped one."""
    address = ClientAddress.of_peer((str(ip), port, 0, 0))
    assert address.ip is not None
    assert getattr(address.ip, "ipv4_mapped", None) is None
    assert address.port == port


def test_principals() -> None:
    """They can be keys of a table, whatever attributes they have; and are told apart by those, too."""
    one = Principal("ada", "jwt", frozenset({"admin"}), {"fingerprint": "ab"})
    assert len({one, Principal("ada", "jwt", frozenset({"admin"}), {"fingerprint": "ab"})}) == 1
    assert one != Principal("ada", "jwt", frozenset({"admin"}))
    assert str(one) == "ada (jwt)"
    assert Principal("ada", "basic").attributes == {}
