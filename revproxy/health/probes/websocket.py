"""A probe that opens a WebSocket."""

from __future__ import annotations

import base64
from random import Random

from ...body import EMPTY
from ...endpoint import Endpoint
from ...headers import is_token
from ...message import Fields
from ...wire.settings import Tls
from .ask import asked, probe_request
from .base import ProbeFailed

__all__ = ["WebSocketProbe"]

_NORMAL = 1000
"""Status code of RFC 6455 section 7.4.1."""


class WebSocketProbe:
    """Opens a WebSocket, verifies the handshake (RFC 6455 section 4.1), and closes it with a Close frame.

    ``path``, ``host``, ``headers``, ``tls``
        As with ``HttpProbe``. A server that looks at ``Origin`` needs one among the ``headers``.
    ``protocol``
        The subprotocol to ask for, which the server must choose.

    Raises ``ValueError`` that names the parameter and its value.
    """

    def __init__(
        self,
        path: str = "/",
        *,
        host: str | None = None,
        headers: Fields = (),
        protocol: str | None = None,
        tls: Tls | None = None,
        rng: Random | None = None,
    ) -> None:
        if protocol is not None and not is_token(protocol):
            raise ValueError(f"protocol: {protocol!r} is no name of a subprotocol")
        self._request = request = probe_request("GET", path, host, headers)
        request.upgrade = "websocket"
        request.headers["Sec-WebSocket-Version"] = "13"
        if protocol is not None:
            request.headers["Sec-WebSocket-Protocol"] = protocol
        self._protocol = protocol
        self._tls = tls
        self._rng = rng or Random()

    async def __call__(self, endpoint: Endpoint) -> None:
        if endpoint.secure and self._tls is None:
            self._tls = Tls()
        request = self._request.copy(EMPTY)
        request.headers["Sec-WebSocket-Key"] = base64.b64encode(self._rng.randbytes(16)).decode("ascii")
        async with asked(endpoint, request, self._tls) as response:
            if response.tunnel is None:
                raise ProbeFailed(f"answered {response.status}, which is no WebSocket")
            chosen = response.headers.getall("Sec-WebSocket-Protocol", [])
            if chosen != ([] if self._protocol is None else [self._protocol]):
                raise ProbeFailed(f"chose the subprotocol {', '.join(chosen)[:80]!r}, not {self._protocol!r}")
            response.tunnel.drain(_NORMAL)

    def __repr__(self) -> str:
        return f"WebSocketProbe({self._request.target!r})"
