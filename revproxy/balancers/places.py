"""What it costs to serve an exchange from a place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import asin, cos, radians, sin, sqrt
from typing import TypeAlias

from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange
from ..geography import PLACE

__all__ = ["ByClient", "Cost", "InOrder", "Nearest", "PlaceCost", "distance"]

Cost: TypeAlias = Callable[[Exchange], Callable[[str], float]]
"""What each place costs an exchange; the less, the better."""


class PlaceCost(ABC):
    """Says what places cost. One serves one balancer."""

    @abstractmethod
    def bind(self, places: Mapping[str, tuple[Endpoint, ...]]) -> Cost:
        """The cost of ``places``, by the endpoints in each. Called once per change of membership. Raises ``ValueError``
        for a place that it names and that is none."""

    @property
    def learns(self) -> bool:
        """Whether ``settled`` does anything."""
        return type(self).settled is not PlaceCost.settled

    def settled(self, attempt: Attempt) -> None:
        """Learn how an attempt went."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _ranks(places: Mapping[str, object], wanted: Sequence[str]) -> Callable[[str], float]:
    """By their place in ``wanted``; those that it does not name cost more than all that it does."""
    ranks = {place: float(rank) for rank, place in enumerate(wanted)}
    last = float(len(wanted))
    return lambda place: ranks.get(place, last)


def _check(places: Mapping[str, object], wanted: Sequence[str]) -> None:
    for place in wanted:
        if place not in places:
            raise ValueError(f"places: {place!r} is none of {', '.join(map(repr, places))}")


class InOrder(PlaceCost):
    """The same for everybody: ``places`` in that order, this proxy's own first, then all others.

    ``strict``: a place that no endpoint is in is a ``ValueError`` when it is bound. Switch it off where whole places
    may come and go.
    """

    def __init__(self, *places: str, strict: bool = True) -> None:
        if not places or len(set(places)) != len(places):
            raise ValueError(f"places must be named, each once, got {places}")
        self._places = places
        self._strict = strict

    def bind(self, places: Mapping[str, tuple[Endpoint, ...]]) -> Cost:
        if self._strict:
            _check(places, self._places)
        ranks = _ranks(places, self._places)
        return lambda exchange: ranks

    def __repr__(self) -> str:
        return f"InOrder({', '.join(map(repr, self._places))})"


class ByClient(PlaceCost):
    """By where the client is: ``table`` has an order of places for country codes (``"DE"``), for continents (``"EU"``),
    and for all others (``"*"``). A country comes before its continent. ``GeoIp`` must have found out.

    Codes are ISO 3166-1's two letters, and AF, AN, AS, EU, NA, OC, SA. ``strict``: as with ``InOrder``.
    """

    def __init__(self, table: Mapping[str, Sequence[str]], *, strict: bool = True) -> None:
        if not table:
            raise ValueError("table: there must be an order for somebody")
        for code, places in table.items():
            if code != "*" and not (len(code) == 2 and code.isascii() and code.isupper()):
                raise ValueError(f"table: {code!r} is neither a code of two letters nor '*'")
            if isinstance(places, str) or not places:
                raise ValueError(f"table: {code!r} must have places, got {places!r}")
        self._table = {code: tuple(places) for code, places in table.items()}
        self._strict = strict

    def bind(self, places: Mapping[str, tuple[Endpoint, ...]]) -> Cost:
        if self._strict:
            for wanted in self._table.values():
                _check(places, wanted)
        ranks = {code: _ranks(places, wanted) for code, wanted in self._table.items()}
        others = ranks.get("*") or _ranks(places, ())

        def cost(exchange: Exchange) -> Callable[[str], float]:
            place = exchange.get(PLACE)
            if place is None:
                return others
            return ranks.get(place.country or "") or ranks.get(place.continent or "") or others

        return cost

    def __repr__(self) -> str:
        return f"ByClient({self._table!r})"


_EARTH = 6371.0
_KM_PER_MS = 100.0
"""Kilometres that light in glass goes there and back in a millisecond."""


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres between two points on the globe, in degrees of latitude and longitude (the haversine formula)."""
    (lat1, lon1), (lat2, lon2) = (map(radians, point) for point in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(half)))


class Nearest(PlaceCost):
    """The place that is nearest to the client, by the great circle; ``measured`` is the share of the response times
    measured lately in it.

    Distance counts as the time that light takes there and back, a millisecond for 100 km, and so can be added up with
    what was measured: ``(1 - measured) * distance / 100 + measured * milliseconds``. Endpoints say where they are by
    ``location``; that of a place is the mean of its endpoints'. Of clients of whom nobody knows where they are, and of
    places that do not say it, only the measured part counts.

    ``decay``: of a hundred response times, how much the newest counts.
    """

    def __init__(self, *, measured: float = 0.0, decay: float = 0.05) -> None:
        if not 0 <= measured <= 1:
            raise ValueError(f"measured must be 0 to 1, got {measured}")
        if not 0 < decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, got {decay}")
        self._measured = measured
        self._decay = decay
        self._places: dict[Endpoint, str] = {}
        self._times: dict[str, float] = {}

    def bind(self, places: Mapping[str, tuple[Endpoint, ...]]) -> Cost:
        self._places = {each: place for place, members in places.items() for each in members}
        self._times = {place: self._times.get(place, 0.0) for place in places}
        located = {
            place: _middle([each.location for each in those if each.location]) for place, those in places.items()
        }
        far, near, times = 1 - self._measured, self._measured, self._times

        def cost(exchange: Exchange) -> Callable[[str], float]:
            where = exchange.get(PLACE)
            client = None if where is None else where.location

            def of(place: str) -> float:
                location = located[place]
                kilometres = distance(client, location) if client is not None and location is not None else 0.0
                return far * kilometres / _KM_PER_MS + near * 1000 * times[place]

            return of

        return cost

    def settled(self, attempt: Attempt) -> None:
        place = self._places.get(attempt.endpoint)
        if place is not None and attempt.first_byte is not None:
            seconds, known = attempt.first_byte - attempt.started, self._times[place]
            self._times[place] = seconds if not known else known + self._decay * (seconds - known)

    def __repr__(self) -> str:
        return "Nearest()" if not self._measured else f"Nearest(measured={self._measured:g})"


def _middle(locations: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Their mean; places are small, and none lies across the date line."""
    if not locations:
        return None
    return sum(lat for lat, _ in locations) / len(locations), sum(lon for _, lon in locations) / len(locations)
