"""The security log: a line for each decision, and one for all of a kind that follow soon."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revproxy import Rule, Rules, block, when
from revproxy.handler import running
from revproxy.security_log import SecurityLog, Severity
from revproxy.testing import FakeClock, exchange


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "revproxy.security"]


def note(log: SecurityLog, client: str = "192.0.2.1", *, rule: str = "r", target: str = "/") -> None:
    log.note(exchange("GET", target, client=client), rule=rule, severity=Severity.WARNING, action="block 403")


def test_what_follows_soon_is_folded(caplog: pytest.LogCaptureFixture) -> None:
    """Five are told at once, the number of the others when the time is over; then it begins anew."""
    clock = FakeClock()
    log = SecurityLog(fold=10, clock=clock)
    for number in range(9):
        note(log, target=f"/{number}")
        clock.advance(1)
    assert [record.__dict__["target"] for record in lines(caplog)] == [f"/{number}" for number in range(5)]
    clock.advance(1)
    *first, rest = lines(caplog)
    assert [record.__dict__["repeats"] for record in first] == ["0"] * 5
    assert rest.__dict__["repeats"] == "4"
    assert rest.getMessage().startswith(
        'rule "r": block 403, client 192.0.2.1: 4 more like it in 10 s, the last one id '
    )
    assert rest.levelno == logging.WARNING
    note(log)
    assert len(lines(caplog)) == 7
    clock.advance(60)
    assert len(lines(caplog)) == 7
    assert clock.waiting == 0


def test_kinds_are_apart(caplog: pytest.LogCaptureFixture) -> None:
    """By rule, by what was done, and by client, of IPv6 a /64."""
    log = SecurityLog(clock=FakeClock())
    note(log)
    note(log, rule="other")
    note(log, "192.0.2.2")
    note(log, "2001:db8::1")
    note(log, "2001:db8::2")
    log.note(exchange(), rule="r", severity=Severity.WARNING, action="shadow block 403")
    assert [record.__dict__["client"] for record in lines(caplog)] == [
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8::1",
        "2001:db8::2",
        "192.0.2.1",
    ]
    for _ in range(5):
        note(log)
    log.flush()
    assert [record.__dict__["repeats"] for record in lines(caplog)] == ["0"] * 10 + ["1"]


def test_not_folded(caplog: pytest.LogCaptureFixture) -> None:
    """With a ``fold`` of 0 each has its line."""
    log = SecurityLog(fold=0, clock=FakeClock())
    for _ in range(20):
        note(log)
    assert len(lines(caplog)) == 20


def test_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """S-49: however many clients there are, 1,024 kinds are held; who has to go is told of before."""
    clock = FakeClock()
    log = SecurityLog(clock=clock)
    for _ in range(6):
        note(log)
    for number in range(2000):
        note(log, f"10.0.{number >> 8}.{number & 255}")
    assert repr(log) == "<SecurityLog revproxy.security: 1024 kinds within 10 s>"
    assert [record.__dict__["client"] for record in lines(caplog) if record.__dict__["repeats"] == "1"] == ["192.0.2.1"]
    log.flush()
    assert clock.waiting == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 3)), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_none_is_lost(caplog: pytest.LogCaptureFixture, steps: list[tuple[int, float]]) -> None:
    """Whoever comes whenever: lines and what they say of repeats are as many as there were; and of one client there are
    at most ten lines in the time of one fold."""
    caplog.clear()
    clock = FakeClock()
    log = SecurityLog(fold=5, clock=clock)
    for client, wait in steps:
        note(log, f"10.0.0.{client}")
        clock.advance(wait)
    log.flush()
    found = lines(caplog)
    told = sum(int(record.__dict__["repeats"]) or 1 for record in found)
    assert told == len(steps)
    assert clock.waiting == 0


async def test_a_table_that_stops(caplog: pytest.LogCaptureFixture) -> None:
    """What it has counted is told of."""
    table = Rules(Rule(when.anything, block(), name="r"), clock=FakeClock())
    async with running(table):
        for _ in range(7):
            await table(exchange())
        assert len(lines(caplog)) == 5
    assert lines(caplog)[-1].__dict__["repeats"] == "2"


def test_what_stands_in_the_record(caplog: pytest.LogCaptureFixture) -> None:
    """Whose word the client is, and a digest that is the same for the same request alone."""
    log = SecurityLog(fold=0)
    for target in ("/a", "/a", "/b"):
        note(log, target=target)
    facts = [record.__dict__ for record in lines(caplog)]
    assert facts[0]["source"] == "peer"
    assert facts[0]["digest"] == facts[1]["digest"] != facts[2]["digest"]
    assert len(facts[0]["digest"]) == 16


def test_nonsense() -> None:
    with pytest.raises(ValueError, match="fold must be at least 0 and finite, got -1"):
        Rules(Rule(when.anything, block()), fold=-1)
