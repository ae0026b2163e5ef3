"""Two small back ends and a reverse proxy before them, in one process.

python examples/quickstart.py            serves until interrupted
python examples/quickstart.py --check    sends requests through itself, prints what came back, and exits
"""

import argparse
import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import ClientSession, web

from revproxy import ProxyHandler, Rule, Rules, Severity, Upstream, block, when
from revproxy.balancers import RoundRobin

MIB = 1024 * 1024


def backend(name: str) -> web.Application:
    """An ordinary aiohttp application: the kind of thing that stands behind a proxy."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"{name} says hello to {request.headers['X-Forwarded-For']}\n")

    async def upload(request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        return web.Response(text=f"{name} received {size} bytes\n")

    async def download(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = int(request.match_info["size"])
        await response.prepare(request)
        for start in range(0, response.content_length, MIB):
            await response.write(bytes(min(MIB, response.content_length - start)))
        return response

    app = web.Application()
    app.add_routes([web.get("/hello", hello), web.post("/upload", upload), web.get(r"/download/{size:\d+}", download)])
    return app


def proxy_app(*urls: str) -> web.Application:
    """The proxy: the back ends in turn, but for what must not be seen."""
    site = Upstream(*urls, name="site", balancer=RoundRobin())
    proxy = ProxyHandler(
        Rules(
            Rule(when.path("/admin/*"), block(403), name="no admin from outside", severity=Severity.WARNING),
            Rule(when.anything, site),
        )
    )
    app = web.Application()
    proxy.mount(app)
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
    """The main job, once each: a small answer, an upload that is streamed, a large download, a block."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield bytes(MIB)

    async with ClientSession(url) as client:
        for _ in range(2):
            async with client.get("/hello") as response:
                print("GET /hello:", response.status, (await response.text()).strip())
        async with client.post("/upload", data=pieces()) as response:
            answer = (await response.text()).strip()
            print("POST /upload:", response.status, answer)
            assert answer.endswith(f"received {32 * MIB} bytes")
        async with client.get(f"/download/{64 * MIB}") as response:
            size = 0
            async for chunk in response.content.iter_any():
                size += len(chunk)
            print("GET /download:", response.status, f"{size} bytes")
            assert size == 64 * MIB
        async with client.get("/admin/users") as response:
            print("GET /admin/users:", response.status, (await response.json())["title"])
            assert response.status == 403


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="send requests through the proxy and exit")
    parser.add_argument("--port", type=int, default=0, help="port of the proxy (default: any free one)")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(serving(backend(name))) for name in ("one", "two")]
        url = await stack.enter_async_context(serving(proxy_app(*urls), arguments.port))
        print(f"proxy on {url}, back ends on {' and '.join(urls)}")
        if arguments.check:
            await check(url)
        else:
            print("try /hello, /upload, /download/1000000, /admin; Ctrl-C ends")
            await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print()
