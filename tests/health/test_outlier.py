"""Who is ejected for what comes of attempts, for how long, and what never counts (algorithms row 6, S-57)."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint, ProxyError, Response, Upstream
from revproxy.balancers import First, RoundRobin
from revproxy.errors import BadRequest, ConnectFailed, ConnectionLost, QueueFull, ResponseTimeout, Truncated
from revproxy.exchange import Attempt
from revproxy.health import Eject, OutlierDetection, Verdict
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, reset

from ..e2e.wire import GET, serving


def unasked(verdict: Verdict) -> None:
    raise AssertionError(f"it says {verdict} other than by what it is asked")


class Watched:
    """A policy with its members, fed by hand."""

    def __init__(self, count: int = 6, **options: object) -> None:
        self.clock = FakeClock()
        self.members = tuple(Endpoint(f"http://{number}.test") for number in range(count))
        options.setdefault("jitter", 0.0)
        self.policy = OutlierDetection(clock=self.clock, rng=Random(1), **options)  # type: ignore[arg-type]
        self.policy.bind(self.members, unasked)
        self._clients = 0

    def settles(
        self,
        number: int,
        status: int | None = None,
        error: ProxyError | None = None,
        *,
        client: str | None = None,
        seconds: float = 0.01,
    ) -> Verdict | None:
        self._clients += 1
        asked = exchange(client=client or f"10.{self._clients >> 16}.{self._clients >> 8 & 255}.{self._clients & 255}")
        attempt = Attempt(self.members[number], asked, asked.request, 1, self.clock.now())
        attempt.status, attempt.error = status, error
        if status is not None:
            attempt.first_byte = attempt.started + seconds
        return self.policy.settled(attempt)

    def judged(self) -> list[Verdict]:
        return list(self.policy.judge(self.members, self.clock.now()))


@pytest.mark.parametrize(
    ("status", "error", "option"),
    [
        (500, None, "consecutive_5xx"),
        (599, None, "consecutive_5xx"),
        (503, None, "consecutive_gateway"),
        (None, ConnectFailed("x"), "consecutive_local"),
        (None, ConnectionLost("x"), "consecutive_local"),
        (None, ResponseTimeout("x"), "consecutive_local"),
        (200, Truncated("x"), "consecutive_local"),
    ],
)
def test_in_a_row(status: int | None, error: ProxyError | None, option: str) -> None:
    """So many of a kind eject at once, and one success between them begins anew; 0 is never."""
    others = {name: 0 for name in ("consecutive_5xx", "consecutive_gateway", "consecutive_local") if name != option}
    subject = Watched(**others)
    for _ in range(4):
        assert subject.settles(0, status, error) is None
        assert subject.settles(1, 200) is None
    assert subject.settles(0, 204) is None
    for _ in range(4):
        assert subject.settles(0, status, error) is None
    verdict = subject.settles(0, status, error)
    assert isinstance(verdict, Eject)
    assert (verdict.endpoint, verdict.seconds) == (subject.members[0], 30.0)
    assert "5 " in verdict.why
    never = Watched(consecutive_5xx=0, consecutive_gateway=0, consecutive_local=0)
    assert [never.settles(0, status, error) for _ in range(50)] == [None] * 50


def test_kinds_are_counted_apart() -> None:
    """Answers from 500 to 599 that are no gateway's, and attempts without an answer, do not add up."""
    subject = Watched()
    for _ in range(4):
        assert subject.settles(0, None, ConnectFailed("x")) is None
    for _ in range(4):
        assert subject.settles(0, 500) is None
    assert isinstance(subject.settles(0, 500), Eject)


@pytest.mark.parametrize("error", [None, QueueFull("x"), BadRequest("x")])
def test_what_says_nothing_of_the_server(error: ProxyError | None) -> None:
    """A client that went away, what the client did, and what the proxy lacks neither count nor break a row."""
    subject = Watched()
    for _ in range(4):
        subject.settles(0, 500)
    for _ in range(100):
        assert subject.settles(0, None, error) is None
    assert isinstance(subject.settles(0, 500), Eject)


def test_one_client_cannot_eject() -> None:
    """S-57: one client's failures count so often an interval at most, and his being many is bounded."""
    subject = Watched(consecutive_5xx=20, per_client=10)
    for _ in range(1000):
        assert subject.settles(0, 500, client="192.0.2.1") is None
    for _ in range(9):
        assert subject.settles(0, 500) is None
    assert isinstance(subject.settles(0, 500), Eject)


