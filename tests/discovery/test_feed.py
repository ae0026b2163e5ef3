"""What carries the sets of a source to an upstream: first sets, failures, floods, ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Endpoint, Upstream
from revproxy.addresses import AddressPolicy
from revproxy.balancers import Maglev, RoundRobin
from revproxy.discovery import (
    Backoff,
    Discovery,
    DiscoveryFailed,
    EndpointsRefused,
    Found,
    SourceFailed,
    SourceRecovered,
    Static,
    Stream,
)
from revproxy.errors import NoEndpoint
from revproxy.events import Event
from revproxy.handler import running
from revproxy.health import HealthPolicy
from revproxy.members import MembersChanged
from revproxy.slow_start import SlowStart
from revproxy.testing import FakeClock, FakeTransport, exchange

from ..wire import nothing_left as nothing_left
from ..wire import soon, until

A, B, C = "http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"

END = object()


class Scripted(Discovery):
    """Gives what a test puts in; raises it, if it is an exception; ends at ``END``."""

    def __init__(self, *first: Any, **options: Any) -> None:
        super().__init__(name="scripted", **options)
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.opened = self.closed = 0
        self.say(*first)

    def say(self, *things: Any) -> None:
        for each in things:
            self.queue.put_nowait(each)

    async def snapshots(self) -> AsyncIterator[Found]:
        self.opened += 1
        try:
            while True:
                said = await self.queue.get()
                if said is END:
                    return
                if isinstance(said, BaseException):
                    raise said
                yield said
        finally:
            self.closed += 1

    def __repr__(self) -> str:
        return "Scripted()"


class Site:
    """An upstream that a source feeds, and what it has told."""

    def __init__(self, source: Any, *endpoints: str | Endpoint, clock: FakeClock | None = None, **options: Any) -> None:
        self.clock = clock or FakeClock()
        self.events: list[Event] = []
        self.upstream = Upstream(
            *endpoints,
            name="api",
            discovery=source,
            transport=FakeTransport(),
            clock=self.clock,
            rng=Random(1),
            **options,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with running(self.upstream, [self.events.append]):
            yield

    @property
    def urls(self) -> list[str]:
        return [str(each.url) for each in self.upstream.endpoints]

    def told(self, kind: type[Event]) -> list[Event]:
        return [each for each in self.events if isinstance(each, kind)]

    async def passes(self, ready: Callable[[], bool], step: float = 0.01) -> None:
        """Until something is so, while time passes."""

        def later() -> bool:
            if not ready():
                self.clock.advance(step)
            return ready()

        await until(later)


async def test_the_first_set_is_waited_for() -> None:
    """An upstream that has no endpoints has some when its start is over, and tells that they joined."""
    site = Site(Scripted([A, Endpoint(B, weight=2)]))
    assert site.urls == []
    async with site.running():
        assert site.urls == [A, B]
        assert [each.weight for each in site.upstream.endpoints] == [1, 2]
    (joined,) = site.events
    assert isinstance(joined, MembersChanged)
    assert (joined.joined, joined.left) == ((A, B), ())


async def test_sets_replace_one_another() -> None:
    """Each set is the whole; who stays is the same object, with what is known of it, and gets its new settings."""
    source = Scripted([A, B])
    site = Site(source)
    async with site.running():
        a, _ = site.upstream.endpoints
        a.in_flight = 3
        source.say([C, Endpoint(A, weight=5)])
        await site.passes(lambda: C in site.urls)
        assert site.urls == [C, A]
        assert site.upstream.endpoints[1] is a
        assert (a.in_flight, a.weight) == (3, 5)
        a.in_flight = 0


async def test_addresses_tell_endpoints_apart() -> None:
    """Two endpoints of one URL at two addresses are two, and each is known again."""
    source = Scripted(
        [Endpoint("http://api.test", address="10.0.0.1"), Endpoint("http://api.test", address="10.0.0.2")]
    )
    site = Site(source, balancer=Maglev(size=251))
    async with site.running():
        one, two = site.upstream.endpoints
        source.say([Endpoint("http://api.test", address=f"10.0.0.{number}") for number in (2, 3)])
        await site.passes(lambda: site.upstream.endpoints[0] is two)
        assert one not in site.upstream.endpoints
        assert [each.address for each in site.upstream.endpoints] == ["10.0.0.2", "10.0.0.3"]


async def test_an_unchanged_set_changes_nothing() -> None:
    """The same set again does not undo what was set by hand in between; another one does."""
    source = Scripted([A, B])
    site = Site(source)
    async with site.running():
        a, b = site.upstream.endpoints
        site.upstream.weigh({a: 7})
        source.say([Endpoint(A), B])
        await site.passes(lambda: source.queue.empty())
        assert a.weight == 7
        source.say([A])
        await site.passes(lambda: site.urls == [A])
        assert a.weight == 1
        assert b not in site.upstream.endpoints


# Starts.


async def test_no_first_set_in_time() -> None:
    """The start fails when the time is over, says why, and leaves nothing behind."""

    class Judges(HealthPolicy):
        interval: float | None = 1.0

        def bind(self, endpoints: object, verdicts: object) -> None: ...

    source = Scripted(OSError("no route"), initial=4)
    site = Site(source, health=[Judges()])
    starting = asyncio.create_task(enter(site))
    await until(lambda: bool(site.told(SourceFailed)))
    site.clock.advance(3.9)
    await asyncio.sleep(0.01)
    assert not starting.done()
    site.clock.advance(0.1)
    with pytest.raises(DiscoveryFailed, match=r"api: Scripted\(\) names no endpoints, within 4 s: OSError: no route"):
        await soon(starting)
    assert source.opened == source.closed
    assert site.clock.waiting == 0


async def enter(site: Site) -> None:
    async with site.running():
        pass


async def test_a_first_set_after_failures() -> None:
    """Failures before the time is over are no end."""
    source = Scripted(DiscoveryFailed("not yet"), DiscoveryFailed("nor now"), [A])
    site = Site(source)
    starting = asyncio.create_task(enter(site))
    await site.passes(starting.done, step=0.1)
    await starting
    assert site.urls == [A]
    assert [type(each) for each in site.events] == [SourceFailed, MembersChanged, SourceRecovered]


async def test_a_start_that_is_cancelled() -> None:
    """It leaves nothing behind."""
    source = Scripted()
    site = Site(source)
    starting = asyncio.create_task(enter(site))
    await until(lambda: source.opened == 1)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert source.closed == 1
    assert site.clock.waiting == 0


async def test_to_begin_without() -> None:
    """``initial=None``: it starts at once, answers 503, and has endpoints when there are some."""
    source = Scripted(initial=None)
    site = Site(source)
    async with site.running():
        asked = exchange()
        with pytest.raises(NoEndpoint, match="none of 0 endpoints"):
            await site.upstream(asked)
        assert not asked.attempts
        source.say([A])
        await site.passes(lambda: site.urls == [A])
        assert (await site.upstream(exchange())).status == 200


async def test_endpoints_at_the_start() -> None:
    """Endpoints that the program names serve until the first set, which replaces them; nobody waits."""
    source = Scripted()
    site = Site(source, A)
    async with site.running():
        assert site.urls == [A]
        source.say([B])
        await site.passes(lambda: site.urls == [B])


async def test_slow_start() -> None:
    """The first set has its whole share at once; who joins later grows into it."""
    source = Scripted([A])
    site = Site(source, slow_start=SlowStart(window=10))
    async with site.running():
        assert site.upstream.endpoints[0].ramp is None
        source.say([A, B])
        await site.passes(lambda: len(site.urls) == 2)
        assert [each.ramp is None for each in site.upstream.endpoints] == [True, False]


async def test_started_again() -> None:
    """After a stop, a start goes on with what there was, and asks anew."""
    source = Scripted([A])
    site = Site(source)
    async with site.running():
        pass
    assert (source.opened, source.closed) == (1, 1)
    async with site.running():
        assert site.urls == [A]
        source.say([B])
        await site.passes(lambda: site.urls == [B])
    assert (source.opened, source.closed) == (2, 2)
    assert site.clock.waiting == 0


# Failures.


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (DiscoveryFailed("gone"), "gone"),
        (RuntimeError("broken"), "RuntimeError: broken"),
        (OSError(), "OSError: "),
        (asyncio.CancelledError(), "CancelledError: "),
        ([], "there are no endpoints"),
        (A, "TypeError: a set of endpoints is wanted"),
        (None, "TypeError"),
        ([A, None], "TypeError: endpoints must be URLs or Endpoint objects, got None"),
        ([A, "ftp://x"], "ValueError: url"),
        ([A, A], "ValueError: endpoints: one is named twice"),
        ([Endpoint(A, weight=65537), Endpoint(B, weight=2)], "ValueError: weights"),
        (iter(int, 1), "TypeError"),
        ((f"http://10.0.0.1:{1 + number % 60000}" for number in iter(int, 1)), "there are more than 50 endpoints"),
        (
            ["http://127.0.0.1"],
            "all are refused: http://127.0.0.1: 127.0.0.1 is loopback (AddressPolicy(allow=...) lets them in)",
        ),
        (END, "it ended without a good set"),
    ],
)
async def test_whatever_fails_keeps_the_last_good_set(bad: Any, said: str) -> None:
    """An error, an end without a set, a set that is empty, endless, wrong or refused: nothing changes, it is told once,
    and so is the end of it. Nothing that a source gives ends the feed."""
    source = Scripted([A, B])
    source.limit = 50
    source.backoff = Backoff(first=1, most=1)
    site = Site(source, balancer=RoundRobin())
    async with site.running():
        if bad is END:
            source.say(OSError("first"), END)
            await site.passes(lambda: source.opened == 3, step=0.1)
            said = "OSError: first"
        else:
            source.say(bad)
            await site.passes(lambda: bool(site.told(SourceFailed)))
            source.say(DiscoveryFailed("still"), DiscoveryFailed("and still"))
            await site.passes(lambda: source.opened >= 3, step=0.1)
        assert site.urls == [A, B]
        (failed,) = site.told(SourceFailed)
        assert isinstance(failed, SourceFailed)
        assert failed.error.startswith(said)
        assert (failed.source, failed.discovery, failed.kept) == ("api", "Scripted()", 2)
        assert failed.level == logging.WARNING
        assert "2 endpoints stay in use" in str(failed)
        assert not site.told(SourceRecovered)
        source.say([A, B])
        await site.passes(lambda: bool(site.told(SourceRecovered)), step=0.1)
        (recovered,) = site.told(SourceRecovered)
        assert isinstance(recovered, SourceRecovered)
        assert recovered.seconds > 0
        assert "well again" in str(recovered)
        assert len(site.told(SourceFailed)) == 1


async def test_a_failure_that_says_much_is_cut() -> None:
    """What a source says of itself is bounded."""
    source = Scripted([A], DiscoveryFailed("x" * 10_000))
    site = Site(source)
    async with site.running():
        await site.passes(lambda: bool(site.told(SourceFailed)))
        (failed,) = site.told(SourceFailed)
        assert isinstance(failed, SourceFailed)
        assert len(failed.error) == 500


async def test_backoff() -> None:
    """A source that fails is left alone for longer and longer, up to a bound; after a good set, it begins anew."""
    source = Scripted([A])
    source.backoff = Backoff(first=1, most=4)
    site = Site(source)
    async with site.running():
        site.clock.advance(0.01)
        for most in (1, 2, 4, 4):
            opened = source.opened
            source.say(OSError("x"))
            await until(lambda opened=opened: source.closed == opened and site.clock.waiting > 0)  # type: ignore[misc]
            site.clock.advance(most / 2 - 0.01)
            await asyncio.sleep(0.001)
            assert source.opened == opened
            site.clock.advance(most / 2 + 0.01)
            await until(lambda opened=opened: source.opened == opened + 1)  # type: ignore[misc]
        source.say([A])
        await site.passes(lambda: bool(site.told(SourceRecovered)))
        opened = source.opened
        source.say(OSError("x"))
        await site.passes(lambda: source.closed == opened)
        await until(lambda: site.clock.waiting > 0)
        site.clock.advance(1)
        await until(lambda: source.opened == opened + 1)


async def test_an_end_leaves_the_last_set() -> None:
    """A source that ends after a set is done: the set stays, nothing is told, and nobody asks again."""
    site = Site(Static(A, B))
    async with site.running():
        assert site.urls == [A, B]
        site.clock.advance(1)
        await asyncio.sleep(0.01)
        site.clock.advance(100)
        assert site.clock.waiting == 0
    assert not site.told(SourceFailed)


async def test_a_function_whose_iterator_ends() -> None:
    """A watch that hung up is told of, and begun again after a while; the set stays meanwhile."""
    calls = 0

    async def watch() -> AsyncIterator[list[str]]:
        nonlocal calls
        calls += 1
        yield [A] if calls == 1 else [B]

    site = Site(watch)
    async with site.running():
        await site.passes(lambda: bool(site.told(SourceFailed)))
        assert site.urls == [A]
        await site.passes(lambda: site.urls == [B])
    assert calls >= 2
    (first, *_) = site.told(SourceFailed)
    assert "it ended" in str(first)


def _is_more(source: Scripted, than: int) -> bool:
    return source.opened > than


async def test_another_reason_is_told() -> None:
    """Who mends one mistake and makes another sees it; the same one is told once."""
    source = Scripted([A])
    site = Site(source)
    async with site.running():
        for error in (OSError("one"), OSError("one"), OSError("other"), OSError("other")):
            source.say(error)
            opened = source.opened
            await site.passes(partial(_is_more, source, opened))
            site.clock.advance(10)
        source.say([B])
        await site.passes(lambda: site.urls == [B])
    told = [event.error for event in site.events if isinstance(event, SourceFailed)]
    assert told == ["OSError: one", "OSError: other"]


async def test_an_iterator_that_fails() -> None:
    """It cannot be begun again: told once, and the last set stays."""

    async def once() -> AsyncIterator[list[str]]:
        yield [A]
        raise OSError("lost")

    site = Site(once())
    async with site.running():
        await site.passes(lambda: bool(site.told(SourceFailed)))
        site.clock.advance(100)
        await asyncio.sleep(0.01)
        assert site.urls == [A]
        assert site.clock.waiting == 0


async def test_an_iterator_without_a_set() -> None:
    """Where there is no set and never will be one, the start fails at once, and not when its time is over."""

    async def nothing() -> AsyncIterator[list[str]]:
        return
        yield

    with pytest.raises(DiscoveryFailed, match="cannot be asked again: it ended without a good set"):
        await soon(enter(Site(nothing())))


async def test_a_source_that_is_none() -> None:
    """A function that gives no iterator fails like every other source."""

    async def coroutine() -> list[str]:
        return [A]

    called = []

    def wrong() -> Any:
        called.append(coroutine())
        return called[-1]

    site = Site(Stream(wrong, initial=None))
    async with site.running():
        await until(lambda: bool(site.told(SourceFailed)))
    for each in called:
        each.close()
    (failed,) = site.told(SourceFailed)
    assert isinstance(failed, SourceFailed)
    assert "TypeError" in failed.error


# Empty sets.


async def test_an_empty_set_where_that_is_allowed() -> None:
    """``allow_empty``: the upstream has no endpoints then, answers 503, and may get some again. What is in flight goes
    on."""
    source = Scripted([A], allow_empty=True)
    site = Site(source, balancer=Maglev(size=251))
    async with site.running():
        asked = exchange()
        await site.upstream(asked)
        (gone,) = site.upstream.endpoints
        source.say([])
        await site.passes(lambda: not site.urls)
        with pytest.raises(NoEndpoint):
            await site.upstream(exchange())
        assert gone.in_flight == 1
        asked.finish()
        assert gone.in_flight == 0
        source.say([B])
        await site.passes(lambda: site.urls == [B])
        assert (await site.upstream(exchange())).status == 200
    assert not site.told(SourceFailed)


async def test_an_empty_first_set() -> None:
    """It is a first set where it is allowed, and none where it is not."""
    async with Site(Scripted([], allow_empty=True)).running():
        pass
    site = Site(Scripted([], initial=1))
    starting = asyncio.create_task(enter(site))
    await site.passes(starting.done, step=0.1)
    with pytest.raises(DiscoveryFailed, match="there are no endpoints"):
        await starting


# Policy.


async def test_what_is_refused_is_left_out() -> None:
    """S-41: of what a source names, what the policy refuses does not become a member; that is told when it changes, and
    bounded. The others do, and are dialled under the policy."""
    bad = ["http://169.254.169.254", "http://127.0.0.1", "unix:/run/x.sock", "http://[::ffff:127.0.0.1]"]
    source = Scripted([A, *bad, "http://api.internal"])
    site = Site(source)
    async with site.running():
        assert site.urls == [A, "http://api.internal"]
        assert all(each.policy is not None for each in site.upstream.endpoints)
        (refused,) = site.told(EndpointsRefused)
        assert isinstance(refused, EndpointsRefused)
        assert refused.count == 4
        assert refused.refused[0] == "http://169.254.169.254: 169.254.169.254 is a cloud's metadata service"
        assert "unix: is not allowed" in str(refused)
        source.say([A, *bad, B])
        await site.passes(lambda: B in site.urls)
        assert len(site.told(EndpointsRefused)) == 1
        many = [f"http://127.0.0.{number}" for number in range(1, 40)]
        source.say([A, *many])
        await site.passes(lambda: len(site.urls) == 1)
        _, refused = site.told(EndpointsRefused)
        assert isinstance(refused, EndpointsRefused)
        assert (refused.count, len(refused.refused)) == (39, 10)
        assert "and 29 more" in str(refused)


async def test_a_policy_of_ones_own() -> None:
    """``addresses=`` takes the place of the default, for endpoints from everywhere."""
    policy = AddressPolicy(allow=["127.0.0.1"], private=False)
    source = Scripted(["http://127.0.0.1", A])
    site = Site(source, addresses=policy)
    async with site.running():
        assert site.urls == ["http://127.0.0.1"]
        assert [each.policy for each in site.upstream.endpoints] == [policy]
        with pytest.raises(ValueError, match=r"endpoints: http://10.0.0.1 is refused: 10.0.0.1 is private"):
            site.upstream.add(A)
        with pytest.raises(ValueError, match="refused"):
            site.upstream.replace("http://127.0.0.2")
        assert site.urls == ["http://127.0.0.1"]
        site.upstream.add("http://8.8.8.8")
    with pytest.raises(ValueError, match="refused"):
        Upstream("http://127.0.0.2", addresses=policy, transport=FakeTransport())


async def test_what_the_program_names_is_trusted() -> None:
    """Without ``addresses=``, endpoints of the program's own are not looked at, beside those of a source, which are."""
    site = Site(Scripted(), "http://127.0.0.1")
    async with site.running():
        assert [each.policy for each in site.upstream.endpoints] == [None]
        (added,) = site.upstream.add("http://127.0.0.2")
        assert added.policy is None


