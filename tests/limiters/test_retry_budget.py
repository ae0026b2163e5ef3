"""How many further attempts there may be beside the requests."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters import RetryBudget


def test_what_requests_pay_for() -> None:
    """Row 4: five requests pay for one further attempt; what is not taken out is there later, until it is forgotten."""
    budget = RetryBudget(0.2, reserve=0, ttl=10)
    for _ in range(4):
        budget.deposit(0.0)
    assert not budget.withdraw(0.0)
    budget.deposit(0.0)
    assert budget.balance(0.0) == pytest.approx(1)
    assert budget.withdraw(9.9)
    assert not budget.withdraw(9.9)
    for _ in range(10):
        budget.deposit(19.9)
    assert budget.balance(19.9) == pytest.approx(1)  # what was taken out at 9.9 counts for ten seconds
    assert budget.balance(20.0) == pytest.approx(2)
    assert budget.balance(31.0) == 0


def test_the_reserve() -> None:
    """Row 4: who sends few requests may try them again nonetheless: ``reserve`` a second, all of a ``ttl`` at once."""
    budget = RetryBudget(0, reserve=3, ttl=2)
    assert [budget.withdraw(5.0) for _ in range(8)] == [True] * 6 + [False] * 2
    assert not budget.withdraw(6.9)
    assert [budget.withdraw(7.3) for _ in range(8)] == [True] * 6 + [False] * 2


def test_after_a_long_time() -> None:
    """All is forgotten, in one step; a clock that goes back changes nothing."""
    budget = RetryBudget(1, reserve=0, ttl=10)
    budget.deposit(0.0)
    assert budget.balance(1e9) == 0
    budget.deposit(1e9)
    assert budget.withdraw(5.0)
    assert not budget.withdraw(1e9)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=300),
    st.sampled_from([0.0, 0.05, 0.2, 1.0]),
    st.sampled_from([0.0, 0.5, 3.0]),
)
def test_never_more(events: list[tuple[float, bool]], ratio: float, reserve: float) -> None:
    """Row 4: when one is allowed there are within a ``ttl`` no more than its requests, and those of the slice before,
    have paid for, and the reserve; over all time no more than all requests and the reserve of each ``ttl``."""
    ttl = 5.0
    budget = RetryBudget(ratio, reserve=reserve, ttl=ttl)
    now, paid, taken = 0.0, deque[float](), deque[float]()
    for pause, is_request in events:
        now += pause
        if is_request:
            budget.deposit(now)
            paid.append(now)
        elif budget.withdraw(now):
            taken.append(now)
            recent = sum(at > now - ttl for at in taken)
            assert recent <= ratio * sum(at > now - 1.1 * ttl - 1e-9 for at in paid) + reserve * ttl + 1e-6
        assert budget.balance(now) >= 0
    assert len(taken) <= ratio * len(paid) + reserve * ttl * (now // ttl + 1) + 1e-6


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ratio": -0.1}, "ratio must be 0 to 10, got -0.1"),
        ({"ratio": float("nan")}, "ratio must be 0 to 10, got nan"),
        ({"reserve": -1}, "reserve must be at least 0 and finite, got -1"),
        ({"reserve": float("inf")}, "reserve must be at least 0 and finite, got inf"),
        ({"ttl": 0}, "ttl must be above 0 and finite, got 0"),
    ],
)
def test_nonsense(options: dict[str, float], says: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=says):
        RetryBudget(**options)


def test_printed() -> None:
    """It says what it allows, and what was made of it."""
    budget = RetryBudget()
    budget.deposit(0.0)
    budget.withdraw(0.0)
    assert repr(budget) == "<RetryBudget 0.2 + 10/s: 1 for 1 requests in the last 10 s>"
