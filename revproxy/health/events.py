"""What is told of the health of endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from logging import WARNING
from typing import ClassVar

from ..events import Event

__all__ = [
    "CircuitClosed",
    "CircuitOpened",
    "CircuitTried",
    "EndpointAwaited",
    "EndpointEjected",
    "EndpointRestored",
    "PanicBegan",
    "PanicEnded",
]


@dataclass(frozen=True, slots=True)
class EndpointAwaited(Event):
    """``endpoint`` is new, and gets nothing before it has shown that it is well."""

    endpoint: str
    by: str

    def __str__(self) -> str:
        return f"{self.source}: {self.endpoint} is new, and waits for {self.by}"


@dataclass(frozen=True, slots=True)
class EndpointEjected(Event):
    """``endpoint`` gets nothing, for ``seconds`` or until it is restored (``None``)."""

    level: ClassVar[int] = WARNING

    endpoint: str
    by: str
    why: str
    seconds: float | None

    def __str__(self) -> str:
        until = "until it is restored" if self.seconds is None else f"for {self.seconds:.3g} s"
        return f"{self.source}: {self.endpoint} is ejected {until} by {self.by}: {self.why}"


@dataclass(frozen=True, slots=True)
class EndpointRestored(Event):
    """``endpoint`` takes requests again."""

    endpoint: str
    why: str

    def __str__(self) -> str:
        return f"{self.source}: {self.endpoint} is back{f': {self.why}' if self.why else ''}"


@dataclass(frozen=True, slots=True)
class PanicBegan(Event):
    """Of ``members`` only ``well`` are left, fewer than the declared share: it does not count from now on who is
    ejected, for the few would break under the load of all."""

    level: ClassVar[int] = WARNING

    well: int
    members: int

    def __str__(self) -> str:
        return f"{self.source}: only {self.well} of {self.members} endpoints are well: all are used"


@dataclass(frozen=True, slots=True)
class PanicEnded(Event):
    """Enough are well again for those that are ejected to get nothing."""

    well: int
    members: int

    def __str__(self) -> str:
        return f"{self.source}: {self.well} of {self.members} endpoints are well: the others are left out again"


@dataclass(frozen=True, slots=True)
class CircuitOpened(Event):
    """The circuit breaker ``source`` lets nothing through for ``seconds``."""

    level: ClassVar[int] = WARNING

    why: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.source}: the circuit is open for {self.seconds:.3g} s: {self.why}"


@dataclass(frozen=True, slots=True)
class CircuitTried(Event):
    """It is half open: some are let through again."""

    def __str__(self) -> str:
        return f"{self.source}: the circuit is half open"


@dataclass(frozen=True, slots=True)
class CircuitClosed(Event):
    """The circuit breaker ``source``, or that of an endpoint, lets all through again; for ``seconds`` it had not."""

    why: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.source}: the circuit is closed again after {self.seconds:.3g} s: {self.why}"
