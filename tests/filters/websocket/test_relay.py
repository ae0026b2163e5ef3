"""What stands between a client's connection and a tunnel, without either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from revproxy.errors import ProxyError
from revproxy.filters import MessageLimits
from revproxy.filters.websocket.making import Making
from revproxy.message import Response
from revproxy.security_log import Refusals
from revproxy.testing import FakeClock, exchange

from .wire import text


class End(asyncio.Protocol):
    """The tunnel's end towards the client, which nobody may call when it is over."""

    def __init__(self) -> None:
        self.over = False
        self.paused = False
        self.got = b""

    def data_received(self, data: bytes) -> None:
        assert not self.over
        self.got += data

    def pause_writing(self) -> None:
        assert not self.over
        self.paused = True

    def resume_writing(self) -> None:
        assert not self.over
        self.paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        assert not self.over
        self.over = True


class Lasting:
    """A tunnel that goes on until it is told, and what it is given for a client."""

    protocol = "websocket"
    sent = received = 0

    def __init__(self) -> None:
        self.end = End()
        self.client: Any = None
        self.done = asyncio.Event()

    async def join(
        self,
        client: asyncio.Transport,
        early: bytes,
        lost: Callable[[Exception | None], None],
        *,
        blocked: bool = False,
    ) -> ProxyError | None:
        self.client = client
        client.set_protocol(self.end)
        await self.done.wait()
        lost(None)
        return None

    def drain(self, code: int) -> None: ...

    def finish(self, error: ProxyError | None = None) -> None: ...

    def close(self) -> None: ...


class Connection(asyncio.Transport):
    """The client's."""

    def __init__(self) -> None:
        super().__init__()
        self.got = b""

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.got += data

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def is_closing(self) -> bool:
        return False


async def test_a_tunnel_that_has_ended_is_not_called() -> None:
    """F-101: a tunnel that was told that the client is lost may be over in the same moment, and be taken apart, while
    of what the upstream has sent there is still something to be read, and dropped."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    tunnel, client, lost = Lasting(), Connection(), list[Exception | None]()
    limits = MessageLimits()
    making = Making((), limits, limits, compress=False, relays_controls=True, refusals=Refusals("a"), clock=FakeClock())
    relay = making.relay(exchange(), Response(101), tunnel, ())
    joined = asyncio.create_task(relay.join(client, b"", lost.append))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tunnel.client.write(text("a", masked=False) * 300)
    assert tunnel.end.paused
    assert 0 < len(client.got) < 900
    relay.connection_lost(None)
    assert tunnel.end.over
    for _ in range(5):
        await asyncio.sleep(0)
    tunnel.done.set()
    assert await joined is None
    assert (lost, complaints) == ([None], [])
