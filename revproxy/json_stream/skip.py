"""A value that is only recognised, however large it is."""

from __future__ import annotations

from collections.abc import Callable

from .errors import JsonError
from .grammar import (
    DEEPEST,
    PART_OF_ESCAPE,
    PART_OF_SCALAR,
    PART_OF_STRING,
    SPACES,
    more_elements,
    more_members,
    scalar,
    value,
)

__all__ = ["Skip"]

_QUOTE, _BACKSLASH, _COMMA, _COLON = b'"\\,:'
_ARRAY, _OBJECT, _END_OF_ARRAY, _END_OF_OBJECT = b"[{]}"
_CLOSING = {_ARRAY: _END_OF_ARRAY, _OBJECT: _END_OF_OBJECT}


class Skip:
    """Recognises one value after another, each in any pieces. What it remembers is one byte for each container that is
    open.

    ``done``
        Whether the value has come to its end.
    """

    __slots__ = ("_depth", "_is_name", "_open", "_step", "done")

    def __init__(self) -> None:
        self._open = bytearray()
        self._depth = 0
        self._is_name = False
        self._step: Callable[[bytes, int], int] = self._whole
        self.done: bool = True

    def begin(self, depth: int) -> None:
        """A value begins, with ``depth`` containers in one another at most."""
        self.done = False
        self._depth = depth
        self._step = self._whole

    def feed(self, data: bytes, place: int) -> int:
        """Go on in ``data`` from ``place``. Where it is not ``done``, what stands behind the place that is returned has
        to be given again with more behind it.

        Raises ``JsonError`` with the place in ``data``.
        """
        end = len(data)
        while place < end:
            gone = self._step(data, place)
            if gone < 0:
                return place
            place = gone
            if self.done:
                return place
        return place

    # Each step takes what it can, and returns where it came to; -1 where more is needed.

    def _whole(self, data: bytes, place: int) -> int:
        found = value(min(DEEPEST, self._depth - len(self._open))).match(data, place)
        if found is not None:
            self._end_of_value()
            return found.end()
        return self._value(data, place)

    def _value(self, data: bytes, place: int) -> int:
        first = data[place]
        if first == _QUOTE:
            self._is_name = False
            self._step = self._string
            return place + 1
        if first in _CLOSING:
            if len(self._open) >= self._depth:
                raise JsonError("depth", place)
            self._open.append(first)
            self._step = self._first_element if first == _ARRAY else self._first_name
            return place + 1
        found = scalar.match(data, place)
        if found is not None:
            self._end_of_value()
            return found.end()
        if PART_OF_SCALAR.match(data, place) is not None:
            return -1
        raise JsonError("number" if first in b"-0123456789" else "syntax", place)

    def _string(self, data: bytes, place: int) -> int:
        begin = place
        place = PART_OF_STRING.match(data, place).end()  # type: ignore[union-attr]  # it may be empty
        if place == len(data):
            return place
        if data[place] == _QUOTE:
            if self._is_name:
                self._step = self._colon
            else:
                self._end_of_value()
            return place + 1
        if PART_OF_ESCAPE.match(data, place) is None:
            raise JsonError("string", place)
        return place if place > begin else -1

    def _end_of_value(self) -> None:
        if self._open:
            self._step = self._after
        else:
            self.done = True

    def _after(self, data: bytes, place: int) -> int:
        inside = self._open[-1]
        deepest = min(DEEPEST, self._depth - len(self._open))
        more = more_elements(deepest) if inside == _ARRAY else more_members(deepest)
        place = _space(data, more.match(data, place).end())  # type: ignore[union-attr]  # it may be empty
        if place == len(data):
            return place
        found = data[place]
        if found == _COMMA:
            self._step = self._next_element if inside == _ARRAY else self._name
        elif found == _CLOSING[inside]:
            self._close()
        else:
            raise JsonError("syntax", place)
        return place + 1

    def _close(self) -> None:
        self._open.pop()
        self._end_of_value()

    def _first_element(self, data: bytes, place: int) -> int:
        place = _space(data, place)
        if place < len(data) and data[place] == _END_OF_ARRAY:
            self._close()
            return place + 1
        return self._then(self._whole, data, place)

    def _next_element(self, data: bytes, place: int) -> int:
        return self._then(self._value, data, _space(data, place))

    def _first_name(self, data: bytes, place: int) -> int:
        place = _space(data, place)
        if place < len(data) and data[place] == _END_OF_OBJECT:
            self._close()
            return place + 1
        return self._name(data, place)

    def _name(self, data: bytes, place: int) -> int:
        place = _space(data, place)
        if place == len(data):
            return place
        if data[place] != _QUOTE:
            raise JsonError("syntax", place)
        self._is_name = True
        self._step = self._string
        return place + 1

    def _colon(self, data: bytes, place: int) -> int:
        place = _space(data, place)
        if place == len(data):
            return place
        if data[place] != _COLON:
            raise JsonError("syntax", place)
        self._step = self._member_value
        return place + 1

    def _member_value(self, data: bytes, place: int) -> int:
        return self._then(self._whole, data, _space(data, place))

    def _then(self, step: Callable[[bytes, int], int], data: bytes, place: int) -> int:
        if place == len(data):
            return place
        self._step = step
        return place

    def __repr__(self) -> str:
        return f"<Skip {'done' if self.done else f'in {len(self._open)} containers'}>"


def _space(data: bytes, place: int) -> int:
    return SPACES.match(data, place).end()  # type: ignore[union-attr]  # it may be empty
