"""Who is probed, when, and what follows, with a probe that a test answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Endpoint, Upstream
from revproxy.addresses import AddressPolicy
from revproxy.errors import NoEndpoint
from revproxy.events import Event
from revproxy.handler import Component, running
from revproxy.health import (
    ActiveHealth,
    Eject,
    EndpointAwaited,
    EndpointEjected,
    EndpointRestored,
    HealthPolicy,
    HttpProbe,
    PanicBegan,
    ProbeFailed,
    Verdict,
    Verdicts,
)
from revproxy.health.checkup import Checkup
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange
from tests.conftest import LoopFactory


@pytest_asyncio.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    """A test leaves no task behind."""
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Doctor:
    """A probe that answers at once, as a test has it: ``sick`` are those who fail."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.sick: set[str] = set()
        self.asked: list[tuple[float, str]] = []

    async def __call__(self, endpoint: Endpoint) -> None:
        self.asked.append((self.clock.now(), endpoint.name))
        if endpoint.name in self.sick:
            raise ProbeFailed("it coughs")

    def since(self, start: float) -> list[float]:
        return [when - start for when, _ in self.asked]


class Slow:
    """A probe that takes until it is let go."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.most = 0
        self.ended = 0

    async def __call__(self, endpoint: Endpoint) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting[endpoint.name] = waiter
        self.most = max(self.most, len(self.waiting))
        try:
            await waiter
        finally:
            del self.waiting[endpoint.name]
            self.ended += 1


class Told(HealthPolicy):
    """Ejects as a test has it; stands for one that watches the requests."""

    def __init__(self) -> None:
        self.lifted: list[Endpoint] = []

    def bind(self, endpoints: Any, verdicts: Verdicts) -> None:
        self.say = verdicts

    def overruled(self, endpoint: Endpoint) -> None:
        self.lifted.append(endpoint)


def upstream(*urls: str | Endpoint, health: Any, clock: FakeClock, **others: Any) -> Upstream:
    return Upstream(*urls, health=health, clock=clock, transport=FakeTransport(), **{"name": "site", **others})


def accepting(site: Upstream) -> list[str]:
    return [each.name for each in site.endpoints if each.accepts(0.0)]


A, B, C = "http://a.test", "http://b.test", "http://c.test"


async def test_down_and_up_again() -> None:
    """``fall`` failures in a row eject, ``rise`` successes in a row restore; while it fails it is asked more often
    (algorithms row 7)."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, interval=10, jitter=0, fast_interval=1, rise=2, fall=3, clock=clock)
    site = upstream(A, B, health=[health], clock=clock)
    events: list[Event] = []
    async with running(site, [events.append]):
        await clock.advance_async(0)
        assert [name for _, name in doctor.asked] == [A, B]
        assert site.endpoints[0] in site.endpoints
        doctor.sick = {A}
        doctor.asked.clear()
        start = clock.now()
        await clock.advance_async(11.5)
        assert accepting(site) == [A, B], "two failures are not three"
        await clock.advance_async(0.5)
        assert accepting(site) == [B]
        assert [
            when for when, name in zip(doctor.since(start), [n for _, n in doctor.asked], strict=True) if name == A
        ] == [
            10,
            11,
            12,
        ]
        doctor.sick = set()
        await clock.advance_async(1)
        assert accepting(site) == [B], "one success is not two"
        late = upstream(A, B, health=[health], clock=clock, name="late")
        assert accepting(late) == [B]
        assert [each.held for each in late.endpoints] == [True, False]
        await clock.advance_async(1)
        assert accepting(site) == [A, B]
    assert events == [
        EndpointEjected("site", A, "ActiveHealth(" + repr(doctor) + ")", "3 probes failed: it coughs", None),
        EndpointRestored("site", A, "2 probes succeeded"),
    ]
    assert clock.waiting == 0


