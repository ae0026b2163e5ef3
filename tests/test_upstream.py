"""An upstream: acquire, send, release, over a transport without a network."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Attempt, Endpoint, Exchange, Limits, Observer, Response, Timeouts, Tls, Upstream
from revproxy.balancers import P2C, Balancer, Order, RoundRobin, Snapshot
from revproxy.endpoint import EndpointState
from revproxy.errors import ConnectFailed, InternalError, NoEndpoint, ProxyError, ResponseTimeout
from revproxy.handler import Component, running, walk
from revproxy.observer import hooks
from revproxy.testing import FakeClock, FakeTransport, exchange

from .conftest import LoopFactory


class Listed(Balancer):
    """The endpoints as they stand, and what the upstream tells of itself."""

    def __init__(self) -> None:
        self.bound: list[tuple[Endpoint, ...]] = []
        self.attempts: list[Attempt] = []

    def bind(self, snapshot: Snapshot) -> Order:
        self.bound.append(snapshot.endpoints)
        return lambda exchange: snapshot.endpoints

    def settled(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)


class Hooked(Observer):
    """Writes down what attempts come to."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int, object]] = []

    def attempted(self, attempt: Attempt) -> None:
        self.entries.append(("attempted", attempt.number, attempt.endpoint.in_flight))

    def settled(self, attempt: Attempt) -> None:
        self.entries.append(("settled", attempt.number, attempt.error or attempt.status))


def watched() -> tuple[Exchange, Hooked]:
    """An exchange, and who is told of it."""
    subject, observer = exchange(), Hooked()
    subject.hooks = hooks([observer])
    return subject, observer


# Composing.


@pytest.mark.parametrize(
    ("compose", "said"),
    [
        (lambda: Upstream(), "endpoints: an upstream needs at least one"),
        (lambda: Upstream("http://a.test", "http://a.test"), "endpoints: one is named twice in ['http://a.test'"),
        (lambda: Upstream(*[Endpoint("http://a.test")] * 2), "endpoints: one is named twice in ['http://a.test'"),
        (lambda: Upstream("http://a.test", Endpoint("http://a.test", weight=2)), "endpoints: one is named twice in"),
        (lambda: Upstream("ftp://a.test"), "url: 'ftp://a.test' is neither http:, https: nor unix:"),
        (lambda: Upstream("a.test:80"), "url: 'a.test:80'"),
        (lambda: Upstream(""), "url: ''"),
        (
            lambda: Upstream("http://a.test", timeouts=Timeouts(head=-1)),
            "Timeouts.head must be above 0 and finite, got -1",
        ),
        (lambda: Upstream("http://a.test", limits=Limits(connections=0)), "Limits.connections must be above 0"),
        *(
            (
                lambda given=given: Upstream("http://a.test", transport=FakeTransport(), **given),
                "transport: timeouts, limits, tls and host belong to it",
            )
            for given in ({"timeouts": Timeouts()}, {"limits": Limits()}, {"tls": Tls()})
        ),
    ],
)
def test_bad_arguments(compose: Callable[[], Upstream], said: str) -> None:
    """Bad arguments are a ``ValueError`` that names parameter and value."""
    with pytest.raises(ValueError, match=re.escape(said)):
        compose()


@pytest.mark.parametrize(
    ("compose", "said"),
    [
        (lambda: Upstream(["http://a.test"]), "endpoints: URLs or Endpoint objects, one argument each, got ['http"),  # type: ignore[arg-type]
        (lambda: Upstream("http://a.test", balancer=P2C), "balancer: <class"),  # type: ignore[arg-type]
        (lambda: Upstream("http://a.test", balancer="p2c"), "balancer: 'p2c' is not a Balancer object"),  # type: ignore[arg-type]
    ],
)
def test_wrong_kinds(compose: Callable[[], Upstream], said: str) -> None:
    """What is of the wrong kind is a ``TypeError`` that says so at once, not an obscure one later."""
    with pytest.raises(TypeError, match=re.escape(said)):
        compose()


