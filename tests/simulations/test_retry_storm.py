"""Retries while much of what is asked fails: who asks again makes it worse, unless something bounds it."""

from __future__ import annotations

import pytest

from revproxy import Handler, Pipeline
from revproxy.balancers import P2C
from revproxy.filters import Retry
from revproxy.limiters import RetryBudget
from revproxy.testing.simulate import LOST, Server, Simulation, Site, exponential, failing, simulate

from .figures import amplification, goodput

pytestmark = pytest.mark.soak

SERVERS, WORKERS, SERVICE = 3, 5, 0.1
CAPACITY = SERVERS * WORKERS / SERVICE
RATE = 0.8 * CAPACITY
BEGIN = 10.0

BOUND = 1 + 1.1 * 0.2 + 10 / RATE
"""Of the default budget, 0.2 and 10 a second: what was paid in counts for up to a tenth longer than its ``ttl``."""
NOISE = 0.03
"""Of the number of requests that come by chance in ten or twenty seconds."""


def simulated(servers: list[Server], attempts: int, *, budgeted: bool, seconds: float, seed: int = 1) -> Simulation:
    def compose(site: Site) -> Handler:
        budget = RetryBudget() if budgeted else RetryBudget(10, reserve=1e6)
        retry = Retry(attempts, per_try=0.5, budget=budget, clock=site.clock, rng=site.rng)
        return Pipeline(retry, handler=site.upstream())

    return simulate(lambda clock, rng: P2C(rng=rng), servers, rate=RATE, seconds=seconds, compose=compose, seed=seed)


@pytest.mark.parametrize("attempts", [3, 5])
def test_an_outage(attempts: int) -> None:
    """All servers lose all requests for twenty seconds. However many attempts are allowed, with the default budget the
    servers are sent 1.2 times the requests, and ten a second; without it as many times as attempts are allowed, at the
    very moment at which they are to come back."""
    lost = Server(service=exponential(SERVICE), workers=WORKERS, fails=failing(LOST, start=BEGIN, end=BEGIN + 20))
    plain, bounded = (
        simulated([lost] * SERVERS, attempts, budgeted=budgeted, seconds=BEGIN + 20) for budgeted in (False, True)
    )
    assert amplification(plain, BEGIN, BEGIN + 20) > 0.95 * attempts
    assert amplification(bounded, BEGIN, BEGIN + 20) <= BOUND + NOISE
    assert amplification(bounded, BEGIN, BEGIN + 20) > 1.2, "what the budget allows is made use of"


def test_a_server_dies_at_peak_load() -> None:
    """One of three servers is down for ten seconds, and the others have 1.2 times what they can do. Unbounded retries
    multiply that, and go on to do so when it is back: most requests fail for good, of servers that are well. With the
    default budget clients see as many failures as there must be, and five seconds after its return none."""
    servers = [Server(service=exponential(SERVICE), workers=WORKERS) for _ in range(SERVERS - 1)]
    servers.append(Server(service=exponential(SERVICE), workers=WORKERS, down=[(BEGIN, BEGIN + 10)]))
    plain, bounded = (simulated(servers, 5, budgeted=budgeted, seconds=BEGIN + 30) for budgeted in (False, True))
    assert amplification(plain, BEGIN + 5, BEGIN + 10) > 3
    assert amplification(bounded, BEGIN, BEGIN + 10) <= BOUND + NOISE
    assert amplification(bounded, BEGIN + 15, BEGIN + 30) < 1.05
    assert goodput(plain, BEGIN + 15, BEGIN + 27) < 0.5  # until the end of the load is felt
    assert goodput(bounded, BEGIN + 15, BEGIN + 30) > 0.99
