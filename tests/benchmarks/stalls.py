"""A back end of raw sockets that sends as much as it can, or reads nothing at all: for ``memory``.

``GET`` is answered with a body of ``--size`` bytes, as fast as the other side takes it; ``POST`` is read up to the end
of its head and then no further; ``GET /small.txt`` gets a small answer. How many bytes of a response's body were taken
is written to the file ``--count``; 0 when the head of an upload has come.
"""

from __future__ import annotations

import argparse
import socket
import threading
import time
from pathlib import Path

PIECE = bytes(256 * 1024)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--count", type=Path, required=True)
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.port)) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, options.size, options.count), daemon=True).start()


def _serve(connection: socket.socket, size: int, count: Path) -> None:
    with connection:
        try:
            while head := _read_head(connection):
                if head.startswith(b"POST"):
                    count.write_text("0")
                    while True:  # the connection stays open, and nobody reads it
                        time.sleep(60)
                if head.startswith(b"GET /small.txt "):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
                else:
                    _send_body(connection, size, count)
        except OSError:
            return  # the client went, as it does when the measurement is over


def _read_head(connection: socket.socket) -> bytes:
    """Byte by byte, so that nothing of a body is taken from the socket."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return bytes(head)


def _send_body(connection: socket.socket, size: int, count: Path) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % size
    )
    sent = 0
    while sent < size:
        sent += connection.send(PIECE[: size - sent])
        count.write_text(str(sent))


if __name__ == "__main__":
    main()
