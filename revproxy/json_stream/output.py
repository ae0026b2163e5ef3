"""What comes out of a document that is edited, and what waits for what comes behind it."""

from __future__ import annotations

from .grammar import LONGEST_SPACE, SPACES

__all__ = ["Output", "end_of_space"]

_BLANK = b" "[0]


class Output:
    """``pieces`` have gone out. Held back is what stands before a value of which it is not yet known whether it stays:
    the comma, the name, and whitespace, of which no more than 4,096 bytes in a row.

    ``spaces``
        How much whitespace has just been held.
    ``edited``
        Whether anything that came has not gone out.
    """

    __slots__ = ("edited", "held", "pieces", "spaces")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.held: bytearray = bytearray()
        self.spaces: int = 0
        self.edited: bool = False

    def taken(self) -> bytes:
        """All pieces since the last time."""
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def copy(self, data: bytes, place: int, end: int) -> int:
        """``data`` from ``place`` to ``end`` goes out; returns ``end``."""
        if end > place:
            self.pieces.append(data[place:end])
        return end

    def hold(self, piece: bytes) -> None:
        """``piece``, which is no whitespace, waits."""
        self.held += piece
        self.spaces = 0

    def hold_space(self, data: bytes, place: int) -> int:
        """The whitespace at ``place`` waits; returns its end."""
        end = end_of_space(data, place)
        if end > place:
            self.held += data[place : min(end, place + LONGEST_SPACE - self.spaces)]
            self.spaces = min(self.spaces + end - place, LONGEST_SPACE)
        return end

    def keep(self) -> None:
        """What was held back goes out."""
        if self.held:
            self.pieces.append(bytes(self.held))
            self.held.clear()
        self.spaces = 0

    def drop(self) -> None:
        """What was held back never goes out."""
        self.held.clear()
        self.spaces = 0

    def __repr__(self) -> str:
        return f"<Output: {len(self.held)} bytes held>"


def end_of_space(data: bytes, place: int) -> int:
    """Where the whitespace ends that begins at ``place``."""
    if place < len(data) and data[place] > _BLANK:
        return place
    return SPACES.match(data, place).end()  # type: ignore[union-attr]  # it may be empty
