"""Bodies that are bounded on their way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Body
from revproxy.errors import BodyTooLarge
from revproxy.filters.validate.measured import AtMost


@given(st.lists(st.binary(max_size=5), max_size=8), st.integers(0, 12))
def test_at_most(chunks: list[bytes], limit: int) -> None:
    """Any split: no more than ``limit`` bytes pass before it is called, and it is called once."""
    calls: list[int] = []
    passed = 0

    def over() -> None:
        calls.append(passed)

    transform = AtMost(limit, over)
    for chunk in chunks:
        passed += len(transform.feed(chunk))
    assert transform.finish() == b""
    total = sum(map(len, chunks))
    assert passed == total
    assert len(calls) == (total > limit)
    assert all(each <= limit for each in calls)


def test_what_it_raises_ends_the_body() -> None:
    """The chunk that is too much does not pass."""

    def over() -> None:
        raise BodyTooLarge("more")

    with pytest.raises(BodyTooLarge):
        Body(b"abc").through(AtMost(2, over))
