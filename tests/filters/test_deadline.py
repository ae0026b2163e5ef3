"""How long an exchange may take, who may ask for less, and who is told."""

from __future__ import annotations

import asyncio

import pytest

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Timeouts, Upstream
from revproxy.balancers import First
from revproxy.errors import DeadlineExceeded, ResponseTimeout
from revproxy.exchange import Attempt
from revproxy.filters import AdmissionControl, CircuitBreaker, Deadline, TimeLeft
from revproxy.health import CircuitState, OutlierDetection, Trip
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, stall

from ..e2e.wire import GET, serving


async def answer(exchange: Exchange) -> Response:
    return Response(204)


async def deadline_of(filter: Deadline, asked: Exchange) -> float:
    """Seconds that are left after ``filter``."""
    await filter(asked, answer)
    assert asked.deadline is not None
    return asked.deadline - 1000.0


async def test_the_earliest_holds() -> None:
    """A filter further in can only shorten what one outside has set."""
    clock = FakeClock()
    asked = exchange()
    assert await deadline_of(Deadline(5, clock=clock), asked) == 5
    assert await deadline_of(Deadline(9, clock=clock), asked) == 5
    assert await deadline_of(Deadline(2, clock=clock), asked) == 2


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        ("1500", "ms", 1.5),
        ("2", "s", 2),
        ("0.25", "s", 0.25),
        ("0", "ms", 0),
        ("60000", "ms", 10),
        ("999999999999", "s", 10),
    ],
)
async def test_who_is_trusted_may_ask_for_less(value: str, unit: str, seconds: float) -> None:
    """Never for more."""
    subject = Deadline(10, field="X-Timeout", unit=unit, trusted=["10.0.0.0/8"], clock=FakeClock())  # type: ignore[arg-type]
    assert await deadline_of(subject, exchange(client="10.1.2.3", headers={"X-Timeout": value})) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e3", "1,2", "0x10", "1" * 13, "\u0661", "1.", "+5", " 5 5"])
async def test_what_is_no_number(value: str) -> None:
    """It does not count, and breaks nothing."""
    subject = Deadline(10, field="X-Timeout", trusted=["10.0.0.0/8"], clock=FakeClock())
    assert await deadline_of(subject, exchange(client="10.1.2.3", headers={"X-Timeout": value})) == 10


async def test_others_may_not() -> None:
    """Neither clients, nor a Unix socket's, nor two opinions in one request."""
    subject = Deadline(10, field="X-Timeout", trusted=["10.0.0.0/8"], clock=FakeClock())
    for client in ("192.0.2.1", None):
        assert await deadline_of(subject, exchange(client=client, headers={"X-Timeout": "1"})) == 10
    two = exchange(client="10.1.2.3", headers=[("X-Timeout", "1"), ("X-Timeout", "2")])
    assert await deadline_of(subject, two) == 10


async def test_nothing_is_sent_when_it_is_over() -> None:
    """The upstream is not asked, no endpoint is blamed, and the client gets a 504."""
    clock, transport = FakeClock(), FakeTransport()
    upstream = Upstream("http://a.test", transport=transport, clock=clock)

    async def slow(asked: Exchange) -> Response:
        clock.advance(5)
        return await upstream(asked)

    asked = exchange()
    with pytest.raises(DeadlineExceeded) as raised:
        await Deadline(5, clock=clock)(asked, slow)
    assert raised.value.status == 504
    assert transport.attempts == asked.attempts == []


async def test_what_is_left_is_told() -> None:
    """In the unit that was chosen, anew at each attempt; a client's own field is gone."""
    clock, transport = FakeClock(), FakeTransport()
    upstream = Upstream("http://a.test", transport=transport, clock=clock)
    pipeline = Pipeline(
        TimeLeft("X-Timeout", clock=clock), TimeLeft("X-Seconds", unit="s", clock=clock), handler=upstream
    )

    async def twice(asked: Exchange) -> Response:
        seen.append(transport.attempts[-1].request.headers["X-Timeout"] if transport.attempts else "")
        return await pipeline(asked)

    seen: list[str] = []
    asked = exchange(headers={"X-Timeout": "99999"})
    await Deadline(2, clock=clock)(asked, twice)
    assert asked.request.headers["X-Timeout"] == "2000"
    assert asked.request.headers["X-Seconds"] == "2.000"
    clock.advance(0.5)
    await pipeline(asked)
    assert asked.request.headers["X-Timeout"] == "1500"
    clock.advance(100)
    with pytest.raises(DeadlineExceeded):
        await pipeline(asked)
    assert asked.request.headers["X-Timeout"] == "0"
    plain = exchange(headers={"X-Timeout": "99999"})
    await pipeline(plain)
    assert "X-Timeout" not in plain.request.headers


async def test_over_real_connections() -> None:
    """A server that accepts and never answers: 504 when the time is over, the connection closed, nothing left."""
    async with FakeUpstream() as server:
        server.always(stall())
        upstream = Upstream(server.url, timeouts=Timeouts(head=60))
        async with serving(ProxyHandler(upstream, filters=[Deadline(0.2)])) as site:
            started = asyncio.get_running_loop().time()
            assert (await site.ask(GET)).status == 504
            assert 0.15 < asyncio.get_running_loop().time() - started < 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"seconds": 0}, "seconds"),
        ({"seconds": float("inf")}, "seconds"),
        ({"seconds": 1, "field": "X-T"}, "field and trusted"),
        ({"seconds": 1, "trusted": ["10.0.0.0/8"]}, "field and trusted"),
        ({"seconds": 1, "field": "a b", "trusted": ["10.0.0.0/8"]}, "field: 'a b'"),
        ({"seconds": 1, "field": "X-T", "trusted": ["10.0.0.1/8"]}, "networks"),
        ({"seconds": 1, "unit": "min"}, "unit must be one of"),
    ],
)
def test_bad_settings(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Deadline(**options)  # type: ignore[arg-type]


def test_printed() -> None:
    assert repr(Deadline(2.5, field="X-T", trusted=["10.0.0.0/8"])) == "Deadline(2.5, field='X-T')"
    assert repr(TimeLeft("X-T")) == "TimeLeft('X-T', unit='ms')"
    with pytest.raises(ValueError, match="field"):
        TimeLeft("")


async def test_a_peer_that_is_in_a_hurry() -> None:
    """S-57: that a peer's own time was over is held against nobody: no server is ejected, no circuit opens, and nobody
    is refused for it. That the proxy's own was is."""
    clock = FakeClock()

    async def slow(attempt: Attempt) -> ResponseTimeout:
        attempt.sent = True
        return ResponseTimeout("x")

    for asked, counts in (({"X-T": "3"}, False), ({}, True), ({"X-T": "60000"}, True)):
        breaker = CircuitBreaker(Trip(least=5), clock=clock)
        admission = AdmissionControl(least=5, clock=clock)
        upstream = Upstream(
            "http://a/",
            "http://b/",
            balancer=First(),
            transport=FakeTransport(slow),
            health=[OutlierDetection(clock=clock)],
            clock=clock,
        )
        deadline = Deadline(1.0, field="X-T", trusted=["192.0.2.0/24"], clock=clock)
        for number in range(5):
            subject = exchange(headers=asked, client=f"192.0.2.{number}")
            subject.inbound.peer = (f"192.0.2.{number}", 5000)
            with pytest.raises(ResponseTimeout):
                await Pipeline(deadline, admission, breaker, handler=upstream)(subject)
        assert (breaker.state is CircuitState.OPEN) is counts
        assert (admission.rejection > 0) is counts
        assert upstream.endpoints[0].held is counts
