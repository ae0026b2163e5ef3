"""One direction of a WebSocket: what one side sends is read, shown to functions, and written to the other side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from inspect import isawaitable
from typing import Final, Protocol

from wsproto.frame_protocol import FrameProtocol

from ...clock import Clock
from .endings import Ending, of_broken, of_excess, of_function
from .limits import MessageLimits, Pace
from .passage import Message, OnMessage, Passage
from .reader import Broken, Close, Event, Ping, Pong, Reader

__all__ = ["Judge", "Lane", "nowhere"]

_FRAMES: Final = 128
"""Frames that are read in one turn of the event loop: a segment may have tens of thousands."""
_TOGETHER: Final = 65536
"""Bytes that are written as one, at most but for a message that is larger."""


class Judge(Protocol):
    """Decides what becomes of a WebSocket when one direction cannot go on."""

    def judged(self, lane: Lane, ending: Ending, /) -> bool:
        """What has come must not go on. Whether it does nevertheless."""
        ...

    def settled(self, lane: Lane, /) -> None:
        """Nothing more can be done for now."""
        ...


class Lane:
    """Reads only while what was read can go on: what has come waits as bytes, of which the source then sends no more.
    So there is one message at a time in here, and messages stay in order, however long a function takes. What goes on
    in one turn is written as one: there may be many small messages, and each write asks the kernel.

    ``write``, ``pause``, ``resume``: into the one side, and of the other; ``judge``; ``back``, the other direction: set
    by whoever has the connections.
    """

    # Deleted at the end, when nobody calls any more: else they are a circle that only the garbage collector frees.
    back: Lane
    judge: Judge

    __slots__ = (
        "_clock",
        "_controls",
        "_due",
        "_due_size",
        "_functions",
        "_messages",
        "_paused",
        "_relays",
        "_rest",
        "_running",
        "_task",
        "_writer",
        "back",
        "blocked",
        "ended",
        "judge",
        "passage",
        "pause",
        "reader",
        "resume",
        "shut",
        "write",
    )

    def __init__(
        self,
        passage: Passage,
        reader: Reader,
        writer: FrameProtocol,
        functions: Sequence[OnMessage],
        limits: MessageLimits,
        clock: Clock,
        *,
        relays_controls: bool,
    ) -> None:
        self.passage: Passage = passage
        self.reader: Reader = reader
        self._writer = writer
        self._functions = functions
        self._messages = None if limits.rate is None else Pace(limits.rate, limits.at_once)
        self._controls = Pace(limits.control_rate, limits.control_burst)
        self._clock = clock
        self._relays = relays_controls
        self._task: asyncio.Future[Message | None] | None = None
        self._running = self._paused = False
        self._rest: asyncio.Handle | None = None
        """There is more to be done, in another turn."""
        self._due: list[bytes | bytearray] = []
        self._due_size = 0
        self.blocked: bool = True
        """The one side would rather not be written to, or nobody is there yet."""
        self.shut: bool = False
        """Nothing more may be written to it: it had its Close, or is gone."""
        self.ended: bool = False
        """The other side sends nothing more."""
        self.write: Callable[[bytes], object] = nowhere
        self.pause: Callable[[], object] = _nothing
        self.resume: Callable[[], object] = _nothing

    def feed(self, data: bytes) -> None:
        self.reader.feed(data)
        self.run()

    def run(self) -> None:
        """Do what can be done, in this turn."""
        if self._running:
            return  # somebody further out is at it
        self._running = True
        self.reader.frames = _FRAMES
        try:
            while self.shut or not (self.blocked or self._task):
                try:
                    event = self.reader.next()
                except Broken as broken:
                    if not self.shut:  # else nothing that it says matters
                        self.judge.judged(self, of_broken(self.passage.sender, broken))
                    continue
                if event is None:
                    break
                if not self.shut:
                    self._take(event)
            self._flush()
        finally:
            self._running = False
        if not (self.reader.frames or self._rest):
            self._rest = asyncio.get_running_loop().call_soon(self._rested)
        self._adjust()
        self.judge.settled(self)

    def _rested(self) -> None:
        self._rest = None
        self.run()

    @property
    def is_drained(self) -> bool:
        """All that the source will ever send has been dealt with."""
        return self.ended and (self.shut or not (self.blocked or self._task or self._rest))

    def send_close(self, code: int | None, reason: str = "") -> None:
        """The last that is written. What comes behind it is read on, but for a Close alone."""
        if not self.shut:
            self._put(self._writer.close(code, reason or None))
            self._flush()
            self.stop()

    def stop(self) -> None:
        """Write nothing more."""
        self.shut = True
        self._due.clear()
        self._due_size = 0
        self.reader.skip()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def detach(self) -> None:
        """It is over: nobody calls any more."""
        self.stop()
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self.write = nowhere
        self.pause = self.resume = _nothing
        del self.judge, self.back

    def _adjust(self) -> None:
        paused = self._rest is not None or (not self.shut and bool(self.blocked or self._task))
        if paused != self._paused and not self.ended:
            self._paused = paused
            (self.pause if paused else self.resume)()

    def _take(self, event: Event) -> None:
        if isinstance(event, str | bytes):
            self.passage.messages += 1
            if self._messages is None or self._messages.take(self._clock.now()) or self._excess("messages"):
                self._show(event)
        elif isinstance(event, Close):
            self.send_close(event.code, event.reason if self._relays else "")
        elif self._controls.take(self._clock.now()) or self._excess("pings and pongs"):
            self._control(event)

    def _excess(self, what: str) -> bool:
        return self.judge.judged(self, of_excess(self.passage.sender, what))

    def _refused(self, function: OnMessage, error: BaseException) -> bool:
        return self.judge.judged(self, of_function(self.passage, function, error))

    def _control(self, event: Ping | Pong) -> None:
        if self._relays:
            writer = self._writer
            self._put((writer.ping if isinstance(event, Ping) else writer.pong)(event.payload))
        elif isinstance(event, Ping):
            self.back.pong(event.payload)

    def pong(self, payload: bytes) -> None:
        """Answer a ping of the one side's, unless that does not read its answers."""
        if not (self.shut or self.blocked):
            self._put(self._writer.pong(payload))

    def _put(self, data: bytes | bytearray) -> None:
        self._due.append(data)
        self._due_size += len(data)
        if not self._running or self._due_size >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        if self._due:
            data = b"".join(self._due)
            self._due.clear()
            self._due_size = 0
            self.write(data)

    # What functions say.

    def _show(self, message: Message, first: int = 0) -> None:
        functions = self._functions
        for number in range(first, len(functions)):
            function = functions[number]
            try:
                said = function(self.passage, message)
                if not (said is None or isinstance(said, str | bytes)) and isawaitable(said):
                    self._task = task = asyncio.ensure_future(said)
                    task.add_done_callback(partial(self._said, number, message))
                    return
                given = _checked(said, message)
            except (Exception, asyncio.CancelledError) as error:  # as a future's result() raises it
                if not self._refused(function, error):
                    return
                given = message
            if given is None or self.shut:
                return
            message = given
        try:
            data = self._writer.send_data(message)
        except UnicodeEncodeError as error:  # surrogates, of the last one that has changed it
            self._refused(functions[-1], error)
            return
        self._put(data)

    def _said(self, number: int, message: Message, task: asyncio.Future[Message | None]) -> None:
        failure = RuntimeError("what it waited for was cancelled") if task.cancelled() else task.exception()
        if self._task is not task:  # nobody waits for it any more
            return
        self._task = None
        given: Message | None = message
        try:
            if failure is not None:
                raise failure
            given = _checked(task.result(), message)
        except BaseException as error:  # whatever ends a task is told to nobody else
            if not self._refused(self._functions[number], error):
                given = None
        if given is not None and not self.shut:
            self._show(given, number + 1)
        self.run()

    def __repr__(self) -> str:
        state = "shut" if self.shut else "blocked" if self.blocked else "waiting" if self._task else "open"
        return f"<Lane from the {self.passage.sender} {state}, {self.passage.messages} messages>"


def _checked(said: object, message: Message) -> Message | None:
    """Raises ``TypeError`` for what is no message of the same kind."""
    if said is None:
        return None
    if isinstance(message, str):
        if isinstance(said, str):
            return said
    elif isinstance(said, bytes):
        return said
    kind = "text" if isinstance(message, str) else "bytes"
    raise TypeError(f"for a message of {kind} it returned {type(said).__name__}")


def nowhere(data: bytes) -> None:
    """Where what nobody takes any more goes."""


def _nothing() -> None:
    """Nobody is there to be told."""
