"""Observers: only the hooks that somebody overrides are called."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields

import pytest

from revproxy.errors import ProxyError
from revproxy.exchange import NO_HOOKS, Exchange, Hooks
from revproxy.observer import Observer, hooks
from revproxy.testing.exchange import exchange


class Counts(Observer):
    def __init__(self) -> None:
        self.seen: list[object] = []

    def started(self, exchange: Exchange) -> None:
        self.seen.append(exchange)

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        self.seen.append(error)


class Counted(Counts):
    def finished(self, exchange: Exchange, status: int | None) -> None:
        self.seen.append(status)


def test_only_what_is_overridden() -> None:
    """A hook that nobody overrides is not there to be called; one that a base class overrides is."""
    one, other = Counts(), Counted()
    found = hooks([Observer(), one, other])
    assert [len(each) for each in (found.started, found.failed, found.finished)] == [2, 2, 1]
    assert (found.attempted, found.settled, found.ruled) == ((), (), ())
    found.finished[0](exchange(), 204)
    assert (one.seen, other.seen) == ([], [204])


def test_one_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is logged, with its traceback, and the next one is told all the same."""

    class Broken(Observer):
        def started(self, exchange: Exchange) -> None:
            raise RuntimeError("no disk")

    later = Counts()
    subject = exchange()
    for hook in hooks([Broken(), later]).started:
        hook(subject)
    assert later.seen == [subject]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("revproxy.error", "ERROR")
    assert "Broken.started" in record.getMessage()
    assert record.exc_info


def test_they_are_called_in_order() -> None:
    """Hooks are bound, and in the order in which the observers were given."""
    observers = [Counted(), Counted()]
    subject = exchange()
    for hook in hooks(iter(observers)).started:
        hook(subject)
    assert [observer.seen for observer in observers] == [[subject], [subject]]


def test_no_observers() -> None:
    """Without observers there is nothing to call, on a new exchange too."""
    assert hooks([]) == hooks([Observer()]) == Hooks() == NO_HOOKS
    assert exchange().hooks is NO_HOOKS


def test_every_hook_has_its_place() -> None:
    """Every method of Observer is a hook of the exchange, under the same name, and the base does nothing."""
    names = [name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if not name.startswith("_")]
    assert sorted(names) == sorted(each.name for each in fields(Hooks))
    for name in names:
        arguments = [None] * (len(inspect.signature(getattr(Observer, name)).parameters) - 1)
        assert getattr(Observer(), name)(*arguments) is None


def test_hooks_are_fixed() -> None:
    """Hooks are composed once."""
    with pytest.raises(FrozenInstanceError):
        hooks([]).started = ()  # type: ignore[misc]
