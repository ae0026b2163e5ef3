"""An upstream before servers that are not there, on virtual time: who waits how long, who gets how much, and what
becomes of it when servers are slow, fail, come or go.

    servers = [Server(service=exponential(0.02))] * 9 + [Server(service=slow(exponential(0.02), by=10, start=20))]
    run = simulate(lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng), servers, rate=300, seconds=60)
    print(run, run.between(20, 60).percentile(99))
"""

from .arrivals import Arrivals, bursts, evenly, poisson
from .clients import Asks
from .disruption import moved
from .faults import LOST, REFUSED, SILENT, Fails, Fault, failing
from .result import Outcome, Served, Simulation
from .run import Compose, Make, simulate
from .server import Server
from .site import Site
from .times import Times, constant, exponential, pareto, slow

__all__ = [
    "LOST",
    "REFUSED",
    "SILENT",
    "Arrivals",
    "Asks",
    "Compose",
    "Fails",
    "Fault",
    "Make",
    "Outcome",
    "Served",
    "Server",
    "Simulation",
    "Site",
    "Times",
    "bursts",
    "constant",
    "evenly",
    "exponential",
    "failing",
    "moved",
    "pareto",
    "poisson",
    "simulate",
    "slow",
]
