"""Which endpoints should get nothing for a while, and how that is found out."""

from .base import Eject, HealthPolicy, Restore, Verdict, Verdicts
from .events import EndpointEjected, EndpointRestored, PanicBegan, PanicEnded

__all__ = [
    "Eject",
    "EndpointEjected",
    "EndpointRestored",
    "HealthPolicy",
    "PanicBegan",
    "PanicEnded",
    "Restore",
    "Verdict",
    "Verdicts",
]
