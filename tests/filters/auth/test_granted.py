"""What is known of grants: for how long, for whom, and how many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.auth.granted import Granted, Grants
from revproxy.testing import FakeClock

GRANTED = Granted(None, (("X-User", "ada"),))
fields = st.lists(st.tuples(st.sampled_from(["A", "B", "a"]), st.text(max_size=5)), max_size=3)


def test_for_a_while() -> None:
    """Until its time is over, and not a moment longer."""
    clock = FakeClock()
    grants = Grants(10, clock)
    key = grants.key([("Cookie", "a=1")])
    assert grants.get(key) is None
    grants.add(key, GRANTED)
    clock.advance(9.9)
    assert grants.get(grants.key([("cookie", "a=1")])) is GRANTED
    clock.advance(0.1)
    assert grants.get(key) is None
    assert len(grants) == 0


def test_off() -> None:
    """Nothing is kept for no time."""
    grants = Grants(0, FakeClock())
    key = grants.key([("Cookie", "a=1")])
    grants.add(key, GRANTED)
    assert (key, grants.get(key), len(grants)) == (None, None, 0)


@given(fields, fields)
def test_keys(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    """S-43: what differs in a name, in a value, in number or in order has another key, wherever one ends and the next
    begins; the case of a name makes no difference."""
    grants = Grants(1, FakeClock())

    def lowered(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(name.lower(), value) for name, value in fields]

    assert (grants.key(one) == grants.key(other)) == (lowered(one) == lowered(other))


def test_any_byte() -> None:
    """Values that are no UTF-8 have keys, too; those of another process are others."""
    grants = Grants(1, FakeClock())
    assert grants.key([("A", "\udcff")]) != grants.key([("A", "\udcfe")])
    assert grants.key([("A", "b")]) != Grants(1, FakeClock()).key([("A", "b")])


def test_bounded() -> None:
    """S-54: in number, what was used last is forgotten last; and in size."""
    grants = Grants(10, FakeClock())
    keys = [grants.key([("A", str(number))]) for number in range(2000)]
    for number, key in enumerate(keys):
        grants.add(key, GRANTED)
        if number:
            assert grants.get(keys[0]) is GRANTED
    assert len(grants) == 1024
    assert grants.get(keys[1]) is None
    large = grants.key([("B", "1")])
    grants.add(large, Granted(None, (("X-Large", "x" * 5000),)))
    assert grants.get(large) is None
    grants.clear()
    assert repr(grants) == "<Grants 0 for 10 s>"
