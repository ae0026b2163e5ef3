"""Runs a simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from random import Random
from typing import Any, TypeAlias

from ...balancers import Balancer
from ...clock import Clock
from ...errors import InternalError, ProxyError
from ...events import Event
from ...handler import Handler, running
from .arrivals import Arrivals, poisson
from .clients import Asks, Client, clients
from .result import Outcome, Simulation, served
from .server import Server
from .site import Site
from .virtual import VirtualClock, VirtualLoop

__all__ = ["Compose", "Make", "simulate"]

Make: TypeAlias = Callable[[Clock, Random], Balancer]
"""Makes the balancer, with the simulation's time and chance:
``lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng)``."""

Compose: TypeAlias = Callable[[Site], Handler]
"""Makes what answers, around ``site.upstream()``: ``lambda site: Pipeline(mine, handler=site.upstream())``."""

_REQUESTS = 20_000


def simulate(
    make: Make,
    servers: Sequence[Server],
    *,
    rate: float | None = None,
    arrivals: Arrivals | None = None,
    requests: int | None = None,
    seconds: float | None = None,
    keys: Sequence[Hashable] | None = None,
    asks: Asks | None = None,
    timeout: float | None = None,
    compose: Compose = Site.upstream,
    seed: int = 1,
) -> Simulation:
    """Send requests to ``servers`` by an ``Upstream`` with the balancer that ``make`` makes.

    ``rate``, ``arrivals``
        When requests arrive: ``rate`` a second on average, at times that know nothing of each other (a Poisson
        process); or at the times that ``arrivals`` gives.
    ``requests``, ``seconds``
        How many there are, and until when they arrive: whatever comes first. By default 20,000.
    ``keys``, ``asks``
        Who asks, evenly at random, for balancers that choose by the client: each is an address of its own, and keeps
        its cookies. Or a function that makes each request, for what a filter would have found out
        (``exchange[PLACE]``).
    ``timeout``
        Seconds that an attempt waits for its answer; then it is a ``ResponseTimeout``.
    ``compose``
        What answers; by default the upstream as it is: ``lambda site: site.upstream(slow_start=SlowStart())``. Its
        components are started, and stopped in the end.

    What runs is the library itself, the upstream's limits, slow start and membership included, on an event loop with
    virtual time. The same ``seed`` is the same simulation; another balancer meets the same arrivals. (In another
    process only with the same ``PYTHONHASHSEED``, where clients are told apart by their hashes, as circuit breakers
    do.) Twenty thousand requests take less than a second.

    Raises ``ValueError`` for what cannot be simulated, ``RuntimeError`` where requests wait for ever, and whatever the
    code that is simulated raises, but for a ``ProxyError``: that is a request that failed.
    """
    if all(each.joins for each in servers):
        raise ValueError("servers: one must be there from the start, with joins=0")
    if arrivals is not None and rate is None:
        load = arrivals
    elif rate is not None and arrivals is None:
        load = poisson(rate)
    else:
        raise ValueError(f"rate: either it or arrivals must be given, got {rate} and {arrivals}")
    if requests is not None and requests < 1:
        raise ValueError(f"requests must be at least 1, got {requests}")
    for name, value in (("seconds", seconds), ("timeout", timeout)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")
    if keys is not None and (asks is not None or not keys):
        raise ValueError("keys: there must be some, or asks instead of them")
    if requests is None and seconds is None:
        requests = _REQUESTS
    crowd = clients(keys) if keys is not None else ()

    def play() -> Simulation:
        loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            clock = VirtualClock(loop)
            chance = Random(seed + 4), Random(seed + 2)
            site = Site(make(clock, Random(seed + 1)), servers, loop, clock, chance=chance, timeout=timeout)
            times, until = load(Random(seed)), float("inf") if seconds is None else seconds
            run = _Run(loop, islice(times, requests), until, crowd, asks, Random(seed + 3))
            return runner.run(run.play(site, compose))

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return play()
    with ThreadPoolExecutor(1) as thread:  # a thread has one loop at a time
        return thread.submit(play).result()


class _Run:
    """One run: lets requests arrive, and notes what becomes of them."""

    def __init__(
        self,
        loop: VirtualLoop,
        times: Iterator[float],
        until: float,
        crowd: Sequence[Client],
        asks: Asks | None,
        rng: Random,
    ) -> None:
        self._loop = loop
        self._times = times
        self._until = until
        self._crowd = crowd
        self._anybody = Client("192.0.2.1")
        self._asks = asks
        self._rng = rng
        self._open = True
        self._over: asyncio.Future[None] = loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._events: list[tuple[float, Event]] = []

    async def play(self, site: Site, compose: Compose) -> Simulation:
        handler = self._handler = compose(site)
        site.check()
        self._loop.set_exception_handler(self._broken)
        async with running(handler, (self._happened,)):
            self._next(0.0)
            await self._over
            seconds = self._loop.time()
        self._outcomes.sort(key=lambda each: each.at)
        most = {endpoint: host.most for endpoint, host in site.hosts.items()}
        return Simulation(served(most, self._outcomes), self._outcomes, seconds, self._events)

    def _next(self, before: float) -> None:
        """Have the next request arrive, if there is another."""
        at = next(self._times, None)
        if at is None or at >= self._until:
            self._open = False
            self._check()
        elif at >= before:
            self._loop.call_at(at, self._arrive, at)
        else:
            raise ValueError(f"arrivals: times must be in order, from 0 on, got {at} after {before}")

    def _arrive(self, at: float) -> None:
        task = self._loop.create_task(self._ask(at))
        self._tasks.add(task)
        task.add_done_callback(self._left)
        self._next(at)

    async def _ask(self, at: float) -> None:
        """One request, from its arrival to its end."""
        client = self._rng.choice(self._crowd) if self._crowd else None
        exchange = (client or self._anybody).ask(at) if self._asks is None else self._asks(self._rng, at)
        exchange.started = at
        status: int | None = None
        failure: ProxyError | None = None
        try:
            response = await self._handler(exchange)
            status = response.status
            if client is not None:
                client.told(response)
            response.body.close()
        except InternalError:
            raise
        except ProxyError as error:
            failure = error
        finally:
            exchange.finish()
        who = str(exchange.inbound.client) if client is not None or self._asks is not None else None
        took = self._loop.time() - at
        self._outcomes.append(Outcome(at, took, who, tuple(exchange.attempts), status, failure))

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)
        self._check()

    def _check(self) -> None:
        if not self._open and not self._tasks and not self._over.done():
            self._over.set_result(None)

    def _happened(self, event: Event) -> None:
        self._events.append((self._loop.time(), event))

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._fail(context.get("exception") or RuntimeError(context["message"]))

    def _fail(self, error: BaseException) -> None:
        """What is simulated has an error of its own: that is the end of the simulation."""
        if not self._over.done():
            self._over.set_exception(error)
