"""The benchmark of handlers that hand on, in small."""

from __future__ import annotations

from .lanes import CANDIDATES, table


def test_the_table() -> None:
    """It has a row for each, with its cost, and a verdict where there is a target."""
    drawn = table(1000.0, 0.001)
    assert [row[0] for row in drawn.rows] == [title for title, _ in CANDIDATES]
    for row in drawn.rows:
        float(row[1])
        assert (row[3] == "–") == (row[4] == "–")
    assert "met" in {row[4] for row in drawn.rows}
