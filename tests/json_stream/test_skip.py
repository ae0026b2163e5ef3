"""Values that are only recognised."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.json_stream.skip import Skip

from .reference import DOCUMENTS


@given(DOCUMENTS, st.integers(1, 9))
def test_end(text: str, size: int) -> None:
    """The end of a value is found, in any pieces; nothing behind it is looked at."""
    data = text.strip().encode() + b"]"
    skip, rest, place = Skip(), b"", 0
    skip.begin(64)
    for start in range(0, len(data), size):
        piece = rest + data[start : start + size]
        taken = skip.feed(piece, 0)
        place += taken
        rest = piece[taken:]
        if skip.done:
            break
    assert skip.done
    assert place == len(data) - 1
    assert repr(skip) == "<Skip done>"


def test_repr() -> None:
    """It says how deep it is."""
    skip = Skip()
    skip.begin(9)
    assert skip.feed(b'[[{"a', 0) == 5
    assert repr(skip) == "<Skip in 3 containers>"
