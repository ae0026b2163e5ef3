"""The chunked transfer coding (RFC 9112 section 7.1): written, and read by llhttp."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ..errors import Truncated

__all__ = ["ChunkedReader", "chunked"]

_PREAMBLE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(data: bytes) -> bytes:
    """``data`` as a whole chunked body."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"


class ChunkedReader:
    """Takes the bytes of one chunked body, gives its content. Chunk extensions and trailers end here.

    ``complete``: the end was there. ``excess``: something stood behind it. ``bound``: bytes of extensions and trailers
    at most between two pieces of content, since nothing else bounds them.
    """

    __slots__ = ("_bound", "_overhead", "_parser", "_pieces", "_tail", "complete", "excess")
    open_ended = False

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._overhead = 0
        self._pieces: list[bytes] = []
        self._tail = b""
        self.complete: bool = False
        self.excess: bool = False
        self._parser = HttpResponseParser(self)
        self._parser.feed_data(_PREAMBLE)

    def feed(self, data: bytes) -> bytes:
        """The content that ``data`` brings. Raises ``Truncated`` for what is not a chunked body."""
        self._tail = data[-5:] if len(data) > 4 else (self._tail + data)[-5:]
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                raise Truncated(f"malformed chunked body: {error}") from None
            self.excess = True
        if self.complete and (not self._tail.endswith(b"\r\n\r\n") or self._tail.startswith(b"\n")):
            # The end is an empty line behind a line that is not. Line ends beyond it llhttp passes over in silence.
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
        if self.complete:
            self.excess = True

    def on_body(self, piece: bytes) -> None:
        if not self.complete:  # else it is what llhttp takes for a second message
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.complete = True
