"""What every source has in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.discovery import Backoff, Discovery, Found


@given(st.integers(1, 10_000), st.integers())
def test_backoff(failures: int, seed: int) -> None:
    """Each delay is at least a half of what it is at most, which doubles from failure to failure, up to a bound; no
    number of failures is too many."""
    whole = min(30.0, 2.0 ** min(failures - 1, 64))
    assert whole / 2 <= Backoff(first=1, most=30).delay(failures, Random(seed)) <= whole


def test_backoff_differs() -> None:
    """By chance, so that many proxies do not ask at once."""
    rng = Random(1)
    assert len({Backoff().delay(3, rng) for _ in range(10)}) == 10


@pytest.mark.parametrize(("first", "most"), [(0, 1), (-1, 1), (2, 1), (float("nan"), 1), (1, float("inf"))])
def test_bad_backoff(first: float, most: float) -> None:
    """What is no time is refused."""
    with pytest.raises(ValueError, match=r"first|most"):
        Backoff(first=first, most=most)


class Nothing(Discovery):
    async def snapshots(self) -> AsyncIterator[Found]:
        yield []


@pytest.mark.parametrize("initial", [0, -1, float("inf"), float("nan")])
def test_bad_initial(initial: float) -> None:
    """What is no time to wait is refused; ``None`` is not to wait."""
    with pytest.raises(ValueError, match="initial"):
        Nothing(initial=initial)
    assert Nothing(initial=None).initial is None


def test_defaults_without_init() -> None:
    """A source that does not call ``Discovery.__init__`` has its defaults."""

    class Own(Nothing):
        def __init__(self) -> None:
            self.mine = 1

    assert (Own().initial, Own().allow_empty, Own().name) == (10.0, False, "")
