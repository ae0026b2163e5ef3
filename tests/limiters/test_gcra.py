"""Rates for many keys: against a log of hits, with clocks that do not run, and with more keys than there is room."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters import Gcra

MIB = 1 << 20


class Log:
    """The oracle: every unit that was taken, and when. As many are owed as the bucket, drained at ``rate`` since the
    first of them, would still hold: by going through all of it, in exact numbers."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = Fraction(rate), Fraction(burst)
        self.taken: list[tuple[Fraction, Fraction]] = []

    def owed(self, now: float) -> Fraction:
        level, last = Fraction(0), Fraction(0)
        for when, cost in self.taken:
            level = max(level - (when - last) * self.rate, Fraction(0)) + cost
            last = when
        return max(level - (Fraction(now) - last) * self.rate, Fraction(0))

    def margin(self, now: float, cost: float) -> Fraction:
        """By how much it is allowed; below 0: it is not."""
        return self.burst - self.owed(now) - Fraction(cost)

    def take(self, now: float, cost: float) -> None:
        self.taken.append((Fraction(now), Fraction(cost)))


def keys(count: int, start: int = 0) -> Iterator[bytes]:
    return (number.to_bytes(8) for number in range(start, start + count))


rates = st.sampled_from([1 / 60, 1 / 3, 0.7, 1.0, 3.0, 10.0, 1000.0, 123456.7])
bursts = st.sampled_from([1.0, 1.5, 2.0, 3.0, 20.0, 1000.0])


@given(
    rates,
    bursts,
    st.floats(0, 1e7),
    st.lists(st.tuples(st.floats(0, 3), st.sampled_from([0.0, 0.1, 1.0, 1.0, 1.0, 2.0, 7.5])), max_size=60),
)
def test_as_a_log_of_hits_says(rate: float, burst: float, now: float, steps: list[tuple[float, float]]) -> None:
    """S-49: each hit is allowed if and only if a log of all hits before allows it, and the verdict says how much is
    left, how long it takes until as much is there again, and until all is, to a millionth of a unit and the precision
    of the clock."""
    subject, log = Gcra(rate, burst), Log(rate, burst)
    for wait, cost in steps:
        now += wait / rate
        blur = 1e-5 + 8 * math.ulp(now) * rate
        margin = float(log.margin(now, cost))
        foreseen = subject.peek("a", now, cost)
        verdict = subject.hit("a", now, cost)
        assert verdict == foreseen
        if abs(margin) > blur:
            assert verdict.allowed == (margin > 0)
        if verdict.allowed:
            log.take(now, cost)
        owed = float(log.owed(now))
        assert verdict.remaining == pytest.approx(max(burst - owed, 0), abs=blur)
        assert verdict.reset == pytest.approx(owed / rate, abs=blur / rate)
        if cost > burst:
            assert verdict.retry_after == math.inf
        else:
            assert verdict.retry_after == pytest.approx(max(owed + cost - burst, 0) / rate, abs=2 * blur / rate)
            assert subject.peek("a", now + verdict.retry_after + blur / rate, cost).allowed


@given(st.sampled_from([1, 2, 3, 10, 97, 1000]), rates, st.floats(0, 1e8))
def test_as_many_at_once_as_it_says(burst: int, rate: float, now: float) -> None:
    """Neither one less nor one more, wherever the clock stands: rounding takes nothing."""
    subject = Gcra(rate, burst)
    assert [subject.hit(b"a", now).allowed for _ in range(burst + 1)] == [True] * burst + [False]


def test_a_rate_that_is_kept() -> None:
    """Who never stops asking gets his burst once, and after that his rate: what is refused costs nothing."""
    subject = Gcra(10, 5)
    passed = [subject.hit("a", 1000 + step / 1000).allowed for step in range(10_001)]
    assert sum(passed) == 5 + 10 * 10
    late = [index for index, each in enumerate(passed[1000:]) if each]
    assert {later - sooner for sooner, later in pairwise(late)} == {100}


def test_keys_are_apart() -> None:
    """What one has taken the other still has, text and bytes of the same spelling included, short or long."""
    subject = Gcra(1, 1)
    long = "x" * 100
    for key in ("a", b"a", "b", "", b"", long, long.encode(), f"{long}y", "\udcff" * 20, "ä" * 17):
        assert subject.hit(key, 0.0).allowed
        assert not subject.hit(key, 0.0).allowed


