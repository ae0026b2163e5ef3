"""One connection under the guard: what it still owes, and by when."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from ..clock import Clock
from ..wire.deadline import NEVER, Deadline
from .settings import Guard

__all__ = ["Connection", "Watch"]

REQUEST_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""RFC 9110 section 15.5.9."""


class Connection(Protocol):
    """What a watch knows of its connection, and does to it."""

    def catch_up(self) -> None: ...
    @property
    def waits(self) -> bool: ...
    @property
    def is_read(self) -> bool: ...
    @property
    def is_taken_over(self) -> bool: ...
    @property
    def outgoing(self) -> tuple[int, int]: ...
    def cut(self) -> None: ...
    def refuse(self, answer: bytes) -> None: ...


class _Owed(Enum):
    """What a client has begun and not ended."""

    NOTHING = "nothing"
    FIRST = "the first byte"
    HEAD = "a head"
    BODY = "a body"


class Watch:
    """Holds one connection to the deadlines of ``guard``. ``acted`` is told what it was ended for; ``left``, once,
    that it is lost.

    There is one timer, which mostly fires to look whether the client reads. A request that comes in one piece does not
    touch it.
    """

    __slots__ = (
        *("_acted", "_clock", "_connection", "_deadline", "_guard", "_left", "_owed", "_progress"),
        *("_reads_by", "_seconds", "_stalled", "_writes_by", "requests"),
    )

    def __init__(
        self,
        connection: Connection,
        guard: Guard,
        *,
        clock: Clock,
        acted: Callable[[str], None],
        left: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._clock = clock
        self._acted = acted
        self._left = left
        self._deadline = Deadline(clock, self._look)
        self._owed = _Owed.NOTHING
        self._reads_by = NEVER
        self._writes_by = NEVER
        self._seconds = 0.0 if guard.body_rate is None else 1 / guard.body_rate
        self._progress = 0
        self._stalled = clock.now()
        self.requests: float = NEVER if guard.requests is None else guard.requests

    # What the connection tells.

    def opened(self) -> None:
        now = self._clock.now()
        if self._guard.write is not None:
            self._writes_by = now + self._guard.write / 4
        if self._guard.idle is not None:
            self._owed, self._reads_by = _Owed.FIRST, now + self._guard.idle
        self._wait()

    def received(self, data: bytes) -> None:
        owed = self._owed
        if owed is _Owed.BODY:
            earned = NEVER if self._guard.body_rate is None else self._reads_by + len(data) * self._seconds
            self._reads_by = min(earned, self._clock.now() + self._most())
        elif owed is not _Owed.HEAD and data.strip(b"\r\n") and self._guard.head is not None:
            # Line ends before a request line are nothing (RFC 9112 section 2.2).
            self._owed, self._reads_by = _Owed.HEAD, self._clock.now() + self._guard.head
            self._wait()
        elif owed is _Owed.FIRST and data.strip(b"\r\n"):
            self.head_ended()

    def head_ended(self) -> None:
        self._owed = _Owed.NOTHING
        self._reads_by = NEVER

    body_ended = head_ended

    def body_began(self, waits: bool) -> None:
        most = self._most()
        self._owed = _Owed.BODY
        hand = most if waits or self._guard.body_rate is None else min(self._guard.body_grace, most)
        self._reads_by = self._clock.now() + hand
        self._wait()

    def malformed(self) -> None:
        self.head_ended()
        self._acted("malformed")

    def closed(self) -> None:
        self._deadline.cancel()
        self._reads_by = self._writes_by = NEVER
        self._left()

    # What it looks at.

    def _most(self) -> float:
        return NEVER if self._guard.body_idle is None else self._guard.body_idle

    def _wait(self) -> None:
        due = min(self._reads_by, self._writes_by)
        if due < self._deadline.at:
            self._deadline.set(due)

    def _look(self) -> None:
        now = self._clock.now()
        self._deadline.at = NEVER
        self._connection.catch_up()
        if now >= self._writes_by:
            self._look_at_writing(now)
        if now >= self._reads_by:
            self._late(now)
        self._wait()

    def _late(self, now: float) -> None:
        connection, owed = self._connection, self._owed
        if owed is _Owed.BODY and not connection.is_read:  # it is ours to read, or not this one's turn
            self._reads_by = now + min(self._guard.body_grace, self._most())
        elif owed is _Owed.HEAD and not connection.waits:  # the one before is being answered
            self._reads_by = NEVER if connection.is_taken_over else now + (self._guard.head or 0.0)
        else:
            self._reads_by = NEVER
            self._acted({_Owed.FIRST: "idle", _Owed.HEAD: "head"}.get(owed, "body"))
            if owed is _Owed.FIRST:
                connection.cut()
            else:
                connection.refuse(REQUEST_TIMEOUT)

    def _look_at_writing(self, now: float) -> None:
        connection, most = self._connection, self._guard.write
        if most is None or connection.is_taken_over:  # a tunnel has deadlines of its own
            self._writes_by = NEVER
            return
        unsent, taken = connection.outgoing
        if not unsent or taken != self._progress:
            self._progress, self._stalled = taken, now
        elif now - self._stalled >= most:
            self._writes_by = NEVER
            self._acted("write")
            connection.cut()
            return
        self._writes_by = now + most / 4

    def __repr__(self) -> str:
        due = "" if self._reads_by == NEVER else f", due in {self._reads_by - self._clock.now():.3g} s"
        return f"<Watch: {self._owed.value} owed{due}>"
