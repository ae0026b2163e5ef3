"""Endpoints that come and go under real connections."""

from __future__ import annotations

import asyncio

from revproxy import Upstream
from revproxy.balancers import First, RoundRobin
from revproxy.testing import FakeUpstream, echo, head, raw, stall, switch

from .test_websocket import HELLO, MASKED_HELLO, opened
from .wire import GET, serving


async def test_removed_connections_end_when_they_are_free() -> None:
    """An endpoint that is removed: its idle connections are closed at once, that of a response on its way when it has
    ended, and nothing of the response is lost."""
    async with FakeUpstream() as old, FakeUpstream() as new:
        upstream = Upstream(old.url, new.url, balancer=First())
        async with serving(upstream) as site, site.connect() as client:
            assert (await site.ask(GET)).status == 200  # leaves an idle connection
            old.always(head(200, headers={"Content-Length": "9"}), raw(b"half"), stall(), raw(b" rest"))
            await asyncio.gather(client.send(GET), old.wait_requests(2))
            answer = await client.head()
            await client.gets(b"half")
            upstream.remove(upstream.endpoints[0])
            assert (await site.ask(GET)).body == b"ok"
            assert (len(old.requests), len(new.requests)) == (2, 1)
            drained = asyncio.create_task(upstream.drained(upstream.endpoints[0]))
            old.release()
            await client.gets(b" rest")
            assert answer.status == 200
            await drained
            while old.open:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            assert (await site.ask(GET)).status == 200


async def test_a_websocket_outlives_its_endpoint() -> None:
    """A WebSocket to an endpoint that is replaced goes on; ``drained`` waits for it."""
    async with FakeUpstream() as old, FakeUpstream() as new:
        old.on("/chat", switch(), echo())
        upstream = Upstream(old.url)
        async with serving(upstream) as site:
            async with opened(site) as client:
                (gone,) = upstream.endpoints
                upstream.replace(new.url)
                assert (await site.ask(GET)).status == 200
                assert len(new.requests) == 1
                await client.send(MASKED_HELLO)
                await client.gets(HELLO)
                drained = asyncio.create_task(upstream.drained(gone))
                await asyncio.sleep(0)
                assert not drained.done()
            await asyncio.wait_for(drained, 5)


async def test_who_waits_for_a_connection_gets_it() -> None:
    """A request that waits for one of an endpoint's connections gets it, although the endpoint is removed meanwhile."""
    from revproxy import Limits

    async with FakeUpstream() as old, FakeUpstream() as new:
        old.always(stall(), head(200, headers={"Content-Length": "3"}), raw(b"old"))
        upstream = Upstream(old.url, limits=Limits(connections=1))
        async with serving(upstream) as site:
            asking = [asyncio.create_task(site.ask(GET)) for _ in range(3)]
            await old.wait_requests(1)
            while upstream.endpoints[0].in_flight < 3:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            upstream.replace(new.url)
            old.release()
            assert [answer.body for answer in await asyncio.gather(*asking)] == [b"old"] * 3
            while old.open:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)


async def test_a_hundred_replacements_under_load() -> None:
    """The whole set is replaced a hundred times while requests come in: none fails."""
    async with FakeUpstream() as one, FakeUpstream() as two, FakeUpstream() as three:
        sets = [(one.url, two.url), (three.url,), (two.url, three.url), (one.url,)]
        upstream = Upstream(*sets[0], balancer=RoundRobin())
        done = asyncio.Event()
        statuses: list[int] = []

        async with serving(upstream) as site:

            async def load() -> None:
                async with site.connect() as client:
                    while not done.is_set():
                        await client.send(GET)
                        statuses.append((await client.response()).status)

            loads = [asyncio.create_task(load()) for _ in range(8)]
            for number in range(100):
                before = len(statuses)
                upstream.replace(*sets[number % len(sets)])
                while len(statuses) < before + 5:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
            done.set()
            await asyncio.gather(*loads)
        assert len(statuses) >= 500
        assert set(statuses) == {200}
