"""``gzip`` and ``deflate`` (RFC 9110 sections 8.4.1.2 and 8.4.1.3; RFC 1950 to 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from .base import PIECE, CodingError

__all__ = ["DeflateDecoder", "DeflateEncoder", "GzipDecoder", "GzipEncoder"]

_GZIP, _ZLIB, _RAW = 31, 15, -15
_LEVEL = 5
"""Of 9. Beyond it the time that it takes grows faster than what it saves."""


class GzipDecoder:
    """Several members, one behind the other, are one content (RFC 1952 section 2.2)."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self.members: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream is None:
                self._stream = zlib.decompressobj(_GZIP)
                self.members += 1
            yield from _pieces(self._stream, data)
            if not self._stream.eof:
                return
            data = self._stream.unused_data
            self._stream = None

    def finish(self) -> None:
        if self._stream is not None or not self.members:
            raise CodingError("it ends in the middle")


class DeflateDecoder:
    """With its wrapper, as it should be, or without, as many have sent it: the first two bytes tell."""

    members: int = 1

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._first = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._first += data
            if len(self._first) < 2:
                return
            data, self._first = self._first, b""
            wrapped = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._stream = zlib.decompressobj(_ZLIB if wrapped else _RAW)
        if self._stream.eof and data:
            raise CodingError("something stands behind its end")
        yield from _pieces(self._stream, data)
        if self._stream.unused_data:
            raise CodingError("something stands behind its end")

    def finish(self) -> None:
        if self._stream is None or not self._stream.eof:
            raise CodingError("it ends in the middle")


def _pieces(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while True:
        try:
            piece = stream.decompress(data, PIECE)
        except zlib.error as error:
            raise CodingError(str(error)) from None
        if piece:
            yield piece
        data = stream.unconsumed_tail
        # Without a tail there may still be more: a window's worth, that did not fit into the piece.
        if stream.eof or (not data and len(piece) < PIECE):
            return


class _ZlibEncoder:
    def __init__(self, window: int) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, window)

    def feed(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def flush(self) -> bytes:
        return self._stream.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._stream.flush()


class GzipEncoder(_ZlibEncoder):
    def __init__(self) -> None:
        super().__init__(_GZIP)


class DeflateEncoder(_ZlibEncoder):
    def __init__(self) -> None:
        super().__init__(_ZLIB)
