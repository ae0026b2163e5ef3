"""Who waits, for how long, who is next, and who has to go."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.limiters.queue import CLASSES, Queue


def drained(queue: Queue[str], now: float) -> list[str]:
    """All that wait, in the order in which they would be served at ``now``."""
    order = []
    while (item := queue.pop(now)) is not None:
        order.append(item)
    return order


def test_first_come_first_served() -> None:
    """As long as the queue does not stand, and each waits for the interval."""
    queue: Queue[str] = Queue(10)
    for number, item in enumerate("abc"):
        assert queue.patience(0, number * 0.01) == 0.1
        assert queue.push(item, number * 0.01) is None
    assert drained(queue, 0.05) == ["a", "b", "c"]
    assert queue.pop(0.05) is None


def test_a_queue_that_stands() -> None:
    """Not empty for longer than the interval: who comes waits for the target only, and the last is served first."""
    queue: Queue[str] = Queue(10)
    queue.push("a", 0.0)
    queue.push("b", 0.09)
    assert queue.patience(0, 0.1) == 0.1
    assert queue.patience(0, 0.11) == 0.005
    queue.push("c", 0.11)
    assert queue.pop(0.11) == "c"
    assert queue.pop(0.111) == "b"
    assert queue.pop(0.112) == "a"


def test_it_ends_standing() -> None:
    """Once it would be empty, had nobody given up: by those that are served, those that need not wait, and those that
    have gone by themselves; or when nobody has come for the interval."""

    def standing() -> Queue[str]:
        queue: Queue[str] = Queue(10)
        for number in range(4):
            queue.push(str(number), 0.05 * number)
            assert queue.expire(str(number))
        assert len(queue) == 0
        assert queue.patience(0, 0.2) == 0.005  # it is empty, but for nobody's having been served
        return queue

    queue = standing()
    for _ in range(3):
        assert queue.pop(0.2) is None
        assert queue.patience(0, 0.2) == 0.005
    assert queue.pop(0.2) is None
    assert queue.patience(0, 0.2) == 0.1

    queue = standing()
    for _ in range(4):
        queue.push("a", 0.2)
        assert queue.pop(0.2) == "a"
        assert queue.patience(0, 0.2) == 0.005
    assert standing().patience(0, 0.24) == 0.005
    assert standing().patience(0, 0.26) == 0.1
    queue = standing()
    queue.push("a", 0.3)
    assert queue.patience(0, 0.35) == 0.1


def test_a_class_that_keeps_up_does_not_stand() -> None:
    """Whatever is served, in whichever class: a more important one could have had that turn."""
    queue: Queue[str] = Queue(100)
    for step in range(100):
        now = 0.01 * step
        queue.push(f"low{step}", now, priority=5)
        if step % 2:
            queue.push(f"high{step}", now, priority=0)
            assert queue.pop(now) == f"high{step}"
        else:
            assert str(queue.pop(now)).startswith("low")
        assert queue.patience(0, now) == 0.1
        assert queue.patience(5, now) == (0.1 if step <= 11 else 0.005)


def test_who_has_little_in_it_has_not_made_it_stand() -> None:
    """A tenant with less than its share of a queue that stands is waited for as if it did not stand."""
    queue: Queue[str] = Queue(100)
    for step in range(20):
        queue.push(f"a{step}", 0.01 * step, tenant="a")
    assert queue.patience(0, 0.2, tenant="a") == 0.005
    assert queue.patience(0, 0.2, tenant="b") == 0.1
    queue.push("b0", 0.2, tenant="b")
    queue.push("b1", 0.2, tenant="b")
    assert queue.patience(0, 0.2, tenant="b") == 0.1
    assert [queue.pop(0.2) for _ in range(4)] == ["a19", "b0", "a18", "b1"]


def test_who_has_gone_has_not_given_up() -> None:
    """A client that goes away says nothing of the queue."""
    queue: Queue[str] = Queue(10)
    queue.push("a", 0.0)
    queue.push("b", 0.09)
    assert queue.remove("a")
    assert queue.remove("b")
    assert not queue.remove("a")
    assert not queue.expire("a")
    assert queue.patience(0, 0.11) == 0.1
    assert len(queue) == 0


def test_the_more_important_first() -> None:
    """Whatever came before, and whichever class stands: each has its own patience."""
    queue: Queue[str] = Queue(10)
    queue.push("low", 0.1, priority=7)
    queue.push("lower", 0.15, priority=7)
    queue.push("middle", 0.21, priority=3)
    queue.push("high", 0.21, priority=0)
    assert queue.patience(7, 0.21) == 0.005
    assert queue.patience(0, 0.21) == 0.1
    assert "1 of priority 0, 1 of priority 3, 2 of priority 7" in repr(queue)
    assert drained(queue, 0.21) == ["high", "middle", "lower", "low"]


def test_one_of_each_in_turn() -> None:
    """A tenant with a hundred requests is served as often as one with two."""
    queue: Queue[str] = Queue(200)
    for number in range(100):
        queue.push(f"a{number}", 0.0, tenant="a")
    queue.push("b0", 0.0, tenant="b")
    queue.push("b1", 0.0, tenant="b")
    queue.push("c0", 0.0, tenant=None)
    assert drained(queue, 0.0)[:6] == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_a_full_queue() -> None:
    """What would be served last has to go: the less important, however late it came; of one class the newcomer."""
    queue: Queue[str] = Queue(2)
    assert queue.push("low", 0.0, priority=5) is None
    assert queue.push("middle", 0.0, priority=3) is None
    assert queue.push("lower", 0.0, priority=6) == "lower"
    assert queue.push("high", 0.0, priority=0) == "low"
    assert queue.push("too", 0.0, priority=3) == "too"
    assert queue.push("higher", 0.0, priority=0) == "middle"
    assert queue.push("another", 0.0, priority=0) == "another"
    assert drained(queue, 0.0) == ["high", "higher"]


def test_a_full_queue_that_stands() -> None:
    """The oldest goes: its client is the most likely to have given up."""
    queue: Queue[str] = Queue(2)
    queue.push("a", 0.0)
    queue.push("b", 0.1)
    assert queue.push("c", 0.2) == "a"
    assert drained(queue, 0.2) == ["c", "b"]


def test_a_full_queue_is_fair() -> None:
    """The tenant that has most in it makes room; it cannot keep others out by being many."""
    queue: Queue[str] = Queue(3)
    for item in ("a0", "a1", "a2"):
        assert queue.push(item, 0.0, tenant="a") is None
    assert queue.push("a3", 0.0, tenant="a") == "a3"
    queue = Queue(3)
    for item in ("a0", "a1", "a2"):
        queue.push(item, 0.0, tenant="a")
    assert queue.push("b0", 0.0, tenant="b") == "a2"
    assert drained(queue, 0.0) == ["a0", "b0", "a1"]


def test_none_may_wait() -> None:
    """A size of 0 lets nobody in."""
    queue: Queue[str] = Queue(0)
    assert queue.push("a", 0.0) == "a"
    assert queue.pop(0.0) is None


Step = tuple[str, int, str, float]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["push", "push", "pop", "expire", "remove"]),
            st.integers(0, CLASSES - 1),
            st.sampled_from("abc"),
            st.floats(0, 0.2),
        ),
        max_size=200,
    ),
    st.integers(0, 8),
)
def test_nobody_is_lost_or_kept_twice(steps: list[Step], size: int) -> None:
    """Whatever comes and goes, in any order: there are never more than ``size``, who has come leaves once, and whoever
    is served is of the most important class that waits."""
    queue: Queue[int] = Queue(size)
    waiting: dict[int, int] = {}
    left: Counter[int] = Counter()
    now = 0.0
    for number, (what, priority, tenant, passed) in enumerate(steps):
        now += passed
        if what == "push":
            gone = queue.push(number, now, priority=priority, tenant=tenant)
            waiting[number] = priority
            if gone is not None:
                assert len(waiting) > size
                assert waiting[gone] == max(waiting.values())
                del waiting[gone]
                left[gone] += 1
        elif what == "pop":
            item = queue.pop(now)
            assert (item is None) == (not waiting)
            if item is not None:
                assert waiting[item] == min(waiting.values())
                del waiting[item]
                left[item] += 1
        elif waiting:
            item = sorted(waiting)[priority % len(waiting)]
            assert queue.expire(item) if what == "expire" else queue.remove(item)
            del waiting[item]
            left[item] += 1
        assert len(queue) == len(waiting) <= size
        assert queue.patience(priority, now) in (0.005, 0.1)
    rest = []
    while (item := queue.pop(now)) is not None:
        rest.append(item)
    assert sorted(rest) == sorted(waiting)
    assert not set(rest) & set(left)
    assert set(left.values()) <= {1}


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=100))
def test_turns_are_even(tenants: list[str]) -> None:
    """As long as two tenants both have requests in the queue, the one is served at most once more than the other."""
    queue: Queue[int] = Queue(100)
    for number, tenant in enumerate(tenants):
        queue.push(number, 0.0, tenant=tenant)
    left = Counter(tenants)
    served: Counter[str] = Counter(dict.fromkeys(left, 0))
    while (item := queue.pop(0.0)) is not None:
        served[tenants[item]] += 1
        left[tenants[item]] -= 1
        still = [served[tenant] for tenant, count in left.items() if count]
        assert not still or max(still) - min(still) <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": -1}, "queue must be .* got -1"),
        ({"size": 1.5}, "queue must be .* got 1.5"),
        ({"size": 1, "target": 0}, "target and interval must be .* got 0 and 0.1"),
        ({"size": 1, "target": 0.2}, "got 0.2 and 0.1"),
        ({"size": 1, "interval": float("inf")}, "got 0.005 and inf"),
    ],
)
def test_nonsense(arguments: dict[str, float], said: str) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=said):
        Queue(**arguments)  # type: ignore[arg-type]
