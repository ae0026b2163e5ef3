"""Another path, by a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..canonical import canonical, locate
from ..errors import BadRequest
from ..message import Move
from ..pattern_cost import check_cost, literal_prefix, path_pattern
from .replacement import Replacement
from .rewriting import Otherwise, Rewriting

__all__ = ["PathRewrite"]

_REFERENCE = re.compile(r"\\(?:g<(?P<name>\w+)>|(?P<number>[1-9][0-9]?))")


class PathRewrite(Rewriting):
    r"""Replaces a path that ``pattern`` matches from its beginning to its end::

        PathRewrite(r"/users/([^/]+)/posts", r"/posts/by/\1")

    ``pattern``
        In the syntax of ``re``; a string or compiled. It is matched against the canonical path, which rules see too
        (ASCII, every character in its only form); the query is not looked at.
    ``replacement``
        The whole new path. ``\1`` or ``\g<name>`` is what a group has captured, byte for byte as it came. A query in it
        is put before the request's own, of which the parameters are dropped that it sets; what is captured stays one
        value there (``&`` becomes ``%26``).
    ``otherwise``
        What becomes of a path that does not match: ``"pass"``, or ``"refuse"``, 404.
    ``keep_query``
        Whether the request's own query stays.
    ``limit``
        Characters of a canonical path that are matched at most. A longer one that begins as the pattern does is
        refused: 400.
    ``costly``
        Take a pattern whose cost is out of proportion: a loop over what can be taken in two ways, ``(/.*)+``, or more
        than two loops that may share a text in any way, ``.*``. By default that is a ``ValueError``: write ``[^/]+``
        for a segment, ``++`` for a loop that gives nothing back, or use a ``PathTemplate``, whose time is linear.

    What captures make of the path is read like any target: dot segments, an encoded slash, an empty segment or two
    slashes at the beginning where there were none, and half a percent-encoded character are refused: 400.

    Raises ``ValueError`` or ``TypeError`` that names the parameter.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        replacement: str,
        *,
        otherwise: Otherwise = "pass",
        keep_query: bool = True,
        limit: int = 2048,
        costly: bool = False,
    ) -> None:
        super().__init__(otherwise)
        if type(limit) is not int or limit < 1:
            raise ValueError(f"limit must be an integer of at least 1, got {limit!r}")
        if not isinstance(replacement, str):
            raise TypeError(f"replacement must be a path, got {replacement!r}")
        compiled = path_pattern(pattern)
        if not costly:
            check_cost(compiled)
        self._prefix = literal_prefix(compiled)
        self.pattern: str = compiled.pattern
        self.replacement = replacement
        self.limit = limit
        self._fullmatch = compiled.fullmatch
        self._groups: list[int] = []
        self._replacement = Replacement(replacement, self._pieces(compiled), keep_query=keep_query)
        self._move = _move(compiled.pattern, replacement)

    def _pieces(self, pattern: re.Pattern[str]) -> Iterator[str | int]:
        at = 0
        for found in _REFERENCE.finditer(self.replacement):
            yield self._text(self.replacement[at : found.start()])
            name = found["number"] or found["name"]
            group = int(name) if name.isdecimal() else pattern.groupindex.get(name, -1)
            if not 0 <= group <= pattern.groups:
                raise ValueError(f"replacement: {self.replacement!r} has {found[0]}, which is no group of the pattern")
            yield len(self._groups)
            self._groups.append(group)
            at = found.end()
        yield self._text(self.replacement[at:])

    def _text(self, text: str) -> str:
        if "\\" in text or re.search(r"\$[0-9{]", text) is not None:
            raise ValueError(rf"replacement: groups are \1 or \g<name> (and a $ is %24), got {self.replacement!r}")
        return text

    def move(self) -> Move | None:
        return self._move

    def rewrite(self, target: str) -> str | None:
        raw, mark, query = target.partition("?")
        path = canonical(raw)
        if not path.startswith(self._prefix):
            return None
        if len(path) > self.limit:
            raise BadRequest(f"a path of {len(path)} characters, of which at most {self.limit} are matched")
        match = self._fullmatch(path)
        if match is None:
            return None
        captures = list(_cut(raw, [match.span(group) for group in self._groups]))
        return self._replacement.fill(captures, query if mark else None)

    def __repr__(self) -> str:
        otherwise = "" if self.otherwise == "pass" else f", otherwise={self.otherwise!r}"
        return f"PathRewrite({self.pattern!r}, {self.replacement!r}{otherwise})"


_BEGINNING = "(?P<fixed>(?:/[A-Za-z0-9_~%-]+)*)(?P<slash>/?)"
_WITH_REST = re.compile(rf"\^?{_BEGINNING}\((?:\?P<\w+>)?(?P<within>/?)\.\*\+?\)(?P<maybe>\??)\$?")
_TO_REST = re.compile(rf"{_BEGINNING}\\(?:1|g<\w+>)")


def _move(pattern: str, replacement: str) -> Move | None:
    """The beginning that another takes the place of, where all behind it stays: ``/old/(.*)`` and ``/new/\\1``."""
    taken, put = _WITH_REST.fullmatch(pattern), _TO_REST.fullmatch(replacement)
    if taken is None or put is None or taken["slash"] != put["slash"] or taken["slash"] == taken["within"]:
        return None
    return canonical(taken["fixed"]), canonical(put["fixed"])


def _cut(raw: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """What stands in ``raw`` where ``spans`` of its canonical form are."""
    find = locate(raw)
    for start, end in spans:
        if start < 0:  # a group that took no part in the match
            yield ""
            continue
        begin, stop = find(start), find(end)
        if begin is None or stop is None:
            raise BadRequest("a group ends within a percent-encoded character")
        yield raw[begin:stop]
