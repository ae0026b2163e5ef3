"""JSON as only one reading of it is possible (RFC 8259, and RFC 7493 for what that leaves open)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

__all__ = ["JsonLimits", "Malformed", "Reading", "is_underflow", "read_json"]

_STRING = re.compile(
    rb'(?<!\\)"[^"\\\x00-\x1f]*+'
    rb'(?:\\(?:["\\/bfnrt]'
    rb"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb'[^"\\\x00-\x1f]*+)*+"'
)
"""Without a surrogate that stands alone, which is no character. Behind a backslash none begins: of one that has no end
each quote in it would be tried, as far as the end of the text."""
_LONG = re.compile(rb"(?<![0-9])[0-9]{309}")
"""More digits than the largest double has."""
_WIDE = re.compile(rb"(?<![0-9])[0-9]{19}")
"""As many digits as the first integer has that is beyond 64 bits."""
_BEYOND = 16
_BEYOND_DOUBLES = re.compile(rb"(?<![0-9.])[0-9]{%d}" % _BEYOND)
"""As many digits before a point as the first integer has that is the same double as its neighbour, 2⁵³."""
_EXPONENT = re.compile(rb"[0-9][eE]")
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")
_NO_BRACKET = bytes(c for c in range(256) if c not in b"{[]}")
_AT_ONCE = 65536
_MOST_DEPTH = 255
"""What validators of schemas recurse to at most; readers of JSON go further."""


class Malformed(ValueError):
    """What was read is no JSON that is taken. The message says why, and quotes nothing of it.

    ``reason``
        One of a few: see ``read_json``.
    ``offset``
        Where, in bytes from the start; ``None``: that is not known.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason if offset is None else f"{reason} at byte {offset}")
        self.reason: str = reason
        self.offset: int | None = offset


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """What of JSON is taken.

    ``depth``
        Arrays and objects in one another at most, 1 to 255.
    ``values``
        Values at most, of which every one costs memory and time, however short it is: commas and opening brackets are
        counted.
    ``duplicates``
        Whether an object may have a name twice. Of some readers the first one counts, of others the last: what was
        checked need not be what is acted upon.
    ``big_integers``
        Whether integers may be beyond 64 bits with a sign, -2⁶³ to 2⁶³-1, of up to 308 digits. Many readers make
        something else of them, and ``uniqueItems`` takes the square of their number, for seconds during which nothing
        else runs: 64 KiB of them take two. For the same reason a schema with ``uniqueItems`` is asked of no more than
        256 integers of 16 digits or more, but with this.

    Raises ``ValueError`` that names the parameter and its value.
    """

    depth: int = 64
    values: int = 100_000
    duplicates: bool = False
    big_integers: bool = False

    def __post_init__(self) -> None:
        for name, most in (("depth", _MOST_DEPTH), ("values", 1 << 31)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(f"{name} must be an integer of 1 to {most}, got {value!r}")


@dataclass(frozen=True, slots=True)
class Reading:
    """A document: its ``value``, and how many values it has at most, and how many integers beyond 2⁵³."""

    value: Any
    values: int
    long_integers: int


def read_json(data: bytes, limits: JsonLimits) -> Reading:
    """What ``data`` says. Raises ``Malformed`` with one of these reasons:

    ``encoding``
        It is not UTF-8 (RFC 8259 section 8.1).
    ``string``
        A string is none: a control character, an escape that there is not, half a surrogate pair, no end.
    ``depth``, ``values``
        It exceeds the ``limits``. They are counted before anything is built of it, in linear time.
    ``number``
        One that no double can hold, of more than 308 digits, or so near to 0 that nothing is left of it; an integer
        beyond 64 bits, but with ``big_integers``. ``NaN`` and ``Infinity`` are none.
    ``duplicate``
        A name is there twice in an object, in whatever spelling.
    ``syntax``
        Anything else, a byte order mark included.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("encoding", error.start) from None
    rest = _STRING.sub(b"", data)
    if b'"' in rest:
        raise Malformed("string", _first_bad_string(data))
    steps = rest.translate(_STEPS, _NO_BRACKET)
    if len(steps) > limits.depth:
        _check_depth(steps, limits.depth)
    values = 1 + rest.count(b",") + rest.count(b"[") + rest.count(b"{")
    if values > limits.values:
        raise Malformed("values")
    may_be_wide = len(rest) >= _BEYOND
    if may_be_wide and _LONG.search(rest) is not None:
        raise Malformed("number")
    wide = may_be_wide and not limits.big_integers and _WIDE.search(rest) is not None
    decoder = _DECODERS[limits.duplicates, _EXPONENT.search(rest) is not None, wide]
    try:
        return Reading(decoder.decode(text), values, len(_BEYOND_DOUBLES.findall(rest)) if may_be_wide else 0)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode())
        raise Malformed("syntax", offset) from None


def _check_depth(steps: bytes, limit: int) -> None:
    depth = 0
    for start in range(0, len(steps), _AT_ONCE):
        depths = list(accumulate(memoryview(steps[start : start + _AT_ONCE]).cast("b"), initial=depth))
        if max(depths) > limit:
            raise Malformed("depth")
        depth = depths[-1]


def _first_bad_string(data: bytes) -> int:
    end = 0
    for found in _STRING.finditer(data):
        quote = data.find(b'"', end, found.start())
        if quote >= 0:
            return quote
        end = found.end()
    return data.find(b'"', end)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("duplicate")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or is_underflow(text, value):
        raise Malformed("number")
    return value


def is_underflow(text: str, value: float) -> bool:
    """Whether ``text`` is a number other than 0, of which ``value`` has nothing left."""
    return not value and text.lower().partition("e")[0].strip("-.0") != ""


def _within_64_bits(text: str) -> int:
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise Malformed("number")
    return value


def _constant(text: str) -> object:
    raise Malformed("number")


_DECODERS = {
    (duplicates, exponents, wide): json.JSONDecoder(
        object_pairs_hook=None if duplicates else _unique,
        parse_float=_finite if exponents else None,
        parse_int=_within_64_bits if wide else None,
        parse_constant=_constant,
    )
    for duplicates in (False, True)
    for exponents in (False, True)
    for wide in (False, True)
}
"""A function for each number costs a tenth of the whole; without an exponent no float is too large or too small, and
without so many digits no integer is."""
