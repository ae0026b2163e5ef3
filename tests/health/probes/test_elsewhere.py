"""The same server, at another port."""

from __future__ import annotations

from revproxy import Endpoint
from revproxy.addresses import AddressPolicy
from revproxy.health.probes.elsewhere import elsewhere


def test_another_port() -> None:
    """All that is known of the server stays: address, policy, labels, and the path as it was written."""
    endpoint = Endpoint("http://shop.test:8080/a%2fb?c=d", address="10.0.0.1", labels={"az": "1"}, name="shop")
    endpoint.policy = AddressPolicy()
    found = elsewhere(endpoint, port=9000)
    assert (found.host, found.port, found.address, found.authority) == ("shop.test", 9000, "10.0.0.1", "shop.test:9000")
    assert found.target("/up") == endpoint.target("/up") == "/a%2fb/up?c=d"
    assert (found.policy, found.labels, found.name, found.secure) == (endpoint.policy, {"az": "1"}, "shop", False)


def test_another_scheme() -> None:
    """TLS or not, at the same port or another."""
    plain = elsewhere(Endpoint("https://shop.test"), scheme="http")
    assert (plain.port, plain.secure) == (443, False)
    secure = elsewhere(Endpoint("http://shop.test"), scheme="https", port=8443)
    assert (secure.port, secure.secure) == (8443, True)


def test_no_difference() -> None:
    """Where nothing is asked for, and at a socket, it is the endpoint itself."""
    for endpoint in (Endpoint("https://shop.test"), Endpoint("unix:/run/a.sock")):
        assert elsewhere(endpoint) is endpoint
    assert elsewhere(endpoint, port=80, scheme="https") is endpoint
    known = Endpoint("https://shop.test")
    assert elsewhere(known, port=443, scheme="https") is known


def test_ipv6() -> None:
    """An IPv6 address keeps its brackets, and its zone."""
    found = elsewhere(Endpoint("http://[fe80::1%25eth0]:80"), port=81)
    assert (found.host, found.port, found.authority) == (
        Endpoint("http://[fe80::1%25eth0]:80").host,
        81,
        "[fe80::1]:81",
    )
