"""The table of docs/how-to/staying-up.md: each of its rows is run, without and with what keeps a proxy up."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from revproxy import Endpoint, Filter, Pipeline, ProxyHandler, Timeouts, Upstream, respond
from revproxy.balancers import First
from revproxy.events import Event
from revproxy.filters import CircuitBreaker, ConcurrencyLimit, Deadline, Fallback, Retry
from revproxy.health import ActiveHealth, HealthPolicy, OutlierDetection, Trip
from revproxy.limiters import RetryBudget
from revproxy.testing import FakeUpstream, Step, raw, reset, stall, truncate
from revproxy.testing import respond as answers

from .seen import Seen
from .wire import GET, Site, serving

PAGE = Path(__file__).parents[2] / "docs/how-to/staying-up.md"
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
HALF = POST.replace(b"2\r\n\r\nhi", b"20\r\n\r\nhi")
NOTHING = "–"


def rows() -> dict[str, tuple[str, str, str, str]]:
    """What the page says: without, with, error, event."""
    table = PAGE.read_text().split("<!-- faults:begin -->")[1].split("<!-- faults:end -->")[0]
    found = {}
    for line in table.strip().splitlines()[2:]:
        title, *told = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        found[title.replace("`", "")] = tuple(told)
    return found  # type: ignore[return-value]


class Noted(Seen):
    """Keeps the names of events, too."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def happened(self, event: Event) -> None:
        self.events.append(type(event).__name__)
        self._notify()


@dataclass
class Fault:
    """What the first server does; or both are down; and what is asked."""

    script: tuple[Step, ...] = ()
    request: bytes = GET
    all_down: bool = False
    known: bool = False
    part: Callable[[], Filter] | None = None
    """What the row is about, where that is not all of it."""
    asks: int = 8


async def down(endpoint: Endpoint) -> bool:
    return False


def circuit() -> Filter:
    return CircuitBreaker(Trip(least=2))


def broke() -> Filter:
    return Retry(budget=RetryBudget(0, reserve=0))


FAULTS = {
    "a server refuses connections": Fault(),
    "a server resets a connection before it answers": Fault((reset(),)),
    "the same, to a POST": Fault((reset(),), POST),
    "a server takes requests and never answers": Fault((stall(),)),
    "a server answers 500": Fault((answers(500),)),
    "a server answers what is no HTTP": Fault((raw(b"SSH-2.0-x\r\n\r\n"),)),
    "a body breaks off": Fault((truncate(50, of=100),)),
    "all servers refuse connections": Fault(all_down=True, asks=30),
    "all servers are known to be down": Fault(known=True),
    "a circuit is open": Fault(part=circuit),
    "more requests than the limit lets through": Fault((stall(),), part=lambda: ConcurrencyLimit(1, queue=0)),
    "the retry budget is spent": Fault((reset(),), part=broke),
    "the client stops in the middle of its request": Fault((answers(200),), HALF, part=lambda: Deadline(0.1)),
    "the client goes away": Fault((stall(),), part=lambda: Deadline(5.0)),
}


def composed(upstream: Upstream) -> Pipeline:
    """As the page has it, with times that a test has."""
    return Pipeline(
        Deadline(5.0),
        Fallback(respond(503, "Back in a minute.\n")),
        ConcurrencyLimit(500),
        CircuitBreaker(Trip(least=20)),
        Retry(attempts=2, per_try=0.05, base=0.001),
        handler=upstream,
    )


@asynccontextmanager
async def the_site(fault: Fault, *, whole: bool, noted: Noted) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        bad, good = [await stack.enter_async_context(FakeUpstream()) for _ in range(2)]
        stack.callback(bad.release)
        stack.callback(bad.errors.clear)
        bad.always(*fault.script)
        if not fault.script:
            await bad.stop()
        if fault.all_down:
            await good.stop()
        health: Sequence[HealthPolicy] = [OutlierDetection(max_ejected=0.4)] if whole else []
        if fault.known:
            health = [ActiveHealth(down, fall=1)]
        is_alone = not whole and not fault.all_down and not fault.known
        upstream = Upstream(
            *([bad.url] if is_alone or fault.part else [bad.url, good.url]),
            name="api",
            balancer=First(),
            health=health,
            panic=0.0 if fault.known else 0.5,
            timeouts=Timeouts(head=0.05 if not fault.part else 5.0),
        )
        handler = composed(upstream) if whole else upstream
        if fault.part is not None:
            handler = Pipeline(fault.part(), handler=upstream)
        yield await stack.enter_async_context(serving(ProxyHandler(handler, observers=[noted])))


async def one(site: Site, request: bytes) -> str:
    """What a client is told: a status, or that the answer was cut."""
    async with site.connect() as client:
        await client.send(request)
        try:
            return str((await client.final()).status)
        except EOFError:
            return "cut"


async def play(title: str, fault: Fault, *, whole: bool) -> tuple[str, Noted]:
    """What the first client is told; of the circuit and of the limit, the last. And what is told of it."""
    noted = Noted()
    async with the_site(fault, whole=whole, noted=noted) as site:
        if title == "the client goes away":
            async with site.connect() as client:
                await client.send(GET)
                await noted.tried()
                client.reset()
            await noted.over()
            return NOTHING, noted
        if title == "more requests than the limit lets through":
            async with site.connect() as client:
                await client.send(GET)
                await noted.tried()
                return await one(site, GET), noted
        if fault.known:
            await noted.until(lambda seen: noted.events.count("EndpointEjected") == 2)
        said = [await one(site, fault.request) for _ in range(fault.asks)]
        return said[-1] if title == "a circuit is open" else said[0], noted


def test_all_rows() -> None:
    """There is no row that is not run, and none that is run and not there."""
    assert list(rows()) == list(FAULTS)


@pytest.mark.parametrize("title", FAULTS)
async def test_row(title: str, caplog: pytest.LogCaptureFixture) -> None:
    """What the page says: what a client is told without and with it, which error stands in the log, which event."""
    caplog.set_level(logging.INFO, "revproxy.error")
    caplog.set_level(logging.INFO, "revproxy.event")
    without, with_it, error, event = rows()[title]
    said, noted = await play(title, FAULTS[title], whole=False)
    logged = [record.getMessage().split(":")[0] for record in caplog.records if record.name == "revproxy.error"]
    assert said == without
    assert {type(each).__name__ for each in noted.errors} == set(logged)
    assert error in logged if error != NOTHING else not logged
    if FAULTS[title].part is None:
        said, noted = await play(title, FAULTS[title], whole=True)
    assert said == with_it
    assert (event in noted.events) if event != NOTHING else not noted.events
