"""What the guard has done is told once, and once more when it is over."""

from __future__ import annotations

import logging

import pytest

from revproxy.events import Event
from revproxy.guard import REASONS, GuardActs, GuardRests
from revproxy.guard.ledger import Ledger
from revproxy.handler import started
from revproxy.testing import FakeClock


async def test_a_flood_is_two_events(caplog: pytest.LogCaptureFixture) -> None:
    """S-48: however many connections are refused, the log has a line when it begins and one when it is over, which has
    the numbers."""
    clock = FakeClock()
    told: list[Event] = []
    ledger = Ledger("shop", clock=clock)
    caplog.set_level(logging.INFO, "revproxy.event")
    async with await started(ledger, [told.append]):
        for number in range(1000):
            ledger.acted("connections" if number % 10 else "head", ("192.0.2.1", number))
            clock.advance(0.01)
        assert told == [GuardActs("shop", "head", "192.0.2.1")]
        assert repr(ledger) == "<Ledger of shop: 1000, going on>"
        clock.advance(10)
        ledger.acted("write", "")
        assert clock.waiting == 1
    assert clock.waiting == 0
    assert [str(event) for event in told] == [
        "shop: connections are ended, or not let in: a request head took too long (from 192.0.2.1)",
        "shop: no connection is ended or refused any more; in 9.99 s were: connections 900, head 100",
        "shop: connections are ended, or not let in: a client read nothing (from a Unix socket)",
        "shop: no connection is ended or refused any more; in 0 s were: write 1",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2
    assert ledger.counts == {"connections": 900, "head": 100, "write": 1}


async def test_what_happens_every_day() -> None:
    """S-45, S-74: connections that say nothing and nonsense are counted, and told only where a hundred come within ten
    seconds."""
    clock = FakeClock()
    told: list[Event] = []
    ledger = Ledger("shop", clock=clock)
    async with await started(ledger, [told.append]):
        for number in range(1000):
            ledger.acted("malformed" if number % 2 else "idle", ("192.0.2.1", 1))
            clock.advance(0.11)
        assert told == []
        assert clock.waiting == 0
        clock.advance(11)
        for _ in range(150):
            ledger.acted("idle", ("192.0.2.1", 1))
            clock.advance(0.05)
        clock.advance(10)
    assert [type(event) for event in told] == [GuardActs, GuardRests]
    assert isinstance(told[1], GuardRests)
    assert told[1].counts == {"idle": 51}
    assert ledger.counts == {"idle": 650, "malformed": 500}


def test_every_reason_has_a_sentence() -> None:
    """Each can be told."""
    for why, sentence in REASONS.items():
        assert sentence in str(GuardActs("a", why, "192.0.2.1"))
        assert why in str(GuardRests("a", {why: 1}, 2.0))