async def raises(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("probe", "why"),
    [
        (lambda _: raises(ProbeFailed("no")), "no"),
        (lambda _: raises(ZeroDivisionError("by nought")), "ZeroDivisionError: by nought"),
        (lambda _: raises(asyncio.CancelledError()), "the probe was cancelled"),
        (lambda _: raises(TimeoutError()), "TimeoutError: "),
        (lambda _: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda _: 7, "TypeError: "),
        (lambda _: asyncio.sleep(0, False), "the probe returned False"),
        (lambda _: asyncio.sleep(0, "fine"), "the probe returned 'fine'"),
        (lambda _: raises(ProbeFailed("x" * 5000)), "x" * 200),
    ],
)
async def test_whatever_a_probe_does(probe: Any, why: str) -> None:
    """What raises, is cancelled, is no coroutine, or returns anything but ``None`` and ``True``, has failed, with a
    text of bounded length; and the next probe is made."""
    clock = FakeClock()
    health = ActiveHealth(probe, interval=1, jitter=0, fall=2, clock=clock)
    site = upstream(A, B, health=[health], clock=clock)
    events: list[Event] = []
    async with running(site, [events.append]):
        await clock.advance_async(1)
    told = [each for each in events if isinstance(each, EndpointEjected)]
    assert [each.why.startswith(f"2 probes failed: {why}") for each in told] == [True, True]
    assert all(len(each.why) < 250 for each in told)


@pytest.mark.parametrize("answer", [None, True])
async def test_a_function_is_a_probe(answer: bool | None) -> None:
    """Any async function of an endpoint is a probe, and is named in events."""
    clock = FakeClock()

    async def is_fine(endpoint: Endpoint) -> bool | None:
        return answer

    health = ActiveHealth(is_fine, clock=clock)
    site = upstream(A, health=[health], clock=clock)
    async with running(site):
        await clock.advance_async(20)
        assert health.up(site.endpoints[0]) is True
    assert "is_fine" in str(health)


async def test_late() -> None:
    """A probe that takes longer than ``timeout`` has failed at that moment, and is cancelled."""
    clock, probe = FakeClock(), Slow()
    health = ActiveHealth(probe, interval=5, timeout=2, jitter=0, fall=1, clock=clock)
    site = upstream(A, B, health=[health], panic=0, clock=clock)
    async with running(site):
        await clock.advance_async(1.9)
        assert accepting(site) == [A, B]
        assert len(probe.waiting) == 2
        await clock.advance_async(0.1)
        assert accepting(site) == []
        assert probe.ended >= 2
        with pytest.raises(NoEndpoint):
            await site(exchange())


async def test_one_that_will_not_be_cancelled() -> None:
    """A probe that goes on nevertheless is a failure again and again, is not begun a second time, and does not keep
    the proxy from stopping once it ends."""
    clock = FakeClock()
    begun = 0
    over = asyncio.Event()

    async def stubborn(endpoint: Endpoint) -> None:
        nonlocal begun
        begun += 1
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                pass

    health = ActiveHealth(stubborn, interval=5, timeout=1, jitter=0, fall=3, clock=clock)
    site = upstream(A, B, health=[health], panic=0, clock=clock)
    events: list[Event] = []
    async with running(site, [events.append]):
        await clock.advance_async(30)
        assert accepting(site) == []
        assert begun == 2, "one an endpoint"
        assert all("does not end" in each.why for each in events if isinstance(each, EndpointEjected))
        over.set()


