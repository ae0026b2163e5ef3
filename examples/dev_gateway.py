"""A development gateway: one port, behind it local services by host or by path, hot reload by WebSocket included.

python examples/dev_gateway.py            serves, three services of its own behind it, until interrupted
python examples/dev_gateway.py --check    sends requests through itself, and exits
"""

import asyncio
import sys
from contextlib import AsyncExitStack

from aiohttp import ClientSession, web

from revproxy import Exchange, Observer, ProxyHandler, Rule, Rules, Timeouts, Upstream, when
from revproxy.clock import SYSTEM_CLOCK

CHECK = "--check" in sys.argv
PORT = 8080
QUIET = Timeouts(tunnel=86400.0)  # hot reload says nothing for as long as nobody edits anything


class RequestLog(Observer):
    """One line for each exchange when it is over: for a WebSocket, that is when it has ended."""

    def finished(self, exchange: Exchange, status: int | None) -> None:
        where = exchange.attempts[-1].endpoint.name if exchange.attempts else "nobody"
        line = f"{exchange.inbound.method} {exchange.inbound.host}{exchange.inbound.target} -> {where}: {status}"
        if exchange.tunnel is not None:
            line += f", {exchange.tunnel.sent} bytes up, {exchange.tunnel.received} down"
        if exchange.error is not None:
            line += f", {type(exchange.error).__name__}"
        line += f", {1000 * (SYSTEM_CLOCK.now() - exchange.started):.0f} ms"
        print(ascii(line)[1:-1])  # whatever a client sends, it is one line


def gateway(page: str, api: str, mail: str) -> ProxyHandler:
    """What is where. The services see the host that the browser asked for, so that they agree about ``Origin``."""
    return ProxyHandler(
        Rules(
            Rule(when.host("mail.localhost"), Upstream(mail, name="mail", host="client")),
            Rule(when.path("/api/*"), Upstream(api, name="api", host="client")),
            Rule(when.anything, Upstream(page, name="page", host="client", timeouts=QUIET)),
        ),
        observers=[RequestLog()],
    )


def service(name: str) -> web.Application:
    """Stands for a development server: it says who it is, and by WebSocket has pages reload, once."""

    async def say(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        if not ws.can_prepare(request):
            return web.Response(text=f"{name}: {request.path} of {request.host}")
        await ws.prepare(request)
        await ws.send_str("reload")
        await ws.receive()
        return ws

    app = web.Application()
    app.router.add_get("/{path:.*}", say)
    return app


async def serve(app: web.Application, port: int, stack: AsyncExitStack) -> str:
    """Serve ``app`` on the loopback interface until ``stack`` ends; its address."""
    runner = web.AppRunner(app)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return "http://{}:{}".format(*runner.addresses[0][:2])


async def check(url: str) -> None:
    """The page, the API by its path, the mails by their host, and a page that is told to reload."""
    async with ClientSession(url) as client:
        for path, host in (("/", "localhost"), ("/api/users", "localhost"), ("/inbox", "mail.localhost")):
            async with client.get(path, headers={"Host": host}) as response:
                print(response.status, await response.text())
                assert response.status == 200
        async with client.ws_connect("/reload") as ws:
            print("WebSocket:", said := await ws.receive_str())
            assert said == "reload"


async def main() -> None:
    async with AsyncExitStack() as stack:
        proxy = gateway(*[await serve(service(name), 0, stack) for name in ("page", "api", "mail")])
        print(proxy.describe())
        app = web.Application()
        proxy.mount(app)
        url = await serve(app, 0 if CHECK else PORT, stack)
        print(f"gateway on {url}")
        if CHECK:
            await check(url)
        else:
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
