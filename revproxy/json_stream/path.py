"""Places in JSON, as a small language says them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

__all__ = ["JsonPath", "Step", "Wild", "json_paths"]

_NAME = re.compile(r'[^."*\[\]\\\x00-\x1f\ud800-\udfff]+')
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+"')
_OUTERMOST = re.compile(r"\$(?:[.\[]|$)")
"""How paths of RFC 9535 begin. ``$ref`` is a name."""
_MOST_STEPS = 64
_LONGEST_NAME = 256


class Wild(Enum):
    """Steps that are no name."""

    NAME = "*"
    """Any name, once."""
    ELEMENT = "[*]"
    """Every element of an array."""
    DEPTH = "**"
    """As many names and elements as there are, none included."""


Step: TypeAlias = str | Wild


@dataclass(frozen=True, slots=True)
class JsonPath:
    """Where in a document: the steps from the outermost value on. ::

        JsonPath.of("items[*].id")      # of each element of "items" its "id"
        JsonPath.of("[*].name")         # where the document is an array
        JsonPath.of("users.*.e-mail")   # whatever the names below "users"
        JsonPath.of("**.password")      # at any depth, in objects and arrays
        JsonPath.of('"a.b"."c*"')       # names with dots and stars, in quotes as in JSON

    A name is a member of an object, ``[*]`` all elements of an array; neither goes through the other: ``items.id`` says
    nothing of ``{"items": [{"id": 1}]}``. Paths begin at the outermost value without a sign for it: what begins with
    ``$.`` or ``$[``, as in RFC 9535, or with ``/``, as in RFC 6901, is refused; such a name goes in quotes.
    """

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, text: str) -> JsonPath:
        """The path that ``text`` says. Raises ``ValueError`` that names it and the place, ``TypeError`` if it is no
        ``str``."""
        if not isinstance(text, str):
            raise TypeError(f"a path must be a str, got {text!r}")
        if text.startswith("/") or _OUTERMOST.match(text):
            raise ValueError(f"path {text!r}: {_instead_of(text)}")
        steps: list[Step] = []
        place = 0
        while place < len(text):
            if text.startswith("[*]", place):
                steps.append(Wild.ELEMENT)
                place += 3
                continue
            if place:
                if text[place] != ".":
                    raise ValueError(f"path {text!r}: . or [*] is expected at {place}")
                place += 1
            step, place = _step(text, place)
            steps.append(step)
        if not steps:
            raise ValueError("path '': it has no step")
        if len(steps) > _MOST_STEPS:
            raise ValueError(f"path {text!r}: it has {len(steps)} steps, of {_MOST_STEPS} at most")
        for step in steps:
            if isinstance(step, str) and len(step.encode()) > _LONGEST_NAME:
                raise ValueError(f"path {text!r}: a name has more than {_LONGEST_NAME} bytes")
        return cls(tuple(steps))

    def __str__(self) -> str:
        said = ""
        for step in self.steps:
            if step is Wild.ELEMENT:
                said += step.value
            else:
                said += ("." if said else "") + (step.value if isinstance(step, Wild) else _spelled(step))
        return said

    def __repr__(self) -> str:
        return f"JsonPath.of({str(self)!r})"


def json_paths(parameter: str, paths: Iterable[str | JsonPath]) -> tuple[JsonPath, ...]:
    """All of ``paths``, each once. Raises ``ValueError`` or ``TypeError`` that names the ``parameter``."""
    if isinstance(paths, str | JsonPath):
        raise TypeError(f"{parameter} must be several paths, in a list, got {paths!r}")
    found: dict[JsonPath, None] = {}
    for path in paths:
        try:
            found[path if isinstance(path, JsonPath) else JsonPath.of(path)] = None
        except (TypeError, ValueError) as error:
            raise type(error)(f"{parameter}: {error}") from None
    if not found:
        raise ValueError(f"{parameter} must not be empty")
    return tuple(found)


def _step(text: str, place: int) -> tuple[Step, int]:
    if text.startswith("**", place):
        return Wild.DEPTH, place + 2
    if text.startswith("*", place):
        return Wild.NAME, place + 1
    if text.startswith('"', place):
        quoted = _QUOTED.match(text, place)
        if quoted is None:
            raise ValueError(f"path {text!r}: the quotes at {place} have no end")
        try:
            name = json.loads(quoted[0])
            name.encode()
        except ValueError:
            raise ValueError(f"path {text!r}: what is in quotes at {place} is no string of JSON") from None
        return name, quoted.end()
    found = _NAME.match(text, place)
    if found is None:
        raise ValueError(f"path {text!r}: a name, * or ** is expected at {place}")
    return found[0], found.end()


def _instead_of(text: str) -> str:
    """What to say of a path that is one of another language."""
    if text.startswith("/"):
        names = [each.replace("~1", "/").replace("~0", "~") for each in text[1:].split("/")]
        steps = (Wild.ELEMENT if each in ("-", "*") or each.isdecimal() else each for each in names)
        meant = str(JsonPath(tuple(steps)))
    else:
        meant = text[1:].removeprefix(".")
        if meant.startswith("."):
            meant = f"**{meant}"
        try:
            JsonPath.of(meant)
        except ValueError:
            meant = "items[*].id"
    return f"paths begin without {text[0]!r}, as in {meant!r}; a name that begins with it goes in quotes"


def _spelled(name: str) -> str:
    is_plain = _NAME.fullmatch(name) and name != "$" and not name.startswith("/")
    return name if is_plain else json.dumps(name, ensure_ascii=False)
