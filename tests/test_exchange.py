"""The record of one request: typed values, what is deferred, ids."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.endpoint import Endpoint
from revproxy.errors import ConnectionLost
from revproxy.exchange import NO_HOOKS, Attempt, Exchange, Hooks, Key
from revproxy.testing.exchange import exchange

COUNTRY: Key[str] = Key("country")


def test_values() -> None:
    """A key holds a value of its type; absent, it raises or gives the default."""
    subject = exchange()
    assert COUNTRY not in subject
    assert subject.get(COUNTRY) is None
    assert subject.get(COUNTRY, "-") == "-"
    with pytest.raises(KeyError, match="country"):
        subject[COUNTRY]
    subject[COUNTRY] = "CH"
    assert COUNTRY in subject
    assert subject[COUNTRY] == subject.get(COUNTRY) == subject.get(COUNTRY, "-") == "CH"
    subject[COUNTRY] = "AT"
    assert subject[COUNTRY] == "AT"


def test_values_are_taken_back() -> None:
    """All of them at a time can be read, as a copy, and put back."""
    subject = exchange()
    key: Key[str] = Key("one")
    before = subject.values
    subject[key] = "x"
    after = subject.values
    assert (before, after) == ({}, {key: "x"})
    subject.values = before
    assert key not in subject
    subject.values = after
    subject[key] = "y"
    assert (after, subject.values) == ({key: "x"}, {key: "y"})


def test_keys_are_compared_by_identity() -> None:
    """Two filters that chose one name do not read each other's values."""
    subject = exchange()
    subject[COUNTRY] = "CH"
    namesake: Key[str] = Key("country")
    assert namesake not in subject
    with pytest.raises(KeyError):
        subject[namesake]


def test_exchanges_share_nothing() -> None:
    """What is put on one exchange is on no other."""
    one, other = exchange(), exchange()
    one[COUNTRY] = "CH"
    one.defer(lambda: None)
    assert COUNTRY not in other
    assert one.attempts is not other.attempts
    other.finish()


def test_deferred_runs_once_and_in_reverse() -> None:
    """Law 8: what was registered last is released first, and each once, however often the exchange ends."""
    ran: list[int] = []
    subject = exchange()
    for number in range(3):
        subject.defer(lambda number=number: ran.append(number))  # type: ignore[misc]
    subject.finish()
    subject.finish()
    assert ran == [2, 1, 0]


def test_deferred_while_finishing() -> None:
    """What a release registers is released too."""
    ran: list[str] = []
    subject = exchange()
    subject.defer(lambda: subject.defer(lambda: ran.append("inner")))
    subject.finish()
    assert ran == ["inner"]


@given(st.lists(st.booleans(), max_size=8))
def test_every_release_runs(fails: list[bool]) -> None:
    """Law 8: whichever releases raise, every one runs, once; and the failure is not swallowed."""
    ran: list[int] = []
    subject = exchange()

    def release(number: int) -> None:
        ran.append(number)
        if fails[number]:
            raise LookupError(number)

    for number in range(len(fails)):
        subject.defer(lambda number=number: release(number))  # type: ignore[misc]
    if any(fails):
        with pytest.raises(LookupError):
            subject.finish()
    else:
        subject.finish()
    assert ran == list(reversed(range(len(fails))))


def test_unwinding() -> None:
    """Law 8: what was deferred since a mark is released, in reverse and each once, also what a release registers, and
    if one raises; what was deferred before stays until the exchange is over."""
    ran: list[str] = []
    subject = exchange()
    subject.defer(lambda: ran.append("before"))
    mark = subject.mark

    def fail() -> None:
        raise LookupError("fails")

    for release in (lambda: ran.append("first"), fail, lambda: subject.defer(lambda: ran.append("inner"))):
        subject.defer(release)
    with pytest.raises(LookupError):
        subject.unwind(mark)
    assert ran == ["inner", "first"]
    assert subject.mark == mark
    subject.unwind(mark)
    subject.defer(lambda: ran.append("after"))
    subject.finish()
    assert ran == ["inner", "first", "after", "before"]


def test_forked() -> None:
    """A fork is of the same inbound and knows what is known so far; draft, attempts, releases and later values are its
    own, and nobody is told of it."""
    subject = exchange()
    subject[COUNTRY] = "CH"
    subject.defer(lambda: None)
    subject.interim = lambda status, headers: None
    subject.hide = lambda attempt, response: None
    draft = subject.request.copy(subject.request.body)
    forked = subject.fork(draft, 1001.0, 1005.0)
    assert forked.inbound is subject.inbound
    assert forked.request is draft
    assert (forked.started, forked.deadline) == (1001.0, 1005.0)
    assert (forked.attempts, forked.mark, forked.interim, forked.hooks) == ([], 0, None, NO_HOOKS)
    assert forked.hide is subject.hide
    forked[COUNTRY] = "AT"
    assert (subject[COUNTRY], forked[COUNTRY]) == ("CH", "AT")
    assert forked.id != subject.id
    assert subject.fork(draft, 1001.0).id == subject.id
    assert COUNTRY not in exchange().fork(draft, 1001.0)


