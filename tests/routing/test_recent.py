"""A quantile of what was measured last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.routing.recent import Recent


@given(st.lists(st.floats(0, 1000), max_size=120), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_against_sorting(values: list[float], quantile: float) -> None:
    """At every step it is what sorting the last values gives: the first that at least that part does not exceed."""
    recent = Recent(quantile, 40, 10)
    for at, value in enumerate(values, 1):
        recent.add(value)
        last = sorted(values[max(0, at - 40) : at])
        if at < 10:
            assert recent.value is None
        else:
            assert recent.value is not None
            assert sum(each <= recent.value for each in last) >= quantile * len(last)
            smaller = [each for each in last if each < recent.value]
            assert len(smaller) <= quantile * len(last)


def test_it_forgets() -> None:
    """What is older than its size counts no more, so a lane that has become slower, or faster, is measured by
    itself."""
    recent = Recent(0.95, 200, 20)
    for _ in range(10_000):
        recent.add(0.01)
    assert recent.value == pytest.approx(0.01)
    for _ in range(200):
        recent.add(1.0)
    assert recent.value == pytest.approx(1.0)
    assert repr(recent) == "<Recent 1.0 at 0.95 of 200>"
