"""Which endpoints should get nothing for a while, and how that is found out."""

from .active import ActiveHealth
from .base import Await, Eject, HealthPolicy, Restore, Verdict, Verdicts
from .events import EndpointAwaited, EndpointEjected, EndpointRestored, PanicBegan, PanicEnded
from .outlier import OutlierDetection
from .probes import HttpProbe, Probe, ProbeFailed, TcpProbe, TlsProbe, WebSocketProbe

__all__ = [
    "ActiveHealth",
    "Await",
    "Eject",
    "EndpointAwaited",
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
    "Verdict",
    "Verdicts",
    "WebSocketProbe",
]
