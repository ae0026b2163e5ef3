"""How important a request is."""

from __future__ import annotations

import pytest

from revproxy.limiters.priority import rank
from revproxy.testing import exchange


@pytest.mark.parametrize(("said", "counts"), [(0, 0), (3, 3), (7, 7), (8, 7), (10**9, 7), (-1, 0)])
def test_it_is_one_of_eight(said: int, counts: int) -> None:
    """What is beyond the classes counts as the nearest: a function of the user's makes no table grow."""
    assert rank(lambda _: said, exchange()) == counts


def test_by_default_all_are_equal() -> None:
    """Nobody says how important a request is: all are of the most important class."""
    assert rank(None, exchange()) == 0


@pytest.mark.parametrize("wrong", ["high", None, 2.5])
def test_what_is_no_priority(wrong: object) -> None:
    """It says so, with what it was told."""
    with pytest.raises(TypeError, match=r"priority returned .*, which is no integer from 0 to 7"):
        rank(lambda exchange: wrong, exchange())  # type: ignore[arg-type,return-value]
