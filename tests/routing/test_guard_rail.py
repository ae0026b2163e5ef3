"""A lane that is worse than the stable one is closed, soundly and with a reason; whatever is not its fault does not
close it. All chance is seeded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from revproxy import Exchange, Observer, ProxyError, ProxyHandler, Response, Upstream
from revproxy.balancers import keys
from revproxy.errors import (
    BadRequest,
    ClientDisconnected,
    ConnectFailed,
    Drop,
    InternalError,
    Interrupted,
    NoEndpoint,
    NoRoute,
    Truncated,
)
from revproxy.events import Event
from revproxy.handler import running
from revproxy.routing import LANE, GuardRail, Lane, LaneClosed, LaneReopened, Split
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, reset

from ..e2e.wire import GET, serving


class Site:
    """A stable lane and a canary, whose answers tests choose: a status or an error, and how long it takes."""

    def __init__(self, guard: GuardRail, *, seed: int = 1, weights: tuple[int, int] = (80, 20)) -> None:
        self.rng = Random(seed)
        self.clock = FakeClock()
        self.answers: dict[str, Callable[[], int | Exception]] = {"stable": lambda: 200, "canary": lambda: 200}
        self.seconds: dict[str, Callable[[], float]] = {"stable": lambda: 0.01, "canary": lambda: 0.01}
        self.ends: Callable[[Exchange], object] = lambda exchange: None
        self.events: list[Event] = []
        lanes = [Lane(name, self.handler(name), weight) for name, weight in zip(self.answers, weights, strict=True)]
        self.split = Split(*lanes, key=keys.header("X-User"), guard=guard, clock=self.clock, rng=self.rng)
        self.split._listeners = (self.events.append,)

    def handler(self, name: str) -> Any:
        async def answer(exchange: Exchange) -> Response:
            self.clock.advance(self.seconds[name]())
            given = self.answers[name]()
            if isinstance(given, int):
                return Response(given)
            raise given

        return answer

    async def ask(self, count: int = 1) -> None:
        """So many requests, until the canary is closed."""
        for _ in range(count):
            if self.closed is not None:
                return
            asked = exchange()
            try:
                await self.split(asked)
            except ProxyError as error:
                asked.error = error
            self.ends(asked)
            asked.finish()

    @property
    def closed(self) -> LaneClosed | None:
        return self.split.closed.get("canary")


RAIL = GuardRail(stable="stable", canary="canary")


def rate(rng: Random, share: float, bad: int | Exception = 500) -> Callable[[], int | Exception]:
    return lambda: bad if rng.random() < share else 200


# It closes.


async def test_a_canary_that_always_fails() -> None:
    """It is closed after a dozen of its requests, with an event that has the figures; its clients go to the stable
    lane with their next request."""
    site = Site(RAIL)
    site.answers["canary"] = lambda: 503
    await site.ask(1_000)
    event = site.closed
    assert event is not None
    assert site.events == [event]
    assert (event.source, event.lane, event.stable, event.measure) == ("split", "canary", "stable", "errors")
    assert event.bad == event.count <= 15
    assert event.stable_bad == 0
    assert event.stable_count >= 20
    assert event.level == logging.WARNING
    assert site.split.weights == {"stable": 80, "canary": 0}
    assert f"lane canary is closed: 100 % ({event.count} of {event.count}) of its requests failed, 0 % (0 of" in str(
        event
    )
    assert "canary: 0 (closed)" in repr(site.split)
    for user in range(200):
        asked = exchange(headers={"X-User": str(user)})
        assert (await site.split(asked)).status == 200
        assert asked[LANE] == "stable"


@pytest.mark.parametrize(
    ("more", "most"), [(0.5, 300), (0.1, 3_000), (0.05, 8_000)], ids=["half", "a tenth", "a twentieth"]
)
async def test_a_canary_that_fails_more_often(more: float, most: int) -> None:
    """The less it is worse, the longer it takes; but a declared degradation is found within a bounded number of
    requests."""
    for seed in range(5):
        site = Site(RAIL, seed=seed)
        site.answers = {"stable": rate(site.rng, 0.005), "canary": rate(site.rng, 0.005 + more)}
        await site.ask(most)
        assert site.closed is not None
        assert site.closed.measure == "errors"


@pytest.mark.parametrize(("factor", "most"), [(10.0, 1_500), (3.0, 4_000)])
async def test_a_canary_that_is_slow(factor: float, most: int) -> None:
    """One whose answers take longer by more than the factor is closed, and the event says above what time."""
    for seed in range(5):
        site = Site(RAIL, seed=seed)
        site.seconds = {
            "stable": lambda site=site: site.rng.expovariate(100),  # type: ignore[misc]
            "canary": lambda site=site: factor * site.rng.expovariate(100),  # type: ignore[misc]
        }
        await site.ask(most)
        assert site.closed is not None
        assert site.closed.measure == "latency"
        assert site.closed.slow == pytest.approx(1.5 * (site.closed.stable_slow or 0))
        assert site.closed.stable_slow == pytest.approx(0.03, rel=0.5)  # 95 % of these stay within 30 ms
        assert "of its requests took over" in str(site.closed)


async def test_a_canary_that_hangs() -> None:
    """One that never answers is closed by the clients that leave: what they do does not count, but how long they have
    waited does."""
    site = Site(GuardRail(stable="stable"))
    site.seconds["canary"] = lambda: 10.0
    site.answers["canary"] = lambda: ClientDisconnected("tired of waiting")
    await site.ask(1_000)
    assert site.closed is not None
    assert site.closed.measure == "latency"


# It does not.


@pytest.mark.parametrize("seed", range(4))
async def test_lanes_that_are_alike(seed: int) -> None:
    """A canary with the error rate and the response times of the stable lane stays open."""
    site = Site(RAIL, seed=seed, weights=(1, 1))
    for name in site.answers:
        site.answers[name] = rate(site.rng, 0.02)
        site.seconds[name] = lambda: site.rng.lognormvariate(-4, 1)
    await site.ask(6_000)
    assert site.closed is None


async def test_false_alarms() -> None:
    """Of lanes that are alike, looked at after every request, no more are closed than ``significance`` says."""
    rail = GuardRail(stable="stable", errors=0.0, latency=1.0, slack=0.0, significance=0.2, minimum=1)
    closed = 0
    for seed in range(40):
        site = Site(rail, seed=seed, weights=(1, 1))
        for name in site.answers:
            site.answers[name] = rate(site.rng, 0.1)
            site.seconds[name] = lambda site=site: site.rng.expovariate(100)  # type: ignore[misc]
        await site.ask(600)
        closed += site.closed is not None
    assert closed <= 40 * 0.2


async def test_an_outage_behind_both() -> None:
    """When what both lanes need is down, and slow before that, the canary is not to blame."""
    site = Site(RAIL, weights=(9, 1))
    down = False
    for name in site.answers:
        site.answers[name] = lambda: 503 if down and site.rng.random() < 0.9 else 200
        site.seconds[name] = lambda: site.rng.expovariate(2 if down else 100)
    for number in range(20):
        down = number % 4 == 3
        await site.ask(400)
    assert site.closed is None


@pytest.mark.parametrize(
    "blameless",
    [
        BadRequest("the client's nonsense"),
        ClientDisconnected("gone"),
        Interrupted(),
        NoRoute("404"),
        Drop("by a policy"),
        404,
        499,
    ],
    ids=repr,
)
async def test_what_is_not_the_lanes_fault(blameless: int | Exception) -> None:
    """Law 10: what the client did never counts, nor what a policy has decided, nor the end of the server."""
    site = Site(RAIL)
    site.answers["canary"] = lambda: blameless
    await site.ask(2_000)
    assert site.closed is None


@pytest.mark.parametrize(
    "fault",
    [ConnectFailed("refused"), NoEndpoint("all full"), InternalError("a filter"), Truncated("x"), 500, 599],
    ids=repr,
)
async def test_what_is(fault: int | Exception) -> None:
    """Errors of the upstream and of the proxy count, and so do the statuses of failures."""
    site = Site(RAIL)
    site.answers["canary"] = lambda: fault
    await site.ask(1_000)
    assert site.closed is not None


@pytest.mark.parametrize(("error", "is_closed"), [(Truncated("cut"), True), (ClientDisconnected("gone"), False)])
async def test_in_the_middle_of_the_body(error: ProxyError, is_closed: bool) -> None:
    """How an exchange ends counts, not how its answer began; that the client left in the middle does not."""
    site = Site(RAIL)

    def end(asked: Exchange) -> None:
        if asked[LANE] == "canary":
            asked.error = error

    site.ends = end
    await site.ask(1_000)
    assert (site.closed is not None) is is_closed


async def test_a_client_that_leaves_after_a_failure() -> None:
    """A 500 is the lane's whether or not the client stayed for all of it."""
    site = Site(RAIL)
    site.answers["canary"] = lambda: 500

    def leave(asked: Exchange) -> None:
        if asked[LANE] == "canary":
            asked.error = ClientDisconnected("gone")

    site.ends = leave
    await site.ask(1_000)
    assert site.closed is not None


