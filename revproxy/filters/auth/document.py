"""A document that a handler has, asked for by the proxy itself."""

from __future__ import annotations

import asyncio

from multidict import CIMultiDict, CIMultiDictProxy, istr

from ...clock import Clock
from ...exchange import Exchange
from ...handler import Handler
from ...message import Inbound, Request
from .key_set import MAX_BYTES, SetRefused

__all__ = ["document"]

_CODING = istr("Content-Encoding")
_FIELDS = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "revproxy-jwks"}


async def document(handler: Handler, path: str, *, timeout: float, clock: Clock) -> bytes:
    """What ``handler`` answers to a GET of ``path`` within ``timeout`` seconds, its body included.

    Raises ``SetRefused`` for what is not a plain 200 in time, and what the handler raises."""
    fetch = asyncio.create_task(_ask(handler, path, timeout, clock))

    def cut() -> None:
        fetch.cancel()

    timer = clock.call_later(timeout, cut)
    try:
        await asyncio.wait({fetch})
    finally:
        timer.cancel()
        if not fetch.done():
            fetch.cancel()
            await asyncio.wait({fetch})
        if not fetch.cancelled():
            fetch.exception()  # lest asyncio complains that nobody has looked at it
    if fetch.cancelled():
        raise SetRefused(f"no answer within {timeout:g} s")
    return fetch.result()


async def _ask(handler: Handler, path: str, timeout: float, clock: Clock) -> bytes:
    now = clock.now()
    inbound = Inbound("GET", path, CIMultiDictProxy(CIMultiDict()), path.partition("?")[0])
    exchange = Exchange(inbound, Request("GET", path, CIMultiDict(_FIELDS)), now, now + timeout)
    try:
        response = await handler(exchange)
        try:
            if response.status != 200:
                raise SetRefused(f"status {response.status}")
            if response.headers.get(_CODING, "identity").lower() != "identity":
                raise SetRefused("its content is coded, though nobody has asked for it")
            return await response.body.read(MAX_BYTES)
        finally:
            response.body.close()
    finally:
        exchange.finish()