@given(st.lists(st.floats(-5, 5), max_size=60), st.integers(1, 3))
def test_a_clock_that_goes_back(steps: list[float], size: int) -> None:
    """However a clock stands still, goes back and on again, nobody gets more than the burst, and the rate of the time
    between the earliest and the latest that it has shown: with room for all, and with too little."""
    subject = Gcra(1, 3, size=size)
    now = earliest = latest = 100.0
    passed = [0, 0]
    for index, step in enumerate(steps):
        now += step
        earliest, latest = min(earliest, now), max(latest, now)
        passed[index % 2] += subject.hit(f"{index % 2}", now).allowed
        assert max(passed) <= 3 + (latest - earliest) + 1e-6
        assert len(subject) <= size


def test_costs_that_come_later() -> None:
    """S-50: what is settled may come to be owed, beyond the burst; until it is paid nothing passes, not even what costs
    nothing. What is given back is there again, and never more than all."""
    subject = Gcra(10, 20)
    subject.settle("a", 0.0, 50)
    refused = subject.hit("a", 0.0, 0)
    assert (refused.allowed, refused.remaining, refused.retry_after, refused.reset) == (False, 0.0, 3.0, 5.0)
    assert subject.hit("a", 3.0, 0).allowed
    assert not subject.hit("a", 3.0, 1).allowed
    subject.settle("a", 3.0, -5)
    assert subject.hit("a", 3.0, 5).allowed
    subject.settle("a", 3.0, -1000)
    assert subject.peek("a", 3.0).remaining == 19
    subject.settle("b", 3.0, -1000)
    assert subject.peek("b", 3.0).remaining == 19
    subject.settle("c", 0.0, 1e15)
    subject.settle("c", 0.0, 1e15)
    assert subject.peek("c", 0.0).reset <= 1e14


def test_what_costs_nothing_is_not_kept() -> None:
    """Neither a look, nor a hit for 0, nor a refusal takes room."""
    subject = Gcra(1, 2)
    subject.peek("a", 0.0)
    subject.hit("b", 0.0, 0)
    subject.hit("c", 0.0, 3)
    subject.settle("d", 0.0, 0)
    assert len(subject) == 0


# More keys than there is room for.


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(0, 60), st.floats(0, 2), st.floats(0, 3)), max_size=200))
def test_the_table_is_bounded(size: int, steps: list[tuple[int, float, float]]) -> None:
    """S-49: whatever comes: never more than ``size`` keys, and each of them is listed once; no key ever gets more than
    it would with room for all."""
    subject, unbounded = Gcra(1, 2, size=size), Gcra(1, 2)
    now = 0.0
    for number, wait, cost in steps:
        now += wait
        key = f"{number}"
        if cost > 2:
            subject.settle(key, now, cost)
            unbounded.settle(key, now, cost)
        elif subject.hit(key, now, cost).allowed:
            assert unbounded.hit(key, now, cost).allowed
        assert len(subject) <= size
        listed = [each for step in subject._steps.values() for each in step]
        assert sorted(listed) == sorted(subject._table)
        assert sorted(subject._order) == sorted(subject._steps)


def test_who_owes_nothing_goes_first() -> None:
    """Keys whose time has passed make room before any that owes; and those are dropped even while there is room."""
    subject = Gcra(1, 10, size=4)
    for key in ("light", "heavy", "heavier", "heaviest"):
        subject.hit(key, 0.0, {"light": 1, "heavy": 8, "heavier": 9, "heaviest": 10}[key])
    assert subject.hit("new", 2.0).allowed
    assert set(subject._table) == {"heavy", "heavier", "heaviest", "new"}
    assert "none used" in repr(subject._debts)
    assert subject.hit("newer", 20.0).allowed
    assert subject.hit("newest", 20.0).allowed
    assert set(subject._table) == {"newer", "newest"}


def test_then_the_least_recently_used() -> None:
    """Of those that owe alike, that which came first goes, and one that has asked again since stays."""
    subject = Gcra(1, 10, size=3)
    for second, key in enumerate(("a", "b", "c")):
        subject.hit(key, float(second), 8)
    subject.hit("a", 3.0, 2)
    subject.hit("d", 3.5, 8)
    assert set(subject._table) == {"a", "c", "d"}