# As declared.


@pytest.mark.parametrize("failure", [[429, 503], lambda status: status in (429, 503)])
async def test_other_failures(failure: Any) -> None:
    """Which statuses are failures is a collection or a function."""
    rail = GuardRail(stable="stable", failure=failure)
    for status, is_closed in ((429, True), (500, False)):
        site = Site(rail)
        site.answers["canary"] = lambda status=status: status  # type: ignore[misc]
        await site.ask(1_000)
        assert (site.closed is not None) is is_closed


async def test_a_margin() -> None:
    """What is tolerated is: a canary that is worse by less stays open."""
    for errors, is_closed in ((0.3, False), (0.05, True)):
        site = Site(GuardRail(stable="stable", errors=errors, latency=None))
        site.answers["canary"] = rate(site.rng, 0.2)
        await site.ask(4_000)
        assert (site.closed is not None) is is_closed


async def test_a_minimum() -> None:
    """Nothing is decided before so many outcomes of the canary."""
    site = Site(GuardRail(stable="stable", minimum=200))
    asked = 0

    def fail() -> int:
        nonlocal asked
        asked += 1
        return 500

    site.answers["canary"] = fail
    await site.ask(5_000)
    assert site.closed is not None
    assert asked == 200


@pytest.mark.parametrize(("errors", "latency"), [(None, 1.5), (0.01, None)])
async def test_one_measure_alone(errors: float | None, latency: float | None) -> None:
    """What is not looked at closes nothing."""
    slow = Site(GuardRail(stable="stable", errors=errors, latency=latency))
    slow.seconds["canary"] = lambda: 1.0
    await slow.ask(2_000)
    assert (slow.closed is not None) is (latency is not None)
    failing = Site(GuardRail(stable="stable", errors=errors, latency=latency))
    failing.answers["canary"] = lambda: 500
    await failing.ask(2_000)
    assert (failing.closed is not None) is (errors is not None)


