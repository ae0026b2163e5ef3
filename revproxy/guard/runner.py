"""A runner of aiohttp's whose server holds clients to deadlines and caps."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from aiohttp import web

from .._aiohttp_server import WatchedHandler, Watcher, watch_server
from ..clock import SYSTEM_CLOCK, Clock
from ..handler import started
from ..observer import Observer, hooks
from .door import Door, Ticket
from .ledger import Ledger
from .settings import Guard
from .watch import Watch

__all__ = ["GuardedRunner"]

_OPTIONS = frozenset(inspect.signature(web.RequestHandler.__init__).parameters) - {"self", "manager", "loop", "debug"}
_OF_RUNNERS = frozenset({"handle_signals", "shutdown_timeout", "handler_cancellation"})


class GuardedRunner(web.AppRunner):
    """``web.AppRunner`` for a server that faces the Internet: for ``web.TCPSite``, ``web.UnixSite``, ``web.SockSite``.

        runner = GuardedRunner(app)
        await runner.setup()
        await web.TCPSite(runner, port=8080).start()

    ``guard``
        What clients are held to; see ``Guard``.
    ``observers``
        Told of ``GuardActs`` and ``GuardRests``, by ``Observer.happened``. The log ``revproxy.event`` has them anyway.
    ``name``
        What events call the server.
    ``options``
        What ``web.AppRunner`` takes. Two defaults differ: ``auto_decompress`` is ``False``, so that uploads pass as
        they came and none grows, and ``keepalive_timeout`` 75 seconds.

    Beyond ``guard``, what is not a request is answered with a 400 that says no more than that, and is counted, not
    logged one by one. Connections are not told why they are not let in: they are closed before anything is read.

    Raises ``TypeError`` for options that the server does not know.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        guard: Guard | None = None,
        observers: Iterable[Observer] = (),
        name: str = "server",
        clock: Clock = SYSTEM_CLOCK,
        **options: Any,
    ) -> None:
        unknown = sorted(options.keys() - _OPTIONS - _OF_RUNNERS)
        if unknown:
            raise TypeError(f"options: aiohttp's server does not know {', '.join(unknown)}")
        options.setdefault("auto_decompress", False)
        options.setdefault("keepalive_timeout", 75.0)
        super().__init__(app, **options)
        if guard is not None and not isinstance(guard, Guard):
            raise TypeError(f"guard must be a Guard, got {guard!r}")
        self.guard: Guard = guard or Guard()
        self._clock = clock
        self._door = Door(self.guard, clock)
        self._ledger = Ledger(name, clock=clock)
        self._listeners = hooks(observers).happened
        self._running: AsyncExitStack | None = None

    async def setup(self) -> None:
        await super().setup()
        watch_server(self, self._admit)
        self._running = await started(self._ledger, self._listeners)

    async def cleanup(self) -> None:
        try:
            await super().cleanup()
        finally:
            running, self._running = self._running, None
            if running is not None:
                await running.aclose()

    @property
    def connections(self) -> int:
        """Open now; those that are still in a TLS handshake are not counted."""
        return self._door.open

    @property
    def counts(self) -> Mapping[str, int]:
        """How many connections were ended or refused until now, by reason (``REASONS``)."""
        return dict(self._ledger.counts)

    def _admit(self, connection: WatchedHandler, peer: object) -> Watcher | None:
        ticket = self._door.enter(peer)
        if isinstance(ticket, str):
            self._ledger.acted(ticket, peer)
            return None
        return Watch(
            connection,
            self.guard,
            clock=self._clock,
            acted=partial(self._acted, peer),
            left=partial(self._left, ticket),
        )

    def _acted(self, peer: object, why: str) -> None:
        self._ledger.acted(why, peer)

    def _left(self, ticket: Ticket) -> None:
        self._door.leave(ticket)

    def __repr__(self) -> str:
        return f"<GuardedRunner: {self._door!r}, {self._ledger!r}>"
