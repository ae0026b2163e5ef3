"""What becomes of what cannot be edited."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy.filters.content import Handling


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"unreadable": "edit"}, "unreadable must be 'refuse' or 'pass', got 'edit'"),
        ({"no_transform": "no"}, "no_transform must be 'edit', 'refuse' or 'pass', got 'no'"),
        ({"ranges": "pass"}, "ranges must be 'strip' or 'keep', got 'pass'"),
        ({"max_ratio": 0}, "max_ratio must be a positive integer, got 0"),
        ({"max_ratio": 1.5}, "max_ratio must be a positive integer, got 1.5"),
        ({"max_decoded": -1}, "max_decoded must be a positive integer or None, got -1"),
    ],
)
def test_wrong(wrong: dict[str, Any], message: str) -> None:
    """Each is named with its value."""
    with pytest.raises(ValueError, match=message):
        Handling(**wrong)


def test_repr() -> None:
    """What differs from the defaults."""
    assert repr(Handling()) == "Handling()"
    assert repr(Handling(unreadable="pass", recode=False)) == "Handling(unreadable='pass', recode=False)"