def test_one_clients_row() -> None:
    """S-57: where others are served a row that is one client's alone ejects nobody, however long it is; with another
    client's failure it is no longer his alone. Where nobody else is known to be served it ejects."""
    subject = Watched(per_client=1000)
    for _ in range(20):
        subject.settles(0, 200)
    for _ in range(100):
        assert subject.settles(0, 500, client="192.0.2.1") is None
    assert isinstance(subject.settles(0, 500), Eject)
    alone = Watched()
    for _ in range(20):
        alone.settles(0, 200, client="192.0.2.1")
    for _ in range(4):
        assert alone.settles(0, 500, client="192.0.2.1") is None
    assert isinstance(alone.settles(0, 500, client="192.0.2.1"), Eject)


def test_a_slow_one_that_gets_little() -> None:
    """A balancer that looks at loads gives a slow server less: a quarter of the requests is enough to see it, but not
    less, and the others' median is that of those that are busy."""
    for asked, ejected in ((24, False), (25, True)):
        subject = Watched(latency=3.0, hosts=5, requests=100)
        for number in range(1, 6):
            for _ in range(100):
                subject.settles(number, 200, seconds=0.01)
        for _ in range(asked):
            subject.settles(0, 200, seconds=0.1)
        assert [verdict.endpoint for verdict in subject.judged()] == [subject.members[0]] * ejected


def test_time_grows_and_shrinks() -> None:
    """``min(base * k, most)``; one is forgiven in each interval without an ejection, but in none of which it was out
    for a part: else a server that fails as soon as it is back would hardly be out for longer each time."""
    subject = Watched(consecutive_5xx=1, base=30.0, most=100.0)

    def again() -> float | None:
        verdict = subject.settles(0, 500)
        assert isinstance(verdict, Eject)
        subject.clock.advance(verdict.seconds or 0)
        return verdict.seconds

    assert [again() for _ in range(5)] == [30, 60, 90, 100, 100]
    for _ in range(1 + 4):
        subject.judged()
    assert again() == 60
    for _ in range(10):
        subject.judged()
    assert again() == 30


def test_a_part_of_an_interval_forgives_nothing() -> None:
    """Algorithms row 6: who comes back in the middle of an interval, and fails again after it, has not been well for a
    whole one; who does so after two has."""
    subject = Watched(consecutive_5xx=1, interval=10.0, base=15.0)
    assert getattr(subject.settles(0, 500), "seconds", 0.0) == 15
    for _ in range(2):  # it is back after 15 s, in the second interval
        subject.clock.advance(10)
        assert subject.judged() == []
    assert getattr(subject.settles(0, 500), "seconds", 0.0) == 30
    for _ in range(4):  # back as the third ends, and well in the fourth
        subject.clock.advance(10)
        assert subject.judged() == []
    assert getattr(subject.settles(0, 500), "seconds", 0.0) == 30


def test_what_is_not_carried_out_does_not_count() -> None:
    """An endpoint that was not ejected, as another one is, has its first time before it, and is judged at once."""
    clock = FakeClock()
    policy = OutlierDetection(consecutive_local=1, clock=clock, jitter=0)
    upstream = Upstream("http://a.test", "http://b.test", health=[policy], clock=clock, transport=FakeTransport())
    first, second = upstream.endpoints

    def fails(endpoint: Endpoint) -> None:
        asked = exchange()
        attempt = Attempt(endpoint, asked, asked.request, 1, clock.now())
        attempt.error = ConnectFailed("x")
        upstream.settle(attempt)

    fails(first)
    for _ in range(5):
        fails(second)
    assert (first.held, second.held) == (True, False)
    clock.advance(30)
    fails(second)
    assert second.held
    clock.advance(30)
    assert not second.held


def test_jitter() -> None:
    """Up to a share more, by chance."""
    subject = Watched(consecutive_5xx=1, jitter=0.5, base=10.0, most=10.0)
    times = [getattr(subject.settles(0, 500), "seconds", 0.0) for _ in range(200)]
    assert 10 <= min(times) < 10.5
    assert 14.5 < max(times) <= 15


def test_success_rate() -> None:
    """An endpoint whose rate is far below the mean is ejected, where enough have had enough requests."""
    for hosts, requests, ejected in ((6, 100, 1), (4, 100, 0), (6, 99, 0)):
        subject = Watched(hosts, failure_share=0, consecutive_5xx=0)
        for number in range(hosts):
            for turn in range(requests):
                subject.settles(number, 500 if number == 0 and turn % 2 else 200)
        verdicts = subject.judged()
        assert [verdict.endpoint for verdict in verdicts] == list(subject.members[:ejected])
        assert subject.judged() == []  # a new interval


def test_all_alike() -> None:
    """What fails everywhere is nobody's fault."""
    subject = Watched(failure_share=0, consecutive_5xx=0)
    for number in range(6):
        for turn in range(200):
            subject.settles(number, 500 if turn % 2 else 200)
    assert subject.judged() == []