def attempt(of: Exchange, host: str) -> Attempt:
    made = Attempt(Endpoint(f"http://{host}.test"), of, of.request, len(of.attempts) + 1, 1000.0)
    of.attempts.append(made)
    return made


def test_pairs() -> None:
    """A twin is observed as its exchange is, has its id, and knows the attempts so far; its own are its own."""
    subject = exchange()
    subject.hooks = Hooks(settled=(print,))
    before = attempt(subject, "a")
    twin = subject.fork(subject.request.copy(subject.request.body), subject.started)
    subject.pair(twin)
    assert (twin.id, twin.hooks, twin.attempts) == (subject.id, subject.hooks, [before])
    attempt(twin, "b")
    assert subject.attempts == [before]


@pytest.mark.parametrize("won", [False, True])
def test_joined(won: bool) -> None:
    """When a twin has come to its end all attempts are listed, the one whose answer stands as the last, and belong to
    the exchange that goes on. What the twin knows and has deferred stands only if it has won; else that is released."""
    ran: list[str] = []
    subject = exchange()
    subject.defer(lambda: ran.append("before"))
    draft = subject.request
    twin = subject.fork(draft.copy(draft.body), subject.started)
    first = attempt(subject, "a")
    subject.pair(twin)
    second = attempt(twin, "b")
    twin[COUNTRY] = "CH"
    twin.defer(lambda: ran.append("twin"))
    subject.join(twin, won=won)
    assert ran == ([] if won else ["twin"])
    assert subject.attempts == ([first, second] if won else [second, first])
    assert [each.number for each in (first, second)] == [1, 2]
    assert (subject.get(COUNTRY), subject.request is twin.request) == ("CH" if won else None, won)
    del twin
    gc.collect()
    assert second.exchange is subject
    subject.finish()
    assert ran == ["twin", "before"]


def test_a_twin_whose_release_raises() -> None:
    """Its attempts are listed all the same, and the failure is not swallowed."""
    subject = exchange()
    twin = subject.fork(subject.request, subject.started)
    subject.pair(twin)
    made = attempt(twin, "b")

    def fail() -> None:
        raise LookupError("fails")

    twin.defer(fail)
    with pytest.raises(LookupError):
        subject.join(twin, won=False)
    assert subject.attempts == [made]


def test_ids() -> None:
    """An id is made once, when it is asked for; one from outside is kept."""
    one, other = exchange(), exchange()
    assert one.id == one.id
    assert one.id != other.id
    assert len(one.id) == 16
    other.id = "from-outside"
    assert other.id == "from-outside"


def test_printed() -> None:
    """An exchange shows its request and how many tries it took; a target forges no line."""
    subject = exchange("POST", "/a?b", client="203.0.113.9")
    assert repr(subject) == "<Exchange POST '/a?b' from 203.0.113.9>"
    attempt = Attempt(Endpoint("http://h"), subject, subject.request, 1, 1000.0)
    subject.attempts.append(attempt)
    subject.inbound.target = "/\r\n\x1b"
    assert repr(subject) == "<Exchange POST '/\\r\\n\\x1b' from 203.0.113.9 attempts=1>"


def test_attempt_starts_with_nothing_known() -> None:
    """A new attempt was not sent, has no times and no outcome, and knows its exchange."""
    subject = exchange()
    attempt = Attempt(Endpoint("http://h"), subject, subject.request, 1, 1000.0)
    assert attempt.exchange is subject
    assert (attempt.sent, attempt.first_byte, attempt.ended, attempt.status, attempt.error) == (False, *[None] * 4)


def test_no_garbage() -> None:
    """An exchange with attempts is freed by reference counting alone, at once: no cycle waits for the collector."""
    subject = exchange()
    subject.attempts.append(Attempt(Endpoint("http://h"), subject, subject.request, 1, 1000.0))
    gone = weakref.ref(subject)
    gc.disable()
    try:
        del subject
        assert gone() is None
    finally:
        gc.enable()


def test_what_a_fork_knows_of_retries() -> None:
    """A fork of a request that must not be sent again must not be either, and has paid what that has; it may be retried
    by itself. A twin has paid what the other has meanwhile."""
    subject, budget, error = exchange(), object(), ConnectionLost("x")
    subject.spent, subject.retried, subject.paid = error, True, (budget,)
    forked = subject.fork(subject.request, 1.0)
    assert (forked.spent, forked.retried, forked.paid) == (error, False, (budget,))
    subject.paid = (budget, 2)
    subject.pair(forked)
    assert forked.paid == (budget, 2)
