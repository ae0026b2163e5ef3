"""A handler that sends each client down one of several lanes."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from math import log
from random import Random
from typing import Any

from ..balancers.keys import HashKey, client_address, hash_of
from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange, Key
from ..handler import Component, Handler
from ..message import Response
from .guard_rail import GuardRail, LaneClosed, LaneReopened
from .watch import Watch

__all__ = ["LANE", "Lane", "Split"]

LANE: Key[str] = Key("lane")
"""The name of the lane that a ``Split`` has chosen, for observers and filters."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the ways of a ``Split``: its handler, and how much of all goes there."""

    name: str
    handler: Handler
    weight: int = 1


class Split(Component):
    """Sends each client down one of several lanes, by weight, and always down the same one: a canary, an experiment.

    ``key``: what a client is known by; see ``balancers.keys``. By default his address. Who has no key is sent by
    chance. Weights change while it runs (``weigh``); then as few clients as need be change lanes, since every lane has
    a score of its own for a key (weighted rendezvous hashing). A weight of 0 closes a lane. ``exchange[LANE]`` has its
    name.

    ``guard`` closes a canary's lane that is worse than the stable one: its weight becomes 0, its clients are spread
    over the other lanes from their next request on, and ``LaneClosed`` is told. It stays closed until ``reopen``, or
    until it is given a weight; then it is on trial anew. While the stable lane has no weight nothing is compared.

    ``name`` is for events.

    Raises ``ValueError`` for fewer than two lanes, for two of one name, for weights that add up to 0, and for a lane
    that ``guard`` names and that there is none of.
    """

    provides: frozenset[Key[Any]] = frozenset({LANE})

    def __init__(
        self,
        *lanes: Lane,
        key: HashKey | None = None,
        guard: GuardRail | None = None,
        name: str = "split",
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        if len(lanes) < 2 or len({lane.name for lane in lanes}) != len(lanes):
            raise ValueError(f"lanes: there must be two or more, each with a name of its own, got {lanes}")
        self.name: str = name
        self._lanes = {lane.name: lane for lane in lanes}
        self._seeds = {lane.name: hash_of(f"lane {lane.name}") for lane in lanes}
        self._key = client_address() if key is None else key
        self._rng = rng or Random()
        self._weights: dict[str, int] = {}
        self._closed: dict[str, tuple[LaneClosed, int]] = {}
        self._watch: Watch | None = None
        if guard is not None:
            self._watch = Watch(guard, _canaries(guard, self._lanes), self._close, source=name, clock=clock)
        self.weigh({lane.name: lane.weight for lane in lanes})

    @property
    def weights(self) -> Mapping[str, int]:
        """How much goes down each lane, by its name."""
        return dict(self._weights)

    @property
    def closed(self) -> Mapping[str, LaneClosed]:
        """The lanes that the guard-rail has closed, with what it has told of them."""
        return {lane: event for lane, (event, _) in self._closed.items()}

    def weigh(self, weights: Mapping[str, int]) -> None:
        """Change the weights of some lanes, from the next request on. Raises ``ValueError``, and changes nothing, for a
        lane that there is none of, for what is no weight, and where nothing would be left."""
        for name, weight in weights.items():
            if name not in self._lanes:
                raise ValueError(f"weights: {name!r} is none of {', '.join(map(repr, self._lanes))}")
            if type(weight) is not int or weight < 0:
                raise ValueError(f"weights: {name!r} must have an integer of at least 0, got {weight!r}")
        wanted = self._weights | dict(weights)
        if not any(wanted.values()):
            raise ValueError(f"weights: nothing is left in {wanted}")
        self._become(wanted)
        for name in [name for name in self._closed if wanted[name]]:
            del self._closed[name]
            self.tell(LaneReopened(self.name, name, wanted[name]))

    def reopen(self, lane: str) -> None:
        """Give ``lane``, which the guard-rail has closed, the weight that it had. What was known of it counts no more.
        Raises ``ValueError`` for one that it has not closed."""
        if lane not in self._closed:
            raise ValueError(f"lane: {lane!r} was not closed by a guard-rail, {list(self._closed)} were")
        self.weigh({lane: self._closed[lane][1]})

    def _become(self, weights: dict[str, int]) -> None:
        self._weights = weights
        if self._watch is not None:
            self._watch.follow(weights)

    def _close(self, event: LaneClosed) -> None:
        lane = event.lane
        self._closed[lane] = event, self._weights[lane]
        self._become(self._weights | {lane: 0})
        self.tell(event)

    def lane_of(self, exchange: Exchange) -> str:
        """The name of the lane for ``exchange``."""
        value = self._key(exchange)
        hashed = self._rng.getrandbits(64) if value is None else hash_of(value)
        best, chosen = 0.0, ""
        for name, weight in self._weights.items():
            if weight:
                mixed = (hash_of((hashed ^ self._seeds[name]).to_bytes(8)) + 1) / _RANGE
                score = -weight / log(mixed)
                if score > best:
                    best, chosen = score, name
        return chosen

    def __call__(self, exchange: Exchange) -> Coroutine[Any, Any, Response]:
        name = exchange[LANE] = self.lane_of(exchange)
        watch = self._watch
        if watch is not None and name in watch.lanes:
            return watch(exchange, name, self._lanes[name].handler)
        return self._lanes[name].handler(exchange)

    def parts(self) -> Iterable[object]:
        return tuple(lane.handler for lane in self._lanes.values())

    def __repr__(self) -> str:
        lanes = ", ".join(
            f"{name}: {weight}{' (closed)' if name in self._closed else ''}" for name, weight in self._weights.items()
        )
        return f"<Split {lanes}{'' if self._watch is None else f' {self._watch!r}'}>"


_RANGE = (1 << 64) + 1


def _canaries(guard: GuardRail, lanes: Mapping[str, Lane]) -> tuple[str, ...]:
    """The names of the lanes that ``guard`` watches."""
    named = guard.canaries
    for name in (guard.stable, *named):
        if name not in lanes:
            raise ValueError(f"guard: {name!r} is none of {', '.join(map(repr, lanes))}")
    if guard.stable in named:
        raise ValueError(f"guard: {guard.stable!r} cannot be compared with itself")
    return named or tuple(name for name in lanes if name != guard.stable)
