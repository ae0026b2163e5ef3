"""``br`` (RFC 7932), where the extra ``coding`` is installed."""

from __future__ import annotations

from collections.abc import Iterator

import brotli

from .base import PIECE, CodingError

__all__ = ["BrotliDecoder", "BrotliEncoder"]

_QUALITY = 4
"""Of 11: what is meant for answers that are compressed as they are sent."""


class BrotliDecoder:
    members: int = 1

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        if not data:
            return
        if stream.is_finished():
            raise CodingError("something stands behind its end")
        while True:
            try:
                piece = stream.process(data, output_buffer_limit=PIECE)
            except brotli.error as error:
                raise CodingError(str(error)) from None
            data = b""
            # It stops from the limit on, in steps of its own, and may say then that it takes more when it has more.
            for start in range(0, len(piece), PIECE):
                yield piece[start : start + PIECE]
            if stream.is_finished() or (len(piece) < PIECE and stream.can_accept_more_data()):
                return

    def finish(self) -> None:
        if not self._stream.is_finished():
            raise CodingError("it ends in the middle")


class BrotliEncoder:
    def __init__(self) -> None:
        self._stream = brotli.Compressor(quality=_QUALITY, lgwin=18)

    def feed(self, data: bytes) -> bytes:
        return bytes(self._stream.process(data))

    def flush(self) -> bytes:
        return bytes(self._stream.flush())

    def finish(self) -> bytes:
        return bytes(self._stream.finish())
