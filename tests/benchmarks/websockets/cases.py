"""What is asked of every subject."""

from __future__ import annotations

import random

from ..cases import KIB, MIB, Case

ECHO = random.Random("echo").randbytes(64)
PIECE = random.Random("piece").randbytes(64 * KIB)
"""A message of a large transfer: ``Case.size`` bytes are so many of them."""

CASES = (
    Case("echo", "WebSocket, 64 B echo", "/echo", len(ECHO), connections=50, unit="message", rate="msg/s"),
    Case("up", "WebSocket, 100 MiB up", "/sink", 100 * MIB, connections=1, unit="MiB", rate="MiB/s"),
    Case("down", "WebSocket, 100 MiB down", "/source", 100 * MIB, connections=1, unit="MiB", rate="MiB/s"),
)
