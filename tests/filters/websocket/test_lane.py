"""One direction of a WebSocket, without a socket: what it does in one turn of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from wsproto.frame_protocol import FrameProtocol

from revproxy.errors import BadFrame, MessageFailed, MessageRefused
from revproxy.filters import MessageLimits, Passage
from revproxy.filters.websocket import Message, OnMessage
from revproxy.filters.websocket.endings import Ending
from revproxy.filters.websocket.lane import Lane
from revproxy.filters.websocket.reader import Reader
from revproxy.testing import FakeClock, exchange

from .wire import CONTINUATION, FIN, PING, RSV1, TEXT, close, frame, text


class Judge:
    """Notes what it is asked, and ends the lane."""

    def __init__(self) -> None:
        self.endings: list[Ending] = []
        self.settled_with: list[bool] = []

    def judged(self, lane: Lane, ending: Ending) -> bool:
        self.endings.append(ending)
        lane.send_close(ending.other)
        return False

    def settled(self, lane: Lane) -> None:
        self.settled_with.append(lane.is_drained)


class Rig:
    """A lane from a client, with what it writes, and whether its source is paused."""

    def __init__(self, *functions: OnMessage, limits: MessageLimits | None = None) -> None:
        self.judge = Judge()
        self.written: list[bytes] = []
        self.paused = False
        limits = limits or MessageLimits(control_burst=1e6)
        self.lane = lane = Lane(
            Passage(exchange(), "client"),
            Reader(from_client=True, limit=limits.size),
            FrameProtocol(client=False, extensions=[]),
            functions,
            limits,
            FakeClock(),
            relays_controls=True,
        )
        lane.judge = self.judge
        lane.back = lane
        lane.write = self.written.append
        lane.pause, lane.resume = self.pause, self.resume
        lane.blocked = False

    def pause(self) -> None:
        assert not self.paused
        self.paused = True

    def resume(self) -> None:
        assert self.paused
        self.paused = False

    async def quiet(self) -> int:
        """Wait until nothing more is done; how many turns that took."""
        count = 0
        while self.paused:
            await asyncio.sleep(0)
            count += 1
        return count


def look(passage: Passage, message: Message) -> Message:
    return message


@pytest.mark.parametrize(
    "flood",
    [text(""), frame(FIN | PING), frame(TEXT) + frame(CONTINUATION) * 98 + frame(FIN)],
    ids=["messages", "pings", "fragments"],
)
async def test_a_segment_of_many_frames(flood: bytes) -> None:
    """S-55: one segment has tens of thousands of frames, which would take half a second: 128 are read in one turn of
    the event loop, its source is paused until all are, and what comes meanwhile keeps its order."""
    rig = Rig(look)
    rig.lane.feed(flood * (65536 // len(flood)))
    assert rig.paused
    first = sum(map(len, rig.written))
    assert first <= 128 * 2
    rig.lane.feed(text("last"))
    assert await rig.quiet() > 50
    assert b"".join(rig.written).endswith(text("last", masked=False))
    assert max(map(len, rig.written)) <= 128 * 6
    assert rig.judge.endings == []


async def test_a_flood_behind_the_end() -> None:
    """S-55: what is only dropped, since the lane has written its Close, is read in turns as well."""
    rig = Rig(limits=MessageLimits(size=10))
    rig.lane.feed(text("x" * 11) + text("") * 1000 + close(1000))
    closed = [rig.lane.reader.closed]
    assert await rig.quiet() > 5
    assert [*closed, rig.lane.reader.closed] == [False, True]
    assert rig.written == [close(1001, masked=False)]


async def test_an_end_behind_a_flood() -> None:
    """F-101: a source that has ended is not drained while there is more to be read."""
    rig = Rig()
    rig.lane.feed(text("") * 300)
    rig.lane.ended = True
    rig.lane.run()
    assert rig.judge.settled_with == [False, False]
    await asyncio.sleep(0)
    assert rig.judge.settled_with == [False, False, True]
    assert b"".join(rig.written) == text("", masked=False) * 300


async def test_a_lane_that_is_over() -> None:
    """S-55: nothing is read on in a later turn when nobody is there any more."""
    rig = Rig()
    rig.lane.feed(text("") * 300)
    rig.lane.detach()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(rig.judge.settled_with) == 1


async def test_small_messages_are_written_together() -> None:
    """S-55: to a connection that is gone each write is a line in asyncio's log, so a turn has one; but what is much
    goes at once, lest it is more than a buffer."""
    rig = Rig()
    rig.lane.feed(text("a") * 5 + text("b" * 70_000) + text("c"))
    assert rig.written == [text("a", masked=False) * 5 + text("b" * 70_000, masked=False), text("c", masked=False)]


async def test_what_was_refused_is_judged_once() -> None:
    """F-93: what a side sends behind what it must not is dropped, and is neither counted nor logged."""
    rig = Rig(limits=MessageLimits(size=10))
    rig.lane.feed(text("good") + text("x" * 11) + frame(FIN | RSV1 | TEXT, b"x"))
    await rig.quiet()
    assert [type(ending.error) for ending in rig.judge.endings] == [MessageRefused]
    assert rig.written == [text("good", masked=False) + close(1001, masked=False)]
    rig = Rig()
    rig.lane.feed(frame(FIN | RSV1 | TEXT, b"x"))
    assert [type(ending.error) for ending in rig.judge.endings] == [BadFrame]


class Unusual(BaseException):
    """No ``Exception``."""


def cancelled(passage: Passage, message: Message) -> Message:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    return str(future.result())


async def unusual(passage: Passage, message: Message) -> Message:
    raise Unusual


@pytest.mark.parametrize("function", [cancelled, unusual], ids=["cancelled", "unusual"])
async def test_what_is_no_exception(function: Callable[[Passage, Message], Message]) -> None:
    """S-60: what a function asked was cancelled, or its task ends by a ``BaseException``: that is a failure like
    others, after which nothing waits for ever."""
    rig = Rig(function)
    rig.lane.feed(text("a"))
    await rig.quiet()
    assert [type(ending.error) for ending in rig.judge.endings] == [MessageFailed]
    assert rig.written == [close(1011, masked=False)]