async def test_it_is_shared() -> None:
    """However many upstreams of however many proxies have a server, it is probed once, and all of them learn of it;
    those that stop learn no more, and the last one that stops ends the probes."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, interval=1, jitter=0, fall=1, rise=1, clock=clock)
    one = upstream(A, B, health=[health], clock=clock, name="one", panic=0)
    two = upstream(A, C, health=[health], clock=clock, name="two", panic=0)
    async with running(one):
        async with running(two):
            await clock.advance_async(0)
            assert Counter(name for _, name in doctor.asked) == {A: 1, B: 1, C: 1}
            doctor.sick = {A}
            await clock.advance_async(1)
            assert Counter(name for _, name in doctor.asked) == {A: 2, B: 2, C: 2}
            assert accepting(one) == [B]
            assert accepting(two) == [C]
        assert accepting(two) == [A, C], "nobody would let it go"
        doctor.asked.clear()
        await clock.advance_async(1)
        assert {name for _, name in doctor.asked} == {A, B}, "nobody asks for the third any more"
        assert accepting(one) == [B]
        async with running(two):
            assert accepting(two) == [C], "what the others know it knows at once"
    assert clock.waiting == 0
    doctor.asked.clear()
    async with running(two):
        assert accepting(two) == [A, C], "what was known before is worth nothing"
        await clock.advance_async(0)
        assert accepting(two) == [C]


async def test_same_server_other_address_policy() -> None:
    """Where two upstreams may reach a server by different rules, what holds for one does not for the other: it is
    probed by both."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, jitter=0, clock=clock)
    free = upstream(A, health=[health], clock=clock, name="free")
    bound = upstream(A, health=[health], clock=clock, name="bound", addresses=AddressPolicy(ports=[80]))
    same = upstream(A, health=[health], clock=clock, name="same", addresses=AddressPolicy(ports=[80]))
    async with running(free), running(bound), running(same):
        await clock.advance_async(0)
        assert len(doctor.asked) == 2


async def test_members_that_leave_and_join() -> None:
    """Who leaves is probed no more, in the middle of a probe, too, whose result is nobody's; who joins is."""
    clock, probe = FakeClock(), Slow()
    health = ActiveHealth(probe, interval=5, jitter=0, fall=1, timeout=2, clock=clock)
    site = upstream(A, B, health=[health], clock=clock, panic=0)
    async with running(site):
        await clock.advance_async(0)
        first = site.endpoints[0]
        assert set(probe.waiting) == {A, B}
        site.remove(first)
        site.add(C)
        await clock.advance_async(0)
        assert set(probe.waiting) == {B, C}
        assert health.up(first) is None
        first_waiter = probe.waiting[B]
        first_waiter.set_exception(ProbeFailed("sick"))
        await clock.advance_async(0)
        assert accepting(site) == [C]
        site.add(A)
        await clock.advance_async(0)
        assert set(probe.waiting) == {A, C}
        assert accepting(site) == [C, A]
        probe.waiting[C].set_result(None)
        probe.waiting[A].set_result(None)
        await clock.advance_async(0)
    assert probe.waiting == {}
    assert clock.waiting == 0


async def test_leaving_while_it_is_told() -> None:
    """An observer that removes an endpoint because it was ejected does not have it probed on."""
    clock = FakeClock()
    doctor = Doctor(clock)
    doctor.sick = {A}
    health = ActiveHealth(doctor, interval=1, jitter=0, fall=1, clock=clock)
    site = upstream(A, B, health=[health], clock=clock)

    def cut(event: Event) -> None:
        if isinstance(event, EndpointEjected):
            site.remove(*[each for each in site.endpoints if each.name == event.endpoint])

    async with running(site, [cut]):
        await clock.advance_async(0)
        assert [each.name for each in site.endpoints] == [B]
        doctor.asked.clear()
        await clock.advance_async(3)
        assert {name for _, name in doctor.asked} == {B}


async def test_an_observer_that_raises() -> None:
    """What is told goes wrong, but the probes go on: the endpoint is back when it is well."""
    clock = FakeClock()
    doctor = Doctor(clock)
    doctor.sick = {A}
    health = ActiveHealth(doctor, interval=1, jitter=0, fall=1, rise=1, clock=clock)
    site = upstream(A, B, health=[health], clock=clock)
    caught: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context["exception"]))

    def broken(event: Event) -> None:
        raise LookupError(str(event))

    async with running(site, [broken]):
        await clock.advance_async(0)
        assert accepting(site) == [B]
        doctor.sick = set()
        await clock.advance_async(1)
        assert accepting(site) == [A, B]
    assert [type(each) for each in caught] == [LookupError, LookupError]


