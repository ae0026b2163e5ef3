"""Endpoints that something outside of the program names, under real connections."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from revproxy import Endpoint, ProxyHandler, Tls, Upstream
from revproxy.addresses import AddressPolicy
from revproxy.balancers import RoundRobin
from revproxy.discovery import DiscoveryFailed, Dns, EndpointsRefused, File, SourceFailed, SourceRecovered, Srv
from revproxy.errors import AddressRefused, ConnectFailed
from revproxy.events import Event
from revproxy.testing import FakeUpstream, echo, switch

from ..discovery.name_server import name_server
from .seen import Seen
from .test_websocket import HELLO, MASKED_HELLO, opened
from .wire import GET, TIMEOUT, serving

HERE = AddressPolicy(allow=["127.0.0.0/8"])
"""What tests need, and no one else should: all servers are on this machine."""


class Events(Seen):
    """Notes what happens, and lets a test wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def happened(self, event: Event) -> None:
        self.events.append(event)
        self._notify()

    async def wait(self, kind: type[Event]) -> Event:
        """The first of a kind."""
        await self.until(lambda _: any(isinstance(each, kind) for each in self.events))
        return next(each for each in self.events if isinstance(each, kind))


def write(path: Path, *urls: str) -> None:
    """Put a file in its place as a whole."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"endpoints": urls}))
    os.replace(new, path)


async def until_members(upstream: Upstream, count: int) -> None:
    async with asyncio.timeout(TIMEOUT):
        while len(upstream.endpoints) != count:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)


async def test_services() -> None:
    """From SRV records to answers: ports and addresses are those of the records, ``Host`` is the URL's (F-13)."""
    async with name_server() as names, FakeUpstream() as one, FakeUpstream(host="127.0.0.2") as two:
        names.say("_http._tcp.api.test", "SRV", f"0 1 {one.port} a.test.", f"0 1 {two.port} b.test.")
        names.say("a.test", "A", "127.0.0.1")
        names.say("b.test", "A", "127.0.0.2")
        source = Srv("_http._tcp.api.test", "http://api.test", resolver=names.resolver())
        upstream = Upstream(discovery=source, addresses=HERE, balancer=RoundRobin())
        async with serving(upstream) as site:
            assert [(await site.ask(GET)).status for _ in range(4)] == [200] * 4
        assert (len(one.requests), len(two.requests)) == (2, 2)
        assert {each.getall("Host")[0] for each in (*one.requests, *two.requests)} == {
            f"api.test:{one.port}",
            f"api.test:{two.port}",
        }


