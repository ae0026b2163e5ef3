"""The machine of three states: when it changes, who is let in, and that no place is lost (row 15)."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from revproxy.health import CircuitState, Trip
from revproxy.health.circuit import Call, Circuit
from revproxy.health.outcomes import Counts

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class Wired:
    """A circuit and its time."""

    def __init__(self, **options: object) -> None:
        options.setdefault("jitter", 0.0)
        self.trip = Trip(**options)  # type: ignore[arg-type]
        self.now = 1000.0
        self.told: list[tuple[CircuitState, str, float]] = []
        self.circuit = Circuit(self.trip, rng=Random(1), changed=lambda *said: self.told.append(said))
        self._clients = 0

    def admit(self) -> Call | None:
        return self.circuit.admit(self.now)

    def ask(self, *, failed: bool = False, slow: bool = False, client: object = None) -> bool:
        """Whether a call is let in, which ends at once."""
        call = self.admit()
        if call is None:
            return False
        self._clients += 1
        call.end(self.now, self._clients if client is None else client, failed=failed, slow=slow)
        return True

    def breaks(self) -> None:
        """Let it open."""
        while self.circuit.look(self.now) is CLOSED:
            self.ask(failed=True)

    @property
    def state(self) -> CircuitState:
        return self.circuit.look(self.now)


def test_the_way_round() -> None:
    """Closed, open for its time, half open while the share grows, closed when the ramp is over and enough went well."""
    subject = Wired(seconds=5, ramp=10, trials=5)
    for _ in range(10):
        assert subject.ask()
    for _ in range(9):
        assert subject.ask(failed=True)
    assert subject.state is CLOSED
    assert subject.ask(failed=True)
    assert subject.state is OPEN
    assert subject.circuit.wait(subject.now) == 5
    subject.now += 4.9
    assert not subject.ask()
    subject.now += 0.2
    let_in = 0
    for number in range(1000):
        subject.now += 0.01
        let_in += subject.ask()
        if number < 990:
            assert subject.state is HALF_OPEN
    assert 450 <= let_in <= 550  # the mean of a ramp from none to all is half
    subject.now += 0.1
    assert subject.state is CLOSED
    assert [state for state, _, _ in subject.told] == [OPEN, HALF_OPEN, CLOSED]
    assert subject.told[0] == (OPEN, "10 of 20 calls failed", 5.0)
    assert repr(subject.circuit) == "<Circuit closed: 0 of 0 failed, 0 were slow>"


def test_the_first_goes_alone() -> None:
    """Half open, at most one more is in flight than have ended well: one, two, four, eight."""
    subject = Wired(ramp=0, trials=100)
    subject.breaks()
    subject.now += 5
    rounds = []
    for _ in range(4):
        calls = [call for _ in range(50) if (call := subject.admit()) is not None]
        rounds.append(len(calls))
        assert subject.circuit.in_trial == len(calls)
        for call in calls:
            call.end(subject.now, None, failed=False)
    assert rounds == [1, 2, 4, 8]


def test_it_opens_again_for_longer() -> None:
    """Each time twice as long, up to a bound; after it was closed for longer than it was not, anew."""
    subject = Wired(seconds=5, most=30, ramp=0, trials=1)
    subject.breaks()
    for _ in range(4):
        subject.now = subject.circuit.until
        assert subject.ask(failed=True)
        assert subject.state is OPEN
    assert [seconds for state, _, seconds in subject.told if state is OPEN] == [5, 10, 20, 30, 30]
    subject.now = subject.circuit.until
    assert subject.ask()
    assert subject.state is CLOSED
    assert subject.told[-1] == (CLOSED, "1 calls ended well", 95.0)
    subject.now += 90
    subject.breaks()
    assert subject.told[-1][2] == 30
    subject.now = subject.circuit.until
    assert subject.ask()
    subject.now += 31
    subject.breaks()
    assert subject.told[-1][2] == 5


def test_jitter() -> None:
    """Up to a share more, by chance: those that opened together are not half open together."""
    times = []
    for seed in range(200):
        circuit = Circuit(Trip(seconds=10, jitter=0.5, least=1), rng=Random(seed))
        circuit.record(0.0, None, failed=True)
        times.append(circuit.until)
    assert 10 <= min(times) < 10.5
    assert 14.5 < max(times) <= 15


def test_slow_calls() -> None:
    """They open it if they shall, and else count as well; in the trial, too."""
    for slow, state in ((0.0, CLOSED), (0.5, OPEN)):
        subject = Wired(slow=slow)
        for _ in range(30):
            subject.ask(slow=True)
        assert subject.state is state
    subject = Wired(failures=0, slow=0.5, ramp=0, trials=2)
    while subject.state is CLOSED:
        subject.ask(slow=True)
    subject.now += 5
    assert subject.ask(failed=True), "failures do not count here"
    assert subject.ask(slow=True)
    assert subject.state is OPEN


def test_old_calls_say_nothing() -> None:
    """A call of an earlier state neither counts in a later one nor frees a place there, however it ends."""
    subject = Wired(ramp=0, trials=3)
    old = [subject.admit() for _ in range(10)]
    subject.breaks()
    subject.now += 5
    trial = subject.admit()
    assert trial is not None
    for number, call in enumerate(old):
        assert call is not None
        if number % 2:
            call.end(subject.now, None, failed=number % 3 == 0)
        else:
            call.drop()
    assert (subject.state, subject.circuit.in_trial) == (HALF_OPEN, 1)
    assert subject.circuit.counts.calls == 0
    assert subject.admit() is None
    trial.end(subject.now, None, failed=True)
    subject.now += 10
    assert (subject.state, subject.circuit.in_trial) == (HALF_OPEN, 0)
    trial.end(subject.now, None, failed=False)
    assert subject.circuit.counts.calls == 0


def test_a_call_that_is_dropped() -> None:
    """Nobody knows how it went: it counts as none, and its place is free."""
    subject = Wired(ramp=10)
    subject.breaks()
    subject.now += 5
    for _ in range(10):
        call = subject.admit()
        assert call is not None
        assert subject.admit() is None
        call.drop()
        call.end(subject.now, None, failed=True)
        call.drop()
        assert repr(call).startswith("<Call, over of <Circuit half open")
    assert (subject.state, subject.circuit.in_trial) == (HALF_OPEN, 0)


def test_a_call_that_never_ends() -> None:
    """Half open is left even if a call hangs: after the time of being open another one has its place."""
    subject = Wired(seconds=5, ramp=0, trials=1)
    subject.breaks()
    subject.now += 5
    hangs = subject.admit()
    assert hangs is not None
    subject.now += 4.9
    assert subject.admit() is None
    subject.now += 0.2
    assert subject.ask()
    assert subject.state is CLOSED
    hangs.end(subject.now, None, failed=True)
    assert subject.circuit.counts.calls == 0


def test_one_clients_failures() -> None:
    """S-57: who knows how to provoke an error does not open it for others while they are many and fare well; where
    there is nobody else, or too few to say, it opens."""
    knows_how = 200  # shares its cell with none of the others, whose numbers come from 1 on
    subject = Wired()
    for _ in range(30):
        subject.ask()
    for _ in range(1000):
        assert subject.ask(failed=True, client=knows_how)
    assert subject.state is CLOSED
    for _ in range(30):
        subject.ask(failed=True)
    assert subject.state is OPEN
    alone = Wired()
    for _ in range(20):
        alone.ask(failed=True, client="the only one")
    assert alone.state is OPEN
    few = Wired()
    for _ in range(4):
        few.ask()
    for _ in range(19):
        few.ask(failed=True, client=knows_how)
    assert few.state is OPEN


@pytest.mark.parametrize("rate", [0, 2, 10, 20])
def test_one_client_does_not_hold_it_open(rate: int) -> None:
    """S-57: after an outage, one client who always fails may end one trial, not every one: the others, ten requests a
    second of fifty clients, have the service back soon, and keep it."""
    rng, circuit, now = Random(7), Circuit(Trip(), rng=Random(7)), 1000.0
    for client in range(20):
        call = circuit.admit(now)
        assert call is not None
        call.end(now, client, failed=True)
    assert circuit.state is OPEN
    served = refused = 0
    while now < 1600:
        now += rng.expovariate(10 + rate)
        is_theirs = rng.random() < rate / (10 + rate)
        call = circuit.admit(now)
        if call is not None:
            call.end(now, 200 if is_theirs else rng.randrange(50), failed=is_theirs)
        served += call is not None and not is_theirs
        refused += call is None and not is_theirs
    assert circuit.state is CLOSED
    assert served > 5500
    assert refused < 300


def test_one_client_alone() -> None:
    """Where nobody else is there one client's failures end every trial, each of them the first."""
    subject = Wired(ramp=0)
    while subject.state is CLOSED:
        subject.ask(failed=True, client=1)
    for _ in range(4):
        subject.now = subject.circuit.until
        assert subject.ask(failed=True, client=1)
        assert subject.state is OPEN


