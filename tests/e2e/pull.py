"""A filter that changes nothing, and so forces response bodies to be pulled instead of pumped."""

from __future__ import annotations

from revproxy import Exchange, Handler, Response

__all__ = ["Same", "pull"]


class Same:
    """A transform that changes nothing. The length of a body behind it is not known before its end."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> bytes:
        return b""


async def pull(exchange: Exchange, handler: Handler) -> Response:
    """Whatever the body is, it goes through Python piece by piece."""
    response = await handler(exchange)
    response.body = response.body.through(Same())
    return response
