"""What the tests of the probes share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from revproxy import Endpoint
from revproxy.health import ActiveHealth, Eject, Probe, Restore, Verdict
from revproxy.testing import FakeClock

PATIENCE = 10.0
"""Seconds after which a test that waits in vain fails."""


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    """The ``https`` URL of a server that knows no TLS: to whoever connects it says ``data``, whatever he wants."""
    accepted: list[socket.socket] = []

    def accept() -> None:
        peer, _ = listener.accept()
        accepted.append(peer)
        peer.sendall(data)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, accept)
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            loop.remove_reader(listener)
            for peer in accepted:
                peer.close()


async def ask(probe: Probe, endpoint: str | Endpoint) -> None:
    """One probe, as ``ActiveHealth`` makes it, but for the time."""
    if isinstance(endpoint, str):
        endpoint = Endpoint(endpoint)
    async with asyncio.timeout(PATIENCE):
        assert await probe(endpoint) is None


async def found(probe: Probe, endpoint: str | Endpoint, *, late: bool = False) -> str:
    """What ``ActiveHealth`` finds out with ``probe``: why an endpoint is ejected, or nothing if it is well. ``late``:
    its time-out has passed. All its tasks have ended by then."""
    if isinstance(endpoint, str):
        endpoint = Endpoint(endpoint)
    clock = FakeClock()
    said: list[Verdict] = []
    heard = asyncio.Event()

    def take(verdict: Verdict) -> None:
        said.append(verdict)
        heard.set()

    health = ActiveHealth(probe, interval=60, timeout=30, fall=1, jitter=0, clock=clock)
    health.bind((endpoint,), take)
    await health.start()
    clock.advance(0)
    async with asyncio.timeout(PATIENCE):
        if late:
            await asyncio.sleep(0)
            clock.advance(30)
        await health.ready((endpoint,))
    await health.stop()
    assert not [each for each in asyncio.all_tasks() if (each.get_name() or "").startswith("probe of")]
    verdict = said[-1]
    assert not isinstance(verdict, Restore) or not verdict.overrules
    return verdict.why if isinstance(verdict, Eject) else ""
