"""Filters that stand around a handler."""

from .add_prefix import AddPrefix
from .admission_control import AdmissionControl
from .allowed_hosts import AllowedHosts
from .allowed_origins import AllowedOrigins
from .chaos import Abort, Chaos, Delay, Throttle, Truncate
from .circuit_breaker import CircuitBreaker
from .concurrency_limit import ConcurrencyLimit
from .content import ContentFilter, Handling
from .cors import Cors
from .costs import Bytes, Milliseconds, Settled
from .csrf import Csrf
from .deadline import Deadline, TimeLeft
from .fail_open import FailOpen, FilterFailed
from .fallback import INSTEAD_OF, Fallback
from .geo_ip import GeoIp
from .hedge import Hedge
from .path_rewrite import PathRewrite
from .path_template import PathTemplate
from .quota import Cost, Quota
from .rate_limit import RateLimit
from .reserve_body import ReserveBody
from .retry import Retry, RetryBudgetSpent
from .security_headers import SecurityHeaders
from .set_host import SetHost
from .shed_load import ShedLoad
from .signed import Signed
from .strip_prefix import StripPrefix
from .validate import JsonLimits, Schema, ValidateRequest

__all__ = [
    "INSTEAD_OF",
    "Abort",
    "AddPrefix",
    "AdmissionControl",
    "AllowedHosts",
    "AllowedOrigins",
    "Bytes",
    "Chaos",
    "CircuitBreaker",
    "ConcurrencyLimit",
    "ContentFilter",
    "Cors",
    "Cost",
    "Csrf",
    "Deadline",
    "Delay",
    "FailOpen",
    "Fallback",
    "FilterFailed",
    "GeoIp",
    "Handling",
    "Hedge",
    "JsonLimits",
    "Milliseconds",
    "PathRewrite",
    "PathTemplate",
    "Quota",
    "RateLimit",
    "ReserveBody",
    "Retry",
    "RetryBudgetSpent",
    "Schema",
    "SecurityHeaders",
    "SetHost",
    "Settled",
    "ShedLoad",
    "Signed",
    "StripPrefix",
    "Throttle",
    "TimeLeft",
    "Truncate",
    "ValidateRequest",
]
