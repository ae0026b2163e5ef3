"""Which page is for which status."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy import respond
from revproxy.filters import Page, PageFrom
from revproxy.filters.error_pages.table import Table, phrase, statuses_of


@pytest.mark.parametrize("order", [("4xx", 404), (404, "4xx")], ids=str)
def test_the_status_over_its_class(order: tuple[int | str, ...]) -> None:
    """Whichever is named first."""
    table = Table("pages", {key: str(key) for key in order})  # type: ignore[misc]
    assert (table[404], table[403], table[500]) == (Page("404"), Page("4xx"), None)
    assert table.named == frozenset(range(400, 500))


def test_one_for_all() -> None:
    """A page alone is for every status, and names none."""
    table = Table("pages", "x")
    assert (table[400], table[599], table.named, bool(table)) == (Page("x"), Page("x"), frozenset(), True)
    assert not Table("pages", None)
    assert not Table("pages", {})


def test_parts() -> None:
    """Handlers that are asked, each once."""
    handler = respond(200)
    table = Table("pages", {"5xx": PageFrom(handler, "/e"), 404: handler, 403: "x"})
    assert set(table.parts()) == {handler}
    assert repr(table) == "<Table of 3 pages>"


@pytest.mark.parametrize(
    ("status", "said"), [(404, "Not Found"), (503, "Service Unavailable"), (450, "Client error"), (599, "Server error")]
)
def test_phrases(status: int, said: str) -> None:
    """RFC 9110 section 15: what is not known is one of its class."""
    assert phrase(status) == said


def test_statuses() -> None:
    """Statuses are named as the keys of pages are."""
    assert statuses_of("statuses", [404, "5xx"]) == {404, *range(500, 600)}
    assert statuses_of("statuses", ()) == frozenset()


@pytest.mark.parametrize(
    ("given", "error"),
    [("5xx", TypeError), (404, TypeError), (["3xx"], ValueError), ([200], ValueError), ([True], ValueError)],
)
def test_wrong_statuses(given: Any, error: type[Exception]) -> None:
    """What is none is named."""
    with pytest.raises(error, match=r"^statuses"):
        statuses_of("statuses", given)
