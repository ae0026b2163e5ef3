"""Consistent hashing with bounded loads."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange
from .base import Balancer, Order, Snapshot

__all__ = ["Bounded"]


class Bounded(Balancer):
    """``balancer``, a hashing one, but no endpoint gets more than ``factor`` times its fair share of the requests in
    flight: what is beyond goes to the next in the key's order (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing
    with Bounded Loads", 2016). A key that everybody asks for then spreads over as many endpoints as it needs.

    The share counts the request that is to be placed, and is rounded up, so that a single one always finds its place.
    A choice adds up all loads: its cost grows with the number of endpoints.
    """

    def __init__(self, balancer: Balancer, *, factor: float = 1.25) -> None:
        if not factor >= 1:
            raise ValueError(f"factor must be at least 1, got {factor}")
        self._balancer = balancer
        self._factor = factor

    def bind(self, snapshot: Snapshot) -> Order:
        inner, endpoints = self._balancer.bind(snapshot), snapshot.endpoints
        weights = sum(endpoint.weight for endpoint in endpoints)
        factor = self._factor

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            share = factor * (sum([endpoint.in_flight for endpoint in endpoints]) + 1) / weights
            full: list[Endpoint] = []
            for endpoint in inner(exchange):
                if endpoint.in_flight < ceil(share * endpoint.weight):
                    yield endpoint
                else:
                    full.append(endpoint)
            yield from full  # the others do not accept: better beyond the bound than nowhere

        return order

    @property
    def learns(self) -> bool:
        return self._balancer.learns

    def settled(self, attempt: Attempt) -> None:
        self._balancer.settled(attempt)

    def __repr__(self) -> str:
        return f"Bounded({self._balancer!r}, factor={self._factor:g})"
