"""As much of RFC 6455 as a back end and a load need: the heads of a handshake, and whole frames. No fragments, no
extensions."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import NamedTuple

TEXT, BINARY, CLOSE = 1, 2, 8
MASK = bytes.fromhex("37fa213d")
"""Of every frame of a client: the example of section 5.7. A fixed one takes no time to draw."""

_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_KEY_LINE = re.compile(rb"\r\nSec-WebSocket-Key:[ \t]*([^\r\n]+?)[ \t]*(?:\r\n|$)", re.IGNORECASE)
_ACCEPT_LINE = re.compile(rb"\r\nSec-WebSocket-Accept:[ \t]*([^\r\n]+?)[ \t]*(?:\r\n|$)", re.IGNORECASE)


class Frame(NamedTuple):
    """The payload is as it came: masked, if there is a mask."""

    opcode: int
    payload: memoryview
    mask: bytes = b""

    def unmasked(self) -> bytes:
        return xor(self.payload, self.mask) if self.mask else self.payload.tobytes()


def xor(payload: bytes | memoryview, mask: bytes) -> bytes:
    size = len(payload)
    stream = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def encode(opcode: int, payload: bytes, mask: bytes = b"") -> bytes:
    """A whole frame; of a client, if it has a mask."""
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        length = bytes((bit | size,))
    elif size < 1 << 16:
        length = bytes((bit | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((bit | 127,)) + size.to_bytes(8, "big")
    return bytes((0x80 | opcode,)) + length + mask + (xor(payload, mask) if mask else payload)


class FrameReader:
    """Takes bytes as they come, gives whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        if self._rest:
            data = self._rest + data
        view = memoryview(data)
        frames = []
        begin, held = 0, len(data)
        while held - begin >= 2:
            second = data[begin + 1]
            size, at = second & 0x7F, begin + 2
            if size > 125:
                at += 2 if size == 126 else 8
                if held < at:
                    break
                size = int.from_bytes(data[begin + 2 : at], "big")
            mask_at = at
            if second & 0x80:
                at += 4
            if held < at + size:
                break
            frames.append(Frame(data[begin] & 0x0F, view[at : at + size], data[mask_at:at]))
            begin = at + size
        self._rest = data[begin:]
        return frames


def accept_of(key: bytes) -> bytes:
    """Section 4.2.2, step 5.4."""
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def ask(path: str, port: int) -> bytes:
    """The client's head."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {_KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def answer(head: bytes) -> bytes | None:
    """The server's head; None where nobody asked for a WebSocket."""
    key = _KEY_LINE.search(head)
    if key is None:
        return None
    lines = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return lines + b"Sec-WebSocket-Accept: " + accept_of(key[1]) + b"\r\n\r\n"


def refusal(head: bytes) -> str:
    """What is wrong with the answer to ``ask``, in words; empty if nothing is."""
    status = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")[2]
    if not status.startswith("101"):
        return f"answered {status!r} to the handshake, not 101"
    accepted = _ACCEPT_LINE.search(head)
    if accepted is None or accepted[1] != accept_of(_KEY):
        return "answered 101 with a wrong Sec-WebSocket-Accept"
    return ""
