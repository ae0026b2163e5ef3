"""A container that is looked into."""

from __future__ import annotations

from .output import Output
from .path import Step, Wild
from .places import Place

__all__ = ["ARRAY", "OBJECT", "Frame"]

ARRAY, OBJECT = b"]}"
"""What containers end with."""
_COMMA = b","[0]


class Frame:
    """One that is open.

    ``place``
        Where it is.
    ``end``
        What it ends with.
    ``kept``
        Whether something in it has stayed.
    ``step``
        To what is being read in it.
    """

    __slots__ = ("end", "kept", "place", "step")

    def __init__(self, place: Place, end: int) -> None:
        self.place: Place = place
        self.end: int = end
        self.kept: bool = False
        self.step: Step = Wild.ELEMENT

    # What follows takes as much at once as can be, of what is not too deep.

    def elements(self, output: Output, data: bytes, place: int) -> int:
        """Elements that stay, each behind another."""
        more = self.place.runs.elements
        if not self.kept or more is None:
            return place
        return output.copy(data, place, more.match(data, place).end())  # type: ignore[union-attr]  # it may be empty

    def first_member(self, output: Output, data: bytes, place: int, *, drop: bool) -> int:
        """The first member, if it stays as it is, or if ``drop`` goes."""
        runs = self.place.runs
        found = None if runs.first is None else runs.first.match(data, place)
        if found is not None:
            self.kept = True
            return output.copy(data, place, found.end())
        if drop and runs.first_gone is not None:
            found = runs.first_gone.match(data, place)
            if found is not None:
                output.edited = True
                return found.end()
        return place

    def members(self, output: Output, data: bytes, place: int, *, drop: bool) -> int:
        """Members that stay, and if ``drop`` those that go, each behind another."""
        runs, end = self.place.runs, len(data)
        first, gone = runs.first, runs.gone if drop else None
        both = None if gone is None else runs.both
        while True:
            if self.kept:
                if both is not None:
                    found = both.match(data, place)
                    begin = output.copy(data, place, found.end(1))  # type: ignore[union-attr]  # it may be empty
                    place = found.end()  # type: ignore[union-attr]
                    if place == begin:
                        return place
                    output.edited = True
                    continue
                if runs.members is not None:
                    place = output.copy(data, place, runs.members.match(data, place).end())  # type: ignore[union-attr]
            elif first is not None and place < end and data[place] == _COMMA:
                found = first.match(data, place + 1)
                if found is not None:
                    self.kept = True
                    place = output.copy(data, place + 1, found.end())
                    continue
            if gone is None:
                return place
            begin, place = place, gone.match(data, place).end()  # type: ignore[union-attr]
            if place == begin:
                return place
            output.edited = True

    def __repr__(self) -> str:
        return f"<Frame {'of an object' if self.end == OBJECT else 'of an array'}>"
