"""The benchmark of choices, in small; and what of it does not depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from revproxy import Upstream
from revproxy.balancers import Balancer
from revproxy.testing import FakeTransport, exchange

from .choice import CANDIDATES, Candidate, choice_cost, endpoints, table


def test_the_table() -> None:
    """It has a row for every balancer, with a cost for each number of endpoints, and a verdict where there is a
    target."""
    drawn = table(1000.0, 0.001, numbers=(2, 20))
    assert [row[0].partition(",")[0] for row in drawn.rows] == [candidate.title for candidate in CANDIDATES]
    for row in drawn.rows:
        assert all(float(cost) > 0 for cost in row[1:3])
        assert (row[4] == "–") == (row[5] == "–")
        assert (row[7] == "–") == (row[8] == "–")
    assert "met" in {row[5] for row in drawn.rows}


def lines(make: Callable[[], Balancer], count: int, choices: int = 300) -> float:
    """How many lines of Python a choice among so many endpoints takes."""
    upstream = Upstream(*endpoints(count), balancer=make(), transport=FakeTransport())
    asked, seen = exchange(), 0

    def trace(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        nonlocal seen
        seen += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for _ in range(choices):
            upstream.choose(asked, 0.0)
    finally:
        sys.settrace(before)
    return seen / choices


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.title)
def test_flat(candidate: Candidate) -> None:
    """A choice among 10,000 endpoints takes no more steps than one among 10, but where all are looked at."""
    few, many = lines(candidate.make, 10), lines(candidate.make, 10_000, 300 if candidate.bounded else 2)
    assert (many < 1.1 * few) == candidate.bounded


def test_a_cost() -> None:
    """It is some microseconds."""
    assert 0.01 < choice_cost(CANDIDATES[0].make(), 10, 0.01) < 1000
