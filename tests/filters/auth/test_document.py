"""A document that the proxy itself asks a handler for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from revproxy import Exchange, Response
from revproxy.body import StreamBody
from revproxy.filters.auth.document import document
from revproxy.filters.auth.key_set import SetRefused
from revproxy.testing import FakeClock
from tests.wire import until


async def test_a_body_that_does_not_end() -> None:
    """The time is for all of it, the body included; what the handler has put off is done when it is over."""
    clock = FakeClock()
    released: list[str] = []

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await clock.sleep(1)

    async def handler(exchange: Exchange) -> Response:
        assert exchange.deadline == clock.now() + 5
        exchange.defer(lambda: released.append("over"))
        return Response(200, body=StreamBody(drip()))

    fetch = asyncio.create_task(document(handler, "/keys?a=b", timeout=5, clock=clock))
    await until(lambda: clock.waiting == 2)
    await clock.advance_async(5)
    with pytest.raises(SetRefused, match="no answer within 5 s"):
        await fetch
    assert released == ["over"]
    assert clock.waiting == 0


async def test_cancelled() -> None:
    """Whoever gives it up leaves nothing behind."""
    clock = FakeClock()
    released: list[str] = []

    async def handler(exchange: Exchange) -> Response:
        exchange.defer(lambda: released.append("over"))
        await clock.sleep(3)
        return Response(200)

    fetch = asyncio.create_task(document(handler, "/", timeout=5, clock=clock))
    await until(lambda: clock.waiting == 2)
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    assert released == ["over"]
    assert clock.waiting == 0
