"""``ProxyHandler.replace``: another handler, other filters, while requests come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from revproxy import (
    Component,
    Exchange,
    Handler,
    Observer,
    Pipeline,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    when,
)
from revproxy import respond as responding
from revproxy.composition import CompositionClosed, CompositionReplaced
from revproxy.events import Event
from revproxy.testing import FakeUpstream, echo, head, raw, stall, switch

from .test_lifecycle import Part
from .test_websocket import HELLO, MASKED_HELLO, opened
from .wire import GET, serving


class Watcher(Observer):
    def __init__(self) -> None:
        self.seen: list[type[Event]] = []

    def happened(self, event: Event) -> None:
        self.seen.append(type(event))


@asynccontextmanager
async def holding(server: FakeUpstream) -> AsyncIterator[None]:
    """``server`` answers half, and the rest in the end."""
    server.once(head(200, headers={"Content-Length": "8"}), raw(b"half"), stall(), raw(b"rest"))
    yield
    server.release()


async def test_exchanges_end_where_they_began() -> None:
    """What is under way goes on in the old composition, what comes next is answered by the new one. The old one is
    stopped when its last exchange is over, and ``retired`` waits for that (row 20)."""
    diary: list[str] = []
    watcher = Watcher()
    async with FakeUpstream() as old, FakeUpstream() as new:
        proxy = ProxyHandler(Upstream(old.url), filters=[Part(diary)], observers=[watcher])
        async with serving(proxy) as site, site.connect() as client:
            async with holding(old):
                await client.send(GET)
                answer = await client.head()
                await proxy.replace(Upstream(new.url), filters=[])
                assert (await site.ask(GET)).body == b"ok"
                assert (len(old.requests), len(new.requests)) == (1, 1)
                retired = asyncio.create_task(proxy.retired())
                await asyncio.sleep(0)
                assert diary == ["start"]
                assert not retired.done()
            await client.gets(b"halfrest")
            assert answer.status == 200
            await retired
            assert diary == ["start", "stop"]
            assert watcher.seen == [CompositionReplaced, CompositionClosed]
            await client.send(GET)  # the same connection of the client
            assert (await client.response()).status == 200
            assert (len(old.requests), len(new.requests)) == (1, 2)
            assert repr(Upstream(new.url).endpoints[0]) in repr(proxy)
            assert new.url in proxy.describe()


async def test_what_both_have_goes_on() -> None:
    """An upstream of both compositions is not stopped: its idle connection is used again."""
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        proxy = ProxyHandler(upstream)
        async with serving(proxy) as site:
            for _ in range(3):
                assert (await site.ask(GET)).status == 200
                await proxy.replace(Rules(Rule(when.anything, upstream)), filters=[])
                await proxy.retired()
            assert (await site.ask(GET)).status == 200
        assert server.connections == 1


async def test_a_websocket_goes_on() -> None:
    """A WebSocket keeps the composition that opened it."""
    diary: list[str] = []
    async with FakeUpstream() as server:
        server.on("/chat", switch(), echo())
        proxy = ProxyHandler(Upstream(server.url), filters=[Part(diary)])
        async with serving(proxy) as site:
            async with opened(site) as client:
                await proxy.replace(responding(200, "new"), filters=[])
                assert (await site.ask(GET)).body == b"new"
                await client.send(MASKED_HELLO)
                await client.gets(HELLO)
                assert diary == ["start"]
            await asyncio.wait_for(proxy.retired(), 5)
            assert diary == ["start", "stop"]


class Shortcut(Component):
    shortcuts = True

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


class Broken(Part):
    async def start(self) -> None:
        raise LookupError("no database")


async def test_what_is_wrong_changes_nothing() -> None:
    """A composition that is refused, or does not start, is raised to whoever brings it; the old one goes on, and what
    was started of the new one is stopped."""
    diary: list[str] = []
    table = Rules(Rule(when.anything, responding(200)))
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        async with serving(proxy) as site:
            before = proxy.root
            with pytest.raises(ValueError, match="two upstreams of one name"):
                await proxy.replace(
                    Rules(Rule(when.path("/a"), Upstream("http://a")), Rule(when.anything, Upstream("http://a"))),
                    filters=[],
                )
            with pytest.raises(ValueError, match="must not stand around"):
                await proxy.replace(table, filters=[Shortcut()])
            with pytest.raises(ValueError, match="no filter outside provides place"):
                await proxy.replace(Rules(Rule(when.country("CH"), responding(200))), filters=[])
            with pytest.raises(LookupError, match="no database"):
                await proxy.replace(Pipeline(Broken([]), Part(diary), handler=Upstream("http://b")), filters=[])
            assert diary == ["start", "stop"]
            assert proxy.root is before
            assert (await site.ask(GET)).body == b"ok"
            await proxy.retired()


async def test_paths_are_read_anew() -> None:
    """Whether a target with two readings passes depends on what the new composition decides by the path."""
    target = b"GET /a%2Fb HTTP/1.1\r\nHost: a.test\r\n\r\n"
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        proxy = ProxyHandler(upstream)
        async with serving(proxy) as site:
            assert (await site.ask(target)).status == 200
            await proxy.replace(
                Rules(Rule(when.path("/a/*"), responding(403)), Rule(when.anything, upstream)), filters=[]
            )
            assert (await site.ask(target)).status == 400
            await proxy.replace(upstream, filters=[])
            assert (await site.ask(target)).status == 200


async def test_from_within() -> None:
    """A request may replace what answers it; two that do so at once take turns, and the last one stands."""
    diary: list[str] = []
    proxy: ProxyHandler
    together = asyncio.Barrier(5)

    async def replace(exchange: Exchange) -> Response:
        await together.wait()
        name = exchange.inbound.target[1:]
        await proxy.replace(responding(200, name), filters=[Part(diary)])
        return Response(202)

    proxy = ProxyHandler(replace)
    async with serving(proxy) as site:
        asked = [site.ask(b"GET /%d HTTP/1.1\r\nHost: a.test\r\n\r\n" % number) for number in range(5)]
        assert {answer.status for answer in await asyncio.gather(*asked)} == {202}
        await proxy.retired()
        assert (await site.ask(GET)).body in {b"%d" % number for number in range(5)}
        assert diary.count("start") - diary.count("stop") == 1
    assert diary.count("start") == diary.count("stop")


async def test_before_the_start_and_after_the_end() -> None:
    """A proxy that does not run takes the new composition, which starts with it."""
    diary: list[str] = []
    proxy = ProxyHandler(responding(200, "one"), filters=[Part(diary)])
    await proxy.replace(responding(200, "two"), filters=[Part(diary)])
    assert diary == []
    async with serving(proxy) as site:
        assert (await site.ask(GET)).body == b"two"
        assert diary == ["start"]
    await proxy.replace(responding(200, "three"), filters=[])
    await proxy.retired()
    async with serving(proxy) as site:
        assert (await site.ask(GET)).body == b"three"
    assert diary == ["start", "stop"]


async def test_the_end_does_not_wait_for_the_replaced() -> None:
    """When the proxy stops, everything is stopped, exchanges left in a replaced composition or not."""
    diary: list[str] = []
    entered, gate = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> Response:
        entered.set()
        await gate.wait()
        return Response(200)

    proxy = ProxyHandler(slow, filters=[Part(diary)])
    async with serving(web.Server(proxy.handle)) as site:
        async with proxy.running():
            asking = asyncio.create_task(site.ask(GET))
            await entered.wait()
            await proxy.replace(responding(204), filters=[Part(diary)])
            assert diary == ["start", "start"]
        assert diary == ["start", "start", "stop", "stop"]
        gate.set()
        assert (await asking).status == 200
        assert (await site.ask(GET)).status == 204


async def test_a_hundred_under_load() -> None:
    """Compositions are replaced a hundred times while requests come in: none fails, all are closed in the end."""
    diary: list[str] = []
    done = asyncio.Event()
    statuses: list[int] = []
    async with FakeUpstream() as one, FakeUpstream() as two:
        proxy = ProxyHandler(Upstream(one.url))
        async with serving(proxy) as site:

            async def load() -> None:
                async with site.connect() as client:
                    while not done.is_set():
                        await client.send(GET)
                        statuses.append((await client.response()).status)

            loads = [asyncio.create_task(load()) for _ in range(8)]
            for number in range(100):
                before = len(statuses)
                await proxy.replace(Upstream((one, two)[number % 2].url), filters=[Part(diary)])
                while len(statuses) < before + 5:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
            done.set()
            await asyncio.gather(*loads)
            await proxy.retired()
            assert diary.count("stop") == 99
        assert len(statuses) >= 500
        assert set(statuses) == {200}
    assert diary.count("start") == diary.count("stop") == 100


# The end, at every moment of it.


class Slow(Part):
    """Takes its time to start and to stop."""

    def __init__(self, diary: list[str], *, starts: bool = True, stops: bool = True) -> None:
        super().__init__(diary)
        self.entered = asyncio.Event()
        self.may_start, self.may_stop = asyncio.Event(), asyncio.Event()
        if starts:
            self.may_start.set()
        if stops:
            self.may_stop.set()

    async def start(self) -> None:
        self.entered.set()
        await self.may_start.wait()
        await super().start()

    async def stop(self) -> None:
        self.entered.set()
        await self.may_stop.wait()
        await super().stop()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_replaced_while_it_stops() -> None:
    """What was running is stopped all the same, and what came too late starts with the proxy the next time."""
    diary: list[str] = []
    slow = Slow(diary, stops=False)
    proxy = ProxyHandler(responding(200), filters=[slow])
    running = proxy.running()
    await running.__aenter__()
    ending = asyncio.create_task(running.__aexit__(None, None, None))
    await turns()
    replacing = asyncio.create_task(proxy.replace(responding(204), filters=[Part(diary)]))
    await turns()
    slow.may_stop.set()
    await asyncio.gather(ending, replacing)
    assert diary == ["start", "stop"]
    async with proxy.running():
        assert diary == ["start", "stop", "start"]
    assert diary.count("start") == diary.count("stop")


async def test_the_end_does_not_wait_for_a_start() -> None:
    """A new composition that does not finish starting is given up when the proxy stops; so is one that waits for it."""
    diary: list[str] = []
    proxy = ProxyHandler(responding(200), filters=[Part(diary)])
    async with asyncio.timeout(5):
        async with proxy.running():
            stuck = Slow([], starts=False)
            first = asyncio.create_task(proxy.replace(responding(204), filters=[stuck, Part(diary)]))
            second = asyncio.create_task(proxy.replace(responding(205), filters=[Part(diary)]))
            await stuck.entered.wait()
        await asyncio.gather(first, second)
    assert diary.count("start") == diary.count("stop")


@pytest.mark.parametrize("ticks", range(1, 24, 2))
async def test_cancelled_at_any_moment(ticks: int) -> None:
    """Whoever is cancelled, who replaces or who stops, nothing stays started in the end."""
    for cancels in ("replace", "stop"):
        diary: list[str] = []
        proxy = ProxyHandler(responding(200), filters=[Slow(diary)])
        running = proxy.running()
        await running.__aenter__()
        replacing = asyncio.create_task(proxy.replace(responding(204), filters=[Slow(diary), Part(diary)]))
        if cancels == "stop":
            await turns(3)
        ending = asyncio.create_task(running.__aexit__(None, None, None)) if cancels == "stop" else None
        await turns(ticks)
        (replacing if ending is None else ending).cancel()
        await asyncio.gather(replacing, *([] if ending is None else [ending]), return_exceptions=True)
        if ending is None:
            await running.__aexit__(None, None, None)
        await turns()
        assert diary.count("start") == diary.count("stop"), (cancels, diary)


async def test_replaced_from_a_start() -> None:
    """A component that would replace what it is a part of, as it starts, is told so: it would wait for itself."""

    class Eager(Component):
        async def start(self) -> None:
            await proxy.replace(responding(204), filters=[])

        async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
            return await handler(exchange)

    proxy = ProxyHandler(responding(200), filters=[Eager()])
    with pytest.raises(RuntimeError, match="is starting"):
        async with proxy.running():
            pass


async def test_a_part_that_does_not_stop_well(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, the others are stopped, and the composition counts as closed."""

    class Broken(Part):
        async def stop(self) -> None:
            raise LookupError("no disk")

    diary: list[str] = []
    watcher = Watcher()
    proxy = ProxyHandler(responding(200), filters=[Part(diary), Broken([])], observers=[watcher])
    async with proxy.running():
        await proxy.replace(responding(204), filters=[])
        await proxy.retired()
        assert diary == ["start", "stop"]
        assert watcher.seen == [CompositionReplaced, CompositionClosed]
    assert "no disk" in caplog.text