# Floods.


async def test_a_flood() -> None:
    """A source that always has another set starves nobody: ten sets in a second are put in place at most, the newest
    ones, and in between the event loop has its turn."""
    given = 0

    async def flood() -> AsyncIterator[list[str]]:
        nonlocal given
        while True:
            given += 1
            yield [f"http://10.0.0.1:{1 + given % 60000}"]

    bound = 0

    class Counting(RoundRobin):
        def bind(self, snapshot: Any) -> Any:
            nonlocal bound
            bound += 1
            return super().bind(snapshot)

    site = Site(flood, balancer=Counting())
    async with site.running():
        start = site.clock.now()
        while site.clock.now() < start + 1:
            await site.clock.advance_async(0.01)
        assert 9 <= bound <= 12
        assert given <= 102
        newest = site.upstream.endpoints[0].port
        assert given - newest <= 11


async def test_of_many_sets_the_last_counts() -> None:
    """Sets that come while one is too fresh to be replaced give way to the newest, also if the source ends or fails
    then."""
    for end in (END, OSError("lost")):
        source = Scripted([A])
        site = Site(source)
        async with site.running():
            source.say([B], [C], [A, C], end)
            await site.passes(lambda source=source: source.closed == 1)  # type: ignore[misc]
            assert site.urls == [A, C]
            assert len(site.told(MembersChanged)) == 2


