"""Balancers order endpoints; the upstream decides."""

from . import keys
from .base import Balancer, Order, Snapshot
from .bounded import Bounded
from .ewma import PeakEwma, ResponseTime
from .first import First
from .hashing import Hashing
from .least import Least
from .load import Cost, InFlight, Load
from .maglev import Maglev
from .p2c import P2C
from .power_of_d import PowerOfD
from .random import WeightedRandom
from .rendezvous import Rendezvous
from .ring import Ring
from .round_robin import RoundRobin

__all__ = [
    "P2C",
    "Balancer",
    "Bounded",
    "Cost",
    "First",
    "Hashing",
    "InFlight",
    "Least",
    "Load",
    "Maglev",
    "Order",
    "PeakEwma",
    "PowerOfD",
    "Rendezvous",
    "ResponseTime",
    "Ring",
    "RoundRobin",
    "Snapshot",
    "WeightedRandom",
    "keys",
]
