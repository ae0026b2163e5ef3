"""The chunked transfer coding of a response body (RFC 9112 section 7.1), read by llhttp."""

from __future__ import annotations

from httptools import HttpParserError, HttpResponseParser

from ..errors import Truncated

__all__ = ["ChunkedReader"]

_PREAMBLE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class ChunkedReader:
    """Takes the bytes of one chunked body, gives its content. Chunk extensions and trailers end here.

    ``complete``: the end was there. ``excess``: something stood behind it. ``bound``: bytes of extensions and trailers
    at most between two pieces of content, since nothing else bounds them.
    """

    __slots__ = ("_bound", "_overhead", "_parser", "_pieces", "complete", "excess")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._overhead = 0
        self._pieces: list[bytes] = []
        self.complete = False
        self.excess = False
        self._parser = HttpResponseParser(self)
        self._parser.feed_data(_PREAMBLE)

    def feed(self, data: bytes) -> bytes:
        """The content that ``data`` brings. Raises ``Truncated`` for what is not a chunked body."""
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            if not self.complete:
                raise Truncated(f"malformed chunked body: {error}") from None
            self.excess = True
        pieces = self._pieces
        if not pieces:
            self._overhead += len(data)
            if self._overhead > self._bound and not self.complete:
                raise Truncated(f"over {self._bound} bytes of chunk extensions or trailers")
            return b""
        self._overhead = 0
        content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return content

    # Called by llhttp.

    def on_message_begin(self) -> None:
        self.excess = self.complete

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.complete = True
