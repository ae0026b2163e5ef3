"""How many clients go elsewhere when members change."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from ...balancers import Snapshot
from ...endpoint import Endpoint
from ..clock import FakeClock
from .clients import clients
from .run import Make

__all__ = ["moved"]


def moved(make: Make, before: Sequence[Endpoint], after: Sequence[Endpoint], *, keys: int = 10_000) -> float:
    """The share of ``keys`` clients that go elsewhere when the members change from ``before`` to ``after``."""
    balancer = make(FakeClock(), Random(1))
    subjects = [client.ask(1000.0) for client in clients(range(keys))]
    old = balancer.bind(Snapshot(tuple(before)))
    chosen = [next(iter(old(subject))) for subject in subjects]
    new = balancer.bind(Snapshot(tuple(after)))
    return sum(next(iter(new(each))) is not was for each, was in zip(subjects, chosen, strict=True)) / keys
