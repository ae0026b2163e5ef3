"""Endpoints at the targets of SRV records, from a real name server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import dns.asyncresolver
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint, Upstream
from revproxy.balancers import P2C, Priorities, RoundRobin
from revproxy.discovery import DiscoveryFailed, Srv
from revproxy.discovery.srv import weights

from ..wire import nothing_left as nothing_left
from .name_server import NameServer, name_server

SERVICE = "_http._tcp.api.test"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as running:
        yield running


async def found(server: NameServer, endpoint: str | Endpoint = "http://api.test") -> list[Endpoint]:
    sets = Srv(SERVICE, endpoint, resolver=server.resolver()).snapshots()
    try:
        endpoints = list(await anext(sets))
    finally:
        await sets.aclose()  # type: ignore[attr-defined]
    assert all(isinstance(each, Endpoint) for each in endpoints)
    return endpoints  # type: ignore[return-value]


async def test_endpoints(server: NameServer) -> None:
    """RFC 2782: ports, priorities and weights are those of the records. ``Host`` and TLS go by the URL, not by targets
    (RFC 9525 section 6.1.1)."""
    server.say(SERVICE, "SRV", "10 60 8080 a.test.", "10 20 8081 b.test.", "20 1 80 c.test.")
    server.say("a.test", "A", "10.0.0.1")
    server.say("b.test", "AAAA", "fd00::2")
    server.say("c.test", "A", "10.0.0.3")
    endpoints = await found(server, Endpoint("https://api.test/v1", name="api", zone="z"))
    assert [(each.name, each.port, each.priority, each.weight) for each in endpoints] == [
        ("api at [fd00::2]:8081", 8081, 10, 20),
        ("api at 10.0.0.1:8080", 8080, 10, 60),
        ("api at 10.0.0.3:80", 80, 20, 1),
    ]
    assert {(each.host, each.prefix, each.zone) for each in endpoints} == {("api.test", "/v1", "z")}
    Upstream(*endpoints, balancer=Priorities(P2C))


async def test_several_addresses_share_a_weight(server: NameServer) -> None:
    """A target's weight is its own, however many addresses it has."""
    server.say(SERVICE, "SRV", "0 50 80 two.test.", "0 50 80 one.test.")
    server.say("two.test", "A", "10.0.0.1", "10.0.0.2")
    server.say("one.test", "A", "10.0.0.3")
    assert {each.address: each.weight for each in await found(server)} == {
        "10.0.0.1": 25,
        "10.0.0.2": 25,
        "10.0.0.3": 50,
    }


async def test_one_place_by_two_names(server: NameServer) -> None:
    """Two targets at one address and port are one endpoint, as wanted as the more wanted of them."""
    server.say(SERVICE, "SRV", "1 7 80 a.test.", "0 5 80 b.test.", "0 5 81 b.test.")
    server.say("a.test", "A", "10.0.0.1")
    server.say("b.test", "A", "10.0.0.1")
    assert [(each.port, each.priority, each.weight) for each in await found(server)] == [(80, 0, 5), (81, 0, 5)]


async def test_no_such_service(server: NameServer) -> None:
    """RFC 2782: the target ``.`` says that there is none; that is an empty set. Beside others it means nothing."""
    server.say(SERVICE, "SRV", "0 0 0 .", ttl=5)
    assert await found(server) == []
    server.say("a.test", "A", "10.0.0.1")
    server.say(SERVICE, "SRV", "0 0 0 .", "0 0 80 a.test.")
    assert [each.address for each in await found(server)] == ["10.0.0.1"]


async def test_targets_that_are_not_there(server: NameServer) -> None:
    """A target that does not exist is passed over; one of which nothing is known makes the whole set fail; where all
    are gone, that is a failure, too."""
    server.say(SERVICE, "SRV", "0 1 80 a.test.", "0 1 80 gone.test.")
    server.say("a.test", "A", "10.0.0.1")
    assert [each.address for each in await found(server)] == ["10.0.0.1"]
    for kind in ("A", "AAAA"):
        server.refuse("gone.test", kind, "SERVFAIL")
    with pytest.raises(DiscoveryFailed, match="gone"):
        await found(server)
    server.say(SERVICE, "SRV", "0 1 80 none.test.")
    with pytest.raises(DiscoveryFailed, match="none of the targets"):
        await found(server)


async def test_too_many_targets(server: NameServer) -> None:
    """There is a bound, so that one answer is no flood of questions."""
    server.say(SERVICE, "SRV", *(f"0 1 80 t{number}.test." for number in range(257)))
    with pytest.raises(DiscoveryFailed, match="257 targets"):
        await found(server)
    assert {kind for _, kind, _ in server.asked} == {"SRV"}


async def test_a_port_of_zero(server: NameServer) -> None:
    """It is nowhere to connect to: the set is refused."""
    server.say(SERVICE, "SRV", "0 1 0 a.test.")
    server.say("a.test", "A", "10.0.0.1")
    with pytest.raises(DiscoveryFailed, match="port 0"):
        await found(server)


@pytest.mark.parametrize(
    ("service", "endpoint", "said"),
    [
        (SERVICE, "http://api.test:80", "endpoint: the port"),
        (SERVICE, "http://10.0.0.1", "no host name"),
        ("a..b", "http://api.test", "service: 'a..b'"),
    ],
)
async def test_bad_parameters(server: NameServer, service: str, endpoint: str, said: str) -> None:
    """They are named."""
    with pytest.raises(ValueError, match=said):
        Srv(service, endpoint, resolver=server.resolver())


def test_what_it_is_called() -> None:
    """By its service, and by how it is spoken to."""
    source = Srv(SERVICE, Endpoint("http://api.test", name="api"), resolver=dns.asyncresolver.Resolver(configure=False))
    assert (source.name, repr(source)) == ("api", f"Srv({SERVICE!r}, 'api')")


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0, 0], [1, 1]),
        ([0, 1], [1, 100]),
        ([10, 20, 70], [10, 20, 70]),
        ([65535, 1], [100, 1]),
        ([1.5, 3.0], [50, 100]),
        ([65535, 65535], [100, 100]),
    ],
)
def test_weights(shares: list[float], expected: list[int]) -> None:
    """0 becomes a share next to nothing, large numbers become rounder ones, good ones stay."""
    assert weights(shares) == expected


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=200))
def test_weights_keep_their_proportions(shares: list[int]) -> None:
    """Whatever a name server says, weights are valid for every balancer, and shares as near as whole numbers from 1 to
    100 allow."""
    found = weights(shares)
    assert all(1 <= each <= 100 for each in found)
    heaviest = max(shares)
    if heaviest:
        assert all(
            abs(each / max(found) - share / heaviest) <= 0.0101 for each, share in zip(found, shares, strict=True)
        )
    Upstream(
        *(Endpoint(f"http://10.0.0.1:{1 + at}", weight=each) for at, each in enumerate(found)), balancer=RoundRobin()
    )
