"""Templates of paths: ``/users/{id:int}/files/{name...}``. What conditions and filters take, read in one way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias
from urllib.parse import unquote
from uuid import UUID

from .canonical import canonical
from .errors import BadRequest
from .paths import PathPolicy
from .pattern_cost import check_cost, path_pattern

__all__ = ["Capture", "PathValue", "Template", "text_of"]

PathValue: TypeAlias = str | int | UUID
"""What a piece of a path stands for."""

_CAPTURE = re.compile(r"\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<tail>\.\.\.)|:(?P<kind>.+))?\}")
_WORD = re.compile(r"\w+")
_read = PathPolicy(empty_segments="refuse").bind(conditions=False)


def text_of(segment: str) -> str:
    """What a segment of a canonical path says, decoded as UTF-8 with ``surrogateescape``."""
    return unquote(segment, errors="surrogateescape") if "%" in segment else segment


def number_of(segment: str) -> int:
    """The number that decimal digits are, whatever number of zeros stands in front of them."""
    return int(segment.lstrip("0") or "0")


# At most 19 digits, as identifiers of 64 bits have; in front of them as many zeros as somebody likes to write.
_INT = re.compile("0*[1-9][0-9]{0,18}|0+")
_UUID = re.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_KINDS: dict[str, tuple[re.Pattern[str] | None, Callable[[str], PathValue]]] = {
    "str": (None, text_of),
    "int": (_INT, number_of),
    "uuid": (_UUID, UUID),
}


@dataclass(frozen=True, slots=True)
class Capture:
    """One segment of a path, whatever it is, as long as it is not empty and of its kind."""

    name: str
    kind: str
    """``str``, ``int``, ``uuid`` or a regular expression."""
    pattern: re.Pattern[str] | None
    """What it must match in full, in canonical form; ``None``: anything."""
    value: Callable[[str], PathValue]
    """What it stands for, of its canonical form."""


class Template:
    """The form of a path.

    ``text``
        ``{name}`` is one segment that is not empty, ``{name:int}`` a number of decimal digits (at most 19, zeros in
        front not counted), ``{name:uuid}`` a UUID, ``{name:[a-z]{2}}`` what that regular expression matches in full;
        ``{name...}``, at the end, any number of segments, also none. The others are matched in canonical form. A slash
        at the end makes no difference.

    Its time is linear in the path's length. Raises ``ValueError`` or ``TypeError`` that names ``template``.
    """

    __slots__ = ("_captures", "_whole", "names", "prefix", "segments", "tail", "text")

    def __init__(self, text: str) -> None:
        _check_text(text)
        self.text: str = text
        self.tail: str | None
        """The name of what takes all that is left; ``None``: nothing may be left."""
        self.segments: tuple[str | Capture, ...] = tuple(self._read())
        """Those before the tail: in canonical form, or captured."""
        self._captures = tuple(segment for segment in self.segments if isinstance(segment, Capture))
        self.names: tuple[str, ...] = tuple(capture.name for capture in self._captures)
        if self.tail is not None:
            self.names += (self.tail,)
        for name in self.names:
            if self.names.count(name) > 1:
                raise ValueError(f"template: {{{name}}} is there twice, got {text!r}")
        constant = takewhile(lambda segment: isinstance(segment, str), self.segments)
        self.prefix: str = "".join(f"/{segment}" for segment in constant)
        """What every canonical path of this form begins with."""
        # Of what is somebody's own it is not known whether it would stop at a slash.
        own = any(capture.kind not in _KINDS for capture in self._captures)
        self._whole = None if own else re.compile(self._expression())

    def _expression(self) -> str:
        """The same as a regular expression for a canonical path."""
        said = ""
        for segment in self.segments:
            if isinstance(segment, str):
                said += f"/{re.escape(segment)}"
            else:
                said += f"/({'[^/]+' if segment.pattern is None else segment.pattern.pattern})"
        return said + ("(/?)" if self.tail is None else "((?:/.*)?)")

    def _read(self) -> Iterator[str | Capture]:
        written = self.text
        self.tail = None
        pieces = written.split("/")
        sample = "/".join("x" if _CAPTURE.fullmatch(piece) else piece for piece in pieces)
        if "?" in sample:
            raise ValueError(f"template must be a path without a query, got {written!r}")
        if not sample.startswith("/"):
            raise ValueError(f"template must begin with a slash, got {written!r}")
        try:
            _read(sample)
        except BadRequest as error:
            raise ValueError(f"template: {str(error).partition(' (')[0]}: {written!r}") from None
        for piece in written.removesuffix("/").split("/")[1:]:
            if self.tail is not None:
                raise ValueError(f"template: {{{self.tail}...}} must be the last segment, got {written!r}")
            found = _CAPTURE.fullmatch(piece)
            if found is None:
                if "{" in piece or "}" in piece:
                    raise ValueError(f"template: {piece!r} is neither text nor one {{name}}, in {written!r}")
                yield canonical(piece)
            elif found["tail"] is not None:
                self.tail = found["name"]
            else:
                yield _capture(found["name"], found["kind"] or "str", written)

    def match(self, path: str, form: Callable[[str], str] | None = None) -> list[str] | None:
        """What ``path`` has where the template captures, as it stands there, and behind that what is left: nothing, or
        a slash and whatever follows it. ``None`` if it is of another form. ``form`` makes segments canonical if the
        path is not."""
        if form is None and self._whole is not None:
            found = self._whole.fullmatch(path)
            return None if found is None else list(found.groups())
        count = len(self.segments)
        parts = path.split("/", count + 1)
        if len(parts) <= count or parts[0]:
            return None
        rest = f"/{parts[-1]}" if len(parts) > count + 1 else ""
        if self.tail is None and rest not in ("", "/"):
            return None
        captures: list[str] = []
        for wanted, part in zip(self.segments, parts[1:], strict=False):
            if isinstance(wanted, str):
                if part != wanted and (form is None or form(part) != wanted):
                    return None
                continue
            pattern = wanted.pattern
            if not part or (pattern is not None and pattern.fullmatch(part if form is None else form(part)) is None):
                return None
            captures.append(part)
        captures.append(rest)
        return captures

    def values(self, captures: list[str]) -> dict[str, PathValue]:
        """What ``captures``, of a canonical path, stand for. The tail is a path still, without its first slash."""
        found = {each.name: each.value(text) for each, text in zip(self._captures, captures, strict=False)}
        if self.tail is not None:
            found[self.tail] = captures[-1].removeprefix("/")
        return found

    def __repr__(self) -> str:
        return f"Template({self.text!r})"


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"template must be a path, got {text!r}")


def _capture(name: str, kind: str, written: str) -> Capture:
    if kind in _KINDS:
        return Capture(name, kind, *_KINDS[kind])
    if _WORD.fullmatch(kind) is not None:
        kinds = ", ".join(_KINDS)
        raise ValueError(f"template: {kind!r} is neither one of {kinds} nor a regular expression, in {written!r}")
    try:
        pattern = path_pattern(kind)
        check_cost(pattern, linear=True)
    except ValueError as error:
        said = str(error).removeprefix("pattern: ").removesuffix(" (costly=True)")
        raise ValueError(f"template: {said}, in {written!r}") from None
    return Capture(name, kind, pattern, text_of)