async def test_first_probe_gate() -> None:
    """``first="wait"``: before its first success a member gets nothing, panic or not, and is not counted among those
    who are unwell (algorithms row 7)."""
    clock = FakeClock()
    doctor = Doctor(clock)
    doctor.sick = {A}
    health = ActiveHealth(doctor, interval=1, jitter=0, rise=3, fall=2, first="wait", clock=clock)
    site = upstream(A, B, health=[health], clock=clock, panic=0.9)
    assert accepting(site) == []
    events: list[Event] = []
    async with running(site, [events.append]):
        with pytest.raises(NoEndpoint):
            await site(exchange())
        await clock.advance_async(0)
        assert accepting(site) == [B], "one success is enough the first time"
        await clock.advance_async(10)
        assert accepting(site) == [B], "it has failed, which is no reason to use it"
        assert not any(isinstance(each, PanicBegan) for each in events)
        doctor.sick = set()
        await clock.advance_async(3)
        assert accepting(site) == [A, B]
        site.add(C)
        assert accepting(site) == [A, B]
        await clock.advance_async(0)
        assert accepting(site) == [A, B, C]
        assert [str(each) for each in events if isinstance(each, EndpointAwaited)][-1].startswith(f"site: {C} is new")
    assert accepting(site) == [A, B, C], "nobody would let them in any more"


