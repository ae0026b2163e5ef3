"""The load: raw asyncio protocols in the benchmark's own process, which is not the proxy's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec

from ..cases import KIB, MIB, Case
from ..load import Generator, Load, LoadFailed
from ..proxies.serve import new_loop
from .cases import ECHO, PIECE
from .client import Client, compare
from .frames import BINARY, MASK, Frame, encode

LOOP = "uvloop" if find_spec("uvloop") else "asyncio"
"""Of the load and of the back end: the faster they are, the more it is the proxy that is measured."""

_ECHO = encode(BINARY, ECHO, MASK)
AT_ONCE = 50
_PATIENCE = 30.0
"""Seconds, for what should take one."""


@contextmanager
def connected(port: int, path: str, count: int) -> Iterator[tuple[asyncio.Runner, list[Client]]]:
    """So many WebSockets, not opened all at once, and their loop, which runs only while something is asked of it."""
    with asyncio.Runner(loop_factory=lambda: new_loop(LOOP)) as runner:
        clients: list[Client] = []
        try:
            while len(clients) < count:
                clients += runner.run(_open(port, path, min(AT_ONCE, count - len(clients))))
            yield runner, clients
        except TimeoutError:
            raise LoadFailed(f"nothing more came for {_PATIENCE:.0f} s") from None
        finally:
            runner.run(_close(clients))


async def _open(port: int, path: str, count: int) -> list[Client]:
    async with asyncio.timeout(_PATIENCE):
        return await asyncio.gather(*(Client.open(port, path) for _ in range(count)))


async def _close(clients: Sequence[Client]) -> None:
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0)


async def echo_once(clients: Sequence[Client], message: bytes) -> None:
    """Send it through each, there and back."""
    for first in range(0, len(clients), AT_ONCE):
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*(client.echo(message) for client in clients[first : first + AT_ONCE]))


def check(port: int, case: Case) -> None:
    """A handshake and, to the byte, a little of what the case does: a subject that answers fast and wrong is not to be
    measured."""
    try:
        with connected(port, case.path, 1) as (runner, clients):
            if case.name == "echo":
                for message in (b"", ECHO, PIECE[: 4 * KIB], PIECE):
                    runner.run(echo_once(clients, message))
            else:
                runner.run(_bulk(clients[0], replace(case, size=MIB), 0.0))
    except OSError as error:
        raise LoadFailed(repr(error)) from error


@contextmanager
def ready(port: int, case: Case) -> Iterator[Callable[[float], Load]]:
    """Load on WebSockets that are open before it begins, so that what opening them costs is not counted."""
    with connected(port, case.path, case.connections) as (runner, clients):
        if case.name == "echo":
            yield lambda seconds: runner.run(_echoes(clients, seconds))
        else:
            yield lambda seconds: runner.run(_bulk(clients[0], case, seconds))


async def _echoes(clients: Sequence[Client], seconds: float) -> Load:
    """One message in flight on each."""
    latencies: list[float] = []
    begin = time.perf_counter()

    async def keep_busy(client: Client) -> None:
        sent = time.perf_counter()

        def take(frame: Frame) -> bool:
            nonlocal sent
            compare(frame, ECHO)
            now = time.perf_counter()
            latencies.append(now - sent)
            if now - begin >= seconds:
                return True
            sent = now
            client.transport.write(_ECHO)
            return False

        client.transport.write(_ECHO)
        await client.until(take)

    async with asyncio.timeout(seconds + _PATIENCE):
        await asyncio.gather(*map(keep_busy, clients))
    return _load(len(latencies), time.perf_counter() - begin, latencies)


async def _bulk(client: Client, case: Case, seconds: float) -> Load:
    """Whole transfers, one after the other, until the time is over. The latencies are theirs."""
    transfer = client.send if case.name == "up" else client.fetch
    latencies: list[float] = []
    begin = now = time.perf_counter()
    async with asyncio.timeout(seconds + _PATIENCE):
        while not latencies or now - begin < seconds:
            await transfer(case.size)
            latencies.append(time.perf_counter() - now)
            now += latencies[-1]
    return _load(len(latencies) * case.size / MIB, now - begin, latencies)


def _load(units: float, seconds: float, latencies: list[float]) -> Load:
    latencies.sort()
    last = len(latencies) - 1
    return Load(units, seconds, p50=latencies[last // 2], p99=latencies[round(last * 0.99)], trouble="")


WEBSOCKETS = Generator(check, ready)
