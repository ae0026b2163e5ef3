"""Endpoints that are alike but for where they are."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from revproxy import Endpoint
from revproxy.discovery.like import at, host_of


def test_all_is_kept() -> None:
    """Whatever an endpoint was made with is that of each copy, to the byte; the address is its own."""
    like = Endpoint(
        "https://api.test:8443/v1/%2f?key=%2f",
        name="api",
        weight=3,
        priority=2,
        zone="a",
        region="b",
        location=(1.0, 2.0),
        labels={"x": "y"},
        limit=7,
    )
    copy = at(like, ip_address("fd00::1"))
    assert copy.settings[1:] == like.settings[1:]
    assert (copy.prefix, copy.query, copy.authority, copy.secure) == ("/v1/%2f", "key=%2f", "api.test:8443", True)
    assert (copy.address, copy.host, copy.port, copy.name) == ("fd00::1", "api.test", 8443, "api at fd00::1")
    assert copy.identity == f"{like.identity} at fd00::1"


def test_another_port() -> None:
    """Port, weight and priority may be others."""
    like = Endpoint("http://api.test/x", name="api")
    copy = at(like, ip_address("fd00::1"), port=81, weight=9, priority=0)
    assert (copy.authority, copy.prefix, copy.weight, copy.name) == ("api.test:81", "/x", 9, "api at [fd00::1]:81")
    assert at(like, ip_address("10.0.0.1"), port=80).name == "api at 10.0.0.1:80"
    assert at(like, ip_address("10.0.0.1"), port=80).authority == "api.test"


def test_names_beyond_ascii() -> None:
    """A name is looked up, and said, as DNS has it."""
    like = Endpoint("http://bücher.test")
    assert host_of(like) == "xn--bcher-kva.test"
    assert at(like, ip_address("10.0.0.1"), port=81).authority == "xn--bcher-kva.test:81"


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("http://10.0.0.1"),
        Endpoint("http://[fd00::1]"),
        Endpoint("unix:/run/x"),
        Endpoint("http://api.test", address="10.0.0.1"),
    ],
)
def test_no_name(endpoint: Endpoint) -> None:
    """Where there is no name to look up, that is said."""
    with pytest.raises(ValueError, match=r"endpoint: .* has no host name to look up"):
        host_of(endpoint)
