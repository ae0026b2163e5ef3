"""Whether one condition holds wherever another does, by what they are made of.

What is asked is a sequent: all conditions on the left hold; does one on the right hold then? ``&``, ``|`` and ``~`` are
taken apart as Gentzen's calculus does ("Untersuchungen über das logische Schließen", 1935), which is complete for them;
what is left are conditions of single factories, each compared with those of its kind. What is not known to follow does
not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from itertools import chain
from typing import Any, TypeAlias

from . import pieces

__all__ = ["PATHS", "Form", "forms_of", "implied"]

Form: TypeAlias = tuple[str, Any]
"""What equality of conditions compares: ``("&", frozenset of forms)``, ``("|", ...)``, ``("~", form)``, or the name of
a factory and what it was given."""
Atoms: TypeAlias = dict[str, list[Any]]

MOST = 256
"""Cases that are looked at; where there are more, nothing is known."""


class _TooMany(Exception):
    """There are more cases than are looked at."""


def implied(left: Iterable[Form], right: Iterable[Form]) -> bool:
    """Whether one of ``right`` certainly holds wherever all of ``left`` do."""
    try:
        return _follows(list(left), list(right), {}, {}, [MOST])
    except _TooMany:
        return False


def _follows(left: list[Form], right: list[Form], given: Atoms, wanted: Atoms, cases: list[int]) -> bool:
    """What is still to be taken apart is in ``left`` and ``right``, atoms by their kind are in ``given`` and
    ``wanted``."""
    cases[0] -= 1
    if cases[0] < 0:
        raise _TooMany
    branches: list[tuple[frozenset[Form], bool]] = []
    held: set[Form] = set()
    sought: set[Form] = set()
    while left or right:
        if left:
            form = left.pop()
            if form in sought:
                return True
            held.add(form)
            kind, value = form
            if kind == "&":
                left.extend(value)
            elif kind == "~":
                right.append(value)
            elif kind == "|":
                branches.append((value, True))
            elif kind == "path" and len(value) > 2:
                branches.append((frozenset(("path", (value[0], each)) for each in value[1:]), True))
            else:
                given.setdefault(kind, []).append(value)
        else:
            form = right.pop()
            if form in held:
                return True
            sought.add(form)
            kind, value = form
            if kind == "|":
                right.extend(value)
            elif kind == "~":
                left.append(value)
            elif kind == "&":
                branches.append((value, False))
            else:
                wanted.setdefault(kind, []).append(value)
    if _is_settled(given, wanted):
        return True
    if not branches:
        return False
    (parts, is_given), *others = branches
    return all(
        _follows(
            [part] * is_given + [("|", value) for value, of_left in others if of_left],
            [part] * (not is_given) + [("&", value) for value, of_left in others if not of_left],
            {kind: list(values) for kind, values in given.items()},
            {kind: list(values) for kind, values in wanted.items()},
            cases,
        )
        for part in parts
    )


def _is_settled(given: Atoms, wanted: Atoms) -> bool:
    """Whether the atoms alone say so."""
    if "anything" in wanted:
        return True
    for kind, values in given.items():
        if kind in _ONE_OF and len(values) > 1 and not frozenset.intersection(*values):
            return True  # all that can never be given at once
        goals = _goals(kind, wanted)
        if goals and any(_IMPLIES.get(kind, _equal)(value, goals) for value in values):
            return True
    return False


def _goals(kind: str, wanted: Atoms) -> Sequence[Any]:
    if kind in PATHS:
        return [(other, value) for other in PATHS for value in wanted.get(other, ())]
    return wanted.get(kind, ())


# One condition, and those of which one is to follow from it. Where the value is a set of alternatives, several of them
# may do it together.


def _equal(value: Any, goals: Sequence[Any]) -> bool:
    return value in goals


def _subset(value: frozenset[Any], goals: Sequence[frozenset[Any]]) -> bool:
    return value <= frozenset(chain.from_iterable(goals))


def _hosts(value: frozenset[str], goals: Sequence[frozenset[str]]) -> bool:
    names = frozenset(chain.from_iterable(goals))
    suffixes = tuple(name[1:] for name in names if name[0] == "*")
    return all(name in names or name.removeprefix("*").endswith(suffixes) for name in value)


def _networks(
    value: frozenset[IPv4Network | IPv6Network], goals: Sequence[frozenset[IPv4Network | IPv6Network]]
) -> bool:
    wide = _collapsed(frozenset(chain.from_iterable(goals)))
    return all(any(network.subnet_of(each) for each in wide if each.version == network.version) for network in value)


@lru_cache(maxsize=64)
def _collapsed(networks: frozenset[Any]) -> list[Any]:
    of_4 = [network for network in networks if network.version == 4]
    return [*collapse_addresses(of_4), *collapse_addresses(networks.difference(of_4))]


def _named(value: tuple[str, Any], goals: Sequence[tuple[str, Any]]) -> bool:
    """A field, parameter or cookie, and a value that it has, a pattern that one matches, or ``None``: any."""
    name, asked = value
    for other, wanted in goals:
        if name == other and (wanted is None or wanted == asked):
            return True
        if name == other and isinstance(asked, str) and isinstance(wanted, re.Pattern) and wanted.fullmatch(asked):
            return True
    return False


def _lengths(value: tuple[int, int | None], goals: Sequence[tuple[int, int | None]]) -> bool:
    least, most = value
    return any(low <= least and (high is None or (most is not None and most <= high)) for low, high in goals)


def _certificates(value: Collection[Any], goals: Sequence[Collection[Any]]) -> bool:
    return any(frozenset(goal) <= frozenset(value) for goal in goals)


def _paths(kind: str) -> Callable[[Any, Sequence[Any]], bool]:
    def follows(value: Any, goals: Sequence[Any]) -> bool:
        inner, is_sensitive = forms_of(kind, value)[0], kind != "path" or value[0]
        for other, goal in goals:
            if other == "path_regex":
                if kind == "path_regex" and value == goal:
                    return True
                continue
            folds = other == "path" and not goal[0]
            if not is_sensitive and not folds:
                continue
            subject = pieces.lower(inner) if folds else inner
            if any(pieces.within(subject, outer) for outer in forms_of(other, goal)):
                return True
        return False

    return follows


@lru_cache(maxsize=4096)
def forms_of(kind: str, value: Any) -> tuple[tuple[pieces.Piece, ...], ...]:
    """The forms of the paths that a condition holds for; of a regular expression one that is wider."""
    if kind == "path_template":
        return (value[0],)
    if kind == "path_regex":
        return (pieces.of_prefix(value[1]),)
    is_sensitive, *patterns = value
    forms = map(pieces.of_glob, patterns)
    return tuple(forms if is_sensitive else map(pieces.lower, forms))


PATHS = ("path", "path_template", "path_regex")

_ONE_OF = frozenset({"method", "country", "continent", "asn"})
"""Kinds of which a request is one at most."""

_IMPLIES: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    **dict.fromkeys(("method", "upgrade", "country", "continent", "asn", "content_type"), _subset),
    **dict.fromkeys(("header", "query", "cookie"), _named),
    **{kind: _paths(kind) for kind in PATHS},
    "host": _hosts,
    "client_in": _networks,
    "content_length": _lengths,
    "client_certificate": _certificates,
}
"""Of other kinds, only what is equal follows."""
