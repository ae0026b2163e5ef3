"""Overload: three times as many requests as a back end can answer, and a proxy that lets through what it can.

The limit finds out by itself how many requests the back end can have at once. What is more waits for a moment or is
refused at once with 503 and Retry-After; searches before orders. The back end works on, as fast as ever.

python examples/overload.py            serves, with a slow back end of its own behind it, until interrupted
python examples/overload.py --check    sends more than it can take through itself, prints what came of it, and exits
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, TCPConnector, web

from revproxy import Exchange, Handler, Observer, Pipeline, ProxyHandler, Upstream
from revproxy.events import Event
from revproxy.filters import AdmissionControl, ConcurrencyLimit, Deadline, ShedLoad
from revproxy.limiters import Gradient

CHECK = "--check" in sys.argv
PORT = 8080

WORKERS, SECONDS = 4, 0.04
CAPACITY = WORKERS / SECONDS
"""Requests a second that the back end can answer."""


class Shop:
    """Stands for an application with a few workers. Requests wait in line for one, however long the line is."""

    def __init__(self) -> None:
        self.workers = asyncio.Semaphore(WORKERS)
        self.in_line = self.longest = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.in_line += 1
        self.longest = max(self.longest, self.in_line)
        try:
            async with self.workers:
                await asyncio.sleep(SECONDS)
        finally:
            self.in_line -= 1
        return web.Response(text="here you are")

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        return app


class Operator(Observer):
    """Who is told when requests begin to be refused, and when that is over. Here, the terminal."""

    def happened(self, event: Event) -> None:
        print("event:", event)


def importance(exchange: Exchange) -> int:
    """Orders before everything else. By the path: what a client says of itself everybody would say."""
    return 0 if exchange.inbound.path.startswith("/orders") else 5


def site(url: str, limit: ConcurrencyLimit) -> Handler:
    return Pipeline(limit, AdmissionControl(name="shop's answers"), handler=Upstream(url, name="shop"))


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


async def check(url: str, shop: Shop, limit: ConcurrencyLimit) -> None:
    """Two seconds of a third of the capacity, then two of three times as much, a quarter of it orders."""
    loop = asyncio.get_running_loop()
    counts: Counter[tuple[str, int]] = Counter()
    times: list[float] = []

    async def ask(path: str) -> None:
        start = loop.time()
        async with client.get(path) as response:
            await response.read()
        counts[path, response.status] += 1
        if response.status == 200:
            times.append(loop.time() - start)
        else:
            assert response.headers["Retry-After"] == "1"

    async def load(rate: float, seconds: float) -> str:
        """Requests that do not wait for one another, as those of many clients do not."""
        counts.clear()
        times.clear()
        start = loop.time()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                await asyncio.sleep(start + number / rate - loop.time())
                group.create_task(ask("/orders" if number % 4 == 0 else "/search"))
        times.sort()
        served, slow = len(times), times[int(0.95 * len(times))]
        return f"{served} of {counts.total()} served, 95 % of them within {1000 * slow:.0f} ms; {limit!r}"

    async with ClientSession(url, connector=TCPConnector(limit=0)) as client:
        print("light load:", await load(CAPACITY / 3, 2))
        assert counts["/orders", 200] > 0
        print("three times the capacity:", await load(3 * CAPACITY, 2))
        for path in ("/orders", "/search"):
            print(f"  {path}: {counts[path, 200]} served, {counts[path, 503]} refused")
        assert counts["/search", 503] > 0
        orders, searches = (
            counts[path, 200] / (counts[path, 200] + counts[path, 503]) for path in ("/orders", "/search")
        )
        assert orders > searches
        print(f"at most {shop.longest} requests were at the back end at once, for its {WORKERS} workers")
        assert shop.longest < 100
    assert limit.in_flight == limit.waiting == 0


async def main() -> None:
    logging.getLogger("revproxy.event").setLevel(logging.CRITICAL)  # the operator has them
    shop = Shop()
    async with AsyncExitStack() as stack:
        back_end = await stack.enter_async_context(serving(shop.app()))
        limit = ConcurrencyLimit(Gradient(), priority=importance, name="shop")
        proxy = ProxyHandler(
            site(back_end, limit),
            filters=[ShedLoad(priority=importance, classes=6, name="event loop"), Deadline(5.0)],
            observers=[Operator()],
        )
        app = web.Application()
        proxy.mount(app)
        url = await stack.enter_async_context(serving(app, 0 if CHECK else PORT))
        print(f"proxy on {url}, a shop with {WORKERS} workers on {back_end}")
        if CHECK:
            await check(url, shop, limit)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
