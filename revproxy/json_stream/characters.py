"""Whether bytes are UTF-8, as they come."""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder

__all__ = ["Characters"]

_utf8 = getincrementaldecoder("utf-8")


class Characters:
    """Checks that bytes are UTF-8, whole and of the shortest form (RFC 3629).

    ``complete``
        Whether the last character has come to its end.
    """

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder: IncrementalDecoder | None = None

    @property
    def complete(self) -> bool:
        return self._decoder is None

    def wrong_at(self, chunk: bytes) -> int | None:
        """Where a character is none, from the start of ``chunk``; it may have begun before."""
        decoder = self._decoder
        if decoder is None:
            if chunk.isascii():
                return None
            decoder = self._decoder = _utf8("strict")
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return error.start - pending
        if not decoder.getstate()[0]:
            self._decoder = None
        return None

    def __repr__(self) -> str:
        return f"<Characters{'' if self.complete else ', in one'}>"
