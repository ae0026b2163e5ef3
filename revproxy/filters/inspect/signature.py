"""A pattern that inspection looks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from ...pattern_effort import effort, is_anchored
from ...security_log import Severity
from .forms import Form
from .value import Part, Value

__all__ = ["Signature", "checked_id", "checked_paranoia", "checked_severity", "compiled_pattern"]

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\d{2}")
_EFFORT = 4096
_FLAGS = re.compile(r"(?<!\\)\(\?[aiLmsux-]")
_NEWLINE = re.compile(r"(?<!\\)(?:\\\\)*\\n")
_UPPER = re.compile(r"(?<!\\)(?:\\\\)*[A-Z]")


@dataclass(frozen=True, slots=True)
class Signature:
    """A pattern that shows an attack where it is found.

    ``id``
        The pack's name and a number: ``"sqli-01"``.
    ``pattern``
        A regular expression, lower-case and ASCII, searched for in the ``form`` of each value of ``where``. Spaces were
        squeezed, so that ``" ?"`` is any space. Every repetition has a bound: what a search may cost at one place is
        limited, and ``ValueError`` says where it is more.
    ``about``
        What it shows, in a few words, for whoever reads the log.
    ``severity``
        What a match adds to the score: ``CRITICAL`` 5, ``ERROR`` 4, ``WARNING`` 3, ``NOTICE`` 2.
    ``paranoia``
        From which level on it is looked for: 1 stops no ordinary traffic, 4 nearly everything that is not a word.
    """

    id: str
    pattern: str
    about: str
    _: KW_ONLY
    form: Form = Form.TEXT
    where: Part = Part.ARGUMENTS
    severity: Severity = Severity.CRITICAL
    paranoia: int = 1
    search: Callable[[str], re.Match[str] | None] = field(init=False, repr=False, compare=False)

    bits: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked_id(self.id)
        checked_paranoia(self.paranoia)
        checked_severity(self.severity)
        compiled = compiled_pattern(self.pattern, self.id)
        # What is anchored would be tried at every place all the same.
        object.__setattr__(self, "search", compiled.match if is_anchored(self.pattern) else compiled.search)
        object.__setattr__(self, "bits", self.where.value)

    def found_in(self, value: Value) -> str | None:
        """What of ``value`` it is found in, in its form; ``None`` if it is not."""
        if not value.bit & self.bits:
            return None
        found = self.search(value.form(self.form))
        return None if found is None else found[0]


def compiled_pattern(pattern: str, id: str) -> re.Pattern[str]:
    """``pattern`` of the signature ``id``. Raises ``ValueError`` for one that is not searched for in forms, or that may
    cost too much."""
    if not pattern.isascii():
        raise ValueError(f"pattern: {pattern!r} is not ASCII, as all is that it is searched in")
    if _UPPER.search(pattern) is not None:
        raise ValueError(f"pattern: {pattern!r} has upper-case letters: no form has them")
    if _FLAGS.search(pattern) is not None:
        raise ValueError(f"pattern: {pattern!r} has flags of its own")
    if _NEWLINE.search(pattern) is not None:
        raise ValueError(f"pattern: {pattern!r} has a newline, which no form has: spaces are squeezed")
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error as error:
        raise ValueError(f"pattern: {pattern!r}: {error}") from None
    tries = effort(pattern)
    if tries > _EFFORT:
        raise ValueError(f"pattern: {pattern!r} may try {tries} ways at one place, of {_EFFORT} at most")
    if compiled.search("") is not None:
        raise ValueError(f"pattern: {pattern!r} of {id} is found in nothing")
    return compiled


def checked_id(id: str) -> None:
    if _ID.fullmatch(id) is None:
        raise ValueError(f"id must be a name and two digits, as sqli-01, got {id!r}")


def checked_paranoia(paranoia: int) -> None:
    if paranoia not in (1, 2, 3, 4):
        raise ValueError(f"paranoia must be 1 to 4, got {paranoia!r}")


def checked_severity(severity: Severity) -> None:
    if not isinstance(severity, Severity):
        raise TypeError(f"severity: {severity!r} is not a Severity")
