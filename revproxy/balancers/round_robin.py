"""Smooth weighted round robin."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from math import gcd

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order, Snapshot

__all__ = ["RoundRobin"]

_MAX_PERIOD = 65536


class RoundRobin(Balancer):
    """Each endpoint in turn, in proportion to its weight, and spread: weights 5, 1, 1 give a a b a c a a.

    nginx's algorithm (commit 52327e0627f4, 2012): add to every endpoint's current value its weight, take the one with
    the highest, subtract the sum of weights from it. The sequence repeats after the sum of weights divided by their
    greatest common divisor; it is worked out once per change of membership, so that a choice costs the same for any
    number of endpoints. An endpoint that does not accept passes its turn to those after it in the sequence.

    Raises ``ValueError`` when bound to weights whose sequence is longer than 65,536 turns.
    """

    def __init__(self) -> None:
        self._turns = count()  # goes on through changes of membership, which else would all begin with the same one

    def bind(self, snapshot: Snapshot) -> Order:
        sequence = _sequence(snapshot.endpoints)
        members, period, turns = len(snapshot.endpoints), len(sequence), self._turns

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            start = next(turns) % period
            first = sequence[start]
            yield first
            # Only now is the rest of interest, and worth its cost.
            seen = {first}
            for step in range(1, period):
                if len(seen) == members:
                    return
                endpoint = sequence[(start + step) % period]
                if endpoint not in seen:
                    seen.add(endpoint)
                    yield endpoint

        return order


def _sequence(endpoints: tuple[Endpoint, ...]) -> list[Endpoint]:
    weights = [endpoint.weight for endpoint in endpoints]
    divisor = gcd(*weights)
    weights = [weight // divisor for weight in weights]
    total = sum(weights)
    if total == len(weights):
        return list(endpoints)
    if total > _MAX_PERIOD:
        raise ValueError(f"weights: the sequence of {total} turns is longer than {_MAX_PERIOD}; use rounder weights")
    current = [0] * len(weights)
    sequence: list[Endpoint] = []
    for _ in range(total):
        current = [value + weight for value, weight in zip(current, weights, strict=True)]
        best = max(range(len(current)), key=current.__getitem__)
        current[best] -= total
        sequence.append(endpoints[best])
    return sequence
