"""The connections of one endpoint: last used first, bounded in number, in age, and in how many may wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ..clock import Clock, Timer
from ..endpoint import Endpoint
from ..errors import ConnectFailed, QueueFull, QueueTimeout
from .connection import Connection
from .deadline import NEVER
from .dial import dial
from .settings import Limits, Timeouts, Tls
from .tunnel import WireTunnel

__all__ = ["Pool"]


class Pool:
    """Hands out connections to one endpoint, opens them when needed, and takes them back.

    A waiting request is given either a connection or the place of one that was closed, first come, first served.
    """

    def __init__(
        self, endpoint: Endpoint, *, tls: Tls | None, timeouts: Timeouts, limits: Limits, clock: Clock
    ) -> None:
        self._endpoint = endpoint
        self._tls = tls
        self._timeouts = timeouts
        self._limits = limits
        self._clock = clock
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: Timer | None = None
        self._tunnels: set[WireTunnel] = set()
        self._handshakes = 0
        self._retired = self._closed = False

    def take(self, now: float) -> Connection | None:
        """An idle connection, the last used first, or ``None``."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.closed and now - connection.born < self._limits.lifetime:
                return connection
            connection.close()
        return None

    async def acquire(self, deadline: float = NEVER) -> Connection:
        """A connection: an idle one, a new one, or the next that becomes free, until ``deadline``.

        Raises ``QueueFull``, ``QueueTimeout``, or what ``dial`` raises.
        """
        now = self._clock.now()
        while (connection := self.take(now)) is None:
            if self._open < self._limits.connections:
                self._open += 1
                break
            connection = await self._wait(min(self._limits.wait, max(deadline - now, 0.0)))
            now = self._clock.now()
            if connection is None:
                break
            if not connection.closed:  # else it was lost on its way here
                return connection
        if connection is not None:
            return connection
        try:
            timeout = min(self._timeouts.connect, max(deadline - now, 0.0))
            connection = await dial(self._endpoint, self._new_connection, tls=self._tls, timeout=timeout)
            if connection.closed:
                raise ConnectFailed(f"{self._endpoint.name}: the connection was closed at once")
        except BaseException:
            self._free_place()
            raise
        # Only now does its end free the place: until here that was ours to do.
        connection.on_lost = self._forget
        return connection

    def _new_connection(self) -> Connection:
        return Connection(
            timeouts=self._timeouts,
            limits=self._limits,
            clock=self._clock,
            on_free=self._take_back,
        )

    async def _wait(self, seconds: float) -> Connection | None:
        """A connection, or ``None``: a place for a new one, already counted."""
        if len(self._waiting) >= self._limits.waiting:
            busy = f"{self._open} connections busy, {len(self._waiting)} requests waiting"
            raise QueueFull(f"{self._endpoint.name}: {busy}")
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        timer = self._clock.call_later(seconds, partial(self._expire, waiter, seconds))
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # It was given something just before it was cancelled: the next in line gets it.
                connection = waiter.result()
                if connection is None:
                    self._free_place()
                elif not connection.closed:
                    self._take_back(connection)
            raise
        finally:
            timer.cancel()
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _expire(self, waiter: asyncio.Future[Connection | None], seconds: float) -> None:
        if not waiter.done():
            waiter.set_exception(QueueTimeout(f"{self._endpoint.name}: no free connection in {seconds:.3g} s"))

    def _next_waiting(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _free_place(self) -> None:
        """A counted place is not used any more."""
        waiter = None if self._closed else self._next_waiting()
        if waiter is None:
            self._open -= 1
        else:
            waiter.set_result(None)

    def _take_back(self, connection: Connection) -> None:
        if self._closed:
            connection.close()
            return
        if self._waiting:
            if connection.free_since - connection.born >= self._limits.lifetime:
                connection.close()  # its place is for whoever waits
                return
            waiter = self._next_waiting()
            if waiter is not None:
                waiter.set_result(connection)
                return
        if self._retired:
            connection.close()
            return
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._clock.call_later(self._limits.idle, self._sweep)

    def _forget(self, connection: Connection) -> None:
        try:
            self._idle.remove(connection)
        except ValueError:
            pass
        self._free_place()

    def _sweep(self) -> None:
        """Close what has been idle for too long; the oldest stand in front."""
        self._sweeper = None
        idle, now = self._idle, self._clock.now()
        while idle and (idle[0].closed or now - idle[0].free_since >= self._limits.idle):
            idle.popleft().close()
        if idle:
            left = idle[0].free_since + self._limits.idle - now
            self._sweeper = self._clock.call_later(max(left, 0.001), self._sweep)

    # What has left HTTP is no connection of the pool any more.

    @contextmanager
    def handshake(self) -> Iterator[None]:
        """Keeps a place for a tunnel while one is asked for. Raises ``QueueFull`` if there is none."""
        if len(self._tunnels) + self._handshakes >= self._limits.tunnels:
            raise QueueFull(f"{self._endpoint.name}: as many tunnels as there may be, {self._limits.tunnels}")
        self._handshakes += 1
        try:
            yield
        finally:
            self._handshakes -= 1

    def adopt(self, tunnel: WireTunnel) -> None:
        """Count ``tunnel`` until it ends."""
        if self._closed:
            tunnel.close()
        elif not tunnel.has_ended:
            tunnel.on_end = self._tunnels.discard
            self._tunnels.add(tunnel)

    @property
    def is_used(self) -> bool:
        """Whether there is a connection, a tunnel, or somebody who waits for one."""
        return bool(self._open or self._waiting or self._tunnels or self._handshakes)

    def retire(self) -> None:
        """Keep no connection that nobody uses, from now on. Who has asked for one still gets it."""
        self._retired = True
        self._close_idle()

    def _close_idle(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Close the idle connections now, those in use when their exchange ends, and cut what tunnels are left; nobody
        waits any more."""
        self._closed = True
        for tunnel in list(self._tunnels):
            tunnel.close()
        self._close_idle()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(QueueFull(f"{self._endpoint.name}: shutting down"))

    def __repr__(self) -> str:
        tunnels = f" tunnels={len(self._tunnels)}" if self._tunnels else ""
        return (
            f"<Pool {self._endpoint.name} open={self._open}/{self._limits.connections}"
            f" idle={len(self._idle)} waiting={len(self._waiting)}{tunnels}>"
        )
