"""What is counted of the last seconds, and whose it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.health.outcomes import Counts, Outcomes

CALLS = st.lists(st.tuples(st.floats(0, 4), st.integers(0, 5), st.booleans(), st.booleans()), max_size=60)


@given(CALLS)
def test_against_a_log(calls: list[tuple[float, int, bool, bool]]) -> None:
    """Whatever comes at whatever times: what is counted is what a list of all calls says of the buckets that are not
    over, of all clients and without the worst one."""
    subject = Outcomes(10.0)
    log: list[tuple[int, int, bool, bool]] = []
    now = 1000.0
    for wait, client, failed, slow in calls:
        now += wait
        subject.add(now, client, failed=failed, slow=slow)
        log.append((int(now), client, failed, slow))
        window = [each for each in log if each[0] > int(now) - 10]
        assert subject.all == Counts(len(window), sum(each[2] for each in window), sum(each[3] for each in window))
        bad = {number: sum(each[2] + each[3] for each in window if each[1] == number) for number in range(6)}
        others = subject.others()
        assert others.failed + others.slow == sum(bad.values()) - max(bad.values())


STEPS = st.lists(st.tuples(st.floats(0, 4), st.integers(0, 3), st.integers(0, 5)), max_size=60)


@given(STEPS)
def test_what_is_spoilt(steps: list[tuple[float, int, int]]) -> None:
    """A call that fails after all, at whatever time, is one call as long as it is counted, else another one; a call and
    its failure are forgotten together, so that never more have failed than there are."""
    subject = Outcomes(10.0)
    log: list[tuple[float, int, bool]] = []
    now = 1000.0
    for wait, client, which in steps:
        now += wait
        if which < len(log) and not log[which][2]:
            ended, whose, _ = log[which]
            subject.spoil(now, whose, ended)
            if int(ended) > int(now) - 10:
                log[which] = ended, whose, True
            else:
                log.append((now, whose, True))
                log[which] = ended, whose, True
        else:
            subject.add(now, client, failed=False, slow=False)
            log.append((now, client, False))
        window = [each for each in log if int(each[0]) > int(now) - 10]
        assert subject.all == Counts(len(window), sum(failed for _, _, failed in window))
    subject.add(now + 100, 9, failed=False, slow=False)
    assert subject.all == Counts(1)
    assert not subject._bad
    assert sum(map(len, subject._buckets)) == 1


def test_clear() -> None:
    """Nothing is left."""
    subject = Outcomes(10.0)
    subject.add(5.0, "a", failed=True, slow=True)
    assert repr(subject) == "<Outcomes 1 of 1 failed, 1 were slow>"
    assert subject.others() == Counts()
    subject.clear()
    assert subject.all == Counts()
    subject.add(3.0, "a", failed=False, slow=False)  # an earlier time does no harm
    assert subject.all == Counts(1)


def test_time_that_stands_or_goes_back() -> None:
    """A call that ends at an earlier time than another is counted with it."""
    subject = Outcomes(1.0)
    for now in (10.0, 9.0, 10.0):
        subject.add(now, None, failed=True, slow=False)
    assert subject.all == Counts(3, 3)


@pytest.mark.parametrize("window", [0.001, 1.0, 3600.0])
def test_bounded(window: float) -> None:
    """S-54: however many clients there are, 256 are told apart, in ten buckets."""
    subject = Outcomes(window)
    for number in range(5000):
        subject.add(1000.0 + number * window / 5000, f"client {number}", failed=True, slow=False)
    assert len(subject._bad) <= 256
    assert sum(map(len, subject._buckets)) <= 2560
