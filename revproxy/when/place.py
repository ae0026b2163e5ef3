"""Conditions on where a client is."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..exchange import Exchange
from ..facts import Place
from ..geography import PLACE
from .condition import When, call, some

__all__ = ["asn", "continent", "country"]

_CONTINENTS = frozenset({"AF", "AN", "AS", "EU", "NA", "OC", "SA"})


def country(*codes: str) -> When:
    """The client is in one of these countries, by the two letters of ISO 3166-1: ``"DE"``. False where nobody knows."""
    for code in some("codes", codes):
        if re.fullmatch("[A-Z]{2}", code) is None:
            raise ValueError(f"codes: {code!r} is no country code of two capital letters")
    wanted = frozenset(codes)
    return _when("country", codes, wanted, lambda place: place.country in wanted)


def continent(*codes: str) -> When:
    """The client is on one of these continents: AF, AN, AS, EU, NA, OC, SA. False where nobody knows."""
    for code in some("codes", codes):
        if code not in _CONTINENTS:
            raise ValueError(f"codes: {code!r} is none of {', '.join(sorted(_CONTINENTS))}")
    wanted = frozenset(codes)
    return _when("continent", codes, wanted, lambda place: place.continent in wanted)


def asn(*numbers: int) -> When:
    """The client's network is one of these autonomous systems. False where nobody knows."""
    for number in some("numbers", numbers):
        if type(number) is not int or not 0 < number < 1 << 32:
            raise ValueError(f"numbers: {number!r} is no number of an autonomous system")
    wanted = frozenset(numbers)
    return _when("asn", numbers, wanted, lambda place: place.asn in wanted)


def _when(name: str, said: tuple[object, ...], wanted: frozenset[object], holds: Callable[[Place], bool]) -> When:
    def test(exchange: Exchange) -> bool:
        place = exchange.get(PLACE)
        return place is not None and holds(place)

    return When(call(name, *said), test, form=(name, wanted), requires=frozenset({PLACE}))
