"""``zstd`` (RFC 8878), where Python has it (3.14) or the extra ``coding`` is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .base import PIECE, CodingError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ZstdDecoder", "ZstdEncoder"]

_WINDOW_LOG = 23
"""8 MiB: more is not for this use (RFC 9659 section 3), and would be held in memory."""


class ZstdDecoder:
    """Several frames, one behind the other, are one content (RFC 8878 section 3.1)."""

    def __init__(self) -> None:
        self._stream: zstd.ZstdDecompressor | None = None
        self.members: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._stream is None:
                self._stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
                self.members += 1
            stream = self._stream
            while True:
                try:
                    piece = stream.decompress(data, PIECE)
                except zstd.ZstdError as error:
                    raise CodingError(str(error)) from None
                data = b""
                if piece:
                    yield piece
                if stream.eof or stream.needs_input:
                    break
            if not stream.eof:
                return
            data = stream.unused_data
            self._stream = None

    def finish(self) -> None:
        if self._stream is not None or not self.members:
            raise CodingError("it ends in the middle")


class ZstdEncoder:
    def __init__(self) -> None:
        self._stream = zstd.ZstdCompressor(level=3)

    def feed(self, data: bytes) -> bytes:
        return self._stream.compress(data)

    def flush(self) -> bytes:
        return self._stream.flush(self._stream.FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._stream.flush()
