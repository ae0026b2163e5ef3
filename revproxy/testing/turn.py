"""What a step of a `FakeUpstream`'s script works with."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeAlias

from .recorded import Recorded

Step: TypeAlias = Callable[["Turn"], Coroutine[Any, Any, None]]


class PeerLeft(ConnectionError):
    """The client closed its connection while a step waited: the script ends, and nothing counts as an error."""


class Turn(Protocol):
    """One request's turn on its connection: what a step works with. A step of one's own:

        async def echo(turn: Turn) -> None:  # after head(101, ...)
            while data := await turn.read():
                await turn.write(data)

    A step that returns lets the next one begin; after the last, the connection waits for the next request.
    """

    request: Recorded
    released: asyncio.Event  # set by `FakeUpstream.release`

    async def write(self, data: bytes) -> None:
        """Send bytes; returns when the kernel has them all."""

    async def read(self, size: int = 65536) -> bytes:
        """At most `size` bytes of what follows the request; empty when the client has ended. Not recorded."""

    async def wait(self, event: asyncio.Event | None = None, *, seconds: float | None = None) -> None:
        """Until the event is set or the seconds are over; raises `PeerLeft` when the client leaves first."""

    async def read_body(self) -> None:
        """Read and record the rest of the body; says `100 Continue` first if that was expected and nothing was sent."""

    async def ignore_body(self) -> None:
        """Go on at once; the body is read and recorded meanwhile."""

    async def stop_reading(self) -> None:
        """Read nothing more until the script ends, closes or reads the body."""

    async def close(self) -> None:
        """Flush and send FIN; what is left of an upload is swallowed, lest an RST destroy the answer."""

    async def reset(self) -> None:
        """Flush and send RST."""
