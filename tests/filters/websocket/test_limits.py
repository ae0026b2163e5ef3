"""What one side may send: numbers alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters import MessageLimits
from revproxy.filters.websocket.limits import Pace


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 0}, "size must be an integer of at least 1, got 0"),
        ({"size": 1.5}, "size must be an integer of at least 1, got 1.5"),
        ({"rate": 0}, "rate must be above 0, got 0"),
        ({"rate": float("nan")}, "rate must be above 0, got nan"),
        ({"burst": 5}, "burst: 5 means nothing without a rate"),
        ({"rate": 1, "burst": 0.5}, "burst must be at least 1, got 0.5"),
        ({"control_rate": -1}, "control_rate must be above 0, got -1"),
        ({"control_burst": float("inf")}, "control_burst must be at least 1, got inf"),
    ],
)
def test_what_is_no_limit(given: dict[str, Any], said: str) -> None:
    """It is refused with the parameter and its value."""
    with pytest.raises(ValueError, match=said.replace(".", r"\.")):
        MessageLimits(**given)


def test_defaults() -> None:
    """A message has at most 1 MiB; a burst is that of a second, and at least one."""
    assert MessageLimits().size == 1 << 20
    assert [MessageLimits(rate=rate).at_once for rate in (0.1, 1, 7.5)] == [1, 1, 7.5]
    assert MessageLimits(rate=5, burst=50).at_once == 50


@given(
    st.floats(0.1, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 2), min_size=1, max_size=100),
)
def test_pace(rate: float, burst: int, waits: list[float]) -> None:
    """S-55: in no time pass more than the burst and what the rate gives; and as many pass at once."""
    pace, now, passed = Pace(rate, burst), 1000.0, list[float]()
    for wait in waits:
        now += wait
        if pace.take(now):
            passed.append(now)
    for first, began in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - began) * rate + 1e-3
    fresh = Pace(rate, burst)
    assert [fresh.take(now) for _ in range(burst + 1)] == [True] * burst + [False]
    assert repr(Pace(2.5, 10)) == "Pace(2.5/s, 10 at once)"
