"""What undoes a content coding, and what puts one on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["PIECE", "CodingError", "Decoder", "Encoder"]

PIECE = 65536
"""Bytes at most that a decoder gives out at once, however much there is in what it was fed."""


class CodingError(Exception):
    """What was fed is not in the coding that it is said to be in."""


class Decoder(Protocol):
    """Undoes a coding. What is fed at once costs the square of its size where it has many members: keep it small."""

    members: int
    """How many have begun, of what may stand one behind the other: members of gzip, frames of zstd."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` says, in pieces of at most ``PIECE`` bytes, none of them empty, each worked out when it is
        asked for. All of them have to be taken before more is fed. Raises ``CodingError``."""
        ...

    def finish(self) -> None:
        """The input has ended. Raises ``CodingError`` if that is in the middle."""
        ...


class Encoder(Protocol):
    """Puts a coding on."""

    def feed(self, data: bytes) -> bytes:
        """``data`` in the coding, as far as it is certain by now; may be empty."""
        ...

    def flush(self) -> bytes:
        """All that was fed, so that whoever undoes the coding has it, too."""
        ...

    def finish(self) -> bytes:
        """What ends it."""
        ...