@pytest.mark.parametrize(("others", "ignored", "who"), [(0, 5, 77), (1, 9, 77), (0, 0, 78), (1, 3, 78)])
def test_whose_failure_has_ended_a_trial(others: int, ignored: int, who: int) -> None:
    """In the next one his do not count so much: some are let go, and more for each call of others that ends well. The
    first failure of another one counts."""
    subject = Wired(ramp=0, trials=5)
    subject.breaks()
    subject.now = subject.circuit.until
    subject.ask(failed=True, client=77)
    assert subject.state is OPEN
    subject.now = subject.circuit.until
    for _ in range(others):
        assert subject.ask()
    for _ in range(ignored):
        assert subject.ask(failed=True, client=77)
        assert subject.state is HALF_OPEN
    assert subject.ask(failed=True, client=who)
    assert subject.state is OPEN


def test_answers_that_take_longer_than_it_is_open() -> None:
    """Their places are given to others meanwhile, and when they end well that counts: it closes."""
    subject = Wired(seconds=5, ramp=5, trials=5)
    subject.breaks()
    subject.now += 5
    under_way: list[tuple[float, Call]] = []
    for _ in range(600):
        subject.now += 0.1
        for ended, call in [each for each in under_way if each[0] <= subject.now]:
            under_way.remove((ended, call))
            call.end(subject.now, None, failed=False)
        call_now = subject.admit()
        if call_now is not None:
            under_way.append((subject.now + 6, call_now))
    assert subject.state is CLOSED