def test_a_balancer_of_two() -> None:
    """A balancer has the state of one upstream: a second one is refused, by name."""
    balancer = RoundRobin()
    Upstream("http://a.test", balancer=balancer)
    with pytest.raises(ValueError, match=r"serves 'http://a\.test' already"):
        Upstream("http://b.test", balancer=balancer)


async def test_a_foreign_endpoint() -> None:
    """An endpoint that a balancer makes up is not dialled: its own is not a member's state."""

    class Inventive(Balancer):
        def bind(self, snapshot: Snapshot) -> Order:
            return lambda exchange: [Endpoint("http://evil.test")]

    transport = FakeTransport()
    with pytest.raises(InternalError, match="which is none of its endpoints"):
        await Upstream("http://a.test", balancer=Inventive(), transport=transport)(exchange())
    assert transport.attempts == []


def test_names_and_members() -> None:
    """An upstream is called as it is told, else like its first endpoint; endpoints may be URLs or objects."""
    endpoint = Endpoint("http://b.test", name="b", weight=3)
    upstream = Upstream("http://a.test", endpoint)
    assert (upstream.name, upstream.endpoints[0].name, upstream.endpoints[1]) == (
        "http://a.test",
        "http://a.test",
        endpoint,
    )
    assert Upstream(endpoint).name == "b"
    assert Upstream(endpoint, name="api").name == "api"


def test_printed() -> None:
    """It prints its name, its balancer, and the state of its endpoints."""
    upstream = Upstream(
        "http://a.test", Endpoint("http://b.test", limit=5, weight=2), name="api", balancer=RoundRobin()
    )
    upstream.endpoints[1].in_flight = 3
    assert repr(upstream) == (
        "<Upstream api RoundRobin() ["
        "<Endpoint http://a.test active in_flight=0>, "
        "<Endpoint http://b.test active in_flight=3/5 weight=2>]>"
    )


def test_balances_by_two_choices() -> None:
    """Without a word about it the balancer is ``P2C``; one that is given is bound once, to all members in order."""
    assert isinstance(Upstream("http://a.test").balancer, P2C)
    balancer = Listed()
    upstream = Upstream("http://a.test", "http://b.test", balancer=balancer)
    assert upstream.balancer is balancer
    assert balancer.bound == [upstream.endpoints]


async def test_its_parts_live_with_it() -> None:
    """Transport and balancer, where they are components, are started and stopped."""
    diary: list[str] = []

    class Wire(FakeTransport, Component):
        async def start(self) -> None:
            diary.append("start")

        async def stop(self) -> None:
            diary.append("stop")

    upstream = Upstream("http://a.test", transport=Wire())
    assert upstream in list(walk(upstream))
    async with running(upstream):
        assert diary == ["start"]
    assert diary == ["start", "stop"]


# One exchange.


async def test_acquire_send_release() -> None:
    """While an exchange lasts its endpoint has it in flight; when it is over it is released, once."""
    clock, balancer, loads = FakeClock(), Listed(), []

    def answer(attempt: Attempt) -> Response:
        loads.append(attempt.endpoint.in_flight)
        clock.advance(2)
        return Response(201)

    transport = FakeTransport(answer)
    upstream = Upstream("http://a.test", balancer=balancer, transport=transport, clock=clock)
    subject, observer = watched()
    response = await upstream(subject)
    (endpoint,) = upstream.endpoints
    (attempt,) = subject.attempts
    assert (response.status, loads, endpoint.in_flight, balancer.attempts) == (201, [1], 1, [])
    assert transport.attempts == [attempt]
    assert (attempt.endpoint, attempt.exchange, attempt.request) == (endpoint, subject, subject.request)
    assert (attempt.number, attempt.started, attempt.ended) == (1, 1000.0, None)
    clock.advance(3)
    for _ in range(2):
        subject.finish()
        assert (endpoint.in_flight, attempt.ended, balancer.attempts) == (0, 1005.0, [attempt])
    assert observer.entries == [("attempted", 1, 1), ("settled", 1, 201)]


