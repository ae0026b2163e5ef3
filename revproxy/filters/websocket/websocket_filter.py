"""Has WebSockets pass as messages that can be looked at, edited, refused and counted."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from inspect import signature
from typing import Any, Literal

from multidict import istr

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ProtocolError
from ...exchange import Exchange
from ...handler import Component, Handler
from ...handler import name as name_of
from ...message import Response
from ...security_log import LOGGER, Refusals, Severity
from .limits import MessageLimits
from .passage import OnMessage

__all__ = ["WebSocketFilter"]

_DEFAULT = MessageLimits()
_EXTENSIONS = istr("Sec-WebSocket-Extensions")


class WebSocketFilter(Component):
    """Has WebSockets pass as messages. Without it bytes are passed on, whatever they say. ::

        def no_orders(passage: Passage, message: Message) -> Message | None:
            if passage.sender == "client" and "order" in message:
                raise CloseWebSocket(reason="no orders here")
            return message

        ProxyHandler(chat, filters=[WebSocketFilter(no_orders, from_client=MessageLimits(size=4096, rate=10))])

    ``functions``
        Each is shown every message, of both sides, with its ``Passage``, and returns what goes on in its place;
        ``None`` drops it. The next one is shown what the one before has returned. ``Through`` makes one of a
        ``Transform``. They may be async: the sender waits, and messages stay in order. ``CloseWebSocket`` refuses, as
        does a ``ProxyError`` of the client's or of a policy (1008); whatever else one raises ends the WebSocket, too:
        1011 to both sides, and a line in the log (``MessageFailed``). The message goes nowhere then.
    ``from_client``, ``from_upstream``
        What each side may send.
    ``compress``
        Agree upon compression with clients that offer it (RFC 7692), without a context that would be kept between
        messages. The upstream's side never is compressed.
    ``controls``
        ``"relay"`` passes pings and pongs on to the other side, and with a Close its reason, as between two ends that
        nobody stands between. No function sees these up to 125 bytes. ``"answer"`` lets none of them through: pings are
        answered here, pongs dropped, and of a Close there is the code alone.
    ``severity``, ``name``, ``logger``, ``fold``
        Of what is refused, for the security log: see ``Rules``; ``None``: nothing is logged.
    ``shadow``
        Refuses nothing by a rate or by ``CloseWebSocket``, but logs what it would have refused. Sizes hold.

    What is held of a WebSocket is one message for each direction, a buffer of 64 KiB for each side, and what was last
    read. The upstream's answer must not agree to an extension, since none was offered: 502 (``ProtocolError``). Other
    protocols than WebSocket pass by.

    Needs the extra ``websocket``. Raises ``ImportError`` without it, ``TypeError`` and ``ValueError`` that name the
    parameter and its value.
    """

    guards = True

    def __init__(
        self,
        *functions: OnMessage,
        from_client: MessageLimits = _DEFAULT,
        from_upstream: MessageLimits = _DEFAULT,
        compress: bool = False,
        controls: Literal["relay", "answer"] = "relay",
        severity: Severity | None = Severity.WARNING,
        shadow: bool = False,
        name: str = "WebSocket messages",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        for function in functions:
            _check(function)
        for parameter, limits in (("from_client", from_client), ("from_upstream", from_upstream)):
            if not isinstance(limits, MessageLimits):
                raise TypeError(f"{parameter}: {limits!r} is no MessageLimits")
        if controls not in ("relay", "answer"):
            raise ValueError(f"controls must be 'relay' or 'answer', got {controls!r}")
        try:
            from .making import Making
        except ImportError as error:
            raise ImportError("WebSocketFilter needs wsproto: pip install 'aiohttp-revproxy[websocket]'") from error
        self.functions: tuple[OnMessage, ...] = functions
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)
        self._making = Making(
            functions, from_client, from_upstream, compress, controls == "relay", self._refusals, clock
        )

    @property
    def refused(self) -> int:
        """How many WebSockets were ended for a limit or by ``CloseWebSocket``, ever; in shadow, how many messages would
        have been refused."""
        return self._refusals.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if (exchange.request.upgrade or "").lower() != "websocket":
            return handler(exchange)
        return self._relayed(exchange, handler)

    async def _relayed(self, exchange: Exchange, handler: Handler) -> Response:
        offers = exchange.request.headers.popall(_EXTENSIONS, [])
        response = await handler(exchange)
        tunnel = response.tunnel
        if tunnel is None or tunnel.protocol != "websocket":
            return response
        if _EXTENSIONS in response.headers:
            tunnel.close()
            raise ProtocolError("101 with an extension that was not offered")
        response.tunnel = self._making.relay(exchange, response, tunnel, offers)
        return response

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        return f"WebSocketFilter({', '.join(map(name_of, self.functions))})"


def _check(function: object) -> None:
    if isinstance(function, Component):
        has = f"; {type(function).__name__} has `.message` for this" if hasattr(function, "message") else ""
        raise TypeError(f"functions: {function!r} is a filter, not a function of a passage and a message{has}")
    if not callable(function):
        raise TypeError(f"functions: {function!r} is no function of a passage and a message")
    if isinstance(function, type):
        raise TypeError(f"functions: {function.__name__} is a class: call it")
    try:
        shape = signature(function)
    except (TypeError, ValueError):  # of what is written in C
        return
    try:
        shape.bind(None, None)
    except TypeError:
        raise TypeError(
            f"functions: {name_of(function)} must take two arguments, a passage and a message, and takes {shape}"
        ) from None
