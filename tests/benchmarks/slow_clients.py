"""The command ``python -m tests.benchmarks.slow_clients``: clients that never end their heads (slowloris).

Each connects from an address of its own in 127.0.0.0/8, begins a request, and goes on by one field every ``--pause``
seconds; where it is closed another takes its place. When all are open it prints ``ready``. On the end of its standard
input it prints one line of JSON: how many are open, how many were closed, and how old those were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from contextlib import suppress

_BEGINNING = b"GET /small.txt HTTP/1.1\r\nHost: example.test\r\n"
_FIELD = b"X-Slow: 1\r\n"


class Slow(asyncio.Protocol):
    """One of them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self.began = time.monotonic()
        transport.write(_BEGINNING)
        self._clients.made(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._clients.open.discard(self)
        self._clients.ages.append(time.monotonic() - self.began)
        self._clients.wanted.set()


class Clients:
    """All of them."""

    def __init__(self, port: int, count: int, pause: float) -> None:
        self.open: set[Slow] = set()
        self.ages: list[float] = []
        self.wanted = asyncio.Event()
        self.full = asyncio.Event()
        self._port = port
        self._count = count
        self._pause = pause
        self._made = 0

    async def connect(self) -> None:
        """As many as are wanted, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            missing = min(self._count - len(self.open), 64)
            if missing <= 0:
                self.wanted.clear()
                await self.wanted.wait()
                continue
            await asyncio.gather(*(self._one(loop) for _ in range(missing)), return_exceptions=True)

    async def _one(self, loop: asyncio.AbstractEventLoop) -> None:
        self._made += 1
        host = f"127.{1 + self._made // 62500 % 200}.{self._made // 250 % 250}.{1 + self._made % 250}"
        await loop.create_connection(lambda: Slow(self), "127.0.0.1", self._port, local_addr=(host, 0))

    async def trickle(self) -> None:
        """One more field of each, spread over the pause."""
        while True:
            clients = list(self.open)
            for start in range(0, len(clients), 50):
                for each in clients[start : start + 50]:
                    if not each.transport.is_closing():
                        each.transport.write(_FIELD)
                await asyncio.sleep(self._pause * 50 / max(len(clients), 50))
            if not clients:
                await asyncio.sleep(0.1)

    def made(self, one: Slow) -> None:
        self.open.add(one)
        if len(self.open) >= self._count:
            self.full.set()


async def run(options: argparse.Namespace) -> None:
    clients = Clients(options.port, options.count, options.pause)
    tasks = [asyncio.create_task(clients.connect()), asyncio.create_task(clients.trickle())]
    try:
        await asyncio.wait_for(clients.full.wait(), 60)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(json.dumps({"open": len(clients.open), "ages": sorted(clients.ages)}), flush=True)
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
        for each in list(clients.open):
            each.transport.abort()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.slow_clients")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--pause", type=float, default=3.0)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(run(parser.parse_args()))
