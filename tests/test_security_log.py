"""The security log: a line for each decision, and one for all of a kind that follow soon."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revproxy import Rule, Rules, block, when
from revproxy.errors import Drop, Forbidden
from revproxy.handler import running
from revproxy.security_log import Refusals, SecurityLog, Severity
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


def test_other_reasons_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: what was decided for another reason is not hidden behind what came often; reasons without end are not told
    without end."""
    log = SecurityLog(fold=10, clock=FakeClock())

    def noted(detail: str, times: int = 1) -> None:
        for _ in range(times):
            log.note(exchange(), rule="r", severity=Severity.WARNING, action="shadow block 502", detail=detail)

    noted("status 302", 9)
    noted("a listing", 3)
    noted("status 500")
    assert [record.__dict__["detail"] for record in lines(caplog)] == ["status 302"] * 5 + ["a listing", "status 500"]
    for number in range(1000):
        noted(f"{number}")
    assert len(lines(caplog)) == 5 + 15
    log.flush()
    assert lines(caplog)[-1].__dict__["repeats"] == str(9 + 3 + 1 + 1000 - 20)


@pytest.mark.parametrize("first", [Severity.NOTICE, Severity.ERROR])
def test_severities_are_apart(caplog: pytest.LogCaptureFixture, first: Severity) -> None:
    """S-72: what matters more is not counted among what came before and matters less: it has lines of its own, and a
    number at its own level."""
    log = SecurityLog(clock=FakeClock())
    with caplog.at_level(logging.INFO, "revproxy.security"):
        for severity, times in ((first, 5), (Severity.CRITICAL, 1000)):
            for _ in range(times):
                log.note(exchange(), rule="r", severity=severity, action="block 401")
        log.flush()
    assert [record.levelno for record in lines(caplog)] == [first.level] * 5 + [logging.CRITICAL] * 6
    assert lines(caplog)[-1].__dict__["repeats"] == "995"


def test_a_record_stays_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """Who looks at a record later finds the request that it was for, and not one that came after it."""
    log = SecurityLog(clock=FakeClock())
    ids: list[str] = []
    for _ in range(8):
        subject = exchange()
        ids.append(subject.id)
        log.note(subject, rule="r", severity=Severity.WARNING, action="block 403")
    log.flush()
    assert [record.__dict__["exchange_id"] for record in lines(caplog)] == [*ids[:5], ids[-1]]
    assert [record.getMessage().rpartition(" ")[2] for record in lines(caplog)] == [*ids[:5], ids[-1]]


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


# Filters that refuse.


async def test_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """A filter's refusal is a line as of a rule that blocks, with what it was for, and the error."""
    refusals = Refusals("inspect", clock=FakeClock())
    with pytest.raises(Forbidden) as refused:
        refusals.refuse(exchange("POST", "/x"), Forbidden("no"), detail='sql-3 in "query"\n')
    assert str(refused.value) == "no"
    (record,) = lines(caplog)
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        'rule "inspect": block 403 for "sql-3 in \\"query\\"\\n", client 192.0.2.1, POST "/x" for host "example.test",'
    )
    assert record.__dict__["rule"] == "inspect"
    assert record.__dict__["action"] == "block 403"
    assert record.__dict__["detail"] == 'sql-3 in \\"query\\"\\n'
    assert repr(refusals) == "<Refusals of 'inspect': 1>"


def test_a_shadow_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """In shadow nothing is raised; the line says so, and is folded with its like."""
    refusals = Refusals("inspect", shadow=True, severity=Severity.NOTICE, clock=FakeClock())
    with caplog.at_level(logging.INFO, "revproxy.security"):
        for _ in range(8):
            refusals.refuse(exchange(), Forbidden("no"))
        refusals.refuse(exchange(), Drop("no"), severity=Severity.CRITICAL)
        refusals.flush()
    assert [record.__dict__["action"] for record in lines(caplog)] == [
        *["shadow block 403"] * 5,
        "shadow drop",
        "shadow block 403",
    ]
    assert [record.levelno for record in lines(caplog)[4:]] == [logging.INFO, logging.CRITICAL, logging.INFO]
    assert lines(caplog)[-1].__dict__["repeats"] == "3"
    assert (refusals.count, repr(refusals)) == (9, "<Refusals of 'inspect': 9 in shadow>")


def test_a_silent_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """Without a severity nothing is logged; it is refused all the same, and counted."""
    refusals = Refusals("inspect", severity=None)
    with pytest.raises(Forbidden):
        refusals.refuse(exchange(), Forbidden("no"))
    assert (lines(caplog), refusals.count) == ([], 1)


def test_no_refusals() -> None:
    """What is no severity, and no name, is refused where it is given."""
    with pytest.raises(TypeError, match="severity: 'high'"):
        Refusals("x", severity="high")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name"):
        Refusals("")
