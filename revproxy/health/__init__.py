"""Which endpoints should get nothing for a while, and how that is found out."""

from .active import ActiveHealth
from .base import Await, Eject, HealthPolicy, Restore, Verdict, Verdicts
from .breaker import EndpointBreaker
from .circuit import CircuitState
from .events import (
    CircuitClosed,
    CircuitOpened,
    CircuitTried,
    EndpointAwaited,
    EndpointEjected,
    EndpointRestored,
    PanicBegan,
    PanicEnded,
)
from .outlier import OutlierDetection
from .probes import HttpProbe, Probe, ProbeFailed, TcpProbe, TlsProbe, WebSocketProbe
from .trip import Trip

__all__ = [
    "ActiveHealth",
    "Await",
    "CircuitClosed",
    "CircuitOpened",
    "CircuitState",
    "CircuitTried",
    "Eject",
    "EndpointAwaited",
    "EndpointBreaker",
    "EndpointEjected",
    "EndpointRestored",
    "HealthPolicy",
    "HttpProbe",
    "OutlierDetection",
    "PanicBegan",
    "PanicEnded",
    "Probe",
    "ProbeFailed",
    "Restore",
    "TcpProbe",
    "TlsProbe",
    "Trip",
    "Verdict",
    "Verdicts",
    "WebSocketProbe",
]
