"""Maglev hashing."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from random import Random

from ..endpoint import Endpoint
from .base import Snapshot
from .hashing import Hashing, Walk
from .keys import HashKey, hash_of

__all__ = ["Maglev"]


class Maglev(Hashing):
    """Maglev's table (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section
    3.4): nearly even shares, one look-up a choice, and few keys that move when membership changes.

    ``size``: entries of the table, a prime; at least a hundred times the endpoints keeps shares within about one per
    cent. Weights are shares of the entries: an endpoint of weight *w* has its turn *w* times as often.

    The table is built from the endpoints' URLs alone: proxies that know the same endpoints choose the same, whatever
    the order in which they learnt of them. Raises ``ValueError`` for a size that is no prime, or below the number of
    endpoints when it is bound.
    """

    def __init__(self, key: HashKey | None = None, *, size: int = 65537, rng: Random | None = None) -> None:
        super().__init__(key, rng=rng)
        if not _is_prime(size):
            raise ValueError(f"size must be a prime, got {size}")
        self._size = size

    def table(self, snapshot: Snapshot) -> Walk:
        endpoints, size = snapshot.endpoints, self._size
        if len(endpoints) == 1:
            return lambda hashed: iter(endpoints)
        if len(endpoints) > size:
            raise ValueError(f"size: {size} entries are too few for {len(endpoints)} endpoints")
        entries = _fill(endpoints, size)
        count = len(endpoints)

        def walk(hashed: int) -> Iterator[Endpoint]:
            at = hashed % size
            first = entries[at]
            yield endpoints[first]
            # The next in the table; of many endpoints few are in a stretch of it, so the stretch is walked by a step of
            # the key's own, which the prime size makes pass every entry.
            seen, step = {first}, 1 + (hashed >> 32) % (size - 1)
            for _ in range(size):
                at = (at + step) % size
                index = entries[at]
                if index not in seen:
                    seen.add(index)
                    yield endpoints[index]
                    if len(seen) == count:
                        return

        return walk

    def __repr__(self) -> str:
        return "Maglev()" if self._size == 65537 else f"Maglev(size={self._size})"


def _fill(endpoints: tuple[Endpoint, ...], size: int) -> array[int]:
    """The table: for every entry the index of its endpoint."""
    # By name, so that the order of the endpoints means nothing.
    ranked = sorted(range(len(endpoints)), key=lambda index: endpoints[index].identity)
    heaviest = max(endpoint.weight for endpoint in endpoints)
    offsets, skips, credits, weights = [], [], [], []
    for index in ranked:
        name = endpoints[index].identity
        offsets.append(hash_of(name + "#offset") % size)
        skips.append(hash_of(name + "#skip") % (size - 1) + 1)
        weights.append(endpoints[index].weight)
        credits.append(0)
    entries = array("i", [-1]) * size
    left = size
    while True:
        for rank, index in enumerate(ranked):
            credits[rank] += weights[rank]
            if credits[rank] < heaviest:
                continue
            credits[rank] -= heaviest
            at, skip = offsets[rank], skips[rank]
            while entries[at] >= 0:
                at += skip
                if at >= size:
                    at -= size
            entries[at] = index
            at += skip
            offsets[rank] = at - size if at >= size else at
            left -= 1
            if not left:
                return entries


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
