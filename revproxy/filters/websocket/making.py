"""What the relay of one WebSocket is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from multidict import istr
from wsproto.frame_protocol import FrameProtocol

from ...clock import Clock
from ...exchange import Exchange
from ...message import Response
from ...security_log import Refusals
from ...tunnel import Tunnel
from .deflate import Deflate, accepted
from .lane import Lane
from .limits import MessageLimits
from .passage import OnMessage, Passage, Sender
from .reader import Reader
from .relay import Relay

__all__ = ["Making"]

_EXTENSIONS = istr("Sec-WebSocket-Extensions")
_PROTOCOL = istr("Sec-WebSocket-Protocol")


@dataclass(frozen=True, slots=True)
class Making:
    """Makes relays: the settings of a ``WebSocketFilter``."""

    functions: Sequence[OnMessage]
    from_client: MessageLimits
    from_upstream: MessageLimits
    compress: bool
    relays_controls: bool
    refusals: Refusals
    clock: Clock

    def relay(self, exchange: Exchange, response: Response, tunnel: Tunnel, offers: Sequence[str]) -> Relay:
        """A relay before ``tunnel``. ``offers``: the extensions that the client offers, of which ``response`` then says
        what was agreed upon."""
        agreed = accepted(offers, self.from_client.size) if self.compress else None
        deflate: Deflate | None = None
        if agreed is not None:
            response.headers[_EXTENSIONS], deflate = agreed
        subprotocol = response.headers.get(_PROTOCOL)
        up = self._lane(exchange, "client", subprotocol, read=deflate, written=None)
        down = self._lane(exchange, "upstream", subprotocol, read=None, written=deflate)
        return Relay(tunnel, exchange, up, down, self.refusals, self.clock)

    def _lane(
        self,
        exchange: Exchange,
        sender: Sender,
        subprotocol: str | None,
        *,
        read: Deflate | None,
        written: Deflate | None,
    ) -> Lane:
        from_client = sender == "client"
        limits = self.from_client if from_client else self.from_upstream
        return Lane(
            Passage(exchange, sender, subprotocol),
            Reader(from_client=from_client, limit=limits.size, deflate=read),
            FrameProtocol(client=from_client, extensions=[] if written is None else [written]),
            self.functions,
            limits,
            self.clock,
            relays_controls=self.relays_controls,
        )
