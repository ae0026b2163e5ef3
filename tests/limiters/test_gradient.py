"""The limit that follows from how long answers take: Envoy's gradient, and what is asked of it."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters import Gradient


def measuring(gradient: Gradient) -> bool:
    """Whether it does now."""
    return gradient.measures


class Server:
    """Has the gradient see requests that take as long as they are told to."""

    def __init__(self, gradient: Gradient, now: float = 1000.0) -> None:
        self.gradient = gradient
        self.now = now
        gradient.allowed(now)

    def answers(self, count: int, seconds: float, *, in_flight: int | None = None, every: float = 0.001) -> None:
        """``count`` answers, ``every`` so many seconds, each of which took ``seconds``."""
        for _ in range(count):
            self.now += every
            busy = self.gradient.allowed(self.now) if in_flight is None else in_flight
            self.gradient.answered(self.now - seconds, self.now, busy)

    def window(self, seconds: float, *, in_flight: int | None = None) -> int:
        """One window of answers that took ``seconds`` each; the limit after it."""
        self.answers(11, seconds, in_flight=in_flight, every=0.01)
        return self.gradient.limit


def measured(gradient: Gradient, seconds: float = 0.02) -> Server:
    """``gradient``, that has found out that an answer takes ``seconds`` without load."""
    server = Server(gradient)
    server.now += seconds
    server.answers(50, seconds)
    assert gradient.unloaded == pytest.approx(seconds)
    return server


def test_it_begins_with_a_measurement() -> None:
    """Until it knows how long an answer takes, no more than the least are in flight; requests that began before the
    measurement do not count."""
    gradient = Gradient(least=4)
    server = Server(gradient)
    assert measuring(gradient)
    server.answers(200, 5.0)  # they began before
    assert measuring(gradient)
    assert gradient.unloaded is None
    server.now += 1
    server.answers(1, 0.02)
    server.answers(48, 0.02)
    assert measuring(gradient)
    server.answers(1, 0.02)
    assert not measuring(gradient)
    assert gradient.unloaded == pytest.approx(0.02)
    assert gradient.limit == 4


@pytest.mark.parametrize(
    ("taken", "gradient"), [(0.02, 1.25), (0.025, 1.0), (0.05, 0.5), (1.0, 0.5), (0.001, 2.0), (0.0, 2.0)]
)
def test_the_formula(taken: float, gradient: float) -> None:
    """``limit = clamp((unloaded + buffer) / taken, 0.5, 2) * limit + sqrt(limit)``, once a window."""
    subject = Gradient(every=1e6)
    server = measured(subject)
    for _ in range(6):
        server.window(0.02)
    before = subject.limit
    assert before > 20
    assert server.window(taken) == int(gradient * before + sqrt(before))


def test_the_percentile_counts() -> None:
    """One slow answer in ten changes nothing; two do."""
    for slow, falls in ((1, False), (2, True)):
        subject = Gradient(every=1e6)
        server = measured(subject)
        for _ in range(6):
            server.window(0.02)
        before = subject.limit
        server.answers(10 - slow, 0.02, every=0.005)
        server.answers(slow, 1.0, every=0.005)
        server.now += 0.05
        server.answers(1, 0.02)
        assert (subject.limit < before) == falls


def test_few_answers_are_chance() -> None:
    """A window lasts until it has ten answers."""
    subject = Gradient(every=1e6)
    server = measured(subject)
    server.answers(9, 10.0, every=1.0)
    assert subject.limit == 3
    server.answers(1, 0.02, every=1.0)
    assert server.gradient.limit >= 3


def test_what_is_not_used_does_not_grow() -> None:
    """While less than half of the limit is in flight it stays, and it may shrink."""
    subject = Gradient(every=1e6)
    server = measured(subject)
    for _ in range(6):
        server.window(0.02)
    before = subject.limit
    assert server.window(0.02, in_flight=before // 2 - 1) == before
    assert server.window(0.02, in_flight=before // 2 + 1) > before
    assert server.window(10.0, in_flight=1) < subject.limit * 2


def test_it_is_measured_anew() -> None:
    """After ``every`` seconds, more or less by the jitter, as soon as the limit is reached; the limit is what it was
    when that is over."""
    subject = Gradient(every=60, jitter=0.5, rng=Random(7))
    drawn = 60 * (1 + 0.5 * Random(7).uniform(-1, 1))
    server = measured(subject)
    for _ in range(6):
        server.window(0.02)
    server.now += drawn - 1
    server.window(0.02)
    assert not measuring(subject)
    server.now += 1
    server.window(0.02, in_flight=subject.limit - 1)
    assert not measuring(subject)
    before = subject.limit
    server.answers(1, 0.02)
    assert measuring(subject)
    assert subject.allowed(server.now) == 3
    server.now += 1
    server.answers(50, 0.03)
    assert not measuring(subject)
    assert subject.unloaded == pytest.approx(0.03)
    assert subject.allowed(server.now) == before


def test_who_has_enough_is_not_measured() -> None:
    """As long as the limit is never reached no request is held up for its sake."""
    subject = Gradient(every=60)
    server = measured(subject)
    for _ in range(100):
        server.window(0.02, in_flight=2)
        server.now += 60
        assert not measuring(subject)
    server.window(0.02)
    assert measuring(subject)


def test_at_the_least_it_is_measured_earlier() -> None:
    """Five windows at the least: it may be that the server takes longer than it did, with no load at all."""
    subject = Gradient(every=1e6)
    server = measured(subject)
    for _ in range(5):
        assert not measuring(subject)
        server.window(0.1)
    assert measuring(subject)
    server.now += 1
    server.answers(50, 0.1)
    assert subject.unloaded == pytest.approx(0.1)
    assert server.window(0.1) > 3


def test_a_measurement_has_an_end() -> None:
    """Streams that hold every slot, or a server that is silent, end it by its patience: what was known before counts,
    or what few answers there were."""
    subject = Gradient(every=60, patience=5)
    server = measured(subject)
    for _ in range(6):
        server.window(0.02)
    before = subject.limit
    server.now += 100
    server.window(0.02)
    assert subject.allowed(server.now) == 3
    assert subject.allowed(server.now + 4.8) == 3
    assert subject.allowed(server.now + 5.1) == before
    assert subject.unloaded == pytest.approx(0.02)

    first = Gradient(patience=5)
    server = Server(first)
    server.now += 1
    server.answers(3, 0.02)
    first.allowed(server.now + 5)
    assert not first.measures
    assert first.unloaded == pytest.approx(0.02)


def test_nothing_answers_at_all() -> None:
    """The measurement goes on: with the least limit, and one that is not measured there is nothing to go by."""
    subject = Gradient(least=2)
    for now in range(1000, 2000):
        assert subject.allowed(now) == 2
    assert measuring(subject)


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 100), st.integers(1, 2000), st.booleans()), min_size=1, max_size=300
    ),
    st.integers(1, 10),
    st.integers(0, 100),
)
def test_it_stays_within_its_bounds(steps: list[tuple[float, float, int, bool]], least: int, more: int) -> None:
    """Whatever is answered, whenever: 1 <= least <= allowed <= most, and what is held of answers is bounded."""
    subject = Gradient(least=least, most=least + more, samples=5, every=10, rng=Random(1))
    now = 0.0
    for passed, taken, in_flight, many in steps:
        now += passed
        for _ in range(60 if many else 1):
            subject.answered(now - taken, now, in_flight)
        assert least <= subject.allowed(now) <= least + more
        assert least <= subject.limit <= least + more
        assert len(subject._times) <= 1000
    assert "Gradient" in repr(subject)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("least", 0),
        ("least", 2000),
        ("least", 1.5),
        ("most", 2),
        ("buffer", -0.1),
        ("buffer", float("nan")),
        ("percentile", 0),
        ("percentile", 101),
        ("window", 0),
        ("every", float("inf")),
        ("patience", -1),
        ("jitter", 1),
        ("samples", 0),
        ("samples", 100_000),
    ],
)
def test_nonsense(name: str, wrong: float) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=rf"{name}.*{wrong}"):
        Gradient(**{name: wrong})  # type: ignore[arg-type]
