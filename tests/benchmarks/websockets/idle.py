"""Memory: what many WebSockets cost a proxy that have been used once, and then are quiet."""

from __future__ import annotations

import asyncio
import resource

from ..children import StartFailed
from ..cpu import family, memory
from ..load import LoadFailed
from ..subjects import Running
from .cases import ECHO
from .load import connected, echo_once

_SPARE = 500
"""Files that a process has open besides."""


def allow_open_files(sockets: int) -> None:
    """Two for each WebSocket is what a proxy needs. Our own limit, which those whom we start inherit."""
    needed = 2 * sockets + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(
            f"{sockets} idle WebSockets take {needed} open files in one process, and the hard limit is {hard}: "
            "raise it (ulimit -Hn), or ask for fewer (--sockets)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == resource.RLIM_INFINITY else hard, hard))


def idle_memory(running: Running, sockets: int, settle: float) -> float:
    """Bytes of resident memory that one more takes. Raises ``LoadFailed`` or ``StartFailed``."""
    pids = family(running.child.pid)
    with connected(running.port, "/echo", 1) as (runner, clients):
        runner.run(echo_once(clients, ECHO))  # what only the first one takes is not counted
    before = memory(pids).resident
    with connected(running.port, "/echo", sockets) as (runner, clients):
        runner.run(echo_once(clients, ECHO))
        runner.run(asyncio.sleep(settle))
        if not running.child.alive:
            raise StartFailed(f"it ended: {running.child.last_words()}")
        after = memory(pids).resident
        if lost := sum(client.transport.is_closing() for client in clients):
            raise LoadFailed(f"{lost} of {sockets} were closed")
    return (after - before) / sockets
