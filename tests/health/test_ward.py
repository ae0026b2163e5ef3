"""Who is ejected, by whom, for how long, and when that no longer counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint
from revproxy.endpoint import EndpointState, Ramp
from revproxy.events import Event
from revproxy.exchange import Attempt
from revproxy.health import (
    Await,
    Eject,
    EndpointAwaited,
    EndpointEjected,
    EndpointRestored,
    HealthPolicy,
    PanicBegan,
    PanicEnded,
    Restore,
    Verdict,
    Verdicts,
)
from revproxy.health.ward import Ward
from revproxy.testing import FakeClock, exchange


class Told(HealthPolicy):
    """Says what a test tells it to."""

    def __init__(self, max_ejected: float = 1.0, interval: float | None = None, name: str = "told") -> None:
        self.max_ejected = max_ejected
        self.interval = interval
        self.name = name
        self.members: Sequence[Endpoint] = ()
        self.next: list[Verdict] = []

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        self.members, self.say = endpoints, verdicts

    def settled(self, attempt: Attempt) -> Verdict | None:
        return self.next.pop() if self.next else None

    def judge(self, endpoints: Sequence[Endpoint], now: float) -> Iterable[Verdict]:
        said, self.next = self.next, []
        return said

    def __repr__(self) -> str:
        return self.name


class Hospital:
    """A ward with its surroundings."""

    def __init__(self, *policies: HealthPolicy, count: int = 4, panic: float = 0.0) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        self.restored: list[tuple[Endpoint, Ramp | None]] = []
        self.members = tuple(Endpoint(f"http://{number}.test") for number in range(count))
        self.ward = Ward(
            policies,
            panic=panic,
            name="site",
            clock=self.clock,
            tell=self.events.append,
            restored=lambda endpoint, ramp: self.restored.append((endpoint, ramp)),
        )
        self.ward.become(self.members)

    @property
    def accepting(self) -> list[int]:
        return [number for number, each in enumerate(self.members) if each.accepts(self.clock.now())]


def test_ejected_until_restored() -> None:
    """What a policy holds against an endpoint it alone lifts; both are told."""
    policy = Told()
    subject = Hospital(policy)
    policy.say(Eject(subject.members[1], "it smells"))
    assert subject.accepting == [0, 2, 3]
    assert not subject.members[1].keeps(0.0)
    assert "ejected" in repr(subject.members[1])
    subject.clock.advance(10_000)
    assert subject.accepting == [0, 2, 3]
    policy.say(Restore(subject.members[1], "washed"))
    assert subject.accepting == [0, 1, 2, 3]
    assert subject.restored == [(subject.members[1], None)]
    assert subject.events == [
        EndpointEjected("site", "http://1.test", "told", "it smells", None),
        EndpointRestored("site", "http://1.test", "washed"),
    ]


def test_ejected_for_a_time() -> None:
    """It is back when its time is over; a verdict that is said again sets the time anew, and is not told again."""
    policy = Told()
    subject = Hospital(policy)
    policy.say(Eject(subject.members[0], "slow", 30))
    subject.clock.advance(20)
    policy.say(Eject(subject.members[0], "still slow", 30))
    subject.clock.advance(29)
    assert subject.accepting == [1, 2, 3]
    subject.clock.advance(1)
    assert subject.accepting == [0, 1, 2, 3]
    assert [type(event) for event in subject.events] == [EndpointEjected, EndpointRestored]
    policy.say(Restore(subject.members[0]))  # of what is not held: nothing
    assert len(subject.events) == len(subject.restored) + 1 == 2


def test_all_of_it_has_to_be_over() -> None:
    """Where two policies hold something against an endpoint, one of them does not let it go."""
    one, other = Told(name="one"), Told(name="other")
    subject = Hospital(one, other)
    one.say(Eject(subject.members[0], "x"))
    other.say(Eject(subject.members[0], "y", 5))
    one.say(Restore(subject.members[0]))
    assert subject.accepting == [1, 2, 3]
    assert subject.restored == []
    subject.clock.advance(5)
    assert subject.accepting == [0, 1, 2, 3]
    assert len(subject.restored) == 1


@pytest.mark.parametrize(
    ("share", "count", "most"),
    [
        (0.1, 1, 0),
        (0.1, 2, 1),
        (0.1, 10, 1),
        (0.1, 19, 1),
        (0.1, 20, 2),
        (0.5, 3, 1),
        (0.5, 4, 2),
        (0.99, 3, 2),
        (1.0, 3, 3),
    ],
)
def test_how_many_at_most(share: float, count: int, most: int) -> None:
    """A share of the members, one at least, and never all unless all are allowed; each policy by itself (row 6)."""
    policy, other = Told(share), Told(share, name="other")
    subject = Hospital(policy, other, count=count)
    for each in subject.members:
        policy.say(Eject(each, "x"))
    assert sum(each.held for each in subject.members) == most
    if most:
        policy.say(Restore(subject.members[0]))
        if most < count:
            policy.say(Eject(subject.members[-1], "x"))
            assert sum(each.held for each in subject.members) == most
        other.say(Eject(subject.members[0], "x"))
        assert subject.members[0].held


def test_panic() -> None:
    """Where fewer than half are well all get requests, until enough are well again; draining ones do not count and get
    nothing (row 6)."""
    policy = Told()
    subject = Hospital(policy, count=4, panic=0.5)
    for number in (0, 1):
        policy.say(Eject(subject.members[number], "x"))
    assert subject.accepting == [2, 3]
    policy.say(Eject(subject.members[2], "x"))
    assert subject.accepting == [0, 1, 2, 3]
    (began,) = subject.events[3:]
    assert began == PanicBegan("site", 1, 4)
    assert "in panic" in repr(subject.ward)
    policy.say(Restore(subject.members[0]))
    assert subject.accepting == [0, 3]
    assert subject.events[4:] == [EndpointRestored("site", "http://0.test", ""), PanicEnded("site", 2, 4)]
    subject.members[3].state = EndpointState.DRAINING
    subject.ward.look()
    assert subject.ward.panics  # one of three
    assert subject.accepting == [0, 1, 2]


def test_without_panic() -> None:
    """With ``panic=0`` nobody gets anything where nobody is well."""
    policy = Told()
    subject = Hospital(policy, panic=0.0)
    for each in subject.members:
        policy.say(Eject(each, "x"))
    assert subject.accepting == []
    assert not subject.ward.panics


def test_membership() -> None:
    """What was held against one that leaves is forgotten, its timer too; the others keep what is held against them; who
    is no member is not ejected."""
    policy = Told()
    subject = Hospital(policy)
    gone, stays = subject.members[:2]
    policy.say(Eject(gone, "x", 5))
    policy.say(Eject(stays, "x", 5))
    subject.ward.become(subject.members[1:])
    assert policy.members == subject.members[1:]
    assert gone.accepts(0.0)
    assert not stays.accepts(0.0)
    policy.say(Eject(gone, "x"))
    assert gone.accepts(0.0)
    subject.clock.advance(5)
    assert stays.accepts(0.0)
    assert len(subject.restored) == 1


def test_what_attempts_tell() -> None:
    """A policy learns of each attempt, and what it says then is carried out."""
    policy = Told()
    subject = Hospital(policy)
    asked = exchange()
    attempt = Attempt(subject.members[2], asked, asked.request, 1, 0.0)
    subject.ward.settled(attempt)
    assert subject.accepting == [0, 1, 2, 3]
    policy.next = [Eject(subject.members[2], "x")]
    subject.ward.settled(attempt)
    assert subject.accepting == [0, 1, 3]


def test_judging() -> None:
    """At its interval, while the ward is open, a policy looks at all members, ejected ones included."""
    policy = Told(interval=10)
    subject = Hospital(policy)
    policy.next = [Eject(subject.members[2], "x"), Eject(subject.members[3], "x", 15)]
    subject.clock.advance(100)
    assert subject.accepting == [0, 1, 2, 3]
    subject.ward.start()
    subject.clock.advance(10)
    assert subject.accepting == [0, 1]
    policy.next = [Restore(subject.members[2])]
    subject.clock.advance(10)
    assert subject.accepting == [0, 1, 2]
    subject.ward.stop()  # nobody would let the last one go
    assert subject.accepting == [0, 1, 2, 3]
    policy.next = [Eject(subject.members[2], "x")]
    subject.clock.advance(100)
    assert subject.accepting == [0, 1, 2, 3]


SAY = st.tuples(
    st.sampled_from(["eject", "for a time", "restore", "wait", "drain", "leave"]), st.integers(0, 1), st.integers(0, 4)
)


@given(st.lists(SAY, max_size=40), st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))
def test_in_any_order(said: list[tuple[str, int, int]], share: float, panic: float) -> None:
    """Whatever is said in whatever order: nobody is held by one who is not counted, the bounds hold, and once all is
    restored everybody accepts."""
    policies = Told(share, name="one"), Told(name="other")
    subject = Hospital(*policies, count=5, panic=panic)
    for what, who, number in said:
        policy, endpoint = policies[who], subject.members[number]
        if what == "eject":
            policy.say(Eject(endpoint, "x"))
        elif what == "for a time":
            policy.say(Eject(endpoint, "x", 3.0))
        elif what == "restore":
            policy.say(Restore(endpoint))
        elif what == "wait":
            subject.clock.advance(2.0)
        elif what == "drain":
            endpoint.state = EndpointState.ACTIVE if endpoint.drains else EndpointState.DRAINING
            subject.ward.look()
        else:
            subject.ward.become(tuple(each for each in subject.members if each is not endpoint))
            assert not endpoint.held
            subject.ward.become(subject.members)
        counted = [each for each in subject.members if not each.drains]
        well = [each for each in counted if not each.held]
        assert subject.ward.panics == (len(well) < panic * len(counted))
        assert [each for each in subject.members if each.accepts(0.0)] == (counted if subject.ward.panics else well)
    for policy in policies:
        for endpoint in subject.members:
            policy.say(Restore(endpoint))
    assert not any(each.held for each in subject.members)
    subject.clock.advance(100.0)


def test_awaited() -> None:
    """Who is new to a policy gets nothing, in panic neither, and is counted nowhere; that it fails meanwhile is told,
    but lets it in no sooner."""
    policy = Told()
    subject = Hospital(policy, panic=0.9)
    first, second, *others = subject.members
    for each in (first, second):
        policy.say(Await(each))
        policy.say(Await(each))
    assert subject.accepting == [2, 3]
    assert PanicBegan not in map(type, subject.events)
    policy.say(Eject(others[0], "it smells"))
    assert PanicBegan in map(type, subject.events)
    assert subject.accepting == [2, 3], "panic is for those who were well once"
    policy.say(Eject(first, "it never came up"))
    assert subject.accepting == [2, 3]
    policy.say(Restore(first, "here it is"))
    policy.say(Restore(others[0], "washed"))
    assert subject.accepting == [0, 2, 3]
    policy.say(Restore(second, "here"))
    assert subject.accepting == [0, 1, 2, 3]
    assert not any(each.held for each in subject.members)
    assert [str(each) for each in subject.events if isinstance(each, EndpointAwaited)] == [
        "site: http://0.test is new, and waits for told",
        "site: http://1.test is new, and waits for told",
    ]


def test_awaited_is_forgotten() -> None:
    """Nobody waits for who has left, nor once it has stopped."""
    policy = Told()
    subject = Hospital(policy, panic=0.9)
    policy.say(Await(subject.members[0]))
    policy.say(Await(subject.members[1]))
    subject.ward.become(subject.members[1:])
    assert not subject.members[0].held
    subject.ward.stop()
    assert not subject.members[1].held


@pytest.mark.parametrize("yields", [True, False])
def test_overruled(yields: bool) -> None:
    """One that overrules lifts what a policy that yields has said, which is told of it; one that does not yield has
    its way, and so has one that awaits."""
    knows, other = Told(name="knows"), Told(name="other")
    told: list[Endpoint] = []
    other.yields = yields
    other.overruled = told.append  # type: ignore[method-assign, assignment]
    subject = Hospital(knows, other)
    first = subject.members[0]
    knows.say(Restore(first, "fine", overrules=True))
    assert told == []
    other.say(Eject(first, "x", 30))
    knows.say(Restore(first, "fine"))
    assert subject.accepting == [1, 2, 3]
    knows.say(Restore(first, "fine", overrules=True))
    assert subject.accepting == ([0, 1, 2, 3] if yields else [1, 2, 3])
    assert told == ([first] if yields else [])
    assert subject.clock.waiting == (0 if yields else 1)


def test_bound_while_it_runs() -> None:
    """A policy is told the members at the start, and that there are none at the end: it may serve others, too."""
    policy = Told()
    subject = Hospital(policy)
    policy.members = ()
    subject.ward.start()
    assert policy.members == subject.members
    subject.ward.stop()
    assert policy.members == ()
    subject.ward.start()
    assert policy.members == subject.members


def test_changed_while_it_is_told() -> None:
    """An observer that changes the members because of what a policy says as it is bound: all policies end with the
    members that there are."""

    class Early(Told):
        def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
            super().bind(endpoints, verdicts)
            if len(endpoints) == 3:
                verdicts(Eject(endpoints[0], "known to be bad"))

    early, late = Early(), Told()
    subject = Hospital(early, late)

    def cut(event: Event) -> None:
        if isinstance(event, EndpointEjected):
            subject.ward.become(subject.members[2:])

    subject.ward._tell = cut
    subject.ward.become(subject.members[1:])
    assert early.members == late.members == subject.members[2:]
    assert not any(each.held for each in subject.members)


def test_declined() -> None:
    """A policy is told of an ejection that is not carried out, as the bound is reached."""
    policy = Told(0.25)
    told: list[Endpoint] = []
    policy.declined = told.append  # type: ignore[method-assign, assignment]
    subject = Hospital(policy)
    for each in subject.members[:3]:
        policy.say(Eject(each, "x"))
    policy.say(Eject(subject.members[0], "x"))  # it is ejected already
    assert told == list(subject.members[1:3])


def test_a_ramp_after_its_time() -> None:
    """How its share grows may be said when it is ejected."""
    policy = Told()
    subject = Hospital(policy)

    def ramp(now: float) -> float:
        return 0.5

    policy.say(Eject(subject.members[0], "x", 5, ramp))
    subject.clock.advance(5)
    assert subject.restored == [(subject.members[0], ramp)]


def test_those_that_come_back_by_degrees_count() -> None:
    """Who has only a part of its share yet counts for ``max_ejected``, as if it were out, until it has all of it. It
    may be ejected again itself; who has its share at once does not count."""
    policy = Told(max_ejected=0.5)
    subject = Hospital(policy)
    a, b, c, d = subject.members
    shares = {a: 0.3}
    policy.say(Eject(a, "x", 1.0, lambda now: shares[a]))
    policy.say(Eject(b, "x", 1.0))
    subject.clock.advance(1)
    assert subject.accepting == [0, 1, 2, 3]
    for each in (c, d):
        policy.say(Eject(each, "x"))
    assert subject.accepting == [0, 1, 3]
    policy.say(Eject(a, "again", 1.0, lambda now: shares[a]))
    assert subject.accepting == [1, 3]
    subject.clock.advance(1)
    policy.say(Restore(c, "well"))
    policy.say(Eject(b, "x"))
    policy.say(Eject(d, "x"))
    assert subject.accepting == [0, 2, 3]
    shares[a] = 1.0
    policy.say(Eject(d, "x"))
    assert subject.accepting == [0, 2]


def test_the_end_is_no_recovery() -> None:
    """A ward that stops in panic lets all in, and tells nobody that it is over."""
    policy = Told()
    subject = Hospital(policy, panic=0.5)
    subject.ward.start()
    for each in subject.members:
        policy.say(Eject(each, "x"))
    assert [type(each) for each in subject.events if isinstance(each, PanicBegan | PanicEnded)] == [PanicBegan]
    subject.ward.stop()
    assert [type(each) for each in subject.events if isinstance(each, PanicBegan | PanicEnded)] == [PanicBegan]
    assert subject.accepting == [0, 1, 2, 3]
    assert not any(each.pardoned for each in subject.members)
