"""What looks at messages: functions, and what they are told and may say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

from ...body import Transform
from ...exchange import Exchange
from .codes import POLICY_VIOLATION, is_close_code

__all__ = ["CloseWebSocket", "Message", "OnMessage", "Passage", "Sender", "Through"]

Message: TypeAlias = str | bytes
"""A message as a whole: text or binary. Which of them it is, it stays."""

Sender: TypeAlias = Literal["client", "upstream"]

_REASON: Final = 123
"""Bytes that a Close frame has for a reason (RFC 6455 section 5.5)."""


class Passage:
    """One direction of one WebSocket: what a function is told of the message that it gets.

    ``exchange``
        The one that the WebSocket began as: who asks, what filters have found out, its id.
    ``sender``
        Who sends: ``"client"`` or ``"upstream"``.
    ``subprotocol``
        That both ends have agreed upon, if any.
    ``messages``
        How many the sender has sent so far, this one included.
    """

    __slots__ = ("exchange", "messages", "sender", "subprotocol")

    def __init__(self, exchange: Exchange, sender: Sender, subprotocol: str | None = None) -> None:
        self.exchange: Exchange = exchange
        self.sender: Sender = sender
        self.subprotocol: str | None = subprotocol
        self.messages: int = 0

    def __repr__(self) -> str:
        return f"<Passage from the {self.sender}: {self.messages} messages>"


OnMessage: TypeAlias = Callable[[Passage, Message], Message | Awaitable[Message | None] | None]
"""Is shown each message, and returns what goes on in its place: it, or another; ``None`` drops it. Sync or async."""


class CloseWebSocket(Exception):
    """Raised by a function: the message does not go on, and neither does the WebSocket. Whoever sent it gets a Close
    with ``code`` and ``reason``; the other side learns of an end only.

    Raises ``ValueError`` for a code that no Close frame may have, and for a reason of over 123 bytes in UTF-8;
    ``TypeError`` for what is no integer or text.
    """

    def __init__(self, code: int = POLICY_VIOLATION, reason: str = "") -> None:
        if not isinstance(code, int):
            raise TypeError(f"code must be an integer, got {code!r}")
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a text, got {reason!r}")
        if not is_close_code(code):
            raise ValueError(f"code must be 1000 to 1003, 1007 to 1014 or 3000 to 4999, got {code!r}")
        if len(reason.encode()) > _REASON:
            raise ValueError(f"reason must be at most {_REASON} bytes, got {len(reason.encode())}")
        super().__init__(code, reason)
        self.code: int = code
        self.reason: str = reason


class Through:
    """Has what messages say edited by a ``Transform``, as a response's body is. ::

        WebSocketFilter(Through(lambda: Upper(), sender="upstream"))

    ``make``
        Makes one, for each message anew.
    ``sender``
        Whose messages; by default both sides'.
    ``binary``
        Binary messages, too. Else they pass as they are.

    Text goes through it in UTF-8, and must come out as such; what it raises ends the WebSocket.
    """

    def __init__(self, make: Callable[[], Transform], *, sender: Sender | None = None, binary: bool = False) -> None:
        if not callable(make):
            raise TypeError(f"make: {make!r} is no function that makes a Transform")
        if sender not in (None, "client", "upstream"):
            raise ValueError(f"sender must be 'client', 'upstream' or None, got {sender!r}")
        self._make = make
        self._sender = sender
        self._binary = binary

    def __call__(self, passage: Passage, message: Message) -> Message:
        if self._sender is not None and passage.sender != self._sender:
            return message
        if isinstance(message, bytes):
            return self._edited(message) if self._binary else message
        return self._edited(message.encode()).decode()

    def _edited(self, data: bytes) -> bytes:
        transform = self._make()
        return transform.feed(data) + transform.finish()

    def __repr__(self) -> str:
        return f"Through({getattr(self._make, '__qualname__', self._make)}, sender={self._sender!r})"
