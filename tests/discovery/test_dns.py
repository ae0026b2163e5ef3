"""Endpoints at the addresses of a name, from a real name server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from revproxy import Endpoint
from revproxy.discovery import DiscoveryFailed, Dns
from revproxy.testing import FakeClock

from ..wire import nothing_left as nothing_left
from ..wire import soon, until
from .name_server import NameServer, name_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as running:
        yield running


def named(found: Any) -> Sequence[Endpoint]:
    endpoints = list(found)
    assert all(isinstance(each, Endpoint) for each in endpoints)
    return endpoints


async def test_endpoints(server: NameServer) -> None:
    """One at each address, with the name in its URL and all settings of the one that was given."""
    server.say("api.test", "A", "10.0.0.2", "10.0.0.1")
    like = Endpoint("https://api.test:8443/v1", weight=2, zone="a", limit=9, name="api")
    source = Dns(like, resolver=server.resolver())
    sets = source.snapshots()
    endpoints = named(await anext(sets))
    assert [(each.name, str(each.url), each.address) for each in endpoints] == [
        ("api at 10.0.0.1", "https://api.test:8443/v1", "10.0.0.1"),
        ("api at 10.0.0.2", "https://api.test:8443/v1", "10.0.0.2"),
    ]
    assert {(each.weight, each.zone, each.limit) for each in endpoints} == {(2, "a", 9)}
    assert (source.name, repr(source)) == ("api", "Dns('api')")
    await sets.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("ttl", "least", "most"), [(60, 60, 66), (0, 5, 5.5), (100_000, 300, 330)])
async def test_it_asks_again_when_records_expire(server: NameServer, ttl: int, least: float, most: float) -> None:
    """Not before the TTL is over, and up to a tenth later; within bounds that have a default."""
    clock = FakeClock()
    server.say("api.test", "A", "10.0.0.1", ttl=ttl)
    sets = Dns("http://api.test", family="ipv4", resolver=server.resolver(), clock=clock, rng=Random(1)).snapshots()
    await anext(sets)
    server.say("api.test", "A", "10.0.0.2", ttl=ttl)
    again = asyncio.ensure_future(anext(sets))
    await until(lambda: clock.waiting > 0)
    await clock.advance_async(least - 0.001)
    assert len(server.asked) == 1
    clock.advance(most - least + 0.001)
    assert [each.address for each in named(await soon(again))] == ["10.0.0.2"]
    assert len(server.asked) == 2
    await sets.aclose()  # type: ignore[attr-defined]


async def test_a_failure_is_raised(server: NameServer) -> None:
    """No name, no address, no answer: raised, for whoever carries on; asked again, it may go well."""
    source = Dns("http://api.test", resolver=server.resolver())
    with pytest.raises(DiscoveryFailed, match="does not exist"):
        await anext(source.snapshots())
    server.say("api.test", "A", "10.0.0.1")
    sets = source.snapshots()
    assert len(named(await anext(sets))) == 1
    await sets.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://10.0.0.1:80", "no host name"),
        ("unix:/run/x.sock", "no host name"),
        ("ftp://api.test", "url"),
        ("http://a..b", "endpoint: 'a..b' is no domain name"),
    ],
)
async def test_bad_endpoints(server: NameServer, endpoint: str, said: str) -> None:
    """What nobody could look up is refused when it is made."""
    with pytest.raises(ValueError, match=said):
        Dns(endpoint, resolver=server.resolver())
