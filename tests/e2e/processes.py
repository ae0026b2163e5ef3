"""Back ends in processes of their own, which a test can kill, stop and start again; load on what is before them; and
what is left of all that at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

from revproxy.clock import SYSTEM_CLOCK, Timer

from .wire import GET, TIMEOUT, Site

_PROGRAM = """
import asyncio, sys

ANSWER = "HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(sys.argv[2]), sys.argv[2])

class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.held = transport, b""

    def data_received(self, data):
        *heads, self.held = (self.held + data).split(b"\\r\\n\\r\\n")
        for _ in heads:
            asyncio.get_running_loop().call_later(0.002, self.transport.write, ANSWER.encode())

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", int(sys.argv[1]), reuse_address=True, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
"""Answers every request after 2 ms with its name."""


class BackEnd:
    """A server that answers with its name, at a port that it keeps when it is started again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-c", _PROGRAM, str(self.port), self.name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(TIMEOUT):
            self.port = int(await self._process.stdout.readline())

    async def kill(self) -> None:
        """At once (``SIGKILL``): what is connected is reset, and nobody listens any more."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            await process.communicate()

    def stop(self) -> None:
        """``SIGSTOP``: its kernel still takes connections, and nobody ever answers."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, sent: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(sent)


@asynccontextmanager
async def back_ends(*names: str) -> AsyncIterator[list[BackEnd]]:
    servers = [BackEnd(name) for name in names]
    try:
        await asyncio.gather(*(each.start() for each in servers))
        yield servers
    finally:
        await asyncio.gather(*(each.kill() for each in servers))


@dataclass(slots=True)
class Told:
    """What a client was told, and when that was."""

    status: int
    body: bytes
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started


class Load:
    """Clients that ask one request after the other, each on a connection of its own, until it is over."""

    def __init__(self, site: Site, *, pause: float = 0.0) -> None:
        self._site = site
        self._pause = pause
        self._goes_on = True
        self._answered = asyncio.Event()
        self.answers: list[Told] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, site: Site, clients: int, *, pause: float = 0.0) -> AsyncIterator[Load]:
        """So many clients, which wait for ``pause`` seconds between two requests. Bounded in time."""
        self = cls(site, pause=pause)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._ask())
            try:
                yield self
            finally:
                self._goes_on = False

    async def _ask(self) -> None:
        async with self._site.connect() as connection:
            while self._goes_on:
                started = perf_counter()
                await connection.send(GET)
                answer = await connection.final()
                self.answers.append(Told(answer.status, answer.body, started, perf_counter()))
                self._answered.set()
                await asyncio.sleep(self._pause)

    async def until(self, ready: Callable[[list[Told]], bool]) -> list[Told]:
        """The answers from now on, as soon as they are so."""
        since = len(self.answers)
        while not ready(self.answers[since:]):
            self._answered.clear()
            await self._answered.wait()
        return self.answers[since:]

    async def count(self, number: int) -> list[Told]:
        """The next ``number`` answers."""
        return await self.until(lambda answers: len(answers) >= number)

    async def lasts(self, seconds: float) -> list[Told]:
        """The answers of so many seconds."""
        end = perf_counter() + seconds
        return await self.until(lambda answers: perf_counter() >= end)


def statuses(answers: list[Told]) -> Counter[int]:
    return Counter(each.status for each in answers)


def percentile(answers: list[Told], percent: int) -> float:
    """Of the times that they took, in seconds."""
    times = sorted(each.seconds for each in answers)
    return times[min(len(times) * percent // 100, len(times) - 1)]


class CountedClock:
    """The system's clock, which knows what timers are waited for."""

    def __init__(self) -> None:
        self.timers: set[_Counted] = set()

    now = staticmethod(SYSTEM_CLOCK.now)
    wall = staticmethod(SYSTEM_CLOCK.wall)
    sleep = staticmethod(SYSTEM_CLOCK.sleep)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _Counted(self, callback)
        timer.timer = SYSTEM_CLOCK.call_later(seconds, timer.fire)
        self.timers.add(timer)
        return timer


class _Counted:
    timer: Timer

    def __init__(self, clock: CountedClock, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._callback = callback

    def fire(self) -> None:
        self._clock.timers.discard(self)
        self._callback()

    def cancel(self) -> None:
        self._clock.timers.discard(self)
        self.timer.cancel()

    def __repr__(self) -> str:
        return f"<a timer of {self._callback!r}>"


def _sockets() -> list[str]:
    """And pipes, of this process."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass  # that of the listing itself
    return [each for each in found if each.startswith(("socket:", "pipe:"))]


@asynccontextmanager
async def nothing_left() -> AsyncIterator[CountedClock]:
    """At the end there are no sockets, pipes and tasks that were not there before, and no timers of the clock."""
    clock, sockets, tasks = CountedClock(), Counter(_sockets()), asyncio.all_tasks()

    def left() -> list[object]:
        begun = {task for task in asyncio.all_tasks() if not task.done()} - tasks
        return [*begun, *clock.timers, *(Counter(_sockets()) - sockets)]

    yield clock
    end = perf_counter() + 1
    while left() and perf_counter() < end:  # noqa: ASYNC110  transports that were closed end in the next turns
        await asyncio.sleep(0.01)
    assert not left(), left()
