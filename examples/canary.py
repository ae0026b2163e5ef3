"""A canary: a new version that a few clients get, each always the same one, and that is closed when it is worse.

Clients are known by a cookie. A guard-rail compares what comes of the canary's requests with what comes of the stable
version's, and takes the canary out when it fails or is slow more often.

python examples/canary.py            serves, two versions of its own behind it, until interrupted
python examples/canary.py --check    sends requests through itself, prints what came back, and exits
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, web

from revproxy import Exchange, Handler, Observer, ProxyHandler, Response, Upstream
from revproxy.balancers import keys
from revproxy.events import Event
from revproxy.routing import LANE, GuardRail, Lane, LaneClosed, Split

CHECK = "--check" in sys.argv
PORT = 8080


class Version:
    """Stands for a version of the application. ``is_broken`` makes a third of its answers failures."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_broken = False
        self.answered = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.answered += 1
        if self.is_broken and self.answered % 3 == 0:
            return web.Response(status=500, text=f"{self.name} has failed")
        return web.Response(text=self.name)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        return app


class Operator(Observer):
    """Who is told when a lane is closed: a chat, a pager. Here, the terminal."""

    def __init__(self) -> None:
        self.closed: list[LaneClosed] = []

    def happened(self, event: Event) -> None:
        print("event:", event)
        if isinstance(event, LaneClosed):
            self.closed.append(event)


async def with_lane(exchange: Exchange, handler: Handler) -> Response:
    """Says in each answer down which lane it came."""
    response = await handler(exchange)
    response.headers["X-Lane"] = exchange[LANE]
    return response


def canary(stable_url: str, canary_url: str) -> Split:
    """A tenth of the clients get the canary, unless it fails in more than two of a hundred requests more than the
    stable version, or its slow answers are half as slow again."""
    return Split(
        Lane("stable", Upstream(stable_url, name="stable"), 90),
        Lane("canary", Upstream(canary_url, name="canary"), 10),
        key=keys.cookie("session"),
        guard=GuardRail(stable="stable", canary="canary", errors=0.02, latency=1.5),
        name="site",
    )


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` on the loopback interface; its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def check(url: str, split: Split, new: Version, operator: Operator) -> None:
    """A client keeps its version, weights change, and a version that breaks is closed."""

    async def lane_of(number: int) -> str:
        async with client.get("/", headers={"Cookie": f"session={number}"}) as response:
            statuses[response.status] += 1
            return response.headers["X-Lane"]

    async def lanes() -> list[str]:
        return [await lane_of(number) for number in range(200)]

    statuses: Counter[int] = Counter()
    async with ClientSession(url) as client:
        first = await lanes()
        print("200 clients:", dict(Counter(first)))
        assert await lanes() == first
        print("each got the same version again")

        split.weigh({"canary": 30})
        second = await lanes()
        print("with a weight of 30:", dict(Counter(second)))
        assert all(lane == "canary" for lane, before in zip(second, first, strict=True) if before == "canary")
        print("nobody who had the canary has lost it")

        new.is_broken = True
        rounds = 0
        while not operator.closed:
            await lanes()
            rounds += 1
            assert rounds < 20, "the canary should have been closed"
        assert split.weights["canary"] == 0

        statuses.clear()
        print("after that:", dict(Counter(await lanes())), "answered with", dict(statuses))
        assert statuses == {200: 200}

        new.is_broken = False
        split.reopen("canary")
        assert await lanes() == second
        print("mended and reopened: each has the version that it had")


async def main() -> None:
    old, new, operator = Version("version 1"), Version("version 2"), Operator()
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(serving(version.app())) for version in (old, new)]
        split = canary(*urls)
        app = web.Application()
        ProxyHandler(split, filters=[with_lane], observers=[operator]).mount(app)
        url = await stack.enter_async_context(serving(app, 0 if CHECK else PORT))
        print(f"proxy on {url}, two versions on {' and '.join(urls)}")
        if CHECK:
            await check(url, split, new, operator)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
