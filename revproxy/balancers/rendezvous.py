"""Rendezvous hashing: the highest random weight."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop
from math import log

from ..endpoint import Endpoint
from .base import Snapshot
from .hashing import Hashing, Walk
from .keys import hash_of

__all__ = ["Rendezvous"]

_MIX = (1 << 64) - 1


class Rendezvous(Hashing):
    """Every endpoint gets a score of the key, and the highest wins (Thaler and Ravishankar, 1998). Shares are exact for
    any weights, and an endpoint that comes or goes moves no key but its own.

    A choice looks at every endpoint: for up to some fifty of them; then ``Maglev``.
    """

    def table(self, snapshot: Snapshot) -> Walk:
        seeded = [(hash_of(each.identity), each) for each in snapshot.endpoints]

        def walk(hashed: int) -> Iterator[Endpoint]:
            # -weight / log(u) for a u of (0, 1): the shares are then those of the weights (Schindelhauer and Schomaker,
            # 2005). Negated, as the heap has the least in front.
            scores = [
                (each.weight / log((_mixed(hashed ^ seed) + 1) / (_MIX + 2)), number)
                for number, (seed, each) in enumerate(seeded)
            ]
            heapify(scores)
            while scores:
                yield seeded[heappop(scores)[1]][1]

        return walk


def _mixed(value: int) -> int:
    """The finaliser of SplitMix64 (Steele et al., 2014): every bit depends on every other."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MIX
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MIX
    return value ^ (value >> 31)
