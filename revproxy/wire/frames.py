"""Where the frames of a WebSocket begin and end (RFC 6455 section 5.2): headers are read, payload is not."""

from __future__ import annotations

import secrets
import struct

__all__ = ["FrameError", "Frames", "close_frame"]

_CLOSE = 0x8
_OPCODES = frozenset({0x0, 0x1, 0x2, _CLOSE, 0x9, 0xA})
_PLAIN = frozenset(rsv | fin | opcode for rsv in range(0, 0x80, 0x10) for fin in (0, 0x80) for opcode in (0, 1, 2)) | {
    0x89,
    0x8A,
}
"""First bytes of frames that are good as they are and end nothing."""


class FrameError(ValueError):
    """What cannot be a frame. ``good`` is what stood before it, which ends with a frame."""

    def __init__(self, message: str, good: bytes) -> None:
        super().__init__(message)
        self.good = good


class Frames:
    """Follows the frames that one side sends. ``masked``: that is a client, whose payload is masked.

    What would make it lose its place is refused: reserved opcodes, a server's frames with a mask and a client's without
    one, control frames that are too long or in fragments, lengths over 2^63. Reserved bits, the order of fragments and
    UTF-8 are left to the two ends.
    """

    __slots__ = ("_held", "_least", "_mask", "closed", "left")

    def __init__(self, *, masked: bool) -> None:
        self._mask = 0x80 if masked else 0
        self._least = 6 if masked else 2
        self._held = b""
        self.left: int = 0
        """Bytes of the current frame that are still to come. At 0 another frame may stand here."""
        self.closed: bool = False
        """A Close frame has begun: the last that this side sends."""

    def feed(self, data: bytes) -> bytes:
        """Take what has arrived, return what may go on: all of it, but for a header at its end that is not complete.
        That is kept, and goes before what comes next. Raises ``FrameError``."""
        size = len(data)
        left = self.left
        if not left and size > 1 and not self._held:
            # Most often it is one small frame.
            length = data[1] ^ self._mask
            if length < 126 and length + self._least == size and data[0] in _PLAIN:
                return data
        elif left >= size:
            self.left = left - size
            return data
        if self._held:
            data = self._held + data
            self._held = b""
            size = len(data)
        at, self.left = left, 0
        while at < size:
            end = self._frame(data, at, size)
            if not end:
                self._held = data[at:]
                return data[:at]
            at = end
        self.left = at - size
        return data

    def _frame(self, data: bytes, at: int, size: int) -> int:
        """Where the frame ends whose header begins at ``at``, which may be behind what is there. 0: its header does."""
        first = data[at]
        opcode = first & 0x0F
        if opcode not in _OPCODES:
            raise FrameError(f"opcode {opcode:#x}", data[:at])
        if at + 1 == size:
            return 0
        length = data[at + 1] ^ self._mask
        if length > 127:
            raise FrameError("a frame without a mask" if self._mask else "a masked frame", data[:at])
        if opcode > 7 and (length > 125 or first < 0x80):
            raise FrameError("a control frame that is too long or goes on", data[:at])
        head = self._least
        if length > 125:
            extended = 2 if length == 126 else 8
            head += extended
            if size < at + 2 + extended:
                return 0
            length = int.from_bytes(data[at + 2 : at + 2 + extended])
            if length >> 63:
                raise FrameError("a frame of over 2^63 bytes", data[:at])
        if opcode == _CLOSE:
            self.closed = True
        return at + head + length

    def rest(self) -> bytes:
        """The header that was never completed, when nothing more comes."""
        held, self._held = self._held, b""
        return held


def close_frame(code: int, *, masked: bool) -> bytes:
    """A Close frame with a status code of RFC 6455 section 7.4."""
    payload = struct.pack("!H", code)
    if not masked:
        return b"\x88\x02" + payload
    key = secrets.token_bytes(4)
    return b"\x88\x82" + key + bytes(byte ^ mask for byte, mask in zip(payload, key, strict=False))
