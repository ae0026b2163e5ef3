"""One end of a tunnel: what it reads it writes to its peer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from .frames import FrameError, Frames, close_frame

if TYPE_CHECKING:
    from .tunnel import WireTunnel

__all__ = ["End", "nowhere"]

_HIGH_WATER = 65536
"""Bytes that wait for one end before the other is not read any more."""


class End(asyncio.Protocol):
    """One end of a tunnel: what it reads it writes to its ``peer``."""

    __slots__ = (
        "_close_sent",
        "_code",
        "_due",
        "_is_client",
        "_tunnel",
        "blocked",
        "count",
        "ended",
        "failure",
        "forward",
        "frames",
        "lost",
        "on_lost",
        "peer",
        "transport",
    )

    # Deleted at the end, when nobody calls any more: they are a circle that only the garbage collector would free.
    peer: End
    _tunnel: WireTunnel

    def __init__(self, tunnel: WireTunnel, protocol: str, *, is_client: bool) -> None:
        self._tunnel = tunnel
        self._is_client = is_client
        self.frames: Frames | None = Frames(masked=is_client) if protocol == "websocket" else None
        """Of what is read."""
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.forward: Callable[[bytes], object] = nowhere
        """Takes what was read."""
        self.on_lost: Callable[[Exception | None], None] | None = None
        self.failure: Exception | None = None
        """How the connection was lost, if not by an end."""
        self.blocked: bool = False
        """The transport would rather not be written to."""
        self.count: int = 0
        """Bytes read."""
        self.ended: bool = False
        """Nothing more comes."""
        self.lost: bool = True
        """There is no connection, or none any more."""
        self._due = 0
        self._code = 0
        self._close_sent = False

    def attach(self, transport: asyncio.Transport, *, blocked: bool) -> None:
        self.transport = transport
        self.lost = False
        self.blocked = blocked  # it says so only when that changes
        transport.set_protocol(self)
        transport.set_write_buffer_limits(_HIGH_WATER)  # over TLS it is eight times as much by default

    def unlink(self) -> None:
        """It is over."""
        del self.peer, self._tunnel

    # Called by the transport.

    def data_received(self, data: bytes) -> None:
        self.count += len(data)
        frames = self.frames
        if frames is not None:
            try:
                data = frames.feed(data)
            except FrameError as error:
                self.forward(error.good)
                self._tunnel.broke(self, str(error))
                return
        self.forward(data)

    def eof_received(self) -> bool:
        """Whether the other direction goes on, which it does not over TLS."""
        tunnel, frames, peer = self._tunnel, self.frames, self.peer
        if self.ended or tunnel.is_over:
            return False
        self.ended = True
        if frames is not None:
            rest = frames.rest()
            if frames.left or rest:
                tunnel.lost(self, "a tunnel ended in the middle of a frame")
            if rest:
                self.forward(rest)
        self.forward = nowhere
        tunnel.closed()
        if peer.ended or peer.lost or not (self.transport.can_write_eof() and peer.transport.can_write_eof()):
            tunnel.finish()
            return False
        try:
            peer.transport.write_eof()
        except OSError:
            pass  # it is lost, which is told in its turn
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended:  # what it was still sent has failed, but it had said all that it had to say
            exc = None
        self.ended = self.lost = True
        self.failure = exc
        self.forward = nowhere
        self._tunnel.lost(self, None if exc is None else f"a tunnel was lost: {exc}")
        if self.on_lost is not None:
            self.on_lost(exc)

    def pause_writing(self) -> None:
        self.blocked = True
        if self.peer.reads:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.blocked = False
        if self.peer.reads:
            self.peer.transport.resume_reading()

    # Called by the tunnel.

    @property
    def unsent(self) -> int:
        try:
            return 0 if self.lost else self.transport.get_write_buffer_size()
        except AttributeError:  # asyncio's TLS, closed twice: the server closes its connections when it shuts down
            return 0

    @property
    def reads(self) -> bool:
        """Whether there is something to be read, and somebody to read for."""
        return not self.ended and self.forward is not nowhere

    @property
    def is_done(self) -> bool:
        """It has nothing more to say."""
        return self.ended or (self.frames is not None and self.frames.closed and not self.frames.left)

    def shut(self) -> None:
        """Read no more, and close when all is sent."""
        self.forward = nowhere
        if not self.lost and not self.transport.is_closing():  # a second close() breaks asyncio's TLS
            self.transport.close()

    def send_close(self, code: int) -> None:
        """A Close to the peer, as if this end had sent it, if one may stand there."""
        frames, peer = self.frames, self.peer
        if frames is not None and not (self.ended or frames.closed or frames.left or self._close_sent or peer.lost):
            self._close_sent = True
            peer.transport.write(close_frame(code, masked=self._is_client))

    def close_at_boundary(self, code: int) -> None:
        """Send a Close to the peer as soon as one may stand there, and drop what comes behind it."""
        assert self.frames is not None
        if self.ended:
            return
        self._code = code
        self._due = self.frames.left
        if self._due:
            self.forward = self._until_boundary
        else:
            self._close_behind(b"")

    def _until_boundary(self, data: bytes) -> None:
        due = self._due
        self._due = due - len(data)
        if self._due > 0:
            self.peer.transport.write(data)
        else:
            self._close_behind(data[:due])
            self._dropped(data)

    def _close_behind(self, rest: bytes) -> None:
        frame = close_frame(self._code, masked=self._is_client)
        self.peer.transport.write(rest + frame)
        self._close_sent = True
        self.forward = self._dropped

    def last(self, data: bytes) -> None:
        """Pass on what stands before a Close, or is one."""
        self.peer.transport.write(data)
        self._tunnel.closed()

    def _dropped(self, data: bytes) -> None:
        self._tunnel.closed()


def nowhere(data: bytes) -> None:
    """Where what nobody takes any more goes."""
