"""Reads what one side of a WebSocket sends: bytes in, messages and control frames out (RFC 6455 section 5)."""

from __future__ import annotations

import sys
from typing import Final, NamedTuple, TypeAlias

from wsproto.frame_protocol import Buffer, Frame, FrameDecoder, MessageDecoder, Opcode, ParseFailed

from .codes import INVALID_DATA, POLICY_VIOLATION, PROTOCOL_ERROR, TOO_BIG, is_close_code
from .deflate import Deflate
from .passage import Message

__all__ = ["Broken", "Close", "Event", "Ping", "Pong", "Reader"]

_FRAGMENTS: Final = 1024
_FRAGMENT: Final = 64
"""A message may have so many fragments, and one more for so many bytes that it says."""


class Ping(NamedTuple):
    payload: bytes


class Pong(NamedTuple):
    payload: bytes


class Close(NamedTuple):
    """``code``: ``None`` if it has none."""

    code: int | None
    reason: str


Event: TypeAlias = Message | Ping | Pong | Close


class Broken(Exception):
    """What a side has sent that it must not; ``code`` is what it is told. What it said is not in the text."""

    def __init__(self, code: int, why: str, *, said_code: bool = False) -> None:
        super().__init__(why)
        self.code: int = code
        self.said_code: bool = said_code
        """It is a Close whose code must not be sent, or has no meaning."""


class Reader:
    """Takes bytes, in any segments, and gives one event after the other, when it is asked for one: what nobody asks
    for stays as the bytes that it came in.

    ``from_client``
        Frames must be masked; else they must not be.
    ``limit``
        Bytes of a message. What a frame declares counts, whether or not it comes.
    ``deflate``
        The compression that was agreed upon with this side, with the same limit.
    """

    __slots__ = (
        "_deflate",
        "_fragments",
        "_frames",
        "_held",
        "_limit",
        "_messages",
        "_size",
        "_skips",
        "closed",
        "frames",
        "is_lost",
    )

    def __init__(self, *, from_client: bool, limit: int, deflate: Deflate | None = None) -> None:
        self._frames = FrameDecoder(client=not from_client, extensions=[] if deflate is None else [deflate])
        self._messages = MessageDecoder()
        self._limit = limit
        self._deflate = deflate
        self._held = bytearray()
        self._size = self._fragments = 0
        self._skips = False
        self.frames: int = sys.maxsize
        """How many it still reads: at 0 there may be more that has come, for which this is to be set anew."""
        self.closed: bool = False
        """It has sent a Close, or what nobody could read on behind: nothing more is read."""
        self.is_lost: bool = False
        """That was no Close."""

    def feed(self, data: bytes) -> None:
        if not self.closed:
            self._frames.receive_bytes(data)

    @property
    def held(self) -> int:
        """Bytes that were fed and not given out."""
        return len(self._frames.buffer) + self._size

    @property
    def amid(self) -> bool:
        """A frame or a message has begun, and not ended."""
        return not self.closed and bool(
            self._frames.header is not None or len(self._frames.buffer) or self._messages.opcode is not None
        )

    def skip(self) -> None:
        """From now on, give nothing but a Close, and hold nothing."""
        self._skips = True
        self._reset()

    def next(self) -> Event | None:
        """What has come next; ``None`` if it has not come as a whole, or is not read yet. Raises ``Broken``."""
        frames = self._frames
        while self.frames and not self.closed:
            try:
                frame = frames.process_buffer()
                if not self._skips:
                    self._declared()
                if frame is None:
                    return None
                self.frames -= 1
                if frame.opcode >= 8:
                    if frame.opcode == Opcode.CLOSE:
                        return self._close(frame)
                    if self._skips:
                        continue
                    assert isinstance(frame.payload, bytes)
                    return (Ping if frame.opcode == Opcode.PING else Pong)(frame.payload)
                if self._skips:
                    continue
                message = self._piece(frame)
            except ParseFailed as error:
                raise self._broken(int(error.code), error) from None
            except Broken:
                self.skip()
                raise
            if message is not None:
                return message
        return None

    def _declared(self) -> None:
        """Whether what a frame has still to bring could be part of a message."""
        header = self._frames.header
        if header is None or header.opcode >= 8 or (self._deflate is not None and self._deflate.compressed):
            return
        if self._size + header.payload_len - self._frames.payload_consumed > self._limit:
            raise self._too_big()

    def _piece(self, frame: Frame) -> Message | None:
        """The message that it ends, if it does."""
        assert isinstance(frame.payload, bytes)
        self._size += len(frame.payload)
        if self._size > self._limit:
            raise self._too_big()
        if frame.frame_finished:
            self._fragments += 1
            if (self._fragments - _FRAGMENTS) * _FRAGMENT > self._size:
                raise Broken(POLICY_VIOLATION, "a message in too many fragments")
        try:
            told = self._messages.process_frame(frame)
        except ParseFailed as error:  # where frames begin is known nevertheless
            if error.code == INVALID_DATA:
                raise Broken(INVALID_DATA, "text that is not UTF-8") from None
            raise Broken(PROTOCOL_ERROR, "a fragment that is out of order") from None
        data = told.payload
        if told.message_finished and self._size == len(frame.payload):  # as nearly all are: in one piece
            self._reset()
            assert isinstance(data, str | bytes)
            return data
        self._held += frame.payload  # bytes of texts, too: as text, each piece would take an object of its own
        if not told.message_finished:
            return None
        whole = bytes(self._held)
        self._reset()
        return whole.decode() if isinstance(data, str) else whole

    def _reset(self) -> None:
        self._size = self._fragments = 0
        if self._held:
            self._held = bytearray()

    def _close(self, frame: Frame) -> Close:
        data = frame.payload
        assert isinstance(data, bytes)
        self._end()
        if not data:
            return Close(None, "")
        if len(data) == 1:
            raise Broken(PROTOCOL_ERROR, "a Close with half a code")
        code = int.from_bytes(data[:2])
        if not is_close_code(code):
            raise Broken(PROTOCOL_ERROR, f"a Close with the code {code}", said_code=True)
        try:
            return Close(code, data[2:].decode())
        except UnicodeDecodeError:
            raise Broken(INVALID_DATA, "a Close whose reason is not UTF-8") from None

    def _broken(self, code: int, error: ParseFailed) -> Broken:
        self._end()
        self.is_lost = True
        if code == TOO_BIG:
            return self._too_big()
        return Broken(
            code, "data that cannot be decompressed" if code == INVALID_DATA else f"what is no frame: {error}"
        )

    def _too_big(self) -> Broken:
        return Broken(TOO_BIG, f"a message of over {self._limit} bytes")

    def _end(self) -> None:
        self.closed = True
        self.skip()
        self._frames.buffer = Buffer()

    def __repr__(self) -> str:
        return f"<Reader {'closed' if self.closed else 'skips' if self._skips else 'open'}, {self.held} bytes held>"
