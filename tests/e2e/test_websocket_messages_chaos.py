"""WebSockets through ``WebSocketFilter`` whose two ends do anything in any order.

The messages that arrive at one end are those that the other has sent, or the first of them, and then a Close;
everything ends, and nothing is left of it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from revproxy import Filter
from revproxy.filters import Passage, WebSocketFilter
from revproxy.filters.websocket import Message

from .test_websocket_chaos import CODES, Action, Chaos, LoopFactory, Side, check_examples, frame


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """First bytes and payloads, unmasked, of the frames that are whole."""
    found = []
    while len(data) > 1:
        size, at = data[1] & 0x7F, 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(data[2:at])
        key = b"\0\0\0\0"
        if data[1] & 0x80:
            key = data[at : at + 4]
            at += 4
        payload = data[at : at + size]
        if len(data) < at + size:
            break
        if key != b"\0\0\0\0":
            stretched = (key * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(size)
        found.append((data[0], payload))
        data = data[at + size :]
    return found


async def hesitate(passage: Passage, message: Message) -> Message:
    for _ in range(passage.messages % 3):
        await asyncio.sleep(0)
    return message


def look(passage: Passage, message: Message) -> Message:
    return message


class MessageChaos(Chaos):
    """As ``Chaos``, with messages that are looked at, at once and after a while, by one filter or more."""

    def __init__(self, *, unix: str | None = None, filters: int = 1) -> None:
        super().__init__(unix=unix)
        self.count = filters

    def filters(self) -> list[Filter]:
        return [WebSocketFilter(look, hesitate, clock=self.clock) for _ in range(self.count)]

    async def act(self, action: Action, sides: dict[str, Side], drains: list[asyncio.Task[None]]) -> None:
        name, what, size = action
        if what == "part":  # of what is a whole message
            side = sides[name]
            side.push(0)
            if not side.due:
                side.add(frame(0x82, b"." * 300, masked=side.masks))
            side.push(size)
        elif what == "send" and size < 10:  # more than is read in one turn
            sides[name].add(frame(0x82, b"." * size, masked=sides[name].masks) * 300)
            sides[name].push()
        else:
            await super().act(action, sides, drains)

    def compare(self, client: Side, upstream: Side, graces: set[int], *, is_calm: bool) -> None:
        for sender, receiver in ((client, upstream), (upstream, client)):
            sent = frames(bytes(sender.sent[: sender.whole] if not sender.is_honest else sender.sent))
            got = frames(bytes(receiver.got))
            closes = [number for number, (first, _) in enumerate(sent) if first == 0x88]
            if closes:
                del sent[closes[0] + 1 :]
            if got and got[-1][0] == 0x88 and got != sent[: len(got)]:
                _, payload = got.pop()
                assert int.from_bytes(payload) in CODES | {1011}, (sender, receiver, payload)
                assert not (is_calm and closes and not graces), (sender, receiver)
            assert got == sent[: len(got)], (sender, receiver)
            if is_calm and not graces:
                assert got == sent, (sender, receiver)


def test_any_order(loop_factory: LoopFactory) -> None:
    """F-93, F-100, F-101, F-102, S-55: over TCP."""
    check_examples(loop_factory, 500, MessageChaos())


def test_any_order_over_unix_sockets(loop_factory: LoopFactory, tmp_path: Path) -> None:
    """F-93, F-100, F-101, F-102, S-55: the same over Unix sockets."""
    check_examples(loop_factory, 200, MessageChaos(unix=str(tmp_path)))


def test_any_order_through_two(loop_factory: LoopFactory) -> None:
    """F-93, F-101, F-102, S-55: with a relay before a relay."""
    check_examples(loop_factory, 200, MessageChaos(filters=2))
