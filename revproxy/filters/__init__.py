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
from .error_pages import DebugPages, DebugPageShown, ErrorPages, Page, PageFailed, PageFrom
from .fail_open import FailOpen, FilterFailed
from .fallback import INSTEAD_OF, Fallback
from .geo_ip import GeoIp
from .hedge import Hedge
from .json_fields import JsonFields
from .path_rewrite import PathRewrite
from .path_template import PathTemplate
from .quota import Cost, Quota
from .rate_limit import RateLimit
from .redact import Redact
from .reserve_body import ReserveBody
from .retry import Retry, RetryBudgetSpent
from .security_headers import SecurityHeaders
from .set_host import SetHost
from .shed_load import ShedLoad
from .signed import Signed
from .strip_prefix import StripPrefix
from .transform import DROP, KEEP, MapJson, ReplaceBytes, ReplaceText, TransformContent
from .validate import HeaderRules, JsonLimits, Schema, ValidateRequest, ValidateResponse
from .websocket import CloseWebSocket, MessageLimits, Passage, Through, WebSocketFilter

__all__ = [
    "DROP",
    "INSTEAD_OF",
    "KEEP",
    "Abort",
    "AddPrefix",
    "AdmissionControl",
    "AllowedHosts",
    "AllowedOrigins",
    "Bytes",
    "Chaos",
    "CircuitBreaker",
    "CloseWebSocket",
    "ConcurrencyLimit",
    "ContentFilter",
    "Cors",
    "Cost",
    "Csrf",
    "Deadline",
    "DebugPageShown",
    "DebugPages",
    "Delay",
    "ErrorPages",
    "FailOpen",
    "Fallback",
    "FilterFailed",
    "GeoIp",
    "Handling",
    "HeaderRules",
    "Hedge",
    "JsonFields",
    "JsonLimits",
    "MapJson",
    "MessageLimits",
    "Milliseconds",
    "Page",
    "PageFailed",
    "PageFrom",
    "Passage",
    "PathRewrite",
    "PathTemplate",
    "Quota",
    "RateLimit",
    "Redact",
    "ReplaceBytes",
    "ReplaceText",
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
    "Through",
    "TimeLeft",
    "TransformContent",
    "Truncate",
    "ValidateRequest",
    "ValidateResponse",
    "WebSocketFilter",
]