async def test_a_failure_releases_at_once() -> None:
    """An attempt that fails is released and settled before its error is raised, so that a retry finds the load as it
    is; the end of the exchange changes nothing more."""
    error = ConnectFailed("refused")
    balancer = Listed()
    upstream = Upstream("http://a.test", balancer=balancer, transport=FakeTransport(error))
    subject, observer = watched()
    with pytest.raises(ConnectFailed) as caught:
        await upstream(subject)
    assert caught.value is error
    (attempt,) = subject.attempts
    assert (attempt.error, attempt.endpoint.in_flight, balancer.attempts) == (error, 0, [attempt])
    subject.finish()
    assert (attempt.endpoint.in_flight, balancer.attempts) == (0, [attempt])
    assert observer.entries == [("attempted", 1, 1), ("settled", 1, error)]


@pytest.mark.parametrize("error", [LookupError("x"), RuntimeError("y")])
async def test_another_exception_is_released_in_the_end(error: Exception) -> None:
    """What is no ``ProxyError`` is raised as it is; the load ends with the exchange at the latest."""
    upstream = Upstream("http://a.test", transport=FakeTransport(error))
    subject = exchange()
    with pytest.raises(type(error)) as caught:
        await upstream(subject)
    assert caught.value is error
    subject.finish()
    assert upstream.endpoints[0].in_flight == 0


async def test_what_cannot_be_sent_is_our_own_fault() -> None:
    """F-28: a draft that must not reach the wire is an ``InternalError`` that names the upstream, no blame of its."""
    upstream = Upstream("http://a.test", name="api")
    subject = exchange()
    subject.request.headers["X-A"] = "a\nb"
    with pytest.raises(InternalError, match="api: control character in the value of X-A") as caught:
        await upstream(subject)
    assert isinstance(caught.value.__cause__, ValueError)
    subject.finish()
    assert upstream.endpoints[0].in_flight == 0
    assert subject.attempts[0].sent is False


async def test_a_cancelled_exchange_is_released() -> None:
    """A cancellation while the answer is waited for loses no place."""
    asked = asyncio.Event()

    async def never(attempt: Attempt) -> Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    upstream = Upstream("http://a.test", transport=FakeTransport(never))
    subject = exchange()
    task = asyncio.create_task(upstream(subject))
    await asked.wait()
    assert upstream.endpoints[0].in_flight == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    subject.finish()
    assert upstream.endpoints[0].in_flight == 0
    assert subject.attempts[0].error is None


async def test_attempts_are_numbered() -> None:
    """Every call is another attempt of the exchange, at other upstreams as well."""
    failing = Upstream("http://a.test", transport=FakeTransport(ResponseTimeout("slow")))
    working = Upstream("http://b.test", transport=FakeTransport())
    subject, observer = watched()
    with pytest.raises(ResponseTimeout):
        await failing(subject)
    await working(subject)
    assert [(each.number, each.endpoint.name) for each in subject.attempts] == [
        (1, "http://a.test"),
        (2, "http://b.test"),
    ]
    subject.finish()
    assert [entry[:2] for entry in observer.entries] == [
        ("attempted", 1),
        ("settled", 1),
        ("attempted", 2),
        ("settled", 2),
    ]


# Which endpoint.


async def test_the_first_that_accepts() -> None:
    """The balancer orders, the upstream takes the first that accepts: not one that is full, not one that drains."""
    full, draining, third = Endpoint("http://a.test", limit=2), Endpoint("http://b.test"), Endpoint("http://c.test")
    full.in_flight, draining.state = 2, EndpointState.DRAINING
    transport = FakeTransport()
    upstream = Upstream(full, draining, third, balancer=Listed(), transport=transport)
    await upstream(exchange())
    full.in_flight = 1
    await upstream(exchange())
    assert [attempt.endpoint for attempt in transport.attempts] == [third, full]


