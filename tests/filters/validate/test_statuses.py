"""Statuses, and what is said by status."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy.filters.validate.statuses import by_status, is_by_status, statuses_of


def test_statuses() -> None:
    """A class is all of its statuses."""
    assert statuses_of("statuses", [200, "4xx"]) == {200, *range(400, 500)}
    assert statuses_of("statuses", ()) == frozenset()


def test_by_status() -> None:
    """What is said of a status counts more than what is said of its class."""
    found = by_status("body", {404: "a", "4xx": "b", 200: "c"})
    assert (found[404], found[400], found[200]) == ("a", "b", "c")
    assert 500 not in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [({200: 1}, True), ({"2xx": 1, 404: 2}, True), ({}, False), ({"type": "x"}, False), ({200: 1, "type": 2}, False)],
)
def test_is_by_status(given: Any, expected: bool) -> None:
    """A schema is no mapping of statuses, an empty one neither."""
    assert is_by_status(given) is expected
    assert not is_by_status(True)


@pytest.mark.parametrize("status", ["6xx", 99, 600, True, "200", None, 2.0])
def test_bad(status: Any) -> None:
    """What is no status is an error that names the parameter."""
    with pytest.raises(ValueError, match=r"statuses: .* is neither a status from 100 to 599, nor '1xx' to '5xx'"):
        statuses_of("statuses", [status])


@pytest.mark.parametrize("given", [200, "2xx"])
def test_one(given: Any) -> None:
    """One status is not several."""
    with pytest.raises(TypeError, match="statuses must be several"):
        statuses_of("statuses", given)
