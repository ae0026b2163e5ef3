"""A pattern that is looked for in what responses say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from ...pattern_tree import Tree, inner_of, parsed
from ...security_log import Severity
from ..inspect.signature import checked_id, checked_paranoia, checked_severity, compiled_pattern

__all__ = ["LONGEST", "LeakSignature"]

LONGEST = 1024
"""Characters that a match may have."""


@dataclass(frozen=True, slots=True)
class LeakSignature:
    """A pattern that shows in a response what should not leave.

    ``id``
        The pack's name and a number: ``"sql-error-01"``.
    ``pattern``
        A regular expression, lower-case and ASCII, searched for in the content's form (``leaks.form``), in which all
        space is one space; ``START`` is its beginning. It may look neither around nor for the end, nor match more than
        1,024 characters: so it is found, or not, however the content was cut into pieces. What a search may cost is
        limited as of ``inspect.Signature``.
    ``about``
        What it shows, in a few words, for whoever reads the log.
    ``severity``
        What a match adds to the score: ``CRITICAL`` 5, ``ERROR`` 4, ``WARNING`` 3, ``NOTICE`` 2.
    ``paranoia``
        From which level on it is looked for: 1 stops no ordinary traffic.
    ``quotable``
        Whether people write about it. Then it is not looked for at level 1 where a document that is no error quotes
        something: in ``<pre>``, ``<code>``, ``<blockquote>`` and the like, and between the fences of Markdown.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    id: str
    pattern: str
    about: str
    _: KW_ONLY
    severity: Severity = Severity.ERROR
    paranoia: int = 1
    quotable: bool = True
    search: Callable[..., re.Match[str] | None] = field(init=False, repr=False, compare=False)

    width: int = field(init=False, repr=False, compare=False)
    """Characters at most of a match."""

    def __post_init__(self) -> None:
        checked_id(self.id)
        checked_paranoia(self.paranoia)
        checked_severity(self.severity)
        compiled = compiled_pattern(self.pattern, self.id)
        tree = parsed(self.pattern)
        if _looks_around(tree):
            raise ValueError(f"pattern: {self.pattern!r} looks around, which no pattern in a stream can")
        width: int = tree.getwidth()[1]
        if width > LONGEST:
            raise ValueError(f"pattern: {self.pattern!r} may match {width} characters, of {LONGEST} at most")
        object.__setattr__(self, "search", compiled.search)
        object.__setattr__(self, "width", width)


def _looks_around(tree: Tree) -> bool:
    return any(
        str(operation) in ("AT", "ASSERT", "ASSERT_NOT") or any(map(_looks_around, inner_of(operation, value)))
        for operation, value in tree
    )