async def test_it_asks_no_further_than_needed() -> None:
    """The order is walked lazily: what stands behind the endpoint that is taken is not worked out."""
    walked: list[int] = []

    class Lazy(Listed):
        def bind(self, snapshot: Snapshot) -> Order:
            def order(exchange: Exchange) -> Iterable[Endpoint]:
                for number, endpoint in enumerate(snapshot.endpoints):
                    walked.append(number)
                    yield endpoint

            return order

    upstream = Upstream("http://a.test", "http://b.test", "http://c.test", balancer=Lazy(), transport=FakeTransport())
    upstream.endpoints[0].state = EndpointState.DRAINING
    await upstream(exchange())
    assert walked == [0, 1]


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_nobody_accepts(count: int) -> None:
    """F-82: where no endpoint accepts, ``NoEndpoint`` (503) names the upstream; it is no attempt."""
    upstream = Upstream(*(f"http://{each}.test" for each in range(count)), name="api", transport=FakeTransport())
    for endpoint in upstream.endpoints:
        endpoint.state = EndpointState.DRAINING
    subject, observer = watched()
    with pytest.raises(NoEndpoint, match=f"^api: none of {count} endpoints? accepts?") as caught:
        await upstream(subject)
    assert caught.value.status == 503
    assert (subject.attempts, observer.entries) == ([], [])


async def test_a_limit_is_kept_and_given_back() -> None:
    """An endpoint's ``limit`` counts exchanges until they are over; then its place is free again."""
    upstream = Upstream(Endpoint("http://a.test", limit=1), transport=FakeTransport())
    first, second = exchange(), exchange()
    await upstream(first)
    with pytest.raises(NoEndpoint):
        await upstream(second)
    first.finish()
    await upstream(second)
    second.finish()
    assert upstream.endpoints[0].in_flight == 0


async def test_a_balancer_that_does_not_learn_is_not_told() -> None:
    """``settled`` is called for who overrides it; its default would be no harm either."""
    upstream = Upstream("http://a.test", balancer=P2C(), transport=FakeTransport())
    subject, observer = watched()
    await upstream(subject)
    subject.finish()
    assert observer.entries[-1] == ("settled", 1, 200)
    P2C().settled(subject.attempts[0])


# No place is ever lost.

STEPS = st.lists(
    st.tuples(st.sampled_from(["begin", "answer", "fail", "raise", "cancel", "finish"]), st.integers(0, 5)), max_size=40
)


@given(steps=STEPS, limit=st.sampled_from([1, 2, None]))
def test_no_place_is_lost(steps: list[tuple[str, int]], limit: int | None, loop_factory: LoopFactory) -> None:
    """Law 4: whatever begins, is answered, fails, is cancelled and is over, in whatever order: in flight is what has
    begun and is not released, never more than the limit, and nothing in the end."""

    async def run() -> None:
        answers: dict[Attempt, asyncio.Future[Any]] = {}

        async def answer(attempt: Attempt) -> Response:
            answers[attempt] = asyncio.get_running_loop().create_future()
            response: Response = await answers[attempt]
            return response

        transport = FakeTransport(answer)
        balancer = Listed()
        upstream = Upstream(
            Endpoint("http://a.test", limit=limit),
            Endpoint("http://b.test", limit=limit),
            balancer=balancer,
            transport=transport,
        )
        subjects: list[Exchange] = []
        tasks: list[asyncio.Task[Response]] = []

        def check() -> None:
            held = [attempt for attempt in transport.attempts if attempt.ended is None]
            for endpoint in upstream.endpoints:
                assert endpoint.in_flight == sum(attempt.endpoint is endpoint for attempt in held)
                assert limit is None or endpoint.in_flight <= limit

        for step, which in steps:
            if step == "begin":
                subjects.append(exchange())
                tasks.append(asyncio.create_task(upstream(subjects[-1])))
            elif which < len(subjects):
                pending = [answers[each] for each in subjects[which].attempts if not answers[each].done()]
                if step == "answer" and pending:
                    pending[0].set_result(Response(200))
                elif step in ("fail", "raise") and pending:
                    pending[0].set_exception(ConnectFailed("x") if step == "fail" else LookupError("y"))
                elif step == "cancel":
                    tasks[which].cancel()
                elif step == "finish" and tasks[which].done():
                    subjects[which].finish()
            for _ in range(3):
                await asyncio.sleep(0)
            check()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, Response | ProxyError | LookupError | asyncio.CancelledError) for each in results)
        for subject in subjects:
            subject.finish()
        check()
        assert [endpoint.in_flight for endpoint in upstream.endpoints] == [0, 0]
        assert len(balancer.attempts) == len(set(balancer.attempts)) == len(transport.attempts)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())
