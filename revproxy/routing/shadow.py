"""A second answer to a request, that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from ..errors import Origin, ProxyError
from ..exchange import Exchange
from ..handler import Handler
from ..message import Response
from .compared import Comparison
from .fate import Fate

__all__ = ["Shadow"]

_log = logging.getLogger("revproxy.error")


class Shadow:
    """Has ``handler`` answer ``exchange`` in a ``task``, and drops what it answers: at most ``most`` bytes of a body
    are read before it is cut.

    ``fate``, ``error``
        What has become of it, and how it failed; ``None`` while it is under way.
    ``comparison``, ``difference``
        The answers that are compared, if they are; and what differs.
    """

    __slots__ = ("_handler", "_most", "comparison", "difference", "error", "exchange", "fate", "task")

    def __init__(self, exchange: Exchange, handler: Handler, most: int, comparison: Comparison | None) -> None:
        self.exchange: Exchange = exchange
        self.comparison: Comparison | None = comparison
        self.difference: str | None = None
        self.fate: Fate | None = None
        self.error: Exception | None = None
        self._handler = handler
        self._most = most
        self.task: asyncio.Task[None] = asyncio.get_running_loop().create_task(self._run())

    def give_up(self, fate: Fate) -> None:
        """It is not wanted any more."""
        if self.fate is None:
            self.fate = fate
            self.task.cancel()

    async def _run(self) -> None:
        await self._answer()
        if self.comparison is not None:
            try:
                self.difference = await self.comparison.difference()
            except Exception as error:
                _log.error("a comparison with a shadow failed: %s", ascii(repr(error))[1:-1], exc_info=error)
        self.fate = self.fate or (Fate.ANSWERED if self.error is None else _fate_of(self.error))

    async def _answer(self) -> None:
        try:
            try:
                await self._take(await self._handler(self.exchange))
            finally:
                self.exchange.finish()
        except ProxyError as error:
            self.error = error
            if self.comparison is not None:
                self.comparison.shadow.failed(error)
        except Exception as error:
            self.error = error
            _log.error("a shadow failed: %s", ascii(repr(error))[1:-1], exc_info=error)

    async def _take(self, response: Response) -> None:
        """Read the body to its end, so that the connection can be used again, but not for ever."""
        body = response.body if self.comparison is None else self.comparison.shadow.answered(response)
        left = self._most
        chunks = aiter(body)
        try:
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    break
        finally:
            body.close()
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    def __repr__(self) -> str:
        inbound = self.exchange.inbound
        return f"<Shadow of {inbound.method} {inbound.target!r}: {self.fate or 'under way'}>"


def _fate_of(error: Exception) -> Fate:
    client = isinstance(error, ProxyError) and error.origin is Origin.CLIENT
    return Fate.INCOMPLETE if client else Fate.FAILED
