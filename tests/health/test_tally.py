"""How many results in a row it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.health.tally import Tally


def believed(results: list[bool], rise: int, fall: int) -> bool | None:
    """The same, slowly: from all results so far (``True``: failed), looking back at each step."""
    up: bool | None = None
    for end in range(1, len(results) + 1):
        seen = results[:end]
        if len(seen) >= fall and all(seen[-fall:]):
            up = False
        elif not seen[-1] and (up is None or (len(seen) >= rise and not any(seen[-rise:]))):
            up = True
    return up


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_against_an_oracle(results: list[bool], rise: int, fall: int) -> None:
    """Whatever the results, it believes what one who keeps all of them would; it tells of each change, and of nothing
    else."""
    tally = Tally(rise, fall)
    for end, failed in enumerate(results, 1):
        before = tally.up
        changed = tally.note(failed=failed)
        assert tally.up is believed(results[:end], rise, fall)
        assert changed is (tally.up is not before)
        assert tally.hurries is (failed or tally.up is False)
        assert tally.proven or tally.up is not True
        assert repr(tally)


def test_one_bad_result_is_none() -> None:
    """A failure now and then ejects nobody; the first success of all is enough."""
    tally = Tally(3, 3)
    assert tally.note(failed=False)
    assert tally.up
    for failed in (True, True, False) * 5:
        assert not tally.note(failed=failed)
    assert tally.up
