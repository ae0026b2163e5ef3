"""How much is let in: by requests in flight, by how they fare, by the event loop, by bytes, by time."""

from .base import Limit
from .body_budget import BodyBudget
from .endpoints import EndpointLimits
from .fixed import Fixed
from .gcra import Gcra
from .gradient import Gradient
from .limiter import Limiter, LimiterKey, Verdict
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
    "Gcra",
    "Gradient",
    "Limit",
    "Limiter",
    "LimiterKey",
    "LoopLag",
    "Priority",
    "RetryBudget",
    "SheddingBegan",
    "SheddingEnded",
    "Verdict",
]
