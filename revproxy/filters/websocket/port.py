"""The client's end of the upstream's tunnel, where a relay stands in the client's place."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

__all__ = ["Behind", "Port"]


class Behind(Protocol):
    """What is behind a ``Port``: it reads what the upstream sends, and goes on to the client."""

    @property
    def held(self) -> int:
        """Bytes that have not reached the other side yet."""
        ...

    def from_upstream(self, data: bytes) -> None: ...

    def upstream_ended(self) -> None:
        """The upstream sends nothing more."""
        ...

    def upstream_blocked(self, blocked: bool, /) -> None:
        """The upstream would rather not be written to, or may be again."""
        ...

    def over(self) -> None:
        """The tunnel is: what is on its way to the client is sent, then its connection is closed."""
        ...

    def cut(self) -> None:
        """Close the client's connection now."""
        ...


class Port(asyncio.Transport):
    """The transport that the upstream's tunnel takes for the client's: what is written to it goes to ``behind``, and
    whoever is behind it sends by way of its protocol. So the wire's tunnel is the same for bytes and for messages:
    pool, pace, half-close, idleness and shutdown are its affair."""

    def __init__(self, behind: Behind, client: asyncio.Transport) -> None:
        super().__init__()
        self._behind = behind
        self._client = client
        self._closing = False
        self.end: asyncio.Protocol = cast(asyncio.Protocol, None)
        """The tunnel's."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.end = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.end

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._client.get_extra_info(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is kept here."""

    def get_write_buffer_size(self) -> int:
        return self._behind.held

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self._behind.from_upstream(bytes(data))

    def can_write_eof(self) -> bool:
        return self._client.can_write_eof()

    def write_eof(self) -> None:
        self._behind.upstream_ended()

    def pause_reading(self) -> None:
        self._behind.upstream_blocked(True)

    def resume_reading(self) -> None:
        self._behind.upstream_blocked(False)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._behind.over()

    def abort(self) -> None:
        self._closing = True
        self._behind.cut()

    def leave(self) -> None:
        """Nobody is behind it, nor asks it, any more: they would be a circle that only the garbage collector frees."""
        del self._behind, self.end

    def __repr__(self) -> str:
        return f"<Port before {self._client!r}>"
