"""WebSockets as messages: shown to functions, counted and bounded, where the proxy else passes on bytes."""

from .limits import MessageLimits
from .passage import CloseWebSocket, Message, OnMessage, Passage, Sender, Through
from .websocket_filter import WebSocketFilter

__all__ = [
    "CloseWebSocket",
    "Message",
    "MessageLimits",
    "OnMessage",
    "Passage",
    "Sender",
    "Through",
    "WebSocketFilter",
]
