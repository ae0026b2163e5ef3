"""The proxy of WebSockets that one writes with aiohttp's own classes: two tasks, each of which passes messages on."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType, web
from yarl import URL

from .serve import serve

SESSION = web.AppKey("SESSION", ClientSession)
Side: TypeAlias = "web.WebSocketResponse | ClientWebSocketResponse"


async def pass_on(source: Side, sink: Side) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type is WSMsgType.PING:
            await sink.ping(message.data)
        elif message.type is WSMsgType.PONG:
            await sink.pong(message.data)


def application(arguments: argparse.Namespace) -> web.Application:
    backend = URL(arguments.backend)

    async def relay(request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(autoping=False, max_msg_size=0, compress=False)
        await client.prepare(request)
        async with request.app[SESSION].ws_connect(
            backend.join(request.rel_url), autoping=False, max_msg_size=0, compress=0
        ) as upstream:
            both = [asyncio.create_task(pass_on(client, upstream)), asyncio.create_task(pass_on(upstream, client))]
            _, left = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
        await client.close(code=upstream.close_code or 1000)
        return client

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(connector=TCPConnector(limit=0)) as app[SESSION]:
            yield

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_get("/{path:.*}", relay)
    return app


if __name__ == "__main__":
    serve(application)
