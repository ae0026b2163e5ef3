"""Endpoints that come and go while an upstream runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from revproxy import Endpoint, Exchange, Response, Upstream
from revproxy.balancers import P2C, First, PeakEwma, RoundRobin
from revproxy.errors import NoEndpoint
from revproxy.exchange import Attempt
from revproxy.members import MembersChanged
from revproxy.slow_start import SlowStart
from revproxy.testing import FakeClock, FakeTransport, exchange


def upstream(*urls: str | Endpoint, **options: object) -> Upstream:
    return Upstream(*urls, transport=FakeTransport(), **options)  # type: ignore[arg-type]


async def chosen(subject: Upstream, count: int = 1) -> Counter[str]:
    """Which endpoints ``count`` requests go to, one after the other."""
    names: Counter[str] = Counter()
    for _ in range(count):
        asked = exchange()
        await subject(asked)
        names[asked.attempts[0].endpoint.name] += 1
        asked.finish()
    return names


async def test_add() -> None:
    """What is added gets its share from the next request on."""
    subject = upstream("http://a", balancer=RoundRobin())
    (b,) = subject.add("http://b")
    assert b in subject.endpoints
    assert await chosen(subject, 4) == {"http://a": 2, "http://b": 2}


async def test_remove() -> None:
    """What is removed gets nothing more; what is in flight there is not disturbed, and is waited for."""
    subject = upstream("http://a", "http://b", balancer=First())
    a, b = subject.endpoints
    asked = exchange()
    await subject(asked)
    subject.remove(a)
    assert await chosen(subject, 3) == {"http://b": 3}
    waiting = asyncio.create_task(subject.drained(a))
    await asyncio.sleep(0)
    assert (waiting.done(), a.in_flight) == (False, 1)
    asked.finish()
    await asyncio.wait_for(waiting, 5)
    assert (a.in_flight, subject.endpoints) == (0, (b,))


async def test_drain() -> None:
    """What drains gets nothing new and stays a member; two may wait for it; when nothing is in flight nobody waits."""
    subject = upstream("http://a", "http://b", balancer=First())
    a, b = subject.endpoints
    asked = exchange()
    await subject(asked)
    subject.drain(a)
    assert await chosen(subject, 2) == {"http://b": 2}
    waiting = [asyncio.create_task(subject.drained(a)) for _ in range(2)]
    await asyncio.sleep(0)
    asked.finish()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    await asyncio.wait_for(subject.drained(b), 5)
    assert subject.endpoints == (a, b)


async def test_replace_keeps_who_is_named_again() -> None:
    """A member whose URL is named again is the same object, with all that is known of it; an ``Endpoint`` of that URL
    brings its settings, a URL alone leaves them."""
    subject = upstream(Endpoint("http://a", weight=3, zone="x"), "http://b", Endpoint("http://c", weight=2))
    a, b, c = subject.endpoints
    a.in_flight = 7
    subject.replace("http://a", Endpoint("http://c", weight=5, name="third"), "http://d")
    assert subject.endpoints[:2] == (a, c)
    assert (a.in_flight, a.weight, a.zone, c.weight, c.name) == (7, 3, "x", 5, "third")
    assert b not in subject.endpoints


async def test_statistics_survive() -> None:
    """Law of membership: what a load has learnt of one endpoint outlives a change that keeps it."""
    load = PeakEwma(clock=FakeClock())
    subject = upstream("http://a", "http://b", balancer=P2C(load))
    a, _ = subject.endpoints
    asked = exchange()
    while not asked.attempts or asked.attempts[-1].endpoint is not a:
        asked = exchange()
        await subject(asked)
        asked.attempts[0].first_byte = asked.attempts[0].started + 4
        asked.finish()
    learnt = load._averages[a].value
    subject.add("http://c")
    subject.replace("http://a", "http://d")
    assert (learnt, load._averages[a].value) == (4.0, 4.0)
    assert set(load._averages) == set(subject.endpoints)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda subject: subject.add("http://a"), "named twice"),
        (lambda subject: subject.add("ftp://x"), "neither http"),
        (lambda subject: subject.remove(*subject.endpoints), "at least one"),
        (lambda subject: subject.remove(Endpoint("http://a")), "no member"),
        (lambda subject: subject.drain(Endpoint("http://x")), "no member"),
        (lambda subject: subject.replace(), "at least one"),
        (lambda subject: subject.replace("http://x", "http://x"), "named twice"),
        (
            lambda subject: subject.replace(Endpoint("http://a", weight=65537), Endpoint("http://b", weight=2)),
            "weights",
        ),
        (lambda subject: subject.weigh({subject.endpoints[0]: 0}), "weight"),
        (lambda subject: subject.weigh({subject.endpoints[0]: 65537, subject.endpoints[1]: 2}), "weights"),
        (lambda subject: subject.weigh({Endpoint("http://a"): 2}), "no member"),
    ],
)
async def test_what_is_refused_changes_nothing(change: object, why: str) -> None:
    """Bad input is a ``ValueError`` that says why, and everything stays as it was."""
    subject = upstream(Endpoint("http://a", weight=2), "http://b", balancer=RoundRobin())
    before = [(each, each.weight, each.state) for each in subject.endpoints]
    with pytest.raises(ValueError, match=why):
        change(subject)  # type: ignore[operator]
    assert [(each, each.weight, each.state) for each in subject.endpoints] == before
    assert await chosen(subject, 6) == {"http://a": 4, "http://b": 2}


async def test_weigh() -> None:
    """Weights change while it runs."""
    subject = upstream("http://a", "http://b", balancer=RoundRobin())
    a, _ = subject.endpoints
    subject.weigh({a: 3})
    assert await chosen(subject, 8) == {"http://a": 6, "http://b": 2}


async def test_replaced_while_it_is_asked() -> None:
    """A hundred replacements among requests that are in flight: none fails, none is lost."""
    release = asyncio.Event()

    async def late(_: object) -> Response:
        await release.wait()
        return Response(200)

    subject = Upstream("http://0", balancer=P2C(rng=Random(1)), transport=FakeTransport(late))
    asked: list[Exchange] = []
    tasks = []
    for number in range(100):
        asked.append(exchange())
        tasks.append(asyncio.create_task(subject(asked[-1])))
        await asyncio.sleep(0)
        subject.replace(f"http://{number}", f"http://{number + 1}")
    everybody = {attempt.endpoint for each in asked for attempt in each.attempts}
    release.set()
    assert {response.status for response in await asyncio.gather(*tasks)} == {200}
    for each in asked:
        each.finish()
    assert {each.in_flight for each in everybody} == {0}


async def test_slow_start() -> None:
    """What is added gets a share that grows to its own over the window; what was there at first has all of it."""
    clock = FakeClock()
    subject = upstream("http://a", balancer=RoundRobin(), slow_start=SlowStart(window=10), clock=clock, rng=Random(1))
    assert subject.endpoints[0].ramp is None
    (b,) = subject.add("http://b")
    since = clock.now()
    for seconds, share in ((0, 0.1), (5, 0.5), (9, 0.9), (10, 1.0), (100, 1.0)):
        clock.advance(since + seconds - clock.now())
        counts = await chosen(subject, 4000)
        assert counts["http://b"] / 2000 == pytest.approx(share, abs=0.05)
    assert b.ramp is None


async def test_slow_start_where_nobody_else_accepts() -> None:
    """A cold endpoint gets all of it where there is no other."""
    subject = upstream("http://a", slow_start=SlowStart(), rng=Random(1), clock=FakeClock())
    a, b = (*subject.endpoints, *subject.add("http://b"))
    subject.drain(a)
    assert await chosen(subject, 20) == {"http://b": 20}
    subject.drain(b)
    with pytest.raises(NoEndpoint):
        await chosen(subject)


@pytest.mark.parametrize(
    "bad", [{"window": 0}, {"window": float("inf")}, {"aggression": -1}, {"least": 0}, {"least": 2}]
)
def test_bad_slow_start(bad: dict[str, float]) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=next(iter(bad))):
        SlowStart(**bad)


def test_shares() -> None:
    """Envoy's formula: at least ``least``, then the power of what has passed."""
    assert [SlowStart(window=10, aggression=2).share(t) for t in (-1, 0, 2.5, 10, 20)] == [0.1, 0.1, 0.5, 1.0, 1.0]