async def test_a_stop_amid_a_flood() -> None:
    """Nothing is put in place after the stop, and no timer is left."""
    source = Scripted([A])
    site = Site(source)
    async with site.running():
        source.say([B])
        await until(lambda: site.clock.waiting > 0)
        site.clock.advance(0.01)
        await until(source.queue.empty)
    assert site.clock.waiting == 0
    site.clock.advance(1)
    assert site.urls == [A]
    assert source.closed == 1


def test_what_is_no_source() -> None:
    """Neither a source nor what gives one is refused; and so is what is no policy."""
    with pytest.raises(TypeError, match="source"):
        Upstream(discovery=["http://a"], transport=FakeTransport())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="addresses"):
        Upstream(A, addresses="10.0.0.0/8", transport=FakeTransport())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        Upstream(transport=FakeTransport())


async def test_names() -> None:
    """An upstream is called as its source is, if nothing else; what it is made of shows."""
    upstream = Upstream(discovery=Scripted([A]), transport=FakeTransport())
    assert upstream.name == "scripted"
    assert "Scripted()" in repr(upstream)
    assert repr(upstream._feed) == "<Feed Scripted() of scripted new>"
    assert Upstream(A, discovery=Scripted([A]), transport=FakeTransport()).name == A


async def test_a_source_that_owns_something() -> None:
    """A source that is a component is started before it is asked, and stopped after."""
    from revproxy import Component

    order: list[str] = []

    class Owner(Component, Discovery):
        name = "owner"

        async def start(self) -> None:
            order.append("start")

        async def stop(self) -> None:
            order.append("stop")

        async def snapshots(self) -> AsyncIterator[Found]:
            order.append("asked")
            yield [A]

    async with Site(Owner()).running():
        pass
    assert order == ["start", "asked", "stop"]


LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]

STEP = st.one_of(
    st.lists(st.sampled_from([A, B, C]), max_size=3),
    st.sampled_from([OSError("x"), DiscoveryFailed("y"), "http://a", None, ["ftp://x"], ["http://127.0.0.1"], END]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STEP, st.floats(0, 3)), max_size=12))
def test_whatever_a_source_says(loop_factory: LoopFactory, steps: list[tuple[Any, float]]) -> None:
    """Members are always a good set that was given; failures and recoveries take turns; nothing is left."""

    async def run() -> None:
        source = Scripted([A])
        site = Site(source)
        good = [[A]]
        async with site.running():
            for step, seconds in steps:
                source.say(step)
                is_set = isinstance(step, list) and step and all(each in (A, B, C) for each in step)
                if is_set and len(set(step)) == len(step):
                    good.append(step)
                await site.clock.advance_async(seconds)
                assert site.urls in good
            for _ in range(40):
                if site.upstream._feed is None or site.upstream._feed._task is None or site.upstream._feed._task.done():
                    break
                await site.clock.advance_async(30)
        told = [None, *(each for each in site.events if isinstance(each, SourceFailed | SourceRecovered))]
        for before, after in pairwise(told):
            if isinstance(after, SourceRecovered):
                assert isinstance(before, SourceFailed)
            elif isinstance(before, SourceFailed) and after is not None:
                assert after.error != before.error
        assert source.opened == source.closed
        assert site.clock.waiting == 0

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())


def iterate(values: list[Any]) -> Iterator[Any]:
    yield from values


async def test_any_iterable_is_a_set() -> None:
    """A set, a tuple, a generator, keys of a dict."""
    source = Scripted(iterate([A, B]))
    site = Site(source)
    async with site.running():
        assert site.urls == [A, B]
        source.say({C: 1}.keys())
        await site.passes(lambda: site.urls == [C])
