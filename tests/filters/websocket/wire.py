"""Frames as they stand on the wire, for tests."""

from __future__ import annotations

import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1 = 0x80, 0x40


def frame(first: int, payload: bytes = b"", *, masked: bool = True, key: bytes = b"\x11\x22\x33\x44") -> bytes:
    """``first``: FIN, reserved bits and opcode, as one byte."""
    size, mask = len(payload), 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, size | mask)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, 126 | mask, size)
    else:
        head = struct.pack("!BBQ", first, 127 | mask, size)
    if not masked:
        return head + payload
    stretched = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(size)


def text(said: str, *, masked: bool = True) -> bytes:
    return frame(FIN | TEXT, said.encode(), masked=masked)


def binary(said: bytes, *, masked: bool = True) -> bytes:
    return frame(FIN | BINARY, said, masked=masked)


def close(code: int | None = None, reason: bytes = b"", *, masked: bool = True) -> bytes:
    return frame(FIN | CLOSE, (b"" if code is None else struct.pack("!H", code)) + reason, masked=masked)


def deflated(data: bytes, *, level: int = 9) -> bytes:
    """As a message of permessage-deflate has it (RFC 7692 section 7.2.1)."""
    deflate = zlib.compressobj(level, wbits=-15)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
