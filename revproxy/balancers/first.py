"""Ordered fallback."""

from __future__ import annotations

from .base import Balancer, Order, Snapshot

__all__ = ["First"]


class First(Balancer):
    """The endpoints in the order in which they were named: the second gets something only while the first does not
    accept. Weights mean nothing."""

    def bind(self, snapshot: Snapshot) -> Order:
        endpoints = snapshot.endpoints
        return lambda exchange: endpoints
