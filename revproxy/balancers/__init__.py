"""Balancers order endpoints; the upstream decides."""

from .base import Balancer, Order, Snapshot
from .p2c import P2C
from .round_robin import RoundRobin

__all__ = ["P2C", "Balancer", "Order", "RoundRobin", "Snapshot"]
