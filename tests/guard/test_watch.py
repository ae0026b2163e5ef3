"""One connection under the guard, without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy.guard import Guard
from revproxy.guard.watch import Watch
from revproxy.testing import FakeClock


@dataclass
class Line:
    """A connection that does nothing by itself."""

    waits: bool = True
    is_read: bool = True
    is_taken_over: bool = False
    outgoing: tuple[int, int] = (0, 0)
    ends: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    left: int = 0

    def catch_up(self) -> None:
        pass

    def cut(self) -> None:
        self.ends.append("cut")

    def refuse(self, answer: bytes) -> None:
        self.ends.append(answer.split(b" ")[1].decode())

    def leave(self) -> None:
        self.left += 1


def watched(guard: Guard | None = None) -> tuple[Line, Watch, FakeClock]:
    line, clock = Line(), FakeClock()
    watch = Watch(line, guard or Guard(), clock=clock, acted=line.reasons.append, left=line.leave)
    watch.opened()
    return line, watch, clock


def test_nothing_comes() -> None:
    """S-45: a connection on which nothing comes is cut when ``idle`` is over, without an answer."""
    line, watch, clock = watched(Guard(idle=5))
    clock.advance(4.9)
    assert line.ends == []
    assert "the first byte owed, due in 0.1 s" in repr(watch)
    clock.advance(0.1)
    assert (line.ends, line.reasons) == (["cut"], ["idle"])


@pytest.mark.parametrize("first", [True, False])
def test_a_slow_head(first: bool) -> None:
    """S-45: a head has ``head`` seconds from its first byte, however many bytes follow, and whether it is the
    connection's first or not."""
    line, watch, clock = watched(Guard(head=5))
    if not first:
        watch.received(b"GE")
        watch.head_ended()
        clock.advance(100)
    for _ in range(5):
        watch.received(b"x")
        clock.advance(0.99)
    assert line.ends == []
    watch.received(b"x")
    clock.advance(0.05)
    assert (line.ends, line.reasons) == (["408"], ["head"])


def test_line_ends_are_no_head() -> None:
    """S-45: line ends before a request line begin nothing: an idle connection stays what it is, and a new one gets no
    more time by them."""
    line, watch, clock = watched(Guard(idle=5, head=5))
    watch.head_ended()
    watch.received(b"\r\n")
    clock.advance(1000)
    assert line.ends == []
    line, watch, clock = watched(Guard(idle=5, head=5))
    for _ in range(6):
        watch.received(b"\r\n")
        clock.advance(1)
    assert line.reasons == ["idle"]


def test_a_head_behind_a_request() -> None:
    """S-45: a head that begins while the request before is answered does not cost that its answer; once it is over, the
    head is late within another ``head`` seconds."""
    line, watch, clock = watched(Guard(head=5))
    watch.head_ended()
    line.waits = False
    watch.received(b"GET /")
    clock.advance(300)
    assert line.ends == []
    line.waits = True
    clock.advance(5)
    assert (line.ends, line.reasons) == (["408"], ["head"])


def test_a_body_that_stops() -> None:
    """S-46: progress resets the idle deadline, as far as it keeps to the rate, and what came fast before buys no more
    than that."""
    line, watch, clock = watched(Guard(body_idle=20, body_rate=10, body_grace=5))
    watch.body_began(False)
    for _ in range(10):
        watch.received(bytes(1_000_000))
        clock.advance(19.9)
        assert line.ends == []
    watch.received(b"x")  # which is worth a tenth of a second
    clock.advance(0.15)
    assert line.ends == []
    clock.advance(0.05)
    assert (line.ends, line.reasons) == (["408"], ["body"])


def test_a_body_that_does_not_begin() -> None:
    """S-46: ``body_grace`` is what a body has to begin with, ``body_idle`` where the client waits to be told."""
    for waits, seconds in ((False, 5), (True, 20)):
        line, watch, clock = watched(Guard(body_idle=20, body_rate=10, body_grace=5))
        watch.body_began(waits)
        clock.advance(seconds - 0.1)
        assert line.ends == []
        clock.advance(0.1)
        assert line.reasons == ["body"]


