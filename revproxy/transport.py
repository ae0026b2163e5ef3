"""What sends an attempt to its endpoint. The default is the wire; tests and exotic back ends bring their own."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from .clock import Clock
from .endpoint import Endpoint
from .exchange import Attempt
from .handler import Component
from .message import Response
from .wire.deadline import NEVER
from .wire.head import request_head
from .wire.pool import Pool
from .wire.settings import Limits, Timeouts, Tls
from .wire.tunnel import WireTunnel

__all__ = ["Transport", "WireTransport"]

_log = logging.getLogger("revproxy.error")


class Transport(Protocol):
    """Sends an attempt's request to its endpoint and returns the answer.

    It sets ``attempt.sent`` before the first byte, ``attempt.status`` and ``attempt.first_byte`` with the response
    head, and ``attempt.error`` if the body fails later. What it gives to ``exchange.interim`` has passed
    ``exchange.hide`` before. It raises a ``ProxyError``; ``ConnectFailed`` promises that nothing was sent. Where the
    endpoint has a ``policy``, it connects to no address that this refuses (``AddressRefused``).
    """

    def send(self, attempt: Attempt) -> Coroutine[Any, Any, Response]: ...


class WireTransport(Component):
    """HTTP/1.1 over pooled connections, one pool an endpoint."""

    def __init__(
        self, *, tls: Tls | None, timeouts: Timeouts, limits: Limits, clock: Clock, keep_host: bool = False
    ) -> None:
        self._tls = tls
        self._keep_host = keep_host
        self._timeouts = timeouts
        self._limits = limits
        self._clock = clock
        self._pools: dict[Endpoint, Pool] = {}
        self._retired: list[Pool] = []
        self._started = False

    async def start(self) -> None:
        self._started = True

    async def send(self, attempt: Attempt) -> Response:
        return await self.dispatch(attempt)

    def dispatch(self, attempt: Attempt) -> Coroutine[Any, Any, Response]:
        """``send``, begun now: what it returns must be awaited in the same breath, for it has a connection already."""
        pool = self._pools.get(attempt.endpoint) or self._pool(attempt.endpoint)
        host = ""
        if self._keep_host:
            host = attempt.host = attempt.exchange.inbound.host
        head = request_head(attempt.request, attempt.endpoint, host)
        now, deadline, total = attempt.started, attempt.deadline, self._timeouts.total
        if deadline is None:
            deadline = NEVER
        if total is not None and now + total < deadline:
            deadline = now + total
        if attempt.request.upgrade is not None:
            return self._send_upgrade(pool, attempt, head, deadline)
        connection = pool.take(now)
        if connection is not None:
            return connection.exchange(attempt, head, now, deadline)
        return self._send_when_free(pool, attempt, head, deadline)

    async def _send_when_free(self, pool: Pool, attempt: Attempt, head: bytes, deadline: float) -> Response:
        connection = await pool.acquire(deadline)
        return await connection.exchange(attempt, head, self._clock.now(), deadline)

    async def _send_upgrade(self, pool: Pool, attempt: Attempt, head: bytes, deadline: float) -> Response:
        with pool.handshake():
            response = await self._send_when_free(pool, attempt, head, deadline)
            if isinstance(response.tunnel, WireTunnel):
                pool.adopt(response.tunnel)
        return response

    def _pool(self, endpoint: Endpoint) -> Pool:
        if not self._started:
            self._started = True  # said once
            _log.warning(
                "%s is used, but was not started: its connections will not be closed at the end. "
                "Mount the proxy, or add its lifespan to the application's cleanup_ctx",
                endpoint.name,
            )
        if self._tls is None and endpoint.secure:
            self._tls = Tls()  # reads the system's CAs, which takes a while: once
        pool = self._pools[endpoint] = Pool(
            endpoint, tls=self._tls, timeouts=self._timeouts, limits=self._limits, clock=self._clock
        )
        return pool

    def forget(self, endpoint: Endpoint) -> None:
        """``endpoint`` gets nothing more: its connections are closed as they become free, its tunnels go on."""
        pool = self._pools.pop(endpoint, None)
        self._retired = [each for each in self._retired if each.is_used]
        if pool is not None:
            pool.retire()
            self._retired.append(pool)

    async def stop(self) -> None:
        self._started = False
        for pool in (*self._pools.values(), *self._retired):
            pool.close()
        self._pools.clear()
        self._retired.clear()

    def __repr__(self) -> str:
        return f"<WireTransport {list(self._pools.values())!r}>"
