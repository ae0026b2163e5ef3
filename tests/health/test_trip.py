"""When a circuit opens, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.health import Trip
from revproxy.health.outcomes import Counts


@pytest.mark.parametrize(
    ("trip", "counts", "why"),
    [
        (Trip(), Counts(20, 10), "10 of 20 calls failed"),
        (Trip(), Counts(20, 9, 20), None),
        (Trip(), Counts(19, 19), None),
        (Trip(failures=1.0), Counts(100, 99), None),
        (Trip(failures=0, slow=0.8), Counts(20, 20, 15), None),
        (Trip(failures=0, slow=0.8, slow_after=0.25), Counts(20, 0, 16), "16 of 20 calls took longer than 0.25 s"),
        (Trip(slow=0.8), Counts(20, 9, 16), "16 of 20 calls took longer than 1 s"),
        (Trip(slow=0.8), Counts(20, 10, 15), "10 of 20 calls failed"),
    ],
)
def test_when(trip: Trip, counts: Counts, why: str | None) -> None:
    """By failures, by slow calls, or by either; not before there are enough calls (row 15)."""
    assert trip.opens(counts) == why


@pytest.mark.parametrize(
    ("failures", "counts", "opens"),
    [
        (0.1, Counts(1, 1), True),
        (0.1, Counts(2, 1), True),
        (0.1, Counts(3, 1), False),
        (0.1, Counts(19, 9), False),
        (0.1, Counts(20, 2), True),
        (0.9, Counts(2, 1), False),
        (0.9, Counts(1, 1), True),
        (0.1, Counts(0, 0), False),
    ],
)
def test_in_a_trial(failures: float, counts: Counts, opens: bool) -> None:
    """Few calls count, too, but half of them have to be bad, or the declared share if that is more."""
    assert (Trip(failures=failures).opens(counts, trial=True) is not None) is opens


def test_times() -> None:
    """Twice as long each time, up to a bound, however often."""
    trip = Trip(seconds=5, most=60)
    assert [trip.time(times) for times in (1, 2, 3, 4, 5, 6, 10_000)] == [5, 10, 20, 40, 60, 60, 60]


@given(st.floats(0, 100), st.floats(0, 100))
def test_ramp(ramp: float, seconds: float) -> None:
    """The share is between 0 and 1, never falls, and is 1 when the ramp is over."""
    trip = Trip(ramp=ramp)
    assert 0 <= trip.share(seconds) <= trip.share(seconds + 1) <= 1
    assert trip.share(ramp) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"failures": 1.5}, "failures must be 0 to 1, got 1.5"),
        ({"slow": -0.1}, "slow must be 0 to 1, got -0.1"),
        ({"failures": float("nan")}, "failures must be 0 to 1, got nan"),
        ({"failures": 0}, "would never open"),
        ({"slow_after": 0}, "slow_after must be above 0 and finite, got 0"),
        ({"window": float("inf")}, "window must be above 0 and finite, got inf"),
        ({"seconds": -1}, "seconds must be above 0 and finite, got -1"),
        ({"seconds": 10, "most": 5}, r"most must be at least seconds \(10\) and finite, got 5"),
        ({"jitter": 2}, "jitter must be 0 to 1, got 2"),
        ({"ramp": -1}, "ramp must be at least 0 and finite, got -1"),
        ({"least": 0}, "least must be an integer of at least 1, got 0"),
        ({"trials": 1.5}, "trials must be an integer of at least 1, got 1.5"),
    ],
)
def test_nonsense(options: dict[str, float], says: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=says):
        Trip(**options)  # type: ignore[arg-type]
