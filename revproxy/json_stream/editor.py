"""A document of JSON, edited as it comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from .characters import Characters
from .errors import JsonError
from .frame import ARRAY, OBJECT, Frame
from .grammar import DEEPEST, LONGEST_NAME, MEMBER, NAME, PART_OF_NAME, scalar
from .output import Output, end_of_space
from .path import JsonPath
from .places import Fate, Place
from .skip import Skip

__all__ = ["JsonEditor", "Take"]

Take: TypeAlias = Callable[[bytes], bytes | None]
"""Is given a value as it is spelled, and returns what takes its place; ``None``: nothing does."""

_QUOTE, _COMMA, _COLON, _BEGIN_ARRAY, _BEGIN_OBJECT = b'",:[{'
_BEGINNINGS = frozenset((_BEGIN_ARRAY, _BEGIN_OBJECT))


class JsonEditor:
    """A ``Transform`` of one document in UTF-8. What stays of it is byte for byte as it was, the spelling of numbers
    and the whitespace in it included; what goes takes the comma and the whitespace before it along.

    ``root``
        What becomes of its values: see ``places``. Where nothing of the document itself may stay, ``null`` is left.
    ``depth``
        Containers in one another at most.
    ``ignore_case``
        As the places were made.
    ``null``
        What goes is replaced by ``null``, so that its name stays.
    ``take``, ``longest``
        Is given the values that are to be handed out, each of at most so many bytes.
    ``gone``
        Is called with the path of whatever goes, up to and including its name. This makes it slower.

    Whitespace in front of a value, or of a name, that has to be looked at is cut to 4,096 bytes in a row.

    ``feed`` and ``finish`` raise ``JsonError`` for what is no JSON: also in what goes. No bytes at all are a document
    in which nothing is.

    ``empty``
        Whether the document as a whole was handed out, and nothing took its place.
    """

    def __init__(
        self,
        root: Place,
        *,
        depth: int = 64,
        ignore_case: bool = False,
        null: bool = False,
        take: Take | None = None,
        longest: int = 1 << 20,
        gone: Callable[[JsonPath], object] | None = None,
    ) -> None:
        self.empty: bool = False
        self._limit = depth
        self._ignore_case = ignore_case
        self._null = null
        self._take = take
        self._longest = longest
        self._gone = gone
        self._drops_runs = gone is None and not null
        self._came = 0
        self._rest = b""
        self._characters = Characters()
        self._output = Output()
        self._root = root
        self._place = root
        self._frames: list[Frame] = []
        self._skip = Skip()
        self._mark = 0
        self._taken: bytearray | None = None
        self._is_copied = False
        self._step: Callable[[bytes, int], int] = self._value

    def again(self) -> None:
        """Another document begins, behind one that has ended well."""
        self.empty = False
        self._came = 0
        self._place = self._root
        self._step = self._value

    @property
    def edited(self) -> bool:
        """Whether anything has gone so far, or was replaced, of this document or one before it."""
        return self._output.edited

    def feed(self, chunk: bytes) -> bytes:
        wrong = self._characters.wrong_at(chunk)
        if wrong is not None:
            raise JsonError("encoding", self._came + len(self._rest) + wrong)
        data = self._rest + chunk if self._rest else chunk
        try:
            place = self._run(data)
        except JsonError as error:
            raise JsonError(error.reason, self._came + error.offset) from None
        self._rest = data[place:]
        self._came += place
        return self._output.taken()

    def finish(self) -> bytes:
        if not self._came and not self._rest:
            return b""
        rest, end = b"", self._came + len(self._rest)
        if self._rest and not self._frames:
            try:
                rest = self.feed(b" ")[:-1]  # a number has no other end
            except JsonError as error:
                raise (error if error.reason == "size" else JsonError("end", end)) from None
        if not self._characters.complete or self._step != self._end:
            raise JsonError("end", end)
        return rest

    # Each step takes what it can, and returns where it came to; -1 where more is needed.

    def _run(self, data: bytes) -> int:
        place, end = 0, len(data)
        skip = self._skip
        self._mark = 0
        while place < end:
            skips = not skip.done
            if not skips:
                gone = self._step(data, place)
                if gone < 0:
                    return place
                place = gone
            else:
                place = skip.feed(data, place)
                self._copy(data[self._mark : place])
                if not skip.done:
                    return place
                self._skipped(place)
        return place

    def _is_shallow(self) -> bool:
        """Whether what the expressions take cannot be too deep."""
        return len(self._frames) + DEEPEST <= self._limit

    # Values.

    def _value(self, data: bytes, place: int) -> int:
        place = self._before(data, place)
        if place == len(data):
            return place
        there = self._place
        if there.fate is Fate.LOOK:
            return self._look(there, data, place)
        return self._pass(there.fate, data, place)

    def _look(self, there: Place, data: bytes, place: int) -> int:
        whole = there.runs.whole if self._is_shallow() else None
        if whole is not None:
            found = whole.match(data, place)
            if found is not None:
                self._keep()
                return self._end_of_value(self._output.copy(data, place, found.end()))
        first = data[place]
        if first == _BEGIN_OBJECT:
            if there.objects:
                return self._open(Frame(there, OBJECT), data, place)
        elif first == _BEGIN_ARRAY:
            if there.arrays:
                return self._open(Frame(there, ARRAY), data, place)
        elif there.scalars:
            return self._pass(Fate.KEEP, data, place)
        return self._pass(Fate.DROP, data, place)

    def _pass(self, fate: Fate, data: bytes, place: int) -> int:
        """What comes is only recognised, and stays, goes, or is handed out once it is complete."""
        self._taken = bytearray() if fate is Fate.TAKE else None
        self._is_copied = fate is not Fate.DROP
        if fate is Fate.KEEP:
            self._keep()
        elif fate is Fate.DROP:
            self._lose()
            if data[place] not in _BEGINNINGS:  # most are short, and there may be many of them
                found = scalar.match(data, place)
                if found is not None:
                    return self._end_of_value(found.end())
        self._mark = place
        self._skip.begin(self._limit - len(self._frames))
        return place

    def _copy(self, piece: bytes) -> None:
        if not self._is_copied:
            return
        if self._taken is None:
            self._output.pieces.append(piece)
            return
        self._taken += piece
        if len(self._taken) > self._longest:
            raise JsonError("size", self._mark)

    def _skipped(self, place: int) -> None:
        if self._taken is not None:
            self._replace(bytes(self._taken))
            self._taken = None
        self._end_of_value(place)

    def _replace(self, value: bytes) -> None:
        instead = None if self._take is None else self._take(value)
        if instead is None:
            self.empty = not self._frames
            self._lose()
        else:
            self._output.edited = self._output.edited or instead != value
            self._keep()
            self._output.pieces.append(instead)

    def _keep(self) -> None:
        """The value behind what was held back stays."""
        if self._frames:
            self._frames[-1].kept = True
        self._output.keep()

    def _lose(self) -> None:
        """The value behind what was held back goes."""
        self._output.edited = True
        if self._gone is not None:
            self._gone(JsonPath(tuple([frame.step for frame in self._frames])))
        if self._null or (not self._frames and not self.empty):
            self._keep()
            self._output.pieces.append(b"null")
        else:
            self._output.drop()

    def _end_of_value(self, place: int) -> int:
        if not self._frames:
            self._step = self._end
        else:
            self._step = self._after_member if self._frames[-1].end == OBJECT else self._after_element
        return place

    def _end(self, data: bytes, place: int) -> int:
        end = end_of_space(data, place)
        if end < len(data):
            raise JsonError("syntax", end)
        return self._output.copy(data, place, end)

    def _before(self, data: bytes, place: int) -> int:
        """The whitespace before a value."""
        if self._frames:
            return self._output.hold_space(data, place)
        # It depends on nothing, and may be a sign of life.
        return self._output.copy(data, place, end_of_space(data, place))

    # Containers that are looked into.

    def _open(self, frame: Frame, data: bytes, place: int) -> int:
        if len(self._frames) >= self._limit:
            raise JsonError("depth", place)
        self._keep()
        self._frames.append(frame)
        self._step = self._first_name if frame.end == OBJECT else self._first_element
        return self._output.copy(data, place, place + 1)

    def _close(self, data: bytes, place: int) -> int:
        self._output.keep()
        self._frames.pop()
        return self._end_of_value(self._output.copy(data, place, place + 1))

    def _first_element(self, data: bytes, place: int) -> int:
        place = self._output.hold_space(data, place)
        if place == len(data):
            return place
        frame = self._frames[-1]
        if data[place] == frame.end:
            return self._close(data, place)
        self._place = frame.place.element
        self._step = self._value
        return place

    def _first_name(self, data: bytes, place: int) -> int:
        frame, output = self._frames[-1], self._output
        if not output.spaces and self._is_shallow():
            end = frame.first_member(output, data, place, drop=self._drops_runs)
            if end > place:
                return self._end_of_value(end)
        end = output.hold_space(data, place)
        if end < len(data) and data[end] == frame.end:
            return self._close(data, end)
        return self._name(data, place) if end == place else end

    def _after_element(self, data: bytes, place: int) -> int:
        frame, output = self._frames[-1], self._output
        if self._is_shallow():
            place = frame.elements(output, data, place)
        return self._next(frame, data, output.copy(data, place, end_of_space(data, place)))

    def _after_member(self, data: bytes, place: int) -> int:
        frame, output = self._frames[-1], self._output
        if self._is_shallow():
            place = frame.members(output, data, place, drop=self._drops_runs)
        return self._next(frame, data, output.copy(data, place, end_of_space(data, place)))

    def _next(self, frame: Frame, data: bytes, place: int) -> int:
        if place == len(data):
            return place
        found = data[place]
        if found == frame.end:
            return self._close(data, place)
        if found != _COMMA:
            raise JsonError("syntax", place)
        if frame.kept:
            self._output.hold(b",")
        if frame.end == OBJECT:
            self._step = self._name
            return place + 1
        self._place = frame.place.element
        self._step = self._value
        return self._value(data, place + 1)

    def _name(self, data: bytes, place: int) -> int:
        output = self._output
        if not output.spaces:
            found = MEMBER.match(data, place)
            if found is not None:
                self._named(found[2], found[1])
                self._step = self._value
                return found.end()
        begin, place = place, output.hold_space(data, place)
        if place == len(data):
            return place
        if data[place] != _QUOTE:
            raise JsonError("syntax", place)
        found = NAME.match(data, place)
        if found is None and PART_OF_NAME.match(data, place) is None:
            raise JsonError("string", place)
        if (len(data) - place - 1 if found is None else len(found[0]) - 2) > LONGEST_NAME:
            raise JsonError("name", place)
        if found is None:
            return -1 if place == begin else place
        self._named(found[0][1:-1], found[0])
        self._step = self._colon
        return found.end()

    def _named(self, spelled: bytes, piece: bytes) -> None:
        """A name has come, spelled so; ``piece`` waits for its value."""
        place = self._frames[-1].place
        name = spelled
        if self._ignore_case or self._gone is not None or b"\\" in spelled:
            text: str = json.loads(b'"' + spelled + b'"')
            self._frames[-1].step = text
            name = (text.casefold() if self._ignore_case else text).encode()
        self._place = place.named.get(name, place.other)
        self._output.hold(piece)

    def _colon(self, data: bytes, place: int) -> int:
        place = self._output.hold_space(data, place)
        if place == len(data):
            return place
        if data[place] != _COLON:
            raise JsonError("syntax", place)
        self._output.hold(b":")
        self._step = self._value
        return place + 1

    def __repr__(self) -> str:
        return f"<JsonEditor at byte {self._came}, in {len(self._frames)} containers>"
