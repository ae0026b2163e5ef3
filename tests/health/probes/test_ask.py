"""A connection that nobody else uses."""

from __future__ import annotations

import asyncio

import pytest

from revproxy import Endpoint
from revproxy.errors import ResponseHeadTooLarge
from revproxy.health.probes.ask import BODY, asked, connected, probe_request
from revproxy.testing import FakeUpstream, raw, stall


async def test_closed_however_it_ends() -> None:
    """It is closed at the end, by what is raised, and by a cancellation."""
    async with FakeUpstream() as server:
        endpoint = Endpoint(server.url)
        async with connected(endpoint, None) as connection:
            assert connection.tls is None
            assert repr(connection) == "<Connection idle used=0>"
        assert connection.closed
        with pytest.raises(LookupError):
            async with connected(endpoint, None) as connection:
                raise LookupError
        assert connection.closed
        server.always(stall())

        async def wait() -> None:
            async with asked(endpoint, probe_request("GET", "/", None, ()), None):
                raise AssertionError("there is no answer")

        task = asyncio.create_task(wait())
        await server.wait_requests()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_closed_connections(3)


async def test_a_head_is_bounded() -> None:
    """A head of more than 64 KiB is not read to its end."""
    async with FakeUpstream() as server:
        server.always(raw(b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" % (b"x" * 900) * 80), stall())
        with pytest.raises(ResponseHeadTooLarge, match=str(BODY)):
            async with asked(Endpoint(server.url), probe_request("GET", "/", None, ()), None):
                pass