@pytest.mark.parametrize("cost", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("burst", [1, 4])
def test_an_attacker_with_many_keys(burst: int, cost: float) -> None:
    """S-49: a client that is over its limit stays so, however many others come in between: it gets its rate, and not
    one request more, while a hundred keys for each that there is room for are hit as hard as they may."""
    size, rate = 200, 1.0
    subject, alone = Gcra(rate, burst, size=size), Gcra(rate, burst)
    others = keys(10**6)
    passed = most = 0
    for step in range(100):
        now = 50 + step / 10
        passed += subject.hit("busy", now).allowed
        most += alone.hit("busy", now).allowed
        for _, other in zip(range(size), others, strict=False):
            subject.hit(other, now, min(cost, burst))
    assert len(subject) == size
    assert passed <= most
    assert passed >= burst


def test_keys_that_had_to_go_still_owe() -> None:
    """S-49: each of ten times as many keys as there is room for has used up all it had: none of them gets any more
    before its time, and all do after."""
    size = 500
    subject = Gcra(1, 3, size=size)
    for key in keys(10 * size):
        subject.hit(key, 0.0, 3)
    assert not any(subject.hit(key, 0.9).allowed for key in keys(10 * size))
    assert all(subject.hit(key, 4.0).allowed for key in keys(10 * size))


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_new_keys_are_taken_for_others_as_rarely_as_it_says(share: float) -> None:
    """S-49: while n keys that had to go owe all they can, a key that is new is refused with a probability of
    (1 - exp(-n / w))^4, give or take what chance does in 20,000 draws."""
    width = 4096
    subject = Gcra(1, 2, size=width)
    count = int(share * width)
    for key in keys(width + count):
        subject.hit(key, 0.0, 2)
    falsely = sum(not subject.peek(key, 0.0).allowed for key in keys(20_000, start=10**6))
    expected = 20_000 * (1 - math.exp(-share)) ** 4
    assert abs(falsely - expected) <= 6 * math.sqrt(expected) + 0.25 * expected + 5


def test_small_debts_refuse_nobody() -> None:
    """S-49: half as many again as there is room for come once each: whoever is taken for another is taken for one that
    has come once, and passes."""
    subject = Gcra(1, 2, size=4096)
    for key in keys(4096 + 2048):
        assert subject.hit(key, 0.0).allowed


def test_many_more_share_what_many_have() -> None:
    """S-49: of 200,000 keys that come at once, where there is room for 100, as much passes as of ``width`` keys, at
    least: a flood of keys is limited as one, and takes no more than that from those that are new."""
    subject = Gcra(1, 2, size=100)
    width = subject._debts.width
    passed = sum(subject.hit(key, 0.0).allowed for key in keys(200_000))
    assert 2 * width <= passed <= 8 * width
    passed = sum(subject.hit(key, 1.0).allowed for key in keys(200_000, start=200_000))
    assert width <= passed <= 4 * width


def test_as_quick_for_many_as_for_few() -> None:
    """What is done for each new key in a full table is bounded: of keys that are hit again and again none is listed
    anew more often than it was hit."""
    listed = 0

    class Counting(Gcra):
        def _list(self, key: str | bytes, step: int) -> None:
            nonlocal listed
            listed += 1
            super()._list(key, step)

    counting = Counting(10, 10, size=300)
    hits = 0
    for step in range(200):
        now = step / 20
        for key in keys(200):
            counting.hit(key, now)
            hits += 1
        for key in keys(150, start=1000 + 150 * step):
            counting.hit(key, now)
            hits += 1
    assert listed <= 2 * hits


def test_memory_of_a_key() -> None:
    """At most 256 MiB for a million keys, in proportion: a hundred thousand, hit by twice as many, with all that is
    kept of those that had to go."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        subject = Gcra(1, 20, size=100_000)
        for number in range(200_000):
            subject.hit(number.to_bytes(16), 0.0)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(subject) == 100_000
    assert used * 10 <= 256 * MIB


@pytest.mark.soak
def test_memory_of_a_million_keys() -> None:
    """At most 256 MiB, at its peak, while two million ask; with keys much longer than what is kept of them."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        subject = Gcra(1, 20, size=1_000_000)
        for number in range(2_000_000):
            subject.hit(f"{number:0100}", 0.0)
        used = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert len(subject) == 1_000_000
    assert used <= 256 * MIB, used / MIB


# What it is given.


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan, 1e16])
def test_bad_rates(rate: float) -> None:
    """Named, with the value."""
    with pytest.raises(ValueError, match=f"rate must be 1e-15 to 1e\\+15, got {rate}".replace("e+16", "e\\+16")):
        Gcra(rate, 1)


@pytest.mark.parametrize("burst", [0, 0.5, -1, math.inf, math.nan])
def test_bad_bursts(burst: float) -> None:
    """Named, with the value: with less than one nothing would ever pass."""
    with pytest.raises(ValueError, match=f"burst must be 1 to 1e\\+15, got {burst}"):
        Gcra(1, burst)


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "9"])
def test_bad_sizes(size: int) -> None:
    """Named, with the value."""
    with pytest.raises(ValueError, match=f"size must be an integer of at least 1, got {size!r}"):
        Gcra(1, 1, size=size)


def test_printed() -> None:
    """How much, and how many."""
    subject = Gcra(0.5, 20, size=10)
    subject.hit("a", 0.0)
    assert repr(subject) == "<Gcra 0.5/s, 20 at once: 1 of 10 keys>"
