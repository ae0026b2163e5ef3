"""A number of requests that stays what it is."""

from __future__ import annotations

import pytest

from revproxy.limiters import Fixed


def test_it_stays() -> None:
    """Whatever the time, and whatever answers take; until somebody sets another."""
    limit = Fixed(5)
    limit.answered(0.0, 1000.0, 5)
    assert limit.allowed(0.0) == limit.allowed(1e9) == 5
    limit.limit = 7
    assert limit.allowed(0.0) == 7
    assert repr(limit) == "Fixed(7)"


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "3", None])
def test_what_is_no_number(wrong: object) -> None:
    """It is refused with its value, when it is set, too, and what was before stands."""
    with pytest.raises(ValueError, match=f"limit must be .* got {wrong!r}"):
        Fixed(wrong)  # type: ignore[arg-type]
    limit = Fixed(5)
    with pytest.raises(ValueError, match="limit"):
        limit.limit = wrong  # type: ignore[assignment]
    assert limit.limit == 5
