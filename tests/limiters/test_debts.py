"""A sketch of what is owed: never too little, seldom too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters.debts import Debts


@given(st.lists(st.tuples(st.text(max_size=3) | st.binary(max_size=3), st.floats(-1e6, 1e6)), max_size=50))
def test_never_too_early(added: list[tuple[str | bytes, float]]) -> None:
    """S-49: whatever was added owes at least until the latest time that was said of it."""
    subject, latest = Debts(1), dict[str | bytes, float]()
    for key, until in added:
        subject.add(key, until)
        latest[key] = max(latest.get(key, until), until)
    for key, until in latest.items():
        assert subject.until(key, -2e6) >= until


def test_it_decays_by_itself() -> None:
    """When the time has passed nothing is owed."""
    subject = Debts(1)
    subject.add("a", 10.0)
    assert (subject.until("a", 9.0), subject.until("a", 10.0), subject.until("a", 11.0)) == (10.0, 10.0, 11.0)


def test_a_stranger_owes_nothing() -> None:
    """Until there are many: of ten thousand none, with one that owes."""
    subject = Debts(1000)
    assert subject.until("a", 5.0) == 5.0
    subject.add("a", 10.0)
    assert [subject.until(f"{number}", 5.0) for number in range(10_000)] == [5.0] * 10_000


@pytest.mark.parametrize(("asked", "width"), [(1, 1024), (1024, 1024), (1025, 2048), (65536, 65536)])
def test_width(asked: int, width: int) -> None:
    """A power of two, of at least 1024; no cells before the first key."""
    subject = Debts(asked)
    assert subject.width == width
    assert repr(subject) == f"<Debts 4 × {width} cells, none used>"
    subject.add("a", 1.0)
    assert repr(subject) == f"<Debts 4 × {width} cells>"
