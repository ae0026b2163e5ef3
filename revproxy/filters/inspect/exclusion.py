"""What is not looked for where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate

from ...exchange import Exchange
from ...when import When
from .value import Part, Value

__all__ = ["Exclusion", "Left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """``ids`` are not looked for in the values called ``names``, of the parts ``where``, in requests that ``when``
    holds for. ::

        Exclusion(ids="xss-*", names="article.body", when=when.path("/cms/*"))

    ``ids``, ``names``
        One or several patterns with ``*`` and ``?``; a name is that of the parameter, the field, the cookie, or the
        path of a JSON member (``"user.name"``), case kept. All by default.
    ``where``
        All parts by default.
    ``when``
        All requests by default. A check, which looks at the whole request, is left out only if ``names`` is not said.

    Raises ``ValueError`` for what would exclude everything everywhere, ``TypeError`` for no condition.
    """

    ids: str | Iterable[str] = "*"
    names: str | Iterable[str] | None = None
    where: Part = Part.ANYWHERE | Part.TARGET
    when: When | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _several("ids", self.ids))
        if not isinstance(self.where, Part):
            raise TypeError(f"where: {self.where!r} is not a Part")
        if self.names is not None:
            object.__setattr__(self, "names", _several("names", self.names))
        if self.when is not None and not isinstance(self.when, When):
            raise TypeError(f"when: {self.when!r} is not a condition: wrap a function in when.check()")
        left = self.about("any-00")
        if left is not None and left.is_all:
            raise ValueError("an exclusion of everything: say which ids, names, parts or requests")

    def about(self, id: str) -> Left | None:
        """What it leaves out of the search for ``id``; ``None``: nothing."""
        if not _matches(self.ids, id):
            return None
        return Left(self.when, self.where, None if self.names is None else _any_of(self.names))


@dataclass(frozen=True, slots=True)
class Left:
    """Where one signature or check is not looked for."""

    when: When | None
    where: Part
    names: re.Pattern[str] | None

    @property
    def is_all(self) -> bool:
        return self.when is None and self.names is None and self.where & Part.ANYWHERE == Part.ANYWHERE

    def covers(self, exchange: Exchange, value: Value | None) -> bool:
        """Whether it is not looked for in ``value``, or in the whole request."""
        if self.when is not None and not self.when(exchange):
            return False
        if value is None:
            return self.names is None and self.where & Part.ANYWHERE == Part.ANYWHERE
        return bool(value.part & self.where) and (self.names is None or self.names.match(value.name) is not None)


def _several(parameter: str, patterns: str | Iterable[str]) -> tuple[str, ...]:
    found = (patterns,) if isinstance(patterns, str) else tuple(patterns)
    if not found or not all(type(each) is str and each for each in found):
        raise ValueError(f"{parameter} must be one or several patterns, got {patterns!r}")
    return found


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


def _matches(patterns: Iterable[str], text: str) -> bool:
    return _any_of(patterns).match(text) is not None
