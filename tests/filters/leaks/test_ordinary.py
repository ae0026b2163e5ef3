"""Ordinary responses, of which none is stopped at the first level."""

from __future__ import annotations

from pathlib import Path

import pytest

from revproxy.filters.leaks import Search, packs

from .ordinary import documents
from .samples import samples

SEARCH = Search(packs.ALL)
UNQUOTABLE = {each.id for pack in packs.ALL for each in pack if not each.quotable}
DOCUMENTS = [*documents()]
OWN = Path(__file__).parents[3]


def test_many() -> None:
    """They are many, and no two are the same."""
    assert len(DOCUMENTS) >= 1000
    assert len({text for _, text in DOCUMENTS}) == len(DOCUMENTS)
    assert sum(not name.startswith(("article on", "notes on", "look-alike")) for name, _ in DOCUMENTS) >= 300


def test_none_is_stopped() -> None:
    """S-60, S-64: at the first level nothing of them reaches the score of 4; articles that quote leaks do not, either,
    but for those that nobody has reason to quote."""
    stopped = {}
    for name, text in DOCUMENTS:
        inspection = SEARCH.whole(text.encode())
        score = sum(1 for each in inspection.findings if each.id not in UNQUOTABLE)
        if inspection.score >= 4 and score:
            stopped[name] = str(inspection)
    assert stopped == {}


def test_little_is_found() -> None:
    """In what is neither about leaks nor made to look like them there is next to nothing to note."""
    noted = sum(
        bool(SEARCH.whole(text.encode()).findings)
        for name, text in DOCUMENTS
        if not name.startswith(("article on", "notes on", "look-alike"))
    )
    assert noted == 0


@pytest.mark.parametrize("page", sorted(OWN.glob("docs/**/*.md")), ids=lambda page: page.relative_to(OWN).as_posix())
def test_documentation(page: Path) -> None:
    """The documentation of this library passes, though it speaks of such things."""
    assert SEARCH.whole(page.read_bytes()).score < 4


def test_errors_are_stopped() -> None:
    """S-60: of the contents that show something grave each reaches the threshold, where it is the answer of a server
    that has failed."""
    grave = {each.id for pack in packs.ALL for each in pack if each.severity >= 40 and each.paranoia == 1}
    missed = [
        sample.place
        for sample in samples()
        if grave & set(sample.found) and SEARCH.whole(sample.text.encode(), quotes=False).score < 4
    ]
    assert missed == []
