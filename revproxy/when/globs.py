"""Path patterns: what ``when.path`` takes, turned once into a predicate over canonical paths.

``/a/b``
    That path. A slash at the end makes no difference, neither here nor in the request.
``/a/*``
    ``/a`` itself and everything below it, segment by segment; never ``/ab``.
``/a/*/b``, ``/a/img-*.png``
    ``*`` as a segment in the middle is any one segment that is not empty; within a segment any characters of it.
``/a/**/b``
    ``**`` is any number of segments, also none. At the end it is the same as ``*``.

``%2A`` is an asterisk that stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..canonical import canonical
from ..errors import BadRequest
from ..paths import PathPolicy

__all__ = ["literal_text", "matcher", "normalise", "segment_regex"]

_read = PathPolicy().bind(conditions=False)


def normalise(pattern: str) -> str:
    """``pattern`` in its only form: two patterns of one form match the same paths.

    Raises ``ValueError`` that names the pattern if it is none, or if no request could match it.
    """
    if not pattern.startswith("/"):
        raise ValueError(f"{pattern!r} does not start with '/'")
    if "//" in pattern:
        raise ValueError(f"{pattern!r} has an empty segment; '**' takes those too, where the policy lets them in")
    if "?" in pattern:
        raise ValueError(f"{pattern!r} has a query: a path pattern matches the path alone (a '?' in it is '%3F')")
    try:
        _read(pattern)
        text = "*".join(canonical(piece).replace("*", "%2A") for piece in pattern.split("*"))
    except BadRequest as error:
        raise ValueError(f"{pattern!r} matches no request that is let in: {error}") from None
    segments: list[str] = []
    for segment in text.removesuffix("/").split("/")[1:]:
        if "**" in segment and segment != "**":
            raise ValueError(f"{pattern!r} has '**' within a segment")
        if segment != "**" or segments[-1:] != ["**"]:
            segments.append(segment)
    if segments[-1:] == ["**"]:
        segments[-1] = "*"
    if segments[-2:] == ["**", "*"]:
        del segments[-2]
    return "".join(f"/{segment}" for segment in segments) or "/"


def matcher(patterns: Iterable[str], *, case_sensitive: bool = True) -> Callable[[str], bool]:
    """A predicate that says whether a canonical path matches any of ``patterns``, which are in normal form.

    ``case_sensitive=False`` makes ASCII letters equal, no others. Time is linear in the path's length.
    """
    exact: set[str] = set()
    below: list[str] = []
    general: list[str] = []
    for pattern in patterns:
        text = pattern if case_sensitive else pattern.lower()
        start = text.removesuffix("/*") if text.endswith("/*") else text.removesuffix("/")
        if "*" in start:
            general.append(_regex(text))
            continue
        literal = literal_text(start)
        exact |= {literal, f"{literal}/"}
        if text.endswith("/*"):
            below.append(f"{literal}/")
    matches = _any_of(frozenset(exact), tuple(below), "|".join(general))
    return matches if case_sensitive else lambda path: matches(path.lower())


def _any_of(whole: frozenset[str], prefixes: tuple[str, ...], regex: str) -> Callable[[str], bool]:
    """One predicate of whole paths, path prefixes and a regular expression (or none), the cheapest first."""

    def in_whole(path: str) -> bool:
        return path in whole

    def in_whole_or_below(path: str) -> bool:
        return path in whole or path.startswith(prefixes)

    if not regex:
        return in_whole_or_below if prefixes else in_whole
    match = re.compile(regex).match

    def anywhere(path: str) -> bool:
        return path in whole or path.startswith(prefixes) or match(path) is not None

    return anywhere


def literal_text(text: str) -> str:
    """What a piece of a pattern without asterisks stands for in a path."""
    return text.replace("%2A", "*").replace("%2a", "*")


def _regex(pattern: str) -> str:
    """A regular expression that backtracks over one loop at most.

    A run of segments after ``**`` is taken where it first fits, and so is a literal after ``*``: what matches at all
    then matches so, and an atomic group says that nothing else need be tried.
    """
    segments = pattern.split("/")[1:]
    deep = segments[-1] == "*"
    if deep:
        segments.pop()
    runs: list[str] = [""]
    for segment in segments:
        if segment == "**":
            runs.append("")
        else:
            runs[-1] += segment_regex(segment)
    first, *others = runs
    end = "(?:/.*)?\\Z" if deep else "/?\\Z"
    if not others:
        return first + end
    *middle, last = others
    skip = "(?:/[^/]*+)*?"
    return first + "".join(f"(?>{skip}{run})" for run in middle) + f"{skip}{last}{end}"


def segment_regex(segment: str) -> str:
    """A regular expression for one segment of a pattern, with the slash before it."""
    if segment == "*":
        return "/[^/]++"
    first, *others = (re.escape(literal_text(piece)) for piece in segment.split("*"))
    if not others:
        return f"/{first}(?![^/])"
    *middle, last = others
    skip = "(?:[^/%]|%..)*?"  # whole characters: an asterisk never ends between the digits of a percent-encoding
    run = "".join(f"(?>{skip}{literal})" for literal in middle)
    return f"/{first}{run}" + (f"(?>{skip}{last}(?![^/]))" if last else "[^/]*+")
