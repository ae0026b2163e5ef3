"""What balancers have in common that choose by the hash of a key."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TypeAlias

from ..endpoint import Endpoint
from ..exchange import Exchange
from .base import Balancer, Order, Snapshot
from .keys import HashKey, client_address, hash_of

__all__ = ["Hashing", "Walk"]

Walk: TypeAlias = Callable[[int], Iterator[Endpoint]]
"""The endpoints for a hash of 64 bits, most wanted first, each once."""


class Hashing(Balancer):
    """Requests with the same key go to the same endpoint, for as long as that accepts; then to the next that the key's
    own order has. Who has no key goes anywhere, in proportion to the weights.

    ``key``: see ``balancers.keys``; by default the client's address. ``rng``: for those without a key.
    """

    def __init__(self, key: HashKey | None = None, *, rng: Random | None = None) -> None:
        self._key = client_address() if key is None else key
        self._rng = rng or Random()

    @abstractmethod
    def table(self, snapshot: Snapshot) -> Walk:
        """The walk over ``snapshot``: what takes time to build is built here."""

    def bind(self, snapshot: Snapshot) -> Order:
        walk, key, bits = self.table(snapshot), self._key, self._rng.getrandbits

        def order(exchange: Exchange) -> Iterable[Endpoint]:
            value = key(exchange)
            return walk(bits(64) if value is None else hash_of(value))

        return order