async def test_tls_goes_by_the_name(tmp_path: Path) -> None:
    """S-41, S-71: what is dialled is an address, what is verified is the name that was asked for: who answers at that
    address for another name gets no request."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = Tls(ca=tmp_path / "ca.pem")
    for certified, status in (("api.test", 200), ("other.test", 502)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(certified, "127.0.0.1").configure_cert(context)
        async with name_server() as names, FakeUpstream(ssl=context) as server:
            names.say("api.test", "A", "127.0.0.1")
            source = Dns(f"https://api.test:{server.port}", resolver=names.resolver())
            async with serving(Upstream(discovery=source, addresses=HERE, tls=tls)) as site:
                assert (await site.ask(GET)).status == status
            assert len(server.requests) == (status == 200)


async def test_a_name_server_that_is_poisoned() -> None:
    """S-41: a name server that sends to this machine, to the network's own or to a cloud's metadata service is not
    followed: with nothing else, the application does not start, and it is told why."""
    async with name_server() as names, FakeUpstream() as server:
        names.say("api.test", "A", "127.0.0.1", "169.254.169.254")
        names.say("api.test", "AAAA", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
        source = Dns(f"http://api.test:{server.port}", resolver=names.resolver(), initial=0.2)
        with pytest.raises(DiscoveryFailed, match=r"all are refused: .* 127\.0\.0\.1 is loopback"):
            async with serving(Upstream(discovery=source)):
                pass
        assert server.connections == 0


async def test_one_bad_address_among_good_ones() -> None:
    """S-41: it gets nothing, the others serve."""
    policy = AddressPolicy(allow=["127.0.0.1"])
    seen = Events()
    async with name_server() as names, FakeUpstream() as server:
        names.say("api.test", "A", "127.0.0.1", "127.0.0.2", "169.254.169.254")
        source = Dns(f"http://api.test:{server.port}", resolver=names.resolver())
        upstream = Upstream(discovery=source, addresses=policy)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            assert [(await site.ask(GET)).status for _ in range(5)] == [200] * 5
            refused = await seen.wait(EndpointsRefused)
        assert isinstance(refused, EndpointsRefused)
        assert refused.count == 2
        assert len(server.requests) == 5


async def test_rebinding() -> None:
    """S-41: a name that a source gives is resolved for each connection, and checked then: once it answers with an
    address that is refused, the client gets a 502 that says nothing of the inside, and nobody is connected to."""
    policy = AddressPolicy(allow=["127.0.0.1"])
    seen = Events()
    async with FakeUpstream() as good, FakeUpstream(host="127.0.0.2") as bad:
        good.respond(headers={"Connection": "close"})  # so that each request is a connection of its own
        loop = asyncio.get_running_loop()
        known, answers = loop.getaddrinfo, 0

        async def getaddrinfo(host: str, port: int, **options: Any) -> Sequence[tuple[object, ...]]:
            nonlocal answers
            if host != "api.test":
                return await known(host, port, **options)
            answers += 1
            where = ("127.0.0.2", bad.port) if answers % 2 == 0 else ("127.0.0.1", good.port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where)]

        async def names() -> AsyncIterator[list[str]]:
            yield ["http://api.test"]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "getaddrinfo", getaddrinfo)
            upstream = Upstream(discovery=names, addresses=policy)
            async with serving(ProxyHandler(upstream, observers=[seen])) as site:
                found = [await site.ask(GET) for _ in range(6)]
        assert [each.status for each in found] == [200, 502] * 3
        assert [type(each) for each in seen.errors] == [AddressRefused] * 3
        for each in found[1::2]:
            assert b"api.test" not in each.body
            assert b"127.0.0" not in each.body
        assert (good.connections, bad.connections) == (3, 0)


async def test_what_is_in_flight_outlives_its_endpoint(tmp_path: Path) -> None:
    """A WebSocket to an endpoint that the file names no more goes on; new requests go to the others."""
    path = tmp_path / "api.json"
    async with FakeUpstream() as old, FakeUpstream() as new:
        old.on("/chat", switch(), echo())
        write(path, old.url)
        upstream = Upstream(discovery=File(path, interval=0.01), addresses=HERE)
        async with serving(upstream) as site, opened(site) as client:
            (gone,) = upstream.endpoints
            write(path, new.url)
            async with asyncio.timeout(TIMEOUT):
                while gone in upstream.endpoints:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.001)
            assert (await site.ask(GET)).status == 200
            await client.send(MASKED_HELLO)
            await client.gets(HELLO)
        assert len(new.requests) == 1


async def test_a_file_that_breaks(tmp_path: Path) -> None:
    """A broken file costs no request, is told of once, and so is the good one after it."""
    path = tmp_path / "api.json"
    seen = Events()
    async with FakeUpstream() as one, FakeUpstream() as two:
        write(path, one.url)
        upstream = Upstream(discovery=File(path, interval=0.01), addresses=HERE)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            assert (await site.ask(GET)).status == 200
            path.write_text('{"endpoints": [')
            failed = await seen.wait(SourceFailed)
            assert "not JSON" in str(failed)
            assert (await site.ask(GET)).status == 200
            write(path, one.url, two.url)
            await seen.wait(SourceRecovered)
            await until_members(upstream, 2)
        assert len(one.requests) == 2
        assert [type(each) for each in seen.events].count(SourceFailed) == 1


async def test_no_file_at_the_start(tmp_path: Path) -> None:
    """An application that is to begin without endpoints answers 503 until the file is there."""
    path = tmp_path / "api.json"
    async with FakeUpstream() as server:
        upstream = Upstream(discovery=File(path, interval=0.01, initial=None), addresses=HERE)
        async with serving(upstream) as site:
            assert (await site.ask(GET)).status == 503
            write(path, server.url)
            await until_members(upstream, 1)
            assert (await site.ask(GET)).status == 200


async def test_a_start_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """An application whose endpoints are nowhere does not start, says why, and stops what was started already."""
    upstream = Upstream(discovery=File(tmp_path / "none.json", interval=0.01, initial=0.05))
    app = web.Application()
    ProxyHandler(upstream).mount(app)
    runner = web.AppRunner(app)
    with pytest.raises(DiscoveryFailed, match=r"no endpoints, within 0\.05 s: FileNotFoundError"):
        await runner.setup()
    await runner.cleanup()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_many_sets_under_load(tmp_path: Path) -> None:
    """The whole set is replaced again and again while requests come in: none fails."""
    async with FakeUpstream() as one, FakeUpstream() as two, FakeUpstream() as three:
        sets = [[one.url, two.url], [three.url], [two.url, three.url], [one.url]]
        given: asyncio.Queue[list[str]] = asyncio.Queue()
        done = asyncio.Event()
        statuses: list[int] = []

        async def names() -> AsyncIterator[list[str]]:
            while True:
                yield await given.get()

        given.put_nowait(sets[0])
        upstream = Upstream(discovery=names, addresses=HERE, balancer=RoundRobin())
        async with serving(upstream) as site:

            async def load() -> None:
                async with site.connect() as client:
                    while not done.is_set():
                        await client.send(GET)
                        statuses.append((await client.response()).status)

            loads = [asyncio.create_task(load()) for _ in range(4)]
            for number in range(1, 16):
                wanted = sets[number % len(sets)]
                given.put_nowait(wanted)
                async with asyncio.timeout(TIMEOUT):
                    while {str(each.url) for each in upstream.endpoints} != set(wanted):  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0.001)
                before = len(statuses)
                while len(statuses) < before + 5:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
            done.set()
            await asyncio.gather(*loads)
        assert len(statuses) >= 75
        assert set(statuses) == {200}


async def test_what_the_program_names_is_not_looked_at() -> None:
    """Without ``addresses=``, an endpoint that the program names is dialled wherever it is, loopback included."""
    async with FakeUpstream() as server:
        endpoint = Endpoint(f"http://api.test:{server.port}", address="127.0.0.1")
        async with serving(Upstream(endpoint)) as site:
            assert (await site.ask(GET)).status == 200


def test_the_failure_is_one_to_connect() -> None:
    """Whoever goes on where nothing was sent (``Failover``) goes on after a refusal, too."""
    assert issubclass(AddressRefused, ConnectFailed)
