"""An API that says no more than its contract, whatever the server behind it says.

The server leaks: members that nobody has asked for, a card number in a note, a stack trace with status 200, another one
with 500, a page of its framework, and a field that names it. What clients get is what the contract has in it, and
errors that say nothing of the inside.

It needs the extra schema: pip install 'aiohttp-revproxy[schema]'.

python examples/leak_proof_api.py            serves, with a leaky server of its own, until interrupted
python examples/leak_proof_api.py --check    sends requests through itself, prints what came back, and exits
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from revproxy import ProxyHandler, Upstream
from revproxy.filters import ErrorPages
from revproxy.filters.json_fields import JsonFields
from revproxy.filters.redact import Redact
from revproxy.filters.validate.response import ValidateResponse

CHECK = "--check" in sys.argv
PORT = 8080

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "total"],
    "properties": {"id": {"type": "integer"}, "total": {"type": "number"}, "note": {"type": "string"}},
    "additionalProperties": False,
}
ORDERS: dict[str, Any] = {
    "type": "object",
    "required": ["orders"],
    "properties": {"orders": {"type": "array", "items": ORDER}},
}


def api(url: str) -> web.Application:
    """The API, as clients see it. The first filter is the outermost: what others refuse has the form of all errors."""
    proxy = ProxyHandler(
        Upstream(url, name="orders"),
        filters=[
            ErrorPages(traces=True),
            Redact(),
            ValidateResponse(statuses=[200, "4xx", "5xx"], body=ORDERS),
            JsonFields(only=[f"orders[*].{name}" for name in ("id", "total", "note")]),
        ],
    )
    app = web.Application()
    proxy.mount(app)
    return app


def leaky() -> web.Application:
    """Stands for the server: each of its answers says too much."""
    routes = web.RouteTableDef()
    order = {"id": 7, "total": 12.5, "note": "paid with 4111 1111 1111 1111, thanks"}
    trace = (
        'Traceback (most recent call last):\n  File "/srv/orders/db.py", line 31, in connect\nOperationalError: db-7'
    )

    @routes.get("/orders")
    async def orders(request: web.Request) -> web.Response:
        more = {"margin": 0.4, "customer": {"password_hash": "$2b$12$secret"}}
        answer = {"orders": [order | more], "debug": {"sql": "SELECT * FROM orders"}}
        return web.json_response(answer, headers={"Server": "orders-7.internal", "X-Powered-By": "Example/1.2"})

    @routes.get("/traced")
    async def traced(request: web.Request) -> web.Response:
        return web.json_response({"orders": [order | {"note": trace}]})

    @routes.get("/fails")
    async def fails(request: web.Request) -> web.Response:
        return web.json_response({"error": trace}, status=500)

    @routes.get("/page")
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=f"<h1>Server error</h1><pre>{trace}</pre>", content_type="text/html")

    @routes.get("/wrong")
    async def wrong(request: web.Request) -> web.Response:
        return web.json_response({"orders": [{"id": "seven"}]})

    app = web.Application()
    app.add_routes(routes)
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` on the loopback interface; its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def check(url: str) -> None:
    """What a client can find out."""
    async with ClientSession(url) as client:
        for path, status in (("/orders", 200), ("/traced", 500), ("/fails", 500), ("/page", 502), ("/wrong", 502)):
            async with client.get(path) as answer:
                text = await answer.text()
                said = f"{answer.headers}{text}"
            print(path, "->", answer.status, text)
            assert answer.status == status
            for secret in (
                "margin",
                "password",
                "SELECT",
                "4111 1111",
                "/srv/",
                "db-7",
                "internal",
                "Example",
                "seven",
            ):
                assert secret not in said, secret
            if status == 200:
                assert ", thanks" in text
                assert json.loads(text)["orders"][0].keys() == {"id", "total", "note"}
            else:
                assert answer.content_type == "application/problem+json"


async def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    async with serving(leaky()) as behind, serving(api(behind), 0 if CHECK else PORT) as url:
        print(f"the API on {url}, the leaky server on {behind}")
        if CHECK:
            await check(url)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
