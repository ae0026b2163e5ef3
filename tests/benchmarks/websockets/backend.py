"""The back end: a WebSocket server of raw asyncio protocols, which looks at nothing that it need not see.

``/echo`` sends every message back. To ``/sink`` and ``/source`` one sends, as text, a number of bytes, whole pieces of
64 KiB: ``/sink`` then takes so many, and says so; ``/source`` sends them. What is no handshake is answered with 426.
"""

from __future__ import annotations

import argparse

from ..proxies.serve import listen
from .cases import PIECE
from .frames import BINARY, CLOSE, TEXT, Frame, answer, encode
from .peer import Peer

_PIECE = encode(BINARY, PIECE)


class Server(Peer):
    """One WebSocket."""

    def __init__(self) -> None:
        super().__init__()
        self._path = b""
        self._size = 0
        """Of a sink: how many bytes it still waits for."""

    def shaken(self, head: bytes) -> None:
        found = answer(head)
        if found is None:
            self.transport.write(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()
        else:
            self._path = head.split(b" ", 2)[1]
            self.transport.write(found)

    def received(self, frame: Frame) -> None:
        if frame.opcode == CLOSE:
            self.transport.write(encode(CLOSE, frame.unmasked()))
            self.transport.close()
        elif self._path == b"/echo":
            self.transport.write(encode(frame.opcode, frame.unmasked()))
        elif frame.opcode == BINARY:
            self._size -= len(frame.payload)
            if self._size == 0:
                self.transport.write(encode(TEXT, b"taken"))
        elif self._path == b"/source":
            self.gush(_PIECE, int(frame.unmasked()) // len(PIECE))
        else:
            self._size = int(frame.unmasked())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), required=True)
    arguments = parser.parse_args()
    listen(Server, arguments.port, arguments.loop)
