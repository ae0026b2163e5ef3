"""How an endpoint that is new, or back, gets its share little by little."""

from __future__ import annotations

from dataclasses import dataclass

from .endpoint import Ramp

__all__ = ["SlowStart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowStart:
    """An endpoint that has joined, or was restored, gets a growing share of what its weight says: caches fill, and
    just-in-time compilers see code, before all of the load is there.

    The share is ``max(least, (t / window) ** (1 / aggression))`` after ``t`` seconds of ``window``, as Envoy has it:
    with an ``aggression`` of 1 it grows evenly, with more it grows fast at first. What an endpoint does not get goes to
    the next in its balancer's order, so it holds for every balancer.

    Raises ``ValueError`` that names the parameter and its value.
    """

    window: float = 30.0
    aggression: float = 1.0
    least: float = 0.1

    def __post_init__(self) -> None:
        for name, value in (("window", self.window), ("aggression", self.aggression)):
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite, got {value}")
        if not 0 < self.least <= 1:
            raise ValueError(f"least must be above 0 and at most 1, got {self.least}")

    def since(self, start: float) -> Ramp:
        """The shares from the monotonic time ``start`` on."""
        return lambda now: self.share(now - start)

    def share(self, seconds: float) -> float:
        """The share after ``seconds``, of 1."""
        if seconds >= self.window:
            return 1.0
        share: float = (max(seconds, 0.0) / self.window) ** (1 / self.aggression)
        return max(self.least, share)