# What is told.


async def test_changes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """Who has joined and who has left, once a change; nothing where the members stay the same."""
    subject = upstream("http://a.test", "http://b.test", name="site")
    caplog.set_level("INFO", "revproxy.event")
    subject.replace("http://b.test", "http://c.test", "http://d.test")
    subject.weigh({subject.endpoints[0]: 3})
    subject.replace("http://d.test", "http://c.test", "http://b.test")
    (event,) = [record.event for record in caplog.records]  # type: ignore[attr-defined]
    assert event == MembersChanged("site", ("http://c.test", "http://d.test"), ("http://a.test",), 3)
    assert caplog.messages == ["site: joined by http://c.test, http://d.test, left by http://a.test; 3 endpoints"]


def test_many_are_told_shortly() -> None:
    """Of many names there are a few; the event has all."""
    event = MembersChanged("site", tuple(f"n{number}" for number in range(100)), (), 100)
    assert str(event) == "site: joined by n0, n1, n2, n3, n4, n5, n6, n7 and 92 more; 100 endpoints"


async def test_one_who_gives_up_waiting_leaves_the_others() -> None:
    """Of two who wait until an endpoint is empty, one that is cancelled takes nothing from the other; so does an
    upstream that has the same endpoint."""
    gate = asyncio.Event()

    async def answer(attempt: Attempt) -> Response:
        await gate.wait()
        return Response(200)

    endpoint = Endpoint("http://a.test")
    one = Upstream(endpoint, name="one", transport=FakeTransport(answer))
    other = Upstream(endpoint, name="other", transport=FakeTransport(answer))
    asked = exchange()
    asking = asyncio.create_task(other(asked))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(one.drained(endpoint)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    gate.set()
    await asking
    asked.finish()
    await asyncio.wait_for(waiting[1], 5)
    assert endpoint.waiting == []


async def test_drained_and_back() -> None:
    """What drains takes requests again when it is told to."""
    subject = upstream("http://a.test", balancer=RoundRobin())
    (endpoint,) = subject.endpoints
    subject.drain(endpoint)
    with pytest.raises(NoEndpoint):
        await chosen(subject)
    subject.resume(endpoint)
    assert await chosen(subject) == {"http://a.test": 1}
    with pytest.raises(ValueError, match="no member"):
        subject.resume(Endpoint("http://b.test"))