@pytest.mark.parametrize(("slack", "is_closed"), [(0.0, True), (0.002, True), (0.01, False)])
async def test_a_slack(slack: float, is_closed: bool) -> None:
    """Where answers take next to nothing, a multiple of that is still next to nothing: it must be slower by some time,
    too."""
    site = Site(GuardRail(stable="stable", slack=slack))
    site.seconds = {"stable": lambda: 0.001, "canary": lambda: 0.005}
    await site.ask(2_000)
    assert (site.closed is not None) is is_closed
    if site.closed is not None:
        assert site.closed.slow == pytest.approx(max(0.0015, 0.001 + slack))


async def test_several_canaries() -> None:
    """Each is compared with the stable lane by itself; those that no guard-rail names are let be."""

    def lane(name: str, status: int) -> Lane:
        async def answer(exchange: Exchange) -> Response:
            return Response(status)

        return Lane(name, answer)

    lanes = [lane("stable", 200), lane("good", 200), lane("bad", 500), lane("odd", 500)]
    split = Split(*lanes, guard=GuardRail(stable="stable", canary=["good", "bad"]), rng=Random(1), key=lambda _: None)
    for _ in range(400):
        asked = exchange()
        await split(asked)
        asked.finish()
    assert dict(split.weights) == {"stable": 1, "good": 1, "bad": 0, "odd": 1}
    assert set(split.closed) == {"bad"}


# Afterwards.


async def closed_site() -> Site:
    site = Site(RAIL)
    site.answers["canary"] = lambda: 500
    await site.ask(1_000)
    assert site.closed is not None
    return site


async def test_it_stays_closed_until_it_is_reopened() -> None:
    """The operator opens it again, with the weight that it had; what was known of it counts no more, and it is watched
    anew."""
    site = await closed_site()
    site.answers["canary"] = lambda: 200
    site.split.reopen("canary")
    assert not site.split.closed
    assert site.split.weights == {"stable": 80, "canary": 20}
    assert site.events[1:] == [LaneReopened("split", "canary", 20)]
    assert str(site.events[1]) == "split: lane canary is open again, with a weight of 20"
    await site.ask(2_000)
    assert not site.split.closed
    site.answers["canary"] = lambda: 500
    await site.ask(1_000)
    assert site.split.closed
    with pytest.raises(ValueError, match="'stable' was not closed"):
        site.split.reopen("stable")


async def test_by_a_weight() -> None:
    """A weight opens it, too; other weights may change meanwhile, and a weight of 0 leaves it closed."""
    site = await closed_site()
    site.split.weigh({"stable": 90, "canary": 0})
    assert site.split.closed
    site.split.weigh({"canary": 1})
    assert not site.split.closed
    assert site.events[1:] == [LaneReopened("split", "canary", 1)]
    assert site.split.weights == {"stable": 90, "canary": 1}


