"""What a developer tests a composition with: exchanges without a server, time that stands still, a transport without a
network, and a real server that misbehaves on command."""

from .clock import FakeClock
from .conform import conform
from .exchange import exchange
from .recorded import MalformedRequest, Recorded
from .script import (
    close,
    close_while_idle,
    delay,
    drip,
    echo,
    head,
    hold,
    ignore_body,
    interim,
    pattern,
    raw,
    read_body,
    reset,
    respond,
    signal,
    stall,
    stop_reading,
    switch,
    truncate,
)
from .transport import FakeTransport
from .turn import PeerLeft, Step, Turn
from .upstream import FakeUpstream

__all__ = [
    "FakeClock",
    "FakeTransport",
    "FakeUpstream",
    "MalformedRequest",
    "PeerLeft",
    "Recorded",
    "Step",
    "Turn",
    "close",
    "close_while_idle",
    "conform",
    "delay",
    "drip",
    "echo",
    "exchange",
    "head",
    "hold",
    "ignore_body",
    "interim",
    "pattern",
    "raw",
    "read_body",
    "reset",
    "respond",
    "signal",
    "stall",
    "stop_reading",
    "switch",
    "truncate",
]