async def test_panic_counts_those_who_were_well() -> None:
    """Who was up and is down may be used in panic; who never was may not."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, interval=1, jitter=0, fall=1, first="wait", clock=clock)
    site = upstream(A, B, health=[health], clock=clock, panic=0.9)
    async with running(site):
        await clock.advance_async(0)
        doctor.sick = {A, B, C}
        await clock.advance_async(1)
        assert accepting(site) == [A, B], "panic"
        site.add(C)
        await clock.advance_async(5)
        assert accepting(site) == [A, B]
        other = upstream(A, C, health=[health], clock=clock, panic=0.9, name="other")
        async with running(other):
            assert accepting(other) == [A], "it was up once, as others have seen"


async def test_ready() -> None:
    """``ready`` returns when it is known of each member who is up: at once, or after as many failures as it takes.
    Those that leave are not waited for."""
    clock, probe = FakeClock(), Slow()
    health = ActiveHealth(probe, interval=5, jitter=0, fall=2, timeout=1, fast_interval=1, clock=clock)
    site = upstream(A, B, C, health=[health], clock=clock)
    async with running(site):
        task = asyncio.create_task(site.ready())
        await clock.advance_async(0)
        probe.waiting[A].set_result(None)
        await clock.advance_async(0)
        assert not task.done()
        site.remove(site.endpoints[1])
        await clock.advance_async(0)
        assert not task.done(), "the last one has failed but once"
        await clock.advance_async(3)
        assert task.done()
        await task
        assert [health.up(each) for each in site.endpoints] == [True, False]
        await site.ready()


async def test_not_ready_in_time() -> None:
    """``ready(timeout)`` raises ``TimeoutError`` that names the upstream; a cancellation stays one."""
    clock = FakeClock()
    health = ActiveHealth(Slow(), timeout=100, clock=clock)
    site = upstream(A, health=[health], clock=clock)
    await upstream(A, health=[Told()], clock=clock).ready()
    await upstream(A, health=[], clock=clock).ready(5)
    async with running(site):
        task = asyncio.create_task(site.ready(5))
        await clock.advance_async(4.9)
        assert not task.done()
        await clock.advance_async(0.1)
        with pytest.raises(TimeoutError, match=r"site: .* within 5 s"):
            await task
        task = asyncio.create_task(site.ready(5))
        await clock.advance_async(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stopped = asyncio.create_task(site.ready())
        await clock.advance_async(1)
    await stopped
    assert clock.waiting == 0


@pytest.mark.parametrize("overrules", [True, False])
async def test_success_ends_what_others_hold(overrules: bool) -> None:
    """A success ends the ejection of a policy that watches requests, which is told of it, if so declared; but not where
    the probe began before the ejection (algorithms row 6)."""
    clock, probe = FakeClock(), Slow()
    passive = Told()
    health = ActiveHealth(probe, interval=10, jitter=0, overrules=overrules, timeout=5, clock=clock)
    site = upstream(A, B, health=[health, passive], clock=clock)
    async with running(site):
        await clock.advance_async(0)
        first = site.endpoints[0]
        passive.say(Eject(first, "many errors", 100))
        probe.waiting[A].set_result(None)
        probe.waiting[B].set_result(None)
        await clock.advance_async(0)
        assert accepting(site) == [B], "what it has answered is older than the ejection"
        await clock.advance_async(10)
        probe.waiting[A].set_result(None)
        probe.waiting[B].set_result(None)
        await clock.advance_async(0)
        assert accepting(site) == ([A, B] if overrules else [B])
        assert passive.lifted == ([first] if overrules else [])
        passive.say(Eject(first, "again", 100))
        assert accepting(site) == [B]
        await clock.advance_async(10)
        probe.waiting[A].set_exception(ProbeFailed("no"))
        probe.waiting[B].set_result(None)
        await clock.advance_async(0)
        assert accepting(site) == [B], "a failure ends nothing"
        assert health.up(first), "one is no reason to eject, either"


async def test_probes_do_not_overrule_each_other() -> None:
    """Of two kinds of probes both must succeed: one does not lift what the other has found."""
    clock = FakeClock()
    strict, lax = Doctor(clock), Doctor(clock)
    strict.sick = {A}
    both = [ActiveHealth(each, interval=1, jitter=0, fall=1, clock=clock) for each in (strict, lax)]
    site = upstream(A, B, health=both, clock=clock)
    async with running(site):
        await clock.advance_async(5)
        assert accepting(site) == [B]


@pytest.mark.parametrize("jitter", [0.05, 0.2, 0.9])
async def test_no_thundering(jitter: float) -> None:
    """A thousand endpoints that were added at one moment are probed evenly: in no tenth of an interval is there more
    than twice the share of one, from the second round on (algorithms row 7)."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, interval=10, jitter=jitter, at_once=1000, clock=clock, rng=Random(7))
    site = upstream(*(f"http://{n}.test" for n in range(1000)), health=[health], clock=clock)
    async with running(site):
        start = clock.now()
        await _pass(clock, 1.0)
        assert len(doctor.asked) >= 1000, "the first comes at once"
        doctor.asked.clear()
        start = clock.now()
        await _pass(clock, 30.0)
    tenths = Counter(int(each) for each in doctor.since(start))
    assert max(tenths.values()) < 200
    assert 2500 < len(doctor.asked) < 3500


async def _pass(clock: FakeClock, seconds: float) -> None:
    """Like ``advance_async``, but with the event loop run once a hundredth of a second: of many timers."""
    for _ in range(int(seconds * 100)):
        clock.advance(0.01)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_intervals_are_jittered() -> None:
    """Intervals differ by chance within the declared part, and no more."""
    clock = FakeClock()
    doctor = Doctor(clock)
    health = ActiveHealth(doctor, interval=10, jitter=0.3, clock=clock, rng=Random(1))
    site = upstream(A, health=[health], clock=clock)
    async with running(site):
        await clock.advance_async(400)
    times = doctor.since(0)[1:]
    waits = [after - before for before, after in pairwise(times)]
    assert all(7 <= each <= 13 for each in waits)
    assert max(waits) - min(waits) > 3