def test_shares_for_who_does_not_ask() -> None:
    """All, none, or by the ramp, below all until it is closed."""
    subject = Wired(ramp=10, trials=2)
    share = subject.circuit.share
    assert share(subject.now) == 1
    subject.breaks()
    assert share(subject.now) == 0
    subject.now += 5
    assert share(subject.now) == 0.05
    subject.now += 5
    assert share(subject.now) == 0.5
    subject.now += 6
    assert share(subject.now) == 0.99
    for _ in range(2):
        subject.circuit.record(subject.now, None, failed=False)
    assert share(subject.now) == 1


@pytest.mark.parametrize(
    ("later", "counts"),
    [(0.0, Counts(1, 1)), (8.9, Counts(1, 1)), (9.0, Counts(1, 1)), (10.0, Counts(1, 1)), (60.0, Counts(1, 1))],
)
def test_spoilt(later: float, counts: Counts) -> None:
    """A call that seemed well and has failed after all is one call, as long as it is not forgotten; once."""
    subject = Wired()
    call, bad, left = subject.admit(), subject.admit(), subject.admit()
    assert call is not None
    assert bad is not None
    assert left is not None
    left.drop()
    call.end(subject.now, "a", failed=False)
    subject.now += later
    for each in (call, call, left):
        each.spoil(subject.now)
    assert subject.circuit.counts == counts
    bad.end(subject.now, "b", failed=True)
    bad.spoil(subject.now)
    assert subject.circuit.counts.failed == 2


