"""Regular expressions that take as much as there is of what stays, or goes, at a place."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from .grammar import DEEPEST, LONGEST_NAME, SCALAR, SPACE, value_source

if TYPE_CHECKING:
    from .places import Place

__all__ = ["Runs"]

_LONGEST = 8192
"""Bytes of an expression: compiling it takes some 20 ms."""
_NAMED = re.compile(rb'[^"\\\x00-\x1f]*')
_COMMA = SPACE + rb"," + SPACE
_COLON = SPACE + rb":" + SPACE


class Runs:
    """The expressions for a ``place`` that has to be looked into, compiled when they are first used.

    They only say of something that nothing in it goes, or everything: what they do not take may be either.
    """

    def __init__(self, place: Place, *, ignore_case: bool) -> None:
        self._place = place
        self._ignore_case = ignore_case

    @cached_property
    def whole(self) -> re.Pattern[bytes] | None:
        """A value of which all stays."""
        return self._deepest(lambda depth: self._whole(self._place, depth))

    @cached_property
    def elements(self) -> re.Pattern[bytes] | None:
        """Elements that stay as they are, each with the comma before it."""
        return self._deepest(lambda depth: _repeated(self._whole(self._place.element, depth)))

    @cached_property
    def members(self) -> re.Pattern[bytes] | None:
        """Members that stay as they are, each with the comma before it."""
        return None if self._members is None else re.compile(self._members)

    @cached_property
    def _members(self) -> bytes | None:
        return self._shortest(lambda depth: _repeated(self._member(self._place, depth)))

    @cached_property
    def both(self) -> re.Pattern[bytes] | None:
        """The same as ``members``, in a group, and then ``gone``."""
        members, gone = self._members, self.gone
        if members is None or gone is None:
            return None
        return re.compile(rb"(" + members + rb")" + gone.pattern)

    @cached_property
    def first(self) -> re.Pattern[bytes] | None:
        """A member that stays as it is, without a comma."""
        return self._deepest(lambda depth: _begun(self._member(self._place, depth)))

    @cached_property
    def gone(self) -> re.Pattern[bytes] | None:
        """Members that go, each with the comma before it, and no space before that."""
        source = self._gone()
        return None if source is None else re.compile(rb"(?:," + SPACE + source + rb")*+")

    @cached_property
    def first_gone(self) -> re.Pattern[bytes] | None:
        """A member that goes, without a comma."""
        source = self._gone()
        return None if source is None else re.compile(SPACE + source)

    def _gone(self) -> bytes | None:
        names = self._names(self._place, gone=True)
        return None if names is None else names + _COLON + value_source(DEEPEST)

    def compile(self) -> None:
        """Compile all that is used where what goes leaves nothing behind."""
        _ = self.whole, self.elements, self.first, self.first_gone, self.gone, self.both or self.members

    def _deepest(self, source: Callable[[int], bytes | None]) -> re.Pattern[bytes] | None:
        found = self._shortest(source)
        return None if found is None else re.compile(found)

    def _shortest(self, source: Callable[[int], bytes | None]) -> bytes | None:
        for depth in range(DEEPEST, -1, -1):
            found = source(depth)
            if found is None or len(found) <= _LONGEST:
                return found
        return None

    def _whole(self, place: Place, depth: int) -> bytes | None:
        fate = place.fate.value
        if fate != "look":
            return value_source(depth) if fate == "keep" else None
        ways = [SCALAR] if place.scalars else []
        if depth:
            if place.arrays:
                ways.append(_listed(rb"\[", self._whole(place.element, depth - 1), rb"\]"))
            if place.objects:
                ways.append(_listed(rb"\{", self._member(place, depth - 1), rb"\}"))
        return rb"(?:" + rb"|".join(ways) + rb")" if ways else rb"(?!)"

    def _member(self, place: Place, depth: int) -> bytes | None:
        ways = []
        by_place: dict[Place, list[bytes]] = {}
        for name, there in place.named.items():
            by_place.setdefault(there, []).append(name)
        for there, names in by_place.items():
            whole = self._whole(there, depth)
            spelled = self._spelled(names)
            if whole is not None and spelled is not None:
                ways.append(spelled + _COLON + whole)
        rest, whole = self._names(place, gone=None), self._whole(place.other, depth)
        if whole is not None and rest is not None:
            ways.append(rest + _COLON + whole)
        return rb"(?:" + rb"|".join(ways) + rb")" if ways else None

    def _names(self, place: Place, *, gone: bool | None) -> bytes | None:
        """The names of all members that have no place of their own (``gone=None``), or of all that go."""
        dropped = [name for name, there in place.named.items() if gone and there.fate.value == "drop"]
        ways = [each for each in (self._spelled(dropped),) if each is not None]
        if gone is None or place.other.fate.value == "drop":
            named = self._spelled(list(place.named))
            any_name = rb'"[^"\\\x00-\x1f' + (rb"\x80-\xff" if self._ignore_case else b"") + rb"]{0,%d}+" % LONGEST_NAME
            ways.append((b"" if named is None else rb"(?!" + named + rb")") + any_name + rb'"')
        return rb"(?:" + rb"|".join(ways) + rb")" if ways else None

    def _spelled(self, names: list[bytes]) -> bytes | None:
        """The ``names`` in quotes, those of them that need no escape."""
        plain = [name for name in names if _NAMED.fullmatch(name) and not (self._ignore_case and not name.isascii())]
        if not plain:
            return None
        flag = b"(?i:" if self._ignore_case else b"(?:"
        return rb'"' + flag + rb"|".join(map(re.escape, sorted(plain))) + rb')"'

    def __repr__(self) -> str:
        return f"<Runs of {self._place!r}>"


def _listed(begin: bytes, each: bytes | None, end: bytes) -> bytes:
    """A container of as many of ``each`` as there are, with commas between them."""
    if each is None:
        return begin + SPACE + end
    more = rb"(?:," + SPACE + rb"(?!" + end + rb")|(?=" + end + rb"))"
    return begin + SPACE + rb"(?:" + each + SPACE + more + rb")*+" + end


def _repeated(each: bytes | None) -> bytes | None:
    return None if each is None else rb"(?:" + _COMMA + each + rb")*+"


def _begun(each: bytes | None) -> bytes | None:
    return None if each is None else SPACE + each
