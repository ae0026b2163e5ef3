"""The benchmark of choices, in small."""

from __future__ import annotations

from .choice import CANDIDATES, table


def test_the_table() -> None:
    """It has a row for every balancer, with a cost for each number of endpoints, and a verdict where there is a
    target."""
    drawn = table(1000.0, 0.001, numbers=(2, 20))
    assert [row[0].partition(",")[0] for row in drawn.rows] == [candidate.title for candidate in CANDIDATES]
    for row in drawn.rows:
        assert all(float(cost) > 0 for cost in row[1:3])
        assert (row[4] == "–") == (row[5] == "–")
    assert "met" in {row[5] for row in drawn.rows}
