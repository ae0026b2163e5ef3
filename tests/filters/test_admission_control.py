"""A share is refused while what is asked fails, and nobody any more when it is well again."""

from __future__ import annotations

import asyncio
import re
from random import Random

import pytest

from revproxy import Pipeline, Response
from revproxy.balancers import P2C
from revproxy.errors import (
    BadRequest,
    ConnectFailed,
    Interrupted,
    NoRoute,
    Overloaded,
    ProxyError,
    QueueFull,
    SessionLost,
)
from revproxy.events import Event
from revproxy.exchange import Exchange
from revproxy.filters import AdmissionControl
from revproxy.handler import Handler, running
from revproxy.limiters import SheddingBegan, SheddingEnded
from revproxy.testing import FakeClock, exchange
from revproxy.testing.simulate import REFUSED, Server, Site, constant, failing, simulate


class Backend:
    """Answers as it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: int | Exception = 200

    async def __call__(self, exchange: Exchange) -> Response:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Response(self.answer)


async def ask(subject: AdmissionControl, backend: Backend, count: int) -> int:
    """How many of ``count`` were refused."""
    refused = 0
    for _ in range(count):
        try:
            await subject(exchange(), backend)
        except Overloaded:
            refused += 1
        except (ProxyError, RuntimeError):
            pass
    return refused


async def test_a_share_is_refused() -> None:
    """At most 80 %: with nothing but failures a fifth still asks; with a tenth of failures, a small share."""
    for answers, low, high in (([503], 0.75, 0.85), ([200] * 9 + [500], 0.01, 0.1), ([200], 0, 0)):
        clock, backend = FakeClock(), Backend()
        subject = AdmissionControl(clock=clock, rng=Random(1))
        refused = 0
        for number in range(3000):
            backend.answer = answers[number % len(answers)]
            refused += await ask(subject, backend, 1)
        assert low * 3000 <= refused <= high * 3000
        assert backend.asked == 3000 - refused
        assert subject.refused == refused


async def test_what_the_client_is_told() -> None:
    """503, and when to come again."""
    backend = Backend()
    subject = AdmissionControl(retry_after=3, name="api", clock=FakeClock(), rng=Random(1))
    backend.answer = 503
    await ask(subject, backend, 50)
    asked = [asyncio.create_task(subject(exchange(), backend)) for _ in range(50)]
    told = [each for each in await asyncio.gather(*asked, return_exceptions=True) if isinstance(each, Overloaded)]
    assert {(each.status, each.fields["Retry-After"]) for each in told} == {(503, "3")}
    assert re.match(r"api: 0 of \d+ have succeeded", str(told[0]))


async def test_it_is_over_when_it_is_over() -> None:
    """What is answered again counts, and what is older than the window does not: nobody is refused any more."""
    clock, backend = FakeClock(), Backend()
    subject = AdmissionControl(clock=clock, rng=Random(1))
    backend.answer = ConnectFailed("refused")
    await ask(subject, backend, 200)
    assert subject.rejection == 0.8
    backend.answer = 200
    assert await ask(subject, backend, 20) > 5
    clock.advance(31)
    assert subject.rejection == 0
    assert await ask(subject, backend, 500) == 0


@pytest.mark.parametrize(
    "error",
    [BadRequest("nonsense"), Interrupted(), NoRoute("nowhere"), SessionLost("gone")],
    ids=lambda error: type(error).__name__,
)
async def test_what_does_not_count(error: ProxyError) -> None:
    """What the client did, what was cut short, and what somebody further in decided. S-57."""
    backend = Backend()
    subject = AdmissionControl(clock=FakeClock(), rng=Random(1))
    backend.answer = error
    await ask(subject, backend, 200)
    assert subject.rejection == 0
    assert repr(subject) == "<AdmissionControl <SuccessRate 0 of 0>, refuses 0%>"


@pytest.mark.parametrize("answer", [500, 503, QueueFull("full"), ConnectFailed("refused"), RuntimeError("a bug")])
async def test_what_counts(answer: int | Exception) -> None:
    """Answers of 500 and above, what the upstream did, what the proxy could not do for it, and bugs of handlers."""
    backend = Backend()
    subject = AdmissionControl(clock=FakeClock(), rng=Random(1))
    backend.answer = answer
    await ask(subject, backend, 200)
    assert subject.rejection > 0.7


async def test_other_failures() -> None:
    """Which statuses are one is for the user to say."""
    backend = Backend()
    subject = AdmissionControl(is_failure=lambda status: status == 429, clock=FakeClock(), rng=Random(1))
    backend.answer = 500
    await ask(subject, backend, 200)
    assert subject.rejection == 0
    backend.answer = 429
    await ask(subject, backend, 200)
    assert subject.rejection > 0.3


async def test_events() -> None:
    """Operators are told once that it begins, and once that it is over; stopped, no timer stays."""
    clock, backend = FakeClock(), Backend()
    events: list[Event] = []
    subject = AdmissionControl(name="api", clock=clock, rng=Random(1))
    backend.answer = 503
    async with running(Pipeline(subject, handler=backend), [events.append]):
        refused = await ask(subject, backend, 100)
        clock.advance(10)
        assert [type(event) for event in events] == [SheddingBegan, SheddingEnded]
        assert events[1] == SheddingEnded("api", refused, 0.0)
        await ask(subject, backend, 50)
    assert clock.waiting == 0


def test_a_server_that_is_down_for_a_while() -> None:
    """While it is down most requests are refused by the proxy; within the window after it is back, none."""

    def compose(site: Site) -> Handler:
        return Pipeline(AdmissionControl(window=10, clock=site.clock, rng=site.rng), handler=site.upstream())

    server = Server(service=constant(0.01), workers=100, fails=failing(REFUSED, start=5, end=25))
    run = simulate(lambda clock, rng: P2C(rng=rng), [server], rate=100, seconds=45, compose=compose)
    during = run.between(16, 25)
    assert 0.1 < during.attempts / len(during.outcomes) < 0.35
    assert run.between(36, 45).failures == 0
    assert run.between(0, 5).failures == 0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("threshold", 0),
        ("threshold", 1.1),
        ("most", 1),
        ("most", 0),
        ("aggression", 0),
        ("window", float("inf")),
        ("retry_after", -1),
        ("least", 0),
        ("least", 1.5),
    ],
)
def test_nonsense(name: str, wrong: float) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=f"{name} must be .* got {wrong}"):
        AdmissionControl(**{name: wrong})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="is_failure: 500 is no function"):
        AdmissionControl(is_failure=500)  # type: ignore[arg-type]
