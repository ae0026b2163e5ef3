"""An embeddable reverse proxy for aiohttp applications.

Small typed objects that are composed in code: an ``Upstream`` of endpoints, ``Rules`` that decide, filters around them,
and a ``ProxyHandler`` that mounts the whole into an ``aiohttp.web.Application``.
"""

from . import when
from .addresses import AddressPolicy
from .body import Body
from .endpoint import Endpoint
from .errors import ProxyError
from .exchange import Attempt, Exchange, Key
from .handler import Component, Filter, Handler, Pipeline
from .hiding import HideUpstream, PublicOrigin
from .message import Inbound, Request, Response
from .observer import Observer
from .paths import PathPolicy
from .proxy import ProxyHandler
from .rules import Rule, Rules, Severity, block, drop, redirect, respond, tarpit
from .slow_start import SlowStart
from .trust import TrustedProxies
from .upstream import Upstream
from .when import When
from .wire.settings import Limits, Timeouts, Tls

__all__ = [
    "AddressPolicy",
    "Attempt",
    "Body",
    "Component",
    "Endpoint",
    "Exchange",
    "Filter",
    "Handler",
    "HideUpstream",
    "Inbound",
    "Key",
    "Limits",
    "Observer",
    "PathPolicy",
    "Pipeline",
    "ProxyError",
    "ProxyHandler",
    "PublicOrigin",
    "Request",
    "Response",
    "Rule",
    "Rules",
    "Severity",
    "SlowStart",
    "Timeouts",
    "Tls",
    "TrustedProxies",
    "Upstream",
    "When",
    "block",
    "drop",
    "redirect",
    "respond",
    "tarpit",
    "when",
]
