"""The command ``python -m tests.benchmarks.membership``: all servers are replaced, again and again, under load.

A proxy in a process of its own, before it ``wrk`` at full speed, behind it servers on ports of their own. Each time a
whole new set of servers is started, the upstream's endpoints are replaced by these, and when nothing is in flight any
more to the old ones they are ended, sockets and all: a request that came to them after that would fail. It ends with 1
if any did, by what ``wrk`` counts, or if a set got no request.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession

from .cases import CASES, body_of
from .children import end_on_signals
from .load import COUNTS, Load, LoadFailed, put_load, require_wrk
from .subjects import LOOPS, NotPresent, Subject, python_program, start
from .table import Table
from .terminal import progress, some_of

CASE = next(each for each in CASES if each.name == "small")
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (CASE.size, body_of(CASE))


class Servers:
    """A set of servers that answer every request with the same bytes."""

    def __init__(self) -> None:
        self.requests = 0
        self.open: set[asyncio.BaseTransport] = set()
        self._listening: list[asyncio.Server] = []

    @classmethod
    async def started(cls, count: int) -> Servers:
        self, loop = cls(), asyncio.get_running_loop()
        for _ in range(count):
            self._listening.append(await loop.create_server(lambda: _Answers(self), "127.0.0.1", 0, backlog=1024))
        return self

    @property
    def ports(self) -> list[int]:
        return [each.sockets[0].getsockname()[1] for each in self._listening]

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def end(self) -> None:
        """At once: nothing listens any more, and what is connected is cut."""
        for each in self._listening:
            each.close()
        for transport in self.open:
            transport.close()


class _Answers(asyncio.Protocol):
    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]  # of sockets, all are
        self._servers.open.add(transport)

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._servers.requests += len(heads)
        self._transport.write(_ANSWER * len(heads))

    def connection_lost(self, error: Exception | None) -> None:
        self._servers.open.discard(self._transport)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went."""

    load: Load
    replaced: int
    """How often the whole set was, while the load was on."""
    served: list[int]
    """The requests of each set that was replaced."""
    drains: list[float]
    """Seconds until nothing was in flight any more to each."""

    @property
    def failures(self) -> list[str]:
        found = [self.load.trouble] if self.load.trouble else []
        if not all(self.served):
            found.append(f"{self.served.count(0)} sets of servers got no request")
        return found


async def replace_under_load(
    loop: str, directory: Path, *, times: int, seconds: float, servers: int, stack: ExitStack
) -> Outcome:
    """Replace all servers so many ``times`` within so many ``seconds`` of load, and a little before and after."""
    current = await Servers.started(servers)
    subject = Subject("replaced", "revproxy", python_program("replaced", loop), loop)
    running = await asyncio.to_thread(start, subject, directory, current.ports[0], stack)
    control = f"http://127.0.0.1:{running.port}/-/endpoints"
    served, drains, replaced = list[int](), list[float](), 0
    async with ClientSession() as client:

        async def replace(new: Servers) -> float:
            began = time.perf_counter()
            async with client.put(control, json=new.urls) as response:
                response.raise_for_status()
            return time.perf_counter() - began

        await replace(current)
        current.requests = 0
        load = asyncio.create_task(asyncio.to_thread(put_load, running.port, CASE, seconds))
        began, pause = time.monotonic(), seconds / (times + 2)
        for number in range(times):
            progress(f"{subject.key}: {number + 1} of {times}")
            await asyncio.sleep(max(began + (number + 1) * pause - time.monotonic(), 0))
            new = await Servers.started(servers)
            drains.append(await replace(new))
            served.append(current.requests)
            current.end()
            current = new
            if load.done():
                break
            replaced += 1
        result = await load
    current.end()
    running.child.stop()
    return Outcome(result, replaced, served, drains)


def main() -> int:
    options = _options()
    require_wrk()
    end_on_signals()
    title = f"All of {options.servers} servers replaced under load, {CASE.connections} connections"
    columns = ["", "replaced", "requests", "req/s", "p99 ms", "least of a set", "longest drain ms"]
    table = Table(title, [*columns, *(f"{name} errors" for name in COUNTS), "not 2xx"])
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="revproxy-membership-") as name, ExitStack() as stack:
        for loop in options.loops:
            try:
                outcome = asyncio.run(
                    replace_under_load(
                        loop,
                        Path(name),
                        times=options.times,
                        seconds=options.seconds,
                        servers=options.servers,
                        stack=stack,
                    )
                )
            except (NotPresent, LoadFailed) as error:
                failures.append(f"{loop}: {error}")
                continue
            failures += [f"{loop}: {failure}" for failure in outcome.failures]
            if outcome.replaced < options.times:
                failures.append(f"{loop}: replaced {outcome.replaced} times only, for the load was over")
            table.rows.append(_row(loop, outcome))
    progress("")
    print(table.markdown() if options.markdown else table.text())
    print("\n" + ("\n".join(failures) if failures else "No failed request."))
    return 1 if failures else 0


def _row(loop: str, outcome: Outcome) -> list[str]:
    load = outcome.load
    return [
        f"revproxy, {loop}",
        f"{outcome.replaced} times",
        f"{load.requests:,.0f}",
        f"{load.requests / load.seconds:,.0f}",
        f"{1e3 * load.p99:.1f}",
        f"{min(outcome.served):,}",
        f"{1e3 * max(outcome.drains):.1f}",
        *(str(load.counts[name]) for name in (*COUNTS, "status")),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.membership",
        description="Replaces all servers of an upstream, again and again, under load; not one request may fail.",
    )
    parser.add_argument("--times", type=int, default=100, help="how often all are replaced (default 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load (default 20)")
    parser.add_argument("--servers", type=int, default=3, help="at a time (default 3)")
    parser.add_argument("--loops", type=some_of(LOOPS), default=LOOPS, help="default uvloop,asyncio")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    if options.times < 1 or options.seconds <= 0 or options.servers < 1:
        parser.error("--times, --seconds and --servers must be above 0")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
