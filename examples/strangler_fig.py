"""A new application in front of the one that it replaces, route by route.

What it has routes for it answers itself; everything else it forwards to the legacy server. One route is moving: testers
and a tenth of the users get the new one.

python examples/strangler_fig.py            serves, with a legacy server of its own, until interrupted
python examples/strangler_fig.py --check    sends requests through itself, prints what came back, and exits
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zlib import crc32

from aiohttp import ClientSession, web

from revproxy import ProxyHandler, Upstream

CHECK = "--check" in sys.argv
PORT = 8080


def new(legacy_url: str) -> web.Application:
    """The new application. ``legacy`` has what has not moved yet."""
    legacy = ProxyHandler(Upstream(legacy_url, name="legacy"))

    async def orders(request: web.Request) -> web.Response:
        return web.Response(text=f"new: order {request.match_info['number']}")

    async def prices(request: web.Request) -> web.StreamResponse:
        if not is_canary(request):
            return await legacy.handle(request)
        return web.Response(text="new: prices")

    app = web.Application()
    app.add_routes([web.get("/orders/{number}", orders), web.get("/prices", prices)])  # these have moved
    legacy.mount(app)  # all the rest, other methods of these routes included
    return app


def is_canary(request: web.Request) -> bool:
    """Testers say so by a header. Of everybody else it is a tenth, and always the same one."""
    if request.headers.get("X-Canary") == "prices":
        return True
    user = request.cookies.get("user")
    return user is not None and crc32(user.encode()) % 10 == 0


def old() -> web.Application:
    """Stands for the legacy server, which has all of it."""

    async def say(request: web.Request) -> web.Response:
        return web.Response(text=f"legacy: {request.method} {request.path}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", say)
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
    """Who answers what."""

    async def ask(method: str, path: str, expected: str, headers: dict[str, str] | None = None) -> None:
        async with client.request(method, path, headers=headers) as response:
            text = await response.text()
        print(method, path, headers or "", "->", text)
        assert text.startswith(expected)

    async with ClientSession(url) as client:
        await ask("GET", "/orders/7", "new")
        await ask("POST", "/orders/7", "legacy")
        await ask("GET", "/about", "legacy")
        await ask("GET", "/prices", "legacy")
        await ask("GET", "/prices", "new", {"X-Canary": "prices"})
        for user, expected in (("ann", "legacy"), ("eve", "new")):
            await ask("GET", "/prices", expected, {"Cookie": f"user={user}"})


async def main() -> None:
    async with serving(old()) as legacy_url, serving(new(legacy_url), 0 if CHECK else PORT) as url:
        print(f"the new application on {url}, the legacy one on {legacy_url}")
        if CHECK:
            await check(url)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
