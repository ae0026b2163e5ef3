"""Contents that are read as a whole."""

from __future__ import annotations

import pytest

from revproxy.errors import BudgetSpent
from revproxy.filters.validate.collected import Collected
from revproxy.limiters import BodyBudget
from revproxy.testing import exchange


class Refused(Exception):
    pass


def refuse() -> None:
    raise Refused


def test_nothing_before_the_end() -> None:
    """Nothing goes on before all of it is there."""
    subject = Collected(exchange(), 10, refuse)
    assert subject.feed(b"abc") == subject.feed(b"def") == b""
    assert subject.data is None
    assert subject.finish() == b"abcdef"
    assert subject.data == b"abcdef"


def test_too_much() -> None:
    """More than the limit is never held; where that raises nothing, all of it goes on and nothing is known of it."""
    with pytest.raises(Refused):
        Collected(exchange(), 5, refuse).feed(b"abcdef")
    subject = Collected(exchange(), 5, lambda: None)
    assert subject.feed(b"abc") == b""
    assert subject.feed(b"def") == b"abcdef"
    assert subject.feed(b"g") == b"g"
    assert subject.finish() == b""
    assert subject.data is None


def test_budget() -> None:
    """What is held counts until the exchange is over; without room it is refused, in shadow it goes on."""
    budget = BodyBudget(100_000)
    asked = exchange()
    subject = Collected(asked, 1 << 20, refuse, budget)
    assert subject.feed(b"x" * 10) == b""
    assert budget.held == 65536
    with pytest.raises(BudgetSpent):
        subject.feed(b"x" * 70_000)
    lenient = Collected(exchange(), 1 << 20, refuse, budget, shadow=True)
    assert lenient.feed(b"x" * 10) == b"x" * 10
    asked.finish()
    assert budget.held == 0
