"""What becomes of the values of a document, by where they are: paths, made into a table of places."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import TypeAlias

from .path import JsonPath, Step, Wild
from .runs import Runs

__all__ = ["Fate", "Place", "places"]

_MOST_PLACES = 4096
"""Paths with ``**`` may ask for twice as many with each step."""


_COMPILED = 16
"""Places whose expressions are compiled at once; those of others are where they are needed."""


class Fate(Enum):
    """What becomes of a value."""

    KEEP = "keep"
    """It stays, and all that is in it."""
    DROP = "drop"
    """It goes, and all that is in it."""
    TAKE = "take"
    """It is handed out as a whole."""
    LOOK = "look"
    """It depends on what it is, and what is in it."""


class Place:
    """Where a value is, as far as it makes a difference.

    ``scalars``, ``objects``, ``arrays``
        Which of them stay, if its fate is to be looked into.
    ``named``, ``other``, ``element``
        The places of what is in it: of the members of certain names, in UTF-8, of all others, and of elements.
    ``runs``
        Expressions that take as much at once as they can.
    """

    __slots__ = ("arrays", "element", "fate", "named", "objects", "other", "runs", "scalars")

    named: dict[bytes, Place]
    other: Place
    element: Place
    runs: Runs

    def __init__(self, fate: Fate, *, scalars: bool, objects: bool, arrays: bool) -> None:
        self.fate: Fate = fate
        self.scalars: bool = scalars
        self.objects: bool = objects
        self.arrays: bool = arrays

    def __repr__(self) -> str:
        return f"<Place to {self.fate.value}>"


_At: TypeAlias = frozenset[tuple[Step, ...]]
"""The steps that are still to go, of each path that may go on from here."""
_State: TypeAlias = tuple[_At | None, _At, _At]
"""Of what may stay (``None``: all may), of what may not, and of what is handed out."""

_HERE: tuple[Step, ...] = ()


def places(
    *,
    only: Collection[JsonPath] | None = None,
    without: Collection[JsonPath] = (),
    take: Collection[JsonPath] = (),
    ignore_case: bool = False,
) -> Place:
    """The place of a whole document.

    ``only``
        What stays, with all that is in it; ``None``: everything.
    ``without``
        What goes nevertheless, with all that is in it.
    ``take``
        What is handed out; an empty path is the whole document.
    ``ignore_case``
        Whether names are compared by ``str.casefold``.

    Raises ``ValueError`` where that needs more than 4,096 places.
    """
    if ignore_case:
        only = None if only is None else [_folded(path) for path in only]
        without, take = [_folded(path) for path in without], [_folded(path) for path in take]
    paths = [*(only or ()), *without, *take]
    names = sorted({step for path in paths for step in path.steps if isinstance(step, str)})
    allowed = None if only is None else _begin(only)
    if allowed is not None and _HERE in allowed:
        allowed = None
    steps: list[Step] = [*names, Wild.NAME, Wild.ELEMENT]
    start: _State = allowed, _begin(without), _begin(take)
    known: dict[_State, Place] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state in known:
            continue
        if len(known) >= _MOST_PLACES:
            raise ValueError(f"paths: these need more than {_MOST_PLACES} places: fewer of ** would do")
        place = known[state] = _judged(state)
        if place.fate is Fate.LOOK:
            waiting += [_after(state, name) for name in steps]
    for state, place in known.items():
        if place.fate is Fate.LOOK:
            place.element = known[_after(state, Wild.ELEMENT)]
            place.other = known[_after(state, Wild.NAME)]
            found = {name.encode(): known[_after(state, name)] for name in names}
            place.named = {name: there for name, there in found.items() if there is not place.other}
    looked_into = [place for place in known.values() if place.fate is Fate.LOOK]
    for place in looked_into:
        place.runs = Runs(place, ignore_case=ignore_case)
    for place in looked_into[:_COMPILED]:
        place.runs.compile()
    return known[start]


def _judged(state: _State) -> Place:
    only, without, take = state
    if _HERE in without or only == frozenset():
        return Place(Fate.DROP, scalars=False, objects=False, arrays=False)
    if _HERE in take:
        return Place(Fate.TAKE, scalars=False, objects=False, arrays=False)
    if only is None:
        everything = not without and not take
        return Place(Fate.KEEP if everything else Fate.LOOK, scalars=True, objects=True, arrays=True)
    firsts = {steps[0] for steps in only}
    deep = Wild.DEPTH in firsts
    arrays = Wild.ELEMENT in firsts
    return Place(Fate.LOOK, scalars=False, objects=deep or bool(firsts - {Wild.ELEMENT}), arrays=deep or arrays)


def _begin(paths: Collection[JsonPath]) -> _At:
    return _closed(path.steps for path in paths)


def _after(state: _State, step: Step) -> _State:
    only, without, take = state
    allowed = None if only is None else _moved(only, step)
    if allowed is not None and _HERE in allowed:
        allowed = None
    return allowed, _moved(without, step), _moved(take, step)


def _moved(at: _At, step: Step) -> _At:
    """Where the paths are behind ``step``: a name, or any that none of them has (``Wild.NAME``), or an element."""
    found: list[tuple[Step, ...]] = []
    for steps in at:
        if not steps:
            continue
        first = steps[0]
        if first is Wild.DEPTH:
            found.append(steps)
        elif first == step or (first is Wild.NAME and step is not Wild.ELEMENT):
            found.append(steps[1:])
    return _closed(found)


def _closed(several: Iterable[tuple[Step, ...]]) -> _At:
    found: set[tuple[Step, ...]] = set()
    for steps in several:
        found.add(steps)
        while steps and steps[0] is Wild.DEPTH:
            steps = steps[1:]
            found.add(steps)
    return frozenset(found)


def _folded(path: JsonPath) -> JsonPath:
    return JsonPath(tuple(step.casefold() if isinstance(step, str) else step for step in path.steps))
