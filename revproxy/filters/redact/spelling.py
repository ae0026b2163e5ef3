"""What a text means that is written with escapes, and where in it each byte of the meaning stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from html import unescape
from itertools import accumulate
from typing import TypeAlias

__all__ = ["FORM", "JSON", "MARKUP", "SSE", "URL", "Reading", "Spelling"]

_Decode: TypeAlias = Callable[[bytes], bytes]

_KNOWN = 4096


class Reading:
    """A part of a text that begins and ends between two escapes.

    ``view``
        What it means.
    ``used``
        How many bytes of it that are: behind them an escape begins that is not complete.
    """

    __slots__ = ("_means", "_offsets", "_parts", "used", "view")

    def __init__(
        self, view: bytes, used: int, parts: Sequence[bytes] | None = None, means: Sequence[bytes] | None = None
    ) -> None:
        self.view: bytes = view
        self.used: int = used
        self._parts = parts
        self._means = means
        self._offsets: tuple[list[int], list[int]] | None = None

    def _ends(self) -> tuple[list[int], list[int]]:
        """Where each part ends, in the view and in the text: by turns what stands for itself, and an escape."""
        if self._offsets is None:
            assert self._parts is not None
            assert self._means is not None
            self._offsets = list(accumulate(map(len, self._means))), list(accumulate(map(len, self._parts)))
        return self._offsets

    def start_of(self, place: int) -> int:
        """Where in the text that begins which stands in the view at ``place``."""
        if self._parts is None:
            return place
        means, parts = self._ends()
        at = bisect_right(means, place)
        if at >= len(parts):
            return self.used
        begin = parts[at - 1] if at else 0
        return begin if at % 2 else begin + place - (means[at - 1] if at else 0)

    def end_of(self, place: int) -> int:
        """Where in the text that ends which ends in the view at ``place``."""
        if self._parts is None:
            return place
        means, parts = self._ends()
        at = bisect_left(means, place)
        if at % 2:
            return parts[at]
        return parts[at] - (means[at] - place)

    def before(self, place: int) -> int:
        """The last place in the view, up to ``place``, that is not within what one escape means."""
        if self._parts is None:
            return place
        means, _ = self._ends()
        at = bisect_right(means, place)
        return means[at - 1] if at % 2 and at < len(means) else place


class Spelling:
    """One way to write texts.

    ``escapes``
        Match what does not stand for itself, each by the byte that it begins with.
    ``unfinished``
        Matches what may become an escape, at the end of a text.
    ``goes_on``
        Matches an escape, at the end of a text, that may be longer or be one with the next.
    """

    __slots__ = ("_all", "_decode", "_each", "_goes_on", "_known", "_reach", "_unfinished", "name")

    def __init__(
        self,
        name: str,
        *,
        escapes: Mapping[bytes, bytes],
        unfinished: bytes,
        goes_on: bytes,
        decode: _Decode,
        reach: int,
    ) -> None:
        self.name: str = name
        # Several at once are slower to look for than one.
        self._each = [(begin, re.compile(b"(" + escape + b")")) for begin, escape in escapes.items()]
        self._all = re.compile(b"(" + b"|".join(escapes.values()) + b")")
        self._unfinished = re.compile(b"(?:" + unfinished + rb")\Z")
        self._goes_on = re.compile(goes_on)
        self._decode = decode
        self._reach = reach
        self._known: dict[bytes, bytes] = {}

    def read(self, text: bytes, *, last: bool) -> Reading:
        """What ``text`` means. ``last``: nothing comes behind it."""
        there = [escape for begin, escape in self._each if begin in text]
        if not there:
            return Reading(text, len(text))
        parts = (there[0] if len(there) == 1 else self._all).split(text)
        used = len(text)
        if not last:
            used -= self._hold_back(parts)
        if len(parts) == 1:
            return Reading(parts[0], used)
        means = list(parts)
        known = self._known
        try:
            means[1::2] = [known[each] for each in parts[1::2]]
        except KeyError:
            means[1::2] = map(self._meaning, parts[1::2])
        return Reading(b"".join(means), used, parts, means)

    def _hold_back(self, parts: list[bytes]) -> int:
        """Take from the end of ``parts`` what may go on; how many bytes those are."""
        end = parts[-1]
        held = 0
        found = self._unfinished.search(end, max(0, len(end) - self._reach))
        if found is not None:
            held = len(end) - found.start()
            parts[-1] = end[: found.start()]
        if len(parts) > 1 and not parts[-1] and self._goes_on.fullmatch(parts[-2]):
            held += len(parts[-2])
            del parts[-2:]
        return held

    def _meaning(self, escape: bytes) -> bytes:
        meaning = self._known.get(escape)
        if meaning is None:
            meaning = self._decode(escape)
            if len(self._known) < _KNOWN:
                self._known[escape] = meaning
        return meaning

    def __repr__(self) -> str:
        return f"<Spelling {self.name}>"


_HEX = b"[0-9A-Fa-f]"
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _json(escape: bytes) -> bytes:
    if escape[:1] != b"\\":  # the beginning of another line of an event
        return b"\n"
    kind = escape[1:2]
    if len(escape) == 12:
        return bytes.fromhex(f"{escape[2:6].decode()}{escape[8:].decode()}").decode("utf-16-be").encode()
    if kind == b"u" or kind == b"x":
        code = int(escape[2:].strip(b"{}"), 16)
        return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else b"?"
    return _LETTERS.get(kind, kind)


def _markup(escape: bytes) -> bytes:
    if escape[:1] == b"\\":
        return _json(escape)
    return unescape(escape.decode("ascii")).replace("\xa0", " ").encode("utf-8", "replace")


def _form(escape: bytes) -> bytes:
    return b" " if escape == b"+" else bytes.fromhex(escape[1:].decode("ascii"))


_JSON_ESCAPE = rb"\\u[dD][89abAB]HH\\u[dD][c-fC-F]HH|\\uHHHH|\\u\{H{1,6}\}|\\xHH|\\[^ux]".replace(b"H", _HEX)
_JSON_UNFINISHED = rb"\\(?:uH{0,3}|u\{H{0,6}|xH?)?".replace(b"H", _HEX)
_HIGH = rb"\\u[dD][89abAB]HH".replace(b"H", _HEX)

JSON = Spelling(
    "json",
    escapes={b"\\": _JSON_ESCAPE},
    unfinished=_JSON_UNFINISHED,
    goes_on=_HIGH,
    decode=_json,
    reach=10,
)
"""The escapes of strings in JSON (RFC 8259 section 7) and in JavaScript."""

SSE = Spelling(
    "sse",
    escapes={
        b"\\": _JSON_ESCAPE,
        b"\n": rb"(?<![\r\n])\ndata:[ ]?",
        b"\r": rb"(?<![\r\n])\r\n?data:[ ]?",
    },
    unfinished=_JSON_UNFINISHED + rb"|(?<![\r\n])(?:\r\n?|\n)(?:d|da|dat|data)?",
    goes_on=_HIGH + rb"|\s+data:",
    decode=_json,
    reach=10,
)
"""JSON in the data of an event (HTML Standard section 9.2.5): where a line of it ends and another begins is a newline.
"""

MARKUP = Spelling(
    "markup",
    escapes={
        b"&": rb"&(?:#(?:[0-9]{1,16}|[xX]H{1,16});?|[A-Za-z][A-Za-z0-9]{1,31};)".replace(b"H", _HEX),
        b"\\": rb"\\(?:uHHHH|/)".replace(b"H", _HEX),
    },
    unfinished=rb"&(?:#(?:[xX]H{0,16})?|[A-Za-z][A-Za-z0-9]{0,31})?|\\(?:uH{0,3})?".replace(b"H", _HEX),
    goes_on=rb"&#[0-9]{1,16}|&#[xX]H{1,16}".replace(b"H", _HEX),
    decode=_markup,
    reach=40,
)
"""The character references of HTML and XML, and those escapes of JSON that pages and logs have in them without being
JSON."""

FORM = Spelling(
    "form",
    escapes={b"%": rb"%HH".replace(b"H", _HEX), b"+": rb"\+"},
    unfinished=rb"%H?".replace(b"H", _HEX),
    goes_on=rb"(?!)",
    decode=_form,
    reach=2,
)
"""``application/x-www-form-urlencoded``."""

URL = Spelling(
    "url",
    escapes={b"%": rb"%HH".replace(b"H", _HEX)},
    unfinished=rb"%H?".replace(b"H", _HEX),
    goes_on=rb"(?!)",
    decode=_form,
    reach=2,
)
"""What is percent-encoded (RFC 3986 section 2.1), as in ``Location``."""
