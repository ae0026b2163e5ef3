"""One server that is probed."""

from __future__ import annotations

import asyncio

from ..clock import Timer
from ..endpoint import Endpoint
from .base import Verdicts
from .tally import Tally

__all__ = ["Checkup", "Place", "place_of"]

Place = tuple[str, str]


def place_of(endpoint: Endpoint) -> Place:
    """What two endpoints have in common that are one server, reached in one way: of theirs one is probed."""
    return endpoint.identity, "" if endpoint.policy is None else repr(endpoint.policy)


class Checkup:
    """One server that is probed, and the endpoints that it is in the upstreams that have it."""

    __slots__ = ("begun", "fresh", "held", "known", "members", "place", "tally", "task", "timer", "told", "why")

    def __init__(self, place: Place, tally: Tally) -> None:
        self.place: Place = place
        self.tally: Tally = tally
        self.members: dict[Verdicts, Endpoint] = {}
        """By the upstream whose it is."""
        self.timer: Timer | None = None
        """Of the next probe, or of the time that one has that is under way."""
        self.task: asyncio.Task[str | None] | None = None
        """The probe that is under way; it returns why it has failed."""
        self.begun: float = 0.0
        """When that, or the last one, began (monotonic seconds)."""
        self.told: bool = False
        """Its result is there, although it may not have ended."""
        self.held: tuple[Endpoint, ...] = ()
        """Those that were ejected when it began: what is known since then it cannot refute."""
        self.fresh: bool = True
        """None was planned before."""
        self.why: str = ""
        """How the last one failed, until it is up again."""
        self.known: asyncio.Event = asyncio.Event()
        """It is clear whether the server is up, or nobody wants to know any more."""

    def drop(self) -> None:
        """Probe it no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.told = True
        if self.task is not None:
            self.task.cancel()
        self.known.set()

    def __repr__(self) -> str:
        probed = " probed now" if self.task is not None else ""
        return f"<Checkup of {self.place[0]} {self.tally!r}{probed}{f': {self.why}' if self.why else ''}>"