@pytest.mark.parametrize("at_once", [1, 3])
async def test_so_many_at_once(at_once: int) -> None:
    """No more probes than declared are under way; the others get their turn, first come, first served."""
    clock, probe = FakeClock(), Slow()
    health = ActiveHealth(probe, jitter=0, at_once=at_once, timeout=5, interval=60, clock=clock)
    urls = [f"http://{n}.test" for n in range(10)]
    site = upstream(*urls, health=[health], clock=clock)
    seen: list[str] = []
    async with running(site):
        for _ in range(20):
            await clock.advance_async(0)
            for name, waiter in list(probe.waiting.items()):
                seen.append(name)
                waiter.set_result(None)
        assert seen == urls
        assert probe.most == at_once


async def test_one_that_waits_in_the_queue_leaves() -> None:
    """Who leaves before his turn has come is not probed."""
    clock, probe = FakeClock(), Slow()
    health = ActiveHealth(probe, jitter=0, at_once=1, timeout=5, clock=clock)
    site = upstream(A, B, C, health=[health], clock=clock)
    async with running(site):
        await clock.advance_async(0)
        site.remove(site.endpoints[1])
        probe.waiting[A].set_result(None)
        await clock.advance_async(0)
        assert list(probe.waiting) == [C]


async def test_what_holds_a_probe_starts_it() -> None:
    """A probe that is a component is started before the first probe and stopped after the last."""

    class Session(Component):
        alive = False

        async def start(self) -> None:
            self.alive = True

        async def stop(self) -> None:
            self.alive = False

        async def __call__(self, endpoint: Endpoint) -> bool:
            return self.alive

    clock, probe = FakeClock(), Session()
    health = ActiveHealth(probe, interval=1, fall=1, clock=clock)
    site = upstream(A, health=[health], clock=clock)
    async with running(site):
        await clock.advance_async(3)
        assert health.up(site.endpoints[0])
    assert not probe.alive


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=25), waits=st.booleans())
def test_random_lives(loop_factory: LoopFactory, steps: list[tuple[int, int, bool]], waits: bool) -> None:
    """Whatever joins, leaves, falls ill and recovers, in upstreams that start and stop: in the end those are ejected
    that are ill, no more; and nothing is left when all have stopped."""
    urls = [f"http://{number}.test" for number in range(4)]

    async def live() -> None:
        clock = FakeClock()
        doctor = Doctor(clock)
        health = ActiveHealth(
            doctor,
            interval=1,
            fall=2,
            first="wait" if waits else "optimistic",
            at_once=2,
            clock=clock,
            rng=Random(3),
        )
        sites = [upstream(*urls[:2], health=[health], clock=clock, panic=0, name=name) for name in "xy"]
        async with running(sites[0]):
            for what, number, which in steps:
                site, url = sites[which], urls[number]
                named = [each for each in site.endpoints if each.name == url]
                if what == 0 and not named:
                    site.add(url)
                elif what == 1 and named and len(site.endpoints) > 1:
                    site.remove(*named)
                elif what == 2:
                    doctor.sick.add(url)
                elif what == 3:
                    doctor.sick.discard(url)
                elif what == 4:
                    async with running(sites[1]):
                        await clock.advance_async(number)
                else:
                    await clock.advance_async(number / 3)
            async with running(sites[1]):
                await clock.advance_async(10)
                for site in sites:
                    well = [each.name for each in site.endpoints if each.name not in doctor.sick]
                    assert accepting(site) == well
        assert clock.waiting == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for site in sites:
            assert not any(each.held for each in site.endpoints)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(live())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"interval": 0}, "interval must be above 0 and finite, got 0"),
        ({"interval": float("inf")}, "interval must be above 0 and finite, got inf"),
        ({"interval": float("nan")}, "interval .* got nan"),
        ({"timeout": -1}, "timeout .* got -1"),
        ({"fast_interval": 0.0}, "fast_interval .* got 0.0"),
        ({"interval": 2, "fast_interval": 3}, "fast_interval must be at most the interval of 2, got 3"),
        ({"jitter": 1}, "jitter .* got 1"),
        ({"jitter": -0.1}, "jitter .* got -0.1"),
        ({"rise": 0}, "rise must be an integer of at least 1, got 0"),
        ({"fall": 1.5}, "fall .* got 1.5"),
        ({"fall": True}, "fall .* got True"),
        ({"at_once": 0}, "at_once .* got 0"),
        ({"port": 0}, "port must be 1 to 65535, got 0"),
        ({"port": 65536}, "port .* got 65536"),
        ({"port": "80"}, "port .* got '80'"),
        ({"scheme": "ws"}, "scheme .* got 'ws'"),
        ({"first": "never"}, "first .* got 'never'"),
    ],
)
def test_nonsense(arguments: dict[str, Any], said: str) -> None:
    """Nonsense thresholds are refused with their name and value."""
    with pytest.raises(ValueError, match=said):
        ActiveHealth(Doctor(FakeClock()), **arguments)


