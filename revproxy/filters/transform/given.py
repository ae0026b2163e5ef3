"""What is to be replaced, as it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from ...pattern_cost import check_cost
from ...pattern_tree import parsed
from ...pattern_width import width_of
from .searchers import Literal, Pattern, Searcher

__all__ = ["MOST", "searchers_of"]

T = TypeVar("T", str, bytes)

MOST = 64
"""Replacements of one filter; each is a search."""
_LONGEST = 4096


def searchers_of(
    replacements: Mapping[Any, Any], kind: type[T], *, ignore_case: bool, costly: bool, longest: int = 1024
) -> tuple[Searcher[T], ...]:
    """The searchers for ``replacements``: of literal texts the longest first, then patterns, in their order.
    ``longest``: of a text.

    Raises ``ValueError`` or ``TypeError`` that names ``replacements`` and what is wrong with them.
    """
    if not isinstance(replacements, Mapping):
        raise TypeError(f"replacements must be a mapping, got {replacements!r}")
    if not 1 <= len(replacements) <= MOST:
        raise ValueError(f"replacements must be 1 to {MOST}, got {len(replacements)}")
    literals: list[T] = []
    patterns: list[Searcher[T]] = []
    for given, instead in replacements.items():
        if isinstance(given, re.Pattern) and isinstance(given.pattern, kind):
            patterns.append(_pattern(given, instead, kind, costly=costly))
        elif isinstance(given, kind):
            _check_literal(given, instead, kind, longest)
            literals.append(given)
        else:
            raise TypeError(f"replacements: {given!r} is no {kind.__name__}, and no pattern of one")
    literals.sort(key=len, reverse=True)
    found: list[Searcher[T]] = []
    for literal in literals:
        if ignore_case:
            found.append(_ignoring_case(literal, replacements[literal]))
        else:
            found.append(Literal(literal, replacements[literal]))
    return tuple(found + patterns)


def _check_literal(given: T, instead: object, kind: type[T], longest: int) -> None:
    if not 1 <= len(given) <= longest:
        raise ValueError(f"replacements: a text to be replaced has 1 to {longest} characters, got {given!r}")
    if not isinstance(instead, kind):
        raise TypeError(f"replacements: what replaces {given!r} must be {kind.__name__}, got {instead!r}")


def _ignoring_case(literal: T, instead: T) -> Searcher[T]:
    regex: re.Pattern[T] = re.compile(re.escape(literal), re.IGNORECASE)
    return Pattern(regex, lambda match: instead, reach=len(literal), behind=0)


def _pattern(regex: re.Pattern[T], instead: Any, kind: type[T], *, costly: bool) -> Searcher[T]:
    pattern = regex.pattern
    try:
        longest, behind, ahead = width_of(
            pattern, multiline=bool(regex.flags & re.MULTILINE), flags=regex.flags & ~re.DEBUG
        )
    except ValueError as error:
        raise ValueError(f"replacements: {error}") from None
    for what, wide in (("matches", longest), ("looks behind", behind), ("looks ahead", ahead)):
        if wide > _LONGEST:
            reach = "without a bound" if wide > 1 << 16 else f"up to {wide} characters"
            raise ValueError(
                f"replacements: {pattern!r} {what} {reach}; {_LONGEST} is the most: say {{0,40}} for *, {{1,40}} for +"
            )
    if parsed(pattern, regex.flags).getwidth()[0] == 0:
        raise ValueError(f"replacements: {pattern!r} matches nothing at all")
    if not costly:
        _check_cost(regex)
    if isinstance(instead, kind):
        _check_template(regex, instead)
        return Pattern(regex, partial(_expanded, instead), reach=longest + ahead, behind=behind)
    if not callable(instead):
        raise TypeError(
            f"replacements: what replaces {pattern!r} must be {kind.__name__} or a function, got {instead!r}"
        )
    return Pattern(regex, instead, reach=longest + ahead, behind=behind)


def _check_cost(regex: re.Pattern[Any]) -> None:
    pattern = regex.pattern
    if isinstance(pattern, bytes):
        regex = re.compile(pattern.decode("latin-1"), (regex.flags & ~re.LOCALE) | re.ASCII)
    try:
        check_cost(regex, linear=True, lines=True)
    except ValueError as error:
        raise ValueError(f"replacements: {error}") from None


def _check_template(regex: re.Pattern[T], template: T) -> None:
    try:
        regex.sub(template, template[:0])  # where a group is asked for that there is not, this says so
    except (re.error, IndexError) as error:
        raise ValueError(f"replacements: {template!r} is no template for {regex.pattern!r}: {error}") from None


def _expanded(template: T, match: re.Match[T]) -> T:
    return match.expand(template)
