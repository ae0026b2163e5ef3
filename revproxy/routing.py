"""Handlers that hand on to one of several handlers."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from math import log
from random import Random
from typing import Any

from .balancers.keys import HashKey, client_address, hash_of
from .errors import ConnectFailed, NoEndpoint, ProxyError, QueueFull, QueueTimeout
from .exchange import Exchange, Key
from .handler import Component, Handler
from .message import Response

__all__ = ["LANE", "Failover", "Lane", "Split"]

LANE: Key[str] = Key("lane")
"""The name of the lane that a ``Split`` has chosen, for observers and filters."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods that may be asked twice (RFC 9110 section 9.2.2)."""

_NOT_SENT: tuple[type[ProxyError], ...] = (NoEndpoint, QueueFull, QueueTimeout, ConnectFailed)


class Failover(Component):
    """Asks ``handlers`` one after the other, until one does not fail with one of the errors ``on``.

    By default only what has certainly not reached a server goes to the next: no endpoint, no connection. With others
    (``ResponseTimeout``, ``ConnectionLost``) a request may be asked twice; that is done for methods that allow it (RFC
    9110 section 9.2.2) and bodies that are in memory, and the error stands for all others.

    Each handler gets the draft as the one before left it. ``exchange.attempts`` has the attempts of all.
    """

    def __init__(self, *handlers: Handler, on: tuple[type[ProxyError], ...] = _NOT_SENT) -> None:
        if len(handlers) < 2:
            raise ValueError("handlers: there must be at least two")
        for each in handlers:
            if not callable(each):
                raise TypeError(f"handlers: {each!r} is no handler: it is not callable")
        for kind in on:
            if not issubclass(kind, ProxyError):
                raise TypeError(f"on: {kind!r} is no kind of ProxyError")
        self._handlers = handlers
        self._on = on

    async def __call__(self, exchange: Exchange) -> Response:
        *first, last = self._handlers
        for handler in first:
            attempted = len(exchange.attempts)
            try:
                return await handler(exchange)
            except self._on:
                if not _may_go_on(exchange, attempted):
                    raise
        return await last(exchange)

    def parts(self) -> Iterable[object]:
        return self._handlers

    def __repr__(self) -> str:
        return f"Failover({', '.join(map(repr, self._handlers))})"


def _may_go_on(exchange: Exchange, attempted: int) -> bool:
    """Whether the request may be asked again after the attempts from ``attempted`` on have failed."""
    request = exchange.request
    if not any(attempt.sent for attempt in exchange.attempts[attempted:]):
        return True
    return request.method in _IDEMPOTENT and request.body.replayable


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

    Raises ``ValueError`` for fewer than two lanes, for two of one name, and for weights that add up to 0.
    """

    provides: frozenset[Key[Any]] = frozenset({LANE})

    def __init__(self, *lanes: Lane, key: HashKey | None = None, rng: Random | None = None) -> None:
        if len(lanes) < 2 or len({lane.name for lane in lanes}) != len(lanes):
            raise ValueError(f"lanes: there must be two or more, each with a name of its own, got {lanes}")
        self._lanes = {lane.name: lane for lane in lanes}
        self._seeds = {lane.name: hash_of(f"lane {lane.name}") for lane in lanes}
        self._key = client_address() if key is None else key
        self._rng = rng or Random()
        self._weights: dict[str, int] = {}
        self.weigh({lane.name: lane.weight for lane in lanes})

    @property
    def weights(self) -> Mapping[str, int]:
        """How much goes down each lane, by its name."""
        return dict(self._weights)

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
        self._weights = wanted

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
        return self._lanes[name].handler(exchange)

    def parts(self) -> Iterable[object]:
        return tuple(lane.handler for lane in self._lanes.values())

    def __repr__(self) -> str:
        lanes = ", ".join(f"{name}: {weight}" for name, weight in self._weights.items())
        return f"<Split {lanes}>"


_RANGE = (1 << 64) + 1
