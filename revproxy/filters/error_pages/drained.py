"""What becomes of a body that nobody wants."""

from __future__ import annotations

import asyncio

from ...body import Body
from ...clock import Clock

__all__ = ["drained"]


async def drained(body: Body, limit: int, seconds: float, clock: Clock) -> None:
    """Read the rest of ``body``, so that its connection can be used again, as far as that is at most ``limit`` bytes
    and they are there within ``seconds``; else close it, and the connection with it. How it fails makes no difference
    any more, but to the attempt, which the wire tells."""
    if body.data is not None or not limit or (body.length is not None and body.length > limit):
        body.close()
        return
    reading = asyncio.ensure_future(_read(body, limit))

    def stop() -> None:
        reading.cancel()

    timer = clock.call_later(seconds, stop)
    try:
        await asyncio.wait([reading])
    finally:
        timer.cancel()
        reading.cancel()
        body.close()


async def _read(body: Body, limit: int) -> None:
    try:
        async for chunk in body:
            limit -= len(chunk)
            if limit < 0:
                return
    except Exception:  # of a filter's own, too: what it would have said is not wanted
        return