def test_spoilt_in_a_trial() -> None:
    """It ends the trial as any other failure does, and one of another state ends none."""
    subject = Wired(ramp=0, trials=5)
    old = subject.admit()
    assert old is not None
    old.end(subject.now, None, failed=False)
    subject.breaks()
    subject.now += 5
    call = subject.admit()
    assert call is not None
    call.end(subject.now, None, failed=False)
    old.spoil(subject.now)
    assert subject.state is HALF_OPEN
    call.spoil(subject.now)
    assert subject.state is OPEN


def test_nothing_is_recorded_while_open() -> None:
    """What ends then began before."""
    subject = Wired()
    subject.breaks()
    assert subject.circuit.record(subject.now, None, failed=True) is None
    assert (subject.state, subject.circuit.counts.calls) == (OPEN, 0)


class Anyhow(RuleBasedStateMachine):
    """Calls are let in, end, are dropped, ended twice, or never, and time passes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.wired = Wired(least=3, seconds=2, most=8, ramp=3, trials=3, slow=0.6)
        self.calls: list[Call] = []
        self.over: list[Call] = []

    @rule()
    def admits(self) -> None:
        call = self.wired.admit()
        if call is not None:
            self.calls.append(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), failed=st.booleans(), slow=st.booleans())
    def ends(self, data: st.DataObject, failed: bool, slow: bool) -> None:
        call = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        call.end(self.wired.now, len(self.over), failed=failed, slow=slow)
        self.over.append(call)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def drops(self, data: st.DataObject) -> None:
        call = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        call.drop()
        self.over.append(call)

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def ends_again(self, data: st.DataObject) -> None:
        before = repr(self.wired.circuit), self.wired.circuit.in_trial
        call = data.draw(st.sampled_from(self.over))
        call.drop()
        call.end(self.wired.now, None, failed=True, slow=True)
        assert (repr(self.wired.circuit), self.wired.circuit.in_trial) == before

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def is_spoilt(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.over)).spoil(self.wired.now)

    @rule(seconds=st.floats(0.1, 3))
    def waits(self, seconds: float) -> None:
        self.wired.now += seconds

    @invariant()
    def no_place_is_lost(self) -> None:
        """Those that the trial waits for are calls that have not ended, each of this trial; without one it lets
        somebody in."""
        circuit = self.wired.circuit
        mine = [call for call in self.calls if call.epoch == circuit.epoch]
        if circuit.state is HALF_OPEN:
            assert set(circuit._flying) <= set(mine)
            assert circuit.in_trial <= circuit._well + 1
            assert circuit._credit >= 0
        else:
            assert circuit.in_trial == 0

    def teardown(self) -> None:
        """Whatever went before, even if no call ever ends: when all is well it is closed in time."""
        for _ in range(200):
            self.wired.now += 1.0
            for number in range(3):
                self.wired.ask(client=number)
            if self.wired.state is CLOSED:
                break
        assert self.wired.state is CLOSED


Anyhow.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestAnyhow = Anyhow.TestCase


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2)), max_size=80))
def test_the_states_follow_each_other(steps: list[tuple[bool, float]]) -> None:
    """Open after closed or half open, half open after open, closed after half open; each is told."""
    subject = Wired(least=2, seconds=1, most=4, ramp=1, trials=2)
    for failed, wait in steps:
        subject.now += wait
        subject.ask(failed=failed)
    states = [CLOSED, *(state for state, _, _ in subject.told)]
    assert subject.circuit.state is states[-1]
    assert subject.circuit.epoch == len(subject.told)
    follow = {CLOSED: {OPEN}, OPEN: {HALF_OPEN}, HALF_OPEN: {OPEN, CLOSED}}
    for before, after in pairwise(states):
        assert after in follow[before]
