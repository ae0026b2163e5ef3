"""Faults: which requests have one, and what the library sees of it."""

from __future__ import annotations

from random import Random

import pytest

from revproxy.balancers import RoundRobin
from revproxy.errors import ConnectFailed
from revproxy.testing.simulate import (
    LOST,
    REFUSED,
    SILENT,
    Fault,
    Make,
    Server,
    Simulation,
    constant,
    evenly,
    failing,
    simulate,
)

ROUND_ROBIN: Make = lambda clock, rng: RoundRobin()  # noqa: E731


def asked(fault: Fault, **options: float) -> Simulation:
    server = Server(service=constant(0.1), fails=failing(fault))
    return simulate(ROUND_ROBIN, [server], arrivals=evenly(10), requests=5, **options)  # type: ignore[arg-type]


def test_failing() -> None:
    """A share of the requests, in its window."""
    fails = failing(LOST, share=0.25, start=10, end=20)
    rng = Random(1)
    assert sum(fails(rng, 15.0) is LOST for _ in range(10_000)) == pytest.approx(2500, rel=0.1)
    assert [fails(rng, now) for now in (0.0, 9.999, 20.0)] == [None] * 3
    assert failing(REFUSED)(rng, 1e9) is REFUSED


def test_refused() -> None:
    """At once, and nothing was sent."""
    run = asked(REFUSED)
    assert (run.failures, run.errors) == (5, {"ConnectFailed": 5})
    assert [each.seconds for each in run.outcomes] == [0.0] * 5
    assert not any(each.attempts[0].sent for each in run.outcomes)


def test_lost() -> None:
    """At once, after it was sent. ``True`` means the same."""
    server = Server(service=constant(0.1), fails=lambda rng, now: True)
    for run in (asked(LOST), simulate(ROUND_ROBIN, [server], arrivals=evenly(10), requests=5)):
        assert run.errors == {"ConnectionLost": 5}
        assert all(each.attempts[0].sent for each in run.outcomes)


def test_answered() -> None:
    """With a status: from 500 on it is a failure."""
    run = asked(Fault(status=503))
    assert (run.failures, run.errors, run.servers[0].failures) == (5, {"503": 5}, 5)
    assert asked(Fault(status=404)).failures == 0


def test_silent() -> None:
    """Until the time-out, however many there are: they take no worker."""
    run = asked(SILENT, timeout=3.0)
    assert run.errors == {"ResponseTimeout": 5}
    assert [each.seconds for each in run.outcomes] == pytest.approx([3.0] * 5)
    with pytest.raises(RuntimeError, match="timeout must be given"):
        asked(SILENT)


def test_what_is_no_fault() -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match="status must be 200 to 599, got 700"):
        Fault(status=700)
    with pytest.raises(ValueError, match="status: there is none with an error"):
        Fault(error=ConnectFailed, status=503)
    with pytest.raises(ValueError, match="share must be 0 to 1, got 2"):
        failing(LOST, share=2)
    with pytest.raises(ValueError, match="start must be before end"):
        failing(LOST, start=2, end=2)
