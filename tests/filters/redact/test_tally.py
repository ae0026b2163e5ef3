"""What was found in one response."""

from __future__ import annotations

from revproxy.filters.redact import Detector
from revproxy.filters.redact.tally import Tally


def test_told_once() -> None:
    """What was found since the last time is told in one line, by names and numbers; nothing is told of nothing."""
    lines: list[str] = []
    tally = Tally(lines.append, "its content")
    tally.told()
    for name in ("mail", "card", "mail"):
        tally.count(Detector(name, b"x"))
    assert repr(tally) == "<Tally of its content: {'mail': 2, 'card': 1}>"
    tally.told()
    tally.told()
    tally.count(Detector("card", b"x"))
    tally.told()
    assert lines == ["card 1, mail 2 in its content", "card 1 in its content"]
