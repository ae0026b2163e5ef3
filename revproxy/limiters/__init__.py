"""How much is let in: by requests in flight, by how they fare, by the event loop, by bytes."""

from .base import Limit
from .body_budget import BodyBudget
from .endpoints import EndpointLimits
from .fixed import Fixed
from .gradient import Gradient
from .loop_lag import LoopLag
from .priority import Priority
from .queue import CLASSES
from .retry_budget import RetryBudget
from .shedding import SheddingBegan, SheddingEnded

__all__ = [
    "CLASSES",
    "BodyBudget",
    "EndpointLimits",
    "Fixed",
    "Gradient",
    "Limit",
    "LoopLag",
    "Priority",
    "RetryBudget",
    "SheddingBegan",
    "SheddingEnded",
]
