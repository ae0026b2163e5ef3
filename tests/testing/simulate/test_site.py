"""What can be composed for a simulation: the upstream with its options, members that come and go, filters, observers'
events."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from revproxy import Component, Exchange, Handler, Pipeline, Response, SlowStart
from revproxy.affinity import CookieAffinity
from revproxy.balancers import P2C, Maglev, RoundRobin
from revproxy.errors import ConnectFailed
from revproxy.events import Event
from revproxy.testing.simulate import REFUSED, Make, Server, Site, constant, evenly, exponential, failing, simulate

ROUND_ROBIN: Make = lambda clock, rng: RoundRobin()  # noqa: E731
EVEN = Server(service=constant(0.01))


def test_joins_and_leaves() -> None:
    """A server is a member between its times, and nothing is lost when it leaves."""
    guest = Server(service=constant(0.5), joins=10, leaves=20)
    run = simulate(ROUND_ROBIN, [EVEN, guest], arrivals=evenly(100), seconds=30)
    assert [run.between(start, start + 10).servers[1].requests for start in (0, 10, 20)] == [0, 500, 0]
    assert run.failures == 0


def test_slow_start() -> None:
    """What joins gets a growing share, as the upstream has it."""
    run = simulate(
        ROUND_ROBIN,
        [EVEN, Server(service=constant(0.01), joins=10)],
        arrivals=evenly(1000),
        seconds=30,
        compose=lambda site: site.upstream(slow_start=SlowStart(window=10)),
    )
    shares = [run.between(at, at + 1).servers[1].requests / 500 for at in (10, 12, 15, 18, 25)]
    assert shares == pytest.approx([0.1, 0.25, 0.55, 0.85, 1.0], abs=0.07)


def test_clients_that_stay() -> None:
    """When one of ten leaves, a tenth of the clients goes elsewhere by Maglev's table, and nearly everybody by turns;
    without a change nobody does."""
    servers = [*[Server(service=exponential(0.01))] * 9, Server(service=exponential(0.01), leaves=20)]
    maglev: Make = lambda clock, rng: Maglev(rng=rng)  # noqa: E731
    run = simulate(maglev, servers, rate=200, seconds=40, keys=range(500))
    assert run.disruption == pytest.approx(0.1, abs=0.04)
    assert run.between(0, 20).disruption == 0
    assert simulate(ROUND_ROBIN, servers, rate=200, seconds=40, keys=range(500)).disruption > 0.95


class _Again(Component):
    """Tries once more, after a while, what could not be sent; the kind of filter that is simulated."""

    def __init__(self, site: Site) -> None:
        self._clock = site.clock

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        try:
            return await handler(exchange)
        except ConnectFailed:
            await self._clock.sleep(0.25)
            return await handler(exchange)


def test_a_filter_around_it() -> None:
    """What stands around the upstream runs on virtual time, and its second attempts are seen."""
    servers = [Server(service=constant(0.1), fails=failing(REFUSED)), EVEN]
    run = simulate(
        ROUND_ROBIN,
        servers,
        arrivals=evenly(1),
        requests=10,
        compose=lambda site: Pipeline(_Again(site), handler=site.upstream()),
    )
    assert (run.failures, run.attempts) == (0, 20)
    assert [each.requests for each in run.servers] == [10, 10]
    assert run.servers[0].failures == 10
    assert run.percentile(100) == pytest.approx(0.26)
    assert [each.started for each in run.outcomes[0].attempts] == pytest.approx([1.0, 1.25])


@dataclass(frozen=True, slots=True)
class _Rang(Event):
    def __str__(self) -> str:
        return f"{self.source}: rang"


class _Bell(Component):
    """Tells something after five seconds, and was started and stopped."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.stopped = False

    async def start(self) -> None:
        self._site.clock.call_later(5, lambda: self.tell(_Rang("bell")))

    async def stop(self) -> None:
        self.stopped = True

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        return handler(exchange)


def test_events() -> None:
    """What components tell is kept, with its time; they are started, and stopped in the end."""
    bells: list[_Bell] = []

    def compose(site: Site) -> Handler:
        bells.append(_Bell(site))
        return Pipeline(bells[0], handler=site.upstream())

    run = simulate(ROUND_ROBIN, [EVEN], arrivals=evenly(1), requests=10, compose=compose)
    assert run.events == [(5.0, _Rang("bell"))]
    assert run.between(0, 5).events == []
    assert bells[0].stopped


def test_affinity() -> None:
    """Clients keep the cookies that they are given, so affinity is simulated as it is: everybody stays where he is, but
    for who asks again before he has his cookie, and when one of five servers leaves, its clients alone go elsewhere."""
    servers = [*[Server(service=exponential(0.01))] * 4, Server(service=exponential(0.01), leaves=20)]

    def compose(site: Site) -> Handler:
        return site.upstream(affinity=CookieAffinity(bytes(32), clock=site.clock))

    p2c: Make = lambda clock, rng: P2C(rng=rng)  # noqa: E731
    run = simulate(p2c, servers, rate=100, seconds=40, keys=range(200), compose=compose)
    assert run.between(0, 20).disruption <= 0.01
    gone = {each.client for each in run.between(0, 20).outcomes if each.attempts[0].endpoint.name == "http://4.test"}
    assert run.disruption == pytest.approx(len(gone) / 200, abs=0.02)
    assert 20 < len(gone) < 60


def test_one_upstream() -> None:
    """There is one, and where servers come and go there must be one."""

    async def nothing(exchange: Exchange) -> Response:
        return Response(204)

    def twice(site: Site) -> Handler:
        site.upstream()
        return site.upstream()

    with pytest.raises(ValueError, match="has one already"):
        simulate(ROUND_ROBIN, [EVEN], rate=1, compose=twice)
    with pytest.raises(ValueError, match="compose: servers join and leave"):
        simulate(ROUND_ROBIN, [EVEN, Server(service=constant(1), leaves=5)], rate=1, compose=lambda site: nothing)
    run = simulate(ROUND_ROBIN, [EVEN], rate=1, requests=3, compose=lambda site: nothing)
    assert ([each.status for each in run.outcomes], run.attempts) == ([204] * 3, 0)


def test_the_last_one_leaves() -> None:
    """An upstream without members is none: that ends the simulation."""
    with pytest.raises(ValueError, match="at least one"):
        simulate(ROUND_ROBIN, [Server(service=constant(1), leaves=5)], rate=10)


def test_it_shows_itself() -> None:
    """The balancer, how many servers, and the time."""
    shown: list[str] = []

    def compose(site: Site) -> Handler:
        shown.extend([repr(site), repr(site.transport), repr(next(iter(site.hosts.values())))])
        return site.upstream()

    simulate(lambda clock, rng: P2C(rng=rng), [EVEN] * 2, rate=1, requests=1, compose=compose)
    assert shown == [
        "<Site P2C() of 2 servers at 0 s>",
        "<Wire to 2 servers>",
        "<Host http://0.test serves=0 waiting=0>",
    ]
