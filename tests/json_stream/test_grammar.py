"""What the expressions take is JSON, and all that they are to take."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from revproxy.json_stream.grammar import DEEPEST, more_elements, more_members, value

from .reference import DOCUMENTS


def depth_of(document: object) -> int:
    if isinstance(document, list):
        return 1 + max(map(depth_of, document), default=0)
    return 0


def _values(pairs: list[tuple[str, object]]) -> list[object]:
    """Also of a name that is there twice."""
    return [each for _, each in pairs]


@given(DOCUMENTS)
def test_values(text: str) -> None:
    """A value that is not too deep is taken whole; of one that is, nothing is."""
    data = text.strip().encode()
    found = value(DEEPEST).match(data + b"]")
    assert (found is not None) == (depth_of(json.loads(text, object_pairs_hook=_values)) <= DEEPEST)
    assert found is None or found.end() == len(data)


@pytest.mark.parametrize("deepest", range(DEEPEST + 1))
def test_runs(deepest: int) -> None:
    """Of several, as many are taken as are complete."""
    one = b"[" * deepest + b"1" + b"]" * deepest
    for more, before in ((more_elements, b", "), (more_members, b' ,"a" :')):
        found = more(deepest).match((before + one) * 3 + before + b"[" + one + b"]")
        assert found is not None
        assert found.end() == 3 * len(before + one)
        cut = more(deepest).match(before + one + before + one[: len(one) // 2 + 1 - (deepest == 0)])
        assert cut is not None
        assert cut.end() == len(before + one)
