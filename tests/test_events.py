"""What components tell: to the log, and to the observers of the proxies that they run in."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import pytest

from revproxy import Component, Observer
from revproxy.events import Event
from revproxy.handler import running
from revproxy.observer import hooks


@dataclass(frozen=True, slots=True)
class Full(Event):
    level: ClassVar[int] = logging.WARNING

    by: int

    def __str__(self) -> str:
        return f"{self.source}: full by {self.by}"


class Watcher(Observer):
    def __init__(self) -> None:
        self.seen: list[Event] = []

    def happened(self, event: Event) -> None:
        self.seen.append(event)


class Tank(Component):
    pass


async def test_observers_are_told_while_it_runs() -> None:
    """An event reaches the observers of every proxy that the component runs in, from its start to its stop."""
    tank, one, other = Tank(), Watcher(), Watcher()
    tank.tell(Full("tank", 1))
    async with running(tank, hooks([one]).happened):
        tank.tell(Full("tank", 2))
        async with running(tank, hooks([other]).happened):
            tank.tell(Full("tank", 3))
        tank.tell(Full("tank", 4))
    tank.tell(Full("tank", 5))
    assert one.seen == [Full("tank", 2), Full("tank", 3), Full("tank", 4)]
    assert other.seen == [Full("tank", 3)]


async def test_once_for_each_who_listens() -> None:
    """A proxy that runs in two applications is told once, until the last of them ends."""
    tank, watcher = Tank(), Watcher()
    told = hooks([watcher]).happened
    async with running(tank, told):
        async with running(tank, told):
            tank.tell(Full("tank", 1))
        tank.tell(Full("tank", 2))
    assert watcher.seen == [Full("tank", 1), Full("tank", 2)]


async def test_one_that_cannot_start() -> None:
    """A component that failed to start tells nobody anything."""

    class Leaking(Component):
        async def start(self) -> None:
            raise LookupError("a hole")

    leaking, watcher = Leaking(), Watcher()
    with pytest.raises(LookupError):
        async with running(leaking, hooks([watcher]).happened):
            pass
    leaking.tell(Full("tank", 1))
    assert watcher.seen == []


def test_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """One line at the event's level, whatever its text holds; the event is on the record."""
    event = Full("tank\r\nforged", 1)
    Tank().tell(event)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("revproxy.event", logging.WARNING)
    assert record.getMessage() == r"tank\r\nforged: full by 1"
    assert record.event is event  # type: ignore[attr-defined]
