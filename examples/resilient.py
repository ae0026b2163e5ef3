"""Three servers that crash and hang, and a proxy before them that lets users feel nothing of it.

A deadline for each request; a second server where the first one does not answer; no server that fails gets requests
until it is well again; a circuit breaker and another answer for when nobody is there. The servers are processes of
their own, which the check kills (SIGKILL), stops (SIGSTOP) and starts again.

python examples/resilient.py            serves, three servers of its own behind it, until interrupted
python examples/resilient.py --check    sends requests through itself meanwhile, prints what came back, and exits
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, web

from revproxy import Observer, Pipeline, ProxyHandler, SlowStart, Upstream, respond
from revproxy.events import Event
from revproxy.filters import CircuitBreaker, ConcurrencyLimit, Deadline, Fallback, Retry
from revproxy.health import ActiveHealth, HttpProbe, OutlierDetection, Trip

CHECK = "--check" in sys.argv
PORT = 8080

SERVER = """
import asyncio, sys
from aiohttp import web

async def main():
    async def answer(request):
        return web.Response(text=sys.argv[1])
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[2]), reuse_address=True).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


class Server:
    """A server in a process of its own, at a port that it keeps."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = (sys.executable, "-c", SERVER, self.name, str(self.port))
        self.process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(await self.process.stdout.readline())

    async def kill(self) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            await process.communicate()

    def send(self, sent: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, sent)


@asynccontextmanager
async def servers(*names: str) -> AsyncIterator[list[Server]]:
    found = [Server(name) for name in names]
    try:
        await asyncio.gather(*(each.start() for each in found))
        yield found
    finally:
        await asyncio.gather(*(each.kill() for each in found))


class Operator(Observer):
    """Who is told when a server is taken out and comes back. Here, the terminal."""

    def happened(self, event: Event) -> None:
        print("event:", event)


def site(urls: list[str]) -> ProxyHandler:
    upstream = Upstream(
        *urls,
        name="site",
        health=[
            ActiveHealth(HttpProbe("/healthz"), interval=1.0, fast_interval=0.2, timeout=0.5),
            OutlierDetection(consecutive_local=3, max_ejected=0.4),
        ],
        slow_start=SlowStart(window=1.0),
        panic=0.0,  # where all are known to be down nobody is asked in vain
    )
    return ProxyHandler(
        Pipeline(
            Fallback(respond(503, "Back in a minute.\n")),
            ConcurrencyLimit(200, name="site"),
            CircuitBreaker(Trip(window=2.0, seconds=0.5, ramp=0.5), name="site"),
            Retry(attempts=2, per_try=0.5, name="site"),
            handler=upstream,
        ),
        filters=[Deadline(3.0)],
        observers=[Operator()],
    )


async def check(url: str, behind: list[Server]) -> None:
    """What clients see while one server is killed, another one is stopped, and none is left."""
    counts: Counter[str] = Counter()
    slowest = 0.0

    async def client(until: float) -> None:
        nonlocal slowest
        while time.monotonic() < until:
            start = time.monotonic()
            async with session.get(url) as response:
                counts[await response.text() if response.status == 200 else str(response.status)] += 1
            slowest = max(slowest, time.monotonic() - start)
            await asyncio.sleep(0.005)

    async def load(what: str, seconds: float) -> None:
        nonlocal slowest
        counts.clear()
        slowest = 0.0
        until = time.monotonic() + seconds
        await asyncio.gather(*(client(until) for _ in range(8)))
        answers = ", ".join(f"{count} x {name}" for name, count in sorted(counts.items()))
        print(f"{what}: {answers}; the slowest took {1000 * slowest:.0f} ms")

    one, two, three = behind
    async with ClientSession() as session:
        await load("all are well", 0.3)
        assert set(counts) == {"one", "two", "three"}
        await one.kill()
        await load("one was killed", 0.8)
        assert "503" not in counts
        await load("one is known to be down", 0.3)
        assert set(counts) == {"two", "three"}
        await one.start()
        await load("one was started again", 1.2)
        assert "503" not in counts
        assert "one" in counts
        two.send(signal.SIGSTOP)
        await load("two hangs", 0.8)
        assert "503" not in counts
        two.send(signal.SIGCONT)
        await asyncio.gather(*(each.kill() for each in behind))
        await load("all were killed", 0.8)
        assert set(counts) == {"503"}
        await asyncio.gather(one.start(), two.start(), three.start())
        await load("all were started again", 1.5)
        await load("and are well", 0.3)
        assert set(counts) == {"one", "two", "three"}


async def main() -> None:
    logging.getLogger("revproxy.event").setLevel(logging.CRITICAL)  # the operator has them
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(servers("one", "two", "three"))
        app = web.Application()
        site([each.url for each in behind]).mount(app)
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0 if CHECK else PORT).start()
        url = "http://{}:{}/".format(*runner.addresses[0][:2])
        print(f"proxy on {url}, servers on {', '.join(each.url for each in behind)}")
        if CHECK:
            await check(url, behind)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
