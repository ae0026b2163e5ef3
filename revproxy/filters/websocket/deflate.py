"""Compression of messages (RFC 7692, permessage-deflate), with a bound on what they grow to."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NAME", "Deflate", "accepted"]

NAME: Final = "permessage-deflate"

_WORTH: Final = 128
"""Bytes of a message from which on compression pays."""
_TAIL: Final = b"\x00\x00\xff\xff"
_BEHIND_LAST: Final = (b"", b"\x00", _TAIL)
"""What may follow a block that says that it is the last (RFC 7692 section 7.2.3.4)."""
_SPARE: Final = 1 << 12
"""Bytes, and one byte in so many, that a compressed message may be longer than what it says."""
_PLAIN, _COMPRESSED = RsvBits(False, False, False), RsvBits(True, False, False)


class Deflate(Extension):
    """What a client and the relay have agreed upon: no context is kept from one message to the next, so that a
    WebSocket that is quiet takes no memory for it.

    ``limit``: bytes that a message of the client's may have when it is decompressed; one byte more is decompressed,
    and no further. ``bits``: the size of the window that the client takes, 9 to 15.
    """

    name = NAME

    def __init__(self, limit: int, bits: int = zlib.MAX_WBITS) -> None:
        self._limit = limit
        self._bits = bits
        self._inflate: zlib._Decompress | None = None
        self._coded = self._size = 0
        self._control = False
        self.compressed: bool = False
        """The message that is being read is compressed."""

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool:
        return False

    # Of what is read.

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        self._control = opcode >= 8
        if self._control or opcode == Opcode.CONTINUATION:
            return _PLAIN
        self.compressed = rsv.rsv1
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if rsv.rsv1 else None
        self._coded = self._size = 0
        return _COMPRESSED

    def frame_inbound_payload_data(self, proto: FrameDecoder | FrameProtocol, data: bytes) -> bytes | CloseReason:
        if self._control or self._inflate is None:
            return data
        self._coded += len(data)
        if self._coded > self._limit + self._limit // _SPARE + _SPARE:
            return CloseReason.MESSAGE_TOO_BIG
        return self._inflated(data)

    def frame_inbound_complete(self, proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        if self._control or self._inflate is None or not fin:
            return None
        rest = self._inflated(_TAIL)
        self._inflate = None
        self.compressed = False
        return rest

    def _inflated(self, data: bytes) -> bytes | CloseReason:
        inflate = self._inflate
        assert inflate is not None
        if inflate.eof:
            return b"" if data in _BEHIND_LAST else CloseReason.INVALID_FRAME_PAYLOAD_DATA
        try:
            said = inflate.decompress(data, self._limit + 1 - self._size)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._size += len(said)
        if self._size > self._limit:
            return CloseReason.MESSAGE_TOO_BIG
        if inflate.unused_data not in _BEHIND_LAST:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return said

    # Of what is written, which is never in fragments.

    def frame_outbound(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        if opcode >= 8 or len(data) < _WORTH:
            return rsv, data
        deflate = zlib.compressobj(wbits=-self._bits)
        coded = deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return (_COMPRESSED, coded[:-4]) if len(coded) - 4 < len(data) else (rsv, data)

    def __repr__(self) -> str:
        return f"<Deflate up to {self._limit} bytes, window of 2^{self._bits}>"


def accepted(fields: Iterable[str], limit: int) -> tuple[str, Deflate] | None:
    """What to answer to a client whose ``Sec-WebSocket-Extensions`` are ``fields``, and what then holds; ``None`` if it
    offers no compression that can be done. The first such offer counts."""
    for offer in ",".join(fields).split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name.lower() == NAME:
            window = _window(parameters)
            if window is not None:
                answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
                if window:  # it has to be said when it was asked for, whatever it is
                    answer += f"; server_max_window_bits={window}"
                return answer, Deflate(limit, window or zlib.MAX_WBITS)
    return None


def _window(parameters: list[str]) -> int | None:
    """The window that an offer asks this side to keep to; 0: none. ``None``: the offer cannot be taken (RFC 7692
    section 7.1)."""
    bits = 0
    seen: set[str] = set()
    for parameter in parameters:
        name, equals, value = (part.strip() for part in parameter.partition("="))
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        if name in seen:
            return None
        seen.add(name)
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if equals:
                return None
        elif name in ("server_max_window_bits", "client_max_window_bits"):
            if equals or name == "server_max_window_bits":
                if value not in ("8", "9", "10", "11", "12", "13", "14", "15"):
                    return None
                if name == "server_max_window_bits":
                    bits = int(value)
        else:
            return None
    return None if bits == 8 else bits  # zlib has no window of 2^8 for this
