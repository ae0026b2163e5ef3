"""Balancers order endpoints; the upstream decides."""

from . import keys
from .base import Balancer, Order, Snapshot
from .bounded import Bounded
from .ewma import PeakEwma, ResponseTime
from .first import First
from .hashing import Hashing
from .least import Least
from .load import Cost, InFlight, Load
from .locality import Locality
from .maglev import Maglev
from .p2c import P2C
from .places import ByClient, InOrder, Nearest, PlaceCost
from .power_of_d import PowerOfD
from .priorities import Priorities
from .random import WeightedRandom
from .rendezvous import Rendezvous
from .ring import Ring
from .round_robin import RoundRobin

__all__ = [
    "P2C",
    "Balancer",
    "Bounded",
    "ByClient",
    "Cost",
    "First",
    "Hashing",
    "InFlight",
    "InOrder",
    "Least",
    "Load",
    "Locality",
    "Maglev",
    "Nearest",
    "Order",
    "PeakEwma",
    "PlaceCost",
    "PowerOfD",
    "Priorities",
    "Rendezvous",
    "ResponseTime",
    "Ring",
    "RoundRobin",
    "Snapshot",
    "WeightedRandom",
    "keys",
]
