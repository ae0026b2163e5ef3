"""What both ends of a WebSocket have in common, on asyncio's protocols."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from .frames import Frame, FrameReader


class Peer(asyncio.Protocol, ABC):
    """Finds the end of the other side's head, takes frames apart, and sends many of them as fast as they are read."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._head: bytes | None = b""
        """What there is of it; None when it is complete."""
        self._reader = FrameReader()
        self._frame = b""
        self._times = 0
        self._paused = False

    @abstractmethod
    def shaken(self, head: bytes) -> None:
        """The head of the other side has come. Where it is wrong, the transport is to be closed."""

    @abstractmethod
    def received(self, frame: Frame) -> None: ...

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of sockets, all are

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head = None
            self.shaken(head)
        if not self.transport.is_closing():
            for frame in self._reader.feed(data):
                self.received(frame)

    def gush(self, frame: bytes, times: int) -> None:
        """Send it so often, and never have more than the transport's limit waiting."""
        self._frame, self._times = frame, times
        if not self._paused:
            self.resume_writing()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        while self._times and not self._paused:
            self._times -= 1
            self.transport.write(self._frame)
