"""Servers that are stopped, killed and started again behind a proxy that probes them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revproxy import ProxyHandler, Upstream
from revproxy.balancers import RoundRobin
from revproxy.events import Event
from revproxy.health import ActiveHealth, EndpointEjected, EndpointRestored, HttpProbe, TcpProbe
from revproxy.observer import Observer

from .test_servers import Process, started
from .wire import GET, TIMEOUT, serving

SERVER = """
import asyncio, sys
from aiohttp import web

async def main():
    app = web.Application()
    async def answer(request):
        return web.Response(text=sys.argv[1])
    app.router.add_get("/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[2]), reuse_address=True)
    await site.start()
    print("listens at", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Watch(Observer):
    """Waits for what happens, and knows when it did."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Event]] = []
        self.news = asyncio.Event()

    def happened(self, event: Event) -> None:
        self.events.append((time.monotonic(), event))
        self.news.set()

    async def next(self, kind: type[Event]) -> float:
        """When the next of that kind happens (monotonic seconds)."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                while self.events:
                    when, event = self.events.pop(0)
                    if isinstance(event, kind):
                        return when
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def server(name: str, port: int = 0) -> AsyncIterator[tuple[Process, int]]:
    async with started("-c", SERVER, name, port) as process:
        yield process, int((await process.says("listens at")).split()[-1])


def probing() -> ActiveHealth:
    return ActiveHealth(
        HttpProbe("/healthz"), interval=0.3, fast_interval=0.1, timeout=0.5, rise=2, fall=2, first="wait"
    )


async def test_a_process_that_hangs() -> None:
    """A process that was stopped (SIGSTOP), whose kernel still accepts, is ejected, and gets nothing until it goes on;
    then it is back within a second. A probe that only connects would not have seen it."""
    async with server("one") as (one, first), server("two") as (_, second):
        watch = Watch()
        upstream = Upstream(
            f"http://127.0.0.1:{first}", f"http://127.0.0.1:{second}", balancer=RoundRobin(), health=[probing()]
        )
        async with serving(ProxyHandler(upstream, observers=[watch])) as site:
            await upstream.ready(TIMEOUT)
            assert {(await site.ask(GET)).body for _ in range(4)} == {b"one", b"two"}
            one.process.send_signal(signal.SIGSTOP)
            try:
                await watch.next(EndpointEjected)
                await TcpProbe()(upstream.endpoints[0])
                assert {(await site.ask(GET)).body for _ in range(20)} == {b"two"}
            finally:
                one.process.send_signal(signal.SIGCONT)
            began = time.monotonic()
            back = await watch.next(EndpointRestored) - began
            assert {(await site.ask(GET)).body for _ in range(4)} == {b"one", b"two"}
            assert back < 1


async def test_killed_and_started_again() -> None:
    """Where all are dead, which is known, the answer is 503 at once, and nobody is asked; within a second after one is
    started again, the service is back (issue "Staying up": all back ends down, panic off)."""
    watch = Watch()
    async with server("one") as (one, port):
        upstream = Upstream(f"http://127.0.0.1:{port}", health=[probing()], panic=0)
        async with serving(ProxyHandler(upstream, observers=[watch])) as site:
            await upstream.ready(TIMEOUT)
            assert (await site.ask(GET)).body == b"one"
            one.process.send_signal(signal.SIGKILL)
            await watch.next(EndpointEjected)
            for answer in await asyncio.gather(*(site.ask(GET) for _ in range(50))):
                assert answer.status == 503
            async with server("one again", port):
                began = time.monotonic()
                back = await watch.next(EndpointRestored) - began
                assert (await site.ask(GET)).body == b"one again"
                assert back < 1
