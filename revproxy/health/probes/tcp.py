"""A probe that connects, and nothing else."""

from __future__ import annotations

from ...endpoint import Endpoint
from .ask import connected
from .elsewhere import elsewhere

__all__ = ["TcpProbe"]


class TcpProbe:
    """Opens a connection, TCP or a Unix socket, and closes it. No TLS, also where the endpoint has it: see
    ``TlsProbe``.

    It says that a kernel listens. Of the program behind it, it does not: one that hangs is connected to, too.
    """

    async def __call__(self, endpoint: Endpoint) -> None:
        async with connected(elsewhere(endpoint, scheme="http"), None):
            pass

    def __repr__(self) -> str:
        return "TcpProbe()"