def test_failure_share() -> None:
    """Whatever the others do; with half of the requests."""
    subject = Watched(2, success_rate=0, consecutive_5xx=0)
    for turn in range(50):
        subject.settles(0, 500 if turn < 43 else 200)
        subject.settles(1, 500 if turn < 42 else 200)
    (verdict,) = subject.judged()
    assert isinstance(verdict, Eject)
    assert (verdict.endpoint, verdict.why) == (subject.members[0], "43 of 50 attempts failed")


def test_latency() -> None:
    """A mean far above the median of all; off by default."""
    for latency, ejected in ((0.0, 0), (3.0, 1)):
        subject = Watched(latency=latency)
        for number in range(6):
            for _ in range(100):
                subject.settles(number, 200, seconds=0.5 if number == 0 else 0.1)
        assert [verdict.endpoint for verdict in subject.judged()] == list(subject.members[:ejected])


def test_members_come_and_go() -> None:
    """Those that stay keep their record, those that left have none, and attempts at them mean nothing."""
    subject = Watched()
    for number in (0, 1):
        for _ in range(4):
            subject.settles(number, 500)
    subject.policy.bind(subject.members[1:], unasked)
    assert subject.settles(0, 500) is None
    assert isinstance(subject.settles(1, 500), Eject)
    with pytest.raises(ValueError, match="serves one upstream"):
        subject.policy.bind(subject.members, lambda verdict: None)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([200, 404, 500, 502, None])), max_size=300))
def test_whatever_comes(steps: list[tuple[int, int | None]]) -> None:
    """Through a ward: never more than the share, never all, and in time everybody is back."""
    clock = FakeClock()
    policy = OutlierDetection(consecutive_5xx=2, consecutive_local=2, max_ejected=0.34, clock=clock)
    upstream = Upstream(
        *[f"http://{number}.test" for number in range(6)],
        health=[policy],
        clock=clock,
        panic=0,
        transport=FakeTransport(),
    )
    asked = exchange()
    for number, status in steps:
        attempt = Attempt(upstream.endpoints[number], asked, asked.request, 1, clock.now())
        attempt.status, attempt.error = status, None if status else ConnectFailed("x")
        upstream.settle(attempt)
        assert sum(each.held for each in upstream.endpoints) <= 2
        clock.advance(0.1)
    clock.advance(1000)
    assert not any(each.held for each in upstream.endpoints)


async def test_over_real_connections() -> None:
    """A server that resets is left out after so many requests, and clients see no more of it."""
    async with FakeUpstream() as sick, FakeUpstream() as well:
        sick.always(reset())
        upstream = Upstream(sick.url, well.url, balancer=RoundRobin(), health=[OutlierDetection(consecutive_local=3)])
        async with serving(upstream) as site:
            statuses = [(await site.ask(GET)).status for _ in range(40)]
    assert statuses.count(502) == 3
    assert statuses[-20:] == [200] * 20


async def test_clients_that_leave() -> None:
    """S-57: however many clients go away before the answer, nobody is ejected."""
    from revproxy.testing import stall

    async with FakeUpstream() as server:
        server.always(stall())
        upstream = Upstream(server.url, "http://127.0.0.1:1", balancer=RoundRobin(), health=[OutlierDetection()])
        upstream.drain(upstream.endpoints[1])
        async with serving(upstream) as site:
            for count in range(1, 21):
                async with site.connect() as client:
                    await client.send(GET)
                    await server.wait_requests(count)
        assert not upstream.endpoints[0].held


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"consecutive_5xx": -1}, "consecutive_5xx"),
        ({"consecutive_local": 1.5}, "consecutive_local"),
        ({"success_rate": -1}, "success_rate"),
        ({"failure_share": 2}, "failure_share"),
        ({"latency": 0.5}, "latency"),
        ({"interval": 0}, "interval"),
        ({"hosts": 0}, "hosts"),
        ({"requests": True}, "requests"),
        ({"base": 0}, "base"),
        ({"base": 10, "most": 5}, "base"),
        ({"jitter": -0.1}, "jitter"),
        ({"max_ejected": 1.1}, "max_ejected"),
        ({"per_client": 0}, "per_client"),
    ],
)
def test_nonsense(options: dict[str, object], says: str) -> None:
    """A threshold that is none is refused, with its value."""
    with pytest.raises(ValueError, match=says):
        OutlierDetection(**options)  # type: ignore[arg-type]


async def test_an_answer_in_between() -> None:
    """Nobody is ejected for what he does now and then."""
    answers = iter([500, 200] * 50)
    upstream = Upstream(
        "http://a.test",
        "http://b.test",
        balancer=First(),
        health=[OutlierDetection()],
        transport=FakeTransport(lambda _: Response(next(answers))),
    )
    for _ in range(100):
        asked = exchange()
        await upstream(asked)
        asked.finish()
    assert not any(each.held for each in upstream.endpoints)