async def test_what_was_under_way() -> None:
    """An exchange that began before a lane was closed counts in no later trial of it."""
    site = Site(GuardRail(stable="stable", minimum=1))
    site.answers["canary"] = lambda: 500
    late: list[Exchange] = []
    while len(late) < 300:
        asked = exchange()
        await site.split(asked)
        if asked[LANE] == "canary":
            late.append(asked)
        else:
            asked.finish()
    site.split.weigh({"canary": 0})
    site.split.weigh({"canary": 20})
    for asked in late:
        asked.finish()
        one = exchange()
        site.answers["canary"] = lambda: 200
        await site.split(one)
        one.finish()
    assert site.closed is None


async def test_without_a_stable_lane() -> None:
    """While the stable lane has no weight there is nothing to compare with, so nothing is closed; the trial begins
    anew when it has one again."""
    site = Site(RAIL)
    site.answers["canary"] = lambda: 500
    site.split.weigh({"stable": 0})
    await site.ask(500)
    assert not site.split.closed
    assert "Trial" not in repr(site.split)
    site.split.weigh({"stable": 50})
    assert "Trial of canary" in repr(site.split)
    await site.ask(1_000)
    assert site.closed is not None


async def test_cancelled() -> None:
    """Law 10: a client that leaves while its request is under way costs the lane nothing, and the cancellation
    passes."""
    site = Site(RAIL)

    async def hang(exchange: Exchange) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    site.split = Split(Lane("stable", hang), Lane("canary", hang), guard=RAIL, clock=site.clock)
    for _ in range(100):
        asked = exchange()
        task = asyncio.ensure_future(site.split(asked))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        asked.error = ClientDisconnected("gone")
        asked.finish()
    assert not site.split.closed


# In a proxy.


async def test_in_a_proxy() -> None:
    """Over sockets: a canary that resets connections is closed, its observers are told, once, and no client sees a
    failure after that."""

    class Watcher(Observer):
        def __init__(self) -> None:
            self.seen: list[Event] = []

        def happened(self, event: Event) -> None:
            self.seen.append(event)

    watcher = Watcher()
    async with FakeUpstream() as good, FakeUpstream() as bad:
        bad.always(reset())
        split = Split(
            Lane("stable", Upstream(good.url, name="stable")),
            Lane("canary", Upstream(bad.url, name="canary")),
            key=lambda exchange: None,
            guard=GuardRail(stable="stable"),
            rng=Random(1),
            name="site",
        )
        async with serving(ProxyHandler(split, observers=[watcher])) as site, site.connect() as client:
            statuses = []
            while not split.closed:
                await client.send(GET)
                statuses.append((await client.response()).status)
                assert len(statuses) < 200
            assert set(statuses) == {200, 502}
            for _ in range(20):
                await client.send(GET)
                assert (await client.response()).status == 200
    (event,) = watcher.seen
    assert event == split.closed["canary"]
    assert str(event).startswith("site: lane canary is closed: 100 %")


async def test_load_is_not_its_business() -> None:
    """Law 8: what upstreams in watched lanes hold is released as ever."""
    upstream = Upstream("http://a.test", transport=FakeTransport())
    split = Split(Lane("a", upstream), Lane("b", upstream), guard=GuardRail(stable="a"))
    async with running(split):
        asked = exchange()
        await split(asked)
        assert upstream.endpoints[0].in_flight == 1
        asked.finish()
        assert upstream.endpoints[0].in_flight == 0


# Compositions.


@pytest.mark.parametrize(
    "wrong",
    [
        {"errors": -0.1},
        {"errors": 1.0},
        {"errors": float("nan")},
        {"latency": 0.9},
        {"latency": float("inf")},
        {"quantile": 0.0},
        {"quantile": 1.0},
        {"slack": -0.1},
        {"slack": float("inf")},
        {"minimum": 0},
        {"minimum": 1.5},
        {"significance": 0.0},
        {"significance": 1.0},
        {"failure": [600]},
        {"failure": ["5xx"]},
        {"errors": None, "latency": None},
    ],
    ids=str,
)
def test_settings_that_are_none(wrong: dict[str, Any]) -> None:
    """What a parameter must not be is refused, by its name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GuardRail(stable="stable", **wrong)


@pytest.mark.parametrize(
    "guard", [GuardRail(stable="x"), GuardRail(stable="a", canary="x"), GuardRail(stable="a", canary=["a", "b"])]
)
def test_lanes_that_are_none(guard: GuardRail) -> None:
    """A guard-rail names lanes that there are, and two of them."""
    upstream = Upstream("http://a.test")
    with pytest.raises(ValueError, match="guard"):
        Split(Lane("a", upstream), Lane("b", upstream), guard=guard)
