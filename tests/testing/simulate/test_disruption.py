"""How many clients go elsewhere."""

from __future__ import annotations

import pytest

from revproxy import Endpoint
from revproxy.balancers import Maglev, Rendezvous, WeightedRandom
from revproxy.testing.simulate import moved


def test_moved() -> None:
    """When a server leaves: its own clients by a hash, nearly all by chance."""
    members = [Endpoint(f"http://10.0.0.{number}") for number in range(10)]
    assert moved(lambda clock, rng: Rendezvous(rng=rng), members, members[1:]) == pytest.approx(0.1, abs=0.02)
    assert moved(lambda clock, rng: Maglev(rng=rng), members, members[1:]) <= 0.12
    assert moved(lambda clock, rng: WeightedRandom(rng=rng), members, members[1:]) > 0.85
