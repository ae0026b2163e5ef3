"""The upstream's side of a connection that speaks another protocol from here on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from .errors import ProxyError

__all__ = ["Tunnel"]


class Tunnel(Protocol):
    """What a 101 brings (RFC 9110 section 7.8): bytes both ways, until both ends have ended.

    ``protocol``: what ``Upgrade`` says, lower-cased. ``sent``, ``received``: bytes that were read from the client, and
    from the upstream, frames and all.
    """

    protocol: str

    @property
    def sent(self) -> int: ...

    @property
    def received(self) -> int: ...

    async def join(
        self,
        client: asyncio.Transport,
        early: bytes,
        lost: Callable[[Exception | None], None],
        *,
        blocked: bool = False,
    ) -> ProxyError | None:
        """Pass bytes on between ``client`` and the upstream until there is no more; how it broke, if it did.

        ``early`` is what the client has sent already; ``blocked``: ``client`` would rather not be written to. It gets a
        protocol of the tunnel's own; ``lost`` is called in its place, once the tunnel is over and the connection lost.
        Cancelled, it cuts both.
        """
        ...

    def drain(self, code: int) -> None:
        """Bring it to an end as politely as its protocol can; of a WebSocket, by a Close with ``code`` to both."""
        ...

    def finish(self, error: ProxyError | None = None) -> None:
        """It is over: what is still to be sent is sent, then both ends are closed. ``error``: how it broke."""
        ...

    def close(self) -> None:
        """Cut both ends. Harmless when repeated or at the end."""
        ...
