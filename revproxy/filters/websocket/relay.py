"""A tunnel whose messages are looked at: it stands between the client's connection and the upstream's tunnel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Literal, cast

from ...clock import Clock, Timer
from ...errors import ClientDisconnected, MessageRefused, Phase, ProxyError, TunnelLost
from ...exchange import Exchange
from ...security_log import Refusals
from ...tunnel import Tunnel
from .codes import BAD_GATEWAY, INTERNAL_ERROR
from .endings import Ending
from .lane import Lane
from .port import Port

__all__ = ["Relay"]

_HIGH_WATER: Final = 65536
"""Bytes that wait for the client before the upstream is not read any more."""
_PATIENCE: Final = 2.0
"""Seconds that both sides have to answer a Close of the relay's, before their connections are closed."""


class Relay(asyncio.Protocol):
    """See ``Tunnel``. Made for ``tunnel``, which the wire has verified; it is the protocol of the client's connection,
    and for ``tunnel`` a ``Port`` stands in that connection's place. ``up`` and ``down`` go between them."""

    protocol: str = "websocket"

    def __init__(
        self, tunnel: Tunnel, exchange: Exchange, up: Lane, down: Lane, refusals: Refusals, clock: Clock
    ) -> None:
        self._tunnel = tunnel
        self._exchange = exchange
        self._up, self._down = up, down
        self._refusals = refusals
        self._clock = clock
        up.judge = down.judge = self
        up.back, down.back = down, up
        self._client: asyncio.Transport = cast(asyncio.Transport, None)
        self._port: Port = cast(Port, None)
        self._timer: Timer | None = None
        self._sent = 0
        self._messages = 0, 0
        self._state: Literal["new", "open", "over"] = "new"
        self._begun = False
        self._upstream_blocked = False
        self._failed = self._waits = False
        """Both sides were sent a Close by the relay; and are waited for."""
        self._over = False
        """The tunnel is: the client's connection is to be closed when it has all that it should."""
        self._lost = self._told = False
        """The client's connection is no more; and the tunnel was told so."""
        self._loss: Exception | None = None
        self._passed: set[Lane] = set()
        """Whose end was passed on."""
        self._unfinished: ProxyError | None = None
        self.error: ProxyError | None = None
        """How it broke."""

    @property
    def sent(self) -> int:
        return self._sent

    @property
    def received(self) -> int:
        return self._tunnel.received

    async def join(
        self,
        client: asyncio.Transport,
        early: bytes,
        lost: Callable[[Exception | None], None],
        *,
        blocked: bool = False,
    ) -> ProxyError | None:
        self._client = client
        self._port = port = Port(self, client)
        up, down = self._up, self._down
        up.pause, up.resume = self._pause_client, self._resume_client
        down.pause, down.resume = self._pause_upstream, self._resume_upstream
        down.blocked = blocked
        up.write, down.write = self._write_upstream, client.write
        client.set_protocol(self)
        client.set_write_buffer_limits(_HIGH_WATER)
        self._state = "open"
        if early:
            self.data_received(early)  # kept until there is somebody to write it to
        asyncio.get_running_loop().call_soon(self._begin)
        try:
            error = await self._tunnel.join(port, b"", lost)
        finally:
            self._end()
        return self.error or error or self._unfinished

    def _begin(self) -> None:
        """The upstream's tunnel has taken the port."""
        if self._state == "open" and not self._over:
            self._begun = True
            self.upstream_blocked(self._upstream_blocked)

    def _end(self) -> None:
        self._state = "over"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._messages = self._up.passage.messages, self._down.passage.messages
        self._up.detach()
        self._down.detach()
        self._passed.clear()
        del self._up, self._down, self._exchange  # circles
        self._leave()

    def drain(self, code: int) -> None:
        self._tunnel.drain(code)

    def finish(self, error: ProxyError | None = None) -> None:
        self._tunnel.finish(error)

    def close(self) -> None:
        self._tunnel.close()

    # Called by the client's transport.

    def data_received(self, data: bytes) -> None:
        if self._state == "open":
            self._sent += len(data)
            self._up.feed(data)

    def eof_received(self) -> bool:
        """Whether the other direction goes on, which it does not over TLS."""
        if self._state != "open":
            return False
        self._up.ended = True
        self._up.run()
        return self._client.can_write_eof() and not self._over

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost, self._loss = True, exc
        if self._state == "open":
            self._down.stop()
            self._up.ended = True
            if not self._over and self._up not in self._passed:
                self._up.run()  # what is on its way goes on first
                return
        self._tell_lost()

    def pause_writing(self) -> None:
        if self._state == "open":
            self._down.blocked = True
            self._down.run()

    def resume_writing(self) -> None:
        if self._state == "open":
            self._down.blocked = False
            self._down.run()

    # Called by the port.

    @property
    def held(self) -> int:
        if self._state != "open":
            return 0
        return self._client.get_write_buffer_size() + self._down.reader.held + self._up.reader.held

    def from_upstream(self, data: bytes) -> None:
        if self._state == "open":
            self._down.feed(data)

    def upstream_ended(self) -> None:
        if self._state == "open":
            self._down.ended = True
            self._down.run()

    def upstream_blocked(self, blocked: bool) -> None:
        self._upstream_blocked = blocked
        if self._state == "open" and self._begun:
            self._up.blocked = blocked
            self._up.run()

    def over(self) -> None:
        self._over = True
        if self._state != "open":
            return
        self._up.stop()
        if self._lost:
            asyncio.get_running_loop().call_soon(self._tell_lost)  # not in the middle of what the tunnel does
        else:
            self._down.ended = True
            self._down.run()

    def cut(self) -> None:
        self._over = True
        if self._state == "open":
            self._up.stop()
            self._down.stop()
        if self._lost:
            asyncio.get_running_loop().call_soon(self._tell_lost)
        else:
            self._client.abort()

    # Told by the lanes.

    def settled(self, lane: Lane) -> None:
        up, down = self._up, self._down
        if lane.is_drained and lane not in self._passed:
            self._passed.add(lane)
            if lane is up:
                self._pass_clients_end()
            else:
                self._pass_upstreams_end()
        if self._waits and _is_done(up) and _is_done(down):
            self._wait_no_more()
        if self._over and down.is_drained and not (self._waits and not _is_done(up)):
            self._close_client()

    def judged(self, lane: Lane, ending: Ending) -> bool:
        """End it: a Close to each side. What both send is read on, and dropped, until they have answered: were a
        connection closed before, what it still brings would have the kernel reset it, and the Close be lost."""
        error, refusals = ending.error, self._refusals
        if isinstance(error, MessageRefused) and (ending.shadowed or not refusals.shadow):
            try:
                refusals.refuse(self._exchange, error, detail=str(error))
            except MessageRefused:
                pass
            else:
                return True
        self.error = self.error or error
        lane.back.send_close(ending.code, ending.reason)
        lane.send_close(ending.other)
        if not (self._failed or self._over):
            self._failed = self._waits = True
            self._timer = self._clock.call_later(_PATIENCE, self._out_of_patience)
            lane.back.run()
        return False

    def _out_of_patience(self) -> None:
        self._wait_no_more()
        self._down.run()

    def _wait_no_more(self) -> None:
        self._waits = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        asyncio.get_running_loop().call_soon(self._tunnel.finish)  # not in the middle of what the tunnel does

    # Ends.

    def _pass_clients_end(self) -> None:
        up = self._up
        if not (up.shut or up.reader.closed):
            if up.reader.amid:
                self._unfinished = ClientDisconnected("the client ended in the middle of a message")
                self._unfinished.phase = Phase.TUNNEL
            up.send_close(INTERNAL_ERROR)
        if self._lost:
            self._tell_lost()
        elif not self._over:
            self._port.end.eof_received()

    def _pass_upstreams_end(self) -> None:
        down, client = self._down, self._client
        if not (down.shut or down.reader.closed):
            if down.reader.amid:
                self._unfinished = TunnelLost("the upstream ended in the middle of a message")
            if self._up.ended:
                down.stop()
            else:
                down.send_close(BAD_GATEWAY)
        if not (self._over or self._lost or client.is_closing()) and client.can_write_eof():
            try:
                client.write_eof()
            except OSError:
                pass  # it is lost, which is told in its turn

    def _close_client(self) -> None:
        if not (self._lost or self._client.is_closing()):  # a second close() breaks asyncio's TLS
            self._client.close()

    def _tell_lost(self) -> None:
        if not self._told:
            self._told = True
            self._port.end.connection_lost(self._loss)
            self._leave()

    def _leave(self) -> None:
        if self._told and self._state == "over":
            self._port.leave()

    # Pace.

    def _write_upstream(self, data: bytes) -> None:
        self._port.end.data_received(data)

    def _pause_client(self) -> None:
        if not self._client.is_closing():
            self._client.pause_reading()

    def _resume_client(self) -> None:
        if not self._client.is_closing():
            self._client.resume_reading()

    def _pause_upstream(self) -> None:
        if not self._told:  # else the tunnel may have ended, and is taken apart
            self._port.end.pause_writing()

    def _resume_upstream(self) -> None:
        if not self._told:
            self._port.end.resume_writing()

    def __repr__(self) -> str:
        state = "closing" if self._state == "open" and (self._failed or self._over) else self._state
        up, down = self._messages if self._state == "over" else (self._up.passage.messages, self._down.passage.messages)
        return f"<Relay {state} sent={self.sent} received={self.received}, messages: {up} up, {down} down>"


def _is_done(lane: Lane) -> bool:
    """Its source has sent its Close, or will send nothing more."""
    return lane.ended or (lane.reader.closed and not lane.reader.is_lost)