def test_a_body_at_its_rate() -> None:
    """S-46: who keeps to the rate is never cut; who sends half as much is, when what was in hand is used up."""
    for each, cut in ((10, False), (5, True)):
        line, watch, clock = watched(Guard(body_idle=60, body_rate=10, body_grace=5))
        watch.body_began(False)
        for second in range(1000):
            watch.received(bytes(each))
            clock.advance(1)
            if line.ends:
                assert 9 <= second <= 11
                break
        assert bool(line.ends) is cut


def test_a_body_that_is_not_read() -> None:
    """S-46: while the server does not read, the client owes nothing; afterwards it does again."""
    line, watch, clock = watched(Guard(body_idle=20, body_rate=10, body_grace=5))
    watch.body_began(False)
    line.is_read = False
    clock.advance(300)
    assert line.ends == []
    line.is_read = True
    clock.advance(5)
    assert line.reasons == ["body"]


def test_a_body_that_ends() -> None:
    """S-46: after the end of a body nothing is owed, also where the handler takes long."""
    line, watch, clock = watched()
    watch.body_began(False)
    watch.received(b"x")
    watch.body_ended()
    line.waits = False
    clock.advance(100_000)
    assert line.ends == []


def test_a_client_that_reads_nothing() -> None:
    """S-47: it is cut between ``write`` and a quarter more after it stopped; one that takes a byte in time is not."""
    line, watch, clock = watched(Guard(write=20))
    watch.head_ended()
    for taken in range(10):
        line.outgoing = (50_000 - taken, taken)
        clock.advance(15)
    assert line.ends == []
    line.outgoing = (50_000, 10)
    clock.advance(19.9)
    assert line.ends == []
    clock.advance(5.2)
    assert (line.ends, line.reasons) == (["cut"], ["write"])


def test_an_answer_that_goes_on() -> None:
    """S-47: what is unsent may be as much as before: if more was written meanwhile, the client has read."""
    line, watch, clock = watched(Guard(write=20))
    watch.head_ended()
    for taken in range(100):
        line.outgoing = (50_000, taken)
        clock.advance(5)
    assert line.ends == []


def test_a_tunnel_is_left_alone() -> None:
    """S-47: a connection that serves another protocol has that one's deadlines: there is no timer any more."""
    line, watch, clock = watched()
    watch.head_ended()
    line.waits, line.is_taken_over, line.outgoing = False, True, (100, 0)
    clock.advance(1000)
    assert (line.ends, clock.waiting) == ([], 0)
    watch.closed()
    assert line.left == 1


def test_without_limits() -> None:
    """Every deadline can be lifted; then there is no timer."""
    guard = Guard(idle=None, head=None, body_rate=None, body_idle=None, write=None, requests=None)
    line, watch, clock = watched(guard)
    watch.received(b"GE")
    watch.body_began(False)
    watch.received(b"x")
    watch.body_ended()
    assert clock.waiting == 0
    assert line.ends == []


def test_the_first_byte_without_a_deadline_for_heads() -> None:
    """``idle`` is over with the first byte, also where a head may take its time."""
    line, watch, clock = watched(Guard(idle=5, head=None))
    watch.received(b"G")
    clock.advance(1000)
    assert line.ends == []


def test_one_timer() -> None:
    """Whatever goes on, there is at most one timer, and none after the end."""
    _, watch, clock = watched()
    for _ in range(3):
        watch.received(b"x")
        assert clock.waiting == 1
        watch.body_began(False)
        watch.received(b"x")
        assert clock.waiting == 1
        watch.body_ended()
        clock.advance(7)
        assert clock.waiting == 1
    watch.closed()
    assert clock.waiting == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 30), st.integers(0, 500)), max_size=60))
def test_a_body_against_the_definition(pieces: list[tuple[float, int]]) -> None:
    """S-46: for any pace of arrival, the client is cut exactly when what it has in hand, as the settings define it, is
    used up."""
    guard = Guard(body_idle=20, body_rate=10, body_grace=5, write=None)
    line, watch, clock = watched(guard)
    watch.body_began(False)
    start = clock.now()
    by = start + 5.0
    for wait, size in pieces:
        clock.advance(wait)
        if abs(by - clock.now()) < 1e-6:
            return
        assert bool(line.ends) is (by < clock.now())
        if line.ends:
            return
        if size:
            watch.received(bytes(size))
            by = min(by + size / 10, clock.now() + 20)
