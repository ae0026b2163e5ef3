"""What the kernel knows of a TCP connection's outgoing bytes."""

from __future__ import annotations

import socket
import sys
from struct import unpack_from
from typing import Any

__all__ = ["outgoing"]

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_SIZE = 148
"""Of what is read of ``struct tcp_info`` (linux/tcp.h); its fields keep their places. Linux 4.6 has them all."""


def outgoing(sock: Any) -> tuple[int, int] | None:
    """How much of what the kernel has taken from this side is not acknowledged yet (segments in flight, or bytes that
    wait), and how many bytes are. ``None``: this is not TCP, or not Linux, or the socket is closed.

    ``sock`` is what a transport calls its ``socket``.
    """
    if _TCP_INFO is None or sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _SIZE)
    except (OSError, ValueError):  # uvloop's has no descriptor any more
        return None
    if len(info) < _SIZE:
        return None
    (in_flight,) = unpack_from("=I", info, 24)  # tcpi_unacked
    (acknowledged,) = unpack_from("=Q", info, 120)  # tcpi_bytes_acked
    (waiting,) = unpack_from("=I", info, 144)  # tcpi_notsent_bytes
    return in_flight + waiting, acknowledged
