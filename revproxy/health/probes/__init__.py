"""What an endpoint is asked to find out whether it is well."""

from .base import Probe, ProbeFailed
from .http import HttpProbe
from .tcp import TcpProbe
from .tls import TlsProbe
from .websocket import WebSocketProbe

__all__ = ["HttpProbe", "Probe", "ProbeFailed", "TcpProbe", "TlsProbe", "WebSocketProbe"]