def test_no_probe() -> None:
    """What cannot be called is no probe."""
    with pytest.raises(TypeError, match="probe: 'x' is not a probe"):
        ActiveHealth("x")  # type: ignore[arg-type]


async def test_repr() -> None:
    """It shows what is known of whom."""
    clock = FakeClock()
    doctor = Doctor(clock)
    doctor.sick = {A}
    health = ActiveHealth(doctor, interval=1, jitter=0, fall=1, clock=clock)
    site = upstream(A, B, health=[health], clock=clock)
    assert "up=0 down=0 unknown=2 stopped" in repr(health)
    async with running(site):
        await clock.advance_async(0)
        assert "up=1 down=1 unknown=0>" in repr(health)
        shown = sorted(repr(each) for each in _checkups(health))
        assert shown[0] == f"<Checkup of {A}/ <Tally down failures=1>: it coughs>"
        assert shown[1] == f"<Checkup of {B}/ <Tally up successes=1>>"


def _checkups(health: ActiveHealth) -> list[Checkup]:
    return list(health._checkups.values())


async def test_another_port() -> None:
    """A probe goes to the declared port of the endpoint's own address; to nowhere else."""
    asked: list[str] = []

    async def probe(endpoint: Endpoint) -> None:
        asked.append(endpoint.authority)

    clock = FakeClock()
    site = upstream("http://a.test:1234", health=[ActiveHealth(probe, port=99, clock=clock)], clock=clock)
    async with running(site):
        await clock.advance_async(1)
    assert set(asked) == {"a.test:99"}


async def test_a_server_that_dies_and_comes_back() -> None:
    """With real sockets: a server that is gone is ejected, and is back when it is there again; the probe's connections
    are its own, and none is left (S-57)."""
    clock = FakeClock()
    async with FakeUpstream() as server, FakeUpstream() as other:
        health = ActiveHealth(HttpProbe("/healthz"), interval=1, jitter=0, fall=2, rise=1, clock=clock)
        site = Upstream(server.url, other.url, health=[health], clock=clock)
        first, second = site.endpoints
        async with running(site):
            clock.advance(0)
            await site.ready()
            assert {each.path for each in (*server.requests, *other.requests)} == {"/healthz"}
            await server.stop()
            while first.accepts(0.0):
                clock.advance(1)
                await _idle(health)
            assert health.up(second)
            await server.start()
            while not first.accepts(0.0):
                clock.advance(1)
                await _idle(health)
            for each in (server, other):
                await each.wait_closed_connections(each.connections)


async def _idle(health: ActiveHealth) -> None:
    """Until no probe is under way. It goes by real sockets: there is nothing else to wait for."""
    async with asyncio.timeout(5):
        while health._busy:
            await asyncio.wait([each.task for each in health._busy if each.task is not None])
            await asyncio.sleep(0)


def test_verdict_types() -> None:
    """What it says are verdicts, one upstream's apart from another's, without a ward."""
    said: list[Verdict] = []
    health = ActiveHealth(Doctor(FakeClock()), first="wait")
    endpoint = Endpoint(A)
    take = said.append
    health.bind((endpoint,), take)
    health.bind((endpoint,), take)
    assert len(said) == 1, "nothing is said twice"
    health.bind((), take)
    assert _checkups(health) == []
